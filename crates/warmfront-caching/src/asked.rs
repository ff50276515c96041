use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

use crate::requested::request_directives;
use crate::switches::Switches;

/// What of a request decides whether the response to it may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The method that the origin was asked with.
    pub method: &'a Method,
    /// Whether the viewer sent Authorization.
    pub authorization: bool,
    /// Whether the viewer asked that nothing be stored.
    pub no_store: bool,
}

impl<'a> Asked<'a> {
    /// A request to the origin with `method`, caused by a viewer's request with these headers.
    pub fn new(method: &'a Method, viewer: &HeaderMap, switches: &Switches) -> Asked<'a> {
        Asked {
            method,
            authorization: viewer.contains_key(AUTHORIZATION),
            no_store: request_directives(viewer, switches).is_some_and(|directives| directives.no_store),
        }
    }
}
