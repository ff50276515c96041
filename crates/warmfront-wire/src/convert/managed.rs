use std::sync::{Arc, LazyLock};

use warmfront_model::{CachePolicy, KeyPart, OriginRequestHeaders, OriginRequestPolicy, ResponseHeadersPolicy};

use super::cache_policy::cache_policy_config;
use super::response_headers_policy::response_headers_policy;
use crate::types::{
    CachePolicyConfig, FrameOptionsList, Headers, OriginRequestPolicyConfig, OriginRequestPolicyCookieBehavior,
    OriginRequestPolicyCookiesConfig, OriginRequestPolicyHeaderBehavior, OriginRequestPolicyHeadersConfig,
    OriginRequestPolicyQueryStringBehavior, OriginRequestPolicyQueryStringsConfig, ReferrerPolicyList,
    ResponseHeadersPolicyAccessControlAllowHeaders, ResponseHeadersPolicyAccessControlAllowMethods,
    ResponseHeadersPolicyAccessControlAllowMethodsValues, ResponseHeadersPolicyAccessControlAllowOrigins,
    ResponseHeadersPolicyAccessControlExposeHeaders, ResponseHeadersPolicyConfig,
    ResponseHeadersPolicyContentTypeOptions, ResponseHeadersPolicyCorsConfig, ResponseHeadersPolicyFrameOptions,
    ResponseHeadersPolicyReferrerPolicy, ResponseHeadersPolicySecurityHeadersConfig,
    ResponseHeadersPolicyStrictTransportSecurity, ResponseHeadersPolicyXSSProtection,
};

/// A policy that AWS manages: its configuration as its users read it, and what it says. Its Id is the policy's.
#[derive(Debug)]
pub struct ManagedPolicy<C, P> {
    /// The configuration.
    pub config: C,
    /// The same, validated.
    pub policy: Arc<P>,
}

/// The cache policies that AWS manages.
pub fn managed_cache_policies() -> &'static [ManagedPolicy<CachePolicyConfig, CachePolicy>] {
    static MANAGED: LazyLock<Vec<ManagedPolicy<CachePolicyConfig, CachePolicy>>> = LazyLock::new(|| {
        let managed = |policy: &CachePolicy| ManagedPolicy {
            config: cache_policy_config(policy),
            policy: Arc::new(policy.clone()),
        };
        warmfront_model::managed_cache_policies().iter().map(managed).collect()
    });
    &MANAGED
}

/// The origin request policies that AWS manages, in the order of its documentation.
///
/// Source: CloudFront Developer Guide, "Use managed origin request policies".
pub fn managed_origin_request_policies() -> &'static [ManagedPolicy<OriginRequestPolicyConfig, OriginRequestPolicy>] {
    static MANAGED: LazyLock<Vec<ManagedPolicy<OriginRequestPolicyConfig, OriginRequestPolicy>>> =
        LazyLock::new(|| ORIGIN_REQUEST_POLICIES.iter().map(OriginRequest::managed).collect());
    &MANAGED
}

/// The response headers policies that AWS manages, in the order of its documentation.
///
/// Source: CloudFront Developer Guide, "Use managed response headers policies".
pub fn managed_response_headers_policies()
-> &'static [ManagedPolicy<ResponseHeadersPolicyConfig, ResponseHeadersPolicy>] {
    static MANAGED: LazyLock<Vec<ManagedPolicy<ResponseHeadersPolicyConfig, ResponseHeadersPolicy>>> =
        LazyLock::new(|| {
            let managed = |(id, name, cors, security): &(&str, &str, Option<Preflight>, bool)| {
                let config = response_headers_config(name, *cors, *security);
                let policy = response_headers_policy(&config, id).ok()?;
                Some(ManagedPolicy {
                    config,
                    policy: Arc::new(policy),
                })
            };
            RESPONSE_HEADERS_POLICIES.iter().filter_map(managed).collect()
        });
    &MANAGED
}

