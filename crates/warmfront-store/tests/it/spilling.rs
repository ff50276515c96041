use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use warmfront_invalidation::{Index, Proven};
use warmfront_model::Revision;
use warmfront_store::{Body, BodyReader, DiskOptions, Fill, Inserted, Store, StoredResponse, Truncated};

use crate::disk::FaultyDisk;
use crate::support::{
    INCARNATION, MIB, content, distribution, epoch, head, look_up, names, open, open_sized, read, response,
};

const DISK_BYTES: u64 = 1024 * MIB;

fn index() -> Index {
    let mut index = Index::new(INCARNATION);
    index.advance(Revision(5));
    index
}

fn proven(body: Body) -> Proven<StoredResponse> {
    let response = StoredResponse::new(head(1), epoch(5), None, body);
    index()
        .check(&distribution(), Arc::new(response), || names(b"/large"))
        .expect("not covered")
}

fn reader(proven: &Proven<StoredResponse>) -> BodyReader {
    StoredResponse::open(proven).expect("from the beginning")
}

/// Pushes all of `body` in parts of random length, `part_bytes_max` at the most.
async fn push_all(fill: &mut Fill, mut body: Bytes, part_bytes_max: usize, seed: u64) -> bool {
    let mut rng = StdRng::seed_from_u64(seed);
    while !body.is_empty() {
        let mut part = body.split_to(rng.random_range(1..=part_bytes_max).min(body.len()));
        if !fill.push(&mut part).await {
            return false;
        }
        if rng.random_bool(0.1) {
            tokio::task::yield_now().await;
        }
    }
    true
}

