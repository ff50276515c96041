//! Many users, large and small bodies, stalled readers, broken fetches, invalidations and sweeps over a store with a fixed
//! budget of memory: does the process keep to it? `cargo xtask soak [--minutes N]`.
//!
//! Every byte that is read is compared. The pace is bounded, so that the machine can do other things beside it. Nobody waits
//! for anything longer than the store lets them, and when the time is over, everyone leaves: whoever does not is named.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

mod activity;
mod sweep;
mod users;
#[path = "../workload.rs"]
mod workload;
mod world;

use workload::{MIB, memory_of_process};
use world::{MEMORY_BYTES, World};

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_USERS: u64 = 96;
/// The store waits ten seconds for a disk or for a reader, and then goes on without. Who waits for longer than this, and for
/// less than the slowest reader takes for a slice, waits for something that never comes.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// So long after the run's time everyone has left.
const LATE_MAX: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
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
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn soak(folder: PathBuf, length: Duration) -> bool {
    let world = Arc::new(World::begin(folder, length));
    let base_bytes = memory_of_process("VmRSS:");
    println!(
        "budget {} MiB, fixed base {} MiB, {} minutes",
        MEMORY_BYTES / MIB,
        base_bytes / MIB,
        length.as_secs() / 60
    );
    let mut everyone = JoinSet::new();
    for number in 0..N_USERS {
        everyone.spawn(users::user(Arc::clone(&world), number));
    }
    everyone.spawn(sweep::invalidate_and_sweep(Arc::clone(&world)));
    let Some(counted_peak) = watch(&world, &mut everyone).await else {
        return false;
    };
    let peak = memory_of_process("VmHWM:");
    let allowed = MEMORY_BYTES + MEMORY_BYTES / 20 + base_bytes;
    println!(
        "ended {:.1} s after its time; peak resident {:.1} MiB; budget + 5 % + base = {:.1} MiB; peak by the store's own \
         count {:.1} MiB: {}",
        world.until.elapsed().as_secs_f64(),
        mib(peak),
        mib(allowed),
        mib(counted_peak),
        if peak <= allowed { "kept" } else { "EXCEEDED" }
    );
    peak <= allowed && counted_peak <= MEMORY_BYTES
}

/// Waits until everyone has left and gives the store's own peak. `None`: someone waits for what does not come; they are
/// named.
async fn watch(world: &World, everyone: &mut JoinSet<()>) -> Option<u64> {
    let began = Instant::now();
    let (mut counted_peak, mut minutes) = (0, 0);
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = everyone.join_next() => match ended {
                Some(ended) => ended.expect("every byte was right"),
                None => {
                    report(world, minutes);
                    return Some(counted_peak);
                }
            },
            _ = every_second.tick() => {}
        }
        counted_peak = counted_peak.max(world.store.memory_bytes());
        if began.elapsed().as_secs() / 60 > minutes {
            minutes += 1;
            report(world, minutes);
        }
        let is_late = world.until.elapsed() > LATE_MAX;
        let waiting = world
            .activities
            .longer_than(if is_late { Duration::ZERO } else { WAIT_MAX });
        if is_late || !waiting.is_empty() {
            println!("HUNG after {} s:", began.elapsed().as_secs());
            waiting.iter().for_each(|activity| println!("{activity}"));
            return None;
        }
    }
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
