use std::sync::Arc;

use warmfront_model::{CachePolicy, KeyPart, Timestamp};

use crate::types::{
    self, CachePolicyConfig, CachePolicyCookieBehavior, CachePolicyCookiesConfig, CachePolicyHeaderBehavior,
    CachePolicyHeadersConfig, CachePolicyQueryStringBehavior, CachePolicyQueryStringsConfig, CachePolicySummary,
    CachePolicyType, CookieNames, Headers, ParametersInCacheKeyAndForwardedToOrigin, QueryStringNames,
};

/// A cache policy as GetCachePolicy answers with it.
pub fn cache_policy(policy: &CachePolicy, last_modified: Timestamp) -> types::CachePolicy {
    types::CachePolicy {
        id: policy.id.to_string(),
        last_modified_time: last_modified,
        cache_policy_config: CachePolicyConfig {
            comment: Some(policy.comment.to_string()),
            name: policy.name.to_string(),
            default_ttl: Some(wire_secs(policy.ttl.default_secs)),
            max_ttl: Some(wire_secs(policy.ttl.max_secs)),
            min_ttl: wire_secs(policy.ttl.min_secs),
            parameters_in_cache_key_and_forwarded_to_origin: Some(parameters(policy)),
        },
    }
}

/// A cache policy that AWS manages as ListCachePolicies answers with it.
pub fn cache_policy_summary(policy: &CachePolicy, last_modified: Timestamp) -> CachePolicySummary {
    CachePolicySummary {
        r#type: CachePolicyType::Managed,
        cache_policy: cache_policy(policy, last_modified),
    }
}

fn parameters(policy: &CachePolicy) -> ParametersInCacheKeyAndForwardedToOrigin {
    ParametersInCacheKeyAndForwardedToOrigin {
        enable_accept_encoding_gzip: policy.accept_encoding.gzip,
        enable_accept_encoding_brotli: Some(policy.accept_encoding.brotli),
        headers_config: headers(&policy.headers),
        cookies_config: cookies(&policy.cookies),
        query_strings_config: query_strings(&policy.query_strings),
    }
}

fn headers(part: &KeyPart) -> CachePolicyHeadersConfig {
    match names(part) {
        Some((quantity, items)) => CachePolicyHeadersConfig {
            header_behavior: CachePolicyHeaderBehavior::Whitelist,
            headers: Some(Headers { quantity, items }),
        },
        None => CachePolicyHeadersConfig {
            header_behavior: CachePolicyHeaderBehavior::None,
            headers: None,
        },
    }
}

fn cookies(part: &KeyPart) -> CachePolicyCookiesConfig {
    let cookie_behavior = match part {
        KeyPart::None => CachePolicyCookieBehavior::None,
        KeyPart::Whitelist(_) => CachePolicyCookieBehavior::Whitelist,
        KeyPart::AllExcept(_) => CachePolicyCookieBehavior::AllExcept,
        KeyPart::All => CachePolicyCookieBehavior::All,
    };
    let cookies = names(part).map(|(quantity, items)| CookieNames { quantity, items });
    CachePolicyCookiesConfig {
        cookie_behavior,
        cookies,
    }
}

fn query_strings(part: &KeyPart) -> CachePolicyQueryStringsConfig {
    let query_string_behavior = match part {
        KeyPart::None => CachePolicyQueryStringBehavior::None,
        KeyPart::Whitelist(_) => CachePolicyQueryStringBehavior::Whitelist,
        KeyPart::AllExcept(_) => CachePolicyQueryStringBehavior::AllExcept,
        KeyPart::All => CachePolicyQueryStringBehavior::All,
    };
    let query_strings = names(part).map(|(quantity, items)| QueryStringNames { quantity, items });
    CachePolicyQueryStringsConfig {
        query_string_behavior,
        query_strings,
    }
}

/// The names that a part lists, and how many there are.
fn names(part: &KeyPart) -> Option<(i32, Vec<String>)> {
    match part {
        KeyPart::Whitelist(names) | KeyPart::AllExcept(names) => {
            let items: Vec<String> = names.iter().map(Arc::to_string).collect();
            Some((i32::try_from(items.len()).unwrap_or(i32::MAX), items))
        }
        KeyPart::None | KeyPart::All => None,
    }
}

/// A TTL is at most a hundred years, far within an i64.
fn wire_secs(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use warmfront_model::managed_cache_policy;

    use super::*;
    use crate::to_xml;

    fn check(id: &str, expected: &str) {
        let policy = cache_policy(managed_cache_policy(id).unwrap(), Timestamp(1_598_486_400_000));
        let xml = String::from_utf8(to_xml(&policy)).unwrap();
        let body = xml.split_once("2020-05-31/\">").unwrap().1;
        assert_eq!(body, expected);
    }

    #[test]
    fn a_managed_policy_is_written_as_cloudfront_documents_it() {
        check(
            "08627262-05a9-4f76-9ded-b50ca2e3a84f",
            "<Id>08627262-05a9-4f76-9ded-b50ca2e3a84f</Id><LastModifiedTime>2020-08-27T00:00:00.000Z</LastModifiedTime>\
             <CachePolicyConfig><Comment>For Elemental MediaPackage origins</Comment>\
             <Name>Managed-Elemental-MediaPackage</Name><DefaultTTL>86400</DefaultTTL><MaxTTL>31536000</MaxTTL>\
             <MinTTL>0</MinTTL><ParametersInCacheKeyAndForwardedToOrigin>\
             <EnableAcceptEncodingGzip>true</EnableAcceptEncodingGzip>\
             <EnableAcceptEncodingBrotli>false</EnableAcceptEncodingBrotli>\
             <HeadersConfig><HeaderBehavior>whitelist</HeaderBehavior><Headers><Quantity>1</Quantity>\
             <Items><Name>origin</Name></Items></Headers></HeadersConfig>\
             <CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig>\
             <QueryStringsConfig><QueryStringBehavior>whitelist</QueryStringBehavior><QueryStrings>\
             <Quantity>4</Quantity><Items><Name>aws.manifestfilter</Name><Name>start</Name><Name>end</Name>\
             <Name>m</Name></Items></QueryStrings></QueryStringsConfig></ParametersInCacheKeyAndForwardedToOrigin>\
             </CachePolicyConfig></CachePolicy>",
        );
    }

    #[test]
    fn all_and_none_list_no_names() {
        let policy = cache_policy(
            managed_cache_policy("2e54312d-136d-493c-8eb9-b001f22f67d2").unwrap(),
            Timestamp(0),
        );
        let parameters = policy
            .cache_policy_config
            .parameters_in_cache_key_and_forwarded_to_origin
            .unwrap();
        assert_eq!(
            parameters.cookies_config.cookie_behavior,
            CachePolicyCookieBehavior::All
        );
        assert_eq!(parameters.cookies_config.cookies, None);
        let policy = cache_policy(
            managed_cache_policy("658327ea-f89d-4fab-a63d-7e88639e58f6").unwrap(),
            Timestamp(0),
        );
        let parameters = policy
            .cache_policy_config
            .parameters_in_cache_key_and_forwarded_to_origin
            .unwrap();
        assert_eq!(
            parameters.headers_config.header_behavior,
            CachePolicyHeaderBehavior::None
        );
        assert_eq!(parameters.headers_config.headers, None);
    }
}
