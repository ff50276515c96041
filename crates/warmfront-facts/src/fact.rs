use std::sync::Arc;

use warmfront_journal::{Entry, Event, Write};
use warmfront_model::{DistributionId, Revision};

use crate::{
    AuditRecord, CompletedRecord, DistributionRecord, DryRunRecord, InvalidationRecord, Key, MemberRecord,
    OriginAccessControlRecord, Policy, PolicyFact, PolicyKind, PolicyRecord, RecordError, TagsRecord,
};

/// What one commit says.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A distribution was written, or deleted.
    Distribution(DistributionId, Option<Arc<DistributionRecord>>),
    /// An origin access control was written, or deleted.
    OriginAccessControl(String, Option<Arc<OriginAccessControlRecord>>),
    /// A policy was written, or deleted.
    Policy(PolicyFact),
    /// An invalidation was created.
    Invalidation(Arc<InvalidationRecord>),
    /// What became of an invalidation of this distribution was written.
    Audit(DistributionId, Arc<AuditRecord>),
    /// The tags of a resource were written, or removed altogether.
    Tags {
        /// The resource's ARN.
        resource: String,
        /// What they are now.
        tags: Option<Arc<TagsRecord>>,
    },
    /// A node wrote its member record, or it was deleted.
    Member(String, Option<Arc<MemberRecord>>),
    /// Every invalidation up to this revision is Completed.
    CompletedThrough(Revision),
    /// How much would such an invalidation cover?
    DryRun(Arc<DryRunRecord>),
    /// Nothing that concerns distributions, policies or invalidations.
    Other,
}

/// What a commit says, as a watch reports it.
///
/// # Errors
/// [`RecordError`] if the value cannot be read. Never panics, whatever the bytes.
pub fn decode(event: &Event) -> Result<Fact, RecordError> {
    let value = match &event.write {
        Write::Put(value) => Some(&value[..]),
        Write::Delete => None,
    };
    read(&event.key, value, event.revision)
}

/// What an entry of a snapshot says.
///
/// # Errors
/// [`RecordError`] if the value cannot be read. Never panics, whatever the bytes.
pub fn decode_entry(entry: &Entry) -> Result<Fact, RecordError> {
    read(&entry.key, Some(&entry.value), entry.revision)
}

fn read(key: &str, value: Option<&[u8]>, revision: Revision) -> Result<Fact, RecordError> {
    Ok(match (Key::parse(key), value) {
        (Some(Key::Distribution(id)), Some(value)) => {
            let record = DistributionRecord::decode(id.clone(), value, revision)?;
            Fact::Distribution(id, Some(Arc::new(record)))
        }
        (Some(Key::Distribution(id)), None) => Fact::Distribution(id, None),
        (Some(Key::OriginAccessControl(id)), Some(value)) => {
            let record = OriginAccessControlRecord::decode(id.clone(), value, revision)?;
            Fact::OriginAccessControl(id, Some(Arc::new(record)))
        }
        (Some(Key::OriginAccessControl(id)), None) => Fact::OriginAccessControl(id, None),
        (Some(Key::Policy(kind, id)), value) => Fact::Policy(read_policy(kind, id, value, revision)?),
        (Some(Key::Invalidation { distribution, .. }), Some(value)) => {
            Fact::Invalidation(Arc::new(InvalidationRecord::decode(distribution, value, revision)?))
        }
        (Some(Key::InvalidationAudit { distribution, .. }), Some(value)) => {
            Fact::Audit(distribution, Arc::new(AuditRecord::decode(value)?))
        }
        (Some(Key::Tags(resource)), value) => {
            let tags = value.map(TagsRecord::decode).transpose()?.map(Arc::new);
            Fact::Tags { resource, tags }
        }
        (Some(Key::Member(node)), value) => {
            let record = value.map(|value| MemberRecord::decode(value, revision)).transpose()?;
            Fact::Member(node, record.map(Arc::new))
        }
        (Some(Key::Completed), Some(value)) => Fact::CompletedThrough(CompletedRecord::decode(value)?.through),
        (Some(Key::DryRun), Some(value)) => Fact::DryRun(Arc::new(DryRunRecord::decode(value)?)),
        // Invalidations and the watermark are never taken back.
        (Some(Key::Invalidation { .. } | Key::InvalidationAudit { .. } | Key::Completed | Key::DryRun), None)
        | (None, _) => Fact::Other,
    })
}

fn read_policy(
    kind: PolicyKind,
    id: String,
    value: Option<&[u8]>,
    revision: Revision,
) -> Result<PolicyFact, RecordError> {
    Ok(match kind {
        PolicyKind::Cache => PolicyFact::Cache(id.clone(), policy_record(id, value, revision)?),
        PolicyKind::OriginRequest => PolicyFact::OriginRequest(id.clone(), policy_record(id, value, revision)?),
        PolicyKind::ResponseHeaders => PolicyFact::ResponseHeaders(id.clone(), policy_record(id, value, revision)?),
    })
}

fn policy_record<P: Policy>(
    id: String,
    value: Option<&[u8]>,
    revision: Revision,
) -> Result<Option<Arc<PolicyRecord<P>>>, RecordError> {
    let record = value.map(|value| PolicyRecord::decode(id, value, revision));
    Ok(record.transpose()?.map(Arc::new))
}
