use http::header::VARY;
use http::{HeaderMap, HeaderName};

use crate::list::elements;

/// What a response varies on.
///
/// Source: RFC 9110 section 12.5.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vary {
    /// `*`: on something beyond the request's fields. Also where a member is no field name.
    Any,
    /// On these fields, each once; none without a Vary field.
    Fields(Vec<HeaderName>),
}

impl Vary {
    /// Reads all Vary field lines of a response as one list.
    pub fn parse(response: &HeaderMap) -> Vary {
        let mut names = Vec::new();
        for element in response.get_all(VARY).iter().flat_map(|line| elements(line.as_bytes())) {
            // `*` is a token and would pass for a name.
            match HeaderName::from_bytes(element) {
                Ok(name) if name != "*" => {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                _ => return Vary::Any,
            }
        }
        Vary::Fields(names)
    }
}

#[cfg(test)]
mod tests;
