//! POPs under regional nodes: what they ask each other, and what they believe.

use std::time::Duration;

use warmfront_edge::{Edge, EdgeOptions};
use warmfront_journal::{Expected, Journal, Write};
use warmfront_testkit::{Ask, Gate, Origin, Reply, Site, Tiers, Viewer, applied, metrics};

use crate::{check, counting};

#[tokio::test]
async fn a_regional_hit_is_a_hit_of_the_pop_that_answers() {
    let origin = counting().await;
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    tiers.advance(7);
    let second = tiers.get(1, "/a").await;
    check(&second, 200, "Hit", "1");
    assert_eq!(second.header("x-amz-cf-pop"), "POP1");
    assert_eq!(second.header("age"), "7");
    let ours: Vec<_> = second
        .headers
        .keys()
        .filter(|name| name.as_str().starts_with("x-warmfront-"))
        .collect();
    assert!(ours.is_empty(), "{ours:?}");
    assert_eq!(second.headers.get_all("via").iter().count(), 1);
    check(&tiers.get(1, "/a").await, 200, "Hit", "1");
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn what_came_by_a_regional_node_is_fresh_for_no_longer_than_there() {
    let origin = Origin::start().await;
    let mut n = 0;
    origin.on("/a", move |_| {
        n += 1;
        // Nothing is said, so DefaultTTL holds: from when the origin was asked, and not from when the POP was told.
        Reply::ok(n.to_string())
    });
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    tiers.advance(86_390);
    check(&tiers.get(1, "/a").await, 200, "Hit", "1");
    tiers.advance(10);
    check(&tiers.get(1, "/a").await, 200, "Miss", "2");
}

#[tokio::test]
async fn an_invalidation_is_for_both_tiers() {
    let origin = counting().await;
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    tiers.invalidate(&["/a"]).await;
    check(&tiers.get(1, "/a").await, 200, "Miss", "2");
    check(&tiers.get(0, "/a").await, 200, "Hit", "2");
}

/// Invalidates `/a` while one watch stands still; returns when `knowing` have taken it in.
async fn invalidate_unseen(tiers: &Tiers, watch: usize, knowing: &[&Edge]) {
    tiers.journal.hold_watch(watch);
    let revision = tiers.commit_invalidation(&["/a"]).await;
    for node in knowing {
        applied(node, revision).await;
    }
}

/// Were it not for the min-epoch, the regional node's old response would come back, and with the POP's own stamp on it.
#[tokio::test]
async fn a_regional_node_that_lags_says_so_and_the_origin_is_asked() {
    let origin = counting().await;
    let tiers = Tiers::with(1, 1, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    invalidate_unseen(&tiers, 0, &[&tiers.pops[0]]).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "2");
    check(&tiers.get(0, "/a").await, 200, "Hit", "2");
    tiers.journal.release_watches();
    tiers.settled().await;
    check(&tiers.get(0, "/a").await, 200, "Hit", "2");
}

#[tokio::test]
async fn a_regional_node_that_lags_catches_up_if_it_can() {
    let origin = counting().await;
    let patient = |mut options: warmfront_edge::EdgeOptions| {
        options.limits.catch_up = Duration::from_secs(600);
        options
    };
    let tiers = Tiers::start_with(1, 2, patient).await;
    tiers.write(&Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    invalidate_unseen(&tiers, 0, &[&tiers.pops[0]]).await;
    let mut viewer = tiers.viewer(0).await;
    viewer.send(&Ask::get("/a")).await;
    tiers.journal.release_watches();
    check(&viewer.answer().await, 200, "Miss", "2");
    // It came through the regional node, which has it now.
    tiers.settled().await;
    check(&tiers.get(1, "/a").await, 200, "Hit", "2");
}

/// The POP lags, the regional node does not: what it gives has its own, newer as-of, and is used.
#[tokio::test]
async fn a_pop_that_lags_takes_what_is_newer() {
    let origin = counting().await;
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    invalidate_unseen(&tiers, 1, &[&tiers.regionals[0], &tiers.pops[1]]).await;
    check(&tiers.get(1, "/a").await, 200, "Miss", "2");
    check(&tiers.get(0, "/a").await, 200, "Hit", "1");
    tiers.journal.release_watches();
    tiers.settled().await;
    check(&tiers.get(0, "/a").await, 200, "Hit", "2");
    assert_eq!(origin.n_requests(), 2);
}

/// A slow parent: the answer that it gives was fetched before the invalidation that the POP learns of while it waits.
#[tokio::test]
async fn what_an_invalidation_overtakes_on_its_way_up_is_asked_for_again() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let old = Reply::ok("old").max_age(60).held(&gate);
    origin.replies("/a", [old, Reply::ok("new").max_age(60), Reply::status(400)]);
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    let mut early = tiers.viewer(0).await;
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    tiers.invalidate(&["/a"]).await;
    // Someone who comes later waits for nothing that began before.
    check(&tiers.get(1, "/a").await, 200, "Miss", "new");
    gate.open();
    // The early one may have either; it gets the newer.
    check(&early.answer().await, 200, "Hit", "new");
    check(&tiers.get(0, "/a").await, 200, "Hit", "new");
    check(&tiers.get(1, "/a").await, 200, "Hit", "new");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn a_regional_node_that_is_gone_is_done_without() {
    let origin = counting().await;
    let mut tiers = Tiers::with(1, 1, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    tiers.invalidate(&["/a"]).await;
    tiers.regionals.remove(0).shutdown().await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "2");
}

#[tokio::test]
async fn another_regional_node_takes_the_place_of_one_that_is_gone() {
    let origin = Origin::start().await;
    origin.on("/1", |_| Reply::ok("1").max_age(600));
    let mut tiers = Tiers::with(2, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/1").await, 200, "Miss", "1");
    tiers.regionals.remove(0).shutdown().await;
    tiers.invalidate(&["/1"]).await;
    check(&tiers.get(0, "/1").await, 200, "Miss", "1");
    // Whichever of the two had it: the one that is left has it now.
    check(&tiers.get(1, "/1").await, 200, "Hit", "1");
    assert_eq!(origin.n_requests(), 2);
}

/// A counter of a node's without labels of its own.
fn count(node: &Edge, name: &str) -> u64 {
    let text = metrics(node);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once("} "));
    line.unwrap().1.parse().unwrap()
}

/// What both tiers have is confirmed between them as it is with the origin: the body does not travel again.
#[tokio::test]
async fn an_expired_copy_that_is_unchanged_costs_a_304_between_the_tiers_too() {
    const BODY_BYTES: u64 = 20_000;
    let origin = Origin::start().await;
    let body = "x".repeat(BODY_BYTES as usize);
    let page = Reply::ok(body.clone()).max_age(10).header("etag", "\"1\"");
    let unchanged = Reply::status(304).max_age(10).header("etag", "\"1\"");
    origin.replies("/a", [page, unchanged, Reply::status(400)]);
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", &body);
    check(&tiers.get(1, "/a").await, 200, "Hit", &body);
    tiers.advance(11);
    let sent = || count(&tiers.regionals[0], "warmfront_sent_bytes_total{");
    // A core counts what it has sent after the viewer may have it.
    while sent() < 2 * BODY_BYTES {
        tokio::task::yield_now().await;
    }
    let before = sent();
    check(&tiers.get(0, "/a").await, 200, "RefreshHit", &body);
    check(&tiers.get(1, "/a").await, 200, "Hit", &body);
    assert!(sent() - before < BODY_BYTES, "{} after {before}", sent());
    assert_eq!(origin.n_requests(), 2, "the other POP was told by the regional node");
    check(&tiers.get(1, "/a").await, 200, "Hit", &body);
}

/// It knows nothing of the past, and so asks for nothing older than its start. What its region has is no older: nothing that
/// has been invalidated since covers it.
#[tokio::test]
async fn a_pop_that_has_just_started_gets_what_its_region_has() {
    let origin = counting().await;
    let mut tiers = Tiers::with(1, 1, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    let written = Write::Put("whatever".into());
    let later = tiers.journal.commit("note/1", written, Expected::Any).await;
    tiers.applied(later.unwrap()).await;
    let started = tiers.node(tiers.pop_options(1)).await;
    tiers.pops.push(started);
    check(&tiers.get(1, "/a").await, 200, "Hit", "1");
    assert_eq!(origin.n_requests(), 1);
}

/// Its connections are gone with it, and whatever it knew; POPs neither fail nor believe more than they may.
#[tokio::test]
async fn a_regional_node_that_was_killed_and_started_again_is_asked_again() {
    let origin = Origin::start().await;
    for path in ["/a", "/b"] {
        origin.counts(path, 86_400);
    }
    let mut tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    let address = tiers.regionals[0].http();
    tiers.regionals.remove(0).kill().await;
    tiers.invalidate(&["/a"]).await;
    let again = EdgeOptions {
        http: address,
        ..tiers.regional_options(0)
    };
    let again = tiers.node(again).await;
    tiers.regionals.push(again);
    tiers.settled().await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "2");
    check(&tiers.get(0, "/a").await, 200, "Hit", "2");
    check(&tiers.get(0, "/b").await, 200, "Miss", "1");
    check(&tiers.get(1, "/b").await, 200, "Hit", "1");
}

/// The tag is in the answer that was under way when it was invalidated, and neither tier could know.
#[tokio::test]
async fn a_tag_that_arrives_late_is_found_through_both_tiers() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let tagged = |body: &str| Reply::ok(body.to_owned()).max_age(600).header("cache-tag", "x");
    origin.replies("/a", [tagged("old").held(&gate), tagged("new")]);
    let tiers = Tiers::with(1, 2, &Site::new(&origin).cache_tag_header("Cache-Tag")).await;
    let mut early = tiers.viewer(0).await;
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    tiers.invalidate(&["#x"]).await;
    let mut later = Vec::new();
    for pop in 0..2 {
        let mut viewer = tiers.viewer(pop).await;
        viewer.send(&Ask::get("/a")).await;
        later.push(viewer);
    }
    gate.open();
    assert_eq!(early.answer().await.status, 200, "it may have either");
    for mut viewer in later {
        assert_eq!(viewer.answer().await.text(), "new");
    }
    for pop in 0..2 {
        check(&tiers.get(pop, "/a").await, 200, "Hit", "new");
    }
}

/// The origin says of the old version that it is unchanged; by the time that arrives, it is invalidated.
#[tokio::test]
async fn a_revalidation_that_is_overtaken_confirms_nothing_in_either_tier() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let page = |body: &str, etag: &str| Reply::ok(body.to_owned()).max_age(10).header("etag", etag);
    let unchanged = Reply::status(304).max_age(600).header("etag", "\"1\"").held(&gate);
    origin.replies("/a", [page("old", "\"1\""), unchanged, page("new", "\"2\"")]);
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "old");
    check(&tiers.get(1, "/a").await, 200, "Hit", "old");
    tiers.advance(11);
    let mut early = tiers.viewer(0).await;
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    tiers.invalidate(&["/a"]).await;
    let mut later = tiers.viewer(1).await;
    later.send(&Ask::get("/a")).await;
    gate.open();
    assert_eq!(early.answer().await.status, 200, "it may have either");
    assert_eq!(later.answer().await.text(), "new");
    for pop in 0..2 {
        check(&tiers.get(pop, "/a").await, 200, "Hit", "new");
    }
}

