use warmfront_testkit::{Answer, Ask, Behavior, Origin, OriginSite, Site, Testbed, edge_options};

/// GETs each path and returns the bodies.
async fn bodies(bed: &Testbed, targets: &[&str]) -> Vec<String> {
    let mut bodies = Vec::new();
    for target in targets {
        bodies.push(bed.get(target).await.text());
    }
    bodies
}

/// Stores every path, invalidates `items`, and checks which paths are fetched again.
async fn check(site: impl Fn(&Origin) -> Site, items: &[&str], cleared: &[&str], kept: &[&str]) {
    let origin = Origin::start().await;
    origin.counts("/index.html", 3_600);
    for target in cleared.iter().chain(kept) {
        origin.counts(target.split('?').next().unwrap_or_default(), 3_600);
    }
    let bed = Testbed::with(&site(&origin)).await;
    let before = (bodies(&bed, cleared).await, bodies(&bed, kept).await);
    bed.invalidate(items).await;
    for (target, old) in cleared.iter().zip(&before.0) {
        let answer = bed.get(target).await;
        assert_eq!(answer.x_cache(), "Miss", "{target} after {items:?}");
        assert_ne!(&answer.text(), old, "{target} after {items:?}");
    }
    for (target, old) in kept.iter().zip(&before.1) {
        let answer = bed.get(target).await;
        assert_eq!(
            (answer.x_cache(), &answer.text()),
            ("Hit", old),
            "{target} after {items:?}"
        );
    }
}

fn plain(origin: &Origin) -> Site {
    Site::new(origin)
}

fn by_query(origin: &Origin) -> Site {
    Site::new(origin).default_behavior(Behavior::to("web").forwards(true, &[], &[]))
}

#[tokio::test]
async fn an_exact_path_clears_itself_alone() {
    check(plain, &["/a/b"], &["/a/b"], &["/a", "/a/", "/a/bc", "/A/b", "/a/b/c"]).await;
}

#[tokio::test]
async fn a_trailing_asterisk_clears_all_that_begins_so() {
    check(
        plain,
        &["/dir*"],
        &["/dir", "/dir/", "/dir/x", "/dir/x/y", "/dir2", "/dir.html"],
        &["/", "/di", "/Dir/x", "/x/dir/"],
    )
    .await;
    check(
        plain,
        &["/dir/*"],
        &["/dir/", "/dir/x", "/dir/x/y"],
        &["/dir", "/dir2/x"],
    )
    .await;
}

#[tokio::test]
async fn a_slash_and_an_asterisk_clear_everything() {
    check(plain, &["/*"], &["/", "/a", "/a/b"], &[]).await;
}

#[tokio::test]
async fn several_paths_clear_each_their_own() {
    check(plain, &["/a", "/b/*", "/nothing"], &["/a", "/b/x"], &["/c", "/b"]).await;
}

#[tokio::test]
async fn the_spelling_of_a_path_does_not_matter() {
    check(plain, &["/~me/it's"], &["/%7Eme/it%27s", "/~me/it's"], &["/~me"]).await;
    check(plain, &["/gr%C3%BCn"], &["/gr%c3%bcn"], &["/grun"]).await;
}

#[tokio::test]
async fn the_root_and_its_default_object_clear_each_other() {
    let site = |origin: &Origin| Site::new(origin).default_root_object("index.html");
    for item in ["/", "/index.html", "/index*"] {
        check(site, &[item], &["/"], &["/other"]).await;
        check(site, &[item], &["/index.html"], &["/other"]).await;
    }
    // Without a default root object the two have nothing to do with each other.
    check(plain, &["/"], &["/"], &["/index.html"]).await;
}

#[tokio::test]
async fn the_query_string_belongs_to_the_path_where_it_is_in_the_key() {
    check(by_query, &["/a?x=1"], &["/a?x=1"], &["/a", "/a?x=2", "/a?x=1&y=2"]).await;
    check(by_query, &["/a"], &["/a"], &["/a?x=1"]).await;
    check(by_query, &["/a*"], &["/a", "/a?x=1"], &["/b?x=1"]).await;
    check(plain, &["/a"], &["/a?x=1"], &["/b?x=1"]).await;
}

