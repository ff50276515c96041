use super::*;
use http::HeaderValue;
use http::header::IF_NONE_MATCH;
use proptest::prelude::*;

fn strong(opaque: &str) -> EntityTag<'_> {
    EntityTag {
        weak: false,
        opaque: opaque.as_bytes(),
    }
}

fn weak(opaque: &str) -> EntityTag<'_> {
    EntityTag {
        weak: true,
        opaque: opaque.as_bytes(),
    }
}

fn check(value: &str, expected: Option<EntityTag<'_>>) {
    assert_eq!(EntityTag::parse(value.as_bytes()), expected, "{value}");
}

fn check_list(value: &str, expected: &[EntityTag<'_>]) {
    assert_eq!(entity_tags(value.as_bytes()).collect::<Vec<_>>(), expected, "{value}");
}

#[test]
fn the_examples_of_rfc_9110_are_tags() {
    check("\"xyzzy\"", Some(strong("xyzzy")));
    check("W/\"xyzzy\"", Some(weak("xyzzy")));
    check("\"\"", Some(strong("")));
}

#[test]
fn a_backslash_and_a_comma_are_part_of_a_tag() {
    check("\"a\\\"", Some(strong("a\\")));
    check_list("\"a,b\\\", W/\"c\"", &[strong("a,b\\"), weak("c")]);
}

#[test]
fn malformed_tags_are_none() {
    for value in [
        "",
        "xyzzy",
        "\"xyzzy",
        "xyzzy\"",
        "w/\"xyzzy\"",
        "W/xyzzy",
        "\"a b\"",
        "\"a\"b",
        "*",
        "\"a\", \"b\"",
    ] {
        check(value, None);
    }
}

#[test]
fn two_etag_fields_are_none() {
    let tag = HeaderValue::from_static("\"a\"");
    let mut headers = HeaderMap::from_iter([(ETAG, tag.clone())]);
    assert_eq!(EntityTag::of(&headers), Some(strong("a")));
    headers.append(ETAG, tag);
    assert_eq!(EntityTag::of(&headers), None);
}

#[test]
fn lists_leave_out_what_is_malformed() {
    check_list(" \"a\" ,, W/\"b\"\t,\"c\"", &[strong("a"), weak("b"), strong("c")]);
    check_list("a, \"b\"", &[strong("b")]);
    check_list("\"a\"x, \"b\"", &[strong("b")]);
    check_list("\"open, W/\"b\"", &[weak("b")]);
    check_list("", &[]);
}

#[test]
fn the_comparison_table_of_rfc_9110() {
    let table = [
        (weak("1"), weak("1"), false, true),
        (weak("1"), weak("2"), false, false),
        (weak("1"), strong("1"), false, true),
        (strong("1"), strong("1"), true, true),
    ];
    for (one, other, strongly, weakly) in table {
        assert_eq!(one.matches(other, Comparison::Strong), strongly, "{one:?} {other:?}");
        assert_eq!(one.matches(other, Comparison::Weak), weakly, "{one:?} {other:?}");
        assert_eq!(other.matches(one, Comparison::Weak), weakly, "{other:?} {one:?}");
    }
}

#[test]
fn a_condition_is_read_over_all_its_lines() {
    let matches = |lines: &[&str], current| {
        let request = lines
            .iter()
            .map(|line| (IF_NONE_MATCH, HeaderValue::from_str(line).unwrap()))
            .collect();
        any_tag_matches(&request, IF_NONE_MATCH, current, Comparison::Weak)
    };
    assert_eq!(matches(&[], Some(strong("a"))), None);
    assert_eq!(matches(&["\"b\"", "W/\"a\""], Some(strong("a"))), Some(true));
    assert_eq!(matches(&["\"b\""], Some(strong("a"))), Some(false));
    assert_eq!(matches(&["\"a\""], None), Some(false));
    assert_eq!(matches(&["*"], None), Some(true));
    assert_eq!(matches(&["\"*\""], Some(strong("a"))), Some(false));
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        EntityTag::parse(&value);
        entity_tags(&value).count();
    }

    #[test]
    fn no_mixture_of_its_own_characters_panics(value in "[W/\",a \\\\*]{0,20}") {
        entity_tags(value.as_bytes()).count();
    }
}
