use anyhow::Context;
use http::Method;
use warmfront_signing::Credentials;
use warmfront_wire::types::{
    Distribution, DistributionConfig, Invalidation, InvalidationBatch, OriginAccessControl, Paths,
};
use warmfront_wire::{from_xml, to_xml};

use super::http::{ApiError, Http, SignedApi};

mod config;

pub use config::{OriginSpec, SiteSpec};
use config::{origin_access_control_config, origin_config, site_config};

/// A client of the CloudFront API.
#[derive(Clone, Debug)]
pub struct CloudFront(SignedApi);

/// An invalidation's Id and status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidationState {
    /// Its Id.
    pub id: String,
    /// `InProgress` or `Completed`.
    pub status: String,
    /// What a viewer's `x-warmfront-token` says to be answered with nothing older; from CreateInvalidation alone.
    pub token: Option<String>,
}

/// What an invalidation can be told beyond CloudFront's API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `refetch` or `revalidate`; `None`: as the distribution has it.
    pub mode: Option<String>,
    /// Why it is done; may be empty.
    pub reason: String,
}

impl Wishes {
    fn headers(&self) -> Vec<(&'static str, &str)> {
        let mode = self.mode.as_deref().map(|mode| ("x-warmfront-mode", mode));
        let reason = Some(("x-warmfront-reason", self.reason.as_str())).filter(|(_, reason)| !reason.is_empty());
        [("content-type", "text/xml")]
            .into_iter()
            .chain(mode)
            .chain(reason)
            .collect()
    }
}

impl InvalidationState {
    /// Whether no answer to a later request can be a covered one.
    pub fn is_completed(&self) -> bool {
        self.status == "Completed"
    }
}

/// A distribution as far as its maker needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionName {
    /// Its Id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
}

impl CloudFront {
    /// The API at `endpoint`, `http://HOST:PORT`.
    pub fn new(http: Http, endpoint: &str, credentials: &Credentials) -> CloudFront {
        CloudFront(SignedApi::new(http, endpoint, "cloudfront", credentials))
    }

    /// The API that it is a client of; Warmfront's own is at the same address.
    pub(super) fn api(&self) -> &SignedApi {
        &self.0
    }

    /// CreateInvalidation.
    pub async fn create_invalidation(
        &self,
        distribution: &str,
        paths: &[String],
        caller_reference: &str,
        wishes: &Wishes,
    ) -> anyhow::Result<InvalidationState> {
        let quantity = i32::try_from(paths.len()).context("too many paths")?;
        let batch = InvalidationBatch {
            paths: Paths {
                quantity,
                items: paths.to_vec(),
            },
            caller_reference: caller_reference.to_owned(),
        };
        let path = format!("/2020-05-31/distribution/{distribution}/invalidation");
        let answer = self
            .0
            .call(Method::POST, &path, &wishes.headers(), to_xml(&batch))
            .await
            .context("CreateInvalidation")?;
        let token = answer.headers.get("x-warmfront-token");
        Ok(InvalidationState {
            token: token.and_then(|token| token.to_str().ok()).map(str::to_owned),
            ..state(&answer.body).context("CreateInvalidation")?
        })
    }

    /// GetInvalidation.
    pub async fn get_invalidation(&self, distribution: &str, id: &str) -> anyhow::Result<InvalidationState> {
        let path = format!("/2020-05-31/distribution/{distribution}/invalidation/{id}");
        let answer = self
            .0
            .call(Method::GET, &path, &[], "")
            .await
            .context("GetInvalidation")?;
        state(&answer.body).context("GetInvalidation")
    }

    /// CreateOriginAccessControl for a bucket, signing every request; gives its Id.
    pub async fn create_origin_access_control(&self, name: &str) -> anyhow::Result<String> {
        let config = origin_access_control_config(name)?;
        let path = "/2020-05-31/origin-access-control";
        let answer = self
            .0
            .call_xml(Method::POST, path, to_xml(&config))
            .await
            .context("CreateOriginAccessControl")?;
        let created: OriginAccessControl = from_xml(&answer.body).context("CreateOriginAccessControl")?;
        Ok(created.id)
    }

    /// CreateDistribution in front of a bucket.
    pub async fn create_site(&self, spec: &SiteSpec) -> anyhow::Result<DistributionName> {
        self.create_distribution(&site_config(spec)?).await
    }

    /// The status of GetDistribution: `InProgress` or `Deployed`.
    pub async fn distribution_status(&self, id: &str) -> anyhow::Result<String> {
        let path = format!("/2020-05-31/distribution/{id}");
        let answer = self
            .0
            .call(Method::GET, &path, &[], "")
            .await
            .context("GetDistribution")?;
        let distribution: Distribution = from_xml(&answer.body).context("GetDistribution")?;
        Ok(distribution.status)
    }

    /// The distribution in front of a web server: made now, or the one made for this caller reference before.
    pub async fn ensure_origin(&self, spec: &OriginSpec) -> anyhow::Result<String> {
        let error = match self.create_distribution(&origin_config(spec)?).await {
            Ok(created) => return Ok(created.id),
            Err(error) => error,
        };
        match error.downcast_ref::<ApiError>().and_then(existing_distribution) {
            Some(id) => Ok(id.to_owned()),
            None => Err(error),
        }
    }

    async fn create_distribution(&self, config: &DistributionConfig) -> anyhow::Result<DistributionName> {
        let path = "/2020-05-31/distribution";
        let answer = self
            .0
            .call_xml(Method::POST, path, to_xml(config))
            .await
            .context("CreateDistribution")?;
        let created: Distribution = from_xml(&answer.body).context("CreateDistribution")?;
        Ok(DistributionName {
            id: created.id,
            arn: created.arn,
        })
    }

    /// Turns a manual clock forward; gives what the server says.
    pub async fn advance_clock(&self, by_ms: u64) -> anyhow::Result<String> {
        let body = serde_json::json!({ "ms": by_ms }).to_string();
        let headers = [("content-type", "application/json")];
        let answer = self
            .0
            .call(Method::POST, "/warmfront/clock/advance", &headers, body)
            .await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

fn state(body: &[u8]) -> anyhow::Result<InvalidationState> {
    let invalidation: Invalidation = from_xml(body)?;
    Ok(InvalidationState {
        id: invalidation.id,
        status: invalidation.status,
        token: None,
    })
}

/// The Id at the end of CloudFront's message: `... Already exists: E1U5RQF7T870K0`.
fn existing_distribution(error: &ApiError) -> Option<&str> {
    if error.code != "DistributionAlreadyExists" {
        return None;
    }
    let (_, id) = error.message.rsplit_once(' ')?;
    warmfront_model::DistributionId::parse(id).ok().map(|_| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_that_exists_already_is_the_one_meant() {
        let error = |code: &str, message: &str| ApiError {
            status: http::StatusCode::CONFLICT,
            code: code.into(),
            message: message.into(),
        };
        let message = "The caller reference that you are using to create a distribution is associated with another \
                       distribution. Already exists: E1U5RQF7T870K0";
        assert_eq!(
            existing_distribution(&error("DistributionAlreadyExists", message)),
            Some("E1U5RQF7T870K0")
        );
        assert_eq!(
            existing_distribution(&error("DistributionAlreadyExists", "it exists")),
            None
        );
        assert_eq!(existing_distribution(&error("CNAMEAlreadyExists", message)), None);
    }
}
