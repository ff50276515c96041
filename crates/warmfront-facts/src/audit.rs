use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use warmfront_model::{Revision, Timestamp};

use crate::RecordError;
use crate::record::{decode, encode};

/// How much of what a node has in its cache is covered by the paths and tags of an invalidation, or of a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// How many responses.
    pub responses: u64,
    /// How many bytes their bodies have.
    pub bytes: u64,
}

impl std::iter::Sum for Coverage {
    fn sum<I: Iterator<Item = Coverage>>(parts: I) -> Coverage {
        parts.fold(Coverage::default(), |sum, part| Coverage {
            responses: sum.responses.saturating_add(part.responses),
            bytes: sum.bytes.saturating_add(part.bytes),
        })
    }
}

/// What a node reports when it has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoverageReport {
    /// The epoch of the invalidation or the dry run.
    pub epoch: Revision,
    /// What it has counted.
    pub coverage: Coverage,
}

/// What became of an invalidation, as the journal keeps it: at `invalidation-audit/DISTRIBUTION/HASH`, beside the
/// invalidation's own record, which is never rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The invalidation's epoch.
    pub epoch: Revision,
    /// When it was Completed.
    pub completed: Option<Timestamp>,
    /// What each node did with it, by the node's name.
    pub nodes: BTreeMap<String, NodeAudit>,
}

/// What one node did with an invalidation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAudit {
    /// When it was seen to have applied it.
    #[serde(
        default,
        rename = "applied_ms",
        with = "millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub applied: Option<Timestamp>,
    /// What it had that was covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

#[derive(Serialize, Deserialize)]
struct AuditValue {
    epoch: u64,
    #[serde(default, with = "millis", skip_serializing_if = "Option::is_none")]
    completed_ms: Option<Timestamp>,
    nodes: BTreeMap<String, NodeAudit>,
}

impl AuditRecord {
    /// Of an invalidation that nothing has become of yet.
    pub fn new(epoch: Revision) -> AuditRecord {
        AuditRecord {
            epoch,
            completed: None,
            nodes: BTreeMap::new(),
        }
    }

    /// What all nodes have counted, added up: what two have counts twice. `None`: none has counted.
    pub fn coverage(&self) -> Option<Coverage> {
        let mut counted = self.nodes.values().filter_map(|node| node.coverage).peekable();
        counted.peek()?;
        Some(counted.sum())
    }

    /// The value that says this.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&AuditValue {
            epoch: self.epoch.0,
            completed_ms: self.completed,
            nodes: self.nodes.clone(),
        })
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, RecordError> {
        let value: AuditValue = decode(value)?;
        Ok(AuditRecord {
            epoch: Revision(value.epoch),
            completed: value.completed_ms,
            nodes: value.nodes,
        })
    }
}

/// Moments as milliseconds.
mod millis {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use warmfront_model::Timestamp;

    pub(super) fn serialize<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        moment.map(|moment| moment.0).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit() -> AuditRecord {
        let coverage = |responses, bytes| Some(Coverage { responses, bytes });
        let node = |applied: i64, coverage| NodeAudit {
            applied: Some(Timestamp(applied)),
            coverage,
        };
        AuditRecord {
            epoch: Revision(7),
            completed: Some(Timestamp(1_500)),
            nodes: BTreeMap::from([
                ("a".to_owned(), node(1_000, coverage(2, 300))),
                ("b".to_owned(), node(1_400, coverage(1, 50))),
                ("c".to_owned(), NodeAudit::default()),
            ]),
        }
    }

    #[test]
    fn an_audit_is_read_as_it_was_written() {
        let value = audit().encode().unwrap();
        assert_eq!(AuditRecord::decode(&value).unwrap(), audit());
        let new = AuditRecord::new(Revision(7));
        assert_eq!(AuditRecord::decode(&new.encode().unwrap()).unwrap(), new);
    }

    #[test]
    fn counts_add_up_and_none_is_not_zero() {
        let sum = Coverage {
            responses: 3,
            bytes: 350,
        };
        assert_eq!(audit().coverage(), Some(sum));
        assert_eq!(AuditRecord::new(Revision(7)).coverage(), None);
    }
}
