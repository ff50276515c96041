//! What the origin sees of a request, and which requests share a response.

use warmfront_testkit::{Ask, Behavior, Origin, OriginSite, Reply, Site, Testbed};

use crate::check;

const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

async fn with_behavior(behavior: Behavior) -> (Origin, Testbed) {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin).default_behavior(behavior)).await;
    (origin, bed)
}

#[tokio::test]
async fn a_query_string_that_is_not_in_the_key_is_not_sent() {
    let (origin, bed) = with_behavior(Behavior::to("web")).await;
    check(&bed.get("/a?x=1").await, 200, "Miss", "one");
    check(&bed.get("/a?x=2").await, 200, "Hit", "one");
    check(&bed.get("/a").await, 200, "Hit", "one");
    assert_eq!(origin.only_request().target, "/a");
}

#[tokio::test]
async fn a_query_string_that_is_in_the_key_is_sent_and_told_apart() {
    let (origin, bed) = with_behavior(Behavior::to("web").forwards(true, &[], &[])).await;
    check(&bed.get("/a?x=1&y=2").await, 200, "Miss", "one");
    check(&bed.get("/a?y=2&x=1").await, 200, "Miss", "one");
    check(&bed.get("/a?x=1&y=2").await, 200, "Hit", "one");
    let targets: Vec<String> = origin.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/a?x=1&y=2", "/a?y=2&x=1"]);
}

#[tokio::test]
async fn only_listed_cookies_are_sent_and_told_apart() {
    let (origin, bed) = with_behavior(Behavior::to("web").forwards(false, &[], &["session"])).await;
    let ask = |cookies: &str| Ask::get("/a").header("cookie", cookies);
    check(&bed.ask(&ask("session=1; tracking=x")).await, 200, "Miss", "one");
    assert_eq!(origin.last_request().header("cookie"), "session=1");
    check(&bed.ask(&ask("tracking=y; session=1")).await, 200, "Hit", "one");
    check(&bed.ask(&ask("session=2")).await, 200, "Miss", "one");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn only_listed_headers_are_told_apart() {
    let (origin, bed) = with_behavior(Behavior::to("web").forwards(false, &["X-Variant"], &[])).await;
    let ask = |variant: &str, other: &str| {
        Ask::get("/a")
            .header("x-variant", variant)
            .header("accept-language", other)
    };
    check(&bed.ask(&ask("1", "de")).await, 200, "Miss", "one");
    check(&bed.ask(&ask("1", "en")).await, 200, "Hit", "one");
    check(&bed.ask(&ask("2", "de")).await, 200, "Miss", "one");
    assert_eq!(origin.last_request().header("x-variant"), "2");
    assert_eq!(origin.last_request().header("accept-language"), "");
}

#[tokio::test]
async fn accept_encoding_is_normalised_where_the_key_has_encodings() {
    let (origin, bed) = with_behavior(Behavior::to("web").cache_policy(CACHING_OPTIMIZED)).await;
    let ask = |value: &str| Ask::get("/a").header("accept-encoding", value);
    check(
        &bed.ask(&ask("gzip;q=0.8, deflate, br;q=0.5")).await,
        200,
        "Miss",
        "one",
    );
    let sent = origin.last_request().header("accept-encoding").to_owned();
    assert!(sent == "br,gzip" || sent == "gzip,br" || sent == "br, gzip", "{sent}");
    check(&bed.ask(&ask("br, gzip, zstd")).await, 200, "Hit", "one");
    check(&bed.ask(&ask("gzip, br;q=0")).await, 200, "Miss", "one");
    assert_eq!(origin.last_request().header("accept-encoding"), "gzip");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn custom_headers_overwrite_the_viewers() {
    let origin = Origin::start().await;
    let web = OriginSite::custom("web", origin.port()).custom_header("X-Secret", "of the edge");
    let behavior = Behavior::to("web").forwards(false, &["X-Secret"], &[]);
    let bed = Testbed::with(&Site::with_origin(Site::ID, web).default_behavior(behavior)).await;
    bed.ask(&Ask::get("/a").header("x-secret", "forged")).await;
    let request = origin.only_request();
    let values: Vec<_> = request.headers.get_all("x-secret").iter().collect();
    assert_eq!(values, ["of the edge"]);
}

#[tokio::test]
async fn the_origin_sees_its_own_name_the_viewers_address_and_who_asks() {
    let (origin, bed) = with_behavior(Behavior::to("web")).await;
    bed.ask(
        &Ask::get("/a")
            .header("x-forwarded-for", "192.0.2.1")
            .header("user-agent", "curl/8")
            .header("x-amz-cf-id", "forged")
            .header("connection", "x-hop, keep-alive")
            .header("x-hop", "1")
            .header("te", "trailers"),
    )
    .await;
    let request = origin.only_request();
    assert_eq!(request.header("host"), format!("127.0.0.1:{}", origin.port()));
    assert_eq!(request.header("x-forwarded-for"), "192.0.2.1, 127.0.0.1");
    assert_eq!(request.header("user-agent"), "Amazon CloudFront");
    assert_eq!(request.header("x-amz-cf-id").len(), 56);
    assert!(request.header("via").ends_with(".cloudfront.net (CloudFront)"));
    assert_eq!((request.header("x-hop"), request.header("te")), ("", ""));
}

#[tokio::test]
async fn the_viewers_host_is_sent_where_it_is_in_the_key() {
    let origin = Origin::start().await;
    let site = Site::new(&origin).alias("www.example.com");
    let bed = Testbed::with(&site.default_behavior(Behavior::to("web").forwards(false, &["Host"], &[]))).await;
    bed.ask(&Ask::get("/a").host("www.example.com")).await;
    assert_eq!(origin.only_request().header("host"), "www.example.com");
}

/// As CloudFront does in the profile `aws`: the policy alone makes the key.
#[tokio::test]
async fn a_vary_on_what_is_not_in_the_key_is_ignored_and_not_shown() {
    let origin = Origin::start().await;
    for (path, vary) in [("/a", "Accept-Language"), ("/b", "*"), ("/c", "X-Variant")] {
        origin.reply(path, Reply::ok("one").max_age(60).header("vary", vary));
    }
    let behavior = Behavior::to("web").forwards(false, &["X-Variant"], &[]);
    let bed = Testbed::with(&Site::new(&origin).default_behavior(behavior)).await;
    for (path, second, shown) in [("/a", "Hit", ""), ("/b", "Miss", "*"), ("/c", "Hit", "x-variant")] {
        check(&bed.get(path).await, 200, "Miss", "one");
        let answer = bed.get(path).await;
        check(&answer, 200, second, "one");
        assert_eq!(answer.header("vary"), shown, "{path}");
    }
}
