//! What an operator does: invalidate, and sweep afterwards.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_invalidation::{InvalidationItem, NormalUrl};
use warmfront_model::Revision;

use crate::activity::Doing;
use crate::world::{N_KEYS, World, number_of, url};

/// Every second a path, a prefix or everything, and a sweep afterwards.
pub async fn invalidate_and_sweep(world: Arc<World>) {
    let mut rng = StdRng::seed_from_u64(u64::MAX);
    while !world.is_over() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let _sweeping = world.activities.begin(0, Doing::Sweep);
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
