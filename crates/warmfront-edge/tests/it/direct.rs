//! Hits that are written without hyper: they look like those that hyper writes, and leave the connection to it when it is
//! needed. A request with `Connection: x` is always hyper's.

use http::HeaderMap;
use warmfront_edge::EdgeOptions;
use warmfront_testkit::{Answer, Ask, Behavior, Gate, Origin, Reply, Site, Testbed, edge_options};

use crate::check;

const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

fn by_hyper(ask: &Ask) -> Ask {
    ask.clone().header("connection", "x")
}

/// All fields but the id, which no two answers have in common.
fn fields(answer: &Answer) -> HeaderMap {
    let mut fields = answer.headers.clone();
    assert_eq!(fields.remove("x-amz-cf-id").unwrap().len(), 56);
    fields
}

async fn with_memory(site: &Site) -> Testbed {
    let bed = Testbed::start(EdgeOptions {
        memory_bytes: 1024 * 1024 * 1024,
        ..edge_options()
    })
    .await;
    bed.write(site).await;
    bed
}

#[tokio::test]
async fn a_hit_is_the_same_whoever_writes_it() {
    let origin = Origin::start().await;
    let sizes = [0, 1, 4096, 4097, 20_000, 100_000, 2_000_000];
    for size in sizes {
        let reply = Reply::ok("x".repeat(size))
            .max_age(60)
            .header("x-two", "a")
            .header("x-two", "b");
        origin.reply(
            &format!("/{size}"),
            reply.header("etag", "\"1\"").header("set-cookie", "a=\u{e9}"),
        );
    }
    let unframed = Reply::ok("chunked").chunked().max_age(60);
    origin.reply("/chunked", unframed);
    origin.reply("/gone", Reply::status(410).max_age(60));
    let bed = with_memory(&Site::new(&origin)).await;
    let mut n_expected = 0;
    let paths = sizes.map(|size| format!("/{size}"));
    for path in paths.iter().map(String::as_str).chain(["/chunked", "/gone"]) {
        bed.get(path).await;
        bed.advance(3);
        let mut viewer = bed.viewer().await;
        for ask in [
            Ask::get(path),
            Ask::head(path),
            Ask::get(path).header("if-none-match", "\"1\""),
            Ask::get(path).header("if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT"),
            Ask::get(path)
                .header("connection", "Keep-Alive")
                .header("x-warmfront-explain", "1"),
        ] {
            let (direct, hypers) = (viewer.ask(&ask).await, viewer.ask(&by_hyper(&ask)).await);
            n_expected += 1;
            assert_eq!(n_direct(&bed), n_expected, "{ask:?}");
            assert_eq!(direct.status, hypers.status, "{ask:?}");
            assert!(direct.body == hypers.body && !direct.truncated, "{ask:?}");
            assert_eq!(fields(&direct), fields(&hypers), "{ask:?}");
            assert_eq!(direct.header("age"), "3");
        }
    }
}

/// What the other end sends in one piece, hyper and the edge share out without losing or swapping anything.
#[tokio::test]
async fn requests_in_one_piece_are_answered_in_order_whoever_answers_them() {
    let origin = Origin::start().await;
    origin.reply("/hit", Reply::ok("hit").max_age(60));
    origin.reply("/miss", Reply::ok("miss").header("cache-control", "no-store"));
    origin.reply("/large", Reply::ok("y".repeat(300_000)).max_age(60));
    origin.reply("/post", Reply::ok("posted"));
    let site = Site::new(&origin).default_behavior(Behavior::to("web").cache_policy(CACHING_OPTIMIZED).all_methods());
    let bed = with_memory(&site).await;
    for path in ["/hit", "/large"] {
        bed.get(path).await;
    }
    let lines = |target: &str, more: &str| format!("{target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n");
    let requests = [
        lines("GET /hit", ""),
        lines("GET /miss", ""),
        lines("GET /hit", "X: 1\r\n"),
        lines("GET /large", ""),
        lines("GET /hit", "Connection: x\r\n"),
        lines("GET /hit", ""),
        lines("POST /post", "Content-Length: 30\r\n") + "GET /miss HTTP/1.1\r\nHost: a\r\n\r\n",
        lines("GET /large", ""),
        lines("GET /hit", ""),
    ];
    let all = requests.concat();
    for part_bytes in [all.len(), 1, 7, 100] {
        let mut viewer = bed.viewer().await;
        for part in all.as_bytes().chunks(part_bytes) {
            viewer.send_raw(part).await;
            if part_bytes < all.len() {
                tokio::task::yield_now().await;
            }
        }
        for (body, n) in [
            ("hit", 3),
            ("miss", 4),
            ("hit", 3),
            ("y", 300_000),
            ("hit", 3),
            ("hit", 3),
        ] {
            let answer = viewer.answer().await;
            assert_eq!((answer.status, answer.body.len()), (200, n), "parts of {part_bytes}");
            assert!(answer.text().starts_with(body));
        }
        assert_eq!(viewer.answer().await.text(), "posted");
        for n in [300_000, 3] {
            assert_eq!(viewer.answer().await.body.len(), n);
        }
    }
}

