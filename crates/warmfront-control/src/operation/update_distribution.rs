use std::sync::Arc;

use warmfront_facts::{DistributionRecord, Key, View};
use warmfront_model::Revision;
use warmfront_wire::convert;
use warmfront_wire::types::DistributionConfig;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{State, Unless, Verdict};
use crate::{document, origins, policies, version};

/// Replaces the whole configuration; nothing is merged.
///
/// Source: CloudFront API Reference, UpdateDistribution.
pub(super) async fn update_distribution(context: &Context<'_>) -> Result<Answer, ApiError> {
    let (state, call) = (context.state, context.call);
    let id = context.distribution_id()?;
    let decided = state
        .decide(|view| {
            let current = view.distribution(&id).ok_or(ApiError::NoSuchDistribution)?;
            version::check_if_match(&call.headers, &version::etag(current.revision))?;
            let record = updated(state, view, current, call.document()?)?;
            let value = record.encode()?;
            Ok(Verdict::put(
                Key::Distribution(id.clone()),
                value,
                Unless::AnyCommit,
                (record, view.clone()),
            ))
        })
        .await?;
    let (record, view) = decided.value;
    let record = DistributionRecord {
        revision: decided.revision.unwrap_or_default(),
        ..record
    };
    let body = document::distribution(state, &view, &record, document::IN_PROGRESS);
    Ok(Answer::ok(&body).etag(version::etag(record.revision)))
}

fn updated(
    state: &State,
    view: &View,
    current: &DistributionRecord,
    config: DistributionConfig,
) -> Result<DistributionRecord, ApiError> {
    if config.caller_reference != current.config.caller_reference {
        return Err(ApiError::IllegalUpdate(
            "The CallerReference of a distribution cannot be changed.".to_owned(),
        ));
    }
    convert::update_requires(&config)?;
    let config = convert::with_defaults(config);
    let distribution = convert::distribution_with(&config, current.id.clone(), &current.domain_name, view.policies())?;
    origins::check(&state.options, view, &current.id, &distribution)?;
    policies::check(&state.options.quotas, view, &current.id, &config)?;
    Ok(DistributionRecord {
        id: current.id.clone(),
        domain_name: current.domain_name.clone(),
        created: current.created,
        last_modified: state.options.clock.now(),
        revision: Revision::ZERO,
        config,
        distribution: Arc::new(distribution),
    })
}
