use warmfront_testkit::{Gate, Origin, Reply, Site, Testbed};

use crate::check;

fn first() -> Reply {
    Reply::ok("one")
        .max_age(60)
        .header("etag", "\"v1\"")
        .header("last-modified", "Wed, 31 Dec 2025 00:00:00 GMT")
        .header("x-count", "1")
}

#[tokio::test]
async fn a_304_makes_an_expired_copy_fresh_again_with_new_headers() {
    let origin = Origin::start().await;
    let confirmed = Reply::status(304)
        .max_age(120)
        .header("etag", "\"v1\"")
        .header("x-count", "2");
    origin.replies("/a", [first(), confirmed, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);

    let refreshed = bed.get("/a").await;
    check(&refreshed, 200, "RefreshHit", "one");
    assert_eq!(refreshed.header("x-count"), "2");
    assert_eq!(refreshed.header("cache-control"), "max-age=120");
    assert_eq!(refreshed.header("age"), "0");
    assert_eq!(refreshed.header("content-length"), "3");
    let asked = origin.last_request();
    assert_eq!(asked.header("if-none-match"), "\"v1\"");
    assert_eq!(asked.header("if-modified-since"), "Wed, 31 Dec 2025 00:00:00 GMT");

    bed.advance(119);
    let hit = bed.get("/a").await;
    check(&hit, 200, "Hit", "one");
    assert_eq!(hit.header("age"), "119");
    assert_eq!(hit.header("x-count"), "2");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn a_200_replaces_the_expired_copy() {
    let origin = Origin::start().await;
    let second = Reply::ok("two").max_age(60).header("etag", "\"v2\"");
    origin.replies("/a", [first(), second, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    let replaced = bed.get("/a").await;
    check(&replaced, 200, "Miss", "two");
    assert_eq!(replaced.header("x-count"), "");
    check(&bed.get("/a").await, 200, "Hit", "two");
}

#[tokio::test]
async fn a_304_for_another_version_is_not_believed() {
    let origin = Origin::start().await;
    let wrong = Reply::status(304).header("etag", "\"v9\"");
    let second = Reply::ok("two").max_age(60).header("etag", "\"v9\"");
    origin.replies("/a", [first(), wrong, second]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    check(&bed.get("/a").await, 200, "Miss", "two");
    assert_eq!(origin.n_requests(), 3);
    assert_eq!(origin.last_request().header("if-none-match"), "");
    assert_eq!(origin.last_request().header("if-modified-since"), "");
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::status(304));
    let bed = Testbed::with(&Site::new(&origin)).await;
    assert_eq!(bed.get("/a").await.status, 502);
}

#[tokio::test]
async fn no_cache_is_asked_about_each_time() {
    let origin = Origin::start().await;
    let stored = Reply::ok("one")
        .header("cache-control", "no-cache")
        .header("etag", "\"v1\"");
    let confirmed = Reply::status(304)
        .header("cache-control", "no-cache")
        .header("etag", "\"v1\"");
    origin.replies("/a", [stored, confirmed]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "RefreshHit", "one");
    check(&bed.get("/a").await, 200, "RefreshHit", "one");
    assert_eq!(origin.n_requests(), 3);
}

#[tokio::test]
async fn a_covered_copy_is_fetched_anew_without_a_condition() {
    let origin = Origin::start().await;
    let second = Reply::ok("two").max_age(60).header("etag", "\"v1\"");
    origin.replies("/a", [first(), second]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    bed.invalidate(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Miss", "two");
    assert_eq!(origin.last_request().header("if-none-match"), "");
    assert_eq!(origin.last_request().header("if-modified-since"), "");
}

#[tokio::test]
async fn stale_while_revalidate_answers_at_once_and_refreshes_behind_it() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let first = Reply::ok("one").header("cache-control", "max-age=60, stale-while-revalidate=30");
    origin.replies("/a", [first, Reply::ok("two").max_age(60).held(&gate)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(61);
    // Answered while the origin still holds back.
    check(&bed.get("/a").await, 200, "Hit", "one");
    gate.reached().await;
    check(&bed.get("/a").await, 200, "Hit", "one");
    assert_eq!(origin.n_requests(), 2);
    // After the window, a request waits for that same refresh.
    bed.advance(29);
    let mut waiting = bed.viewer().await;
    waiting.send(&warmfront_testkit::Ask::get("/a")).await;
    gate.open();
    let answer = waiting.answer().await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "two"));
    assert_eq!(origin.n_requests(), 2);
}
