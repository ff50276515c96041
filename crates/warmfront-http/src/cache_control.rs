use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName};

use crate::delta_seconds::delta_seconds;
use crate::list::{elements, name_and_argument, unquote};

/// The Cache-Control directives of a response, or of a request where they share a name.
///
/// Names are compared without regard to case, arguments are taken as token or quoted string alike, and the first of two
/// equal directives counts. Unknown directives are ignored.
/// A freshness directive that cannot be read is 0 seconds: RFC 9111 section 4.2.1 asks to consider such a response stale.
///
/// Source: RFC 9111 section 5.2; RFC 5861 for the two stale directives; RFC 8246 for `immutable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheControl {
    /// Whether there is a Cache-Control field at all, whatever it says.
    pub present: bool,
    /// `max-age` in seconds.
    pub max_age_secs: Option<u64>,
    /// `s-maxage` in seconds.
    pub s_maxage_secs: Option<u64>,
    /// `stale-while-revalidate` in seconds; ignored if it cannot be read.
    pub stale_while_revalidate_secs: Option<u64>,
    /// `stale-if-error` in seconds; ignored if it cannot be read.
    pub stale_if_error_secs: Option<u64>,
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache`, for the response or for some of its fields.
    pub no_cache: Scope,
    /// `private`, for the response or for some of its fields.
    pub private: Scope,
    /// `public`.
    pub public: bool,
    /// `must-revalidate`.
    pub must_revalidate: bool,
    /// `proxy-revalidate`.
    pub proxy_revalidate: bool,
    /// `must-understand`.
    pub must_understand: bool,
    /// `no-transform`.
    pub no_transform: bool,
    /// `immutable`.
    pub immutable: bool,
}

/// What a `no-cache` or `private` directive applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The directive is absent.
    #[default]
    Absent,
    /// The fields it names, and not the rest of the response.
    Fields(Vec<HeaderName>),
    /// The whole response; also where a list of fields cannot be read.
    Response,
}

impl Scope {
    /// Whether the directive applies to the whole response.
    pub fn is_response(&self) -> bool {
        *self == Scope::Response
    }

    /// The fields it names; none if it is absent or applies to the whole response.
    pub fn fields(&self) -> &[HeaderName] {
        match self {
            Scope::Fields(names) => names,
            Scope::Absent | Scope::Response => &[],
        }
    }

    fn add(&mut self, argument: Option<&[u8]>) {
        let named = argument.and_then(field_names);
        match (&mut *self, named) {
            (Scope::Response, _) => {}
            (Scope::Fields(names), Some(more)) => names.extend(more),
            (Scope::Absent, Some(names)) => *self = Scope::Fields(names),
            (_, None) => *self = Scope::Response,
        }
    }
}

impl CacheControl {
    /// Reads all Cache-Control field lines of `headers` as one list.
    pub fn parse(headers: &HeaderMap) -> CacheControl {
        let mut directives = CacheControl::default();
        for line in headers.get_all(CACHE_CONTROL) {
            directives.present = true;
            for element in elements(line.as_bytes()) {
                let (name, argument) = name_and_argument(element, b'=');
                directives.add(name, argument);
            }
        }
        directives
    }

    /// Takes one directive in; the argument is as it stands, quotes included.
    pub(crate) fn add(&mut self, name: &[u8], argument: Option<&[u8]>) {
        let is = |directive: &str| name.eq_ignore_ascii_case(directive.as_bytes());
        let seconds = || argument.and_then(delta_seconds);
        if is("max-age") {
            self.max_age_secs = self.max_age_secs.or(seconds().or(Some(0)));
        } else if is("s-maxage") {
            self.s_maxage_secs = self.s_maxage_secs.or(seconds().or(Some(0)));
        } else if is("stale-while-revalidate") {
            self.stale_while_revalidate_secs = self.stale_while_revalidate_secs.or_else(seconds);
        } else if is("stale-if-error") {
            self.stale_if_error_secs = self.stale_if_error_secs.or_else(seconds);
        } else if is("no-cache") {
            self.no_cache.add(argument);
        } else if is("private") {
            self.private.add(argument);
        } else if let Some(flag) = self.flag(name) {
            // RFC 9111 section 5.2: an argument that a directive does not define is no reason to ignore the directive.
            *flag = true;
        }
    }

    fn flag(&mut self, name: &[u8]) -> Option<&mut bool> {
        let flags: [(&str, &mut bool); 7] = [
            ("no-store", &mut self.no_store),
            ("public", &mut self.public),
            ("must-revalidate", &mut self.must_revalidate),
            ("proxy-revalidate", &mut self.proxy_revalidate),
            ("must-understand", &mut self.must_understand),
            ("no-transform", &mut self.no_transform),
            ("immutable", &mut self.immutable),
        ];
        flags
            .into_iter()
            .find(|(directive, _)| name.eq_ignore_ascii_case(directive.as_bytes()))
            .map(|(_, flag)| flag)
    }
}

/// The names in `#field-name`, quoted or not; `None` if there is none, or one of them is no field name.
fn field_names(argument: &[u8]) -> Option<Vec<HeaderName>> {
    let names: Option<Vec<_>> = elements(unquote(argument)?)
        .map(|name| HeaderName::from_bytes(name).ok())
        .collect();
    names.filter(|names| !names.is_empty())
}

#[cfg(test)]
mod tests;
