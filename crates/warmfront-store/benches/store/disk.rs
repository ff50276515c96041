use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Advice, fadvise};
use warmfront_store::{DiskOptions, Folder, Store};

use crate::memory::nanos_of_a_look_up;
use crate::workload::{MIB, memory_of_process};
use crate::{HEAD, check, key, load, print, print_rate, print_secs, response, scattered};

pub fn open(dir: &Path, bytes: u64) -> Store {
    let options = DiskOptions {
        files: Box::new(Folder::lock(dir).expect("a folder")),
        bytes,
        head: HEAD,
    };
    Store::open(1024 * MIB, options).expect("a store").0
}

const ROOMY_BYTES: u64 = 8 * 1024 * MIB;

/// At the pace of the disk: nothing is turned away.
async fn insert_all(store: &Store, n_responses: u32, rate: &str) {
    let began = Instant::now();
    for number in 0..n_responses {
        store.insert(&key(number), response(number).await);
        if number % 4_096 == 0 {
            store.drain();
        }
    }
    store.drain();
    print_rate(rate, began, n_responses);
}

/// Fills a disk that has room for all.
pub async fn fill(dir: &Path, n_responses: u32) {
    let store = open(dir, ROOMY_BYTES);
    insert_all(&store, n_responses, "disk.fills_per_sec").await;
    let figures = store.figures().disk.unwrap_or_default();
    let n_on_disk = figures.n_responses.max(1);
    print("disk.responses", figures.n_responses);
    print("disk.bytes_each", figures.disk_bytes / n_on_disk);
    let look_up = nanos_of_a_look_up(n_responses, |key| store.get_on_disk(key).is_some());
    print("disk.look_up_ns", look_up);
    let began = Instant::now();
    let n_visited = store.iter_on_disk().filter_map(check).count();
    print("disk.visit_ns", began.elapsed().as_nanos() / (n_visited.max(1) as u128));
    let began = Instant::now();
    store.close();
    print_secs("disk.close_secs", began.elapsed());
}

/// Starts on what [`fill`] has left: once with the files in the system's page cache, and once from the disk itself.
pub async fn start(dir: &Path, n_responses: u32) {
    let before = memory_of_process("VmRSS:");
    let store = first_hit(dir, n_responses, "start.first_hit_secs").await;
    let resident = memory_of_process("VmRSS:").saturating_sub(before);
    print("disk.memory_bytes_each", resident / u64::from(n_responses.max(1)));
    let n_hits = n_responses.min(20_000);
    let began = Instant::now();
    for number in 0..n_hits {
        assert!(load(&store, scattered(number, n_responses)).await.is_some(), "{number}");
    }
    print("disk.hit_us", began.elapsed().as_micros() / u128::from(n_hits.max(1)));
    drop(store);
    forget_pages(dir);
    drop(first_hit(dir, n_responses, "start.first_hit_cold_secs").await);
}

/// Fills a disk that has room for few.
pub async fn evict(dir: &Path, n_responses: u32) {
    let store = open(dir, 128 * MIB);
    insert_all(&store, n_responses, "disk.evicting_fills_per_sec").await;
    print("disk.evicted", store.figures().disk.unwrap_or_default().n_evicted);
}

async fn first_hit(dir: &Path, n_responses: u32, name: &str) -> Store {
    let began = Instant::now();
    let store = open(dir, ROOMY_BYTES);
    assert!(load(&store, n_responses / 2).await.is_some(), "it is there");
    print_secs(name, began.elapsed());
    store
}

/// Drops what the system keeps of the files in memory.
pub fn forget_pages(dir: &Path) {
    for entry in fs::read_dir(dir).expect("the folder").flatten() {
        let file = File::open(entry.path()).expect("a file");
        file.sync_all().expect("written");
        fadvise(&file, 0, None, Advice::DontNeed).expect("advice");
    }
}
