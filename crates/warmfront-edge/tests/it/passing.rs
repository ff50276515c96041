//! What goes to the origin whatever the cache holds.

use bytes::Bytes;
use warmfront_testkit::{Ask, Behavior, Gate, Origin, Reply, Site, Testbed};

use crate::check;

const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

async fn with_behavior(behavior: Behavior) -> (Origin, Testbed) {
    let origin = Origin::start().await;
    let bed = Testbed::with(&Site::new(&origin).default_behavior(behavior)).await;
    (origin, bed)
}

#[tokio::test]
async fn caching_disabled_passes_everything() {
    let (origin, bed) = with_behavior(Behavior::to("web").cache_policy(CACHING_DISABLED)).await;
    origin.reply("/a", Reply::ok("one").max_age(60).header("etag", "\"v1\""));
    for n in 1..=3 {
        let answer = bed.get("/a").await;
        check(&answer, 200, "Miss", "one");
        assert_eq!(answer.header("cache-control"), "max-age=60");
        assert_eq!(origin.n_requests(), n);
    }
}

#[tokio::test]
async fn ttls_of_zero_pass_everything() {
    let (origin, bed) = with_behavior(Behavior::to("web").ttl(0, 0, 0)).await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.get("/a").await, 200, "Miss", "one");
}

#[tokio::test]
async fn conditions_and_ranges_go_along_where_nothing_is_cached() {
    let (origin, bed) = with_behavior(Behavior::to("web").cache_policy(CACHING_DISABLED)).await;
    origin.reply("/a", Reply::status(304).header("etag", "\"v1\""));
    let ask = Ask::get("/a")
        .header("if-none-match", "\"v1\"")
        .header("range", "bytes=0-1");
    let answer = bed.ask(&ask).await;
    check(&answer, 304, "Miss", "");
    assert_eq!(origin.only_request().header("if-none-match"), "\"v1\"");
    assert_eq!(origin.only_request().header("range"), "bytes=0-1");
}

#[tokio::test]
async fn a_post_goes_to_the_origin_with_its_body_and_is_not_stored() {
    let (origin, bed) = with_behavior(Behavior::to("web").all_methods()).await;
    origin.on("/a", |request| {
        Reply::ok(format!("{} {}", request.method, String::from_utf8_lossy(&request.body))).max_age(60)
    });
    let post = Ask::with_method("POST", "/a")
        .header("content-type", "text/plain")
        .body("hello");
    check(&bed.ask(&post).await, 200, "Miss", "POST hello");
    assert_eq!(origin.last_request().header("content-type"), "text/plain");
    check(&bed.ask(&post).await, 200, "Miss", "POST hello");
    check(&bed.get("/a").await, 200, "Miss", "GET ");
    check(&bed.get("/a").await, 200, "Hit", "GET ");
    check(&bed.ask(&post).await, 200, "Miss", "POST hello");
}

#[tokio::test]
async fn a_chunked_post_and_one_of_a_megabyte_reach_the_origin_whole() {
    let (origin, bed) = with_behavior(Behavior::to("web").all_methods()).await;
    origin.on("/a", |request| Reply::ok(request.body.len().to_string()));
    let large = Ask::with_method("PUT", "/a").body(Bytes::from(vec![7; 1024 * 1024]));
    check(&bed.ask(&large).await, 200, "Miss", "1048576");
    let mut viewer = bed.viewer().await;
    let chunked =
        "POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    viewer.send_raw(chunked.as_bytes()).await;
    check(&viewer.answer().await, 200, "Miss", "5");
}

#[tokio::test]
async fn a_viewer_that_expects_100_is_told_to_go_on() {
    let (origin, bed) = with_behavior(Behavior::to("web").all_methods()).await;
    origin.on("/a", |request| Reply::ok(request.body.clone()));
    let mut viewer = bed.viewer().await;
    let head = "PUT /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    viewer.send_raw(head.as_bytes()).await;
    viewer.send_raw(b"abc").await;
    check(&viewer.answer().await, 200, "Miss", "abc");
    assert_eq!(origin.only_request().header("expect"), "");
}

#[tokio::test]
async fn a_passed_body_streams_and_breaks_off_with_the_origins() {
    let (origin, bed) = with_behavior(Behavior::to("web").cache_policy(CACHING_DISABLED)).await;
    let gate = Gate::new();
    let reply = Reply::ok("first, ").then_wait(&gate).then("second").chunked();
    origin.replies("/a", [reply, Reply::ok("par").content_length(9).then_close()]);
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/a")).await;
    let head = viewer.head().await.unwrap();
    gate.open();
    assert_eq!(&viewer.body(&head).await.0[..], b"first, second");
    let broken = bed.get("/a").await;
    assert_eq!((broken.status, broken.truncated), (200, true));
}

#[tokio::test]
async fn a_viewer_that_leaves_ends_what_is_passed_to_it() {
    let (origin, bed) = with_behavior(Behavior::to("web").cache_policy(CACHING_DISABLED)).await;
    origin.reply("/a", Reply::silence());
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/a")).await;
    origin.received(1).await;
    drop(viewer);
    origin.broken_off(1).await;
}
