use super::*;

pub(crate) fn view() -> View {
    View {
        bucket: Some("site".into()),
        origin_path: String::new(),
        is_website: false,
        runs_functions: false,
        ttl: TtlBounds {
            min_secs: 0,
            default_secs: 86_400,
            max_secs: 31_536_000,
        },
        query_in_key: false,
        https_only: false,
    }
}

pub(crate) fn site() -> Site {
    Site {
        distribution: "E2QWRUHAPOMQZL".into(),
        arn: "arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL".into(),
        domain_name: "d111111abcdef8.cloudfront.net".into(),
        is_deployed: true,
        is_enabled: true,
        default_root_object: Some("index.html".into()),
        views: Vec::new(),
        default_view: view(),
        buckets: Vec::new(),
        error_pages: Vec::new(),
        tag_header: None,
    }
}

#[test]
fn patterns_match_as_documented() {
    for (pattern, path, expected) in [
        ("/images/*.jpg", "/images/a/b.jpg", true),
        ("images/*.jpg", "/images/a.jpg", true),
        ("*.jpg", "/a/b.jpg", true),
        ("*.JPG", "/a.jpg", false),
        ("images", "/images/x", false),
        ("/a?.html", "/ab.html", true),
        ("/a?.html", "/a.html", false),
        ("*", "/", true),
        ("/api/*", "/api", false),
        ("*a*b*", "/xaybz", true),
    ] {
        assert_eq!(pattern_matches(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn ttl_follows_the_documented_table() {
    let bounds = |min_secs, default_secs, max_secs| TtlBounds {
        min_secs,
        default_secs,
        max_secs,
    };
    let zero = bounds(0, 86_400, 31_536_000);
    let one = bounds(1, 86_400, 31_536_000);
    for (cache_control, ttl, expected) in [
        (Some("max-age=60"), zero, 60),
        (Some("max-age=60, s-maxage=5"), zero, 5),
        (Some("public, MAX-AGE=60"), zero, 60),
        (Some("max-age=99"), bounds(0, 10, 50), 50),
        (Some("max-age=0"), one, 1),
        (Some("no-cache"), zero, 0),
        (Some("no-cache"), one, 1),
        (Some("private, max-age=60"), one, 1),
        (None, zero, 86_400),
        (Some("public"), bounds(90, 90, 90), 90),
        (Some("max-age=5, stale-while-revalidate=30"), zero, 35),
        (Some("max-age=60"), bounds(0, 0, 0), 0),
    ] {
        assert_eq!(edge_ttl_secs(cache_control, ttl), expected, "{cache_control:?} {ttl:?}");
    }
}

#[test]
fn a_state_that_the_distribution_can_serve_is_known() {
    let mut site = site();
    assert!(site.reaches("site", ".warmfront/"));
    assert!(!site.reaches("other", ".warmfront/"));
    site.default_view.origin_path = "/live".into();
    assert!(!site.reaches("site", ".warmfront/"));
    assert!(site.reaches("site", "live/state/"));
    assert!(site.reaches("site", ""), "the site would lie below the state");
    assert!(!site.reaches("site", "live2/"));
    assert_eq!(site.prefix_in("site"), Some("live/".into()));
    assert_eq!(site.prefix_in("other"), None);
    // No behavior uses it yet.
    site.buckets = vec![("releases".into(), "/a".into())];
    assert!(site.reaches("releases", "a/state/") && !site.reaches("releases", "b/"));
}

#[test]
fn a_key_has_the_urls_that_behaviors_give_it() {
    let mut site = site();
    let below = |origin_path: &str| View {
        origin_path: origin_path.into(),
        ..view()
    };
    site.views = vec![
        ("/static/*".into(), below("/assets")),
        ("/api/*".into(), View { bucket: None, ..view() }),
    ];
    let urls = |key: &str| {
        let found = site.urls_of("site", key).into_iter();
        found.map(|(url, _)| url).collect::<Vec<_>>()
    };
    assert_eq!(urls("index.html"), ["/index.html"]);
    assert_eq!(urls("assets/static/a.png"), ["/static/a.png", "/assets/static/a.png"]);
    assert_eq!(urls("static/a.png"), [""; 0], "its URL shows assets/static/a.png");
    assert_eq!(urls("api/a.png"), [""; 0]);
    assert!(site.urls_of("other", "index.html").is_empty());
}

#[test]
fn the_absence_of_a_page_is_cached_for_ten_seconds_unless_configured() {
    let mut site = site();
    assert_eq!(site.absence_ttl_secs(&view()), 10);
    let page = |status, min_ttl_secs| ErrorPage {
        status,
        page: None,
        min_ttl_secs,
    };
    site.error_pages = vec![page(403, 0), page(404, 300)];
    assert_eq!(site.absence_ttl_secs(&view()), 300);
    let uncached = View {
        ttl: TtlBounds {
            min_secs: 0,
            default_secs: 0,
            max_secs: 0,
        },
        ..view()
    };
    assert_eq!(site.absence_ttl_secs(&uncached), 0);
}
