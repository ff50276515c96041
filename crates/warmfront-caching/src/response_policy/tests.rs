use warmfront_model::{Cors, PolicyHeader};

use super::*;
use crate::testing::{NOW, headers, lines};

fn policy() -> ResponseHeadersPolicy {
    ResponseHeadersPolicy {
        id: "id".into(),
        name: "name".into(),
        remove: Vec::new(),
        cors: None,
        headers: Vec::new(),
        server_timing: None,
    }
}

fn cors(origins: &[&str], origin_override: bool) -> ResponseHeadersPolicy {
    ResponseHeadersPolicy {
        cors: Some(Cors {
            allow_origins: origins.iter().map(|&origin| origin.into()).collect(),
            allow_headers: "X-A, X-B".into(),
            allow_methods: "GET, PUT".into(),
            allow_credentials: true,
            expose_headers: Some("ETag".into()),
            max_age_secs: Some(600),
            origin_override,
        }),
        ..policy()
    }
}

fn header(name: &str, value: &str, r#override: bool) -> PolicyHeader {
    PolicyHeader {
        name: name.into(),
        value: value.into(),
        r#override,
    }
}

fn answered<'a>(method: &'a Method, viewer: &'a HeaderMap) -> Answered<'a> {
    Answered {
        method,
        viewer,
        now: NOW,
        random: u32::MAX,
        served: Served::FromCache,
        upstream: None,
        downstream: None,
        pop: "LHR50-C1",
        request_id: "abc==",
    }
}

/// `viewer` is the request's method and headers; the answer's headers are expected in the order of their names.
#[track_caller]
fn check(policy: &ResponseHeadersPolicy, viewer: &str, answer: &str, expected: &[&str]) {
    let (method, viewer) = viewer.split_once('\n').unwrap_or((viewer, ""));
    let (method, viewer) = (method.parse().unwrap(), headers(viewer));
    let mut answer = headers(answer);
    apply_response_headers_policy(policy, &mut answer, &answered(&method, &viewer));
    assert_eq!(lines(&answer), expected);
}

#[test]
fn headers_are_removed_before_any_is_added() {
    let policy = ResponseHeadersPolicy {
        remove: vec!["x-powered-by".into(), "cache-control".into()],
        headers: vec![
            header("cache-control", "max-age=60", false),
            header("x-team", "web", true),
        ],
        ..policy()
    };
    check(
        &policy,
        "GET",
        "cache-control: no-store\nx-powered-by: a\nx-powered-by: b\nx-team: theirs\nx-team: too\nx-other: stays",
        &["cache-control: max-age=60", "x-other: stays", "x-team: web"],
    );
}

#[test]
fn an_origins_header_stays_unless_it_is_overridden() {
    let with = |r#override| ResponseHeadersPolicy {
        headers: vec![header("x-frame-options", "DENY", r#override)],
        ..policy()
    };
    check(
        &with(false),
        "GET",
        "x-frame-options: SAMEORIGIN",
        &["x-frame-options: SAMEORIGIN"],
    );
    check(
        &with(true),
        "GET",
        "x-frame-options: SAMEORIGIN",
        &["x-frame-options: DENY"],
    );
    check(&with(false), "GET", "", &["x-frame-options: DENY"]);
}

#[test]
fn server_and_date_are_replaced_when_they_are_removed() {
    let policy = ResponseHeadersPolicy {
        remove: vec!["server".into(), "date".into()],
        ..policy()
    };
    check(
        &policy,
        "GET",
        "server: nginx/1.27\ndate: Thu, 01 Jan 1970 00:00:00 GMT",
        &["date: Sun, 06 Nov 1994 08:49:37 GMT", "server: CloudFront"],
    );
}

#[test]
fn without_an_origin_there_are_no_cors_headers() {
    check(&cors(&["*"], true), "GET", "", &[]);
    check(
        &cors(&["*"], true),
        "GET",
        "access-control-allow-origin: https://o.test",
        &["access-control-allow-origin: https://o.test"],
    );
}

#[test]
fn preflights_get_more_than_other_requests() {
    let any = cors(&["*"], false);
    let simple = [
        "access-control-allow-credentials: true",
        "access-control-allow-origin: *",
        "access-control-expose-headers: ETag",
    ];
    check(&any, "GET\norigin: https://a.test", "", &simple);
    check(&any, "OPTIONS\norigin: https://a.test", "", &simple);
    check(
        &any,
        "OPTIONS\norigin: https://a.test\naccess-control-request-method: PUT",
        "",
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-headers: X-A, X-B",
            "access-control-allow-methods: GET, PUT",
            "access-control-allow-origin: *",
            "access-control-expose-headers: ETag",
            "access-control-max-age: 600",
        ],
    );
}