struct OriginRequest {
    id: &'static str,
    name: &'static str,
    comment: &'static str,
    behavior: OriginRequestPolicyHeaderBehavior,
    headers: &'static [&'static str],
    all_cookies: bool,
    all_query_strings: bool,
}

use OriginRequestPolicyHeaderBehavior::{AllExcept, AllViewer, AllViewerAndWhitelistCloudFront, Whitelist};

const ORIGIN_REQUEST_POLICIES: &[OriginRequest] = &[
    OriginRequest {
        id: "216adef6-5c7f-47e4-b989-5492eafa07d3",
        name: "Managed-AllViewer",
        comment: "Forwards all headers, cookies and query strings of the viewer",
        behavior: AllViewer,
        headers: &[],
        all_cookies: true,
        all_query_strings: true,
    },
    OriginRequest {
        id: "33f36d7e-f396-46d9-90e0-52428a34d9dc",
        name: "Managed-AllViewerAndCloudFrontHeaders-2022-06",
        comment: "Forwards all of the viewer, and the CloudFront headers of June 2022",
        behavior: AllViewerAndWhitelistCloudFront,
        headers: &[
            "CloudFront-Forwarded-Proto",
            "CloudFront-Is-Android-Viewer",
            "CloudFront-Is-Desktop-Viewer",
            "CloudFront-Is-IOS-Viewer",
            "CloudFront-Is-Mobile-Viewer",
            "CloudFront-Is-SmartTV-Viewer",
            "CloudFront-Is-Tablet-Viewer",
            "CloudFront-Viewer-Address",
            "CloudFront-Viewer-ASN",
            "CloudFront-Viewer-City",
            "CloudFront-Viewer-Country",
            "CloudFront-Viewer-Country-Name",
            "CloudFront-Viewer-Country-Region",
            "CloudFront-Viewer-Country-Region-Name",
            "CloudFront-Viewer-Http-Version",
            "CloudFront-Viewer-Latitude",
            "CloudFront-Viewer-Longitude",
            "CloudFront-Viewer-Metro-Code",
            "CloudFront-Viewer-Postal-Code",
            "CloudFront-Viewer-Time-Zone",
            "CloudFront-Viewer-TLS",
        ],
        all_cookies: true,
        all_query_strings: true,
    },
    OriginRequest {
        id: "b689b0a8-53d0-40ab-baf2-68738e2966ac",
        name: "Managed-AllViewerExceptHostHeader",
        comment: "Forwards all of the viewer but Host",
        behavior: AllExcept,
        headers: &["Host"],
        all_cookies: true,
        all_query_strings: true,
    },
    OriginRequest {
        id: "59781a5b-3903-41f3-afcb-af62929ccde1",
        name: "Managed-CORS-CustomOrigin",
        comment: "For CORS with a custom origin",
        behavior: Whitelist,
        headers: &["Origin"],
        all_cookies: false,
        all_query_strings: false,
    },
    OriginRequest {
        id: "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
        name: "Managed-CORS-S3Origin",
        comment: "For CORS with an S3 origin",
        behavior: Whitelist,
        headers: &[
            "Origin",
            "Access-Control-Request-Headers",
            "Access-Control-Request-Method",
        ],
        all_cookies: false,
        all_query_strings: false,
    },
    OriginRequest {
        id: "775133bc-15f2-49f9-abea-afb2e0bf67d2",
        name: "Managed-Elemental-MediaTailor-PersonalizedManifests",
        comment: "For Elemental MediaTailor",
        behavior: Whitelist,
        headers: &[
            "Origin",
            "Access-Control-Request-Headers",
            "Access-Control-Request-Method",
            "User-Agent",
            "X-Forwarded-For",
        ],
        all_cookies: false,
        all_query_strings: true,
    },
    OriginRequest {
        id: "bf0718e1-ba1e-49d1-88b1-f726733018ae",
        name: "Managed-HostHeaderOnly",
        comment: "Forwards Host",
        behavior: Whitelist,
        headers: &["Host"],
        all_cookies: false,
        all_query_strings: false,
    },
    OriginRequest {
        id: "acba4595-bd28-49b8-b9fe-13317c0390fa",
        name: "Managed-UserAgentRefererHeaders",
        comment: "Forwards User-Agent and Referer",
        behavior: Whitelist,
        headers: &["User-Agent", "Referer"],
        all_cookies: false,
        all_query_strings: false,
    },
];