/// Reads everything, now and then letting others go first, and compares each byte. `seen` is called at each step.
async fn read_at_a_pace(mut reader: BodyReader, expected: Bytes, seed: u64, seen: impl Fn()) {
    let mut rng = StdRng::seed_from_u64(seed);
    let laziness = rng.random_range(0..20);
    let mut offset = 0;
    while let Some(slice) = poll_fn(|context| reader.poll_next(context)).await {
        let slice = slice.expect("whole");
        assert!(expected[offset..offset + slice.len()] == slice[..], "at {offset}");
        offset += slice.len();
        seen();
        for _ in 0..rng.random_range(0..=laziness) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(offset, expected.len());
}

/// 5 GB for 100 readers with 256 MiB of memory, sixty-four times smaller.
#[tokio::test]
async fn a_body_twenty_times_the_memory_streams_to_100_readers_within_the_budget_and_is_kept() {
    const MEMORY_BYTES: u64 = 4 * MIB;
    const BYTES: usize = 80 * 1024 * 1024;
    let disk = FaultyDisk::new(1);
    let store = Arc::new(open_sized(MEMORY_BYTES, DISK_BYTES, disk.clone(), epoch(5)).0);
    let expected = content(3, BYTES);
    let (mut fill, arriving) = store.begin_fill(true, Some(BYTES as u64));
    let arriving = proven(arriving);
    let within_budget = |store: &Store| {
        let bytes = store.memory_bytes();
        assert!(bytes <= MEMORY_BYTES, "{bytes} bytes of memory");
    };
    let mut readers = JoinSet::new();
    let join = |readers: &mut JoinSet<()>, number: u64| {
        let (store, expected, reader) = (Arc::clone(&store), expected.clone(), reader(&arriving));
        readers.spawn(async move { read_at_a_pace(reader, expected, number, || within_budget(&store)).await });
    };
    (0..60).for_each(|number| join(&mut readers, number));
    let (first, rest) = (expected.slice(..BYTES / 2), expected.slice(BYTES / 2..));
    assert!(push_all(&mut fill, first, 100_000, 1).await);
    (60..100).for_each(|number| join(&mut readers, number));
    assert!(push_all(&mut fill, rest, 100_000, 2).await);
    let whole = fill.finish().await.expect("it is kept");
    let whole = Arc::new(arriving.with_body(whole));
    assert_eq!(store.insert(b"/large", whole), Inserted::Stored);
    assert_eq!(readers.join_all().await.len(), 100);
    store.drain();
    within_budget(&store);
    drop(arriving);
    store.close();
    let (store, _) = open_sized(MEMORY_BYTES, DISK_BYTES, disk, epoch(5));
    let (_, _, body) = look_up(&store, &index(), b"/large")
        .await
        .expect("a hit")
        .expect("whole");
    assert!(body == expected, "it comes back after a restart");
}

#[tokio::test]
async fn many_large_bodies_at_once_share_little_memory_and_all_end() {
    const MEMORY_BYTES: u64 = 2 * MIB;
    const BYTES: usize = 1_500_000;
    let store = Arc::new(open(MEMORY_BYTES, FaultyDisk::new(1), epoch(5)).0);
    let mut bodies = JoinSet::new();
    for number in 0..30 {
        let store = Arc::clone(&store);
        bodies.spawn(async move {
            let announced = (number % 2 == 0).then_some(BYTES as u64);
            let (mut fill, arriving) = store.begin_fill(number % 3 > 0, announced);
            let arriving = proven(arriving);
            let expected = content(number, BYTES);
            let reading = read_at_a_pace(reader(&arriving), expected.clone(), number, || {
                assert!(
                    store.memory_bytes() <= MEMORY_BYTES + MIB / 2,
                    "{}",
                    store.memory_bytes()
                );
            });
            let filling = async {
                push_all(&mut fill, expected.clone(), 30_000, number).await;
                fill.finish().await
            };
            let (_, whole) = tokio::join!(reading, filling);
            whole.is_some()
        });
    }
    let kept = bodies.join_all().await;
    assert!(
        kept.iter().any(|kept| *kept) && kept.iter().any(|kept| !*kept),
        "{kept:?}"
    );
}

#[tokio::test]
async fn viewers_that_take_nothing_hold_up_nobody_else() {
    let store = Store::new(Store::MEMORY_BYTES_MIN);
    let (mut fill, arriving) = store.begin_fill(false, None);
    let mut stalled = reader_of(arriving);
    let mut unsent = Vec::new();
    let mut rest = content(1, 4_000_000);
    // What was read is held, as by a connection that nobody takes it from.
    while poll_once(fill.push(&mut rest)).await.is_none() {
        match poll_once(poll_fn(|context| stalled.poll_next(context))).await {
            Some(slice) => unsent.push(slice),
            None => break,
        }
    }
    assert!(!rest.is_empty(), "there is no memory for all of it");
    for number in 0..20 {
        let (mut fill, arriving) = store.begin_fill(false, None);
        let expected = content(number, 100_000);
        let reading = read(reader_of(arriving));
        let filling = async {
            fill.push(&mut expected.clone()).await;
            fill.finish().await
        };
        let (body, _) = tokio::join!(reading, filling);
        assert!(body.unwrap() == expected);
    }
}

#[tokio::test]
async fn viewers_that_take_nothing_from_disk_hold_up_nobody_else() {
    const BYTES: usize = 3_000_000;
    let (store, _) = open(16 * MIB, FaultyDisk::new(1), epoch(5));
    let expected = content(1, BYTES);
    let (mut fill, arriving) = store.begin_fill(true, Some(BYTES as u64));
    let arriving = proven(arriving);
    assert!(push_all(&mut fill, expected.clone(), 50_000, 1).await);
    let whole = proven(fill.finish().await.expect("it is kept"));
    drop(arriving);
    // Who waits for memory does so by the clock, which goes on when nothing else does.
    tokio::time::pause();
    let before = store.memory_bytes();
    let mut silent = Vec::new();
    for _ in 0..100 {
        let mut reader = reader(&whole);
        let first = poll_fn(|context| reader.poll_next(context)).await.unwrap().unwrap();
        assert_eq!(first, expected[..first.len()]);
        silent.push((reader, first));
    }
    let held: usize = silent.iter().map(|(_, slice)| slice.len()).sum();
    assert!(store.memory_bytes() - before >= held as u64, "it is counted");
    assert!(read(reader(&whole)).await.unwrap() == expected);
    drop(silent);
    assert_eq!(store.memory_bytes(), before);
}

async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn single_bytes_cost_no_more_than_is_counted() {
    let store = Store::new(64 * MIB);
    let (mut fill, arriving) = store.begin_fill(true, None);
    let arriving = proven(arriving);
    let expected = content(1, 300_000);
    for at in 0..expected.len() {
        assert!(fill.push(&mut expected.slice(at..=at)).await);
    }
    let bytes = store.memory_bytes();
    assert!((300_000..330_000).contains(&bytes), "{bytes} bytes");
    let mut reader = reader(&arriving);
    let mut n_slices = 0;
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let slice = poll_fn(|context| reader.poll_next(context)).await.unwrap().unwrap();
        seen.extend_from_slice(&slice);
        n_slices += 1;
    }
    assert!(seen == expected && n_slices <= 300_000 / 4_096 + 1, "{n_slices} slices");
    let whole = fill.finish().await.expect("kept");
    drop((reader, arriving));
    assert_eq!(store.memory_bytes(), 0, "nothing is in flight any more");
    assert!(read(reader_of(whole)).await.unwrap() == expected);
}