#[tokio::test]
async fn a_request_that_comes_while_another_waits_for_the_origin_is_kept() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    origin.reply("/hit", Reply::ok("hit").max_age(60));
    origin.reply("/slow", Reply::ok("slow").held(&gate).max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/hit").await;
    let received_bytes = || {
        let metrics = bed.metrics();
        let line = metrics
            .lines()
            .find(|line| line.starts_with("warmfront_received_bytes_total"));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .unwrap()
    };
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/slow")).await;
    gate.reached().await;
    let before = received_bytes();
    viewer.send(&Ask::get("/hit")).await;
    while received_bytes() == before {
        tokio::task::yield_now().await;
    }
    gate.open();
    check(&viewer.answer().await, 200, "Miss", "slow");
    check(&viewer.answer().await, 200, "Hit", "hit");
    check(&viewer.ask(&Ask::get("/slow")).await, 200, "Hit", "slow");
}

#[tokio::test]
async fn a_viewer_that_reads_slowly_gets_all_of_a_hit_and_the_next_one() {
    const LONG: usize = 8 * 1024 * 1024;
    let origin = Origin::start().await;
    origin.reply("/long", Reply::ok("x".repeat(LONG)).max_age(60));
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = with_memory(&Site::new(&origin)).await;
    for path in ["/long", "/a"] {
        bed.get(path).await;
    }
    let mut viewer = bed.viewer().await;
    for path in ["/long", "/a", "/long"] {
        viewer.send(&Ask::get(path)).await;
    }
    // Others go on meanwhile.
    check(&bed.get("/a").await, 200, "Hit", "one");
    for n in [LONG, 3, LONG] {
        let answer = viewer.answer().await;
        assert_eq!((answer.body.len(), answer.truncated), (n, false));
    }
}

#[tokio::test]
async fn a_shutdown_lets_a_hit_under_way_end() {
    const LONG: usize = 8 * 1024 * 1024;
    let origin = Origin::start().await;
    origin.reply("/long", Reply::ok("x".repeat(LONG)).max_age(60));
    let bed = with_memory(&Site::new(&origin)).await;
    bed.get("/long").await;
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/long")).await;
    let head = viewer.head().await.unwrap();
    let stopping = tokio::spawn(bed.shutdown());
    let (body, truncated) = viewer.body(&head).await;
    assert_eq!((body.len(), truncated), (LONG, false));
    assert!(viewer.is_closed().await);
    stopping.await.unwrap();
}

/// A request for another protocol, or with a body, leaves the rest of the connection to hyper; a head that never ends too.
#[tokio::test]
async fn what_a_head_alone_does_not_end_is_hypers() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    let mut viewer = bed.viewer().await;
    let chunked = "POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let smuggled =
        "GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n__";
    viewer.send_raw(chunked.as_bytes()).await;
    assert_eq!(viewer.answer().await.status, 403);
    let mut viewer = bed.viewer().await;
    viewer.send_raw(smuggled.as_bytes()).await;
    assert_eq!(viewer.answer().await.status, 403, "a GET with a body");
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "one");

    let mut viewer = bed.viewer().await;
    viewer.send_raw(b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n").await;
    viewer.end_sending().await;
    if let Ok(head) = viewer.head().await {
        assert_eq!(head.status, 400);
    }
    assert_eq!(origin.n_requests(), 1);
}

fn n_direct(bed: &Testbed) -> usize {
    let metrics = bed.metrics();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("warmfront_direct_hits_total"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap()
}

/// An answer to hyper's request is over before a direct one begins, also when nothing is asked in between.
#[tokio::test]
async fn hits_and_misses_take_turns_on_one_connection() {
    let origin = Origin::start().await;
    origin.reply("/hit", Reply::ok("hit").max_age(3600));
    origin.reply(
        "/drip",
        Reply::ok("first, ").then("second").header("cache-control", "no-store"),
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/hit").await;
    let mut viewer = bed.viewer().await;
    for _ in 0..50 {
        check(&viewer.ask(&Ask::get("/drip")).await, 200, "Miss", "first, second");
        check(&viewer.ask(&Ask::get("/hit")).await, 200, "Hit", "hit");
        bed.invalidate(&["/hit"]).await;
        check(&viewer.ask(&Ask::get("/hit")).await, 200, "Miss", "hit");
        check(&viewer.ask(&Ask::get("/hit")).await, 200, "Hit", "hit");
    }
    assert_eq!(n_direct(&bed), 100, "each hit, and nothing else");
}
