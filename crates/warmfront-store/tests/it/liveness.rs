//! Whatever readers, the disk and the budget do: every body ends, and whoever takes what comes sees it end.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use warmfront_invalidation::{Index, Proven};
use warmfront_model::Revision;
use warmfront_store::{Body, BodyReader, DiskOptions, Fill, Store, StoredResponse};

use crate::disk::FaultyDisk;
use crate::support::{DISK_BYTES, INCARNATION, MIB, content, distribution, epoch, head, names};

const N_BODIES: u64 = 60;
const READERS_MAX: u32 = 4;
/// How long a viewer takes nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest body, a slice of the shortest kind at a time, each after the pause of a slow reader and a silence: far less.
const END_MAX: Duration = Duration::from_secs(24 * 3600);

/// What a reader does between two slices.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Eager,
    Slow,
    Leaves,
    /// It takes nothing for a long time, once, and holds what it has.
    Silent,
}

fn proven(body: Body) -> Proven<StoredResponse> {
    let mut index = Index::new(INCARNATION);
    index.advance(Revision(5));
    let response = StoredResponse::new(head(1), epoch(5), None, body);
    index
        .check(&distribution(), Arc::new(response), || names(b"/body"))
        .expect("not covered")
}

/// Reads to the end, or until it breaks off, and compares each byte.
async fn read(mut reader: BodyReader, expected: Bytes, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let manner = [Manner::Eager, Manner::Slow, Manner::Leaves, Manner::Silent][rng.random_range(0..4)];
    let changes_at = rng.random_range(0..=expected.len());
    let (mut offset, mut was_silent) = (0, false);
    while let Some(Ok(slice)) = poll_fn(|context| reader.poll_next(context)).await {
        assert!(
            expected[offset..offset + slice.len()] == slice[..],
            "{manner:?} at {offset}"
        );
        offset += slice.len();
        match manner {
            Manner::Slow => sleep(Duration::from_millis(rng.random_range(0..200))).await,
            Manner::Leaves if offset >= changes_at => return,
            Manner::Silent if offset >= changes_at && !was_silent => {
                was_silent = true;
                sleep(SILENCE).await;
            }
            Manner::Eager | Manner::Leaves | Manner::Silent => {}
        }
    }
}

/// As the edge does: when everyone who waited has opened the body, nobody is waited for any more.
async fn push_all(fill: &mut Fill, mut rest: Bytes, all_are_here: &Notify, part_bytes: usize) {
    let mut closed = false;
    while !rest.is_empty() {
        let mut part = rest.split_to(part_bytes.min(rest.len()));
        while !part.is_empty() {
            let more = tokio::select! {
                biased;
                more = fill.push(&mut part) => more,
                () = all_are_here.notified(), if !closed => {
                    closed = true;
                    fill.close();
                    true
                }
            };
            if !more {
                return;
            }
        }
    }
}

async fn one_body(store: Arc<Store>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let bytes = [10_000, 300_000, 3_000_000][rng.random_range(0..3)];
    let expected = content(seed, rng.random_range(1..bytes));
    let announced = rng.random_bool(0.5).then_some(expected.len() as u64);
    let (mut fill, arriving) = store.begin_fill(rng.random_bool(0.7), announced);
    let arriving = proven(arriving);
    let all_are_here = Notify::new();
    let part_bytes = [700, 20_000, 200_000][rng.random_range(0..3)];
    let late_by = Duration::from_millis(rng.random_range(0..500));
    let mut readers = JoinSet::new();
    for number in 0..rng.random_range(0..=READERS_MAX) {
        if let Some(reader) = StoredResponse::open(&arriving) {
            readers.spawn(read(reader, expected.clone(), seed << 8 | u64::from(number)));
        }
    }
    let breaks_at = rng.random_bool(0.1).then(|| rng.random_range(0..expected.len()));
    let filling = async {
        let arrives = expected.slice(..breaks_at.unwrap_or(expected.len()));
        push_all(&mut fill, arrives, &all_are_here, part_bytes).await;
        if breaks_at.is_none()
            && let Some(whole) = fill.finish().await
        {
            store.insert(&seed.to_be_bytes(), Arc::new(arriving.with_body(whole)));
        }
    };
    let coming_late = async {
        sleep(late_by).await;
        if let Some(reader) = StoredResponse::open(&arriving) {
            readers.spawn(read(reader, expected.clone(), seed << 8 | 0xff));
        }
        all_are_here.notify_one();
    };
    tokio::join!(filling, coming_late);
    readers.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn every_body_ends_whatever_its_readers_do_and_gives_its_memory_back() {
    for seed in 0..6 {
        let disk = FaultyDisk::new(seed);
        let options = DiskOptions {
            files: Box::new(disk.clone()),
            bytes: DISK_BYTES,
            head: epoch(5),
        };
        let store = Arc::new(Store::open_without_threads(2 * MIB, options).unwrap().0);
        let writer = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                loop {
                    store.step();
                    sleep(Duration::from_millis(5)).await;
                }
            }
        });
        let mut bodies = JoinSet::new();
        for number in 0..N_BODIES {
            bodies.spawn(one_body(Arc::clone(&store), seed * N_BODIES + number));
        }
        let failing = async {
            sleep(Duration::from_millis(200)).await;
            // From half of the runs on, the disk is full after a while.
            disk.limit((seed >= 3).then_some(0));
        };
        let (ended, ()) = tokio::join!(timeout(END_MAX, bodies.join_all()), failing);
        assert!(ended.is_ok(), "seed {seed}: someone waits for what never comes");
        writer.abort();
        for (key, response) in store.iter() {
            store.remove(&key, &response);
        }
        for entry in store.iter_on_disk() {
            store.discard_on_disk(&entry);
        }
        while store.step() {}
        assert_eq!(store.memory_bytes(), 0, "seed {seed}: nothing is in flight any more");
    }
}
