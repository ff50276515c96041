//! What the journal's keys and values mean, and the view made of them.
//!
//! A fact is one journal entry, decoded. Folding all facts up to a revision gives the [`View`] at that revision.
//! Everything here is a pure function of keys and values: no clock, no I/O.

mod audit;
mod configuration;
mod dry_run;
mod envelope;
mod fact;
mod key;
mod member;
mod month;
mod origin_allow;
mod policy;
mod policy_set;
mod record;
mod view;

pub use audit::{AuditRecord, Coverage, CoverageReport, NodeAudit};
pub use dry_run::DryRunRecord;
pub use fact::{Fact, decode, decode_entry};
pub use key::{Key, invalidation_id};
pub use member::{MemberRecord, Membership};
pub use month::Month;
pub use origin_allow::{Network, OriginAllow, ParseNetworkError, is_private};
pub use policy::{Policy, PolicyKind, PolicyRecord};
pub use policy_set::{Held, PolicyFact, PolicySet};
pub use record::{
    CompletedRecord, DistributionRecord, InvalidationOrigin, InvalidationRecord, OriginAccessControlRecord,
    RecordError, TagsRecord,
};
pub use view::{InProgress, View};
