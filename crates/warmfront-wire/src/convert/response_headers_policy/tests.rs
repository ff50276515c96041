use warmfront_model::AllowedOrigin;

use super::*;
use crate::types::{
    ResponseHeadersPolicyAccessControlAllowMethodsValues as Method, ResponseHeadersPolicyCorsConfig,
    ResponseHeadersPolicyCustomHeader, ResponseHeadersPolicyRemoveHeader, ResponseHeadersPolicySecurityHeadersConfig,
};
use crate::{Double, from_xml};

const FIXTURE: &[u8] = include_bytes!("../../../tests/fixtures/response-headers-policy.xml");

fn changed(change: impl FnOnce(&mut ResponseHeadersPolicyConfig)) -> ResponseHeadersPolicyConfig {
    let mut config = from_xml(FIXTURE).unwrap();
    change(&mut config);
    config
}

fn with_cors(change: impl FnOnce(&mut ResponseHeadersPolicyCorsConfig)) -> ResponseHeadersPolicyConfig {
    changed(|config| change(config.cors_config.as_mut().unwrap()))
}

fn with_security(change: impl FnOnce(&mut ResponseHeadersPolicySecurityHeadersConfig)) -> ResponseHeadersPolicyConfig {
    changed(|config| change(config.security_headers_config.as_mut().unwrap()))
}

fn with_custom(header: &str, value: &str) -> ResponseHeadersPolicyConfig {
    let custom = ResponseHeadersPolicyCustomHeader {
        header: header.to_owned(),
        value: value.to_owned(),
        r#override: true,
    };
    changed(|config| config.custom_headers_config.as_mut().unwrap().items = vec![custom])
}

#[track_caller]
fn refused(config: &ResponseHeadersPolicyConfig, code: ErrorCode, message: &str) {
    let error = response_headers_policy(config, "id").unwrap_err();
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.contains(message), "{}", error.message);
}

fn header(config: &ResponseHeadersPolicyConfig, name: &str) -> String {
    let policy = response_headers_policy(config, "id").unwrap();
    policy
        .headers
        .iter()
        .find(|header| &*header.name == name)
        .unwrap()
        .value
        .to_string()
}

