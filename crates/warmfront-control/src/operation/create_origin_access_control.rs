use warmfront_facts::{Key, OriginAccessControlRecord, View};
use warmfront_model::Revision;
use warmfront_wire::convert;
use warmfront_wire::types::{OriginAccessControl, OriginAccessControlConfig};

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{Unless, Verdict};
use crate::{naming, version};

/// Source: CloudFront API Reference, CreateOriginAccessControl.
pub(super) async fn create_origin_access_control(context: &Context<'_>) -> Result<Answer, ApiError> {
    let state = context.state;
    let config: OriginAccessControlConfig = context.call.document()?;
    let id = naming::origin_access_control_id(&*state.current().await?);
    let record = OriginAccessControlRecord {
        created: state.options.clock.now(),
        revision: Revision::ZERO,
        control: convert::origin_access_control(&config, &id)?,
        id,
        config,
    };
    let value = record.encode()?;
    let decided = state
        .decide(|view| {
            check_name(view, &record.id, &record.config.name)?;
            match state.options.quotas.origin_access_controls_max {
                Some(max) if view.origin_access_controls().count() >= max => {
                    return Err(ApiError::TooManyOriginAccessControls(max));
                }
                _ => {}
            }
            Ok(Verdict::put(
                Key::OriginAccessControl(record.id.clone()),
                value.clone(),
                Unless::AnyCommit,
                (),
            ))
        })
        .await?;
    let path = format!("origin-access-control/{}", record.id);
    let etag = version::etag(decided.revision.unwrap_or_default());
    Ok(Answer::created(&document(&record.id, record.config), &path).etag(etag))
}

/// A name is used once in an account.
pub(super) fn check_name(view: &View, id: &str, name: &str) -> Result<(), ApiError> {
    match view
        .origin_access_controls()
        .find(|other| other.config.name == name && other.id != id)
    {
        Some(other) => Err(ApiError::OriginAccessControlAlreadyExists(other.id.clone())),
        None => Ok(()),
    }
}

pub(super) fn document(id: &str, config: OriginAccessControlConfig) -> OriginAccessControl {
    OriginAccessControl {
        id: id.to_owned(),
        origin_access_control_config: Some(config),
    }
}
