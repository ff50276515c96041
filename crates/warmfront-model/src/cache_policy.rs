use std::sync::Arc;
use std::sync::LazyLock;

/// How long a response may be kept, in whole seconds: `min_secs <= default_secs <= max_secs`.
///
/// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TtlBounds {
    /// MinTTL.
    pub min_secs: u64,
    /// DefaultTTL, for a response that says nothing itself.
    pub default_secs: u64,
    /// MaxTTL.
    pub max_secs: u64,
}

impl TtlBounds {
    /// The largest TTL CloudFront accepts: 100 years.
    pub const SECS_MAX: u64 = 3_153_600_000;

    /// The bounds that CloudFront takes when DefaultTTL or MaxTTL is left out.
    ///
    /// A default below the minimum becomes the minimum, and a maximum below the default becomes the default.
    /// `None` if members that were given break the order.
    ///
    /// Source: CloudFront Developer Guide, "Cache behavior settings", Default TTL and Maximum TTL.
    pub fn complete(min_secs: u64, default_secs: Option<u64>, max_secs: Option<u64>) -> Option<TtlBounds> {
        let default_given = default_secs.is_some();
        let mut default_secs = default_secs.unwrap_or_else(|| min_secs.max(86_400));
        let max_secs = match max_secs {
            Some(max_secs) => {
                if !default_given {
                    default_secs = default_secs.min(max_secs).max(min_secs);
                }
                max_secs
            }
            None => default_secs.max(31_536_000),
        };
        (min_secs <= default_secs && default_secs <= max_secs).then_some(TtlBounds {
            min_secs,
            default_secs,
            max_secs,
        })
    }

    /// Whether caching is off: every bound is 0, as in the managed policy CachingDisabled.
    pub fn caching_disabled(self) -> bool {
        self.min_secs == 0 && self.default_secs == 0 && self.max_secs == 0
    }
}

/// Which query strings, cookies or headers take part in the cache key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum KeyPart {
    /// None, and none is sent to the origin.
    #[default]
    None,
    /// Those named.
    Whitelist(Vec<Arc<str>>),
    /// All but those named.
    AllExcept(Vec<Arc<str>>),
    /// All.
    All,
}

/// Which encodings the cache key distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AcceptEncoding {
    /// EnableAcceptEncodingGzip.
    pub gzip: bool,
    /// EnableAcceptEncodingBrotli.
    pub brotli: bool,
}

/// A cache policy: the TTL bounds and what the cache key is made of besides distribution and path.
///
/// Source: CloudFront Developer Guide, "Understand cache policies".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// The policy's Id.
    pub id: Arc<str>,
    /// The policy's name.
    pub name: Arc<str>,
    /// The policy's comment, as AWS describes its managed policies.
    pub comment: Arc<str>,
    /// MinTTL, DefaultTTL, MaxTTL.
    pub ttl: TtlBounds,
    /// Header names in lower case. Only `None` and `Whitelist` occur.
    pub headers: KeyPart,
    /// Cookie names, case-sensitive.
    pub cookies: KeyPart,
    /// Query string names, case-sensitive.
    pub query_strings: KeyPart,
    /// Which encodings are distinguished.
    pub accept_encoding: AcceptEncoding,
}

/// The cache policies that AWS manages, in the order of its documentation.
///
/// Source: CloudFront Developer Guide, "Use managed cache policies".
/// The Amplify policies for Amplify Hosting alone are left out: their settings are not published.
pub fn managed_cache_policies() -> &'static [CachePolicy] {
    static MANAGED: LazyLock<Vec<CachePolicy>> = LazyLock::new(managed);
    &MANAGED
}

/// The managed cache policy with this Id.
pub fn managed_cache_policy(id: &str) -> Option<&'static CachePolicy> {
    managed_cache_policies().iter().find(|policy| &*policy.id == id)
}

