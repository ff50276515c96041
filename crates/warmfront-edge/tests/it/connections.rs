use warmfront_edge::{EdgeOptions, Limits};
use warmfront_testkit::{Ask, Gate, Origin, Reply, Site, Testbed, Viewer, edge_options, within_patience};

use crate::check;

#[tokio::test]
async fn a_connection_answers_one_request_after_another() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Miss", "one");
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "one");
    assert_eq!(viewer.ask(&Ask::with_method("POST", "/a")).await.status, 403);
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "one");
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let origin = Origin::start().await;
    for path in ["/a", "/b", "/c"] {
        origin.reply(path, Reply::ok(path).max_age(60));
    }
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    for path in ["/a", "/b", "/c", "/a"] {
        viewer.send(&Ask::get(path)).await;
    }
    for path in ["/a", "/b", "/c", "/a"] {
        assert_eq!(viewer.answer().await.text(), path);
    }
}

#[tokio::test]
async fn a_viewer_may_close_after_one_answer() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    for outcome in ["Miss", "Hit"] {
        let mut viewer = bed.viewer().await;
        let answer = viewer.ask(&Ask::get("/a").header("connection", "close")).await;
        check(&answer, 200, outcome, "one");
        assert!(viewer.is_closed().await);
    }
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").chunked().max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    for _ in 0..2 {
        let mut viewer = bed.viewer().await;
        viewer.send_raw(b"GET /a HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await;
        let answer = viewer.answer().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "one"));
        assert_eq!(answer.header("transfer-encoding"), "");
        assert!(viewer.is_closed().await);
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_closed() {
    let origin = Origin::start().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    for raw in [
        "\x16\x03\x01\x02\x00",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ] {
        let mut viewer = bed.viewer().await;
        viewer.send_raw(raw.as_bytes()).await;
        if let Ok(head) = viewer.head().await {
            assert_eq!(head.status, 400, "{raw:?}");
        }
    }
    assert_eq!(origin.n_requests(), 0);
}

#[tokio::test]
async fn connections_to_the_origin_are_used_again() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").header("cache-control", "no-store"));
    let bed = Testbed::start(EdgeOptions {
        n_cores: 1,
        ..edge_options()
    })
    .await;
    bed.write(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    for _ in 0..5 {
        viewer.ask(&Ask::get("/a")).await;
    }
    assert!(origin.requests().iter().all(|request| request.connection == 0));
}

#[tokio::test]
async fn a_shutdown_lets_the_requests_under_way_finish() {
    let origin = Origin::start().await;
    let (head, body) = (Gate::new(), Gate::new());
    origin.reply(
        "/a",
        Reply::ok("first, ")
            .then_wait(&body)
            .then("second")
            .held(&head)
            .max_age(60),
    );
    let bed = Testbed::with(&Site::new(&origin)).await;
    let address = bed.http();
    let mut idle = bed.viewer().await;
    check(
        &idle.ask(&Ask::get("/x")).await,
        501,
        "Error",
        "the test has no script for this",
    );
    // More than there are cores: some wait on a core for the fetch of another.
    let mut viewers = Vec::new();
    for _ in 0..8 {
        let mut viewer = bed.viewer().await;
        viewer.send(&Ask::get("/a")).await;
        viewers.push(viewer);
    }
    head.reached().await;
    head.open();
    let mut heads = Vec::new();
    for viewer in &mut viewers {
        heads.push(viewer.head().await.unwrap());
    }
    let stopping = tokio::spawn(bed.shutdown());
    assert!(idle.is_closed().await, "an idle connection is closed at once");
    body.open();
    for (viewer, head) in viewers.iter_mut().zip(&heads) {
        let (read, truncated) = viewer.body(head).await;
        assert_eq!((&read[..], truncated), (&b"first, second"[..], false));
        assert!(viewer.is_closed().await);
    }
    within_patience("the shutdown", stopping).await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

/// The core that runs the fetch has no viewer any more when the shutdown comes; those of other cores still need it.
#[tokio::test]
async fn a_core_stays_for_the_fetches_that_others_wait_for() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    origin.reply("/a", Reply::ok("first, ").then_wait(&gate).then("second").max_age(60));
    let bed = Testbed::start(EdgeOptions {
        n_cores: 4,
        ..edge_options()
    })
    .await;
    bed.write(&Site::new(&origin)).await;
    let mut leader: Viewer = bed.viewer().await;
    leader.send(&Ask::get("/a")).await;
    leader.head().await.unwrap();
    let mut viewers = Vec::new();
    let mut heads = Vec::new();
    for _ in 0..16 {
        let mut viewer = bed.viewer().await;
        viewer.send(&Ask::get("/a")).await;
        heads.push(viewer.head().await.unwrap());
        viewers.push(viewer);
    }
    assert_eq!(origin.n_requests(), 1);
    drop(leader);
    let mut idle = bed.viewer().await;
    idle.ask(&Ask::get("/x")).await;
    let stopping = tokio::spawn(bed.shutdown());
    assert!(idle.is_closed().await);
    gate.open();
    for (viewer, head) in viewers.iter_mut().zip(&heads) {
        let (read, truncated) = viewer.body(head).await;
        assert_eq!((&read[..], truncated), (&b"first, second"[..], false));
    }
    within_patience("the shutdown", stopping).await.unwrap();
}

