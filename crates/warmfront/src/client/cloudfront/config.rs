//! The configurations that are made here, written as CloudFront's documents and filled in.

use warmfront_wire::from_xml;
use warmfront_wire::types::{DistributionConfig, OriginAccessControlConfig, OriginProtocolPolicy};

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

/// The configuration for signing every request to a bucket.
pub fn origin_access_control_config(name: &str) -> anyhow::Result<OriginAccessControlConfig> {
    let mut config: OriginAccessControlConfig = from_xml(ORIGIN_ACCESS_CONTROL.as_bytes())?;
    name.clone_into(&mut config.name);
    Ok(config)
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

/// The configuration for a site in a bucket.
pub fn site_config(spec: &SiteSpec) -> anyhow::Result<DistributionConfig> {
    let mut config: DistributionConfig = from_xml(SITE.as_bytes())?;
    config.caller_reference.clone_from(&spec.caller_reference);
    for origin in &mut config.origins.items {
        origin.domain_name = format!("{}.s3.amazonaws.com", spec.bucket);
        origin.origin_access_control_id = Some(spec.origin_access_control_id.clone());
    }
    Ok(config)
}

/// The configuration for a web server.
pub fn origin_config(spec: &OriginSpec) -> anyhow::Result<DistributionConfig> {
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
    use warmfront_wire::to_xml;

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
        assert!(origin_access_control_config("my-site").unwrap().name == "my-site");
    }
}
