//! What the store costs: `cargo bench -p warmfront-store --bench store [-- N_RESPONSES]`. Each line is a name and a number;
//! `cargo xtask bench store` makes a table of them. `-- PART` measures one of [`PARTS`] alone, or `heads`.

#[path = "../workload.rs"]
mod workload;

mod disk;
mod heads;
mod large;
mod memory;

use std::fmt::Display;
use std::future::poll_fn;
use std::path::Path;
use std::process::Command;
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

/// Each is a process of its own, so that none finds memory that another has left.
const PARTS: [&str; 6] = ["memory", "look-ups", "fill", "start", "evict", "large"];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let n_responses = wanted.iter().find_map(|argument| argument.parse().ok());
    let n_responses: u32 = n_responses.unwrap_or(N_RESPONSES_DEFAULT);
    let named = |argument: &&String| PARTS.contains(&argument.as_str()) || *argument == "heads";
    match (wanted.iter().find(named), std::env::var_os(FOLDER)) {
        (Some(part), Some(dir)) => run_part(part, dir.as_ref(), n_responses),
        (part, _) => {
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk to measure");
            let parts = part.map_or(PARTS.to_vec(), |part| vec![part.as_str()]);
            parts.iter().for_each(|part| start_part(part, dir.path(), n_responses));
        }
    }
}

/// Where the parts have the folder from.
const FOLDER: &str = "WARMFRONT_BENCH_FOLDER";

fn start_part(part: &str, dir: &Path, n_responses: u32) {
    let mut command = Command::new(std::env::current_exe().expect("ourselves"));
    command.args([part, &n_responses.to_string()]).env(FOLDER, dir);
    assert!(command.status().expect("it starts").success(), "{part} failed");
}

fn run_part(part: &str, dir: &Path, n_responses: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match part {
            "memory" => memory::fill(n_responses / 5).await,
            "look-ups" => memory::look_up([n_responses / 100, n_responses, n_responses.saturating_mul(5)]),
            "fill" => disk::fill(dir, n_responses).await,
            "start" => disk::start(dir, n_responses).await,
            "evict" => disk::evict(&dir.join("small"), n_responses).await,
            "large" => large::measure(&dir.join("large")).await,
            _ => heads::measure(),
        }
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
