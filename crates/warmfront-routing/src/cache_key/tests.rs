use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use warmfront_model::{
    AcceptEncoding, Behavior, DistributionId, KeyPart, MethodSet, OriginRequestHeaders, OriginRequestPolicy, TtlBounds,
    ViewerProtocolPolicy,
};

use super::*;

fn behavior(query_strings: KeyPart, headers: KeyPart, cookies: KeyPart, gzip: bool, brotli: bool) -> Behavior {
    Behavior {
        path_pattern: "*".into(),
        origin: 0,
        viewer_protocol_policy: ViewerProtocolPolicy::AllowAll,
        allowed_methods: MethodSet::GetHead,
        cached_methods: MethodSet::GetHead,
        compress: false,
        ttl: TtlBounds {
            min_secs: 0,
            default_secs: 0,
            max_secs: 0,
        },
        headers,
        cookies,
        query_strings,
        forward_whole_query: false,
        forward_other_headers: false,
        accept_encoding: AcceptEncoding { gzip, brotli },
        origin_request_policy: None,
        response_headers_policy: None,
    }
}

fn only(names: &[&str]) -> KeyPart {
    KeyPart::Whitelist(names.iter().map(|&name| name.into()).collect())
}

fn header_map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn key(behavior: &Behavior, path: &str, query: Option<&str>, headers: &[(&'static str, &str)]) -> Vec<u8> {
    let id = DistributionId::parse("E1U5RQF7T870K0").unwrap();
    let mut buffer = Vec::new();
    let headers = header_map(headers);
    let request = KeyedRequest {
        distribution: &id,
        behavior,
        method: MethodClass::GetHead,
        path,
        query,
        headers: &headers,
    };
    let key = write_cache_key(request, &mut buffer);
    assert_eq!(CacheKey::read(key.bytes()), Some(key), "a key can be read back");
    assert_eq!(key.distribution(), "E1U5RQF7T870K0");
    key.bytes().to_vec()
}

fn url(query_strings: KeyPart, query: &str) -> String {
    let id = DistributionId::parse("E1U5RQF7T870K0").unwrap();
    let mut buffer = Vec::new();
    let behavior = behavior(query_strings, KeyPart::None, KeyPart::None, false, false);
    let headers = HeaderMap::new();
    let method = MethodClass::GetHead;
    let request = KeyedRequest {
        distribution: &id,
        behavior: &behavior,
        method,
        path: "/p",
        query: Some(query),
        headers: &headers,
    };
    let key = write_cache_key(request, &mut buffer);
    assert_eq!(key.path(), b"/p");
    String::from_utf8(key.url().to_vec()).unwrap()
}

#[test]
fn the_query_string_is_in_the_key_as_the_policy_says() {
    let all_except = KeyPart::AllExcept(vec!["b".into()]);
    assert_eq!(url(KeyPart::None, "a=1&b=2"), "/p");
    assert_eq!(url(KeyPart::All, "a=1&b=2"), "/p?a=1&b=2");
    assert_eq!(url(KeyPart::All, "b=2&a=1"), "/p?b=2&a=1", "order matters");
    assert_eq!(
        url(only(&["b"]), "a=1&b=2&B=3&b=4"),
        "/p?b=2&b=4",
        "names are case-sensitive"
    );
    assert_eq!(url(all_except, "a=1&b=2&b&c"), "/p?a=1&c");
    assert_eq!(url(only(&["x"]), "a=1"), "/p");
    assert_eq!(url(KeyPart::All, ""), "/p");
}

#[test]
fn nothing_between_two_separators_is_no_parameter() {
    let all_but_a = || KeyPart::AllExcept(vec!["a".into()]);
    assert_eq!(url(all_but_a(), "a=1&"), "/p");
    assert_eq!(url(all_but_a(), "&b=1&&c&"), "/p?b=1&c");
    assert_eq!(kept_query(&all_but_a(), "&a=1&"), None);
}

#[test]
fn header_names_are_case_insensitive_and_values_are_not() {
    let behavior = behavior(KeyPart::None, only(&["origin"]), KeyPart::None, false, false);
    let key = |headers: &[(&'static str, &str)]| key(&behavior, "/", None, headers);
    assert_eq!(
        key(&[("origin", "a"), ("x-other", "1")]),
        key(&[("x-other", "2"), ("origin", "a")])
    );
    assert_ne!(key(&[("origin", "a")]), key(&[("origin", "A")]));
    assert_ne!(
        key(&[]),
        key(&[("origin", "")]),
        "an absent header is a value of its own"
    );
    assert_ne!(key(&[("origin", "a"), ("origin", "b")]), key(&[("origin", "ab")]));
}

#[test]
fn cookies_are_sorted_and_picked_by_name() {
    let behavior = behavior(KeyPart::None, KeyPart::None, only(&["a", "b"]), false, false);
    let key = |cookie: &str| key(&behavior, "/", None, &[("cookie", cookie)]);
    assert_eq!(key("a=1; b=2; c=3"), key("b=2;a=1"));
    assert_ne!(key("a=1"), key("a=2"));
    assert_ne!(key("a=1"), key("A=1"));
}

#[test]
fn encodings_are_normalized() {
    let both = behavior(KeyPart::None, KeyPart::None, KeyPart::None, true, true);
    let gzip_only = behavior(KeyPart::None, KeyPart::None, KeyPart::None, true, false);
    let neither = behavior(KeyPart::None, KeyPart::None, KeyPart::None, false, false);
    let key = |behavior: &Behavior, accept: &str| key(behavior, "/", None, &[("accept-encoding", accept)]);
    assert_eq!(key(&both, "gzip, br"), key(&both, "br;q=0.5,deflate,gzip"));
    assert_ne!(key(&both, "gzip"), key(&both, "gzip, br"));
    assert_eq!(key(&gzip_only, "gzip"), key(&gzip_only, "gzip, br"));
    assert_eq!(key(&neither, "gzip"), key(&neither, "br"));
    assert_eq!(key(&both, "gzip;q=0"), key(&both, "identity"));
}

#[test]
fn the_raw_path_makes_the_key() {
    let behavior = behavior(KeyPart::None, KeyPart::None, KeyPart::None, false, false);
    assert_ne!(key(&behavior, "/a", None, &[]), key(&behavior, "/A", None, &[]));
    assert_ne!(key(&behavior, "/a", None, &[]), key(&behavior, "/a/", None, &[]));
    assert_ne!(key(&behavior, "/%7Ea", None, &[]), key(&behavior, "/~a", None, &[]));
}

proptest! {
    #[test]
    fn bytes_that_are_no_key_are_none(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = CacheKey::read(&bytes);
    }

    #[test]
    fn different_header_values_never_share_a_key(
        left in ("[ -~]{0,8}", "[ -~]{0,8}"),
        right in ("[ -~]{0,8}", "[ -~]{0,8}"),
    ) {
        let behavior = behavior(KeyPart::None, only(&["origin", "x-b"]), KeyPart::None, false, false);
        let key = |(a, b): &(String, String)| key(&behavior, "/", None, &[("origin", a), ("x-b", b)]);
        prop_assert_eq!(key(&left) == key(&right), left == right);
    }
}

#[test]
fn a_header_is_never_taken_for_another_that_a_policy_named_before() {
    let key_by = |name| {
        let behavior = behavior(KeyPart::None, only(&[name]), KeyPart::None, false, false);
        let headers = header_map(&[("x-country", "fr"), ("x-language", "fr")]);
        let request = KeyedRequest {
            distribution: &DistributionId::parse("E1U5RQF7T870K0").unwrap(),
            behavior: &behavior,
            method: MethodClass::GetHead,
            path: "/",
            query: None,
            headers: &headers,
        };
        write_cache_key(request, &mut Vec::new()).bytes().to_vec()
    };
    assert_ne!(key_by("x-country"), key_by("x-language"));
}

#[test]
fn an_origin_sees_what_the_key_or_the_origin_request_policy_takes_in() {
    let check = |key: KeyPart, more: Option<KeyPart>, query: &str, expected: Option<&str>| {
        let policy = |query_strings| OriginRequestPolicy {
            id: "id".into(),
            name: "name".into(),
            headers: OriginRequestHeaders::None,
            cookies: KeyPart::None,
            query_strings,
        };
        let behavior = Behavior {
            origin_request_policy: more.clone().map(|more| policy(more).into()),
            ..behavior(key.clone(), KeyPart::None, KeyPart::None, false, false)
        };
        assert_eq!(
            forwarded_query(&behavior, query).as_deref(),
            expected,
            "{key:?} {more:?} {query}"
        );
    };
    let except = |names: &[&str]| KeyPart::AllExcept(names.iter().map(|&name| name.into()).collect());
    let query = "a=1&b=2&c&a=3";
    check(KeyPart::None, None, query, None);
    check(only(&["a"]), None, query, Some("a=1&a=3"));
    check(only(&["a"]), Some(KeyPart::None), query, Some("a=1&a=3"));
    check(KeyPart::None, Some(only(&["c"])), query, Some("c"));
    check(only(&["a"]), Some(only(&["b"])), query, Some("a=1&b=2&a=3"));
    check(only(&["a"]), Some(except(&["a", "b"])), query, Some("a=1&c&a=3"));
    check(except(&["a"]), Some(only(&["a"])), query, Some(query));
    check(KeyPart::None, Some(KeyPart::All), query, Some(query));
    check(KeyPart::None, Some(only(&["z"])), query, None);
    check(KeyPart::None, Some(KeyPart::All), "", None);
}
