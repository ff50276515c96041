use warmfront_testkit::{Ask, Origin, Reply, Site, Testbed};

use super::bed;
use crate::check;

fn ask(cache_control: &str) -> Ask {
    Ask::get("/a").header("cache-control", cache_control)
}

#[tokio::test]
async fn no_cache_asks_the_origin_with_the_stored_validator() {
    let origin = Origin::start().await;
    let mut n_asked = 0;
    origin.on("/a", move |request| {
        n_asked += 1;
        match request.header("if-none-match") {
            "\"1\"" => Reply::status(304).header("x-asked", &n_asked.to_string()),
            _ => Reply::ok("one").max_age(60).header("etag", "\"1\""),
        }
    });
    let bed = bed(&origin).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.ask(&ask("no-cache")).await, 200, "RefreshHit", "one");
    check(&bed.ask(&ask("max-age=0")).await, 200, "RefreshHit", "one");
    check(
        &bed.ask(&Ask::get("/a").header("pragma", "no-cache")).await,
        200,
        "RefreshHit",
        "one",
    );
    check(&bed.get("/a").await, 200, "Hit", "one");
    assert_eq!(origin.n_requests(), 4);
}

#[tokio::test]
async fn age_and_freshness_are_judged_as_the_viewer_asks() {
    let origin = Origin::start().await;
    origin.replies("/a", ["one", "two", "three"].map(|body| Reply::ok(body).max_age(60)));
    let bed = bed(&origin).await;
    bed.get("/a").await;
    bed.advance(20);
    check(&bed.ask(&ask("max-age=20")).await, 200, "Hit", "one");
    check(&bed.ask(&ask("min-fresh=40")).await, 200, "Hit", "one");
    check(&bed.ask(&ask("max-age=19")).await, 200, "Miss", "two");
    check(&bed.ask(&ask("min-fresh=61")).await, 200, "Miss", "three");
    bed.advance(70);
    check(&bed.ask(&ask("max-stale=10")).await, 200, "Hit", "three");
    assert_eq!(origin.n_requests(), 3);
}

#[tokio::test]
async fn only_if_cached_never_asks_the_origin() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = bed(&origin).await;
    let refused = bed.ask(&ask("only-if-cached")).await;
    assert_eq!((refused.status, refused.x_cache()), (504, "Error"));
    assert_eq!(origin.n_requests(), 0);
    bed.get("/a").await;
    check(&bed.ask(&ask("only-if-cached")).await, 200, "Hit", "one");
}

#[tokio::test]
async fn no_store_keeps_nothing_of_the_answer() {
    let origin = Origin::start().await;
    origin.replies("/a", ["one", "two"].map(|body| Reply::ok(body).max_age(60)));
    let bed = bed(&origin).await;
    check(&bed.ask(&ask("no-store")).await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "Miss", "two");
    check(&bed.ask(&ask("no-store")).await, 200, "Hit", "two");
}

#[tokio::test]
async fn cloudfront_does_not_listen_to_viewers() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    for directive in ["no-cache", "max-age=0", "no-store"] {
        check(&bed.ask(&ask(directive)).await, 200, "Hit", "one");
    }
    assert_eq!(origin.n_requests(), 1);
}