#[test]
fn a_listed_origin_is_echoed_and_another_is_not() {
    let listed = cors(&["https://a.test", "*.b.test"], true);
    check(
        &listed,
        "GET\norigin: https://x.b.test",
        "vary: accept-encoding",
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://x.b.test",
            "access-control-expose-headers: ETag",
            "vary: Origin",
            "vary: accept-encoding",
        ],
    );
    check(
        &listed,
        "GET\norigin: https://evil.test",
        "access-control-allow-origin: *",
        &["vary: Origin"],
    );
    check(&listed, "GET", "vary: origin", &["vary: origin"]);
}

#[test]
fn the_origins_cors_headers_stay_unless_they_are_overridden() {
    let origins = "access-control-allow-origin: https://o.test\naccess-control-expose-headers: X-O";
    let viewer = "GET\norigin: https://a.test";
    check(
        &cors(&["*"], false),
        viewer,
        origins,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://o.test",
            "access-control-expose-headers: X-O",
        ],
    );
    check(
        &cors(&["*"], true),
        viewer,
        origins,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: *",
            "access-control-expose-headers: ETag",
        ],
    );
}

fn timed(percent: f64) -> ResponseHeadersPolicy {
    ResponseHeadersPolicy {
        server_timing: SamplingRate::from_percent(percent),
        ..policy()
    }
}

#[test]
fn server_timing_says_how_the_cache_answered() {
    let method = Method::GET;
    let viewer = HeaderMap::new();
    for (served, expected) in [
        (
            Served::FromCache,
            r#"cdn-cache-hit,cdn-pop;desc="LHR50-C1",cdn-rid;desc="abc==",cdn-hit-layer;desc="EDGE""#,
        ),
        (
            Served::FromRegion,
            r#"cdn-cache-hit,cdn-pop;desc="LHR50-C1",cdn-rid;desc="abc==",cdn-hit-layer;desc="REC""#,
        ),
        (
            Served::Refreshed,
            r#"cdn-cache-refresh,cdn-pop;desc="LHR50-C1",cdn-rid;desc="abc==",cdn-hit-layer;desc="EDGE""#,
        ),
        (
            Served::FromOrigin,
            r#"cdn-cache-miss,cdn-pop;desc="LHR50-C1",cdn-rid;desc="abc==""#,
        ),
    ] {
        let mut answer = headers("server-timing: db;dur=5");
        let answered = Answered {
            served,
            ..answered(&method, &viewer)
        };
        apply_response_headers_policy(&timed(100.0), &mut answer, &answered);
        let values: Vec<_> = answer.get_all("server-timing").iter().collect();
        assert_eq!(values, ["db;dur=5", expected]);
    }
}

#[test]
fn server_timing_says_what_took_how_many_milliseconds() {
    let method = Method::GET;
    let viewer = HeaderMap::new();
    let mut answer = HeaderMap::new();
    let answered = Answered {
        served: Served::FromOrigin,
        upstream: Some(Upstream {
            dns: Duration::ZERO,
            connect: Duration::from_micros(114_900),
            first_byte: Duration::from_millis(177),
        }),
        downstream: Some(Duration::from_millis(436)),
        ..answered(&method, &viewer)
    };
    apply_response_headers_policy(&timed(100.0), &mut answer, &answered);
    assert_eq!(
        answer["server-timing"],
        r#"cdn-upstream-layer;desc="EDGE",cdn-upstream-dns;dur=0,cdn-upstream-connect;dur=114,cdn-upstream-fbl;dur=177,cdn-cache-miss,cdn-pop;desc="LHR50-C1",cdn-rid;desc="abc==",cdn-downstream-fbl;dur=436"#
    );
}

#[test]
fn server_timing_is_sampled_unless_the_viewer_asks() {
    let has = |percent, random, viewer: &str| {
        let (method, viewer) = (Method::GET, headers(viewer));
        let mut answer = HeaderMap::new();
        let answered = Answered {
            random,
            ..answered(&method, &viewer)
        };
        apply_response_headers_policy(&timed(percent), &mut answer, &answered);
        answer.contains_key("server-timing")
    };
    assert!(has(50.0, 0, "") && !has(50.0, u32::MAX, ""));
    assert!(has(0.001, u32::MAX, "pragma: no-cache, Server-Timing"));
    assert!(!has(0.001, u32::MAX, "pragma: no-cache"));
    assert!(!has(0.0, 0, "pragma: server-timing"));
}
