use anyhow::Context;
use http::Method;
use warmfront_signing::Credentials;
use warmfront_wire::types::{
    Distribution, DistributionConfig, Invalidation, InvalidationBatch, OriginAccessControl, OriginAccessControlConfig,
    OriginProtocolPolicy, Paths,
};
use warmfront_wire::{from_xml, to_xml};

use super::http::{ApiError, Http, SignedApi};

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
}

impl InvalidationState {
    /// Whether no answer to a later request can be a covered one.
    pub fn is_completed(&self) -> bool {
        self.status == "Completed"
    }
}

/// A web server to put a distribution in front of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginSpec {
    /// Its host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub https: bool,
    /// What comes before the viewer's path: empty, or begins with `/` and does not end with one.
    pub path: String,
    /// What makes the distribution the same one at the next start.
    pub caller_reference: String,
    /// The distribution's comment.
    pub comment: String,
}

/// A site in a bucket to put a distribution in front of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSpec {
    /// The bucket.
    pub bucket: String,
    /// The Id of the origin access control to sign with.
    pub origin_access_control_id: String,
    /// The caller reference.
    pub caller_reference: String,
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

    /// CreateInvalidation.
    pub async fn create_invalidation(
        &self,
        distribution: &str,
        paths: &[String],
        caller_reference: &str,
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
            .call_xml(Method::POST, &path, to_xml(&batch))
            .await
            .context("CreateInvalidation")?;
        state(&answer.body).context("CreateInvalidation")
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
        let mut config: OriginAccessControlConfig = from_xml(ORIGIN_ACCESS_CONTROL.as_bytes())?;
        name.clone_into(&mut config.name);
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

const ORIGIN_ACCESS_CONTROL: &str = "
<OriginAccessControlConfig>
  <Name/>
  <SigningProtocol>sigv4</SigningProtocol>
  <SigningBehavior>always</SigningBehavior>
  <OriginAccessControlOriginType>s3</OriginAccessControlOriginType>
</OriginAccessControlConfig>";

/// The managed policy CachingOptimized; the bucket's Cache-Control decides.
const SITE: &str = "
<DistributionConfig>
  <CallerReference/>
  <DefaultRootObject>index.html</DefaultRootObject>
  <Origins>
    <Quantity>1</Quantity>
    <Items>
      <Origin>
        <Id>site</Id>
        <DomainName/>
        <OriginAccessControlId/>
        <S3OriginConfig><OriginAccessIdentity/></S3OriginConfig>
      </Origin>
    </Items>
  </Origins>
  <DefaultCacheBehavior>
    <TargetOriginId>site</TargetOriginId>
    <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>
    <Compress>true</Compress>
    <CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId>
  </DefaultCacheBehavior>
  <Comment>warmfront demo</Comment>
  <Enabled>true</Enabled>
</DistributionConfig>";

/// Honours the origin's Cache-Control, a day without one; the query string is part of the key.
const ORIGIN: &str = "
<DistributionConfig>
  <CallerReference/>
  <Origins>
    <Quantity>1</Quantity>
    <Items>
      <Origin>
        <Id>origin</Id>
        <DomainName/>
        <OriginPath/>
        <CustomOriginConfig>
          <HTTPPort>80</HTTPPort>
          <HTTPSPort>443</HTTPSPort>
          <OriginProtocolPolicy>http-only</OriginProtocolPolicy>
        </CustomOriginConfig>
      </Origin>
    </Items>
  </Origins>
  <DefaultCacheBehavior>
    <TargetOriginId>origin</TargetOriginId>
    <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>
    <AllowedMethods>
      <Quantity>7</Quantity>
      <Items>
        <Method>HEAD</Method><Method>GET</Method><Method>OPTIONS</Method><Method>PUT</Method>
        <Method>PATCH</Method><Method>POST</Method><Method>DELETE</Method>
      </Items>
      <CachedMethods><Quantity>2</Quantity><Items><Method>HEAD</Method><Method>GET</Method></Items></CachedMethods>
    </AllowedMethods>
    <Compress>true</Compress>
    <ForwardedValues><QueryString>true</QueryString><Cookies><Forward>none</Forward></Cookies></ForwardedValues>
    <MinTTL>0</MinTTL>
    <DefaultTTL>86400</DefaultTTL>
    <MaxTTL>31536000</MaxTTL>
  </DefaultCacheBehavior>
  <Comment/>
  <Enabled>true</Enabled>
</DistributionConfig>";

fn site_config(spec: &SiteSpec) -> anyhow::Result<DistributionConfig> {
    let mut config: DistributionConfig = from_xml(SITE.as_bytes())?;
    config.caller_reference.clone_from(&spec.caller_reference);
    for origin in &mut config.origins.items {
        origin.domain_name = format!("{}.s3.amazonaws.com", spec.bucket);
        origin.origin_access_control_id = Some(spec.origin_access_control_id.clone());
    }
    Ok(config)
}

fn origin_config(spec: &OriginSpec) -> anyhow::Result<DistributionConfig> {
    let mut config: DistributionConfig = from_xml(ORIGIN.as_bytes())?;
    config.caller_reference.clone_from(&spec.caller_reference);
    config.comment.clone_from(&spec.comment);
    for origin in &mut config.origins.items {
        origin.domain_name.clone_from(&spec.host);
        origin.origin_path = Some(spec.path.clone());
        if let Some(custom) = &mut origin.custom_origin_config {
            if spec.https {
                custom.https_port = spec.port.into();
                custom.origin_protocol_policy = OriginProtocolPolicy::HttpsOnly;
            } else {
                custom.http_port = spec.port.into();
            }
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_server_becomes_a_custom_origin() {
        let spec = OriginSpec {
            host: "localhost".into(),
            port: 8443,
            https: true,
            path: "/app".into(),
            caller_reference: "reference".into(),
            comment: "a < b".into(),
        };
        let config = origin_config(&spec).unwrap();
        let origin = &config.origins.items[0];
        assert_eq!(
            (origin.domain_name.as_str(), origin.origin_path.as_deref()),
            ("localhost", Some("/app"))
        );
        let custom = origin.custom_origin_config.as_ref().unwrap();
        assert_eq!((custom.http_port, custom.https_port), (80, 8443));
        assert_eq!(custom.origin_protocol_policy, OriginProtocolPolicy::HttpsOnly);
        let behavior = &config.default_cache_behavior;
        assert!(behavior.forwarded_values.as_ref().unwrap().query_string);
        assert_eq!(
            (behavior.min_ttl, behavior.default_ttl, behavior.max_ttl),
            (Some(0), Some(86_400), Some(31_536_000))
        );
        assert_eq!(from_xml::<DistributionConfig>(&to_xml(&config)).unwrap(), config);
    }

    #[test]
    fn a_site_is_signed_for_with_its_origin_access_control() {
        let spec = SiteSpec {
            bucket: "my-site".into(),
            origin_access_control_id: "E2QWRUHAPOMQZL".into(),
            caller_reference: "reference".into(),
        };
        let config = site_config(&spec).unwrap();
        let origin = &config.origins.items[0];
        assert_eq!(origin.domain_name, "my-site.s3.amazonaws.com");
        assert_eq!(origin.origin_access_control_id.as_deref(), Some("E2QWRUHAPOMQZL"));
        assert_eq!(origin.s3_origin_config.as_ref().unwrap().origin_access_identity, "");
        assert_eq!(config.default_root_object.as_deref(), Some("index.html"));
        assert!(from_xml::<OriginAccessControlConfig>(ORIGIN_ACCESS_CONTROL.as_bytes()).is_ok());
    }

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
