mod rfc;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use proptest::prelude::*;
use warmfront_model::{
    AcceptEncoding, CustomOrigin, MethodSet, OriginKind, OriginProtocolPolicy, OriginRequestHeaders,
    OriginRequestPolicy,
};

use super::*;
use crate::testing::{behavior, headers, lines, only};

/// What is sent whatever the viewer says.
const ALWAYS: [&str; 2] = ["user-agent: Amazon CloudFront", "x-forwarded-for: 192.0.2.7"];

fn origin(custom_headers: &[(&str, &str)]) -> Origin {
    Origin {
        id: "o".into(),
        domain_name: "origin.example".into(),
        path: "".into(),
        custom_headers: custom_headers
            .iter()
            .map(|&(name, value)| (name.into(), value.into()))
            .collect(),
        kind: OriginKind::Custom(CustomOrigin {
            http_port: 80,
            https_port: 443,
            protocol_policy: OriginProtocolPolicy::HttpOnly,
        }),
        access_control_id: None,
        connection_attempts: 3,
        connection_timeout_secs: 10,
        read_timeout_secs: 30,
        keepalive_timeout_secs: 5,
    }
}

fn facts(ip: IpAddr) -> ViewerFacts {
    ViewerFacts {
        ip,
        is_https: false,
        version: http::Version::HTTP_11,
    }
}

fn sent(method: &Method, viewer: &str, behavior: &Behavior, purpose: Purpose) -> Vec<String> {
    sent_by(Switches::AWS, method, viewer, behavior, purpose)
}

fn sent_by(switches: Switches, method: &Method, viewer: &str, behavior: &Behavior, purpose: Purpose) -> Vec<String> {
    let viewer_ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let forwarding = Forwarding {
        behavior,
        origin: &origin(&[]),
        purpose,
        facts: facts(viewer_ip),
        switches,
    };
    lines(&origin_request_headers(method, &headers(viewer), &forwarding))
}

/// Expects `expected` in addition to [`ALWAYS`].
fn check_purpose(method: Method, viewer: &str, behavior: &Behavior, purpose: Purpose, expected: &[&str]) {
    let mut expected: Vec<&str> = expected.iter().chain(&ALWAYS).copied().collect();
    expected.sort_unstable();
    assert_eq!(sent(&method, viewer, behavior, purpose), expected, "{method} {viewer}");
}

fn check(viewer: &str, behavior: &Behavior, expected: &[&str]) {
    check_purpose(Method::GET, viewer, behavior, Purpose::Fill, expected);
}

fn legacy() -> Behavior {
    Behavior {
        forward_other_headers: true,
        ..behavior()
    }
}

fn named(names: &[&str]) -> Behavior {
    Behavior {
        headers: only(names),
        ..behavior()
    }
}

#[test]
fn a_cache_policy_sends_what_it_names_and_no_more() {
    let viewer = "accept: */*\naccept-language: de\ncache-control: no-cache\norigin: https://a.example\nreferer: https://b.example\n\
                  user-agent: curl\nx-a: 1\nhost: a.example\ncookie: a=1";
    check(viewer, &behavior(), &[]);
    check(
        viewer,
        &named(&["origin", "accept-language"]),
        &["accept-language: de", "origin: https://a.example"],
    );
}

#[test]
fn legacy_settings_send_other_headers_too() {
    let viewer = "accept: */*\naccept-charset: utf-8\naccept-language: de\nreferer: https://b.example\nuser-agent: curl\n\
                  cache-control: no-cache\npragma: no-cache\norigin: https://a.example\nx-a: 1\nx-http-method-override: PUT";
    let passed = [
        "cache-control: no-cache",
        "origin: https://a.example",
        "pragma: no-cache",
        "x-a: 1",
    ];
    check(viewer, &legacy(), &passed);
    check(
        "accept: */*",
        &Behavior {
            headers: only(&["accept"]),
            ..legacy()
        },
        &["accept: */*"],
    );
}

#[test]
fn a_named_user_agent_is_the_viewers() {
    let lines = sent(&Method::GET, "user-agent: curl", &named(&["user-agent"]), Purpose::Fill);
    assert_eq!(lines, ["user-agent: curl", "x-forwarded-for: 192.0.2.7"]);
    let lines = sent(&Method::GET, "", &named(&["user-agent"]), Purpose::Fill);
    assert_eq!(lines, ["x-forwarded-for: 192.0.2.7"]);
}

