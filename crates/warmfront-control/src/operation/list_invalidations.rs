use warmfront_wire::types::InvalidationList;

use super::Context;
use crate::answer::Answer;
use crate::document;
use crate::error::ApiError;
use crate::listing::{PageRequest, unknown_marker};

/// Newest first, so later pages hold older ones.
///
/// Source: CloudFront API Reference, ListInvalidations.
pub(super) async fn list_invalidations(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let distribution = context.distribution_id()?;
    view.distribution(&distribution).ok_or(ApiError::NoSuchDistribution)?;
    let request = PageRequest::read(context.call)?;
    let before = match &request.marker {
        Some(marker) => Some(
            view.invalidation(&distribution, marker)
                .ok_or_else(|| unknown_marker(marker))?
                .revision,
        ),
        None => None,
    };
    let page = request.page(view.invalidations(&distribution, before), |record| record.id.clone());
    Ok(Answer::ok(&InvalidationList {
        is_truncated: page.is_truncated(),
        quantity: page.quantity(),
        items: page
            .items
            .iter()
            .map(|record| document::invalidation_summary(&view, record))
            .collect(),
        marker: page.marker,
        next_marker: page.next_marker,
        max_items: page.max_items,
    }))
}
