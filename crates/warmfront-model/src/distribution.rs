use std::sync::Arc;

use crate::{AcceptEncoding, DistributionId, KeyPart, Origin, OriginRequestPolicy, ResponseHeadersPolicy, TtlBounds};

/// A distribution whose configuration has passed validation, ready to route requests with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The Id; part of every cache key.
    pub id: DistributionId,
    /// `d` and 13 lower-case letters or digits, then `.cloudfront.net`.
    pub domain_name: Arc<str>,
    /// Alternate domain names in lower case; a leading `*.` matches one or more labels.
    pub aliases: Vec<Arc<str>>,
    /// Whether viewers are served at all.
    pub enabled: bool,
    /// DefaultRootObject without a leading slash; `None` if not set.
    pub default_root_object: Option<Arc<str>>,
    /// At least one.
    pub origins: Vec<Origin>,
    /// In order, first match wins; the last one is the default cache behavior with the pattern `*`, so at least one.
    pub behaviors: Vec<Behavior>,
    /// ErrorCachingMinTTL by status code, from CustomErrorResponses.
    pub error_caching: Vec<ErrorCaching>,
    /// CacheTagConfig.HeaderName in lower case: the field of responses that carries their cache tags; `None` if not set.
    pub cache_tag_header: Option<Arc<str>>,
    /// Logging, where it is enabled.
    pub logging: Option<Logging>,
}

/// What a distribution says of its standard access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// Prefix: what the files' names begin with, as configured.
    pub prefix: Arc<str>,
    /// IncludeCookies.
    pub include_cookies: bool,
}

impl Distribution {
    /// ErrorCachingMinTTL where none is configured, in seconds.
    ///
    /// Source: CloudFront Developer Guide, "Control how long CloudFront caches errors".
    pub const ERROR_CACHING_MIN_TTL_SECS_DEFAULT: u64 = 10;

    /// How long an error response from the origin is kept at least, in seconds.
    pub fn error_caching_min_ttl_secs(&self, status: u16) -> u64 {
        self.error_caching
            .iter()
            .find(|caching| caching.status == status)
            .map_or(Self::ERROR_CACHING_MIN_TTL_SECS_DEFAULT, |caching| caching.min_ttl_secs)
    }
}

/// How long one status code is kept at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCaching {
    /// ErrorCode.
    pub status: u16,
    /// ErrorCachingMinTTL in seconds.
    pub min_ttl_secs: u64,
}

/// How requests whose path matches one pattern are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behavior {
    /// PathPattern as configured; `*` for the default cache behavior.
    pub path_pattern: Arc<str>,
    /// The position of TargetOriginId in the distribution's origins; always a valid one.
    pub origin: usize,
    /// ViewerProtocolPolicy.
    pub viewer_protocol_policy: ViewerProtocolPolicy,
    /// AllowedMethods.
    pub allowed_methods: MethodSet,
    /// CachedMethods.
    pub cached_methods: MethodSet,
    /// Compress: whether the edge may compress responses itself.
    pub compress: bool,
    /// MinTTL, DefaultTTL, MaxTTL, from the behavior or its cache policy.
    pub ttl: TtlBounds,
    /// Header names in lower case that are in the cache key and sent to the origin.
    /// `All` occurs with legacy settings alone, and then nothing is cached.
    pub headers: KeyPart,
    /// Cookies that are in the cache key and sent to the origin.
    pub cookies: KeyPart,
    /// Query strings that are in the cache key.
    pub query_strings: KeyPart,
    /// Whether the whole query string is sent to the origin although only some of it is in the key
    /// (legacy QueryString with QueryStringCacheKeys).
    pub forward_whole_query: bool,
    /// Whether viewer headers that no list names are sent to the origin (legacy ForwardedValues).
    pub forward_other_headers: bool,
    /// Which encodings the key distinguishes.
    pub accept_encoding: AcceptEncoding,
    /// What else is sent to the origin. Occurs with a cache policy alone.
    pub origin_request_policy: Option<Arc<OriginRequestPolicy>>,
    /// What is removed from and added to each answer.
    pub response_headers_policy: Option<Arc<ResponseHeadersPolicy>>,
}

/// ViewerProtocolPolicy: what happens to a request that came over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerProtocolPolicy {
    /// `allow-all`: served.
    AllowAll,
    /// `https-only`: refused with 403.
    HttpsOnly,
    /// `redirect-to-https`: 301, or 307 where the method must be kept.
    RedirectToHttps,
}

/// The method lists that CloudFront knows; each contains the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MethodSet {
    /// GET, HEAD.
    GetHead,
    /// GET, HEAD, OPTIONS.
    GetHeadOptions,
    /// GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE.
    All,
}

impl MethodSet {
    /// Whether `method` (upper case, as on the wire) is one of these.
    pub fn contains(self, method: &str) -> bool {
        self.methods().contains(&method)
    }

    /// The methods, in CloudFront's order.
    pub fn methods(self) -> &'static [&'static str] {
        const ALL: &[&str] = &["HEAD", "GET", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"];
        match self {
            MethodSet::GetHead => &ALL[..2],
            MethodSet::GetHeadOptions => &ALL[..3],
            MethodSet::All => ALL,
        }
    }

    /// The set with exactly these methods, in any order; `None` if CloudFront has no such set.
    pub fn from_methods<'a>(methods: impl IntoIterator<Item = &'a str>) -> Option<MethodSet> {
        let mut given: Vec<&str> = methods.into_iter().collect();
        given.sort_unstable();
        [MethodSet::GetHead, MethodSet::GetHeadOptions, MethodSet::All]
            .into_iter()
            .find(|set| {
                let mut expected = set.methods().to_vec();
                expected.sort_unstable();
                expected == given
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_lists_are_cloudfronts_three() {
        assert_eq!(MethodSet::from_methods(["GET", "HEAD"]), Some(MethodSet::GetHead));
        assert_eq!(
            MethodSet::from_methods(["OPTIONS", "GET", "HEAD"]),
            Some(MethodSet::GetHeadOptions)
        );
        assert_eq!(
            MethodSet::from_methods(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]),
            Some(MethodSet::All)
        );
        assert_eq!(MethodSet::from_methods(["GET"]), None);
        assert_eq!(MethodSet::from_methods(["GET", "POST"]), None);
        assert_eq!(MethodSet::from_methods(["GET", "HEAD", "HEAD"]), None);
    }
}
