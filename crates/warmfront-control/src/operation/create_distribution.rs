use std::collections::BTreeMap;
use std::sync::Arc;

use warmfront_facts::{DistributionRecord, Key, TagsRecord, View};
use warmfront_journal::{Expected, Write};
use warmfront_model::Revision;
use warmfront_wire::convert;
use warmfront_wire::types::{DistributionConfig, DistributionConfigWithTags};

use super::{Context, distribution_arn};
use crate::answer::Answer;
use crate::error::{ApiError, Unavailable};
use crate::state::{State, Unless, Verdict};
use crate::{document, naming, origins, policies, version};

/// Source: CloudFront API Reference, CreateDistribution.
pub(super) async fn create_distribution(context: &Context<'_>) -> Result<Answer, ApiError> {
    create(context, context.call.document()?, BTreeMap::new()).await
}

/// Source: CloudFront API Reference, CreateDistributionWithTags.
pub(super) async fn create_distribution_with_tags(context: &Context<'_>) -> Result<Answer, ApiError> {
    let body: DistributionConfigWithTags = context.call.document()?;
    let tags = convert::tags(&body.tags)?.into_iter().collect();
    create(context, body.distribution_config, tags).await
}

async fn create(
    context: &Context<'_>,
    config: DistributionConfig,
    tags: BTreeMap<String, String>,
) -> Result<Answer, ApiError> {
    let state = context.state;
    let view = state.current().await?;
    let record = new_record(state, &view, convert::with_defaults(config))?;
    check(state, &view, &record)?;
    let tags_key = Key::Tags(distribution_arn(state, &record.id));
    if !tags.is_empty() {
        write_tags(state, &tags_key, tags.clone()).await?;
    }
    let value = record.encode()?;
    let created = state
        .decide(|view| {
            check(state, view, &record)?;
            Ok(Verdict::put(
                Key::Distribution(record.id.clone()),
                value.clone(),
                Unless::AnyCommit,
                (),
            ))
        })
        .await;
    let revision = match created {
        Ok(created) => created.revision.unwrap_or_default(),
        Err(error) => {
            if !tags.is_empty() && !matches!(error, ApiError::Unavailable(_)) {
                forget_tags(state, &tags_key).await;
            }
            return Err(error);
        }
    };
    let record = DistributionRecord { revision, ..record };
    let body = document::distribution(state, &View::default(), &record, document::IN_PROGRESS);
    Ok(Answer::created(&body, &format!("distribution/{}", record.id)).etag(version::etag(revision)))
}

fn new_record(state: &State, view: &View, config: DistributionConfig) -> Result<DistributionRecord, ApiError> {
    let id = naming::distribution_id(view);
    let domain_name = naming::domain_name();
    let distribution = convert::distribution_with(&config, id.clone(), &domain_name, view.policies())?;
    let now = state.options.clock.now();
    Ok(DistributionRecord {
        id,
        domain_name: domain_name.into(),
        created: now,
        last_modified: now,
        revision: Revision::ZERO,
        config,
        distribution: Arc::new(distribution),
    })
}

/// The rules that the configuration alone cannot tell.
fn check(state: &State, view: &View, record: &DistributionRecord) -> Result<(), ApiError> {
    let quotas = &state.options.quotas;
    if let Some(existing) = view.distribution_by_caller_reference(&record.config.caller_reference) {
        return Err(ApiError::DistributionAlreadyExists(existing.to_string()));
    }
    origins::check(&state.options, view, &record.id, &record.distribution)?;
    policies::check(quotas, view, &record.id, &record.config)?;
    match quotas.distributions_max {
        Some(max) if view.n_distributions() >= max => Err(ApiError::TooManyDistributions(max)),
        _ => Ok(()),
    }
}

/// The tags are there before the distribution is, so that it never is without them.
async fn write_tags(state: &State, key: &Key, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
    let value = TagsRecord { tags }.encode()?;
    let _turn = state.turn.read().await;
    let written = state
        .journal
        .commit(&key.to_string(), Write::Put(value), Expected::Absent)
        .await;
    written
        .map(drop)
        .map_err(|error| ApiError::Unavailable(Unavailable::Commit(error)))
}

/// Tags of what was never created do no harm; this only saves their space.
async fn forget_tags(state: &State, key: &Key) {
    let _turn = state.turn.read().await;
    if let Err(error) = state
        .journal
        .commit(&key.to_string(), Write::Delete, Expected::Any)
        .await
    {
        tracing::warn!(%error, "tags without a distribution stay in the journal");
    }
}
