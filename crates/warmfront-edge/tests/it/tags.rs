//! Invalidation by cache tag.

use warmfront_edge::{DISK_BYTES_MIN, DiskCache, EdgeOptions};
use warmfront_testkit::{Ask, Behavior, Gate, Origin, Reply, Site, Testbed, edge_options};

use crate::check;

fn tagged(body: &str, tags: &str) -> Reply {
    Reply::ok(body.to_owned()).max_age(3_600).header("cache-tag", tags)
}

fn site(origin: &Origin) -> Site {
    Site::new(origin).cache_tag_header("Cache-Tag")
}

/// An origin with `pages` (path and tags), all of them cached.
async fn cached(pages: &[(&str, &str)]) -> (Origin, Testbed) {
    let origin = Origin::start().await;
    for (path, tags) in pages {
        origin.replies(path, [tagged("old", tags), tagged("new", tags), Reply::status(400)]);
    }
    let bed = Testbed::with(&site(&origin)).await;
    for (path, _) in pages {
        check(&bed.get(path).await, 200, "Miss", "old");
    }
    (origin, bed)
}

async fn check_cleared(bed: &Testbed, cleared: &[&str], kept: &[&str]) {
    for path in cleared {
        check(&bed.get(path).await, 200, "Miss", "new");
    }
    for path in kept {
        check(&bed.get(path).await, 200, "Hit", "old");
    }
}

#[tokio::test]
async fn a_tag_clears_every_response_that_carries_it_in_whatever_case() {
    let pages = [
        ("/a", "Sku:1, shoes"),
        ("/b/c", "shoes,sku:1"),
        ("/d", "sku:11"),
        ("/e", ""),
    ];
    let (_origin, bed) = cached(&pages).await;
    bed.invalidate(&["#SKU:1"]).await;
    check_cleared(&bed, &["/a", "/b/c"], &["/d", "/e"]).await;
}

#[tokio::test]
async fn tags_and_paths_of_one_batch_clear_each_their_own() {
    let pages = [("/a", "x"), ("/b", "y"), ("/c", "z"), ("/d", "z")];
    let (_origin, bed) = cached(&pages).await;
    bed.invalidate(&["#x", "#y", "/c", "#nothing"]).await;
    check_cleared(&bed, &["/a", "/b", "/c"], &["/d"]).await;
}

#[tokio::test]
async fn a_star_in_a_tag_is_a_star() {
    let (_origin, bed) = cached(&[("/a", "sku:1"), ("/b", "sku*")]).await;
    bed.invalidate(&["#sku*"]).await;
    check_cleared(&bed, &["/b"], &["/a"]).await;
}

#[tokio::test]
async fn all_variants_with_the_tag_are_cleared() {
    let origin = Origin::start().await;
    let mut n = 0;
    origin.on("/a", move |_| {
        n += 1;
        tagged(&n.to_string(), "t")
    });
    let behavior = Behavior::to("web").forwards(true, &["X-Variant"], &[]);
    let bed = Testbed::with(&site(&origin).default_behavior(behavior)).await;
    let variants = [
        Ask::get("/a"),
        Ask::get("/a?q=1"),
        Ask::get("/a").header("x-variant", "1"),
    ];
    for (ask, body) in variants.iter().zip(["1", "2", "3"]) {
        check(&bed.ask(ask).await, 200, "Miss", body);
    }
    bed.invalidate(&["#t"]).await;
    for (ask, body) in variants.iter().zip(["4", "5", "6"]) {
        check(&bed.ask(ask).await, 200, "Miss", body);
    }
}

#[tokio::test]
async fn viewers_get_the_tag_header_as_any_other() {
    let (_origin, bed) = cached(&[("/a", "x, y")]).await;
    assert_eq!(bed.get("/a").await.header("cache-tag"), "x, y");
}

