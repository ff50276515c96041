use std::fmt;

use sha2::{Digest, Sha256};
use warmfront_model::DistributionId;

use crate::PolicyKind;

/// A key of the journal, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// `distribution/ID`.
    Distribution(DistributionId),
    /// `origin-access-control/ID`.
    OriginAccessControl(String),
    /// `cache-policy/ID`, `origin-request-policy/ID`, `response-headers-policy/ID`.
    Policy(PolicyKind, String),
    /// `invalidation/DISTRIBUTION/HASH`: one key for each caller reference of a distribution, never rewritten.
    Invalidation {
        /// The distribution it is for.
        distribution: DistributionId,
        /// SHA-256 of the caller reference in lower-case hex.
        reference_hash: String,
    },
    /// `invalidation-audit/DISTRIBUTION/HASH`: what became of the invalidation with that hash.
    InvalidationAudit {
        /// The distribution it is for.
        distribution: DistributionId,
        /// SHA-256 of the caller reference in lower-case hex.
        reference_hash: String,
    },
    /// `tags/ARN`.
    Tags(String),
    /// `member/NODE`: a node whose position counts for Completed, and its lease.
    Member(String),
    /// `completed`, the completion watermark.
    Completed,
    /// `dry-run`: the newest question how much an invalidation would cover.
    DryRun,
}

impl Key {
    /// The key of the invalidation with this caller reference.
    pub fn invalidation(distribution: &DistributionId, caller_reference: &str) -> Key {
        Key::Invalidation {
            distribution: distribution.clone(),
            reference_hash: reference_hash(caller_reference),
        }
    }

    /// The key of the audit of the invalidation with this caller reference.
    pub fn invalidation_audit(distribution: &DistributionId, caller_reference: &str) -> Key {
        Key::InvalidationAudit {
            distribution: distribution.clone(),
            reference_hash: reference_hash(caller_reference),
        }
    }

    /// Reads a key. `None` for keys that mean nothing here: other crates keep theirs in the same journal.
    pub fn parse(text: &str) -> Option<Key> {
        match text {
            "completed" => return Some(Key::Completed),
            "dry-run" => return Some(Key::DryRun),
            _ => {}
        }
        let (kind, rest) = text.split_once('/')?;
        match kind {
            "distribution" => Some(Key::Distribution(DistributionId::parse(rest).ok()?)),
            "origin-access-control" => Some(Key::OriginAccessControl(rest.to_owned())),
            "invalidation" => {
                let (distribution, reference_hash) = of_invalidation(rest)?;
                Some(Key::Invalidation {
                    distribution,
                    reference_hash,
                })
            }
            "invalidation-audit" => {
                let (distribution, reference_hash) = of_invalidation(rest)?;
                Some(Key::InvalidationAudit {
                    distribution,
                    reference_hash,
                })
            }
            "tags" => Some(Key::Tags(rest.to_owned())),
            "member" => Some(Key::Member(rest.to_owned())),
            kind => {
                let kind = PolicyKind::ALL.into_iter().find(|it| it.as_str() == kind)?;
                Some(Key::Policy(kind, rest.to_owned()))
            }
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Distribution(id) => write!(formatter, "distribution/{id}"),
            Key::OriginAccessControl(id) => write!(formatter, "origin-access-control/{id}"),
            Key::Policy(kind, id) => write!(formatter, "{}/{id}", kind.as_str()),
            Key::Invalidation {
                distribution,
                reference_hash,
            } => {
                write!(formatter, "invalidation/{distribution}/{reference_hash}")
            }
            Key::InvalidationAudit {
                distribution,
                reference_hash,
            } => {
                write!(formatter, "invalidation-audit/{distribution}/{reference_hash}")
            }
            Key::Tags(arn) => write!(formatter, "tags/{arn}"),
            Key::Member(node) => write!(formatter, "member/{node}"),
            Key::Completed => formatter.write_str("completed"),
            Key::DryRun => formatter.write_str("dry-run"),
        }
    }
}

fn reference_hash(caller_reference: &str) -> String {
    hex::encode(Sha256::digest(caller_reference.as_bytes()))
}

fn of_invalidation(text: &str) -> Option<(DistributionId, String)> {
    let (distribution, reference_hash) = text.split_once('/')?;
    Some((DistributionId::parse(distribution).ok()?, reference_hash.to_owned()))
}

/// The Id of the invalidation with this caller reference: `I` and 24 upper-case letters or digits.
///
/// It derives from distribution and reference alone, so a repeated request finds the same one with no second write.
pub fn invalidation_id(distribution: &DistributionId, caller_reference: &str) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let hash = Sha256::new()
        .chain_update(b"invalidation\0")
        .chain_update(distribution.as_str())
        .chain_update(b"\0")
        .chain_update(caller_reference)
        .finalize();
    let mut number = hash
        .iter()
        .take(16)
        .fold(0_u128, |number, &byte| number << 8 | u128::from(byte));
    let mut id = String::with_capacity(25);
    id.push('I');
    for _ in 0..24 {
        id.push(char::from(ALPHABET[(number % 36) as usize]));
        number /= 36;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let distribution = DistributionId::parse("E1U5RQF7T870K0").unwrap();
        for key in [
            Key::Distribution(distribution.clone()),
            Key::OriginAccessControl("E327GJI25M56DG".into()),
            Key::Policy(PolicyKind::Cache, "5a6bd5c6-2c5e-4c4c-8a1f-2b7d3b0f9a10".into()),
            Key::Policy(PolicyKind::OriginRequest, "a".into()),
            Key::Policy(PolicyKind::ResponseHeaders, "a".into()),
            Key::invalidation(&distribution, "my/ref"),
            Key::invalidation_audit(&distribution, "my/ref"),
            Key::Tags("arn:aws:cloudfront::123456789012:distribution/E1U5RQF7T870K0".into()),
            Key::Member("IAD89-P3".into()),
            Key::Completed,
            Key::DryRun,
        ] {
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
        for other in [
            "",
            "note/1",
            "distribution",
            "distribution/x",
            "invalidation/E1U5RQF7T870K0",
            "completed/1",
        ] {
            assert_eq!(Key::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_invalidation_key_holds_the_sha_256_of_its_reference() {
        let distribution = DistributionId::parse("E1U5RQF7T870K0").unwrap();
        // FIPS 180-2, appendix B.1: SHA-256 of "abc".
        assert_eq!(
            Key::invalidation(&distribution, "abc").to_string(),
            "invalidation/E1U5RQF7T870K0/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn ids_look_like_cloudfronts_and_differ_by_distribution_and_reference() {
        let (one, two) = ("E1U5RQF7T870K0", "EDFDVBD632BHDS");
        let id = |distribution: &str, reference: &str| {
            invalidation_id(&DistributionId::parse(distribution).unwrap(), reference)
        };
        assert_eq!(id(one, "a"), id(one, "a"));
        assert_ne!(id(one, "a"), id(one, "b"));
        assert_ne!(id(one, "a"), id(two, "a"));
        assert_eq!(id(one, "a").len(), 25);
        assert!(id(one, "a").starts_with('I'));
        assert!(
            id(one, "a")
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        );
    }
}
