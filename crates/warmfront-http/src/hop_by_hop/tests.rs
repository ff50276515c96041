use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn check(headers: &[(&'static str, &str)], expected_left: &[&str]) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    remove_hop_by_hop(&mut map);
    let mut left: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, expected_left, "{headers:?}");
}

#[test]
fn the_fields_of_one_connection_go() {
    let gone = [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let mut headers: Vec<(&'static str, &str)> = gone.iter().map(|&name| (name, "x")).collect();
    headers.push(("etag", "\"a\""));
    check(&headers, &["etag"]);
}

#[test]
fn what_connection_names_goes_too() {
    check(
        &[
            ("connection", "close, X-A"),
            ("connection", "x-b"),
            ("x-a", "1"),
            ("x-b", "1"),
            ("x-c", "1"),
        ],
        &["x-c"],
    );
}

#[test]
fn what_is_no_name_in_connection_is_skipped() {
    check(
        &[("connection", "a b, \"x\", x-a"), ("x-a", "1"), ("x-b", "1")],
        &["x-b"],
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            remove_hop_by_hop(&mut HeaderMap::from_iter([(CONNECTION, value)]));
        }
    }
}
