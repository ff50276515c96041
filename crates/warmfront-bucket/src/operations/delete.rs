use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use super::get::refuse_version;
use super::put::write_condition;
use crate::errors;
use crate::store::WriteCondition;

/// How many keys one request may delete. Source: S3 API reference, DeleteObjects.
const KEYS_MAX: usize = 1000;

impl Operations {
    pub(super) async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        refuse_version(input.version_id.as_deref())?;
        let wanted = vec![(input.key, write_condition(&request.headers)?)];
        let outcomes = self
            .shared
            .blocking(move |store| store.delete_objects(&input.bucket, &wanted))
            .await?;
        outcomes.into_iter().collect::<Result<(), _>>()?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    pub(super) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let caller = self.caller(&request)?;
        let (bucket, delete) = (request.input.bucket, request.input.delete);
        if delete.objects.is_empty() || delete.objects.len() > KEYS_MAX {
            return Err(s3_error!(
                MalformedXML,
                "The XML you provided was not well-formed or did not validate against our published schema"
            ));
        }
        let (mut wanted, mut refused) = (Vec::new(), Vec::new());
        for object in delete.objects {
            let allowed = refuse_version(object.version_id.as_deref()).and_then(|()| {
                self.access
                    .require(&caller, "s3:DeleteObject", &bucket, Some(&object.key))
            });
            match (allowed, object.e_tag) {
                (Err(error), _) => refused.push(failure(object.key, &error)),
                (Ok(()), Some(etag)) => wanted.push((object.key, WriteCondition::IfMatch(etag.into_value()))),
                (Ok(()), None) => wanted.push((object.key, WriteCondition::Always)),
            }
        }
        let keys: Vec<String> = wanted.iter().map(|(key, _)| key.clone()).collect();
        let outcomes = match wanted.is_empty() {
            true => Vec::new(),
            false => {
                self.shared
                    .blocking(move |store| store.delete_objects(&bucket, &wanted))
                    .await?
            }
        };
        let mut deleted = Vec::new();
        for (key, outcome) in keys.into_iter().zip(outcomes) {
            match outcome {
                Ok(()) => deleted.push(DeletedObject {
                    key: Some(key),
                    ..Default::default()
                }),
                Err(error) => refused.push(failure(key, &error.into())),
            }
        }
        if delete.quiet == Some(true) {
            deleted.clear();
        }
        let output = DeleteObjectsOutput {
            deleted: Some(deleted),
            errors: Some(refused),
            request_charged: None,
        };
        Ok(S3Response::new(output))
    }
}

fn failure(key: String, error: &s3s::S3Error) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(key),
        message: Some(
            error
                .message()
                .map_or_else(|| errors::access_denied().to_string(), str::to_owned),
        ),
        version_id: None,
    }
}
