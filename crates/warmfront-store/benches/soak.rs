//! Many users, large and small bodies, stalled readers, broken fetches, invalidations and sweeps over a store with a fixed
//! budget of memory: does the process keep to it? `cargo xtask soak [--minutes N]`.
//!
//! Every byte that is read is compared. The pace is bounded, so that the machine can do other things beside it.

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::RwLock;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_invalidation::{Covered, Index, InvalidationItem, Names, NormalUrl, Proven, Stamped};
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision};
use warmfront_store::{BodyReader, DiskOptions, Folder, Store, StoredResponse};

mod workload;

use workload::{MIB, head, memory_of_process};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEMORY_BYTES: u64 = 256 * MIB;
const DISK_BYTES: u64 = 4 * 1024 * MIB;
const N_KEYS: u64 = 400_000;
const N_USERS: u64 = 96;
/// What a user waits between two requests on average.
const PAUSE: Duration = Duration::from_millis(40);
const INCARNATION: Incarnation = Incarnation(1);
/// A prime, so that no two bodies of one size are alike.
const PATTERN_BYTES: usize = 65_521;

struct World {
    store: Store,
    index: RwLock<Index>,
    distribution: DistributionId,
    /// The pattern twice, so that a piece of one length can be cut from anywhere.
    pattern: Bytes,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    hits: AtomicU64,
    disk_hits: AtomicU64,
    misses: AtomicU64,
    broken: AtomicU64,
    swept: AtomicU64,
    read_bytes: AtomicU64,
}

fn main() {
    let minutes: u64 = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(30);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let is_kept = runtime.block_on(soak(folder.path().to_owned(), Duration::from_secs(minutes * 60)));
    runtime.shutdown_timeout(Duration::from_secs(5));
    if !is_kept {
        std::process::exit(1);
    }
}

async fn soak(folder: PathBuf, length: Duration) -> bool {
    let mut rng = StdRng::seed_from_u64(1);
    let mut pattern = vec![0; PATTERN_BYTES];
    rng.fill(&mut pattern[..]);
    let options = DiskOptions {
        files: Box::new(Folder::lock(&folder).expect("a folder")),
        bytes: DISK_BYTES,
        head: epoch(1),
    };
    let mut index = Index::new(INCARNATION);
    index.advance(Revision(1));
    let world = Arc::new(World {
        store: Store::open(MEMORY_BYTES, options).expect("a store").0,
        index: RwLock::new(index),
        distribution: DistributionId::parse("E1U5RQF7T870K0").expect("an id"),
        pattern: pattern.repeat(2).into(),
        counts: Counts::default(),
    });
    let base_bytes = memory_of_process("VmRSS:");
    println!(
        "budget {} MiB, fixed base {} MiB, {} minutes",
        MEMORY_BYTES / MIB,
        base_bytes / MIB,
        length.as_secs() / 60
    );
    let until = Instant::now() + length;
    let users: Vec<_> = (0..N_USERS)
        .map(|number| tokio::spawn(user(Arc::clone(&world), number, until)))
        .collect();
    let sweeper = tokio::spawn(invalidate_and_sweep(Arc::clone(&world), until));
    let mut counted_peak = 0;
    let mut minutes = 0;
    let began = Instant::now();
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_secs(1)).await;
        counted_peak = counted_peak.max(world.store.memory_bytes());
        if began.elapsed().as_secs() / 60 > minutes {
            minutes += 1;
            report(&world, minutes);
        }
    }
    for user in users {
        user.await.expect("every byte was right");
    }
    sweeper.await.expect("a sweep");
    let peak = memory_of_process("VmHWM:");
    let allowed = MEMORY_BYTES + MEMORY_BYTES / 20 + base_bytes;
    report(&world, minutes);
    println!(
        "peak resident {:.1} MiB; budget + 5 % + base = {:.1} MiB; peak by the store's own count {:.1} MiB: {}",
        mib(peak),
        mib(allowed),
        mib(counted_peak),
        if peak <= allowed { "kept" } else { "EXCEEDED" }
    );
    peak <= allowed && counted_peak <= MEMORY_BYTES
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

