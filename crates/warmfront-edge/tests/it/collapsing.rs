use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use warmfront_edge::EdgeOptions;
use warmfront_testkit::{Ask, Gate, Origin, Reply, Site, Testbed, Viewer, edge_options};

use crate::check;

async fn viewers(bed: &Testbed, n: usize) -> Vec<Viewer> {
    let mut viewers = Vec::new();
    for _ in 0..n {
        viewers.push(bed.viewer().await);
    }
    viewers
}

#[tokio::test]
async fn a_hundred_viewers_on_two_cores_cause_one_request() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    origin.replies("/a", [Reply::ok("one").max_age(60).held(&gate), Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewers = viewers(&bed, 100).await;
    for viewer in &mut viewers {
        viewer.send(&Ask::get("/a")).await;
    }
    gate.reached().await;
    gate.open();
    for viewer in &mut viewers {
        let answer = viewer.answer().await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "one"));
        assert!(matches!(answer.x_cache(), "Miss" | "Hit"), "{}", answer.x_cache());
    }
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn what_turns_out_private_is_asked_for_by_each() {
    for cache_control in ["private", "no-store", "no-cache", "max-age=0"] {
        let origin = Origin::start().await;
        let gate = Gate::new();
        let n = Arc::new(AtomicUsize::new(0));
        origin.on("/a", {
            let gate = gate.clone();
            move |_| {
                let n = n.fetch_add(1, Ordering::Relaxed);
                let reply = Reply::ok(n.to_string()).header("cache-control", cache_control);
                if n == 0 { reply.held(&gate) } else { reply }
            }
        });
        let bed = Testbed::with(&Site::new(&origin)).await;
        let mut viewers = viewers(&bed, 8).await;
        for viewer in &mut viewers {
            viewer.send(&Ask::get("/a")).await;
        }
        gate.reached().await;
        gate.open();
        let mut bodies = Vec::new();
        for viewer in &mut viewers {
            bodies.push(viewer.answer().await.text());
        }
        bodies.sort();
        assert_eq!(bodies, ["0", "1", "2", "3", "4", "5", "6", "7"], "{cache_control}");
    }
}

#[tokio::test]
async fn a_field_that_is_private_goes_to_the_first_viewer_alone() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let reply = Reply::ok("one")
        .header("cache-control", "max-age=60, private=\"x-mine\"")
        .header("x-mine", "secret")
        .held(&gate);
    origin.replies("/a", [reply, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewers = viewers(&bed, 4).await;
    viewers[0].send(&Ask::get("/a")).await;
    gate.reached().await;
    for viewer in &mut viewers[1..] {
        viewer.send(&Ask::get("/a")).await;
    }
    gate.open();
    assert_eq!(viewers[0].answer().await.header("x-mine"), "secret");
    for viewer in &mut viewers[1..] {
        let answer = viewer.answer().await;
        assert_eq!((answer.text().as_str(), answer.header("x-mine")), ("one", ""));
    }
    assert_eq!(bed.get("/a").await.header("x-mine"), "");
}

#[tokio::test]
async fn a_viewer_that_began_a_fetch_may_leave() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    origin.replies("/a", [Reply::ok("one").max_age(60).held(&gate), Reply::status(400)]);
    origin.reply("/other", Reply::ok("other"));
    let bed = Testbed::start(EdgeOptions {
        n_cores: 1,
        ..edge_options()
    })
    .await;
    bed.write(&Site::new(&origin)).await;
    let (mut leader, mut follower) = (bed.viewer().await, bed.viewer().await);
    leader.send(&Ask::get("/a")).await;
    gate.reached().await;
    follower.send(&Ask::get("/a")).await;
    drop(leader);
    // The one core has turned to other things since, so it has seen the viewer leave.
    bed.get("/other").await;
    gate.open();
    assert_eq!(follower.answer().await.text(), "one");
    check(&bed.get("/a").await, 200, "Hit", "one");
}

