use super::*;
use http::HeaderValue;

fn check(value: &str, expected: Option<u64>) {
    let headers = HeaderMap::from_iter([(AGE, HeaderValue::from_str(value).unwrap())]);
    assert_eq!(age_field(&headers), expected, "Age: {value}");
}

#[test]
fn digits_are_seconds() {
    check("0", Some(0));
    check("00060", Some(60));
    check("2147483647", Some(2_147_483_647));
}

#[test]
fn larger_numbers_become_two_to_the_31() {
    check("2147483648", Some(2_147_483_648));
    check("2147483649", Some(2_147_483_648));
    check("99999999999999999999999999999999999999", Some(2_147_483_648));
}

#[test]
fn the_first_of_several_counts() {
    check("7, 60", Some(7));
}

#[test]
fn what_is_no_number_is_ignored() {
    check("", None);
    check("-1", None);
    check("+1", None);
    check("1.5", None);
    check("6 0", None);
}
