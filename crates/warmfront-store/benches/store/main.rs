//! What the store costs: `cargo bench -p warmfront-store --bench store [-- N_RESPONSES]`. Each line is a name and a number;
//! `cargo xtask bench store` makes a table of them. `-- large` and `-- heads` measure these alone.

#[path = "../workload.rs"]
mod workload;

mod disk;
mod heads;
mod large;
mod memory;

use std::fmt::Display;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use warmfront_invalidation::{Index, Names, Proven, Stamped};
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision};
use warmfront_store::{Body, BodyReader, Fill, FillLimits, Store, StoredResponse, Truncated};

use workload::head;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_RESPONSES_DEFAULT: u32 = 1_000_000;
const BODY_BYTES: usize = 1024;
const HEAD: Epoch = Epoch {
    incarnation: Incarnation(1),
    revision: Revision(1),
};

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let has = |name: &str| wanted.iter().any(|argument| argument == name);
    if has("heads") {
        return heads::measure();
    }
    let n_responses = wanted.iter().find_map(|argument| argument.parse().ok());
    let n_responses = n_responses.unwrap_or(N_RESPONSES_DEFAULT);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk to measure");
    runtime.block_on(async {
        if !has("large") {
            memory::measure(n_responses).await;
            disk::measure(dir.path(), n_responses).await;
        }
        large::measure(&dir.path().join("large")).await;
    });
}

/// Prints a line of the result.
fn print(name: &str, number: impl Display) {
    println!("{name} {number}");
}

fn print_rate(name: &str, began: Instant, n: u32) {
    print(
        name,
        format_args!("{:.0}", f64::from(n) / began.elapsed().as_secs_f64()),
    );
}

fn print_secs(name: &str, elapsed: Duration) {
    print(name, format_args!("{:.3}", elapsed.as_secs_f64()));
}

fn key(number: u32) -> Vec<u8> {
    let url = format!("/assets/shop/products/{number:08}/overview.html");
    let mut key = b"\x0eE1U5RQF7T870K0G0".to_vec();
    key.extend(u32::try_from(url.len()).unwrap_or(0).to_be_bytes());
    key.extend(u32::try_from(url.len()).unwrap_or(0).to_be_bytes());
    key.extend(url.bytes());
    key
}

/// A number below `n`; all of them, in an order that no cache of a processor expects.
fn scattered(number: u32, n: u32) -> u32 {
    number.wrapping_mul(2_654_435_761) % n
}

/// A response as a fetch makes it.
async fn response(number: u32) -> Arc<StoredResponse> {
    let (mut fill, arriving) = Fill::begin(FillLimits {
        keep_bytes_max: workload::MIB,
        window_bytes: workload::MIB,
    });
    let response = StoredResponse::new(head(BODY_BYTES as u64), HEAD, None, arriving);
    fill.push(&mut Bytes::from(vec![number.to_le_bytes()[0]; BODY_BYTES]))
        .await;
    let whole = fill.finish().await.expect("a body");
    Arc::new(response.with_body(whole))
}

/// A response whose body shares the memory of all others'.
fn response_sharing(body: &Bytes) -> Arc<StoredResponse> {
    let whole = Body::whole(vec![body.clone()]);
    Arc::new(StoredResponse::new(head(body.len() as u64), HEAD, None, whole))
}

fn check<T: Stamped>(what: Arc<T>) -> Option<Proven<T>> {
    let distribution = DistributionId::parse("E1U5RQF7T870K0").ok()?;
    let mut index = Index::new(HEAD.incarnation);
    index.advance(HEAD.revision);
    index.check(&distribution, what, || Names::new(b"/")).ok()
}

async fn load(store: &Store, number: u32) -> Option<Arc<StoredResponse>> {
    store.load(check(store.get_on_disk(&key(number))?)?.shared()).await
}

async fn next(reader: &mut BodyReader) -> Option<Result<Bytes, Truncated>> {
    poll_fn(|context| reader.poll_next(context)).await
}
