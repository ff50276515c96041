use proptest::prelude::*;
use warmfront_model::KeyPart;

use super::*;
use crate::testing::{asked, headers, lines, only, rules, ttl};

fn check(from_origin: &str, rules: &Rules<'_>, expected: &[&str]) {
    assert_eq!(
        lines(&viewer_headers(headers(from_origin), rules)),
        expected,
        "{from_origin}"
    );
}

#[test]
fn the_origins_own_fields_pass() {
    let response = "cache-control: max-age=60\ncontent-type: text/css\netag: \"a\"\nserver: nginx\nx-amz-meta-a: 1";
    let all: Vec<&str> = response.lines().collect();
    check(response, &rules(), &all);
}

#[test]
fn hop_by_hop_fields_and_those_of_the_edge_go() {
    let response = "connection: keep-alive, x-b\nkeep-alive: timeout=5\nx-b: 1\ntransfer-encoding: chunked\ntrailer: x\n\
                    upgrade: h2c\nage: 5\nvia: 1.1 a\nx-cache: Hit from cloudfront\nx-amz-cf-id: a\nx-amz-cf-pop: b\n\
                    x-edge-a: 1\nx-warmfront-a: 1\nx-a: 1";
    check(response, &rules(), &["x-a: 1"]);
}

/// RFC 9112 section 6.3: the transfer coding ends the body, and whoever forwards the message removes the length, lest
/// the next recipient take the rest of the body for another response.
#[test]
fn a_length_beside_a_transfer_coding_goes() {
    check(
        "content-length: 3\ntransfer-encoding: chunked\nx-a: 1",
        &rules(),
        &["x-a: 1"],
    );
    check("content-length: 3\nx-a: 1", &rules(), &["content-length: 3", "x-a: 1"]);
}

#[test]
fn set_cookie_passes_only_where_cookies_are_forwarded() {
    let response = "set-cookie: a=1\nset-cookie: b=2";
    check(response, &rules(), &[]);
    check(
        response,
        &Rules {
            cookies: &KeyPart::All,
            ..rules()
        },
        &["set-cookie: a=1", "set-cookie: b=2"],
    );
    check(
        response,
        &Rules {
            cookies: &only(&["c"]),
            ..rules()
        },
        &["set-cookie: a=1", "set-cookie: b=2"],
    );
}

#[test]
fn the_request_ids_of_s3_go() {
    let response = "x-amz-id-2: a\nx-amz-request-id: b\nx-amz-version-id: c";
    check(
        response,
        &Rules {
            s3_origin: true,
            ..rules()
        },
        &["x-amz-version-id: c"],
    );
    check(
        response,
        &rules(),
        &["x-amz-id-2: a", "x-amz-request-id: b", "x-amz-version-id: c"],
    );
}

#[test]
fn vary_keeps_what_cloudfront_keeps() {
    let origin = only(&["origin"]);
    let devices = only(&["cloudfront-is-mobile-viewer"]);
    check(
        "vary: Accept-Encoding, Origin, X-A, Cookie",
        &rules(),
        &["vary: accept-encoding, cookie"],
    );
    check(
        "vary: Origin\nvary: X-A",
        &Rules {
            headers: &origin,
            ..rules()
        },
        &["vary: origin"],
    );
    check("vary: User-Agent", &rules(), &[]);
    check(
        "vary: User-Agent",
        &Rules {
            headers: &devices,
            ..rules()
        },
        &["vary: user-agent"],
    );
}

#[test]
fn a_vary_of_a_star_goes_with_a_min_ttl() {
    check("vary: *", &rules(), &["vary: *"]);
    check(
        "vary: *",
        &Rules {
            ttl: ttl(1, 60, 60),
            ..rules()
        },
        &[],
    );
}

#[test]
fn fields_named_by_no_cache_and_private_are_not_stored() {
    let whole = headers("cache-control: no-cache=\"Set-Cookie\", private=\"x-a\"\nset-cookie: a\nx-a: 1\nx-b: 1");
    let stored = stored_headers(whole, &rules());
    assert_eq!(
        lines(&stored),
        ["cache-control: no-cache=\"Set-Cookie\", private=\"x-a\"", "x-b: 1"]
    );
    let whole = headers("cache-control: private\nset-cookie: a");
    assert_eq!(stored_headers(whole.clone(), &rules()), whole);
}

proptest! {
    #[test]
    fn no_bytes_panic(
        name in "cache-control|connection|vary|set-cookie|age|expires|date|etag",
        value in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let response = HeaderMap::from_iter([(HeaderName::from_bytes(name.as_bytes()).unwrap(), value)]);
            crate::storability(asked(&http::Method::GET), http::StatusCode::OK, &response, &rules(), crate::testing::NOW);
            stored_headers(viewer_headers(response, &rules()), &rules());
        }
    }
}

#[test]
fn an_interim_response_keeps_what_is_neither_the_connections_nor_ours_nor_a_cookie() {
    let from_origin =
        "link: </a>; rel=preload\nset-cookie: a=1\nconnection: x-b\nx-b: 1\nx-cache: Hit\nx-warmfront-a: 1\nvia: x";
    assert_eq!(
        lines(&interim_headers(headers(from_origin))),
        ["link: </a>; rel=preload"]
    );
}
