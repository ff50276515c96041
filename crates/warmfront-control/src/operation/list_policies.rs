use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::listing::{PageRequest, unknown_marker};
use crate::policies::{Found, Shown, all};

/// First those that AWS manages, then the custom ones by Id. The lists have neither Marker nor IsTruncated.
///
/// Source: CloudFront API Reference, ListCachePolicies, ListOriginRequestPolicies, ListResponseHeadersPolicies.
pub(super) async fn list_policies<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let managed = match context.call.parameter("Type").as_deref() {
        None => None,
        Some("managed") => Some(true),
        Some("custom") => Some(false),
        Some(other) => {
            return Err(ApiError::argument(format!(
                "The parameter Type is managed or custom, not {other:?}."
            )));
        }
    };
    let request = PageRequest::read(context.call)?;
    let view = context.state.current().await?;
    let mut policies: Vec<Found<P>> = all(&view)
        .filter(|found: &Found<P>| managed.is_none_or(|managed| found.is_managed == managed))
        .collect();
    if let Some(marker) = &request.marker {
        let last = policies.iter().position(|found| found.id == *marker);
        let begin = last.ok_or_else(|| unknown_marker(marker))? + 1;
        policies.drain(..begin);
    }
    let page = request.page(policies.into_iter(), |found| found.id.clone());
    Ok(Answer::ok(&P::list(page)))
}
