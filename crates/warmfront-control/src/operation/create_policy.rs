use std::sync::Arc;

use warmfront_facts::{Key, PolicyRecord};
use warmfront_model::{Revision, Timestamp};

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::policies::{Shown, check_name};
use crate::state::{Unless, Verdict};
use crate::{naming, version};

/// Source: CloudFront API Reference, CreateCachePolicy, CreateOriginRequestPolicy, CreateResponseHeadersPolicy.
pub(super) async fn create_policy<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let state = context.state;
    let record = record::<P>(naming::policy_id(), context.call.document()?, state.options.clock.now())?;
    let value = record.encode()?;
    let decided = state
        .decide(|view| {
            check_name::<P>(view, &record.id, P::name(&record.config))?;
            match state.options.quotas.policies_max {
                Some(max) if P::custom(view.policies()).len() >= max => {
                    return Err(ApiError::TooManyPolicies { kind: P::KIND, max });
                }
                _ => {}
            }
            let key = Key::Policy(P::KIND, record.id.clone());
            Ok(Verdict::put(key, value.clone(), Unless::AnyCommit, ()))
        })
        .await?;
    let path = format!("{}/{}", P::KIND.as_str(), record.id);
    let body = P::body(&record.id, record.last_modified, record.config);
    Ok(Answer::created(&body, &path).etag(version::etag(decided.revision.unwrap_or_default())))
}

/// A configuration as it is kept.
pub(super) fn record<P: Shown>(
    id: String,
    config: P::Config,
    last_modified: Timestamp,
) -> Result<PolicyRecord<P>, ApiError> {
    let policy = P::validated(&config, &id)?;
    Ok(PolicyRecord {
        id,
        last_modified,
        revision: Revision::ZERO,
        config: policy.with_defaults(config),
        policy: Arc::new(policy),
    })
}
