use std::time::Instant;

use bytes::Bytes;
use warmfront_store::Store;

use crate::workload::{MIB, memory_of_process};
use crate::{BODY_BYTES, key, print, print_rate, response, response_sharing, scattered};

/// More than anything here takes.
const ENOUGH_BYTES: u64 = 64 * 1024 * MIB;

/// Fills memory with a fifth of `n_responses`, then with up to five times as many whose bodies are one.
pub async fn measure(n_responses: u32) {
    bookkeeping(n_responses / 5).await;
    eviction(n_responses / 5).await;
    look_ups([n_responses / 100, n_responses, n_responses.saturating_mul(5)]);
}

/// What a response takes beyond its body, the key counted, as the system sees it and as the store does.
async fn bookkeeping(n_responses: u32) {
    let store = Store::new(ENOUGH_BYTES);
    // What a process takes once is no bookkeeping.
    const N_FIRST: u32 = 2_000;
    for number in 0..N_FIRST {
        store.insert(&key(u32::MAX - number), response(number).await);
    }
    let (resident, counted) = (memory_of_process("VmRSS:"), store.memory_bytes());
    let began = Instant::now();
    for number in 0..n_responses {
        store.insert(&key(number), response(number).await);
    }
    print_rate("memory.fills_per_sec", began, n_responses);
    let more = |now: u64, before: u64| (now - before) / u64::from(n_responses.max(1));
    let resident = more(memory_of_process("VmRSS:"), resident);
    print("memory.bookkeeping_bytes", resident.saturating_sub(BODY_BYTES as u64));
    print(
        "memory.bookkeeping_bytes_counted",
        more(store.memory_bytes(), counted).saturating_sub(BODY_BYTES as u64),
    );
}

async fn eviction(n_responses: u32) {
    let store = Store::new(16 * MIB);
    let began = Instant::now();
    for number in 0..n_responses {
        store.insert(&key(number), response(number).await);
    }
    print_rate("memory.evicting_fills_per_sec", began, n_responses);
}

fn look_ups(sizes: [u32; 3]) {
    let store = Store::new(ENOUGH_BYTES);
    let body = Bytes::from(vec![7; BODY_BYTES]);
    let mut n_stored = 0;
    for n_responses in sizes {
        for number in n_stored..n_responses {
            store.insert(&key(number), response_sharing(&body));
        }
        n_stored = n_responses;
        print(
            &format!("memory.look_up_ns.{n_responses}"),
            nanos_of_a_look_up(n_responses, |key| store.get(key).is_some()),
        );
    }
}

/// The median of some rounds, each over keys that no round before had, if there are as many.
pub fn nanos_of_a_look_up(n_responses: u32, mut finds: impl FnMut(&[u8]) -> bool) -> u128 {
    const N_ROUNDS: u32 = 9;
    const N_LOOK_UPS: u32 = 100_000;
    let mut rounds: Vec<u128> = (0..N_ROUNDS)
        .map(|round| {
            let numbers = round * N_LOOK_UPS..(round + 1) * N_LOOK_UPS;
            let keys: Vec<Vec<u8>> = numbers.map(|number| key(scattered(number, n_responses))).collect();
            let began = Instant::now();
            let n_found = keys.iter().filter(|key| finds(key)).count();
            let elapsed = began.elapsed().as_nanos();
            assert_eq!(n_found, keys.len(), "all are there");
            elapsed / u128::from(N_LOOK_UPS)
        })
        .collect();
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
}