#[tokio::test]
async fn a_late_viewer_reads_what_has_arrived_and_follows_the_rest() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let reply = Reply::ok("first, ").then_wait(&gate).then("second").max_age(60);
    origin.replies("/a", [reply.chunked(), Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewers = viewers(&bed, 6).await;
    let mut heads = Vec::new();
    for viewer in &mut viewers {
        viewer.send(&Ask::get("/a")).await;
        heads.push(viewer.head().await.unwrap());
    }
    gate.reached().await;
    gate.open();
    for (viewer, head) in viewers.iter_mut().zip(&heads) {
        let (body, truncated) = viewer.body(head).await;
        assert_eq!((&body[..], truncated), (&b"first, second"[..], false));
    }
    assert_eq!(origin.n_requests(), 1);
}

/// A response that is expired by the time the second viewer comes is not for it, although it is still arriving.
#[tokio::test]
async fn a_response_that_has_expired_on_its_way_is_not_joined() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let slow = Reply::ok("o").then_wait(&gate).then("ne").max_age(60);
    origin.replies("/a", [slow, Reply::ok("two").max_age(60)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut early = bed.viewer().await;
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    let head = early.head().await.unwrap();
    bed.advance(60);
    check(&bed.get("/a").await, 200, "Miss", "two");
    gate.open();
    assert_eq!(&early.body(&head).await.0[..], b"one");
}

const PIECE_BYTES: usize = 64 * 1024;

/// A body of so many pieces, in which each byte says which piece it belongs to.
fn long(n_pieces: usize) -> Reply {
    let different: Vec<Bytes> = (0..n_pieces.min(251))
        .map(|n| Bytes::from(vec![n as u8; PIECE_BYTES]))
        .collect();
    let pieces = different.iter().cycle().take(n_pieces);
    pieces.fold(Reply::status(200), |reply, piece| reply.then(piece.clone()))
}

/// Reads a [`long`] body; true if it is whole and in order.
async fn reads_long(viewer: &mut Viewer, n_pieces: usize) -> bool {
    let head = viewer.head().await.unwrap();
    let mut at = 0;
    let mut in_order = true;
    let truncated = viewer
        .read_body(&head, |mut arrived| {
            while !arrived.is_empty() {
                let (piece, rest) = arrived.split_at(arrived.len().min(PIECE_BYTES - at % PIECE_BYTES));
                in_order &= piece == vec![(at / PIECE_BYTES % 251) as u8; piece.len()];
                at += piece.len();
                arrived = rest;
            }
        })
        .await;
    !truncated && in_order && at == n_pieces * PIECE_BYTES
}

/// The smallest store keeps objects below about 32 KiB.
async fn small(site: &Site, n_cores: usize) -> Testbed {
    let bed = Testbed::start(EdgeOptions {
        n_cores,
        memory_bytes: 1024 * 1024,
        ..edge_options()
    })
    .await;
    bed.write(site).await;
    bed
}

#[tokio::test]
async fn what_is_too_long_for_the_store_is_passed_on_and_not_kept() {
    for chunked in [false, true] {
        let origin = Origin::start().await;
        let reply = long(16).max_age(60);
        origin.reply("/a", if chunked { reply.chunked() } else { reply });
        let bed = small(&Site::new(&origin), 2).await;
        for n in 1..=3 {
            let mut viewer = bed.viewer().await;
            viewer.send(&Ask::get("/a")).await;
            assert!(reads_long(&mut viewer, 16).await, "chunked: {chunked}");
            assert_eq!(origin.n_requests(), n);
        }
    }
}

#[tokio::test]
async fn viewers_of_one_long_body_all_get_the_whole_of_it() {
    for chunked in [false, true] {
        let origin = Origin::start().await;
        let reply = long(64).max_age(60);
        origin.reply("/a", if chunked { reply.chunked() } else { reply });
        let bed = small(&Site::new(&origin), 2).await;
        let mut viewers = viewers(&bed, 12).await;
        for viewer in &mut viewers {
            viewer.send(&Ask::get("/a")).await;
        }
        let reading = viewers
            .into_iter()
            .map(|mut viewer| tokio::spawn(async move { reads_long(&mut viewer, 64).await }));
        for read in reading.collect::<Vec<_>>() {
            assert!(read.await.unwrap(), "chunked: {chunked}");
        }
    }
}

#[tokio::test]
async fn the_origin_waits_for_a_viewer_that_reads_slowly() {
    /// More than the edge keeps of a body that is too long for its store.
    const WINDOW_BYTES_MAX: u64 = 4 * 1024 * 1024;
    let ahead_bytes_max = WINDOW_BYTES_MAX + 2 * kernel_bytes_max();
    let n_pieces = usize::try_from(2 * ahead_bytes_max).unwrap() / PIECE_BYTES;
    let origin = Origin::start().await;
    origin.reply("/a", long(n_pieces).max_age(60));
    origin.reply("/other", Reply::ok("other").header("cache-control", "no-store"));
    let bed = small(&Site::new(&origin), 1).await;
    let mut slow = bed.viewer().await;
    slow.send(&Ask::get("/a")).await;
    gate_by_traffic(&bed).await;
    assert!(origin.sent_bytes() < ahead_bytes_max, "{}", origin.sent_bytes());
    assert!(reads_long(&mut slow, n_pieces).await);
}

/// How much the kernel may buffer on one connection, at both of its ends: the third number of each of these, tcp(7).
fn kernel_bytes_max() -> u64 {
    const ELSEWHERE: u64 = 32 * 1024 * 1024;
    let limits = ["/proc/sys/net/ipv4/tcp_rmem", "/proc/sys/net/ipv4/tcp_wmem"].map(|path| {
        let numbers = std::fs::read_to_string(path).unwrap_or_default();
        let largest = numbers.split_whitespace().last().map(str::parse);
        largest.and_then(Result::ok).unwrap_or(ELSEWHERE)
    });
    limits.iter().sum()
}

/// Lets the one core run for many turns.
async fn gate_by_traffic(bed: &Testbed) {
    let mut viewer = bed.viewer().await;
    for _ in 0..500 {
        viewer.ask(&Ask::get("/other")).await;
    }
}

#[tokio::test]
async fn a_long_body_whose_only_viewer_leaves_is_fetched_no_further() {
    let origin = Origin::start().await;
    origin.reply("/a", long(1024).max_age(60));
    let bed = small(&Site::new(&origin), 1).await;
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/a")).await;
    viewer.head().await.unwrap();
    drop(viewer);
    origin.broken_off(1).await;
}