#[test]
fn what_belongs_to_the_connection_or_to_the_edge_never_passes() {
    let viewer = "connection: x-b\nx-b: 1\nkeep-alive: 5\nte: trailers\ntrailer: x\nupgrade: h2c\nexpect: 100-continue\n\
                  proxy-authorization: a\nproxy-connection: b\nproxy-authenticate: c\ntransfer-encoding: chunked\n\
                  x-forwarded-proto: https\nx-real-ip: 192.0.2.9\nx-edge-a: 1\nx-amz-cf-id: 1\ncloudfront-viewer-country: DE\n\
                  x-warmfront-a: 1\nhost: a.example";
    check(viewer, &behavior(), &[]);
    check(viewer, &legacy(), &[]);
}

#[test]
fn forwarding_all_headers_passes_what_is_otherwise_removed() {
    let all = Behavior {
        headers: KeyPart::All,
        ..legacy()
    };
    let viewer =
        "accept: */*\nauthorization: a\nuser-agent: curl\nconnection: x-b\nx-b: 1\nx-real-ip: 192.0.2.9\nhost: a";
    let lines = sent(&Method::GET, viewer, &all, Purpose::Pass);
    assert_eq!(
        lines,
        [
            "accept: */*",
            "authorization: a",
            "user-agent: curl",
            "x-forwarded-for: 192.0.2.7"
        ]
    );
}

#[test]
fn connection_cannot_take_a_header_of_the_key_away() {
    check(
        "connection: origin\norigin: https://a.example",
        &named(&["origin"]),
        &["origin: https://a.example"],
    );
}

#[test]
fn conditions_and_ranges_go_along_only_when_passing() {
    let viewer =
        "range: bytes=0-1\nif-range: \"a\"\nif-none-match: \"a\"\nif-modified-since: Sun, 06 Nov 1994 08:49:37 GMT";
    check(viewer, &behavior(), &[]);
    check(viewer, &legacy(), &[]);
    let all: Vec<&str> = viewer.lines().collect();
    check_purpose(Method::GET, viewer, &behavior(), Purpose::Pass, &all);
    let write = "if-match: \"a\"\nif-unmodified-since: Sun, 06 Nov 1994 08:49:37 GMT";
    let all: Vec<&str> = write.lines().collect();
    check_purpose(Method::PUT, write, &behavior(), Purpose::Pass, &all);
}

#[test]
fn reads_with_cookies_are_never_conditional() {
    let cookies = Behavior {
        cookies: KeyPart::All,
        ..behavior()
    };
    check_purpose(
        Method::GET,
        "range: bytes=0-1\nif-none-match: \"a\"",
        &cookies,
        Purpose::Pass,
        &["range: bytes=0-1"],
    );
    check_purpose(
        Method::PUT,
        "if-match: \"a\"",
        &cookies,
        Purpose::Pass,
        &["if-match: \"a\""],
    );
}

#[test]
fn authorization_goes_by_method() {
    let viewer = "authorization: Basic YTpi";
    for behavior in [behavior(), legacy()] {
        for method in [Method::GET, Method::HEAD] {
            check_purpose(method, viewer, &behavior, Purpose::Pass, &[]);
        }
        for method in [
            Method::DELETE,
            Method::PATCH,
            Method::POST,
            Method::PUT,
            Method::OPTIONS,
        ] {
            check_purpose(method, viewer, &behavior, Purpose::Pass, &[viewer]);
        }
    }
    let options = Behavior {
        cached_methods: MethodSet::GetHeadOptions,
        ..behavior()
    };
    check_purpose(Method::OPTIONS, viewer, &options, Purpose::Fill, &[]);
    check(viewer, &named(&["authorization"]), &[viewer]);
}

#[test]
fn a_body_is_described() {
    let viewer = "content-type: text/css\ncontent-length: 5";
    check_purpose(
        Method::POST,
        viewer,
        &behavior(),
        Purpose::Pass,
        &["content-length: 5", "content-type: text/css"],
    );
    check(viewer, &behavior(), &[]);
    check(viewer, &legacy(), &[]);
}

#[test]
fn accept_encoding_is_normalized() {
    let policy = |gzip, brotli| Behavior {
        accept_encoding: AcceptEncoding { gzip, brotli },
        ..behavior()
    };
    check(
        "accept-encoding: gzip, deflate, br",
        &policy(true, true),
        &["accept-encoding: br,gzip"],
    );
    check(
        "accept-encoding: gzip, deflate, br",
        &policy(true, false),
        &["accept-encoding: gzip"],
    );
    check("accept-encoding: gzip", &policy(true, true), &["accept-encoding: gzip"]);
    check("accept-encoding: br", &policy(true, true), &["accept-encoding: br"]);
    check(
        "accept-encoding: deflate",
        &policy(true, true),
        &["accept-encoding: identity"],
    );
    check("", &policy(true, true), &[]);
    check("accept-encoding: gzip", &policy(false, false), &[]);
    check(
        "accept-encoding: zstd",
        &named(&["accept-encoding"]),
        &["accept-encoding: zstd"],
    );
}

