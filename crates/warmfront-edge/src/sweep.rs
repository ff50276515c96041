use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use warmfront_invalidation::{Covered, Index, InvalidationMode, Stamped};
use warmfront_model::DistributionId;
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

/// Sweeps after invalidations, for as long as the node lives: one sweep at a time, and a pause between two, ten times as long
/// as the one before took, within limits.
pub(crate) async fn sweep_forever(node: Arc<Node>) {
    const PAUSE_MIN: Duration = Duration::from_millis(20);
    const PAUSE_MAX: Duration = Duration::from_secs(1);
    loop {
        node.until(|index| !index.is_empty()).await;
        // Whoever lets go of the entries last frees them all: that is not to be a request.
        let entries = Arc::clone(&node.snapshot());
        let began = Instant::now();
        let swept = sweep(&node).await;
        let took = began.elapsed();
        tracing::debug!(
            visited = swept.n_visited,
            removed = swept.n_removed,
            removed_bytes = swept.removed_bytes,
            "swept"
        );
        tokio::time::sleep((took * 10).clamp(PAUSE_MIN, PAUSE_MAX)).await;
        drop(entries);
    }
}

/// Visits every stored response, removes the covered ones and raises the as-of of those that need it, those that are
/// arriving too; a covered one that its origin may confirm stays. Then drops the entries that were applied when it began,
/// makes the newest of them the floor, and reports what each of them has covered.
pub(crate) async fn sweep(node: &Arc<Node>) -> Swept {
    node.publish(|snapshot| snapshot.index.begin_sweep());
    let began = Arc::clone(&node.snapshot());
    let through = began.index.applied().revision;
    let mut swept = Swept::default();
    for (key, response) in node.store.iter() {
        let bytes = response.body_bytes().unwrap_or(0);
        let removed = match judge(&began, &key, response) {
            Judged::Uncovered => None,
            Judged::Gentle(covered) => settle(node, &began, &key, &covered, Some(bytes)),
            Judged::Remove => take_out(node, &began, &key),
        };
        swept.note(removed);
        rest(swept.n_visited).await;
    }
    for entry in node.store.iter_on_disk() {
        let visited = Arc::clone(&entry);
        let key = visited.key();
        let removed = match judge(&began, key, entry) {
            Judged::Uncovered => None,
            Judged::Gentle(covered) => {
                // What is in memory too was counted there.
                let counted = node.store.get(key).is_none().then(|| visited.body_bytes());
                settle(node, &began, key, &covered, counted)
            }
            Judged::Remove => take_out(node, &began, key),
        };
        swept.note(removed);
        rest(swept.n_visited).await;
    }
    node.flights.joinable().iter().for_each(|flight| raise(&began, flight));
    node.publish(|snapshot| {
        if is_planted(Mutant::FloorNotRaised) {
            let applied = snapshot.index.applied();
            snapshot.index = Index::new(applied.incarnation);
            snapshot.index.advance(applied.revision);
            return;
        }
        snapshot.index.end_sweep();
    });
    node.coverings.finish(through);
    let progress = &node.progress;
    progress.sweeps.add(1);
    progress.swept.add(swept.n_visited);
    progress.swept_removed.add(swept.n_removed);
    progress.swept_bytes.add(swept.removed_bytes);
    swept
}

impl Swept {
    fn note(&mut self, removed: Option<u64>) {
        self.n_visited += 1;
        if let Some(bytes) = removed {
            self.n_removed += 1;
            self.removed_bytes += bytes;
        }
    }
}

/// After so many visits of a walk through the cache: others have their turn now and then, and once in a while nothing is done
/// at all. A visit takes about a microsecond and reads nothing from disk, so a walk takes about half of one processor.
pub(crate) async fn rest(n_visited: u64) {
    const TURN: u64 = 256;
    const SPELL: u64 = 16 * TURN;
    const REST: Duration = Duration::from_millis(2);
    if n_visited.is_multiple_of(SPELL) {
        tokio::time::sleep(REST).await;
    } else if n_visited.is_multiple_of(TURN) {
        tokio::task::yield_now().await;
    }
}

/// Takes out what `key` holds, in memory and on disk, and an invalidation covers, unless its origin may confirm it; and
/// counts it, once. Gives the bytes of its body.
///
/// For the sweep, and for whoever is about to put another response in its place.
pub(crate) fn take_out(node: &Node, snapshot: &Snapshot, key: &[u8]) -> Option<u64> {
    let in_memory = node.store.get(key).and_then(|response| {
        let judged = judge(snapshot, key, Arc::clone(&response));
        let bytes = response.body_bytes().unwrap_or(0);
        match judged {
            Judged::Uncovered => None,
            Judged::Gentle(covered) => settle(node, snapshot, key, &covered, Some(bytes)),
            Judged::Remove => node.store.discard(key, &response).then(|| {
                count(node, snapshot, key, &*response, bytes, || {});
                bytes
            }),
        }
    });
    let on_disk = node.store.get_on_disk(key).and_then(|entry| {
        let is_covered = matches!(judge(snapshot, key, Arc::clone(&entry)), Judged::Remove);
        (is_covered && node.store.discard_on_disk(&entry)).then(|| {
            let bytes = entry.body_bytes();
            if in_memory.is_none() {
                count(node, snapshot, key, &*entry, bytes, || {});
            }
            bytes
        })
    });
    in_memory.or(on_disk)
}

/// A covered response stays where it is, and is counted if `counted` gives its bytes.
fn settle<T: Stamped>(
    node: &Node,
    snapshot: &Snapshot,
    key: &[u8],
    covered: &Covered<T>,
    counted: Option<u64>,
) -> Option<u64> {
    match counted {
        Some(bytes) => count(node, snapshot, key, &**covered.response(), bytes, || covered.settle()),
        None => covered.settle(),
    }
    None
}

fn count<T: Stamped>(node: &Node, snapshot: &Snapshot, key: &[u8], response: &T, bytes: u64, settle: impl FnOnce()) {
    match site_of(snapshot, key).filter(|_| node.coverings.is_counting()) {
        Some(site) => {
            let distribution = &site.distribution;
            let names = names_of_key(key, distribution);
            node.coverings.count(&distribution.id, &names, response, bytes, settle);
        }
        None => settle(),
    }
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
    /// Nothing covers it.
    Uncovered,
    /// It is covered, and stays for its origin to confirm it.
    Gentle(Covered<T>),
    /// It is of no use to anyone.
    Remove,
}

fn judge<T: Stamped>(snapshot: &Snapshot, key: &[u8], response: Arc<T>) -> Judged<T> {
    // A deleted distribution's responses can answer nobody.
    let Some(site) = site_of(snapshot, key) else {
        return Judged::Remove;
    };
    let distribution = &site.distribution;
    let names = || names_of_key(key, distribution);
    match snapshot.index.check(&distribution.id, response, names) {
        Ok(_) => Judged::Uncovered,
        Err(covered) => match covered.mode() {
            InvalidationMode::Refetch => Judged::Remove,
            InvalidationMode::Revalidate => Judged::Gentle(covered),
        },
    }
}

#[cfg(test)]
mod tests;
