use warmfront_facts::PolicyKind;
use warmfront_model::DistributionId;
use warmfront_wire::types::DistributionIdList;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::listing::{PageRequest, unknown_marker};
use crate::policies::{Shown, find};

/// In the order of their Ids.
///
/// Source: CloudFront API Reference, ListDistributionsByCachePolicyId, ListDistributionsByOriginRequestPolicyId,
/// ListDistributionsByResponseHeadersPolicyId.
pub(super) async fn list_distributions_by_policy<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let id = context.label(match P::KIND {
        PolicyKind::Cache => "CachePolicyId",
        PolicyKind::OriginRequest => "OriginRequestPolicyId",
        PolicyKind::ResponseHeaders => "ResponseHeadersPolicyId",
    });
    let request = PageRequest::read(context.call)?;
    let after = match &request.marker {
        Some(marker) => Some(DistributionId::parse(marker).map_err(|_| unknown_marker(marker))?),
        None => None,
    };
    let view = context.state.current().await?;
    find::<P>(&view, id)?;
    let rest = view
        .users_of_policy(P::KIND, id)
        .filter(|user| after.as_ref().is_none_or(|after| user.id > *after))
        .map(|user| user.id.to_string());
    let page = request.page(rest, String::clone);
    Ok(Answer::ok(&DistributionIdList {
        is_truncated: page.is_truncated(),
        quantity: page.quantity(),
        marker: page.marker,
        next_marker: page.next_marker,
        max_items: page.max_items,
        items: page.items,
    }))
}