#[tokio::test]
async fn an_origin_that_fails_a_regional_node_is_not_asked_again() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::hang_up(), Reply::status(400)]);
    let tiers = Tiers::with(1, 1, &Site::new(&origin)).await;
    assert_eq!(tiers.get(0, "/a").await.status, 502);
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn nobody_but_a_child_is_answered_between_the_tiers() {
    let origin = counting().await;
    let tiers = Tiers::with(1, 1, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    let mut viewer = Viewer::connect(tiers.regionals[0].http()).await;
    assert_eq!(viewer.ask(&Ask::get("/a")).await.status, 403);
    let forged = Ask::get("/a")
        .header("x-warmfront-seal", &"0".repeat(64))
        .header("x-warmfront-min-epoch", "0-0");
    assert_eq!(viewer.ask(&forged).await.status, 403);
    assert_eq!(origin.n_requests(), 1);
}

/// What only tiers may say is taken out of what viewers and origins say, so it cannot make anything newer or older.
#[tokio::test]
async fn viewers_and_origins_cannot_speak_for_a_tier() {
    let origin = Origin::start().await;
    let mut n = 0;
    origin.on("/a", move |_| {
        n += 1;
        Reply::ok(n.to_string())
            .max_age(600)
            .header("x-warmfront-as-of", "ffffffffffffffff-999999999")
    });
    let tiers = Tiers::with(1, 1, &Site::new(&origin)).await;
    let ask = Ask::get("/a")
        .header("x-warmfront-min-epoch", "ffffffffffffffff-999999999")
        .header("x-warmfront-viewer", "192.0.2.1 https HTTP/2.0 public");
    let answer = tiers.viewer(0).await.ask(&ask).await;
    check(&answer, 200, "Miss", "1");
    assert_eq!(answer.header("x-warmfront-as-of"), "");
    let request = origin.only_request();
    assert_eq!(request.header("x-warmfront-min-epoch"), "");
    assert_eq!(request.header("x-warmfront-viewer"), "");
    assert_eq!(request.header("x-forwarded-for"), "127.0.0.1");
    tiers.invalidate(&["/a"]).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "2");
}

