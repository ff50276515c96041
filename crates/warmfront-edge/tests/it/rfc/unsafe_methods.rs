use warmfront_testkit::{Ask, Behavior, Gate, Origin, Reply, Site, Testbed};

use super::{bed, bed_with};
use crate::check;

/// GET gives one and then two, every other method the status.
fn script(origin: &Origin, path: &str, status: u16) {
    let mut n_gets = 0;
    origin.on(path, move |request| {
        if request.method != "GET" {
            return Reply::status(status);
        }
        n_gets += 1;
        Reply::ok(if n_gets == 1 { "one" } else { "two" }).max_age(60)
    });
}

#[tokio::test]
async fn an_unsafe_method_that_succeeds_invalidates_what_is_stored_for_its_url() {
    let origin = Origin::start().await;
    let bed = bed(&origin).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "M-SEARCH"] {
        let path = format!("/{method}");
        script(&origin, &path, 204);
        check(&bed.get(&path).await, 200, "Miss", "one");
        check(&bed.get(&path).await, 200, "Hit", "one");
        assert_eq!(bed.ask(&Ask::with_method(method, &path)).await.status, 204);
        check(&bed.get(&path).await, 200, "Miss", "two");
        check(&bed.get(&path).await, 200, "Hit", "two");
    }
}

#[tokio::test]
async fn one_that_fails_or_is_safe_invalidates_nothing() {
    let origin = Origin::start().await;
    let bed = bed(&origin).await;
    for (method, status) in [("POST", 500), ("POST", 404), ("OPTIONS", 200)] {
        let path = format!("/{method}{status}");
        script(&origin, &path, status);
        check(&bed.get(&path).await, 200, "Miss", "one");
        bed.ask(&Ask::with_method(method, &path)).await;
        check(&bed.get(&path).await, 200, "Hit", "one");
    }
}

#[tokio::test]
async fn location_and_content_location_are_invalidated_too_on_the_same_host() {
    let origin = Origin::start().await;
    for path in ["/new", "/latest", "/other"] {
        script(&origin, path, 200);
    }
    let reply = Reply::status(201)
        .header("location", "/new")
        .header("content-location", "latest");
    origin.reply("/list", reply);
    origin.reply(
        "/away",
        Reply::status(201).header("location", "http://elsewhere.example/other"),
    );
    let bed = bed(&origin).await;
    for path in ["/new", "/latest", "/other"] {
        check(&bed.get(path).await, 200, "Miss", "one");
    }
    bed.ask(&Ask::with_method("POST", "/list")).await;
    bed.ask(&Ask::with_method("POST", "/away")).await;
    check(&bed.get("/new").await, 200, "Miss", "two");
    check(&bed.get("/latest").await, 200, "Miss", "two");
    check(&bed.get("/other").await, 200, "Hit", "one");
}

/// Its response was made before the change, and must neither be joined nor found afterwards.
#[tokio::test]
async fn a_fetch_in_flight_from_before_is_of_no_use_afterwards() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let held = gate.clone();
    let mut n_gets = 0;
    origin.on("/a", move |request| {
        if request.method != "GET" {
            return Reply::status(204);
        }
        n_gets += 1;
        if n_gets == 1 {
            Reply::ok("one").max_age(60).held(&held)
        } else {
            Reply::ok("two").max_age(60)
        }
    });
    let bed = bed(&origin).await;
    let mut early = bed.viewer().await;
    early.send(&Ask::get("/a")).await;
    gate.reached_by(1).await;
    bed.ask(&Ask::with_method("DELETE", "/a")).await;
    check(&bed.get("/a").await, 200, "Miss", "two");
    gate.open();
    check(&early.answer().await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "Hit", "two");
}

#[tokio::test]
async fn every_variant_of_the_key_is_invalidated() {
    let origin = Origin::start().await;
    script(&origin, "/a", 204);
    let behavior = Behavior::to("web")
        .forwards(false, &["X-Variant"], &["c"])
        .all_methods();
    let bed = bed_with(&Site::new(&origin).default_behavior(behavior)).await;
    let ask = Ask::get("/a").header("x-variant", "1").header("cookie", "c=1");
    check(&bed.ask(&ask).await, 200, "Miss", "one");
    check(&bed.ask(&ask).await, 200, "Hit", "one");
    bed.ask(&Ask::with_method("POST", "/a?ignored=1")).await;
    check(&bed.ask(&ask).await, 200, "Miss", "two");
}

#[tokio::test]
async fn under_cloudfronts_rules_they_invalidate_nothing_and_other_methods_are_refused() {
    let origin = Origin::start().await;
    script(&origin, "/a", 204);
    let behavior = Behavior::to("web").all_methods();
    let bed = Testbed::with(&Site::new(&origin).default_behavior(behavior)).await;
    bed.get("/a").await;
    assert_eq!(bed.ask(&Ask::with_method("POST", "/a")).await.status, 204);
    check(&bed.get("/a").await, 200, "Hit", "one");
    assert_eq!(bed.ask(&Ask::with_method("M-SEARCH", "/a")).await.status, 403);
}