impl OriginRequest {
    /// The quota of names per list does not bind AWS itself.
    fn managed(&self) -> ManagedPolicy<OriginRequestPolicyConfig, OriginRequestPolicy> {
        let names = self
            .headers
            .iter()
            .map(|name| name.to_ascii_lowercase().into())
            .collect();
        let policy = OriginRequestPolicy {
            id: self.id.into(),
            name: self.name.into(),
            headers: match self.behavior {
                OriginRequestPolicyHeaderBehavior::None => OriginRequestHeaders::None,
                Whitelist => OriginRequestHeaders::Whitelist(names),
                AllViewer => OriginRequestHeaders::AllViewer,
                AllViewerAndWhitelistCloudFront => OriginRequestHeaders::AllViewerAndWhitelistCloudFront(names),
                AllExcept => OriginRequestHeaders::AllExcept(names),
            },
            cookies: if self.all_cookies { KeyPart::All } else { KeyPart::None },
            query_strings: if self.all_query_strings {
                KeyPart::All
            } else {
                KeyPart::None
            },
        };
        ManagedPolicy {
            config: self.config(),
            policy: Arc::new(policy),
        }
    }

    fn config(&self) -> OriginRequestPolicyConfig {
        let headers = (!self.headers.is_empty()).then(|| Headers {
            quantity: quantity(self.headers.len()),
            items: self.headers.iter().map(|&name| name.to_owned()).collect(),
        });
        OriginRequestPolicyConfig {
            comment: Some(self.comment.to_owned()),
            name: self.name.to_owned(),
            headers_config: OriginRequestPolicyHeadersConfig {
                header_behavior: self.behavior,
                headers,
            },
            cookies_config: OriginRequestPolicyCookiesConfig {
                cookie_behavior: if self.all_cookies {
                    OriginRequestPolicyCookieBehavior::All
                } else {
                    OriginRequestPolicyCookieBehavior::None
                },
                cookies: None,
            },
            query_strings_config: OriginRequestPolicyQueryStringsConfig {
                query_string_behavior: if self.all_query_strings {
                    OriginRequestPolicyQueryStringBehavior::All
                } else {
                    OriginRequestPolicyQueryStringBehavior::None
                },
                query_strings: None,
            },
        }
    }
}

/// Whether the CORS headers of a managed policy are for preflight requests too.
#[derive(Clone, Copy)]
struct Preflight(bool);

const RESPONSE_HEADERS_POLICIES: &[(&str, &str, Option<Preflight>, bool)] = &[
    (
        "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
        "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
        Some(Preflight(true)),
        true,
    ),
    (
        "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
        "Managed-CORS-With-Preflight",
        Some(Preflight(true)),
        false,
    ),
    (
        "e61eb60c-9c35-4d20-a928-2b84e02af89c",
        "Managed-CORS-and-SecurityHeadersPolicy",
        Some(Preflight(false)),
        true,
    ),
    (
        "67f7725c-6f97-4210-82d7-5512b31e9d03",
        "Managed-SecurityHeadersPolicy",
        None,
        true,
    ),
    (
        "60669652-455b-4ae9-85a4-c4c02393f86c",
        "Managed-SimpleCORS",
        Some(Preflight(false)),
        false,
    ),
];

fn response_headers_config(name: &str, cors: Option<Preflight>, security: bool) -> ResponseHeadersPolicyConfig {
    ResponseHeadersPolicyConfig {
        comment: Some(String::new()),
        name: name.to_owned(),
        cors_config: cors.map(managed_cors),
        security_headers_config: security.then(managed_security),
        ..ResponseHeadersPolicyConfig::default()
    }
}

