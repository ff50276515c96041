use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use warmfront_journal::Snapshot;
use warmfront_model::{DistributionId, Revision};

use crate::{
    AuditRecord, DistributionRecord, Fact, InvalidationRecord, MemberRecord, Month, OriginAccessControlRecord,
    PolicyKind, PolicySet, RecordError, TagsRecord, decode_entry, invalidation_id,
};

mod invalidations;

pub use invalidations::InProgress;
use invalidations::Invalidations;

/// All facts up to one revision. A clone is cheap and never changes under its holder.
#[derive(Clone, Debug, Default)]
pub struct View {
    revision: Revision,
    distributions: OrdMap<DistributionId, Arc<DistributionRecord>>,
    caller_references: HashMap<String, DistributionId>,
    aliases: HashMap<Arc<str>, DistributionId>,
    origin_access_controls: OrdMap<String, Arc<OriginAccessControlRecord>>,
    policies: PolicySet,
    invalidations: HashMap<DistributionId, Invalidations>,
    tags: HashMap<String, Arc<TagsRecord>>,
    members: OrdMap<String, Arc<MemberRecord>>,
    completed: Revision,
    completed_written: Option<Revision>,
    paths_by_month: OrdMap<Month, u64>,
}

impl View {
    /// The view at a snapshot of the whole journal.
    ///
    /// # Errors
    /// The key of the first entry that cannot be read, and why.
    pub fn load(snapshot: &Snapshot) -> Result<View, (String, RecordError)> {
        let mut view = View::default();
        for entry in &snapshot.entries {
            let fact = decode_entry(entry).map_err(|error| (entry.key.clone(), error))?;
            view.apply(entry.revision, fact);
        }
        view.revision = snapshot.revision;
        Ok(view)
    }

    /// Takes in the next fact; afterwards the view is at `revision`.
    pub fn apply(&mut self, revision: Revision, fact: Fact) {
        match fact {
            Fact::Distribution(id, record) => self.set_distribution(id, record),
            Fact::OriginAccessControl(id, Some(record)) => {
                self.origin_access_controls.insert(id, record);
            }
            Fact::OriginAccessControl(id, None) => {
                self.origin_access_controls.remove(&id);
            }
            Fact::Policy(fact) => self.policies.apply(&fact),
            Fact::Invalidation(record) => self.add_invalidation(record),
            Fact::Audit(distribution, record) => {
                if self.distributions.contains_key(&distribution) {
                    self.invalidations.entry(distribution).or_default().set_audit(record);
                }
            }
            Fact::Tags {
                resource,
                tags: Some(tags),
            } => {
                self.tags.insert(resource, tags);
            }
            Fact::Tags { resource, tags: None } => {
                self.tags.remove(&resource);
            }
            Fact::Member(node, Some(record)) => {
                self.members.insert(node, record);
            }
            Fact::Member(node, None) => {
                self.members.remove(&node);
            }
            Fact::CompletedThrough(through) => {
                self.completed = self.completed.max(through);
                self.completed_written = Some(revision);
            }
            Fact::DryRun(_) | Fact::Other => {}
        }
        self.revision = self.revision.max(revision);
    }

    fn set_distribution(&mut self, id: DistributionId, record: Option<Arc<DistributionRecord>>) {
        if let Some(previous) = self.distributions.remove(&id) {
            self.forget_names(&id, &previous);
        }
        let Some(record) = record else {
            self.invalidations.remove(&id);
            return;
        };
        self.caller_references
            .insert(record.config.caller_reference.clone(), id.clone());
        for alias in &record.distribution.aliases {
            self.aliases.insert(alias.clone(), id.clone());
        }
        self.distributions.insert(id, record);
    }

    fn forget_names(&mut self, id: &DistributionId, record: &DistributionRecord) {
        if self.caller_references.get(&record.config.caller_reference) == Some(id) {
            self.caller_references.remove(&record.config.caller_reference);
        }
        for alias in &record.distribution.aliases {
            if self.aliases.get(alias) == Some(id) {
                self.aliases.remove(alias);
            }
        }
    }

    /// The paths of a deleted distribution's invalidations still count, but they can no longer be asked for.
    fn add_invalidation(&mut self, record: Arc<InvalidationRecord>) {
        *self.paths_by_month.entry(Month::of(record.created)).or_insert(0) += record.paths.len() as u64;
        if self.distributions.contains_key(&record.distribution) {
            self.invalidations
                .entry(record.distribution.clone())
                .or_default()
                .add(record);
        }
    }

    /// Every commit up to here is in the view, none after.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Every invalidation up to here is Completed.
    pub fn completed(&self) -> Revision {
        self.completed
    }

    /// Where the watermark itself was last written.
    pub fn completed_written(&self) -> Option<Revision> {
        self.completed_written
    }

