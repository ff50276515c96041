use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn parse(lines: &[&str]) -> CacheControl {
    CacheControl::parse(
        &lines
            .iter()
            .map(|line| (CACHE_CONTROL, HeaderValue::from_str(line).unwrap()))
            .collect(),
    )
}

fn check(line: &str, expected: CacheControl) {
    assert_eq!(
        parse(&[line]),
        CacheControl {
            present: true,
            ..expected
        },
        "{line}"
    );
}

fn fields(names: &[&'static str]) -> Scope {
    Scope::Fields(names.iter().map(|name| HeaderName::from_static(name)).collect())
}

fn max_age(secs: u64) -> CacheControl {
    CacheControl {
        max_age_secs: Some(secs),
        ..Default::default()
    }
}

#[test]
fn without_the_field_nothing_is_said() {
    assert_eq!(parse(&[]), CacheControl::default());
    check("", CacheControl::default());
    check(" , ,", CacheControl::default());
}

#[test]
fn every_directive_is_read() {
    check(
        "max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, no-store, no-cache, private, public, \
         must-revalidate, proxy-revalidate, must-understand, no-transform, immutable",
        CacheControl {
            present: true,
            max_age_secs: Some(1),
            s_maxage_secs: Some(2),
            stale_while_revalidate_secs: Some(3),
            stale_if_error_secs: Some(4),
            no_store: true,
            no_cache: Scope::Response,
            private: Scope::Response,
            public: true,
            must_revalidate: true,
            proxy_revalidate: true,
            must_understand: true,
            no_transform: true,
            immutable: true,
        },
    );
}

#[test]
fn names_are_case_insensitive_and_blanks_do_not_matter() {
    check("\tMAX-Age = 60 ", max_age(60));
    check(
        "No-STORE",
        CacheControl {
            no_store: true,
            ..Default::default()
        },
    );
}

#[test]
fn a_quoted_number_is_a_number() {
    check("max-age=\"60\"", max_age(60));
}

#[test]
fn too_large_a_number_becomes_two_to_the_31() {
    check("max-age=99999999999999999999", max_age(2_147_483_648));
    check(
        "s-maxage=4294967296",
        CacheControl {
            s_maxage_secs: Some(2_147_483_648),
            ..Default::default()
        },
    );
}

#[test]
fn freshness_that_cannot_be_read_is_none() {
    for line in [
        "max-age",
        "max-age=",
        "max-age=-1",
        "max-age=1.5",
        "max-age=6O",
        "max-age=\"60",
        "max-age=60;",
    ] {
        check(line, max_age(0));
    }
}

#[test]
fn stale_windows_that_cannot_be_read_are_ignored() {
    check("stale-if-error, stale-while-revalidate=x", CacheControl::default());
}

#[test]
fn the_first_of_two_counts_also_across_lines() {
    check("max-age=60, max-age=3600", max_age(60));
    assert_eq!(parse(&["max-age=5", "max-age=7, no-store"]).max_age_secs, Some(5));
    assert!(parse(&["max-age=5", "no-store"]).no_store);
}

#[test]
fn no_cache_and_private_may_name_fields() {
    check(
        "no-cache=\"Set-Cookie\"",
        CacheControl {
            no_cache: fields(&["set-cookie"]),
            ..Default::default()
        },
    );
    check(
        "no-cache=set-cookie",
        CacheControl {
            no_cache: fields(&["set-cookie"]),
            ..Default::default()
        },
    );
    check(
        "private=\"X-A, ,x-b\", max-age=60",
        CacheControl {
            private: fields(&["x-a", "x-b"]),
            ..max_age(60)
        },
    );
    check(
        "private=\"a\", private=\"b\"",
        CacheControl {
            private: fields(&["a", "b"]),
            ..Default::default()
        },
    );
}

#[test]
fn the_unqualified_form_wins_over_the_qualified_one() {
    let expected = CacheControl {
        no_cache: Scope::Response,
        ..Default::default()
    };
    check("no-cache=\"a\", no-cache", expected.clone());
    check("no-cache, no-cache=\"a\"", expected);
}

#[test]
fn a_field_list_that_cannot_be_read_means_the_whole_response() {
    for argument in ["\"\"", "\"a b\"", "\"\\\"\"", "\"a", "\"a\"b"] {
        check(
            &format!("private={argument}"),
            CacheControl {
                private: Scope::Response,
                ..Default::default()
            },
        );
    }
}

#[test]
fn a_comma_in_quotes_separates_nothing() {
    check("x=\"no-store, private\", max-age=1", max_age(1));
    check("x=\"a\\\", no-store, b\", max-age=1", max_age(1));
}

#[test]
fn an_open_quote_hides_no_directive() {
    check(
        "x=\"a, no-store",
        CacheControl {
            no_store: true,
            ..Default::default()
        },
    );
}

#[test]
fn unknown_directives_and_arguments_change_nothing() {
    check(
        "foo, bar=2, no-store=1, =3",
        CacheControl {
            no_store: true,
            ..Default::default()
        },
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(value in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            CacheControl::parse(&HeaderMap::from_iter([(CACHE_CONTROL, value)]));
        }
    }

    #[test]
    fn no_mixture_of_its_own_characters_hides_a_later_line(value in "[a-z=\",\\\\ 0-9-]{0,40}") {
        prop_assert!(parse(&[&value, "no-store"]).no_store);
    }
}
