//! What users do: look up, fetch, read.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Notify;
use warmfront_invalidation::Proven;
use warmfront_store::{Body, BodyReader, DiskEntry, Fill, StoredResponse, Truncated};

use crate::activity::Doing;
use crate::workload::head;
use crate::world::{N_KEYS, World, body_bytes, key_name};

/// What a user waits between two requests on average.
const PAUSE: Duration = Duration::from_millis(40);

/// Asks for one key after another, as long as there is time.
pub async fn user(world: Arc<World>, number: u64) {
    let mut rng = StdRng::seed_from_u64(number);
    while !world.is_over() {
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
        && let Some(response) = load(world, key, entry.shared()).await
        && let Ok(proven) = world.check(key, response)
    {
        world.counts.disk_hits.fetch_add(1, Ordering::Relaxed);
        return read(world, key, &proven, rng).await;
    }
    world.counts.misses.fetch_add(1, Ordering::Relaxed);
    fetch(world, key, rng).await;
}

async fn load(world: &World, key: u64, entry: &Arc<DiskEntry>) -> Option<Arc<StoredResponse>> {
    let _looking_up = world.activities.begin(key, Doing::LookUp);
    world.store.load(entry).await
}

/// What an origin's answer does: it streams to its readers and is stored when it is whole.
async fn fetch(world: &World, key: u64, rng: &mut StdRng) {
    let as_of = world.index.read().applied();
    let bytes = body_bytes(key);
    let announced = rng.random_bool(0.7).then_some(bytes);
    let (fill, arriving) = world.store.begin_fill(rng.random_bool(0.95), announced);
    let response = Arc::new(StoredResponse::new(head(bytes), as_of, None, arriving));
    let Ok(proven) = world.check(key, Arc::clone(&response)) else {
        return;
    };
    let mut readers_rng = StdRng::seed_from_u64(rng.random());
    let deserted = Notify::new();
    let reading = async {
        for _ in 0..readers_rng.random_range(1..3) {
            read(world, key, &proven, &mut readers_rng).await;
        }
        deserted.notify_one();
    };
    let filling = async {
        if let Some(whole) = arrive(world, key, fill, &deserted, rng).await
            && world.check(key, Arc::clone(&response)).is_ok()
        {
            world.store.insert(&key_name(key), Arc::new(response.with_body(whole)));
        }
    };
    tokio::join!(reading, filling);
}

/// Moves a body from the origin, which may break off, and gives it whole if it is kept.
async fn arrive(world: &World, key: u64, mut fill: Fill, deserted: &Notify, rng: &mut StdRng) -> Option<Body> {
    let bytes = body_bytes(key);
    let breaks_at = rng.random_bool(0.02).then(|| rng.random_range(0..=bytes));
    let chunk_bytes = [1, 1_400, 16_384, 200_000][rng.random_range(0..4)];
    let chunk_bytes = if bytes > 100_000 {
        chunk_bytes.max(1_400)
    } else {
        chunk_bytes
    };
    let activity = world.activities.begin(key, Doing::Push);
    let (mut offset, mut someone_may_come) = (0, true);
    while offset < bytes && !world.is_over() {
        if breaks_at.is_some_and(|at| offset >= at) {
            world.counts.broken.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut chunk = world.piece(key, offset, chunk_bytes.min(bytes - offset));
        offset += chunk.len() as u64;
        activity.comes_to(offset);
        let mut pushed = None;
        if someone_may_come {
            tokio::select! {
                biased;
                more = fill.push(&mut chunk) => pushed = Some(more),
                () = deserted.notified() => {
                    someone_may_come = false;
                    fill.close();
                }
            }
        }
        let more = match pushed {
            Some(more) => more,
            None => fill.push(&mut chunk).await,
        };
        if !more {
            return None;
        }
    }
    fill.close();
    activity.turns_to(Doing::Finish);
    if offset < bytes { None } else { fill.finish().await }
}

/// Reads a body to its end or to where it breaks off; now and then slowly, or not to the end.
async fn read(world: &World, key: u64, proven: &Proven<StoredResponse>, rng: &mut StdRng) {
    let Some(mut reader) = StoredResponse::open(proven) else {
        return;
    };
    let is_slow = rng.random_bool(0.01);
    let leaves = rng.random_bool(0.02);
    let mut offset = 0;
    let activity = world.activities.begin(key, Doing::Read);
    while let Some(Ok(slice)) = next(&mut reader).await {
        world.compare(key, offset, &slice);
        offset += slice.len() as u64;
        activity.comes_to(offset);
        world.counts.read_bytes.fetch_add(slice.len() as u64, Ordering::Relaxed);
        if leaves || world.is_over() {
            return;
        }
        if is_slow {
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..200))).await;
        }
    }
}

async fn next(reader: &mut BodyReader) -> Option<Result<Bytes, Truncated>> {
    poll_fn(|context| reader.poll_next(context)).await
}