    /// The distribution with this Id.
    pub fn distribution(&self, id: &DistributionId) -> Option<&Arc<DistributionRecord>> {
        self.distributions.get(id)
    }

    /// Every distribution, by Id.
    pub fn distributions(&self) -> impl DoubleEndedIterator<Item = &Arc<DistributionRecord>> {
        self.distributions.values()
    }

    /// How many distributions there are.
    pub fn n_distributions(&self) -> usize {
        self.distributions.len()
    }

    /// The distribution that was created with this CallerReference.
    pub fn distribution_by_caller_reference(&self, caller_reference: &str) -> Option<&DistributionId> {
        self.caller_references.get(caller_reference)
    }

    /// The distribution that has this alias, written in lower case.
    pub fn distribution_by_alias(&self, alias: &str) -> Option<&DistributionId> {
        self.aliases.get(alias)
    }

    /// The origin access control with this Id.
    pub fn origin_access_control(&self, id: &str) -> Option<&Arc<OriginAccessControlRecord>> {
        self.origin_access_controls.get(id)
    }

    /// Every origin access control, by Id.
    pub fn origin_access_controls(&self) -> impl DoubleEndedIterator<Item = &Arc<OriginAccessControlRecord>> {
        self.origin_access_controls.values()
    }

    /// The distributions with an origin that uses this origin access control.
    pub fn users_of_origin_access_control<'a>(
        &'a self,
        id: &'a str,
    ) -> impl Iterator<Item = &'a Arc<DistributionRecord>> {
        self.distributions.values().filter(move |record| {
            record
                .distribution
                .origins
                .iter()
                .any(|origin| origin.access_control_id.as_deref() == Some(id))
        })
    }

    /// The nodes that have joined and were not dropped, by name.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Arc<MemberRecord>)> {
        self.members.iter().map(|(node, record)| (node.as_str(), record))
    }

    /// Every policy, custom and managed.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// The distributions that name this policy in a behavior, by Id.
    pub fn users_of_policy(&self, kind: PolicyKind, id: &str) -> impl Iterator<Item = &Arc<DistributionRecord>> {
        self.distributions()
            .filter(move |record| kind.named_in(&record.config).any(|named| named == id))
    }

    /// The tags of the resource with this ARN.
    pub fn tags(&self, arn: &str) -> Option<&Arc<TagsRecord>> {
        self.tags.get(arn)
    }

    /// A distribution's invalidation by Id.
    pub fn invalidation(&self, distribution: &DistributionId, id: &str) -> Option<&Arc<InvalidationRecord>> {
        self.invalidations.get(distribution)?.get(id)
    }

    /// A distribution's invalidation by CallerReference.
    pub fn invalidation_by_caller_reference(
        &self,
        distribution: &DistributionId,
        caller_reference: &str,
    ) -> Option<&Arc<InvalidationRecord>> {
        self.invalidation(distribution, &invalidation_id(distribution, caller_reference))
    }

    /// A distribution's invalidations, newest first, those older than `before` if that is given.
    pub fn invalidations(
        &self,
        distribution: &DistributionId,
        before: Option<Revision>,
    ) -> impl Iterator<Item = &Arc<InvalidationRecord>> {
        self.invalidations
            .get(distribution)
            .into_iter()
            .flat_map(move |all| all.newest_first(before))
    }

    /// What became of a distribution's invalidation, by its epoch, as far as that is written down.
    pub fn audit(&self, distribution: &DistributionId, epoch: Revision) -> Option<&Arc<AuditRecord>> {
        self.invalidations.get(distribution)?.audit(epoch)
    }

    /// Every invalidation of any distribution that is newer than `after`.
    pub fn invalidations_after(&self, after: Revision) -> impl Iterator<Item = &Arc<InvalidationRecord>> {
        self.invalidations.values().flat_map(move |all| all.after(after))
    }

    /// What a distribution has in progress.
    pub fn in_progress(&self, distribution: &DistributionId) -> InProgress {
        self.invalidations
            .get(distribution)
            .map_or_else(InProgress::default, |all| all.in_progress(self.completed))
    }

    /// The newest invalidation of any distribution at or below `through` that is not Completed yet.
    pub fn newest_in_progress(&self, through: Revision) -> Option<Revision> {
        self.invalidations
            .values()
            .filter_map(|all| all.newest_between(self.completed, through))
            .max()
    }

    /// How many invalidation paths were sent in each calendar month in which there were any, oldest first.
    pub fn paths_by_month(&self) -> impl DoubleEndedIterator<Item = (Month, u64)> {
        self.paths_by_month.iter().map(|(&month, &paths)| (month, paths))
    }
}

#[cfg(test)]
mod tests;
