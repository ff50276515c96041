use warmfront_testkit::{Ask, Behavior, Gate, Origin, Reply, Site, Testbed};

use super::{bed, bed_with};
use crate::check;

const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// Says what X-Color the request had.
fn script(origin: &Origin, path: &str) {
    origin.on(path, |request| {
        let color = request.header("x-color").to_owned();
        Reply::ok(color).max_age(60).header("vary", "X-Color")
    });
}

fn ask(color: &str) -> Ask {
    Ask::get("/a").header("x-color", color)
}

#[tokio::test]
async fn each_variant_answers_the_requests_that_agree_with_its_own() {
    let origin = Origin::start().await;
    script(&origin, "/a");
    let bed = bed(&origin).await;
    for color in ["red", "blue", "green"] {
        check(&bed.ask(&ask(color)).await, 200, "Miss", color);
    }
    check(&bed.get("/a").await, 200, "Miss", "");
    for color in ["red", "blue", "green"] {
        let answer = bed.ask(&ask(color).header("x-other", color)).await;
        check(&answer, 200, "Hit", color);
        assert_eq!(answer.header("vary"), "X-Color");
    }
    check(&bed.get("/a").await, 200, "Hit", "");
    assert_eq!(origin.n_requests(), 4);
}

#[tokio::test]
async fn what_the_origin_does_not_see_makes_no_variant() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60).header("vary", "Accept-Language"));
    // A policy that does not name it keeps it from the origin.
    let behavior = Behavior::to("web").cache_policy(CACHING_OPTIMIZED);
    let bed = bed_with(&Site::new(&origin).default_behavior(behavior)).await;
    check(
        &bed.ask(&Ask::get("/a").header("accept-language", "de")).await,
        200,
        "Miss",
        "one",
    );
    check(
        &bed.ask(&Ask::get("/a").header("accept-language", "en")).await,
        200,
        "Hit",
        "one",
    );
}

#[tokio::test]
async fn an_invalidation_covers_every_variant() {
    let origin = Origin::start().await;
    script(&origin, "/a");
    let bed = bed(&origin).await;
    for color in ["red", "blue"] {
        bed.ask(&ask(color)).await;
        check(&bed.ask(&ask(color)).await, 200, "Hit", color);
    }
    bed.invalidate(&["/a"]).await;
    for color in ["red", "blue"] {
        check(&bed.ask(&ask(color)).await, 200, "Miss", color);
    }
    bed.ask(&Ask::with_method("POST", "/a")).await;
    for color in ["red", "blue"] {
        check(&bed.ask(&ask(color)).await, 200, "Miss", color);
    }
}

/// Whoever waits for a fetch that turns out to be of another variant has one of its own; the fetch in flight is shared by
/// those of its variant.
#[tokio::test]
async fn a_fetch_in_flight_answers_its_own_variant_alone() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let held = gate.clone();
    origin.on("/a", move |request| {
        let color = request.header("x-color").to_owned();
        let reply = Reply::ok(color.clone()).max_age(60).header("vary", "X-Color");
        if color == "red" { reply.held(&held) } else { reply }
    });
    let bed = bed(&origin).await;
    let (mut red, mut also_red, mut blue) = (bed.viewer().await, bed.viewer().await, bed.viewer().await);
    red.send(&ask("red")).await;
    gate.reached_by(1).await;
    also_red.send(&ask("red")).await;
    blue.send(&ask("blue")).await;
    gate.open();
    check(&red.answer().await, 200, "Miss", "red");
    assert_eq!(also_red.answer().await.text(), "red");
    assert_eq!(blue.answer().await.text(), "blue");
    check(&bed.ask(&ask("blue")).await, 200, "Hit", "blue");
    check(&bed.ask(&ask("red")).await, 200, "Hit", "red");
}

#[tokio::test]
async fn an_expired_variant_is_confirmed_with_its_own_validator() {
    let origin = Origin::start().await;
    origin.on("/a", |request| {
        let tag = format!("\"{}\"", request.header("x-color"));
        let reply = if request.header("if-none-match") == tag {
            Reply::status(304)
        } else {
            Reply::ok(request.header("x-color").to_owned())
        };
        reply.max_age(60).header("vary", "X-Color").header("etag", &tag)
    });
    let bed = bed(&origin).await;
    for color in ["red", "blue"] {
        check(&bed.ask(&ask(color)).await, 200, "Miss", color);
    }
    bed.advance(60);
    for color in ["red", "blue"] {
        check(&bed.ask(&ask(color)).await, 200, "RefreshHit", color);
        check(&bed.ask(&ask(color)).await, 200, "Hit", color);
    }
}

#[tokio::test]
async fn when_responses_begin_or_cease_to_vary_the_newest_counts() {
    let origin = Origin::start().await;
    let varies = |body: &'static str| Reply::ok(body).max_age(60).header("vary", "X-Color");
    let replies = [
        Reply::ok("plain").max_age(60),
        varies("red"),
        varies("blue"),
        Reply::ok("plain again").max_age(60),
    ];
    origin.replies("/a", replies);
    let bed = bed(&origin).await;
    check(&bed.ask(&ask("red")).await, 200, "Miss", "plain");
    check(&bed.ask(&ask("blue")).await, 200, "Hit", "plain");
    bed.advance(60);
    check(&bed.ask(&ask("red")).await, 200, "Miss", "red");
    check(&bed.ask(&ask("blue")).await, 200, "Miss", "blue");
    check(&bed.ask(&ask("red")).await, 200, "Hit", "red");
    bed.advance(60);
    check(&bed.ask(&ask("red")).await, 200, "Miss", "plain again");
    check(&bed.ask(&ask("green")).await, 200, "Hit", "plain again");
}

#[tokio::test]
async fn beyond_64_variants_the_oldest_makes_place() {
    let origin = Origin::start().await;
    script(&origin, "/a");
    let bed = bed(&origin).await;
    for number in 0..=64 {
        let color = number.to_string();
        check(&bed.ask(&ask(&color)).await, 200, "Miss", &color);
    }
    check(&bed.ask(&ask("1")).await, 200, "Hit", "1");
    check(&bed.ask(&ask("64")).await, 200, "Hit", "64");
    check(&bed.ask(&ask("0")).await, 200, "Miss", "0");
}

#[tokio::test]
async fn a_vary_on_everything_is_not_stored() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60).header("vary", "X-Color, *"));
    let bed = bed(&origin).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "Miss", "one");
}

#[tokio::test]
async fn a_header_of_the_key_needs_no_variants() {
    let origin = Origin::start().await;
    script(&origin, "/a");
    let behavior = Behavior::to("web").forwards(false, &["X-Color"], &[]);
    let bed: Testbed = bed_with(&Site::new(&origin).default_behavior(behavior)).await;
    check(&bed.ask(&ask("red")).await, 200, "Miss", "red");
    check(&bed.ask(&ask("blue")).await, 200, "Miss", "blue");
    check(&bed.ask(&ask("red")).await, 200, "Hit", "red");
}
