use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use warmfront_model::Revision;

use crate::RecordError;
use crate::record::{decode, encode};

/// A node's place among the members, as the journal keeps it: at `member/NODE`.
///
/// One key holds the join and then the lease, and each write expects the one before. So a lease is taken only on the
/// standing join record, a renewal finds the node's own last write or fails, and whoever drops a member by deleting the
/// key at the revision it knows cannot pass over a renewal that it has not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// One life of a process: a random number drawn at its start.
    pub life: u64,
    /// How far it has come.
    pub membership: Membership,
    /// Where this was written.
    pub revision: Revision,
}

/// How far a node has come as a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It counts from here on, and answers nothing from its cache yet.
    Joined {
        /// How long the lease will be that it is going to take.
        lease: Duration,
    },
    /// It may answer from its cache for so long, counted on its own clock from before this was written.
    Leased {
        /// How long.
        lease: Duration,
    },
}

#[derive(Serialize, Deserialize)]
struct MemberValue {
    life: String,
    leased: bool,
    lease_ms: u64,
}

impl Membership {
    /// How long the member is waited for after its last write.
    pub fn lease(self) -> Duration {
        match self {
            Membership::Joined { lease } | Membership::Leased { lease } => lease,
        }
    }
}

impl MemberRecord {
    /// The value that says this.
    ///
    /// # Errors
    /// None in practice; the signature is that of every record.
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&MemberValue {
            life: format!("{:016x}", self.life),
            leased: matches!(self.membership, Membership::Leased { .. }),
            lease_ms: u64::try_from(self.membership.lease().as_millis()).unwrap_or(u64::MAX),
        })
    }

    pub(crate) fn decode(value: &[u8], revision: Revision) -> Result<Self, RecordError> {
        let value: MemberValue = decode(value)?;
        let lease = Duration::from_millis(value.lease_ms);
        Ok(MemberRecord {
            life: u64::from_str_radix(&value.life, 16).map_err(|_| RecordError::Life)?,
            membership: if value.leased {
                Membership::Leased { lease }
            } else {
                Membership::Joined { lease }
            },
            revision,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_as_it_was_written() {
        let lease = Duration::from_millis(1_500);
        for membership in [Membership::Joined { lease }, Membership::Leased { lease }] {
            let record = MemberRecord {
                life: 0xfedc_ba98_7654_3210,
                membership,
                revision: Revision(7),
            };
            let value = record.encode().unwrap();
            assert_eq!(MemberRecord::decode(&value, Revision(7)).unwrap(), record);
        }
        let wrong = br#"{"life":"x","leased":true,"lease_ms":1}"#;
        let value = [&[1, 0][..], wrong].concat();
        assert!(matches!(
            MemberRecord::decode(&value, Revision(1)),
            Err(RecordError::Life)
        ));
    }
}
