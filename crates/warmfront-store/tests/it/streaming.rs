use std::future::poll_fn;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use warmfront_invalidation::Index;
use warmfront_model::Revision;
use warmfront_store::{BodyReader, Fill, FillLimits, Folder, StoredResponse};

use crate::support::{INCARNATION, MIB, content, distribution, epoch, head, names, open, response};

/// Reads everything, now and then letting others go first; some wait longer than others.
async fn read_at_a_pace(mut reader: BodyReader, seed: u64) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let laziness = rng.random_range(0..20);
    let mut bytes = Vec::new();
    while let Some(slice) = poll_fn(|context| reader.poll_next(context)).await {
        bytes.extend_from_slice(&slice.expect("whole"));
        for _ in 0..rng.random_range(0..=laziness) {
            tokio::task::yield_now().await;
        }
    }
    bytes
}

fn opened(response: StoredResponse) -> impl Fn() -> BodyReader {
    let mut index = Index::new(INCARNATION);
    index.advance(Revision(5));
    let proven = index
        .check(&distribution(), std::sync::Arc::new(response), || names(b"/"))
        .expect("not covered");
    move || StoredResponse::open(&proven).expect("from the beginning")
}

#[tokio::test]
async fn readers_of_any_speed_see_every_byte_of_a_body_that_is_not_kept() {
    const BYTES: usize = 3_000_000;
    for seed in 0..10 {
        let limits = FillLimits {
            keep_bytes_max: 0,
            window_bytes: 100_000,
        };
        let (mut fill, arriving) = Fill::begin(limits);
        let open = opened(StoredResponse::new(head(1), epoch(5), None, arriving));
        let mut readers = JoinSet::new();
        for number in 0..20 {
            readers.spawn(read_at_a_pace(open(), seed * 100 + number));
        }
        let mut rng = StdRng::seed_from_u64(seed);
        let mut rest = content(seed, BYTES);
        while !rest.is_empty() {
            let mut slice = rest.split_to(rng.random_range(1..40_000).min(rest.len()));
            assert!(fill.push(&mut slice).await);
        }
        fill.finish().await;
        for bytes in readers.join_all().await {
            assert!(bytes == content(seed, BYTES), "seed {seed}");
        }
    }
}

#[tokio::test]
async fn readers_of_any_speed_see_every_byte_of_a_body_on_disk_even_when_its_segments_go() {
    const BYTES: usize = 5_000_000;
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(64 * MIB, Folder::lock(folder.path()).unwrap(), epoch(5));
    store.insert(b"/large", response(epoch(5), 1, content(1, BYTES)));
    store.close();
    drop(store);
    let (store, _) = open(64 * MIB, Folder::lock(folder.path()).unwrap(), epoch(5));
    let mut index = Index::new(INCARNATION);
    index.advance(Revision(5));
    let entry = store.get_on_disk(b"/large").expect("it came back");
    assert_eq!(entry.body_bytes(), BYTES as u64);
    let entry = index
        .check(&distribution(), entry, || names(b"/large"))
        .expect("not covered");
    let loaded = store.load(entry.shared()).await.expect("readable");
    assert!(store.get(b"/large").is_none(), "a long body is not taken into memory");
    let proven = index
        .check(&distribution(), loaded, || names(b"/large"))
        .expect("not covered");
    let readers: Vec<BodyReader> = (0..10)
        .map(|_| StoredResponse::open(&proven).expect("a body"))
        .collect();
    drop(store);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let mut reading = JoinSet::new();
    for (number, reader) in (0_u64..).zip(readers) {
        reading.spawn(read_at_a_pace(reader, number));
    }
    for bytes in reading.join_all().await {
        assert!(bytes == content(1, BYTES));
    }
}
