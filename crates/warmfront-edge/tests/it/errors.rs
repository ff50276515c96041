//! Errors that the origin answers with are responses like any other, kept for a while of their own.

use warmfront_testkit::{Origin, Reply, Site, Testbed};

use crate::check;

#[tokio::test]
async fn an_error_is_kept_for_ten_seconds_where_nothing_else_is_configured() {
    for status in [403, 404, 500, 503] {
        let origin = Origin::start().await;
        origin.replies(
            "/a",
            [Reply::status(status).then("gone"), Reply::ok("back").max_age(60)],
        );
        let bed = Testbed::with(&Site::new(&origin)).await;
        check(&bed.get("/a").await, status, "Error", "gone");
        bed.advance(9);
        check(&bed.get("/a").await, status, "Error", "gone");
        assert_eq!(origin.n_requests(), 1, "{status}");
        bed.advance(1);
        check(&bed.get("/a").await, 200, "Miss", "back");
    }
}

#[tokio::test]
async fn an_error_is_kept_for_its_error_caching_min_ttl() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::status(404), Reply::ok("back").max_age(60)]);
    origin.replies("/b", [Reply::status(503), Reply::ok("back").max_age(60)]);
    let bed = Testbed::with(&Site::new(&origin).error_caching(404, 300).error_caching(503, 0)).await;
    assert_eq!(bed.get("/a").await.status, 404);
    assert_eq!(bed.get("/b").await.status, 503);
    check(&bed.get("/b").await, 200, "Miss", "back");
    bed.advance(299);
    assert_eq!(bed.get("/a").await.status, 404);
    bed.advance(1);
    check(&bed.get("/a").await, 200, "Miss", "back");
}

#[tokio::test]
async fn an_invalidation_clears_a_kept_error() {
    let origin = Origin::start().await;
    for (path, status) in [("/a", 403), ("/b", 404)] {
        origin.replies(path, [Reply::status(status), Reply::ok("back").max_age(60)]);
    }
    let bed = Testbed::with(&Site::new(&origin)).await;
    assert_eq!(bed.get("/a").await.status, 403);
    assert_eq!(bed.get("/b").await.status, 404);
    bed.invalidate(&["/a", "/b*"]).await;
    check(&bed.get("/a").await, 200, "Miss", "back");
    check(&bed.get("/b").await, 200, "Miss", "back");
}

/// The origin's 4xx is its word: an expired copy does not hide it.
#[tokio::test]
async fn a_404_takes_the_place_of_an_expired_copy() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::ok("one").max_age(60), Reply::status(404).then("gone")]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    check(&bed.get("/a").await, 404, "Error", "gone");
    check(&bed.get("/a").await, 404, "Error", "gone");
    assert_eq!(origin.n_requests(), 2);
}