fn report(world: &World, minutes: u64) {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = &world.counts;
    let figures = world.store.figures();
    let disk = figures.disk.unwrap_or_default();
    println!(
        "minute {minutes}: hits {} (disk {}), misses {}, broken {}, swept {}, read {:.0} MiB; resident {:.1} MiB (peak {:.1}), \
         counted {:.1} MiB, {} in memory, {} on disk ({:.0} MiB, written {:.0}, dropped {}, evicted {}, read failures {})",
        read(&counts.hits),
        read(&counts.disk_hits),
        read(&counts.misses),
        read(&counts.broken),
        read(&counts.swept),
        mib(read(&counts.read_bytes)),
        mib(memory_of_process("VmRSS:")),
        mib(memory_of_process("VmHWM:")),
        mib(figures.memory_bytes),
        figures.n_in_memory,
        disk.n_responses,
        mib(disk.disk_bytes),
        mib(disk.written_bytes),
        disk.n_dropped,
        disk.n_evicted,
        disk.n_read_failures,
    );
}

/// Asks for one key after another, as long as there is time.
async fn user(world: Arc<World>, number: u64, until: Instant) {
    let mut rng = StdRng::seed_from_u64(number);
    while Instant::now() < until {
        // A few keys are asked for often, most seldom.
        let popularity: f64 = rng.random();
        let key = (popularity.powi(4) * N_KEYS as f64) as u64;
        ask(&world, key, &mut rng).await;
        tokio::time::sleep(PAUSE.mul_f64(rng.random_range(0.0..2.0))).await;
    }
}

async fn ask(world: &World, key: u64, rng: &mut StdRng) {
    let name = key_name(key);
    if let Some(response) = world.store.get(&name)
        && let Ok(proven) = world.check(key, response)
    {
        world.counts.hits.fetch_add(1, Ordering::Relaxed);
        return read(world, key, &proven, rng).await;
    }
    if let Some(entry) = world.store.get_on_disk(&name)
        && let Ok(entry) = world.check(key, entry)
        && let Some(response) = world.store.load(entry.shared()).await
        && let Ok(proven) = world.check(key, response)
    {
        world.counts.disk_hits.fetch_add(1, Ordering::Relaxed);
        return read(world, key, &proven, rng).await;
    }
    world.counts.misses.fetch_add(1, Ordering::Relaxed);
    fetch(world, key, rng).await;
}

/// What an origin's answer does: it streams to its readers and is stored when it is whole.
async fn fetch(world: &World, key: u64, rng: &mut StdRng) {
    let as_of = Epoch {
        incarnation: INCARNATION,
        revision: world.index.read().applied().revision,
    };
    let bytes = body_bytes(key);
    let announced = rng.random_bool(0.7).then_some(bytes);
    let (mut fill, arriving) = world.store.begin_fill(rng.random_bool(0.95), announced);
    let response = Arc::new(StoredResponse::new(head(bytes), as_of, None, arriving));
    let Ok(proven) = world.check(key, Arc::clone(&response)) else {
        return;
    };
    let breaks_at = rng.random_bool(0.02).then(|| rng.random_range(0..=bytes));
    let chunk_bytes = [1, 1_400, 16_384, 200_000][rng.random_range(0..4)];
    let chunk_bytes = if bytes > 100_000 {
        chunk_bytes.max(1_400)
    } else {
        chunk_bytes
    };
    let mut readers_rng = StdRng::seed_from_u64(rng.random());
    let reading = async {
        for _ in 0..readers_rng.random_range(1..3) {
            read(world, key, &proven, &mut readers_rng).await;
        }
    };
    let filling = async {
        let mut offset = 0;
        while offset < bytes {
            if breaks_at.is_some_and(|at| offset >= at) {
                world.counts.broken.fetch_add(1, Ordering::Relaxed);
                drop(fill);
                return;
            }
            let mut chunk = world.piece(key, offset, chunk_bytes.min(bytes - offset));
            offset += chunk.len() as u64;
            if !fill.push(&mut chunk).await {
                return;
            }
        }
        fill.close();
        if let Some(whole) = fill.finish().await
            && world.check(key, Arc::clone(&response)).is_ok()
        {
            world.store.insert(&key_name(key), Arc::new(response.with_body(whole)));
        }
    };
    tokio::join!(reading, filling);
}

