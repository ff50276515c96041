use warmfront_policy::{Context, Decision, Policy, Principal, Request, evaluate};

use crate::error::ApiError;
use crate::{Grants, Identity};

/// Whether `identity` may do `action` to `resource` (an ARN, or `*` for what has none).
///
/// Source: IAM service authorization reference, "Actions, resources, and condition keys for Amazon CloudFront".
pub(crate) fn authorize(identity: &Identity, action: &str, resource: &str) -> Result<(), ApiError> {
    let policies: Vec<&Policy> = match &identity.grants {
        Grants::Root => return Ok(()),
        Grants::Policies(policies) => policies.iter().collect(),
    };
    let account = identity.arn.split(':').nth(4).unwrap_or_default();
    let principal = Principal::Identity {
        arn: &identity.arn,
        account,
    };
    let context = Context::of(principal);
    let request = Request {
        principal,
        action,
        resource,
        context: &context,
    };
    let reason = match evaluate(&policies, None, &request, account) {
        Decision::Allow { .. } => return Ok(()),
        Decision::ExplicitDeny { .. } => format!("of an explicit deny in an identity-based policy for {action}"),
        Decision::ImplicitDeny => format!("no identity-based policy allows the {action} action"),
    };
    Err(ApiError::AccessDenied {
        identity: identity.arn.clone(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        reason,
    })
}
