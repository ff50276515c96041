//! What the store costs: `cargo bench -p warmfront-store [-- N_RESPONSES]`, or `cargo xtask bench store`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_invalidation::{Index, Names};
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision, Timestamp};
use warmfront_store::{Body, DiskOptions, Fill, FillLimits, Folder, Head, Store, StoredHead, StoredResponse};

const MIB: u64 = 1024 * 1024;
const N_RESPONSES_DEFAULT: u32 = 1_000_000;
const BODY_BYTES: usize = 1024;
const N_LOOKUPS: u32 = 1_000_000;
const HEAD: Epoch = Epoch {
    incarnation: Incarnation(1),
    revision: Revision(1),
};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if std::env::args().any(|argument| argument == "heads") {
        return heads();
    }
    let n_responses = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(N_RESPONSES_DEFAULT);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk to measure");
    runtime.block_on(async {
        memory(n_responses / 5).await;
        disk(dir.path(), n_responses).await;
        start(dir.path(), n_responses).await;
        large(dir.path()).await;
    });
}

/// What a hit needs of a head: a map of its own.
fn heads() {
    for n_heads in [1, 20, 1_000_000_u32] {
        let maps: Vec<HeaderMap> = (0..n_heads).map(|number| head_of(number).headers).collect();
        time_heads("copy of a map", n_heads, |number| maps[number].clone());
        drop(maps);
        let stored: Vec<StoredHead> = (0..n_heads).map(|number| head_of(number).into()).collect();
        time_heads("map from a stored head", n_heads, |number| stored[number].headers());
    }
}

fn time_heads(what: &str, n_heads: u32, mut make: impl FnMut(usize) -> HeaderMap) {
    let began = Instant::now();
    for number in 0..N_LOOKUPS {
        let at = number.wrapping_mul(2_654_435_761) % n_heads;
        std::hint::black_box(make(at as usize));
    }
    println!(
        "head: {what}, {n_heads} heads: {} ns",
        nanos(began.elapsed(), N_LOOKUPS)
    );
}

/// Values that share a buffer of their own, as those that came from a connection do.
fn head_of(number: u32) -> Head {
    let mut head = head();
    let text: Vec<u8> = head.headers.values().flat_map(HeaderValue::as_bytes).copied().collect();
    let mut values = Bytes::from(text);
    for value in head.headers.values_mut() {
        *value = HeaderValue::from_maybe_shared(values.split_to(value.len())).expect("valid");
    }
    head.response_time = Timestamp(number.into());
    head
}

async fn memory(n_responses: u32) {
    let store = Store::new(64 * 1024 * MIB);
    let before = resident_bytes();
    for number in 0..n_responses {
        store.insert(&key(number), response(number).await);
        if number + 1 == 10_000 {
            look_up(&store, 10_000);
        }
    }
    let each = (resident_bytes() - before) / u64::from(n_responses);
    println!("memory: {each} bytes resident for a response of {BODY_BYTES} and its key");
    println!(
        "memory: {} bytes by the store's own count",
        store.memory_bytes() / u64::from(n_responses)
    );
    look_up(&store, n_responses);
    drop(store);
    let store = Store::new(16 * MIB);
    let began = Instant::now();
    for number in 0..n_responses {
        store.insert(&key(number), response(number).await);
    }
    per_response("memory: fill with eviction", began.elapsed(), n_responses);
}

fn look_up(store: &Store, n_responses: u32) {
    let began = Instant::now();
    let mut n_found: u32 = 0;
    for number in 0..N_LOOKUPS {
        let at = number.wrapping_mul(2_654_435_761) % n_responses;
        n_found += u32::from(store.get(&key(at)).is_some());
    }
    println!(
        "memory: look-up among {n_responses}: {} ns ({n_found} found)",
        nanos(began.elapsed(), N_LOOKUPS)
    );
}

async fn disk(dir: &Path, n_responses: u32) {
    let store = open(dir);
    let before = resident_bytes();
    let began = Instant::now();
    for number in 0..n_responses {
        store.insert(&key(number), response(number).await);
        if number % 4_096 == 0 {
            store.drain();
        }
    }
    store.drain();
    per_response("disk: fill", began.elapsed(), n_responses);
    println!(
        "disk: resident bytes more: {} MiB",
        resident_bytes().saturating_sub(before) / MIB
    );
    let began = Instant::now();
    let mut n_found: u32 = 0;
    for number in 0..N_LOOKUPS {
        let at = number.wrapping_mul(2_654_435_761) % n_responses;
        n_found += u32::from(store.get_on_disk(&key(at)).is_some());
    }
    println!(
        "disk: look-up among {n_responses}: {} ns ({n_found} found)",
        nanos(began.elapsed(), N_LOOKUPS)
    );
    let began = Instant::now();
    let n_visited = store.iter_on_disk().count();
    println!("disk: a visit of all {n_visited}: {:?}", began.elapsed());
    println!("disk: {:?}", store.figures());
    let began = Instant::now();
    store.close();
    println!("disk: close: {:?}", began.elapsed());
}