/// Reads a body to its end or to where it breaks off; now and then slowly, or not to the end.
async fn read(world: &World, key: u64, proven: &Proven<StoredResponse>, rng: &mut StdRng) {
    let Some(mut reader) = StoredResponse::open(proven) else {
        return;
    };
    let is_slow = rng.random_bool(0.01);
    let leaves = rng.random_bool(0.02);
    let mut offset = 0;
    while let Some(Ok(slice)) = next(&mut reader).await {
        world.compare(key, offset, &slice);
        offset += slice.len() as u64;
        world.counts.read_bytes.fetch_add(slice.len() as u64, Ordering::Relaxed);
        if leaves {
            return;
        }
        if is_slow {
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..200))).await;
        }
    }
}

async fn next(reader: &mut BodyReader) -> Option<Result<Bytes, warmfront_store::Truncated>> {
    poll_fn(|context| reader.poll_next(context)).await
}

/// Every second a path, a prefix or everything, and a sweep afterwards.
async fn invalidate_and_sweep(world: Arc<World>, until: Instant) {
    let mut rng = StdRng::seed_from_u64(u64::MAX);
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let url = url(rng.random_range(0..N_KEYS));
        let item = match rng.random_range(0..300) {
            0 => InvalidationItem::Everything,
            _ => InvalidationItem::Exact(NormalUrl::new(url.as_bytes())),
        };
        {
            let mut index = world.index.write();
            let revision = Revision(index.applied().revision.0 + 1);
            index.invalidate(&world.distribution, &[item], revision);
            index.advance(revision);
            index.begin_sweep();
        }
        for (key, response) in world.store.iter() {
            if let Err(covered) = world.check(number_of(&key), response) {
                world.counts.swept.fetch_add(1, Ordering::Relaxed);
                world.store.discard(&key, covered.response());
            }
        }
        for (n_visited, entry) in (1_u32..).zip(world.store.iter_on_disk()) {
            if let Err(covered) = world.check(number_of(entry.key()), entry) {
                world.counts.swept.fetch_add(1, Ordering::Relaxed);
                world.store.discard_on_disk(covered.response());
            }
            if n_visited.is_multiple_of(256) {
                tokio::task::yield_now().await;
            }
        }
        world.index.write().end_sweep();
    }
}

impl World {
    fn check<T: Stamped>(&self, key: u64, what: Arc<T>) -> Result<Proven<T>, Covered<T>> {
        let url = url(key);
        let names = || Names::new(url.as_bytes());
        self.index.read().check(&self.distribution, what, names)
    }

    /// The bytes of a body from `offset` on.
    fn piece(&self, key: u64, offset: u64, bytes: u64) -> Bytes {
        let at = place(key, offset);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(PATTERN_BYTES);
        self.pattern.slice(at..at + bytes)
    }

    fn compare(&self, key: u64, offset: u64, slice: &[u8]) {
        let mut offset = offset;
        for part in slice.chunks(PATTERN_BYTES) {
            let at = place(key, offset);
            assert!(
                self.pattern[at..at + part.len()] == *part,
                "the bytes of {key} at {offset}"
            );
            offset += part.len() as u64;
        }
    }
}

fn place(key: u64, offset: u64) -> usize {
    usize::try_from((key.wrapping_mul(0x9e37_79b9) + offset) % PATTERN_BYTES as u64).unwrap_or(0)
}

/// Most are small, a few are larger than memory keeps.
fn body_bytes(key: u64) -> u64 {
    let mut rng = StdRng::seed_from_u64(key);
    match rng.random_range(0..10_000) {
        0..8_500 => rng.random_range(100..16_384),
        8_500..9_800 => rng.random_range(16_384..262_144),
        9_800..9_992 => rng.random_range(262_144..4_000_000),
        _ => rng.random_range(20_000_000..90_000_000),
    }
}

fn key_name(key: u64) -> Vec<u8> {
    format!("E1U5RQF7T870K0/assets/shop/products/{key:08}/overview.html").into_bytes()
}

fn number_of(name: &[u8]) -> u64 {
    let digits: String = name[36..44].iter().map(|&byte| char::from(byte)).collect();
    digits.parse().expect("a key of ours")
}

fn url(key: u64) -> String {
    format!("/assets/shop/products/{key:08}/overview.html")
}

fn epoch(revision: u64) -> Epoch {
    Epoch {
        incarnation: INCARNATION,
        revision: Revision(revision),
    }
}
