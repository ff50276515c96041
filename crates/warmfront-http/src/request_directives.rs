use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

use crate::delta_seconds::delta_seconds;
use crate::list::{elements, name_and_argument};

/// What a request's Cache-Control, or without it its Pragma, asks of caches.
///
/// A number that cannot be read is taken for the one that lets the cache answer least. Unknown directives are ignored.
///
/// Source: RFC 9111 sections 5.2.1 and 5.4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestDirectives {
    /// `no-cache`: nothing stored answers without the origin's word.
    pub no_cache: bool,
    /// `no-store`: nothing of the answer is stored.
    pub no_store: bool,
    /// `only-if-cached`: the origin is not asked.
    pub only_if_cached: bool,
    /// `max-age` in seconds.
    pub max_age_secs: Option<u64>,
    /// `min-fresh` in seconds.
    pub min_fresh_secs: Option<u64>,
    /// `max-stale` in seconds; without an argument, any.
    pub max_stale_secs: Option<u64>,
}

impl RequestDirectives {
    /// Reads the fields of a request; `None` if there are none, at the cost of two look-ups.
    pub fn of(request: &HeaderMap) -> Option<RequestDirectives> {
        let mut directives = RequestDirectives::default();
        if request.contains_key(CACHE_CONTROL) {
            for line in request.get_all(CACHE_CONTROL) {
                elements(line.as_bytes()).for_each(|element| directives.add(element));
            }
        } else if request.contains_key(PRAGMA) {
            let mut pragmas = request
                .get_all(PRAGMA)
                .iter()
                .flat_map(|line| elements(line.as_bytes()));
            directives.no_cache = pragmas.any(|pragma| pragma.eq_ignore_ascii_case(b"no-cache"));
        }
        (directives != RequestDirectives::default()).then_some(directives)
    }

    fn add(&mut self, element: &[u8]) {
        let (name, argument) = name_and_argument(element, b'=');
        let is = |directive: &str| name.eq_ignore_ascii_case(directive.as_bytes());
        let seconds = || argument.and_then(delta_seconds);
        if is("no-cache") {
            self.no_cache = true;
        } else if is("no-store") {
            self.no_store = true;
        } else if is("only-if-cached") {
            self.only_if_cached = true;
        } else if is("max-age") {
            self.max_age_secs = self.max_age_secs.or(seconds().or(Some(0)));
        } else if is("min-fresh") {
            self.min_fresh_secs = self.min_fresh_secs.or(seconds().or(Some(u64::MAX)));
        } else if is("max-stale") {
            let any = argument.is_none().then_some(u64::MAX);
            self.max_stale_secs = self.max_stale_secs.or(any.or_else(seconds).or(Some(0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn read(fields: &[(HeaderName, &str)]) -> Option<RequestDirectives> {
        let mut request = HeaderMap::new();
        for (name, value) in fields {
            request.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        RequestDirectives::of(&request)
    }

    fn directives(value: &str) -> RequestDirectives {
        read(&[(CACHE_CONTROL, value)]).unwrap_or_default()
    }

    #[test]
    fn each_directive_is_read() {
        let all = directives("No-Cache, no-store,only-if-cached, max-age=\"5\", min-fresh=6, max-stale=7, other=1");
        let expected = RequestDirectives {
            no_cache: true,
            no_store: true,
            only_if_cached: true,
            max_age_secs: Some(5),
            min_fresh_secs: Some(6),
            max_stale_secs: Some(7),
        };
        assert_eq!(all, expected);
        assert_eq!(directives("max-stale").max_stale_secs, Some(u64::MAX));
    }

    #[test]
    fn what_cannot_be_read_lets_the_cache_answer_least() {
        assert_eq!(directives("max-age=x").max_age_secs, Some(0));
        assert_eq!(directives("max-age").max_age_secs, Some(0));
        assert_eq!(directives("min-fresh=-1").min_fresh_secs, Some(u64::MAX));
        assert_eq!(directives("max-stale=1.5").max_stale_secs, Some(0));
    }

    #[test]
    fn pragma_counts_only_without_cache_control() {
        assert!(read(&[(PRAGMA, "x, no-cache")]).unwrap().no_cache);
        assert_eq!(read(&[(PRAGMA, "no-cache"), (CACHE_CONTROL, "other")]), None);
        assert_eq!(read(&[(PRAGMA, "x")]), None);
        assert_eq!(read(&[]), None);
    }
}
