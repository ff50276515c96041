//! Invalidations whose covered responses are confirmed by the origin where they have not changed.

use warmfront_testkit::{Gate, Origin, Reply, Site, Testbed};

use crate::{asked, check};

fn page(body: &'static str, etag: &str) -> Reply {
    Reply::ok(body).max_age(60).header("etag", etag)
}

fn unchanged(etag: &str) -> Reply {
    Reply::status(304).max_age(60).header("etag", etag)
}

async fn cached(replies: impl IntoIterator<Item = Reply>) -> (Origin, Testbed) {
    let origin = Origin::start().await;
    origin.replies("/a", replies);
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "old");
    (origin, bed)
}

#[tokio::test]
async fn what_has_not_changed_costs_a_304_and_is_good_again() {
    let (origin, bed) = cached([page("old", "\"1\""), unchanged("\"1\""), Reply::status(400)]).await;
    bed.revalidate(&["/*"]).await;
    check(&bed.get("/a").await, 200, "RefreshHit", "old");
    assert_eq!(origin.last_request().header("if-none-match"), "\"1\"");
    check(&bed.get("/a").await, 200, "Hit", "old");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn what_has_changed_is_replaced() {
    let (origin, bed) = cached([page("old", "\"1\""), page("new", "\"2\""), Reply::status(400)]).await;
    bed.revalidate(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
    assert_eq!(origin.last_request().header("if-none-match"), "\"1\"");
    check(&bed.get("/a").await, 200, "Hit", "new");
}

#[tokio::test]
async fn a_response_without_validators_is_fetched_anew() {
    let (origin, bed) = cached([Reply::ok("old").max_age(60), Reply::ok("new").max_age(60)]).await;
    bed.revalidate(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
    assert_eq!(origin.last_request().header("if-none-match"), "");
}

#[tokio::test]
async fn one_invalidation_that_wants_a_fetch_is_enough() {
    for last_is_gentle in [false, true] {
        let (origin, bed) = cached([page("old", "\"1\""), page("new", "\"1\"")]).await;
        if last_is_gentle {
            bed.invalidate(&["/a"]).await;
            bed.revalidate(&["/*"]).await;
        } else {
            bed.revalidate(&["/*"]).await;
            bed.invalidate(&["/a"]).await;
        }
        check(&bed.get("/a").await, 200, "Miss", "new");
        assert_eq!(origin.last_request().header("if-none-match"), "");
    }
}

/// Not confirmed is not good: a covered response never stands in for a failing origin.
#[tokio::test]
async fn a_covered_copy_stands_in_for_nothing() {
    for failure in [Reply::hang_up(), Reply::status(503)] {
        let stored = page("old", "\"1\"").header("cache-control", "max-age=60, stale-if-error=600");
        let (_origin, bed) = cached([stored, failure]).await;
        bed.revalidate(&["/a"]).await;
        let answer = bed.get("/a").await;
        assert!(answer.status >= 500, "{}", answer.status);
        assert_ne!(answer.text(), "old");
    }
}

/// The 304 was asked for before the second invalidation.
#[tokio::test]
async fn a_confirmation_that_is_overtaken_confirms_nothing() {
    let gate = Gate::new();
    let replies = [
        page("old", "\"1\""),
        unchanged("\"1\"").held(&gate),
        page("new", "\"1\""),
    ];
    let (origin, bed) = cached(replies).await;
    bed.revalidate(&["/a"]).await;
    let mut early = asked(&bed, "/a").await;
    gate.reached().await;
    bed.invalidate(&["/a"]).await;
    gate.open();
    check(&early.answer().await, 200, "RefreshHit", "old");
    check(&bed.get("/a").await, 200, "Miss", "new");
    assert_eq!(origin.n_requests(), 3);
}

/// The origin sees one fetch, whatever the number of viewers.
#[tokio::test]
async fn after_an_invalidation_of_everything_a_busy_object_is_asked_for_once() {
    const VIEWERS: usize = 200;
    for gentle in [false, true] {
        let gate = Gate::new();
        let refill = if gentle {
            unchanged("\"1\"")
        } else {
            page("new", "\"2\"")
        };
        let (origin, bed) = cached([page("old", "\"1\""), refill.held(&gate), Reply::status(400)]).await;
        if gentle {
            bed.revalidate(&["/*"]).await;
        } else {
            bed.invalidate(&["/*"]).await;
        }
        let mut viewers = Vec::new();
        for _ in 0..VIEWERS {
            let viewer = asked(&bed, "/a").await;
            viewers.push(viewer);
        }
        gate.reached().await;
        gate.open();
        for mut viewer in viewers {
            let answer = viewer.answer().await;
            assert_eq!((answer.status, answer.text() == "old"), (200, gentle));
        }
        assert_eq!(origin.n_requests(), 2);
    }
}