fn reader_of(body: Body) -> BodyReader {
    reader(&proven(body))
}

#[tokio::test]
async fn a_byte_is_seen_before_the_next_one_comes() {
    let store = Store::new(64 * MIB);
    let (mut fill, arriving) = store.begin_fill(true, None);
    let mut reader = reader_of(arriving);
    for byte in [&b"a"[..], b"b", b"c"] {
        fill.push(&mut Bytes::from_static(byte)).await;
        let seen = poll_fn(|context| reader.poll_next(context)).await;
        assert_eq!(seen, Some(Ok(Bytes::from_static(byte))));
    }
}

#[tokio::test]
async fn a_stalled_reader_holds_up_nobody_and_reads_from_disk_later() {
    const BYTES: usize = 8_000_000;
    let (store, _) = open(4 * MIB, FaultyDisk::new(1), epoch(5));
    let expected = content(1, BYTES);
    let (mut fill, arriving) = store.begin_fill(true, Some(BYTES as u64));
    let arriving = proven(arriving);
    let mut stalled = reader(&arriving);
    let going_on = read_at_a_pace(reader(&arriving), expected.clone(), 1, || ());
    let filling = async {
        assert!(push_all(&mut fill, expected.clone(), 50_000, 1).await);
        let first = poll_fn(|context| stalled.poll_next(context))
            .await
            .unwrap()
            .unwrap()
            .to_vec();
        let whole = fill.finish().await;
        (first, whole)
    };
    let ((), (first, whole)) = tokio::join!(going_on, filling);
    assert!(whole.is_some());
    let mut seen = first;
    seen.extend(read(stalled).await.unwrap());
    assert!(seen == expected);
}

#[tokio::test(start_paused = true)]
async fn who_holds_up_others_in_a_body_that_is_not_kept_is_cut_off() {
    let store = Store::new(4 * MIB);
    let (mut fill, arriving) = store.begin_fill(false, None);
    let arriving = proven(arriving);
    let mut stalled = reader(&arriving);
    let expected = content(1, 5_000_000);
    let began = tokio::time::Instant::now();
    let filling = async {
        assert!(push_all(&mut fill, expected.clone(), 50_000, 1).await);
        fill.finish().await
    };
    tokio::join!(read_at_a_pace(reader(&arriving), expected.clone(), 1, || ()), filling);
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_secs(10) && waited < Duration::from_secs(11),
        "{waited:?}"
    );
    let next = poll_fn(|context| stalled.poll_next(context)).await;
    assert_eq!(next, Some(Err(Truncated)), "it sees that it is not whole");
}

