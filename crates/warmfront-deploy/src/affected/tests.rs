use warmfront_model::TtlBounds;

use super::*;
use crate::headers::Headers;
use crate::site::ErrorPage;
use crate::site::tests::{site, view};

const WISHES: Wishes<'static> = Wishes {
    bucket: "site",
    index_urls: IndexUrls::Auto,
    expiry_wait_secs: 2,
};

fn change(key: &str, kind: Kind, seen: &[&str]) -> Change {
    let headers = |cache_control: &&str| Headers {
        content_type: String::new(),
        cache_control: (*cache_control).into(),
        tags: Vec::new(),
    };
    Change {
        key: key.into(),
        kind,
        class: crate::headers::Rules::default().decide(key, false).class,
        seen_headers: seen.iter().map(headers).collect(),
        old_digest: None,
        stays: false,
    }
}

fn paths(site: &Site, changes: &[Change], wishes: Wishes<'_>) -> Vec<String> {
    affected(site, changes, wishes).paths.into_keys().collect()
}

#[test]
fn only_what_may_be_stale_is_paid_for() {
    let site = site();
    let cached = "max-age=60";
    for (what, expected) in [
        (change("a.8f3a21bc.js", Kind::New, &[]), &[][..]),
        (
            Change {
                stays: true,
                ..change("a.8f3a21bc.js", Kind::Removed, &[cached])
            },
            &[],
        ),
        (change("a.8f3a21bc.js", Kind::Replaced, &[cached]), &["/a.8f3a21bc.js"]),
        (change("logo.png", Kind::Replaced, &[cached]), &["/logo.png"]),
        (change("logo.png", Kind::Removed, &[cached]), &["/logo.png"]),
        (change("logo.png", Kind::Replaced, &["max-age=2"]), &[]),
        (
            change("logo.png", Kind::Replaced, &["max-age=2", cached]),
            &["/logo.png"],
        ),
        (change("logo.png", Kind::New, &[]), &["/logo.png"]),
        (change("index.html", Kind::Replaced, &["no-cache"]), &[]),
        (
            change("index.html", Kind::HeadersOnly, &["no-cache"]),
            &["/", "/index.html"],
        ),
        (change("index.html", Kind::Replaced, &[""]), &["/", "/index.html"]),
    ] {
        assert_eq!(paths(&site, std::slice::from_ref(&what), WISHES), expected, "{what:?}");
    }
}

#[test]
fn a_minimum_ttl_is_waited_for() {
    let mut site = site();
    site.default_view.ttl = TtlBounds {
        min_secs: 1,
        default_secs: 86_400,
        max_secs: 31_536_000,
    };
    let sum = affected(&site, &[change("index.html", Kind::Replaced, &["no-cache"])], WISHES);
    let expiring: Vec<(&str, u64)> = sum
        .expiring
        .iter()
        .map(|(path, (secs, _))| (path.as_str(), *secs))
        .collect();
    assert_eq!(expiring, [("/", 1), ("/index.html", 1)]);
    assert!(sum.paths.is_empty());
}

#[test]
fn behaviors_decide_by_their_own_url() {
    let mut site = site();
    let uncached = View {
        ttl: TtlBounds {
            min_secs: 0,
            default_secs: 0,
            max_secs: 0,
        },
        ..view()
    };
    let elsewhere = View { bucket: None, ..view() };
    site.views = vec![("/live/*".into(), uncached), ("/api/*".into(), elsewhere)];
    let changes = [
        change("live/a.png", Kind::Replaced, &["max-age=60"]),
        change("api/a.png", Kind::Replaced, &["max-age=60"]),
        change("a.png", Kind::Replaced, &["max-age=60"]),
    ];
    assert_eq!(paths(&site, &changes, WISHES), ["/a.png"]);
}

#[test]
fn the_origin_path_is_no_part_of_a_url() {
    let mut site = site();
    site.default_view.origin_path = "/live".into();
    let changes = [change("live/a.png", Kind::Replaced, &["max-age=60"])];
    assert_eq!(paths(&site, &changes, WISHES), ["/a.png"]);
    // Another behavior shows the same object under another URL.
    site.views = vec![("/live/*".into(), view())];
    assert_eq!(paths(&site, &changes, WISHES), ["/a.png", "/live/a.png"]);
}

#[test]
fn an_error_page_is_cached_under_every_url() {
    let mut site = site();
    let page = |min_ttl_secs| ErrorPage {
        status: 403,
        page: Some("/index.html".into()),
        min_ttl_secs,
    };
    let changes = [change("index.html", Kind::Replaced, &["no-cache"])];
    site.error_pages = vec![page(300)];
    assert_eq!(paths(&site, &changes, WISHES), ["/*"]);
    site.error_pages = vec![page(1)];
    let sum = affected(&site, &changes, WISHES);
    assert_eq!((sum.paths.len(), sum.expiry_secs), (0, 1));
}

#[test]
fn what_no_invalidation_reaches_is_said() {
    let warnings =
        |cache_control: &str| affected(&site(), &[change("a.html", Kind::Replaced, &[cache_control])], WISHES).warnings;
    let said = warnings("public, max-age=86400");
    assert!(said[0].contains("a.html") && said[0].contains("86400"), "{said:?}");
    assert!(warnings("max-age=60").is_empty());
    assert!(warnings("no-cache, max-age=86400").is_empty());
    assert!(warnings("s-maxage=86400").is_empty());
}
