//! How many fetches fill the cache from one origin at a time.

use std::time::Duration;

use warmfront_edge::{EdgeOptions, RefillLimits};
use warmfront_testkit::{Ask, Behavior, Gate, Origin, OriginSite, Reply, Site, Testbed, Tiers, edge_options};

use crate::{asked, check};

fn limited(fetches_max: usize, queue_max: usize, wait_max: Duration) -> RefillLimits {
    RefillLimits {
        fetches_max,
        queue_max,
        wait_max,
    }
}

const LONG: Duration = Duration::from_secs(3_600);

async fn start(site: &Site, refills: RefillLimits) -> Testbed {
    let mut options = edge_options();
    options.limits.refills = refills;
    let bed = Testbed::start(options).await;
    bed.write(site).await;
    bed
}

/// Returns once so many fetches wait for their turn.
async fn waiting(bed: &Testbed, n: usize) {
    let expected = format!("warmfront_refills_waiting{{pop=\"IAD89-P3\"}} {n}\n");
    while !bed.metrics().contains(&expected) {
        tokio::task::yield_now().await;
    }
}

/// All that was cached is asked for at once; hits are answered all the while.
#[tokio::test]
async fn after_an_invalidation_of_everything_the_origin_sees_no_more_than_the_limit_at_a_time() {
    const N: usize = 40;
    const LIMIT: usize = 4;
    let (origin, gate) = (Origin::start().await, Gate::new());
    let path = |number: usize| format!("/{number}");
    for number in 0..N {
        let new = Reply::ok("new").max_age(60).held(&gate);
        origin.replies(&path(number), [Reply::ok("old").max_age(60), new]);
    }
    origin.reply("/kept", Reply::ok("kept").max_age(60));
    let bed = start(&Site::new(&origin), limited(LIMIT, N, LONG)).await;
    for number in 0..N {
        bed.get(&path(number)).await;
    }
    let filled = origin.n_requests();
    bed.invalidate(&["/*"]).await;
    check(&bed.get("/kept").await, 200, "Miss", "kept");
    let mut viewers = Vec::new();
    for number in 0..N {
        viewers.push(asked(&bed, &path(number)).await);
    }
    gate.reached_by(LIMIT).await;
    waiting(&bed, N - LIMIT).await;
    assert_eq!(origin.n_requests(), filled + 1 + LIMIT);
    check(&bed.get("/kept").await, 200, "Hit", "kept");
    gate.open();
    for viewer in &mut viewers {
        check(&viewer.answer().await, 200, "Miss", "new");
    }
    assert_eq!(origin.n_requests(), filled + 1 + N);
    waiting(&bed, 0).await;
}

#[tokio::test]
async fn when_the_queue_is_full_the_answer_is_503_and_another_origin_does_not_notice() {
    let (slow, other, gate) = (Origin::start().await, Origin::start().await, Gate::new());
    for path in ["/a", "/b", "/c"] {
        slow.reply(path, Reply::ok("one").max_age(60).held(&gate));
    }
    other.reply("/other/a", Reply::ok("two").max_age(60));
    let site = Site::new(&slow)
        .origin(OriginSite::custom("other", other.port()))
        .behavior("/other/*", Behavior::to("other"));
    let mut options = edge_options();
    options.limits.refills = limited(1, 1, LONG);
    // Room for what is under way and one more: who waits takes up none of it.
    options.limits.fetches_max = 2;
    let bed = Testbed::start(options).await;
    bed.write(&site).await;
    let mut first = asked(&bed, "/a").await;
    gate.reached().await;
    let mut second = asked(&bed, "/b").await;
    waiting(&bed, 1).await;
    let refused = bed.get("/c").await;
    assert_eq!((refused.status, refused.x_cache()), (503, "Error"));
    assert_eq!(refused.header("retry-after"), "1");
    // Who wants the same as one that waits takes no place of its own.
    let mut third = asked(&bed, "/b").await;
    check(&bed.get("/other/a").await, 200, "Miss", "two");
    assert_eq!(slow.n_requests(), 1);
    gate.open();
    check(&first.answer().await, 200, "Miss", "one");
    check(&second.answer().await, 200, "Miss", "one");
    assert_eq!(third.answer().await.text(), "one");
    check(&bed.get("/c").await, 200, "Miss", "one");
}

#[tokio::test]
async fn who_waits_too_long_is_answered_503_or_stale_where_that_is_allowed() {
    let (origin, gate) = (Origin::start().await, Gate::new());
    origin.reply("/held", Reply::ok("held").max_age(60).held(&gate));
    let stale = Reply::ok("stale").header("cache-control", "max-age=10, stale-if-error=600");
    origin.replies("/stale", [stale, Reply::ok("new").max_age(60)]);
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = start(&Site::new(&origin), limited(1, 10, Duration::from_millis(20))).await;
    check(&bed.get("/stale").await, 200, "Miss", "stale");
    bed.advance(11);
    let mut held = asked(&bed, "/held").await;
    gate.reached().await;
    check(&bed.get("/stale").await, 200, "RefreshHit", "stale");
    assert_eq!(bed.get("/a").await.status, 503);
    assert_eq!(origin.n_requests(), 2);
    gate.open();
    held.answer().await;
    // The origin has not failed: it is asked at once.
    check(&bed.get("/stale").await, 200, "Miss", "new");
    check(&bed.get("/a").await, 200, "Miss", "one");
}

/// What goes past the cache is not a refill, and neither waits nor makes others wait.
#[tokio::test]
async fn what_is_not_to_be_cached_takes_no_turn() {
    let (origin, gate) = (Origin::start().await, Gate::new());
    origin.reply("/held", Reply::ok("held").max_age(60).held(&gate));
    origin.reply("/form", Reply::ok("done"));
    let site = Site::new(&origin).default_behavior(Behavior::to("web").all_methods());
    let bed = start(&site, limited(1, 0, LONG)).await;
    let mut held = asked(&bed, "/held").await;
    gate.reached().await;
    assert_eq!(bed.ask(&Ask::with_method("POST", "/form")).await.status, 200);
    gate.open();
    held.answer().await;
}

/// Going there itself would break the limit that the regional node keeps.
#[tokio::test]
async fn a_pop_does_not_go_past_a_regional_node_whose_origin_is_busy() {
    let (origin, gate) = (Origin::start().await, Gate::new());
    for path in ["/a", "/b"] {
        origin.reply(path, Reply::ok("one").max_age(60).held(&gate));
    }
    let tiers = Tiers::start_with(1, 1, |mut options: EdgeOptions| {
        options.limits.refills = limited(1, 0, LONG);
        options
    })
    .await;
    tiers.write(&Site::new(&origin)).await;
    let mut first = tiers.viewer(0).await;
    first.send(&Ask::get("/a")).await;
    gate.reached().await;
    let refused = tiers.get(0, "/b").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert_eq!(origin.n_requests(), 1);
    gate.open();
    check(&first.answer().await, 200, "Miss", "one");
}
