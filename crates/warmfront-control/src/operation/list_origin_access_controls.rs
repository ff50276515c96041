use warmfront_wire::convert;
use warmfront_wire::types::OriginAccessControlList;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::listing::PageRequest;

/// In the order of their Ids, so that a page can begin after one that is gone.
///
/// Source: CloudFront API Reference, ListOriginAccessControls.
pub(super) async fn list_origin_access_controls(context: &Context<'_>) -> Result<Answer, ApiError> {
    let request = PageRequest::read(context.call)?;
    let view = context.state.current().await?;
    let after = request.marker.clone();
    let rest = view
        .origin_access_controls()
        .filter(|record| after.as_ref().is_none_or(|after| record.id > *after));
    let page = request.page(rest, |record| record.id.clone());
    Ok(Answer::ok(&OriginAccessControlList {
        is_truncated: page.is_truncated(),
        quantity: page.quantity(),
        items: page
            .items
            .iter()
            .map(|record| convert::origin_access_control_summary(&record.config, &record.id))
            .collect(),
        marker: page.marker,
        next_marker: page.next_marker,
        max_items: page.max_items,
    }))
}