#[tokio::test]
async fn without_a_tag_header_a_tag_clears_nothing() {
    let origin = Origin::start().await;
    origin.replies("/a", [tagged("old", "x"), Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.invalidate(&["#x"]).await;
    check(&bed.get("/a").await, 200, "Hit", "old");
}

/// What was fetched before the header was configured has its tags all the same: the head is kept.
#[tokio::test]
async fn tags_count_in_the_field_that_is_configured_now() {
    let origin = Origin::start().await;
    for path in ["/a", "/b"] {
        let both = |body: &str| tagged(body, "old-name").header("x-tags", "new-name");
        origin.replies(path, [both("old"), both("new"), Reply::status(400)]);
    }
    let bed = Testbed::with(&site(&origin)).await;
    bed.get("/a").await;
    bed.get("/b").await;
    bed.write(&site(&origin).cache_tag_header("X-Tags")).await;
    bed.invalidate(&["#old-name"]).await;
    check(&bed.get("/b").await, 200, "Hit", "old");
    bed.invalidate(&["#new-name"]).await;
    check(&bed.get("/b").await, 200, "Miss", "new");
}

#[tokio::test]
async fn an_invalidation_outlives_the_field_that_its_tag_was_in() {
    let (origin, bed) = cached(&[("/a", "x")]).await;
    bed.invalidate(&["#x"]).await;
    bed.write(&site(&origin).cache_tag_header("X-Tags")).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
}

/// The response that the origin was sending when its tag was invalidated.
#[tokio::test]
async fn a_tag_that_arrives_after_its_invalidation_is_covered() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let old = tagged("old", "x").held(&gate);
    origin.replies("/a", [old, tagged("new", "x"), Reply::status(400)]);
    let bed = Testbed::with(&site(&origin)).await;
    let mut early = bed.viewer().await;
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    bed.invalidate(&["#x"]).await;
    gate.open();
    check(&early.answer().await, 200, "Miss", "old");
    check(&bed.get("/a").await, 200, "Miss", "new");
    check(&bed.get("/a").await, 200, "Hit", "new");
}

/// Nothing says that the fetch in flight will bring a response with the tag, so it may be joined; but when the head is here,
/// the one who came after the invalidation asks again.
#[tokio::test]
async fn who_joined_a_fetch_is_checked_again_when_its_tags_are_here() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let old = tagged("old", "x").held(&gate);
    origin.replies("/a", [old, tagged("new", "x"), Reply::status(400)]);
    let bed = Testbed::with(&site(&origin)).await;
    let (mut early, mut late) = (bed.viewer().await, bed.viewer().await);
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    bed.invalidate(&["#x"]).await;
    late.send(&Ask::get("/a")).await;
    gate.open();
    check(&early.answer().await, 200, "Miss", "old");
    check(&late.answer().await, 200, "Miss", "new");
}

#[tokio::test]
async fn a_304_can_change_the_tags() {
    let origin = Origin::start().await;
    let page = |body: &str, tags: &str| tagged(body, tags).header("etag", "\"1\"");
    let confirmed = Reply::status(304).max_age(3_600).header("etag", "\"1\"");
    origin.replies(
        "/a",
        [page("old", "x"), confirmed.header("cache-tag", "y"), page("new", "y")],
    );
    let bed = Testbed::with(&site(&origin)).await;
    bed.get("/a").await;
    bed.advance(3_600);
    check(&bed.get("/a").await, 200, "RefreshHit", "old");
    bed.invalidate(&["#x"]).await;
    check(&bed.get("/a").await, 200, "Hit", "old");
    bed.invalidate(&["#y"]).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
}

/// A response whose tags may not be kept cannot be found by them.
#[tokio::test]
async fn a_response_whose_tags_may_not_be_kept_is_not_stored() {
    let origin = Origin::start().await;
    let reply = |body: &str| {
        Reply::ok(body.to_owned())
            .header("cache-control", "max-age=60, private=\"cache-tag\"")
            .header("cache-tag", "x")
    };
    origin.replies("/a", [reply("one"), reply("two")]);
    let bed = Testbed::with(&site(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "Miss", "two");
}

#[tokio::test]
async fn tags_are_kept_on_disk_with_what_was_invalidated_while_the_edge_was_down() {
    let folder = tempfile::tempdir().unwrap();
    let options = || EdgeOptions {
        disk: Some(DiskCache {
            folder: folder.path().to_owned(),
            bytes: DISK_BYTES_MIN,
        }),
        ..edge_options()
    };
    let origin = Origin::start().await;
    for (path, tags) in [("/a", "X"), ("/b", "y"), ("/c", "z")] {
        origin.replies(path, [tagged("old", tags), tagged("new", tags), Reply::status(400)]);
    }
    let bed = Testbed::start(options()).await;
    bed.write(&site(&origin)).await;
    for path in ["/a", "/b", "/c"] {
        bed.get(path).await;
    }
    let stopped = bed.stop().await;
    stopped.commit_invalidation(&["#x"]).await;
    let bed = stopped.start_again(options()).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
    check(&bed.get("/b").await, 200, "Hit", "old");
    bed.invalidate(&["#z"]).await;
    check(&bed.get("/c").await, 200, "Miss", "new");
}