fn managed_cors(Preflight(preflight): Preflight) -> ResponseHeadersPolicyCorsConfig {
    use ResponseHeadersPolicyAccessControlAllowMethodsValues::{All, Get, Head, Options};
    let any = || vec!["*".to_owned()];
    let methods = if preflight { vec![All] } else { vec![Get, Head, Options] };
    ResponseHeadersPolicyCorsConfig {
        access_control_allow_origins: ResponseHeadersPolicyAccessControlAllowOrigins {
            quantity: 1,
            items: any(),
        },
        access_control_allow_headers: ResponseHeadersPolicyAccessControlAllowHeaders {
            quantity: 1,
            items: any(),
        },
        access_control_allow_methods: ResponseHeadersPolicyAccessControlAllowMethods {
            quantity: quantity(methods.len()),
            items: methods,
        },
        access_control_allow_credentials: false,
        access_control_expose_headers: preflight.then(|| ResponseHeadersPolicyAccessControlExposeHeaders {
            quantity: 1,
            items: any(),
        }),
        access_control_max_age_sec: None,
        origin_override: false,
    }
}

fn managed_security() -> ResponseHeadersPolicySecurityHeadersConfig {
    ResponseHeadersPolicySecurityHeadersConfig {
        xss_protection: Some(ResponseHeadersPolicyXSSProtection {
            r#override: false,
            protection: true,
            mode_block: Some(true),
            report_uri: None,
        }),
        frame_options: Some(ResponseHeadersPolicyFrameOptions {
            r#override: false,
            frame_option: FrameOptionsList::Sameorigin,
        }),
        referrer_policy: Some(ResponseHeadersPolicyReferrerPolicy {
            r#override: false,
            referrer_policy: ReferrerPolicyList::StrictOriginWhenCrossOrigin,
        }),
        content_security_policy: None,
        content_type_options: Some(ResponseHeadersPolicyContentTypeOptions { r#override: true }),
        strict_transport_security: Some(ResponseHeadersPolicyStrictTransportSecurity {
            r#override: false,
            include_subdomains: None,
            preload: None,
            access_control_max_age_sec: 31_536_000,
        }),
    }
}

fn quantity(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_policy_is_there() {
        assert_eq!(
            managed_cache_policies().len(),
            warmfront_model::managed_cache_policies().len()
        );
        assert_eq!(managed_origin_request_policies().len(), 8);
        assert_eq!(managed_response_headers_policies().len(), 5);
    }

    #[test]
    fn the_security_headers_are_the_documented_ones() {
        let id = "67f7725c-6f97-4210-82d7-5512b31e9d03";
        let managed = managed_response_headers_policies()
            .iter()
            .find(|managed| *managed.policy.id == *id)
            .unwrap();
        let headers: Vec<_> = managed
            .policy
            .headers
            .iter()
            .map(|it| (&*it.name, &*it.value, it.r#override))
            .collect();
        assert_eq!(
            headers,
            [
                ("referrer-policy", "strict-origin-when-cross-origin", false),
                ("strict-transport-security", "max-age=31536000", false),
                ("x-content-type-options", "nosniff", true),
                ("x-frame-options", "SAMEORIGIN", false),
                ("x-xss-protection", "1; mode=block", false),
            ]
        );
        assert_eq!(managed.policy.cors, None);
    }

    #[test]
    fn preflights_are_answered_with_every_method() {
        let id = "5cc3b908-e619-4b99-88e5-2cf7f45965bd";
        let managed = managed_response_headers_policies()
            .iter()
            .find(|managed| *managed.policy.id == *id)
            .unwrap();
        let cors = managed.policy.cors.as_ref().unwrap();
        assert_eq!(&*cors.allow_methods, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
        assert_eq!(
            (cors.expose_headers.as_deref(), cors.origin_override),
            (Some("*"), false)
        );
    }
}
