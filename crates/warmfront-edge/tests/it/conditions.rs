use warmfront_testkit::{Ask, Origin, Reply, Site, Testbed};

use crate::check;

const MODIFIED: &str = "Wed, 31 Dec 2025 00:00:00 GMT";

async fn stored() -> (Origin, Testbed) {
    let origin = Origin::start().await;
    let reply = Reply::ok("one")
        .max_age(60)
        .header("etag", "\"v1\"")
        .header("last-modified", MODIFIED)
        .header("content-type", "text/plain");
    origin.reply("/a", reply);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    (origin, bed)
}

#[tokio::test]
async fn a_viewer_that_has_it_gets_304_from_the_cache() {
    let (origin, bed) = stored().await;
    bed.advance(5);
    for (name, value) in [
        ("if-none-match", "\"v1\""),
        ("if-none-match", "W/\"v1\""),
        ("if-none-match", "\"v0\", \"v1\""),
        ("if-none-match", "*"),
        ("if-modified-since", MODIFIED),
        ("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ] {
        let answer = bed.ask(&Ask::get("/a").header(name, value)).await;
        check(&answer, 304, "Hit", "");
        assert_eq!(answer.header("etag"), "\"v1\"");
        assert_eq!(answer.header("cache-control"), "max-age=60");
        assert_eq!(answer.header("age"), "5");
        assert_eq!(answer.header("content-length"), "");
        assert_eq!(answer.header("content-type"), "");
    }
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn a_viewer_that_has_something_else_gets_the_body() {
    let (_origin, bed) = stored().await;
    for (name, value) in [
        ("if-none-match", "\"v2\""),
        ("if-modified-since", "Tue, 30 Dec 2025 00:00:00 GMT"),
        ("if-modified-since", "yesterday"),
    ] {
        check(&bed.ask(&Ask::get("/a").header(name, value)).await, 200, "Hit", "one");
    }
    // If-None-Match decides alone where it is there: RFC 9110 section 13.1.3.
    let both = Ask::get("/a")
        .header("if-none-match", "\"v2\"")
        .header("if-modified-since", MODIFIED);
    check(&bed.ask(&both).await, 200, "Hit", "one");
}

#[tokio::test]
async fn a_connection_goes_on_after_304() {
    let (_origin, bed) = stored().await;
    let mut viewer = bed.viewer().await;
    let ask = Ask::get("/a").header("if-none-match", "\"v1\"");
    check(&viewer.ask(&ask).await, 304, "Hit", "");
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "one");
}

#[tokio::test]
async fn conditions_on_a_miss_are_kept_from_the_origin_and_answered_from_what_it_sends() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60).header("etag", "\"v1\""));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let answer = bed.ask(&Ask::get("/a").header("if-none-match", "\"v1\"")).await;
    check(&answer, 304, "Miss", "");
    assert_eq!(origin.only_request().header("if-none-match"), "");
    check(&bed.get("/a").await, 200, "Hit", "one");
}

#[tokio::test]
async fn a_covered_response_answers_no_condition() {
    let (origin, bed) = stored().await;
    bed.invalidate(&["/a"]).await;
    origin.reply("/a", Reply::ok("two").max_age(60).header("etag", "\"v2\""));
    let answer = bed.ask(&Ask::get("/a").header("if-none-match", "\"v1\"")).await;
    check(&answer, 200, "Miss", "two");
}
