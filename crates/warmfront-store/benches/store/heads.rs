use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use warmfront_model::Timestamp;
use warmfront_store::{Head, StoredHead};

use crate::workload::head;
use crate::{BODY_BYTES, print, scattered};

const N_MAPS: u32 = 1_000_000;

/// What a hit needs of a head: a map of its own.
pub fn measure() {
    for n_heads in [1, 20, 1_000_000_u32] {
        let maps: Vec<HeaderMap> = (0..n_heads).map(|number| head_of(number).headers).collect();
        time_heads("copy_of_a_map", n_heads, |number| maps[number].clone());
        drop(maps);
        let stored: Vec<StoredHead> = (0..n_heads).map(|number| head_of(number).into()).collect();
        time_heads("map_from_a_stored_head", n_heads, |number| stored[number].headers());
    }
}

fn time_heads(what: &str, n_heads: u32, mut make: impl FnMut(usize) -> HeaderMap) {
    let began = Instant::now();
    for number in 0..N_MAPS {
        black_box(make(scattered(number, n_heads) as usize));
    }
    let nanos = began.elapsed().as_nanos() / u128::from(N_MAPS);
    print(&format!("heads.{n_heads}.{what}_ns"), nanos);
}

/// Values that share a buffer of their own, as those that came from a connection do.
fn head_of(number: u32) -> Head {
    let mut head = head(BODY_BYTES as u64);
    let text: Vec<u8> = head.headers.values().flat_map(HeaderValue::as_bytes).copied().collect();
    let mut values = Bytes::from(text);
    for value in head.headers.values_mut() {
        *value = HeaderValue::from_maybe_shared(values.split_to(value.len())).expect("valid");
    }
    head.response_time = Timestamp(number.into());
    head
}
