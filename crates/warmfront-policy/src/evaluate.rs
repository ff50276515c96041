use crate::principal::Named;
use crate::statement::Effect;
use crate::{Context, Policy, Principal};

#[cfg(test)]
mod tests;

/// What a root user may do to its own bucket whatever the bucket policy says, so that nobody locks themselves out.
///
/// Source: Amazon S3 API Reference, PutBucketPolicy, GetBucketPolicy and DeleteBucketPolicy.
const ROOT_ALWAYS_MAY: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// What someone wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who.
    pub principal: Principal<'a>,
    /// What, such as `s3:GetObject`.
    pub action: &'a str,
    /// To what: an ARN, such as `arn:aws:s3:::bucket/key`.
    pub resource: &'a str,
    /// Under which circumstances. [`Context::of`] begins one from the principal.
    pub context: &'a Context,
}

/// What the policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, or root asks, and none denies it.
    Allow {
        /// The Sid of the first statement that allows it, if it has one.
        sid: Option<String>,
    },
    /// A statement denies it.
    ExplicitDeny {
        /// The Sid of the first statement that denies it, if it has one.
        sid: Option<String>,
    },
    /// Nothing allows it.
    ImplicitDeny,
}

impl Decision {
    /// True for [`Decision::Allow`].
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allow { .. })
    }
}

/// Decides a request to a resource that belongs to the account `owner_account`.
///
/// An explicit deny anywhere wins. Otherwise, for an identity of the owner's account one Allow is enough, in its own
/// policies or in the resource's; for one of another account both must allow. Anonymous requests and services have no
/// policies of their own, so only the resource's counts (`identity_policies` is then ignored).
/// A root user needs no Allow in its own account; a deny in the resource policy binds it too, save that it can always
/// read, replace and delete a bucket policy.
/// An Allow that names an account (its id, or `arn:aws:iam::ID:root`) hands the permission to that account: its root
/// has it, and its users have it when a policy of theirs allows it. A Deny that names an account binds all in it.
///
/// Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access", "Policy
/// evaluation for requests within a single account", "Cross-account policy evaluation logic", and "AWS JSON policy
/// elements: Principal".
pub fn evaluate(
    identity_policies: &[&Policy],
    resource_policy: Option<&Policy>,
    request: &Request<'_>,
    owner_account: &str,
) -> Decision {
    let principal = request.principal;
    let is_own_root = principal.is_root_of(owner_account);
    if is_own_root
        && ROOT_ALWAYS_MAY
            .iter()
            .any(|action| action.eq_ignore_ascii_case(request.action))
    {
        return Decision::Allow { sid: None };
    }
    let identity_policies = match principal {
        Principal::Identity { .. } => identity_policies,
        Principal::Anonymous | Principal::Service(_) => &[],
    };
    let own = Verdict::of(identity_policies.iter().copied(), request);
    let resource = Verdict::of(resource_policy.into_iter(), request);
    if let Some(sid) = own.denied_by.or(resource.denied_by) {
        return Decision::ExplicitDeny {
            sid: sid.map(str::to_owned),
        };
    }
    if is_own_root {
        return Decision::Allow { sid: None };
    }
    let is_same_account = matches!(principal, Principal::Identity { account, .. } if account == owner_account);
    let directly = resource
        .allowed_by
        .filter(|(named, _)| *named == Named::Directly)
        .map(|(_, sid)| sid);
    let allowed_by = match principal {
        Principal::Anonymous | Principal::Service(_) => directly,
        Principal::Identity { .. } if is_same_account => own.allowed_by.map(|(_, sid)| sid).or(directly),
        Principal::Identity { .. } => resource
            .allowed_by
            .filter(|_| own.allowed_by.is_some() || principal.is_root())
            .map(|(_, sid)| sid),
    };
    match allowed_by {
        Some(sid) => Decision::Allow {
            sid: sid.map(str::to_owned),
        },
        None => Decision::ImplicitDeny,
    }
}

/// What some policies say of a request: the Sids of the statements that decide it.
#[derive(Default)]
struct Verdict<'p> {
    denied_by: Option<Option<&'p str>>,
    /// Of the statement that names the principal most directly.
    allowed_by: Option<(Named, Option<&'p str>)>,
}

impl<'p> Verdict<'p> {
    fn of(policies: impl Iterator<Item = &'p Policy>, request: &Request<'_>) -> Verdict<'p> {
        let mut verdict = Verdict::default();
        for statement in policies.flat_map(|policy| &policy.statements) {
            let named = statement.applies(request);
            if named == Named::No {
                continue;
            }
            let sid = statement.sid.as_deref();
            match statement.effect {
                Effect::Deny => {
                    verdict.denied_by.get_or_insert(sid);
                }
                Effect::Allow if verdict.allowed_by.is_none_or(|(before, _)| before < named) => {
                    verdict.allowed_by = Some((named, sid));
                }
                Effect::Allow => {}
            }
        }
        verdict
    }
}
