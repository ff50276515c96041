use warmfront_facts::{Key, OriginAccessControlRecord};
use warmfront_model::{OriginKind, Revision};
use warmfront_wire::convert;
use warmfront_wire::types::{OriginAccessControlConfig, OriginAccessControlOriginTypes};

use super::Context;
use super::create_origin_access_control::{check_name, document};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{Unless, Verdict};
use crate::version;

/// Source: CloudFront API Reference, UpdateOriginAccessControl.
pub(super) async fn update_origin_access_control(context: &Context<'_>) -> Result<Answer, ApiError> {
    let (state, call) = (context.state, context.call);
    let id = context.label("Id");
    let decided = state
        .decide(|view| {
            let current = view
                .origin_access_control(id)
                .ok_or(ApiError::NoSuchOriginAccessControl)?;
            version::check_if_match(&call.headers, &version::etag(current.revision))?;
            let config: OriginAccessControlConfig = call.document()?;
            let record = OriginAccessControlRecord {
                id: id.to_owned(),
                created: current.created,
                revision: Revision::ZERO,
                control: convert::origin_access_control(&config, id)?,
                config,
            };
            check_name(view, id, &record.config.name)?;
            let for_s3 = record.config.origin_access_control_origin_type == OriginAccessControlOriginTypes::S3;
            let used_elsewhere = view.users_of_origin_access_control(id).any(|user| {
                user.distribution.origins.iter().any(|origin| {
                    origin.access_control_id.as_deref() == Some(id) && !matches!(origin.kind, OriginKind::S3(_))
                })
            });
            if for_s3 && used_elsewhere {
                return Err(ApiError::IllegalUpdate(
                    "It is used by an origin that is no S3 bucket.".to_owned(),
                ));
            }
            let value = record.encode()?;
            Ok(Verdict::put(
                Key::OriginAccessControl(id.to_owned()),
                value,
                Unless::AnyCommit,
                record.config,
            ))
        })
        .await?;
    let etag = version::etag(decided.revision.unwrap_or_default());
    Ok(Answer::ok(&document(id, decided.value)).etag(etag))
}
