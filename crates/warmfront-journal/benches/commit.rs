//! How long commits and a start take on this disk: `cargo bench -p warmfront-journal`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use warmfront_journal::{Embedded, Expected, Journal, Write};

const N_SINGLE: usize = 500;
const N_ROUNDS: usize = 200;
const N_CONCURRENT: usize = 64;
const N_STORED: usize = 100_000;
const VALUE_BYTES: usize = 300;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk to measure");
    runtime.block_on(measure(dir.path()));
}

async fn measure(dir: &std::path::Path) {
    let journal = Embedded::open(dir).expect("a journal");
    let value = Write::Put(Bytes::from(vec![1; VALUE_BYTES]));

    let mut single = Vec::new();
    for number in 0..N_SINGLE {
        let start = Instant::now();
        journal
            .commit(&format!("single/{number}"), value.clone(), Expected::Absent)
            .await
            .expect("a commit");
        single.push(start.elapsed());
    }
    report("one commit, with its fsync", single);

    let n_before = journal.n_transactions();
    let mut rounds = Vec::new();
    for round in 0..N_ROUNDS {
        let keys: Vec<String> = (0..N_CONCURRENT)
            .map(|number| format!("many/{round}/{number}"))
            .collect();
        let start = Instant::now();
        join_all(
            keys.iter()
                .map(|key| journal.commit(key, value.clone(), Expected::Absent)),
        )
        .await;
        rounds.push(start.elapsed());
    }
    report(&format!("{N_CONCURRENT} concurrent commits, until the last"), rounds);
    let n_transactions = journal.n_transactions() - n_before;
    println!("  {} commits in {n_transactions} transactions", N_ROUNDS * N_CONCURRENT);

    let keys: Vec<String> = (0..N_STORED).map(|number| format!("stored/{number}")).collect();
    let start = Instant::now();
    join_all(
        keys.iter()
            .map(|key| journal.commit(key, value.clone(), Expected::Absent)),
    )
    .await;
    println!("{N_STORED} commits at once: {:?}", start.elapsed());
    drop(journal);

    let start = Instant::now();
    let journal = Embedded::open(dir).expect("the journal");
    let head = journal.head().await.expect("a head");
    println!("opening it with {head} events: {:?}", start.elapsed());
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{what}: median {:?}, p99 {:?}, worst {:?}", at(0.5), at(0.99), at(1.0));
}
