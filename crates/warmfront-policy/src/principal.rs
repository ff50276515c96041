//! Who asks, and whom a statement names.
//!
//! Source: IAM User Guide, "AWS JSON policy elements: Principal" and "… NotPrincipal".

use crate::PolicyError;
use crate::json::Json;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    /// A request without a signature.
    Anonymous,
    /// A root user (`arn:aws:iam::ACCOUNT:root`), IAM user or role.
    Identity {
        /// Its full ARN.
        arn: &'a str,
        /// Its account, twelve digits.
        account: &'a str,
    },
    /// A service, such as `cloudfront.amazonaws.com`.
    Service(&'a str),
}

impl Principal<'_> {
    pub(crate) fn is_root_of(&self, owner_account: &str) -> bool {
        matches!(self, Principal::Identity { account, .. } if self.is_root() && *account == owner_account)
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Principal::Identity { arn, account } if is_root_arn_of(arn, account))
    }
}

/// How a list of principals names the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    No,
    /// Through its account: the account may hand the permission on by a policy of its own, a denial holds at once.
    ByAccount,
    Directly,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Everyone,
    Account(String),
    Arn(String),
    Service(String),
    /// Federated and canonical users, and the unique ids that stand for deleted users: none of ours.
    Never,
}

/// The value of a Principal or NotPrincipal element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principals(Vec<Entry>);

impl Principals {
    pub(crate) fn parse(json: Json) -> Result<Principals, PolicyError> {
        if let Json::Text(text) = json {
            return if text == "*" {
                Ok(Principals(vec![Entry::Everyone]))
            } else {
                Err(PolicyError::InvalidPrincipal(text))
            };
        }
        let mut entries = Vec::new();
        for (kind, value) in json.into_object("Principal")? {
            let read: fn(String) -> Result<Entry, PolicyError> = match kind.as_str() {
                "AWS" => aws,
                "Service" => service,
                "CanonicalUser" | "Federated" => |_| Ok(Entry::Never),
                _ => {
                    return Err(PolicyError::UnknownMember {
                        place: "Principal",
                        name: kind,
                        allowed: "AWS, Service, CanonicalUser and Federated",
                    });
                }
            };
            for text in value.into_texts(&kind)? {
                entries.push(read(text)?);
            }
        }
        if entries.is_empty() {
            return Err(PolicyError::WrongType {
                member: "Principal".to_owned(),
                wanted: "\"*\" or an object with members",
            });
        }
        Ok(Principals(entries))
    }

    pub(crate) fn name(&self, principal: Principal<'_>) -> Named {
        self.0
            .iter()
            .map(|entry| entry.names(principal))
            .max()
            .unwrap_or(Named::No)
    }

    /// Names one or more accounts, users, roles or services, and not whoever comes.
    pub(crate) fn is_fixed(&self) -> bool {
        self.0
            .iter()
            .all(|entry| matches!(entry, Entry::Account(_) | Entry::Arn(_) | Entry::Service(_)))
    }
}

impl Entry {
    fn names(&self, principal: Principal<'_>) -> Named {
        match (self, principal) {
            (Entry::Everyone, _) => Named::Directly,
            (Entry::Account(id), Principal::Identity { account, .. }) if id == account => {
                if principal.is_root() {
                    Named::Directly
                } else {
                    Named::ByAccount
                }
            }
            (Entry::Arn(named), Principal::Identity { arn, .. }) if named == arn => Named::Directly,
            (Entry::Service(name), Principal::Service(service)) if name == service => Named::Directly,
            _ => Named::No,
        }
    }
}

/// `*`, an account id, or a full ARN. A wildcard within an ARN is refused, as AWS does.
fn aws(text: String) -> Result<Entry, PolicyError> {
    if text == "*" {
        return Ok(Entry::Everyone);
    }
    if is_account(&text) {
        return Ok(Entry::Account(text));
    }
    let is_unique_id = ["AIDA", "AROA"].iter().any(|start| text.starts_with(start))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_unique_id {
        return Ok(Entry::Never);
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] if is_account(account) => Ok(Entry::Account((*account).to_owned())),
        ["arn", _, "iam" | "sts", "", account, name]
            if (is_account(account) || *account == "cloudfront")
                && name.contains('/')
                && !text.contains(['*', '?']) =>
        {
            Ok(Entry::Arn(text))
        }
        _ => Err(PolicyError::InvalidPrincipal(text)),
    }
}

fn service(text: String) -> Result<Entry, PolicyError> {
    let well_formed = text.contains('.') && !text.contains(['*', '?', '/', ' ']);
    if well_formed {
        Ok(Entry::Service(text))
    } else {
        Err(PolicyError::InvalidPrincipal(text))
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_root_arn_of(arn: &str, account: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", id, "root"] if *id == account)
}