fn managed() -> Vec<CachePolicy> {
    let names = |names: &[&str]| KeyPart::Whitelist(names.iter().map(|&name| name.into()).collect());
    let policy = |id: &str, name: &str, comment: &str, ttl: (u64, u64, u64), gzip: bool, brotli: bool| CachePolicy {
        id: id.into(),
        name: name.into(),
        comment: comment.into(),
        ttl: TtlBounds {
            min_secs: ttl.0,
            default_secs: ttl.1,
            max_secs: ttl.2,
        },
        headers: KeyPart::None,
        cookies: KeyPart::None,
        query_strings: KeyPart::None,
        accept_encoding: AcceptEncoding { gzip, brotli },
    };
    let origin_headers = names(&[
        "host",
        "origin",
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ]);
    vec![
        CachePolicy {
            headers: names(&["authorization", "cloudfront-viewer-country", "host"]),
            cookies: KeyPart::All,
            query_strings: KeyPart::All,
            ..policy(
                "2e54312d-136d-493c-8eb9-b001f22f67d2",
                "Managed-Amplify",
                "For Amplify web apps",
                (2, 2, 600),
                true,
                true,
            )
        },
        policy(
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            "Managed-CachingDisabled",
            "Caching is off",
            (0, 0, 0),
            false,
            false,
        ),
        policy(
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "Managed-CachingOptimized",
            "The path alone is the key; gzip and Brotli",
            (1, 86_400, 31_536_000),
            true,
            true,
        ),
        policy(
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            "Managed-CachingOptimizedForUncompressedObjects",
            "The path alone is the key; no compression",
            (1, 86_400, 31_536_000),
            false,
            false,
        ),
        CachePolicy {
            headers: names(&["origin"]),
            query_strings: names(&["aws.manifestfilter", "start", "end", "m"]),
            ..policy(
                "08627262-05a9-4f76-9ded-b50ca2e3a84f",
                "Managed-Elemental-MediaPackage",
                "For Elemental MediaPackage origins",
                (0, 86_400, 31_536_000),
                true,
                false,
            )
        },
        CachePolicy {
            headers: origin_headers.clone(),
            cookies: KeyPart::All,
            ..policy(
                "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
                "UseOriginCacheControlHeaders",
                "Caches what the origin's Cache-Control allows",
                (0, 0, 31_536_000),
                true,
                true,
            )
        },
        CachePolicy {
            headers: origin_headers,
            cookies: KeyPart::All,
            query_strings: KeyPart::All,
            ..policy(
                "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
                "UseOriginCacheControlHeaders-QueryStrings",
                "Caches what the origin's Cache-Control allows, by query string",
                (0, 0, 31_536_000),
                true,
                true,
            )
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_policy_keeps_the_ttl_order() {
        for policy in managed_cache_policies() {
            assert!(policy.ttl.min_secs <= policy.ttl.default_secs, "{}", policy.name);
            assert!(policy.ttl.default_secs <= policy.ttl.max_secs, "{}", policy.name);
        }
    }

    /// Their settings are not published.
    #[test]
    fn the_policies_of_amplify_hosting_are_not_there() {
        for id in [
            "4d1d2f1d-3a71-49ad-9e08-7ea5d843a556",
            "a6bad946-36c3-4c33-aa98-362c74a7fb13",
            "1c6db51a-a33f-469a-8245-dae26771f530",
            "7e5fad67-ee98-4ad0-b05a-394999eefc1a",
        ] {
            assert!(managed_cache_policy(id).is_none(), "{id}");
        }
    }

    #[test]
    fn caching_optimized_has_a_minimum_of_one_second() {
        let policy = managed_cache_policy("658327ea-f89d-4fab-a63d-7e88639e58f6").unwrap();
        assert_eq!(
            policy.ttl,
            TtlBounds {
                min_secs: 1,
                default_secs: 86_400,
                max_secs: 31_536_000
            }
        );
    }

    #[test]
    fn omitted_ttls_follow_the_ones_given() {
        let bounds = |min, default, max| {
            TtlBounds::complete(min, default, max).map(|b| (b.min_secs, b.default_secs, b.max_secs))
        };
        assert_eq!(bounds(0, None, None), Some((0, 86_400, 31_536_000)));
        assert_eq!(bounds(100_000, None, None), Some((100_000, 100_000, 31_536_000)));
        assert_eq!(bounds(0, Some(40_000_000), None), Some((0, 40_000_000, 40_000_000)));
        assert_eq!(bounds(0, None, Some(60)), Some((0, 60, 60)));
        assert_eq!(bounds(0, Some(60), Some(300)), Some((0, 60, 300)));
        assert_eq!(bounds(10, Some(5), Some(300)), None);
        assert_eq!(bounds(0, Some(301), Some(300)), None);
        assert_eq!(bounds(301, None, Some(300)), None);
    }
}
