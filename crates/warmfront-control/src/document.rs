//! Records as CloudFront's documents.

use std::sync::Arc;

use warmfront_facts::{DistributionRecord, InvalidationRecord, View};
use warmfront_model::{ResourceArn, Revision};
use warmfront_wire::types::{
    ActiveTrustedKeyGroups, ActiveTrustedSigners, Distribution, Invalidation, InvalidationBatch, InvalidationSummary,
    Paths,
};

use crate::state::State;

/// The status of what is not everywhere yet.
pub(crate) const IN_PROGRESS: &str = "InProgress";

pub(crate) fn distribution(state: &State, view: &View, record: &DistributionRecord, status: &str) -> Distribution {
    let batches = view.in_progress(&record.id).batches;
    Distribution {
        id: record.id.to_string(),
        arn: ResourceArn::distribution(&state.options.account, &record.id).to_string(),
        status: status.to_owned(),
        last_modified_time: record.last_modified,
        in_progress_invalidation_batches: i32::try_from(batches).unwrap_or(i32::MAX),
        domain_name: record.domain_name.to_string(),
        active_trusted_signers: Some(ActiveTrustedSigners::default()),
        active_trusted_key_groups: Some(ActiveTrustedKeyGroups::default()),
        distribution_config: record.config.clone(),
        alias_icp_recordals: Vec::new(),
    }
}

/// Deployed once every node has applied the last write of the configuration.
pub(crate) fn distribution_status(state: &State, record: &DistributionRecord) -> &'static str {
    if state.nodes.have_applied(&state.views.newest(), record.revision) {
        "Deployed"
    } else {
        IN_PROGRESS
    }
}

pub(crate) fn invalidation(record: &InvalidationRecord, status: &str) -> Invalidation {
    Invalidation {
        id: record.id.clone(),
        status: status.to_owned(),
        create_time: record.created,
        invalidation_batch: InvalidationBatch {
            paths: Paths {
                quantity: i32::try_from(record.paths.len()).unwrap_or(i32::MAX),
                items: record.paths.clone(),
            },
            caller_reference: record.caller_reference.clone(),
        },
    }
}

/// Completed once the watermark in the journal has passed it.
pub(crate) fn invalidation_status(view: &View, revision: Revision) -> &'static str {
    if revision <= view.completed() {
        "Completed"
    } else {
        IN_PROGRESS
    }
}

pub(crate) fn invalidation_summary(view: &View, record: &Arc<InvalidationRecord>) -> InvalidationSummary {
    InvalidationSummary {
        id: record.id.clone(),
        create_time: record.created,
        status: invalidation_status(view, record.revision).to_owned(),
    }
}
