use std::sync::Arc;

use warmfront_facts::DryRunRecord;
use warmfront_invalidation::{Stamped, Tallied, Tally};
use warmfront_model::Revision;
use warmfront_routing::CacheKey;

use crate::node::Node;
use crate::request::names_of_key;
use crate::snapshot::{Site, Snapshot};
use crate::sweep::rest;

/// Counts, beside everything else, what an invalidation like this would cover now, and reports it for `epoch`. Changes
/// nothing. With too many at a time nothing is reported, and whoever asked says that this node did not answer.
pub(crate) fn begin(node: &Arc<Node>, record: Arc<DryRunRecord>, epoch: Revision) {
    let Ok(place) = Arc::clone(&node.coverings.dry_runs).try_acquire_owned() else {
        tracing::warn!(%epoch, "too many dry runs at a time: this one is not answered");
        return;
    };
    let node = Arc::clone(node);
    tokio::spawn(async move {
        let tallied = count(&node, &record, epoch).await;
        node.coverings.report(epoch, tallied);
        drop(place);
    });
}

async fn count(node: &Node, record: &DryRunRecord, epoch: Revision) -> Tallied {
    let snapshot = Arc::clone(&node.snapshot());
    let Some(site) = snapshot.sites.by_id.get(&record.distribution) else {
        return Tallied::default();
    };
    let mut tally = Tally::default();
    tally.begin(&record.distribution, &record.items, epoch);
    let mut n_visited = 0_u64;
    for (key, response) in node.store.iter() {
        let bytes = response.body_bytes().unwrap_or(0);
        visit(&mut tally, (&snapshot, site), &key, &*response, bytes);
        n_visited += 1;
        rest(n_visited).await;
    }
    for entry in node.store.iter_on_disk() {
        // What is in memory too was counted there.
        if node.store.get(entry.key()).is_none() {
            visit(&mut tally, (&snapshot, site), entry.key(), &*entry, entry.body_bytes());
        }
        n_visited += 1;
        rest(n_visited).await;
    }
    let finished = tally.finish(epoch);
    finished.first().map_or(Tallied::default(), |(_, tallied)| *tallied)
}

/// Counts a response of the distribution that is not covered already.
fn visit<T: Stamped>(tally: &mut Tally, (snapshot, site): (&Snapshot, &Site), key: &[u8], response: &T, bytes: u64) {
    let distribution = &site.distribution;
    let is_of = |key: CacheKey<'_>| key.distribution() == distribution.id.as_str();
    if !CacheKey::read(key).is_some_and(is_of) {
        return;
    }
    let names = names_of_key(key, distribution);
    let as_of = response.stamp().as_of();
    let index = &snapshot.index;
    let is_covered = as_of.incarnation != index.applied().incarnation
        || index.required_of(&distribution.id, &names, response) > as_of.revision;
    if !is_covered {
        tally.count(&distribution.id, &names, response, bytes);
    }
}
