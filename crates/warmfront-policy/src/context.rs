use std::collections::BTreeMap;

use crate::Principal;

/// The condition keys of a request and their values. Keys are compared without regard to case.
///
/// Source: IAM User Guide, "AWS global condition context keys".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// No keys at all.
    pub fn new() -> Context {
        Context::default()
    }

    /// The keys that follow from the principal: `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:username` (of an IAM
    /// user), `aws:PrincipalServiceName`, `aws:PrincipalType` (of an anonymous or root request) and
    /// `aws:PrincipalIsAWSService`.
    pub fn of(principal: Principal<'_>) -> Context {
        let is_service = matches!(principal, Principal::Service(_));
        let context = Context::new().with("aws:PrincipalIsAWSService", if is_service { "true" } else { "false" });
        match principal {
            Principal::Anonymous => context.with("aws:PrincipalType", "Anonymous"),
            Principal::Service(name) => context.with("aws:PrincipalServiceName", name),
            Principal::Identity { arn, account } => {
                let context = context
                    .with("aws:PrincipalArn", arn)
                    .with("aws:PrincipalAccount", account);
                match arn.splitn(6, ':').nth(5) {
                    Some("root") => context.with("aws:PrincipalType", "Account"),
                    Some(name) if name.starts_with("user/") => {
                        let username = name.rsplit('/').next().unwrap_or_default();
                        context.with("aws:PrincipalType", "User").with("aws:username", username)
                    }
                    _ => context,
                }
            }
        }
    }

    /// This with one more value; a key given before gets a further value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Context {
        self.insert(key, value);
        self
    }

    /// Adds a value to a key.
    pub fn insert(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_ascii_lowercase()).or_default().push(value.into());
    }

    /// The values of a key, at least one; `None` if the request does not have it. `key` may be in any case.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}