#[tokio::test(start_paused = true)]
async fn the_only_reader_may_take_its_time() {
    let store = Store::new(4 * MIB);
    let (mut fill, arriving) = store.begin_fill(false, None);
    let mut reader = reader_of(arriving);
    let expected = content(1, 3_000_000);
    let filling = async {
        assert!(push_all(&mut fill, expected.clone(), 50_000, 1).await);
        fill.finish().await
    };
    let reading = async {
        let mut seen = Vec::new();
        while let Some(slice) = poll_fn(|context| reader.poll_next(context)).await {
            seen.extend_from_slice(&slice.unwrap());
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        seen
    };
    let (_, seen) = tokio::join!(filling, reading);
    assert!(seen == expected);
}

#[tokio::test]
async fn without_threads_a_body_goes_to_disk_step_by_step() {
    const BYTES: usize = 3_000_000;
    let options = DiskOptions {
        files: Box::new(FaultyDisk::new(1)),
        bytes: DISK_BYTES,
        head: epoch(5),
    };
    let (store, _) = Store::open_without_threads(16 * MIB, options).unwrap();
    let (mut fill, arriving) = store.begin_fill(true, Some(BYTES as u64));
    let expected = content(1, BYTES);
    let (mut rest, mut n_steps) = (expected.clone(), 0);
    while !rest.is_empty() {
        assert!(fill.push(&mut rest.split_to(rest.len().min(30_000))).await);
        n_steps += u32::from(store.step());
    }
    let ending = async {
        tokio::task::yield_now().await;
        while store.step() {}
    };
    let (whole, ()) = tokio::join!(fill.finish(), ending);
    assert!(n_steps > 5, "{n_steps} steps");
    drop(arriving);
    assert_eq!(store.memory_bytes(), 0);
    assert!(read(reader_of(whole.expect("kept"))).await.unwrap() == expected);
}

#[tokio::test]
async fn a_body_that_was_in_memory_is_read_back_from_disk_in_few_large_slices() {
    const MEMORY_BYTES: u64 = 256 * MIB;
    const BYTES: usize = 2_500_000;
    let disk = FaultyDisk::new(1);
    let (store, _) = open(MEMORY_BYTES, disk.clone(), epoch(5));
    let (mut fill, arriving) = store.begin_fill(true, None);
    let arriving = proven(arriving);
    let expected = content(1, BYTES);
    assert!(push_all(&mut fill, expected.clone(), 50_000, 1).await);
    let whole = Arc::new(arriving.with_body(fill.finish().await.expect("kept")));
    store.insert(b"/large", Arc::clone(&whole));
    assert!(store.get(b"/large").is_some(), "in memory");
    store.close();
    drop(store);
    let (store, _) = open(MEMORY_BYTES, disk, epoch(5));
    let entry = store.get_on_disk(b"/large").expect("on disk");
    let entry = index().check(&distribution(), entry, || names(b"/large")).unwrap();
    let response = store.load(entry.shared()).await.expect("a hit");
    let found = index().check(&distribution(), response, || names(b"/large")).unwrap();
    let mut reader = reader(&found);
    let (mut seen, mut n_slices) = (Vec::new(), 0);
    while let Some(slice) = poll_fn(|context| reader.poll_next(context)).await {
        seen.extend_from_slice(&slice.unwrap());
        n_slices += 1;
    }
    assert!(seen == expected);
    assert!(n_slices <= BYTES / 60_000, "{n_slices} slices");
}

#[tokio::test]
async fn a_body_that_has_grown_beyond_memory_takes_the_place_of_the_one_there() {
    const BYTES: usize = 3_000_000;
    let (store, _) = open(4 * MIB, FaultyDisk::new(1), epoch(5));
    for (version, bytes) in [(1, 10_000), (2, BYTES)] {
        let (mut fill, arriving) = store.begin_fill(true, Some(bytes as u64));
        let arriving = proven(arriving);
        fill.push(&mut content(version, bytes)).await;
        let whole = fill.finish().await.expect("it is kept");
        let stored = store.insert(b"/page", Arc::new(arriving.with_body(whole)));
        assert_eq!(stored, Inserted::Stored);
    }
    store.drain();
    let (_, _, body) = look_up(&store, &index(), b"/page")
        .await
        .expect("a hit")
        .expect("whole");
    assert!(body == content(2, BYTES), "{} bytes", body.len());
}

#[tokio::test]
async fn what_memory_gives_up_counts_until_its_viewers_have_it() {
    let store = Store::new(4 * MIB);
    let page = |number: u64| response(epoch(5), number, content(number, 200_000));
    let mut readers = Vec::new();
    for number in 0..40_u64 {
        let response = page(number);
        store.insert(&number.to_be_bytes(), Arc::clone(&response));
        let response = index().check(&distribution(), response, || names(b"/page")).unwrap();
        readers.push(reader(&response));
    }
    let figures = store.figures();
    assert!(figures.n_evicted > 20, "{figures:?}");
    assert!(
        figures.memory_bytes >= 40 * 200_000,
        "all of it is in memory: {figures:?}"
    );
    let (mut fill, _arriving) = store.begin_fill(true, None);
    fill.push(&mut content(1, 10_000)).await;
    let n_squeezed = store.n_responses();
    assert!(n_squeezed < figures.n_in_memory, "others have the room");
    drop(readers);
    assert!(store.memory_bytes() <= 4 * MIB);
    fill.push(&mut content(2, 10_000)).await;
    for number in 40..80_u64 {
        store.insert(&number.to_be_bytes(), page(number));
    }
    assert!(store.n_responses() > n_squeezed, "memory has the room back");
}

#[tokio::test]
async fn when_the_disk_cannot_be_written_readers_go_on_and_nothing_is_kept() {
    for seed in 0..8 {
        const BYTES: usize = 6_000_000;
        let disk = FaultyDisk::new(seed);
        let (store, _) = open(4 * MIB, disk.clone(), epoch(5));
        let expected = content(seed, BYTES);
        let (mut fill, arriving) = store.begin_fill(true, Some(BYTES as u64));
        let arriving = proven(arriving);
        let filling = async {
            assert!(push_all(&mut fill, expected.slice(..2_000_000), 50_000, seed).await);
            disk.limit(Some(0));
            assert!(push_all(&mut fill, expected.slice(2_000_000..), 50_000, seed).await);
            fill.finish().await
        };
        // Both keep up, so that neither needs the disk.
        let keep_up = |number: u64| {
            let (mut reader, expected) = (reader(&arriving), expected.clone());
            async move {
                let mut offset = 0;
                while let Some(slice) = poll_fn(|context| reader.poll_next(context)).await {
                    // What the disk held is gone with it for who comes too late, and is said to be.
                    let Ok(slice) = slice else { return offset };
                    assert!(
                        expected[offset..offset + slice.len()] == slice[..],
                        "reader {number} at {offset}"
                    );
                    offset += slice.len();
                }
                offset
            }
        };
        let (whole, first, second) = tokio::join!(filling, keep_up(1), keep_up(2));
        assert!(whole.is_none(), "seed {seed}");
        assert_eq!((first, second), (BYTES, BYTES), "seed {seed}");
    }
}

#[tokio::test]
async fn one_read_serves_all_who_look_up_the_same_response_at_once() {
    let disk = FaultyDisk::new(1);
    let (store, _) = open(64 * MIB, disk.clone(), epoch(5));
    let (mut fill, arriving) = store.begin_fill(true, None);
    let arriving = proven(arriving);
    fill.push(&mut content(1, 50_000)).await;
    let whole = fill.finish().await.unwrap();
    store.insert(b"/page", Arc::new(arriving.with_body(whole)));
    store.close();
    drop(store);
    let (store, _) = open(64 * MIB, disk.clone(), epoch(5));
    let entry = store.get_on_disk(b"/page").unwrap();
    let entry = index().check(&distribution(), entry, || names(b"/page")).unwrap();
    let mut looks: Vec<_> = (0..50).map(|_| Box::pin(store.load(entry.shared()))).collect();
    let mut begin = || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        looks
            .iter_mut()
            .all(|look| look.as_mut().poll(&mut context).is_pending())
    };
    // Nothing can be read while a file is edited.
    disk.edit(&disk.segments()[0], |_| assert!(begin()));
    let mut found = Vec::new();
    for look in looks {
        found.push(look.await.expect("a hit"));
    }
    assert!(found.iter().all(|response| Arc::ptr_eq(response, &found[0])));
    assert_eq!(store.figures().disk.unwrap().n_hits, 1);
}
