use proptest::collection::vec;
use proptest::prelude::*;
use warmfront_caching::FreshnessRule;

use super::*;

fn stored(headers: HeaderMap) -> StoredHead {
    Head {
        status: StatusCode::IM_A_TEAPOT,
        headers,
        lifetime: Lifetime {
            fresh_secs: 1,
            rule: FreshnessRule::MaxAge,
            stale_while_revalidate_secs: 2,
            stale_if_error_secs: 3,
            initial_age_secs: 4,
        },
        response_time: Timestamp(5),
    }
    .into()
}

fn map(fields: &[(String, Vec<u8>)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    headers
}

proptest! {
    #[test]
    fn what_is_stored_is_what_was_given(
        fields in vec(("[a-z][a-z0-9-]{0,200}", vec(prop_oneof![32..127_u8, 128..=255_u8], 0..300)), 0..40),
    ) {
        let headers = map(&fields);
        let head = stored(headers.clone());
        prop_assert_eq!(head.headers(), headers.clone());
        prop_assert_eq!(head.n_fields(), headers.len());
        let listed: Vec<(Vec<u8>, Vec<u8>)> = head.fields().map(|(name, value)| (name.into(), value.into())).collect();
        let expected: Vec<(Vec<u8>, Vec<u8>)> =
            headers.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect();
        prop_assert_eq!(listed, expected);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..60)) {
        let head = StoredHead { fields: bytes.into(), ..stored(HeaderMap::new()) };
        let _ = head.headers();
        let _ = head.fields().count();
    }
}

#[test]
fn every_known_name_and_field_is_found_again_and_takes_one_byte() {
    for (number, name) in known::NAMES.iter().enumerate() {
        assert_eq!(
            known::name_number(name),
            u8::try_from(number).ok(),
            "{name} stands there twice"
        );
        let mut headers = HeaderMap::new();
        headers.append(name, HeaderValue::from_static("of its own"));
        let head = stored(headers.clone());
        assert_eq!((head.headers(), head.fields_bytes()), (headers, 12));
    }
    for (name, value) in &known::PAIRS {
        let headers = HeaderMap::from_iter([(name.clone(), value.clone())]);
        let head = stored(headers.clone());
        assert_eq!((head.headers(), head.fields_bytes()), (headers, 1), "{name}");
    }
    assert!(known::NAMES.len() <= usize::from(known::PAIRS_FROM));
    let n_pairs = known::PAIRS.len() + known::OWN_PAIRS.len();
    assert!(n_pairs <= usize::from(WRITTEN_OUT - known::PAIRS_FROM));
}

#[test]
fn fields_of_a_nodes_own_take_one_byte_and_those_of_too_many_nodes_what_they_are_long() {
    let name = HeaderName::from_static("x-amz-cf-pop");
    let pop = |number: usize| HeaderValue::from_str(&format!("POP{number:02}-P1")).unwrap();
    let bytes = |number: usize| {
        let headers = HeaderMap::from_iter([(name.clone(), pop(number))]);
        let head = stored(headers.clone());
        assert_eq!(head.headers(), headers);
        head.fields_bytes()
    };
    // The number of the name, the length, and the value.
    assert_eq!(bytes(0), 10);
    for number in (0..40).chain(0..40) {
        abbreviate(&name, &pop(number));
    }
    assert_eq!((bytes(0), bytes(31)), (1, 1));
    assert_eq!((bytes(32), bytes(39)), (10, 10));
}

#[test]
fn times_are_kept_up_to_136_years() {
    let lifetime = Lifetime {
        fresh_secs: u64::MAX,
        rule: FreshnessRule::SMaxage,
        stale_while_revalidate_secs: 7,
        stale_if_error_secs: u64::from(u32::MAX),
        initial_age_secs: 0,
    };
    let head = FieldsBuilder::default().finish(StatusCode::OK, lifetime, Timestamp(0));
    let fresh_secs = u64::from(u32::MAX);
    assert_eq!(head.lifetime(), Lifetime { fresh_secs, ..lifetime });
}

#[test]
fn a_response_takes_as_few_bytes_as_was_measured() {
    // With the counts of an Arc, what mimalloc gives 160 bytes for.
    assert!(
        size_of::<crate::StoredResponse>() <= 144,
        "{}",
        size_of::<crate::StoredResponse>()
    );
}

#[test]
fn the_same_field_twice_keeps_its_order() {
    let fields = [
        ("vary", "b"),
        ("x-one", "1"),
        ("vary", "a"),
        ("vary", "Accept-Encoding"),
    ];
    let headers = map(&fields.map(|(name, value)| (name.to_owned(), value.into())));
    let read = stored(headers).headers();
    let values: Vec<&[u8]> = read.get_all("vary").iter().map(HeaderValue::as_bytes).collect();
    assert_eq!(values, [&b"b"[..], b"a", b"Accept-Encoding"]);
}

#[test]
fn what_is_beyond_the_limit_of_fields_is_left_out() {
    let mut headers = HeaderMap::new();
    for number in 0..=FIELDS_MAX {
        headers.append("x-many", HeaderValue::from(number));
    }
    assert_eq!(stored(headers).headers().len(), usize::from(FIELDS_MAX));
}