#[tokio::test]
async fn all_variants_of_a_path_are_cleared() {
    let origin = Origin::start().await;
    origin.counts("/a", 3_600);
    let behavior = Behavior::to("web").forwards(false, &["X-Variant"], &["session"]);
    let bed = Testbed::with(&Site::new(&origin).default_behavior(behavior)).await;
    let variants = [
        Ask::get("/a"),
        Ask::get("/a").header("x-variant", "1"),
        Ask::get("/a").header("x-variant", "2"),
        Ask::get("/a").header("cookie", "session=1"),
        Ask::get("/a").header("accept-encoding", "gzip"),
    ];
    let mut before = Vec::new();
    for ask in &variants {
        before.push(bed.ask(ask).await.text());
    }
    bed.invalidate(&["/a"]).await;
    for (ask, old) in variants.iter().zip(before) {
        assert_ne!(bed.ask(ask).await.text(), old, "{ask:?}");
    }
}

#[tokio::test]
async fn all_encodings_of_a_path_are_cleared() {
    const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
    let origin = Origin::start().await;
    origin.counts("/a", 3_600);
    let bed =
        Testbed::with(&Site::new(&origin).default_behavior(Behavior::to("web").cache_policy(CACHING_OPTIMIZED))).await;
    let asks = ["identity", "gzip", "br", "gzip, br"].map(|it| Ask::get("/a").header("accept-encoding", it));
    for (n, ask) in asks.iter().enumerate() {
        assert_eq!(bed.ask(ask).await.text(), (n + 1).to_string());
    }
    bed.invalidate(&["/a"]).await;
    for (n, ask) in asks.iter().enumerate() {
        assert_eq!(bed.ask(ask).await.text(), (n + 5).to_string());
    }
}

#[tokio::test]
async fn another_distribution_is_not_touched() {
    let origin = Origin::start().await;
    origin.counts("/a", 3_600);
    let other =
        Site::with_origin("E2U5RQF7T870K0", OriginSite::custom("web", origin.port())).alias("other.example.com");
    let bed = Testbed::with(&Site::new(&origin).alias("one.example.com")).await;
    bed.write(&other).await;
    let ask = |host: &str| Ask::get("/a").host(host);
    assert_eq!(bed.ask(&ask("one.example.com")).await.text(), "1");
    assert_eq!(bed.ask(&ask("other.example.com")).await.text(), "2");
    bed.invalidate(&["/*"]).await;
    let kept: Answer = bed.ask(&ask("other.example.com")).await;
    crate::check(&kept, 200, "Hit", "2");
    crate::check(&bed.ask(&ask("one.example.com")).await, 200, "Miss", "3");
}

#[tokio::test]
async fn invalidations_follow_each_other() {
    let origin = Origin::start().await;
    origin.counts("/a", 3_600);
    let bed = Testbed::with(&Site::new(&origin)).await;
    for n in 1..=20 {
        crate::check(&bed.get("/a").await, 200, "Miss", &n.to_string());
        crate::check(&bed.get("/a").await, 200, "Hit", &n.to_string());
        bed.invalidate(&["/a"]).await;
    }
}

#[tokio::test]
async fn on_every_core_and_on_open_connections_nothing_old_answers_once_it_is_applied() {
    let origin = Origin::start().await;
    origin.counts("/a", 3_600);
    let options = warmfront_edge::EdgeOptions {
        n_cores: 4,
        ..edge_options()
    };
    let bed = Testbed::start(options).await;
    bed.write(&Site::new(&origin)).await;
    let mut viewers = Vec::new();
    for _ in 0..32 {
        viewers.push(bed.viewer().await);
    }
    for n in 1..=10 {
        for viewer in &mut viewers {
            assert_eq!(viewer.ask(&Ask::get("/a")).await.text(), n.to_string());
        }
        bed.invalidate(&["/a"]).await;
    }
    assert_eq!(origin.n_requests(), 10);
}

#[tokio::test]
async fn an_object_that_answered_for_the_root_stays_cleared_when_another_takes_its_place() {
    let origin = Origin::start().await;
    origin.counts("/index.html", 3_600);
    origin.counts("/home.html", 3_600);
    let site = |object: &str| Site::new(&origin).default_root_object(object);
    let bed = Testbed::with(&site("index.html")).await;
    assert_eq!(bed.get("/").await.text(), "1");
    bed.invalidate(&["/"]).await;
    bed.write(&site("home.html")).await;
    // Fetched before the invalidation of the path it had answered for.
    assert_eq!(bed.get("/index.html").await.text(), "2");
    bed.write(&site("index.html")).await;
    assert_ne!(bed.get("/").await.text(), "1");
}