#[test]
fn legacy_settings_know_gzip_alone() {
    let legacy = Behavior {
        accept_encoding: AcceptEncoding {
            gzip: true,
            brotli: false,
        },
        ..legacy()
    };
    check("accept-encoding: br, gzip", &legacy, &["accept-encoding: gzip"]);
    check("accept-encoding: br", &legacy, &[]);
}

#[test]
fn configured_cookies_are_sent_sorted() {
    let cookies = Behavior {
        cookies: only(&["a", "b"]),
        ..behavior()
    };
    check("cookie: c=3; b=2; a=1", &cookies, &["cookie: a=1; b=2"]);
}

#[test]
fn the_viewers_address_is_appended() {
    let lines = sent(
        &Method::GET,
        "x-forwarded-for: 203.0.113.5\nx-forwarded-for: 198.51.100.2",
        &behavior(),
        Purpose::Fill,
    );
    assert_eq!(lines[1], "x-forwarded-for: 203.0.113.5, 198.51.100.2, 192.0.2.7");
    let viewer_ip = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
    let forwarding = Forwarding {
        behavior: &behavior(),
        origin: &origin(&[]),
        purpose: Purpose::Fill,
        facts: facts(viewer_ip),
        switches: Switches::AWS,
    };
    let headers = origin_request_headers(&Method::GET, &HeaderMap::new(), &forwarding);
    assert_eq!(headers["x-forwarded-for"], "2001:db8::1");
}

#[test]
fn a_viewers_via_passes_for_the_edge_to_append_to() {
    check("via: 1.1 proxy", &behavior(), &["via: 1.1 proxy"]);
}

#[test]
fn custom_headers_come_last_and_overwrite() {
    let origin = origin(&[
        ("X-Key", "ours"),
        ("User-Agent", "us"),
        ("bad name", "x"),
        ("x-bad", "a\nb"),
    ]);
    let viewer_ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let behavior = named(&["x-key"]);
    let forwarding = Forwarding {
        behavior: &behavior,
        origin: &origin,
        purpose: Purpose::Fill,
        facts: facts(viewer_ip),
        switches: Switches::AWS,
    };
    let viewer = headers("x-key: theirs\nx-key: theirs too");
    let sent = lines(&origin_request_headers(&Method::GET, &viewer, &forwarding));
    assert_eq!(sent, ["user-agent: us", "x-forwarded-for: 192.0.2.7", "x-key: ours"]);
}

/// A behavior with an origin request policy.
fn with_policy(headers: OriginRequestHeaders, cookies: KeyPart) -> Behavior {
    Behavior {
        origin_request_policy: Some(Arc::new(OriginRequestPolicy {
            id: "id".into(),
            name: "name".into(),
            headers,
            cookies,
            query_strings: KeyPart::None,
        })),
        ..behavior()
    }
}

fn listed(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|&name| name.into()).collect()
}

#[test]
fn an_origin_request_policy_adds_what_it_names() {
    let viewer = "referer: /a\naccept-language: fr\nx-a: 1\nconnection: x-a\ncookie: a=1; b=2\nx-real-ip: 9.9.9.9\n\
                  user-agent: Amazon CloudFront";
    let none = with_policy(OriginRequestHeaders::None, KeyPart::None);
    check(viewer, &none, &[]);
    let some = with_policy(OriginRequestHeaders::Whitelist(listed(&["referer"])), only(&["b"]));
    check(viewer, &some, &["referer: /a", "cookie: b=2"]);
    let all = with_policy(OriginRequestHeaders::AllViewer, KeyPart::All);
    check(
        viewer,
        &all,
        &["referer: /a", "accept-language: fr", "cookie: a=1; b=2"],
    );
    let except = with_policy(
        OriginRequestHeaders::AllExcept(listed(&["referer", "cloudfront-forwarded-proto"])),
        KeyPart::None,
    );
    let sent = sent(&Method::GET, viewer, &except, Purpose::Fill);
    assert!(sent.contains(&"accept-language: fr".to_owned()), "{sent:?}");
    assert!(
        !sent
            .iter()
            .any(|line| line.starts_with("referer") || line.contains("forwarded-proto")),
        "{sent:?}"
    );
}