async fn start(dir: &Path, n_responses: u32) {
    let before = resident_bytes();
    let began = Instant::now();
    let store = open(dir);
    let opened = began.elapsed();
    let first = load(&store, n_responses / 2).await;
    println!(
        "start: open {opened:?}, first hit after {:?} (found: {first})",
        began.elapsed()
    );
    let figures = store.figures();
    let resident = resident_bytes().saturating_sub(before) / u64::from(n_responses);
    println!("start: {resident} bytes of memory for each response on disk; {figures:?}");
    let n_loads = n_responses.min(20_000);
    let began = Instant::now();
    let mut n_found: u32 = 0;
    for number in 0..n_loads {
        n_found += u32::from(load(&store, number.wrapping_mul(2_654_435_761) % n_responses).await);
    }
    println!(
        "start: hits on disk, one after another: {} µs ({n_found} found)",
        nanos(began.elapsed(), n_loads) / 1_000
    );
}

async fn large(dir: &Path) {
    const BYTES: usize = 32 * 1024 * 1024;
    const N: u32 = 32;
    let store = open(&dir.join("large"));
    let began = Instant::now();
    for number in 0..N {
        let slices = vec![Bytes::from(vec![7; 256 * 1024]); BYTES / (256 * 1024)];
        let response = StoredResponse::new(head(), HEAD, None, Body::whole(slices));
        store.insert(&key(number), Arc::new(response));
        store.drain();
    }
    let secs = began.elapsed().as_secs_f64();
    println!("large: written at {:.0} MiB/s", f64::from(N) * 32.0 / secs);
    store.close();
    drop(store);
    let store = open(&dir.join("large"));
    let began = Instant::now();
    let mut n_bytes = 0_u64;
    for number in 0..N {
        let Some(response) = loaded(&store, number).await else {
            continue;
        };
        let proven = check(response).expect("not covered");
        let mut reader = StoredResponse::open(&proven).expect("a body");
        while let Some(Ok(slice)) = std::future::poll_fn(|context| reader.poll_next(context)).await {
            n_bytes += slice.len() as u64;
        }
    }
    println!(
        "large: read at {:.0} MiB/s",
        n_bytes as f64 / MIB as f64 / began.elapsed().as_secs_f64()
    );
}

fn open(dir: &Path) -> Store {
    let options = DiskOptions {
        files: Box::new(Folder::lock(dir).expect("a folder")),
        bytes: 8 * 1024 * MIB,
        head: HEAD,
    };
    Store::open(1024 * MIB, options).expect("a store").0
}

async fn load(store: &Store, number: u32) -> bool {
    store.get(&key(number)).is_some() || loaded(store, number).await.is_some()
}

async fn loaded(store: &Store, number: u32) -> Option<Arc<StoredResponse>> {
    store.load(check(store.get_on_disk(&key(number))?)?.shared()).await
}

fn check<T: warmfront_invalidation::Stamped>(what: Arc<T>) -> Option<warmfront_invalidation::Proven<T>> {
    let distribution = DistributionId::parse("E1U5RQF7T870K0").ok()?;
    let names = || Names::new(b"/");
    let mut index = Index::new(HEAD.incarnation);
    index.advance(HEAD.revision);
    index.check(&distribution, what, names).ok()
}

fn key(number: u32) -> Vec<u8> {
    let url = format!("/assets/shop/products/{number:08}/overview.html");
    let mut key = b"\x0eE1U5RQF7T870K0G0".to_vec();
    key.extend(u32::try_from(url.len()).unwrap_or(0).to_be_bytes());
    key.extend(u32::try_from(url.len()).unwrap_or(0).to_be_bytes());
    key.extend(url.bytes());
    key
}

/// A response as a fetch makes it.
async fn response(number: u32) -> Arc<StoredResponse> {
    let (mut fill, arriving) = Fill::begin(FillLimits {
        keep_bytes_max: MIB,
        window_bytes: MIB,
    });
    let response = StoredResponse::new(head(), HEAD, None, arriving);
    fill.push(&mut Bytes::from(vec![number.to_le_bytes()[0]; BODY_BYTES]))
        .await;
    let whole = fill.finish().await.expect("a body");
    Arc::new(response.with_body(whole))
}

/// What the edge stores for an object of a bucket.
fn head() -> Head {
    const FIELDS: [(&str, &str); 12] = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-length", "1024"),
        ("etag", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""),
        ("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("cache-control", "public, max-age=86400"),
        ("date", "Sun, 22 Nov 2026 10:00:01 GMT"),
        ("server", "AmazonS3"),
        ("age", "0"),
        ("x-cache", "Miss from cloudfront"),
        ("via", "1.1 warmfront (CloudFront)"),
        ("x-amz-cf-pop", "LOC50-P1"),
        ("x-amz-cf-id", ""),
    ];
    let headers: HeaderMap = FIELDS
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    Head {
        status: StatusCode::OK,
        headers,
        lifetime: Lifetime {
            fresh_secs: 86_400,
            rule: FreshnessRule::MaxAge,
            stale_while_revalidate_secs: 0,
            stale_if_error_secs: 0,
            initial_age_secs: 0,
        },
        response_time: Timestamp(0),
    }
}

fn per_response(what: &str, elapsed: Duration, n: u32) {
    println!(
        "{what}: {} ns each, {:.0}/s",
        nanos(elapsed, n),
        f64::from(n) / elapsed.as_secs_f64()
    );
}

fn nanos(elapsed: Duration, n: u32) -> u128 {
    elapsed.as_nanos() / u128::from(n.max(1))
}

/// VmRSS of this process.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    kib * 1024
}