#[tokio::test]
async fn too_many_fetches_are_refused_with_503() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    for path in ["/a", "/b", "/c"] {
        origin.reply(path, Reply::ok("one").max_age(60).held(&gate));
    }
    let mut options = edge_options();
    options.limits.fetches_max = 2;
    let bed = Testbed::start(options).await;
    bed.write(&Site::new(&origin)).await;
    let (mut first, mut second) = (bed.viewer().await, bed.viewer().await);
    first.send(&Ask::get("/a")).await;
    second.send(&Ask::get("/b")).await;
    gate.reached_by(2).await;
    let refused = bed.get("/c").await;
    assert_eq!((refused.status, refused.x_cache()), (503, "Error"));
    gate.open();
    check(&first.answer().await, 200, "Miss", "one");
    check(&second.answer().await, 200, "Miss", "one");
    check(&bed.get("/c").await, 200, "Miss", "one");
}

/// RFC 9110 section 15.2: a proxy passes interim responses on, and never to HTTP/1.0.
#[tokio::test]
async fn interim_responses_reach_the_viewer_before_the_final_one() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\
                 Set-Cookie: a=1\r\nConnection: x-b\r\nX-B: 1\r\n\r\n";
    let last = Reply::ok("one").max_age(60).after(early);
    origin.reply("/a", last.clone().held(&gate));
    origin.reply("/old", last);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    for (outcome, interim) in [("Miss", vec![102, 103]), ("Hit", vec![])] {
        viewer.send(&Ask::get("/a")).await;
        for status in interim {
            let head = viewer.any_head().await.unwrap();
            assert_eq!(head.status, status);
            let hints = head.headers.iter().map(|(name, _)| name.as_str());
            assert_eq!(
                hints.collect::<Vec<_>>(),
                if status == 103 { vec!["link"] } else { vec![] }
            );
        }
        gate.open();
        let head = viewer.any_head().await.unwrap();
        let outcome = format!("{outcome} from cloudfront");
        assert_eq!(
            (head.status, head.headers["x-cache"].to_str().unwrap()),
            (200, &*outcome)
        );
        assert_eq!(viewer.body(&head).await.0, "one");
    }
    let mut old = bed.viewer().await;
    old.send_raw(b"GET /old HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!(old.any_head().await.unwrap().status, 200);
}

#[tokio::test]
async fn interim_responses_without_end_do_not_pile_up() {
    let origin = Origin::start().await;
    let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "a".repeat(1000));
    origin.reply("/a", Reply::ok("one").after(hint.repeat(200)));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/a")).await;
    let mut n_hints = 0;
    loop {
        let head = viewer.any_head().await.unwrap();
        if head.status == 200 {
            assert_eq!(viewer.body(&head).await.0, "one");
            break;
        }
        n_hints += 1;
    }
    assert!((1..=32).contains(&n_hints), "{n_hints}");
}

#[tokio::test]
async fn a_viewer_with_nothing_more_to_say_hears_every_answer() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    // Longer than what sockets take on their own.
    const LONG: usize = 8 * 1024 * 1024;
    origin.reply("/slow", Reply::ok("slow").held(&gate).max_age(60));
    origin.reply("/long", Reply::ok("x".repeat(LONG)).max_age(60));
    let bed = Testbed::start(EdgeOptions {
        limits: Limits::default(),
        memory_bytes: 1024 * 1024 * 1024,
        ..edge_options()
    })
    .await;
    bed.write(&Site::new(&origin)).await;
    bed.get("/long").await;
    let mut viewer = bed.viewer().await;
    for path in ["/slow", "/long"] {
        viewer.send(&Ask::get(path)).await;
    }
    viewer.end_sending().await;
    gate.reached().await;
    assert_eq!(bed.get("/long").await.x_cache(), "Hit");
    gate.open();
    check(&viewer.answer().await, 200, "Miss", "slow");
    let answer = viewer.answer().await;
    assert_eq!(
        (answer.x_cache(), answer.body.len(), answer.truncated),
        ("Hit", LONG, false)
    );
    assert!(viewer.is_closed().await);
}