#[test]
fn what_either_policy_names_is_sent() {
    let cookies = |key: KeyPart, policy: KeyPart| {
        let behavior = Behavior {
            cookies: key,
            ..with_policy(OriginRequestHeaders::None, policy)
        };
        let sent = sent(&Method::GET, "cookie: a=1; b=2; c=3", &behavior, Purpose::Fill);
        sent.into_iter()
            .find_map(|line| line.strip_prefix("cookie: ").map(str::to_owned))
            .unwrap_or_default()
    };
    let except = |names: &[&str]| KeyPart::AllExcept(listed(names));
    assert_eq!(cookies(only(&["a"]), only(&["b"])), "a=1; b=2");
    assert_eq!(
        cookies(only(&["a"]), except(&["a"])),
        "a=1; b=2; c=3",
        "the key's list wins over the block list"
    );
    assert_eq!(
        cookies(except(&["a"]), only(&["a"])),
        "a=1; b=2; c=3",
        "and the other way round"
    );
    assert_eq!(cookies(except(&["a", "b"]), except(&["b", "c"])), "a=1; c=3");
    let headers = Behavior {
        headers: only(&["x-a"]),
        ..with_policy(
            OriginRequestHeaders::AllExcept(listed(&["x-a", "cloudfront-forwarded-proto"])),
            KeyPart::None,
        )
    };
    let sent = sent(&Method::GET, "x-a: 1", &headers, Purpose::Fill);
    assert!(sent.contains(&"x-a: 1".to_owned()), "{sent:?}");
}

#[test]
fn all_viewer_headers_take_in_those_that_are_changed_otherwise() {
    let all = with_policy(OriginRequestHeaders::AllViewer, KeyPart::None);
    let viewer = "user-agent: curl/8\nauthorization: Basic x\naccept-encoding: zstd\ncontent-type: text/plain";
    let sent = sent(&Method::GET, viewer, &all, Purpose::Fill);
    assert_eq!(
        sent,
        [
            "accept-encoding: zstd",
            "authorization: Basic x",
            "user-agent: curl/8",
            "x-forwarded-for: 192.0.2.7"
        ]
    );
    let gzip = Behavior {
        accept_encoding: AcceptEncoding {
            gzip: true,
            brotli: false,
        },
        ..all
    };
    check_ordered(&gzip, "accept-encoding: zstd, gzip", "accept-encoding: gzip");
    assert!(forwards_host(&gzip) && !forwards_host(&behavior()));
    let without_host = with_policy(OriginRequestHeaders::AllExcept(listed(&["host"])), KeyPart::None);
    assert!(!forwards_host(&without_host));
}

fn check_ordered(behavior: &Behavior, viewer: &str, expected: &str) {
    assert!(sent(&Method::GET, viewer, behavior, Purpose::Fill).contains(&expected.to_owned()));
}

#[test]
fn cloudfront_headers_are_generated_where_they_are_named() {
    let viewer = "cloudfront-forwarded-proto: gopher\ncloudfront-viewer-country: XX";
    let named = listed(&["cloudfront-forwarded-proto", "cloudfront-viewer-country"]);
    let policy = with_policy(
        OriginRequestHeaders::AllViewerAndWhitelistCloudFront(named.clone()),
        KeyPart::None,
    );
    let key = Behavior {
        headers: KeyPart::Whitelist(named),
        ..behavior()
    };
    for behavior in [policy, key] {
        let sent = sent(&Method::GET, viewer, &behavior, Purpose::Fill);
        let ours: Vec<_> = sent.iter().filter(|line| line.starts_with("cloudfront-")).collect();
        assert_eq!(ours, ["cloudfront-forwarded-proto: http"]);
    }
    let all = with_policy(OriginRequestHeaders::AllViewer, KeyPart::None);
    let sent = sent(&Method::GET, viewer, &all, Purpose::Fill);
    assert!(!sent.iter().any(|line| line.starts_with("cloudfront-")), "{sent:?}");
}

proptest! {
    #[test]
    fn no_bytes_panic(
        name in "cookie|connection|accept-encoding|x-forwarded-for|via|range|x-a",
        value in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let viewer = HeaderMap::from_iter([(HeaderName::from_bytes(name.as_bytes()).unwrap(), value)]);
            let behavior = Behavior { cookies: KeyPart::All, ..legacy() };
            let viewer_ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let forwarding = Forwarding { behavior: &behavior, origin: &origin(&[]), purpose: Purpose::Pass, facts: facts(viewer_ip), switches: Switches::AWS };
            origin_request_headers(&Method::GET, &viewer, &forwarding);
        }
    }
}
