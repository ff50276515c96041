//! The resource that a tagging operation is about.

use std::collections::BTreeMap;

use warmfront_facts::{Key, TagsRecord, View};
use warmfront_model::DistributionId;

use super::{Context, distribution_arn};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{Unless, Verdict};

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// The ARN in the parameter Resource. Distributions are what can be tagged.
pub(super) fn resource(context: &Context<'_>) -> Result<(String, DistributionId), ApiError> {
    let given = context.call.parameter("Resource").unwrap_or_default();
    let id = given
        .rsplit_once(":distribution/")
        .and_then(|(_, id)| DistributionId::parse(id).ok());
    match id {
        Some(id) if distribution_arn(context.state, &id) == given => Ok((given, id)),
        Some(_) => Err(ApiError::NoSuchResource(given)),
        None => Err(ApiError::argument(format!(
            "The parameter Resource must be a distribution's ARN, not {given:?}."
        ))),
    }
}

/// What the resource is tagged with.
///
/// # Errors
/// `NoSuchResource` if there is no such distribution.
pub(super) fn tags_of(view: &View, arn: &str, id: &DistributionId) -> Result<Tags, ApiError> {
    if view.distribution(id).is_none() {
        return Err(ApiError::NoSuchResource(arn.to_owned()));
    }
    Ok(view.tags(arn).map(|record| record.tags.clone()).unwrap_or_default())
}

/// Replaces the resource's tags by what `change` makes of them.
pub(super) async fn change_tags(
    context: &Context<'_>,
    change: impl Fn(&mut Tags) -> Result<(), ApiError>,
) -> Result<Answer, ApiError> {
    let (arn, id) = resource(context)?;
    context
        .state
        .decide(|view| {
            let before = tags_of(view, &arn, &id)?;
            let mut tags = before.clone();
            change(&mut tags)?;
            if tags == before {
                return Ok(Verdict::Settled(()));
            }
            let value = TagsRecord { tags }.encode()?;
            Ok(Verdict::put(Key::Tags(arn.clone()), value, Unless::AnyCommit, ()))
        })
        .await?;
    Ok(Answer::no_content())
}
