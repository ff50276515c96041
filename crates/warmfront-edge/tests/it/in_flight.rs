//! Fetches that an invalidation overtakes: what was asked before it is never kept, and answers nobody who came after it.

use warmfront_testkit::{Ask, Gate, Origin, Reply, Site, Testbed};

use crate::{asked, check};

/// The first request's head is held, the second is answered at once.
#[tokio::test]
async fn a_fetch_whose_head_comes_after_the_invalidation_is_not_kept_and_not_joined() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let old = Reply::ok("old").max_age(60).held(&gate);
    origin.replies("/a", [old, Reply::ok("new").max_age(60), Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let (mut early, mut late) = (bed.viewer().await, bed.viewer().await);

    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    bed.invalidate(&["/a"]).await;
    // It is answered although the first fetch hangs: so it did not wait for it.
    check(&late.ask(&Ask::get("/a")).await, 200, "Miss", "new");
    assert_eq!(origin.n_requests(), 2);

    gate.open();
    check(&early.answer().await, 200, "Miss", "old");
    check(&bed.get("/a").await, 200, "Hit", "new");
    assert_eq!(origin.n_requests(), 2);
}

/// As above, but nobody asks in between, so that only the late store itself could bring the old bytes back.
#[tokio::test]
async fn an_overtaken_fetch_does_not_fill_the_empty_cache() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let old = Reply::ok("old").max_age(60).held(&gate);
    origin.replies("/a", [old, Reply::ok("new").max_age(60)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut early = asked(&bed, "/a").await;
    gate.reached().await;
    bed.invalidate(&["/*"]).await;
    gate.open();
    check(&early.answer().await, 200, "Miss", "old");
    check(&bed.get("/a").await, 200, "Miss", "new");
}

#[tokio::test]
async fn a_fetch_whose_body_comes_after_the_invalidation_is_not_kept_and_not_joined() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let old = Reply::ok("o").then_wait(&gate).then("ld").max_age(60);
    origin.replies("/a", [old, Reply::ok("new").max_age(60)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut early = asked(&bed, "/a").await;
    let head = early.head().await.unwrap();
    gate.reached().await;
    bed.invalidate(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
    gate.open();
    let (body, truncated) = early.body(&head).await;
    assert_eq!((&body[..], truncated), (&b"old"[..], false));
    check(&bed.get("/a").await, 200, "Hit", "new");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn an_invalidation_of_something_else_overtakes_nothing() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let reply = Reply::ok("o").then_wait(&gate).then("ne").max_age(60);
    origin.replies("/a", [reply, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let (mut early, mut late) = (bed.viewer().await, bed.viewer().await);
    early.send(&Ask::get("/a")).await;
    let early_head = early.head().await.unwrap();
    gate.reached().await;
    bed.invalidate(&["/b", "/aa*"]).await;
    // The late one is given the beginning while the rest is still held back.
    late.send(&Ask::get("/a")).await;
    let late_head = late.head().await.unwrap();
    bed.invalidate(&["/b", "/aa*"]).await;
    gate.open();
    assert_eq!(&early.body(&early_head).await.0[..], b"one");
    assert_eq!(&late.body(&late_head).await.0[..], b"one");
    check(&bed.get("/a").await, 200, "Hit", "one");
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn a_304_that_an_invalidation_overtakes_confirms_nothing() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let stored = Reply::ok("old").max_age(60).header("etag", "\"v1\"");
    let confirmed = Reply::status(304).max_age(60).header("etag", "\"v1\"").held(&gate);
    let new = Reply::ok("new").max_age(60).header("etag", "\"v1\"");
    origin.replies("/a", [stored, confirmed, new, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    let mut early = asked(&bed, "/a").await;
    gate.reached().await;
    bed.invalidate(&["/a"]).await;
    gate.open();
    // It arrived before the invalidation, so the copy is still good for it; for nobody else.
    check(&early.answer().await, 200, "RefreshHit", "old");
    check(&bed.get("/a").await, 200, "Miss", "new");
    assert_eq!(origin.last_request().header("if-none-match"), "");
    check(&bed.get("/a").await, 200, "Hit", "new");
}

/// The new response is stored while the revalidation of the old one is under way; its 304 must not take the key back.
#[tokio::test]
async fn a_304_does_not_put_the_old_copy_in_the_place_of_a_newer_one() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let stored = Reply::ok("old").max_age(60).header("etag", "\"v1\"");
    let confirmed = Reply::status(304).max_age(60).header("etag", "\"v1\"").held(&gate);
    origin.replies(
        "/a",
        [stored, confirmed, Reply::ok("new").max_age(60), Reply::status(400)],
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    let mut early = asked(&bed, "/a").await;
    gate.reached().await;
    bed.invalidate(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Miss", "new");
    gate.open();
    check(&early.answer().await, 200, "RefreshHit", "old");
    check(&bed.get("/a").await, 200, "Hit", "new");
}

/// The request after the invalidation gets a fetch of its own although that one hangs too; the third joins the second.
#[tokio::test]
async fn those_after_the_invalidation_collapse_among_themselves() {
    let origin = Origin::start().await;
    let (first, second) = (Gate::new(), Gate::new());
    let old = Reply::ok("old").max_age(60).held(&first);
    let new = Reply::ok("new").max_age(60).held(&second);
    origin.replies("/a", [old, new, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut early = asked(&bed, "/a").await;
    first.reached().await;
    bed.invalidate(&["/a"]).await;
    let mut late = Vec::new();
    for _ in 0..10 {
        let viewer = asked(&bed, "/a").await;
        late.push(viewer);
    }
    second.reached().await;
    // The older fetch ends first; that changes nothing for those who wait for the newer.
    first.open();
    check(&early.answer().await, 200, "Miss", "old");
    second.open();
    for viewer in &mut late {
        assert_eq!(viewer.answer().await.text(), "new");
    }
    assert_eq!(origin.n_requests(), 2);
}
