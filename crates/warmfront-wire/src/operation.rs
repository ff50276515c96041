//! Which operation a request asks for.

use percent_encoding::percent_decode_str;

use crate::generated::operation::ROUTES;

pub use crate::generated::operation::Operation;

/// What [`route`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// An operation that exists.
    Implemented {
        /// Which one.
        operation: Operation,
        /// The labels of its path, percent-decoded, by AWS's name, in the path's order.
        labels: Vec<(&'static str, String)>,
    },
    /// An operation of CloudFront that does not exist here.
    NotImplemented {
        /// AWS's name for it.
        name: &'static str,
    },
    /// No operation of CloudFront.
    Unknown,
}

/// One operation's request line.
pub(crate) struct Route {
    name: &'static str,
    operation: Option<Operation>,
    method: &'static str,
    path: &'static str,
    /// A query parameter that must be there, `NAME` or `NAME=VALUE`; empty for none.
    query: &'static str,
}

impl Route {
    pub(crate) const fn new(
        name: &'static str,
        operation: Option<Operation>,
        method: &'static str,
        path: &'static str,
        query: &'static str,
    ) -> Route {
        Route {
            name,
            operation,
            method,
            path,
            query,
        }
    }
}

/// Finds the operation for a request line. `path` and `query` are as sent, still percent-encoded, the query without
/// its `?`. One slash at the end of the path is allowed. A label is never empty.
pub fn route(method: &str, path: &str, query: &str) -> Routed {
    let best = ROUTES
        .iter()
        .filter(|route| route.matches(method, path, query))
        .max_by_key(|route| route.exactness());
    let Some(route) = best else { return Routed::Unknown };
    match route.operation {
        Some(operation) => Routed::Implemented {
            operation,
            labels: route.labels(path),
        },
        None => Routed::NotImplemented { name: route.name },
    }
}

/// The first value of a query parameter, percent-decoded, `+` being a space; empty if it stands there without `=`.
pub fn query_parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|parameter| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (decode_form(key) == name).then(|| decode_form(value))
    })
}

impl Route {
    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        let mut given = segments(path);
        let fits = |template: &str| match (label(template), given.next()) {
            (_, None) => false,
            (Some(_), Some(segment)) => !segment.is_empty(),
            (None, Some(segment)) => segment == template,
        };
        self.method == method && segments(self.path).all(fits) && given.next().is_none() && self.marked(query)
    }

    fn marked(&self, query: &str) -> bool {
        match self.query.split_once('=') {
            Some((name, value)) => query_parameter(query, name).as_deref() == Some(value),
            None => self.query.is_empty() || query_parameter(query, self.query).is_some(),
        }
    }

    /// A named query parameter counts most, then each segment that is no label.
    fn exactness(&self) -> usize {
        let literals = segments(self.path).filter(|template| label(template).is_none()).count();
        literals + if self.query.is_empty() { 0 } else { 100 }
    }

    fn labels(&self, path: &str) -> Vec<(&'static str, String)> {
        segments(self.path)
            .zip(segments(path))
            .filter_map(|(template, segment)| label(template).map(|name| (name, decode(segment))))
            .collect()
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_suffix('/').unwrap_or(path).split('/')
}

fn label(template: &str) -> Option<&str> {
    template.strip_prefix('{')?.strip_suffix('}')
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests;