#[test]
fn what_a_client_sends_is_the_policy() {
    let policy = response_headers_policy(&from_xml(FIXTURE).unwrap(), "id").unwrap();
    assert_eq!((&*policy.id, &*policy.name), ("id", "all-sections"));
    assert_eq!(policy.remove, ["x-powered-by".into(), "server".into()]);
    let headers: Vec<_> = policy
        .headers
        .iter()
        .map(|it| (&*it.name, &*it.value, it.r#override))
        .collect();
    assert_eq!(
        headers,
        [
            ("content-security-policy", "default-src 'self'", true),
            ("referrer-policy", "same-origin", true),
            (
                "strict-transport-security",
                "max-age=63072000; includeSubDomains; preload",
                false
            ),
            ("x-content-type-options", "nosniff", true),
            ("x-frame-options", "DENY", false),
            ("x-xss-protection", "1; mode=block", true),
            ("x-team", "web & <shop>", true),
        ]
    );
    assert_eq!(policy.server_timing, SamplingRate::from_percent(12.5));
    let cors = policy.cors.unwrap();
    assert_eq!(cors.allows("http://a.example.org"), AllowedOrigin::Echo);
    assert_eq!(
        (&*cors.allow_headers, &*cors.allow_methods),
        ("Authorization, X-Trace", "GET, PUT")
    );
    assert_eq!((cors.allow_credentials, cors.origin_override), (true, true));
    assert_eq!(
        (cors.expose_headers.as_deref(), cors.max_age_secs),
        (Some("ETag"), Some(600))
    );
}

#[test]
fn xss_protection_takes_one_form() {
    let xss = |protection, mode_block, report_uri: Option<&str>| {
        with_security(|security| {
            let xss = security.xss_protection.as_mut().unwrap();
            (xss.protection, xss.mode_block) = (protection, mode_block);
            xss.report_uri = report_uri.map(str::to_owned);
        })
    };
    assert_eq!(header(&xss(false, None, None), "x-xss-protection"), "0");
    assert_eq!(header(&xss(true, Some(false), Some("")), "x-xss-protection"), "1");
    assert_eq!(
        header(&xss(true, None, Some("https://r.test/")), "x-xss-protection"),
        "1; report=https://r.test/"
    );
    refused(
        &xss(true, Some(true), Some("/r")),
        ErrorCode::InvalidArgument,
        "ReportUri",
    );
    refused(&xss(false, Some(true), None), ErrorCode::InvalidArgument, "Protection");
}

#[test]
fn a_content_security_policy_has_a_length() {
    let csp = |value: String| {
        with_security(|security| {
            security
                .content_security_policy
                .as_mut()
                .unwrap()
                .content_security_policy = value
        })
    };
    assert!(response_headers_policy(&csp("x".repeat(1_783)), "id").is_ok());
    refused(
        &csp("x".repeat(1_784)),
        ErrorCode::TooLongCSPInResponseHeadersPolicy,
        "1783",
    );
    refused(
        &csp("a\r\nb: c".to_owned()),
        ErrorCode::InvalidArgument,
        "Content-Security-Policy",
    );
}

#[test]
fn a_wildcard_stands_alone_and_without_credentials() {
    let origins = |origins: &[&str], credentials| {
        with_cors(|cors| {
            cors.access_control_allow_origins.items = origins.iter().map(|&origin| origin.to_owned()).collect();
            cors.access_control_allow_credentials = credentials;
        })
    };
    assert!(response_headers_policy(&origins(&["*"], false), "id").is_ok());
    let message = "The parameter Access-Control-Allow-Origin cannot contain * when allowCredentials is true.";
    refused(&origins(&["*"], true), ErrorCode::InvalidArgument, message);
    refused(
        &origins(&["*", "https://a.test"], false),
        ErrorCode::InvalidArgument,
        "other values",
    );
    refused(&origins(&[], false), ErrorCode::InvalidArgument, "at least one");
    for wrong in [
        "https://*",
        "a.*.test",
        "https://a.test/",
        "a b",
        "",
        "https://a.test:99999",
    ] {
        refused(
            &origins(&[wrong], false),
            ErrorCode::InvalidArgument,
            "Access-Control-Allow-Origin",
        );
    }
    let headers = with_cors(|cors| cors.access_control_allow_headers.items = vec!["*".to_owned()]);
    let message = "The parameter Access-Control-Allow-Headers cannot contain * when allowCredentials is true.";
    refused(&headers, ErrorCode::InvalidArgument, message);
}

#[test]
fn all_stands_for_every_method() {
    let methods = |methods: &[Method]| with_cors(|cors| cors.access_control_allow_methods.items = methods.to_vec());
    let policy = response_headers_policy(&methods(&[Method::All]), "id").unwrap();
    assert_eq!(
        &*policy.cors.unwrap().allow_methods,
        "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    );
    refused(&methods(&[Method::All, Method::Get]), ErrorCode::InvalidArgument, "ALL");
    refused(&methods(&[]), ErrorCode::InvalidArgument, "at least one");
    refused(
        &methods(&[Method::Get, Method::Get]),
        ErrorCode::InvalidArgument,
        "more than once",
    );
}

#[test]
fn some_headers_are_neither_set_nor_removed() {
    for name in [
        "Connection",
        "Via",
        "X-Cache",
        "X-Amz-Cf-Id",
        "X-Edge-Location",
        "Proxy-Authenticate",
    ] {
        refused(&with_custom(name, "v"), ErrorCode::InvalidArgument, "not allowed");
        let removing = changed(|config| {
            let items = vec![ResponseHeadersPolicyRemoveHeader {
                header: name.to_owned(),
            }];
            config.remove_headers_config.as_mut().unwrap().items = items;
        });
        refused(&removing, ErrorCode::InvalidArgument, "not allowed");
    }
    let message = "The parameter CustomHeaders contains X-Frame-Options that is a security header and cannot be set as \
                   custom header.";
    refused(
        &with_custom("X-Frame-Options", "DENY"),
        ErrorCode::InvalidArgument,
        message,
    );
    for (name, value) in [("X-A", ""), ("X-A", "a\nb"), ("X-A", " a"), ("X A", "a"), ("X-A", "é")] {
        refused(&with_custom(name, value), ErrorCode::InvalidArgument, "header");
    }
    assert!(response_headers_policy(&with_custom("Cache-Control", "max-age=60"), "id").is_ok());
}

#[test]
fn ten_headers_are_set_and_ten_removed_at_most() {
    let custom = |number| ResponseHeadersPolicyCustomHeader {
        header: format!("X-{number}"),
        value: "v".to_owned(),
        r#override: false,
    };
    let many = changed(|config| config.custom_headers_config.as_mut().unwrap().items = (0..11).map(custom).collect());
    refused(&many, ErrorCode::TooManyCustomHeadersInResponseHeadersPolicy, "10");
    let removed = |number| ResponseHeadersPolicyRemoveHeader {
        header: format!("X-{number}"),
    };
    let many = changed(|config| config.remove_headers_config.as_mut().unwrap().items = (0..11).map(removed).collect());
    refused(&many, ErrorCode::TooManyRemoveHeadersInResponseHeadersPolicy, "10");
}

#[test]
fn server_timing_has_a_rate_when_it_is_on() {
    let timing = |enabled, rate: Option<f64>| {
        changed(|config| {
            let timing = config.server_timing_headers_config.as_mut().unwrap();
            (timing.enabled, timing.sampling_rate) = (enabled, rate.and_then(Double::new));
        })
    };
    let off = response_headers_policy(&timing(false, Some(50.0)), "id").unwrap();
    assert_eq!(off.server_timing, None);
    refused(&timing(true, None), ErrorCode::InvalidArgument, "SamplingRate");
    refused(&timing(true, Some(100.5)), ErrorCode::InvalidArgument, "SamplingRate");
}
