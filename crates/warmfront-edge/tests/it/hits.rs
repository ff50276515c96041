use warmfront_testkit::{Ask, Origin, Reply, Site, Testbed};

use crate::check;

#[tokio::test]
async fn the_second_request_is_answered_from_the_cache_with_its_age() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::ok("one").max_age(60), Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;

    let miss = bed.get("/a").await;
    check(&miss, 200, "Miss", "one");
    assert_eq!(miss.header("x-cache"), "Miss from cloudfront");
    assert_eq!(miss.header("age"), "0");

    bed.advance(7);
    let hit = bed.get("/a").await;
    check(&hit, 200, "Hit", "one");
    assert_eq!(hit.header("x-cache"), "Hit from cloudfront");
    assert_eq!(hit.header("age"), "7");
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn what_the_origin_said_reaches_the_viewer_untouched() {
    let origin = Origin::start().await;
    let reply = Reply::ok("one")
        .header("cache-control", "public,  max-age=60, s-maxage=30, unknown=1")
        .header("x-of-the-origin", "kept")
        .header("date", "Thu, 01 Jan 2026 00:00:00 GMT")
        .header("via", "1.0 inner")
        .header("keep-alive", "timeout=5");
    origin.reply("/a", reply);
    let bed = Testbed::with(&Site::new(&origin)).await;
    for outcome in ["Miss", "Hit"] {
        let answer = bed.get("/a").await;
        check(&answer, 200, outcome, "one");
        assert_eq!(
            answer.header("cache-control"),
            "public,  max-age=60, s-maxage=30, unknown=1"
        );
        assert_eq!(answer.header("x-of-the-origin"), "kept");
        assert_eq!(answer.header("date"), "Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(answer.header("keep-alive"), "");
        assert_eq!(answer.headers.get_all("via").iter().count(), 1);
        assert_eq!(answer.headers.get_all("date").iter().count(), 1);
    }
}

#[tokio::test]
async fn every_answer_carries_cloudfronts_fields() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let answers = [
        bed.get("/a").await,
        bed.get("/a").await,
        bed.ask(&Ask::with_method("DELETE", "/a")).await,
    ];
    for answer in &answers {
        assert_eq!(answer.header("x-amz-cf-pop"), "IAD89-P3");
        let via = answer.header("via");
        assert!(
            via.starts_with("1.1 ") && via.ends_with(".cloudfront.net (CloudFront)"),
            "{via}"
        );
        assert_eq!(answer.header("x-amz-cf-id").len(), 56);
    }
    assert_ne!(answers[0].header("x-amz-cf-id"), answers[1].header("x-amz-cf-id"));
}

#[tokio::test]
async fn a_response_expires_by_the_clock_and_not_before() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::ok("one").max_age(60), Reply::ok("two").max_age(60)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    bed.advance(59);
    check(&bed.get("/a").await, 200, "Hit", "one");
    bed.advance(1);
    check(&bed.get("/a").await, 200, "Miss", "two");
}

#[tokio::test]
async fn time_spent_in_other_caches_counts() {
    let origin = Origin::start().await;
    origin.replies(
        "/a",
        [
            Reply::ok("one").max_age(60).header("age", "50"),
            Reply::ok("two").max_age(60),
        ],
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    assert_eq!(bed.get("/a").await.header("age"), "50");
    bed.advance(9);
    let hit = bed.get("/a").await;
    check(&hit, 200, "Hit", "one");
    assert_eq!(hit.header("age"), "59");
    bed.advance(1);
    check(&bed.get("/a").await, 200, "Miss", "two");
}

#[tokio::test]
async fn a_chunked_response_is_stored_and_then_has_a_length() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one ").then("two ").then("three").chunked().max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "one two three");
    let hit = bed.get("/a").await;
    check(&hit, 200, "Hit", "one two three");
    assert_eq!(hit.header("content-length"), "13");
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_stored() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").until_close().max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "Hit", "one");
}

#[tokio::test]
async fn an_empty_body_and_no_body_are_stored() {
    let origin = Origin::start().await;
    origin.reply("/empty", Reply::ok("").max_age(60));
    origin.reply("/none", Reply::status(204).max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    for (path, status) in [("/empty", 200), ("/none", 204)] {
        check(&bed.get(path).await, status, "Miss", "");
        check(&bed.get(path).await, status, "Hit", "");
    }
}

#[tokio::test]
async fn head_is_answered_from_a_stored_get() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("twelve bytes").chunked().max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    let mut viewer = bed.viewer().await;
    let head = viewer.ask(&Ask::head("/a")).await;
    check(&head, 200, "Hit", "");
    assert_eq!(head.header("content-length"), "12");
    // The connection is where it should be: nothing of a body follows.
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "twelve bytes");
    assert_eq!(origin.n_requests(), 1);
}

/// `curl -I` is how an edge is looked at: Miss, then Hit.
#[tokio::test]
async fn head_without_a_stored_response_fills_the_cache_as_get_does() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("twelve bytes").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    let head = viewer.ask(&Ask::head("/a")).await;
    check(&head, 200, "Miss", "");
    assert_eq!(head.header("content-length"), "12");
    assert_eq!(head.header("age"), "0");
    assert_eq!(origin.last_request().method, "GET");
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "twelve bytes");
    check(&viewer.ask(&Ask::head("/a")).await, 200, "Hit", "");
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn head_tells_no_length_that_is_not_known() {
    let origin = Origin::start().await;
    origin.reply(
        "/a",
        Reply::ok("twelve bytes").chunked().header("cache-control", "no-store"),
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    let head = bed.ask(&Ask::head("/a")).await;
    check(&head, 200, "Miss", "");
    assert_eq!(head.header("content-length"), "");
}

#[tokio::test]
async fn a_range_is_left_out_and_the_whole_answers() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("twelve bytes").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let ask = Ask::get("/a").header("range", "bytes=0-3");
    check(&bed.ask(&ask).await, 200, "Miss", "twelve bytes");
    assert_eq!(origin.only_request().header("range"), "");
    check(&bed.ask(&ask).await, 200, "Hit", "twelve bytes");
}
