use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn check(value: &str, gzip: bool, brotli: bool) {
    let request = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap())]);
    assert_eq!(
        accepted_encodings(&request),
        AcceptedEncodings {
            present: true,
            gzip,
            brotli
        },
        "{value}"
    );
}

#[test]
fn without_the_field_nothing_is_accepted() {
    assert_eq!(accepted_encodings(&HeaderMap::new()), AcceptedEncodings::default());
}

#[test]
fn codings_named_are_accepted() {
    check("gzip, deflate, br, zstd", true, true);
    check("GZIP", true, false);
    check("x-gzip", true, false);
    check("br;q=1.0, gzip;q=0.001", true, true);
    check("br ; q=0.5", false, true);
    check("", false, false);
    check("identity, deflate", false, false);
}

#[test]
fn a_weight_of_zero_refuses() {
    check("gzip;q=0, br", false, true);
    check("gzip;Q=0.000, br;q=0.", false, false);
}

#[test]
fn a_star_stands_for_what_is_not_named() {
    check("*", true, true);
    check("*;q=0", false, false);
    check("gzip;q=0, *", false, true);
    check("*;q=0, gzip", true, false);
}

#[test]
fn a_weight_that_cannot_be_read_refuses() {
    for weight in ["q", "q=", "q=2", "q=-1", "q=0.1234", "q=1.1", "level=9", "q=\"1\""] {
        check(&format!("gzip;{weight}"), false, false);
    }
}

#[test]
fn the_normalization_table_of_cache_policies() {
    let both = AcceptEncoding {
        gzip: true,
        brotli: true,
    };
    let gzip_only = AcceptEncoding {
        gzip: true,
        brotli: false,
    };
    let viewer = |gzip, brotli| AcceptedEncodings {
        present: true,
        gzip,
        brotli,
    };
    assert_eq!(viewer(true, true).normalized(both), Some("br,gzip"));
    assert_eq!(viewer(true, false).normalized(both), Some("gzip"));
    assert_eq!(viewer(false, true).normalized(both), Some("br"));
    assert_eq!(viewer(true, true).normalized(gzip_only), Some("gzip"));
    assert_eq!(viewer(false, true).normalized(gzip_only), None);
    assert_eq!(viewer(false, false).normalized(both), None);
    assert_eq!(viewer(true, true).normalized(AcceptEncoding::default()), None);
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            accepted_encodings(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]));
        }
    }
}
