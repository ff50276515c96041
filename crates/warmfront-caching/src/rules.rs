use http::Method;
use http::header::{ACCEPT_ENCODING, COOKIE, HeaderName};
use warmfront_model::{AcceptEncoding, Behavior, KeyPart, MethodSet, OriginRequestPolicy, TtlBounds};

use crate::storability::NotStored;
use crate::switches::Switches;

/// What one behavior, its origin and its distribution have to say about caching.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// MinTTL, DefaultTTL, MaxTTL.
    pub ttl: TtlBounds,
    /// CachedMethods.
    pub cached_methods: MethodSet,
    /// Header names in lower case that are in the cache key.
    pub headers: &'a KeyPart,
    /// Cookies that are in the cache key and sent to the origin.
    pub cookies: &'a KeyPart,
    /// What else is sent to the origin.
    pub origin_request_policy: Option<&'a OriginRequestPolicy>,
    /// Which encodings the key distinguishes.
    pub accept_encoding: AcceptEncoding,
    /// Whether the origin is an S3 bucket.
    pub s3_origin: bool,
    /// ErrorCachingMinTTL for the status of the response at hand, in seconds.
    pub error_caching_min_ttl_secs: u64,
    /// Which of CloudFront's and the RFC's ways are taken where they part.
    pub switches: Switches,
}

impl<'a> Rules<'a> {
    /// The rules of `behavior`, whose origin is an S3 bucket or not.
    ///
    /// `error_caching_min_ttl_secs` comes from
    /// [`Distribution::error_caching_min_ttl_secs`](warmfront_model::Distribution::error_caching_min_ttl_secs) and the
    /// status of the response; it is not read before there is one.
    pub fn new(
        behavior: &'a Behavior,
        s3_origin: bool,
        error_caching_min_ttl_secs: u64,
        switches: Switches,
    ) -> Rules<'a> {
        Rules {
            ttl: behavior.ttl,
            cached_methods: behavior.cached_methods,
            headers: &behavior.headers,
            cookies: &behavior.cookies,
            origin_request_policy: behavior.origin_request_policy.as_deref(),
            accept_encoding: behavior.accept_encoding,
            s3_origin,
            error_caching_min_ttl_secs,
            switches,
        }
    }

    /// Whether a stored response may answer `method`, so that the cache is looked at.
    pub fn may_answer_from_cache(&self, method: &Method) -> bool {
        self.not_cached(method).is_none()
    }

    /// Why requests with `method` go past the cache; `None` if they do not.
    ///
    /// Source: CloudFront Developer Guide, "Cache behavior settings", Cached HTTP methods (GET and HEAD share an entry);
    /// "Manage how long content stays in the cache (expiration)" (with all three TTLs at 0 caching is off, for errors
    /// too); "Cache content based on request headers" (forwarding all headers means that nothing is cached).
    pub fn not_cached(&self, method: &Method) -> Option<NotStored> {
        let is_options = *method == Method::OPTIONS;
        if !self.cached_methods.contains(method.as_str()) || (is_options && !self.switches.options_cached) {
            Some(NotStored::Method)
        } else if self.ttl.caching_disabled() {
            Some(NotStored::CachingDisabled)
        } else if *self.headers == KeyPart::All {
            Some(NotStored::AllHeadersForwarded)
        } else {
            None
        }
    }

    /// Whether the behavior has cookies sent to the origin, some or all.
    pub fn cookies_forwarded(&self) -> bool {
        let sends_more = self
            .origin_request_policy
            .is_some_and(|policy| policy.cookies != KeyPart::None);
        *self.cookies != KeyPart::None || sends_more
    }

    /// Whether the origin sees the header `name` of the viewer's, in the key or not.
    pub(crate) fn is_forwarded(&self, name: &HeaderName) -> bool {
        let sends_more = |policy: &OriginRequestPolicy| policy.headers.sends(name.as_str());
        self.is_in_key(name) || self.origin_request_policy.is_some_and(sends_more)
    }

    /// Whether requests that differ in the header `name` have different keys, so that a response may depend on it.
    pub fn is_in_key(&self, name: &HeaderName) -> bool {
        match *name {
            ACCEPT_ENCODING if self.accept_encoding.gzip || self.accept_encoding.brotli => true,
            // A response may depend on every cookie that the origin sees.
            COOKIE => {
                let sends_more = self
                    .origin_request_policy
                    .is_some_and(|policy| policy.cookies != KeyPart::None);
                *self.cookies != KeyPart::None && !sends_more
            }
            _ => names(self.headers, name.as_str()),
        }
    }
}

/// Whether `part` takes in the header `name` (in lower case).
pub(crate) fn names(part: &KeyPart, name: &str) -> bool {
    let listed = |list: &[std::sync::Arc<str>]| list.iter().any(|item| item.eq_ignore_ascii_case(name));
    match part {
        KeyPart::None => false,
        KeyPart::Whitelist(list) => listed(list),
        KeyPart::AllExcept(list) => !listed(list),
        KeyPart::All => true,
    }
}

#[cfg(test)]
mod tests;
