use std::sync::Arc;

use warmfront_facts::DistributionRecord;
use warmfront_model::DistributionId;
use warmfront_wire::convert::{self, DistributionFacts};
use warmfront_wire::types::{DistributionList, DistributionSummary};

use super::{Context, distribution_arn};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::listing::{PageRequest, unknown_marker};
use crate::state::State;
use crate::{document, version};

/// In the order of their Ids, so that a page can begin after one that is gone.
///
/// Source: CloudFront API Reference, ListDistributions.
pub(super) async fn list_distributions(context: &Context<'_>) -> Result<Answer, ApiError> {
    let state = context.state;
    let request = PageRequest::read(context.call)?;
    let after = match &request.marker {
        Some(marker) => Some(DistributionId::parse(marker).map_err(|_| unknown_marker(marker))?),
        None => None,
    };
    let view = state.current().await?;
    let rest = view
        .distributions()
        .filter(|record| after.as_ref().is_none_or(|after| record.id > *after));
    let page = request.page(rest, |record| record.id.to_string());
    Ok(Answer::ok(&DistributionList {
        is_truncated: page.is_truncated(),
        quantity: page.quantity(),
        items: page.items.iter().map(|record| summary(state, record)).collect(),
        marker: page.marker,
        next_marker: page.next_marker,
        max_items: page.max_items,
    }))
}

fn summary(state: &State, record: &Arc<DistributionRecord>) -> DistributionSummary {
    let facts = DistributionFacts {
        id: record.id.to_string(),
        arn: distribution_arn(state, &record.id),
        etag: version::etag(record.revision),
        status: document::distribution_status(state, record).to_owned(),
        last_modified_time: record.last_modified,
        domain_name: record.domain_name.to_string(),
    };
    convert::distribution_summary(&record.config, facts)
}
