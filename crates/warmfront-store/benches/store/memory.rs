use std::time::Instant;

use bytes::Bytes;
use warmfront_store::Store;

use crate::workload::{MIB, memory_of_process};
use crate::{BODY_BYTES, key, print, print_rate, response, response_sharing, scattered};

/// A budget that all responses fit into, and not much more: its tables are made for so many.
fn enough_bytes(n_responses: u32) -> u64 {
    64 * MIB + u64::from(n_responses) * 3 * 1024
}

/// Fills memory, first with room for all, then with room for few.
pub async fn fill(n_responses: u32) {
    bookkeeping(n_responses).await;
    eviction(n_responses).await;
}

/// What a response takes beyond its body, the key counted, as the system sees it and as the store does.
async fn bookkeeping(n_responses: u32) {
    let store = Store::new(enough_bytes(n_responses));
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
    assert_eq!(store.n_responses(), (N_FIRST + n_responses) as usize, "all are there");
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

/// Looks up among more and more responses, whose bodies are one.
pub fn look_up(sizes: [u32; 3]) {
    let store = Store::new(enough_bytes(sizes[2]));
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
