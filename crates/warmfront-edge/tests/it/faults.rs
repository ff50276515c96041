//! Origins that are down, slow, or lie.

use warmfront_edge::EdgeOptions;
use warmfront_facts::OriginAllow;
use warmfront_testkit::{Ask, Origin, OriginSite, Reply, Site, Testbed, edge_options};

use crate::check;

/// A port that nobody listens on.
async fn closed_port() -> u16 {
    let origin = Origin::start().await;
    origin.port()
}

fn site(origin: OriginSite) -> Site {
    Site::with_origin(Site::ID, origin)
}

#[tokio::test]
async fn no_connection_is_502() {
    let bed = Testbed::with(&site(OriginSite::custom("web", closed_port().await))).await;
    let answer = bed.get("/a").await;
    assert_eq!((answer.status, answer.x_cache()), (502, "Error"));
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
}

/// As CloudFront keeps the errors it makes itself, and as every stored response, they end with an invalidation.
#[tokio::test]
async fn the_edges_own_error_is_kept_for_its_error_caching_min_ttl() {
    let origin = Origin::start().await;
    for path in ["/a", "/b"] {
        origin.replies(
            path,
            [Reply::raw("no http at all\r\n\r\n"), Reply::ok("back").max_age(60)],
        );
    }
    let bed = Testbed::with(&Site::new(&origin).error_caching(502, 5)).await;
    for path in ["/a", "/b"] {
        assert_eq!(bed.get(path).await.status, 502);
        let kept = bed.get(path).await;
        assert_eq!((kept.status, kept.x_cache()), (502, "Error"), "{path}");
    }
    bed.invalidate(&["/b"]).await;
    check(&bed.get("/b").await, 200, "Miss", "back");
    bed.advance(4);
    assert_eq!(bed.get("/a").await.status, 502);
    bed.advance(1);
    check(&bed.get("/a").await, 200, "Miss", "back");
}

#[tokio::test]
async fn an_origin_at_a_private_address_that_is_not_allowed_is_502_and_not_asked() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("secret").max_age(60));
    let bed = Testbed::start(EdgeOptions {
        origin_allow: OriginAllow::default(),
        ..edge_options()
    })
    .await;
    bed.write(&Site::new(&origin)).await;
    assert_eq!(bed.get("/a").await.status, 502);
    assert_eq!(origin.n_requests(), 0);
}

/// The one test that waits by the system's clock, for the shortest OriginReadTimeout there is.
#[tokio::test]
async fn no_answer_in_time_is_504_after_as_many_attempts_as_configured() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::silence());
    origin.reply("/post", Reply::silence());
    let slow = OriginSite::custom("web", origin.port())
        .read_timeout_secs(1)
        .attempts(2);
    let behavior = warmfront_testkit::Behavior::to("web").all_methods();
    let bed = Testbed::with(&site(slow).default_behavior(behavior)).await;
    let (mut get, mut post) = (bed.viewer().await, bed.viewer().await);
    get.send(&Ask::get("/a")).await;
    post.send(&Ask::with_method("POST", "/post").body("x")).await;
    let answer = get.answer().await;
    assert_eq!((answer.status, answer.x_cache()), (504, "Error"));
    assert_eq!(post.answer().await.status, 504);
    let asked: Vec<String> = origin.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(asked.iter().filter(|method| *method == "GET").count(), 2);
    assert_eq!(asked.iter().filter(|method| *method == "POST").count(), 1);
}

#[tokio::test]
async fn what_is_no_http_is_502() {
    for raw in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "",
        "HTTP/1.1 200 OK\r\ncontent-le",
    ] {
        let origin = Origin::start().await;
        origin.reply("/a", Reply::raw(raw));
        let bed = Testbed::with(&Site::new(&origin)).await;
        let answer = bed.get("/a").await;
        assert_eq!((answer.status, answer.x_cache()), (502, "Error"), "{raw:?}");
    }
}

#[tokio::test]
async fn an_interim_response_in_place_of_an_answer_is_502() {
    let origin = Origin::start().await;
    origin.reply(
        "/a",
        Reply::raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    assert_eq!(bed.get("/a").await.status, 502);
}

#[tokio::test]
async fn a_get_is_asked_again_when_a_connection_ends_without_an_answer() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::hang_up(), Reply::ok("one").max_age(60)]);
    let bed = Testbed::with(&site(OriginSite::custom("web", origin.port()).attempts(2))).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn another_method_is_never_sent_twice() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::hang_up(), Reply::ok("one")]);
    let slow = OriginSite::custom("web", origin.port()).attempts(3);
    let behavior = warmfront_testkit::Behavior::to("web").all_methods();
    let bed = Testbed::with(&site(slow).default_behavior(behavior)).await;
    let answer = bed.ask(&Ask::with_method("POST", "/a").body("x")).await;
    assert_eq!(answer.status, 502);
    assert_eq!(origin.n_requests(), 1);
}

