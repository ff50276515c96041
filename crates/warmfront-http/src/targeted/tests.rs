use http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::Scope;

const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

fn read(lines: &[&str]) -> Option<CacheControl> {
    let mut response = HeaderMap::new();
    for line in lines {
        response.append(CDN_CACHE_CONTROL, HeaderValue::from_str(line).unwrap());
    }
    targeted_directives(&response, &CDN_CACHE_CONTROL)
}

fn max_age(lines: &[&str]) -> Option<u64> {
    read(lines).and_then(|directives| directives.max_age_secs)
}

#[test]
fn directives_are_read_as_a_dictionary() {
    assert_eq!(max_age(&["max-age=60"]), Some(60));
    assert_eq!(max_age(&["unknown, max-age=60;parameter=1"]), Some(60));
    assert_eq!(max_age(&["max-age=60", "no-store"]), Some(60));
    assert!(read(&["max-age=60", "no-store"]).unwrap().no_store);
    let all = read(&["must-revalidate, private, s-maxage=5, stale-if-error=7, stale-while-revalidate=8"]).unwrap();
    assert!(all.must_revalidate && all.private.is_response());
    assert_eq!(
        (
            all.s_maxage_secs,
            all.stale_if_error_secs,
            all.stale_while_revalidate_secs
        ),
        (Some(5), Some(7), Some(8))
    );
}

#[test]
fn the_last_of_two_equal_directives_counts() {
    assert_eq!(max_age(&["max-age=1, max-age=2"]), Some(2));
}

#[test]
fn a_directive_that_is_false_is_not_there() {
    assert!(!read(&["no-store=?0, max-age=5"]).unwrap().no_store);
}

#[test]
fn fields_are_named_in_a_string() {
    let directives = read(&["no-cache=\"set-cookie, x-a\", max-age=1"]).unwrap();
    assert_eq!(directives.no_cache.fields().len(), 2);
    assert_eq!(read(&["private"]).unwrap().private, Scope::Response);
}

#[test]
fn what_is_no_dictionary_is_not_there() {
    for field in [
        "",
        " ",
        "max-age=60, &&&",
        "max-age = 60",
        "max-age=",
        "MAX-AGE=60",
        "max-age=60,",
    ] {
        assert_eq!(read(&[field]), None, "{field:?}");
    }
    assert_eq!(read(&[]), None);
}

#[test]
fn a_known_directive_of_the_wrong_type_makes_the_field_void() {
    for field in [
        "max-age=\"60\"",
        "max-age",
        "max-age=6.5",
        "max-age=sixty",
        "max-age=(60)",
        "no-store=1",
        "no-cache=5.5",
        "no-cache=5",
        "private=(a b)",
    ] {
        assert_eq!(read(&[field]), None, "{field:?}");
    }
    assert_eq!(max_age(&["unknown=(a b), other=\"x\", max-age=60"]), Some(60));
}

#[test]
fn seconds_are_bounded_like_those_of_cache_control() {
    assert_eq!(max_age(&["max-age=99999999999"]), Some(crate::DELTA_SECONDS_MAX));
    assert_eq!(max_age(&["max-age=-5"]), Some(0));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            let mut response = HeaderMap::new();
            response.append(CDN_CACHE_CONTROL, value);
            targeted_directives(&response, &CDN_CACHE_CONTROL);
        }
    }
}
