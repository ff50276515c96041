use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use warmfront_clock::Clock;
use warmfront_facts::{DistributionRecord, Fact, OriginAccessControlRecord, PolicySet, decode, decode_entry};
use warmfront_invalidation::{Index, InvalidationItem, NormalUrl};
use warmfront_journal::{Event, Journal, JournalError, Snapshot as Entries, Watch};
use warmfront_model::{AccountId, DistributionId, ResourceArn, Revision};

use crate::dry_run;
use crate::mutants::{Mutant, is_planted};
use crate::node::Node;
use crate::past::take_in_the_past;
use crate::snapshot::{Site, Sites};

/// Takes the journal in, by its order, and publishes a snapshot for each entry.
pub(crate) struct Follower {
    node: Arc<Node>,
    account: AccountId,
    clock: Clock,
    delay: Duration,
    distributions: BTreeMap<DistributionId, Arc<DistributionRecord>>,
    access_controls: BTreeMap<String, Arc<OriginAccessControlRecord>>,
    policies: PolicySet,
}

impl Follower {
    pub(crate) fn new(node: Arc<Node>, account: AccountId, clock: Clock, delay: Duration) -> Follower {
        Follower {
            node,
            account,
            clock,
            delay,
            distributions: BTreeMap::new(),
            access_controls: BTreeMap::new(),
            policies: PolicySet::default(),
        }
    }

    /// Takes in everything the journal holds, and follows it from there.
    ///
    /// At the start of a node that has responses on disk, the index gets every invalidation of the journal. Otherwise what
    /// was invalidated before needs no index: whatever is stamped earlier counts as covered.
    pub(crate) async fn begin(&mut self, journal: &dyn Journal) -> Result<Box<dyn Watch>, JournalError> {
        let entries: Entries = journal.snapshot("").await?;
        self.distributions.clear();
        self.access_controls.clear();
        self.policies = PolicySet::default();
        for entry in &entries.entries {
            match decode_entry(entry) {
                Ok(fact) => {
                    self.remember(&fact);
                }
                Err(error) => tracing::error!(key = entry.key, %error, "a record cannot be read"),
            }
        }
        let sites = self.sites();
        let incarnation = journal.incarnation();
        self.node.publish(|snapshot| {
            if snapshot.index.applied().incarnation != incarnation {
                snapshot.index = Index::new(incarnation);
            }
            let is_start = snapshot.index.applied().revision == Revision::ZERO;
            snapshot.sites = sites;
            snapshot.index.advance(entries.revision);
            if is_start && self.node.store.iter_on_disk().next().is_some() {
                if !is_planted(Mutant::PastForgotten) {
                    take_in_the_past(&mut snapshot.index, &entries.entries);
                }
            } else if is_start || !is_planted(Mutant::GapUncovered) {
                snapshot.index.cover_the_past();
            }
        });
        journal.watch(entries.revision).await
    }

    /// Follows the journal until it closes. If the watch breaks, the node stands still at what it has applied, and so no
    /// invalidation counts as Completed, until a new watch begins where the old one ended; or anew, if the journal has
    /// forgotten what came after that.
    pub(crate) async fn follow(mut self, journal: Arc<dyn Journal>, mut watch: Box<dyn Watch>) {
        const PAUSE: Duration = Duration::from_millis(500);
        loop {
            match watch.next().await {
                Ok(Some(event)) => self.take_in(&event).await,
                Ok(None) | Err(JournalError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the journal's watch broke off");
                    match self.resume(&*journal).await {
                        Ok(again) => watch = again,
                        Err(JournalError::Closed) => return,
                        Err(error) => {
                            tracing::error!(%error, "the journal cannot be watched");
                            tokio::time::sleep(PAUSE).await;
                        }
                    }
                }
            }
        }
    }

    async fn resume(&mut self, journal: &dyn Journal) -> Result<Box<dyn Watch>, JournalError> {
        let applied = self.node.snapshot().index.applied();
        let is_same_life = journal.incarnation() == applied.incarnation;
        if is_same_life {
            match journal.watch(applied.revision).await {
                Err(JournalError::Compacted { .. }) => {}
                other => return other,
            }
        }
        // A gap: invalidations may have been in it. Until the node has joined anew, nothing is answered from the cache.
        self.node.lease.lose();
        self.begin(journal).await
    }