/// However the end is told: a viewer never takes a part for the whole, and the part is not kept.
#[tokio::test]
async fn a_body_that_breaks_off_breaks_the_viewers_connection_and_is_not_kept() {
    let broken = [
        Reply::ok("par").content_length(100).then_close(),
        Reply::ok("par").chunked().then_close(),
    ];
    for (n, reply) in broken.into_iter().enumerate() {
        let origin = Origin::start().await;
        origin.replies("/a", [reply.max_age(60), Reply::ok("whole").max_age(60)]);
        let bed = Testbed::with(&Site::new(&origin)).await;
        let mut viewer = bed.viewer().await;
        let answer = viewer.ask(&Ask::get("/a")).await;
        assert_eq!((answer.status, answer.truncated), (200, true), "{n}");
        assert!(viewer.is_closed().await);
        check(&bed.get("/a").await, 200, "Miss", "whole");
    }
}

#[tokio::test]
async fn bytes_beyond_the_stated_length_are_no_part_of_the_body() {
    let origin = Origin::start().await;
    let reply = Reply::ok("whole, and more").content_length(5).max_age(60);
    origin.replies("/a", [reply, Reply::status(400)]);
    origin.reply("/b", Reply::ok("other").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "whole");
    check(&bed.get("/a").await, 200, "Hit", "whole");
    // The rest is not taken for the answer to the next request.
    check(&bed.get("/b").await, 200, "Miss", "other");
}

#[tokio::test]
async fn a_response_with_two_lengths_is_502() {
    let origin = Origin::start().await;
    origin.reply(
        "/a",
        Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nthree"),
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    assert_eq!(bed.get("/a").await.status, 502);
}

#[tokio::test]
async fn an_expired_copy_stands_in_for_an_origin_that_fails_which_is_then_left_alone() {
    let failures = [
        Reply::status(500).then("broken"),
        Reply::status(503).then("broken").max_age(60),
        Reply::hang_up(),
    ];
    for (n, failure) in failures.into_iter().enumerate() {
        let origin = Origin::start().await;
        origin.replies(
            "/a",
            [Reply::ok("one").max_age(60), failure, Reply::ok("two").max_age(60)],
        );
        let bed = Testbed::with(&Site::new(&origin)).await;
        bed.get("/a").await;
        bed.advance(60);
        let stale = bed.get("/a").await;
        assert_eq!((stale.status, stale.text().as_str()), (200, "one"), "{n}");
        assert_eq!(stale.header("age"), "60", "{n}");
        assert_eq!(origin.n_requests(), 2, "{n}");
        // ErrorCachingMinTTL is 10 s where none is configured.
        bed.advance(9);
        assert_eq!(bed.get("/a").await.text(), "one", "{n}");
        assert_eq!(origin.n_requests(), 2, "{n}");
        bed.advance(1);
        check(&bed.get("/a").await, 200, "Miss", "two");
    }
}

#[tokio::test]
async fn an_expired_copy_does_not_stand_in_where_it_must_be_revalidated() {
    let origin = Origin::start().await;
    let first = Reply::ok("one").header("cache-control", "max-age=60, must-revalidate");
    origin.replies("/a", [first, Reply::status(500).then("broken")]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    check(&bed.get("/a").await, 500, "Error", "broken");
}

#[tokio::test]
async fn a_copy_stands_in_no_longer_than_it_may_although_the_origin_is_left_alone() {
    let origin = Origin::start().await;
    let first = Reply::ok("one").header("cache-control", "max-age=60, stale-if-error=5");
    origin.replies("/a", [first, Reply::status(500), Reply::ok("two").max_age(60)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(64);
    assert_eq!(bed.get("/a").await.text(), "one");
    bed.advance(1);
    check(&bed.get("/a").await, 200, "Miss", "two");
}

#[tokio::test]
async fn a_covered_copy_never_stands_in() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::ok("one").max_age(60), Reply::status(500).then("broken")]);
    origin.replies("/b", [Reply::ok("one").max_age(60), Reply::hang_up()]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.get("/b").await;
    bed.advance(60);
    bed.invalidate(&["/*"]).await;
    check(&bed.get("/a").await, 500, "Error", "broken");
    assert_eq!(bed.get("/b").await.status, 502);
}

/// It stood in already, and then it is invalidated: the origin is asked although it was to be left alone.
#[tokio::test]
async fn a_copy_that_stands_in_ends_with_its_invalidation() {
    let origin = Origin::start().await;
    origin.replies(
        "/a",
        [
            Reply::ok("one").max_age(60),
            Reply::status(500),
            Reply::ok("two").max_age(60),
        ],
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    bed.advance(60);
    assert_eq!(bed.get("/a").await.text(), "one");
    bed.invalidate(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Miss", "two");
}

#[tokio::test]
async fn a_request_that_goes_in_circles_is_403_and_waits_for_nothing() {
    let bed = Testbed::start(edge_options()).await;
    bed.write(&site(OriginSite::custom("web", bed.http().port()))).await;
    let answer = bed.get("/a").await;
    assert_eq!((answer.status, answer.x_cache()), (403, "Error"));
    assert!(answer.text().contains("goes in circles"), "{}", answer.text());
}

#[tokio::test]
async fn a_204_has_no_length_whatever_the_origin_says() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::status(204).content_length(5).max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    for x_cache in ["Miss", "Hit"] {
        let answer = bed.get("/a").await;
        assert_eq!((answer.status, answer.x_cache()), (204, x_cache));
        assert_eq!(answer.header("content-length"), "");
    }
}
