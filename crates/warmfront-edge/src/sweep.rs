use std::sync::Arc;
use std::time::Duration;

use warmfront_invalidation::{Index, InvalidationMode, Stamped};
use warmfront_model::{DistributionId, Revision};
use warmfront_routing::CacheKey;

use crate::flight::Flight;
use crate::mutants::{Mutant, is_planted};
use crate::node::Node;
use crate::request::names_of_key;
use crate::snapshot::{Site, Snapshot};

/// What one sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) n_visited: u64,
    pub(crate) n_removed: u64,
    pub(crate) removed_bytes: u64,
}

/// How many responses are visited before others on this thread have their turn.
const TURN: u64 = 256;

/// Sweeps after invalidations, for as long as the node lives: one sweep at a time, and a pause between two.
pub(crate) async fn sweep_forever(node: Arc<Node>) {
    const PAUSE: Duration = Duration::from_secs(1);
    let mut applied = node.applied();
    loop {
        if node.snapshot().index.is_empty() {
            if applied.changed().await.is_err() {
                return;
            }
            continue;
        }
        let swept = sweep(&node).await;
        tracing::debug!(
            visited = swept.n_visited,
            removed = swept.n_removed,
            removed_bytes = swept.removed_bytes,
            "swept"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Visits every stored response, removes the covered ones and raises the as-of of the rest, those that are arriving too; a
/// covered one that its origin may confirm stays. Then drops the entries that were applied when it began, and makes that
/// the floor.
pub(crate) async fn sweep(node: &Arc<Node>) -> Swept {
    let began = Arc::clone(&node.snapshot());
    let through: Revision = began.index.applied().revision;
    let mut swept = Swept::default();
    for (key, response) in node.store.iter() {
        swept.n_visited += 1;
        if let Judged::Remove(covered) = judge(&began, &key, response)
            && node.store.discard(&key, &covered)
        {
            swept.n_removed += 1;
            swept.removed_bytes += covered.body_bytes().unwrap_or(0);
        }
        if swept.n_visited.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
    }
    for entry in node.store.iter_on_disk() {
        swept.n_visited += 1;
        let visited = Arc::clone(&entry);
        if let Judged::Remove(covered) = judge(&began, visited.key(), entry)
            && node.store.discard_on_disk(&covered)
        {
            swept.n_removed += 1;
            swept.removed_bytes += covered.body_bytes();
        }
        if swept.n_visited.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
    }
    node.flights.joinable().iter().for_each(|flight| raise(&began, flight));
    node.publish(|snapshot| {
        if is_planted(Mutant::FloorNotRaised) {
            let applied = snapshot.index.applied();
            snapshot.index = Index::new(applied.incarnation);
            snapshot.index.advance(applied.revision);
            return;
        }
        snapshot.index.forget(through);
    });
    let progress = &node.progress;
    progress.sweeps.add(1);
    progress.swept.add(swept.n_visited);
    progress.swept_removed.add(swept.n_removed);
    progress.swept_bytes.add(swept.removed_bytes);
    swept
}

/// Raises the as-of of what is arriving, or yet to arrive, unless it is covered. A covered one is not stored when it ends, and
/// nobody joins it.
fn raise(snapshot: &Snapshot, flight: &Flight) {
    let Some(site) = site_of(snapshot, flight.key()) else {
        return;
    };
    let distribution = &site.distribution;
    let names = || names_of_key(flight.key(), distribution);
    let index = &snapshot.index;
    match flight.answered() {
        Some(answered) => drop(index.check(&distribution.id, answered.response, names)),
        None => drop(index.check_unanswered(&distribution.id, flight.stamp(), names)),
    }
}

fn site_of<'a>(snapshot: &'a Snapshot, key: &[u8]) -> Option<&'a Arc<Site>> {
    let id = DistributionId::parse(CacheKey::read(key)?.distribution()).ok()?;
    snapshot.sites.by_id.get(&id)
}

enum Judged<T> {
    /// It stays: nothing covers it, or it may be confirmed by the origin.
    Stay,
    /// It is of no use to anyone.
    Remove(Arc<T>),
}

fn judge<T: Stamped>(snapshot: &Snapshot, key: &[u8], response: Arc<T>) -> Judged<T> {
    // A deleted distribution's responses can answer nobody.
    let Some(site) = site_of(snapshot, key) else {
        return Judged::Remove(response);
    };
    let distribution = &site.distribution;
    let names = || names_of_key(key, distribution);
    match snapshot.index.check(&distribution.id, response, names) {
        Err(covered) if covered.mode() == InvalidationMode::Refetch => Judged::Remove(Arc::clone(covered.response())),
        Ok(_) | Err(_) => Judged::Stay,
    }
}

#[cfg(test)]
mod tests;
