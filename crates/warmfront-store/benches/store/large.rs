use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use warmfront_store::{Store, StoredResponse};

use crate::disk::{forget_pages, open};
use crate::workload::{MIB, head};
use crate::{HEAD, check, key, load, next, print};

const BYTES: u64 = 64 * MIB;
const N: u32 = 16;
const DISK_BYTES: u64 = 8 * 1024 * MIB;
/// What one read from an origin's connection gives.
const PART_BYTES: usize = 64 * 1024;

/// Bodies longer than memory keeps: written while they arrive and are read, then read back by one and by many at once, with
/// the files in the system's page cache and without.
pub async fn measure(dir: &Path) {
    let store = open(dir, DISK_BYTES);
    let began = Instant::now();
    for number in 0..N {
        arrive(&store, number).await;
    }
    store.drain();
    print_mib_per_sec("large.written_mib_per_sec", began, u64::from(N) * BYTES);
    store.close();
    drop(store);
    let store = Arc::new(open(dir, DISK_BYTES));
    for (n_readers, is_cold) in [(1, true), (16, true), (1, false), (16, false)] {
        if is_cold {
            forget_pages(dir);
        }
        let began = Instant::now();
        let readers: Vec<_> = (0..n_readers)
            .map(|reader| tokio::task::spawn(read_share(Arc::clone(&store), reader, n_readers)))
            .collect();
        let mut read_bytes = 0;
        for reader in readers {
            read_bytes += reader.await.expect("read");
        }
        assert_eq!(read_bytes, u64::from(N) * BYTES);
        let cold = if is_cold { "_cold" } else { "" };
        print_mib_per_sec(&format!("large.read{cold}_mib_per_sec.{n_readers}"), began, read_bytes);
    }
    let began = Instant::now();
    let response = load(&store, 0).await.expect("a hit");
    let proven = check(response).expect("not covered");
    let mut reader = StoredResponse::open(&proven).expect("a body");
    let first = next(&mut reader).await.expect("bytes").expect("whole");
    print("large.first_bytes_us", began.elapsed().as_micros());
    print("large.slice_bytes", first.len());
    drop((reader, first));
}

async fn arrive(store: &Store, number: u32) {
    let part = Bytes::from(vec![7; PART_BYTES]);
    let (mut fill, arriving) = store.begin_fill(true, Some(BYTES));
    let response = Arc::new(StoredResponse::new(head(BYTES), HEAD, None, arriving));
    let proven = check(Arc::clone(&response)).expect("not covered");
    let mut reader = StoredResponse::open(&proven).expect("from the beginning");
    let filling = async {
        for _ in 0..BYTES / PART_BYTES as u64 {
            assert!(fill.push(&mut part.clone()).await, "it is kept");
        }
        fill.finish().await.expect("it is kept")
    };
    let reading = async { while let Some(Ok(_)) = next(&mut reader).await {} };
    let (whole, ()) = tokio::join!(filling, reading);
    store.insert(&key(number), Arc::new(response.with_body(whole)));
}

/// Every `n_readers`-th body, from `reader` on.
async fn read_share(store: Arc<Store>, reader: u32, n_readers: u32) -> u64 {
    let mut read_bytes = 0;
    for number in (reader..N).step_by(n_readers as usize) {
        let response = load(&store, number).await.expect("a hit");
        let proven = check(response).expect("not covered");
        let mut reader = StoredResponse::open(&proven).expect("a body");
        while let Some(slice) = next(&mut reader).await {
            read_bytes += slice.expect("whole").len() as u64;
        }
    }
    read_bytes
}

fn print_mib_per_sec(name: &str, began: Instant, bytes: u64) {
    let mib = bytes as f64 / MIB as f64;
    print(name, format_args!("{:.0}", mib / began.elapsed().as_secs_f64()));
}