#[tokio::test]
async fn methods_that_are_not_cached_go_to_the_origin_directly() {
    let origin = Origin::start().await;
    origin.on("/a", |_| Reply::ok("posted"));
    let site = Site::new(&origin).default_behavior(warmfront_testkit::Behavior::to("web").all_methods());
    let tiers = Tiers::with(1, 1, &site).await;
    let answer = tiers
        .viewer(0)
        .await
        .ask(&Ask::with_method("POST", "/a").body("x"))
        .await;
    check(&answer, 200, "Miss", "posted");
    // One Via: the POP's alone.
    assert_eq!(origin.only_request().header("via").matches("cloudfront.net").count(), 1);
}

/// The origin answers the one fetch only when every viewer's request has been sent, so that all of them meet it.
#[tokio::test]
async fn a_thousand_viewers_of_two_pops_cost_the_origin_one_fetch_after_an_invalidation() {
    const VIEWERS: usize = 1_000;
    let origin = Origin::start().await;
    let gate = Gate::new();
    let new = Reply::ok("new").max_age(600).held(&gate);
    origin.replies("/a", [Reply::ok("old").max_age(600), new, Reply::status(400)]);
    let tiers = Tiers::with(1, 2, &Site::new(&origin)).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "old");
    check(&tiers.get(1, "/a").await, 200, "Hit", "old");
    tiers.invalidate(&["/*"]).await;
    let mut viewers = Vec::with_capacity(VIEWERS);
    for number in 0..VIEWERS {
        let mut viewer = tiers.viewer(number % 2).await;
        viewer.send(&Ask::get("/a")).await;
        viewers.push(viewer);
    }
    gate.reached().await;
    gate.open();
    for mut viewer in viewers {
        assert_eq!(viewer.answer().await.text(), "new");
    }
    assert_eq!(origin.n_requests(), 2, "one before the invalidation, one after");
}
