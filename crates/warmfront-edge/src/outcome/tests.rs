use std::collections::HashSet;

use http::StatusCode;

use super::*;

/// A word is one label's value and one token of a header: it means one thing, and needs no quotes.
#[test]
fn words_are_distinct_and_plain() {
    let lists: [Vec<&str>; 3] = [
        Reason::ALL.iter().map(|it| it.as_str()).collect(),
        FetchReason::ALL.iter().map(|it| it.as_str()).collect(),
        Kept::all().map(Kept::as_str).collect(),
    ];
    for words in lists {
        let distinct: HashSet<&str> = words.iter().copied().collect();
        assert_eq!(distinct.len(), words.len(), "{words:?}");
        let plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(words.iter().all(plain), "{words:?}");
    }
}

#[test]
fn x_cache_follows_reason_and_status() {
    let check = |reason: Reason, status: u16, expected: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        let x_cache = Outcome::own(reason).result_type(status).x_cache();
        assert_eq!(
            x_cache.to_str().unwrap(),
            format!("{expected} from cloudfront"),
            "{reason:?}"
        );
    };
    check(Reason::Fresh, 200, "Hit");
    check(Reason::Fresh, 404, "Error");
    check(Reason::Fetched, 200, "Miss");
    check(Reason::Fetched, 500, "Error");
    check(Reason::StaleIfError, 200, "RefreshHit");
    check(Reason::Revalidated, 200, "RefreshHit");
    check(Reason::RedirectToHttps, 301, "Redirect");
    check(Reason::TooManyFetches, 503, "Error");
    check(Reason::UnknownHost, 403, "Error");
}
