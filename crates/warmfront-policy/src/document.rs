use std::collections::BTreeSet;

use crate::PolicyError;
use crate::json::Json;
use crate::statement::Statement;

#[cfg(test)]
mod tests;

/// Source: Amazon S3 User Guide, "Bucket policies for Amazon S3": limited to 20 KB in size.
const BUCKET_POLICY_BYTES_MAX: usize = 20 * 1024;
/// Managed policies; white space does not count. Source: IAM User Guide, "IAM and AWS STS quotas".
const IDENTITY_POLICY_CHARS_MAX: usize = 6_144;
/// What white space may add to an identity policy.
const IDENTITY_POLICY_BYTES_MAX: usize = 128 * 1024;

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// To a bucket: each statement names its principals; 20 KiB at most.
    Bucket,
    /// To a user, group or role: no statement names a principal; 6,144 characters at most, white space not counted.
    Identity,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Without policy variables. A policy that gives no version is of this one.
    V2008,
    V2012,
}

/// A policy that has been read, and its text.
///
/// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
#[derive(Clone, Debug)]
pub struct Policy {
    source: String,
    pub(crate) statements: Vec<Statement>,
}

impl Policy {
    /// Reads a policy. Nothing in it is ignored: an unknown member, condition operator or principal is an error.
    ///
    /// # Errors
    /// [`PolicyError`], which says where and what would do. Unlike AWS, no check that principals exist, nor that
    /// actions and resources suit the bucket: see [`Policy::resources`] and [`Policy::actions`].
    pub fn parse(json: &str, kind: PolicyKind) -> Result<Policy, PolicyError> {
        check_size(json, kind)?;
        let document: Json = serde_json::from_str(json).map_err(PolicyError::NotJson)?;
        let (mut version, mut statements) = (Version::V2008, None);
        for (name, value) in document.into_object("the policy")? {
            match name.as_str() {
                "Version" => version = read_version(value)?,
                "Id" => drop(value.into_text("Id")?),
                "Statement" => statements = Some(value),
                _ => {
                    let allowed = "Version, Id and Statement";
                    return Err(PolicyError::UnknownMember {
                        place: "the policy",
                        name,
                        allowed,
                    });
                }
            }
        }
        let statements = match statements {
            None => {
                return Err(PolicyError::MissingMember {
                    place: "the policy",
                    member: "Statement",
                });
            }
            Some(Json::List(items)) if items.is_empty() => {
                return Err(PolicyError::MissingMember {
                    place: "Statement",
                    member: "at least one statement",
                });
            }
            Some(Json::List(items)) => items,
            Some(single) => vec![single],
        };
        let statements: Result<Vec<Statement>, PolicyError> = statements
            .into_iter()
            .map(|statement| Statement::parse(statement, version, kind))
            .collect();
        let policy = Policy {
            source: json.to_owned(),
            statements: statements?,
        };
        policy.check_sids()?;
        Ok(policy)
    }

    /// The text as it was given, to the byte; GetBucketPolicy answers with it.
    pub fn to_json(&self) -> &str {
        &self.source
    }

    /// Each Resource and NotResource as written. S3 refuses a policy with one outside its bucket.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .flat_map(|statement| statement.resource_texts.iter().map(String::as_str))
    }

    /// Each Action and NotAction as written. S3 refuses a policy with one that is not S3's.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .flat_map(|statement| statement.action_texts.iter().map(String::as_str))
    }

    fn check_sids(&self) -> Result<(), PolicyError> {
        let mut seen = BTreeSet::new();
        let sids = self.statements.iter().filter_map(|statement| statement.sid.as_ref());
        match sids.filter(|sid| !sid.is_empty()).find(|sid| !seen.insert(*sid)) {
            Some(sid) => Err(PolicyError::DuplicateSid(sid.clone())),
            None => Ok(()),
        }
    }
}

fn check_size(json: &str, kind: PolicyKind) -> Result<(), PolicyError> {
    let (fits, size_max) = match kind {
        PolicyKind::Bucket => (json.len() <= BUCKET_POLICY_BYTES_MAX, BUCKET_POLICY_BYTES_MAX),
        PolicyKind::Identity => {
            let fits = json.len() <= IDENTITY_POLICY_BYTES_MAX
                && json.chars().filter(|sign| !sign.is_whitespace()).count() <= IDENTITY_POLICY_CHARS_MAX;
            (fits, IDENTITY_POLICY_CHARS_MAX)
        }
    };
    if fits {
        Ok(())
    } else {
        Err(PolicyError::TooLarge { size_max })
    }
}

fn read_version(value: Json) -> Result<Version, PolicyError> {
    match value.into_text("Version")?.as_str() {
        "2012-10-17" => Ok(Version::V2012),
        "2008-10-17" => Ok(Version::V2008),
        other => Err(PolicyError::UnknownVersion(other.to_owned())),
    }
}
