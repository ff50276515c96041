use warmfront_model::{CachePolicy, managed_cache_policies};
use warmfront_wire::convert;
use warmfront_wire::types::CachePolicyList;

use super::Context;
use super::get_cache_policy::MANAGED_LAST_MODIFIED;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::listing::{PageRequest, unknown_marker};

/// There are only the policies that AWS manages.
///
/// Source: CloudFront API Reference, ListCachePolicies. The list has neither Marker nor IsTruncated.
pub(super) fn list_cache_policies(context: &Context<'_>) -> Result<Answer, ApiError> {
    let policies: &[CachePolicy] = match context.call.parameter("Type").as_deref() {
        None | Some("managed") => managed_cache_policies(),
        Some("custom") => &[],
        Some(other) => {
            return Err(ApiError::argument(format!(
                "The parameter Type is managed or custom, not {other:?}."
            )));
        }
    };
    let request = PageRequest::read(context.call)?;
    let begin = match &request.marker {
        Some(marker) => {
            let last = policies.iter().position(|policy| *policy.id == **marker);
            last.ok_or_else(|| unknown_marker(marker))? + 1
        }
        None => 0,
    };
    let page = request.page(policies.iter().skip(begin), |policy| policy.id.to_string());
    Ok(Answer::ok(&CachePolicyList {
        quantity: page.quantity(),
        items: page
            .items
            .iter()
            .map(|policy| convert::cache_policy_summary(policy, MANAGED_LAST_MODIFIED))
            .collect(),
        next_marker: page.next_marker,
        max_items: page.max_items,
    }))
}
