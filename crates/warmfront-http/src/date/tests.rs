use super::*;
use http::header::EXPIRES;
use proptest::prelude::*;

fn check(text: &str, unix_secs: Option<i64>) {
    assert_eq!(
        parse_http_date(text.as_bytes()),
        unix_secs.map(Timestamp::from_unix_secs),
        "{text}"
    );
}

#[test]
fn the_three_forms_of_rfc_9110_name_one_moment() {
    check("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
    check("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777));
    check("Sun Nov  6 08:49:37 1994", Some(784_111_777));
}

#[test]
fn what_is_no_date_is_refused() {
    for text in [
        "",
        "0",
        "-1",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994",
    ] {
        check(text, None);
    }
    assert_eq!(parse_http_date(b"Sun, 06 Nov 1994 08:49:37 \xff"), None);
}

#[test]
fn two_fields_are_no_date() {
    let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
    let mut headers = HeaderMap::new();
    assert_eq!(date_field(&headers, EXPIRES), None);
    headers.append(EXPIRES, date.clone());
    assert_eq!(
        date_field(&headers, EXPIRES),
        Some(Some(Timestamp::from_unix_secs(784_111_777)))
    );
    headers.append(EXPIRES, date);
    assert_eq!(date_field(&headers, EXPIRES), Some(None));
}

#[test]
fn a_moment_is_written_as_imf_fixdate() {
    assert_eq!(
        format_http_date(Timestamp(784_111_777_999)),
        "Sun, 06 Nov 1994 08:49:37 GMT"
    );
    assert_eq!(format_http_date(Timestamp(i64::MIN)), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(format_http_date(Timestamp(i64::MAX)), "Fri, 31 Dec 9999 23:59:59 GMT");
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        parse_http_date(&value);
    }

    #[test]
    fn no_digits_panic(text in "(Sun, )?[0-9]{2} Nov [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT") {
        parse_http_date(text.as_bytes());
    }

    #[test]
    fn what_is_written_is_read_back(secs in 0..=UNIX_SECS_MAX) {
        let moment = Timestamp::from_unix_secs(secs);
        prop_assert_eq!(parse_http_date(format_http_date(moment).as_bytes()), Some(moment));
    }
}
