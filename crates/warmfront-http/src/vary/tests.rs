use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn check(lines: &[&str], expected: &[&'static str]) {
    let response = lines
        .iter()
        .map(|line| (VARY, HeaderValue::from_str(line).unwrap()))
        .collect();
    let names = expected.iter().map(|name| HeaderName::from_static(name)).collect();
    assert_eq!(Vary::parse(&response), Vary::Fields(names), "{lines:?}");
}

fn check_any(line: &str) {
    let response = HeaderMap::from_iter([(VARY, HeaderValue::from_str(line).unwrap())]);
    assert_eq!(Vary::parse(&response), Vary::Any, "{line}");
}

#[test]
fn names_are_read_over_all_lines_each_once() {
    check(&[], &[]);
    check(&[""], &[]);
    check(
        &["Accept-Encoding, Origin", "ORIGIN, x-a"],
        &["accept-encoding", "origin", "x-a"],
    );
}

#[test]
fn a_star_is_anything_wherever_it_stands() {
    check_any("*");
    check_any("Origin, *");
}

#[test]
fn what_is_no_name_is_anything() {
    check_any("a b");
    check_any("\"Origin\"");
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            Vary::parse(&HeaderMap::from_iter([(VARY, value)]));
        }
    }
}