    async fn take_in(&mut self, event: &Event) {
        let mut hold = self.node.hold.subscribe();
        // The sender is the node's own, so waiting cannot fail.
        let _ = hold.wait_for(|hold| !hold.paused).await;
        let delay = self.delay + hold.borrow().delay;
        let fact = match decode(event) {
            Ok(fact) => fact,
            Err(error) => {
                // It may be an invalidation: then anything may be covered by it.
                tracing::error!(key = event.key, %error, "a record cannot be read; the cache counts as covered");
                self.node.publish(|snapshot| {
                    snapshot.index.advance(event.revision);
                    snapshot.index.cover_the_past();
                });
                return;
            }
        };
        if let Fact::Invalidation(record) = &fact {
            if is_planted(Mutant::EpochBeforeEntry) {
                self.node.publish(|snapshot| snapshot.index.advance(event.revision));
            }
            if !delay.is_zero() {
                // A record from a clock that is ahead waits no longer than any other.
                let created = record.created.min(self.clock.now());
                self.clock.sleep_until(created.plus(delay)).await;
            }
            self.node
                .coverings
                .begin(&record.distribution, &record.items, event.revision);
            self.node.publish(|snapshot| {
                snapshot
                    .index
                    .invalidate_in(record.mode, &record.distribution, &record.items, event.revision);
                snapshot.index.advance(event.revision);
            });
            self.node.progress.invalidations.add(1);
            return;
        }
        if let Fact::DryRun(record) = &fact {
            dry_run::begin(&self.node, Arc::clone(record), event.revision);
        }
        let changed_roots = self.changed_roots(&fact);
        let changed_tag_header = self.changed_tag_header(&fact);
        let sites = self.remember(&fact).then(|| self.sites());
        self.node.publish(|snapshot| {
            if let Some(sites) = sites {
                snapshot.sites = sites;
            }
            if let Some((distribution, items)) = changed_roots {
                snapshot.index.invalidate(&distribution, &items, event.revision);
            }
            if let Some(distribution) = changed_tag_header {
                snapshot.index.change_tag_header(&distribution);
            }
            snapshot.index.advance(event.revision);
        });
    }

    /// What an invalidation of the root covers depends on the default root object. Where that changes, the old and the new
    /// one are covered with the change, so that no earlier invalidation of the root is forgotten with it.
    fn changed_roots(&self, fact: &Fact) -> Option<(DistributionId, Vec<InvalidationItem>)> {
        let Fact::Distribution(id, Some(new)) = fact else {
            return None;
        };
        let old = &self.distributions.get(id)?.distribution.default_root_object;
        let new = &new.distribution.default_root_object;
        let covering = |object: &Arc<str>| InvalidationItem::Prefix(NormalUrl::new(format!("/{object}").as_bytes()));
        (old != new).then(|| (id.clone(), old.iter().chain(new).map(covering).collect()))
    }

    /// The distribution whose tags are in another field from now on.
    fn changed_tag_header(&self, fact: &Fact) -> Option<DistributionId> {
        let Fact::Distribution(id, Some(new)) = fact else {
            return None;
        };
        let old = self.distributions.get(id)?;
        (old.distribution.cache_tag_header != new.distribution.cache_tag_header).then(|| id.clone())
    }

    /// Whether the fact changes how requests are routed.
    fn remember(&mut self, fact: &Fact) -> bool {
        match fact {
            Fact::Distribution(id, Some(record)) => {
                self.distributions.insert(id.clone(), Arc::clone(record));
                true
            }
            Fact::Distribution(id, None) => self.distributions.remove(id).is_some(),
            Fact::OriginAccessControl(id, Some(record)) => {
                self.access_controls.insert(id.clone(), Arc::clone(record));
                true
            }
            Fact::OriginAccessControl(id, None) => self.access_controls.remove(id).is_some(),
            Fact::Policy(fact) => {
                self.policies.apply(fact);
                true
            }
            Fact::Invalidation(_)
            | Fact::Audit(..)
            | Fact::Tags { .. }
            | Fact::Member(..)
            | Fact::CompletedThrough(_)
            | Fact::DryRun(_)
            | Fact::Other => false,
        }
    }

    fn sites(&self) -> Arc<Sites> {
        let mut sites = Sites::default();
        for record in self.distributions.values() {
            let arn = ResourceArn::distribution(&self.account, &record.id);
            let distribution = self.policies.resolve(record);
            let site = Arc::new(Site::new(Arc::clone(&distribution), arn, |id| {
                self.access_controls
                    .get(id)
                    .map(|record| record.control.signing_behavior)
            }));
            sites.hosts.add(&distribution, Arc::clone(&site));
            sites.by_id.insert(record.id.clone(), site);
        }
        Arc::new(sites)
    }
}

/// The delay at one POP: POPs differ by up to a tenth, and none takes longer than `delay`.
pub(crate) fn delay_at(pop: &str, delay: Duration) -> Duration {
    let spread = pop
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
        % 100;
    delay - delay / 1_000 * spread
}
