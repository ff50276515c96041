use std::sync::Arc;

/// Where a behavior's responses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The Id that behaviors name in TargetOriginId.
    pub id: Arc<str>,
    /// DomainName: a DNS name (or an IP literal, for custom origins), no scheme, no port, no slash.
    pub domain_name: Arc<str>,
    /// OriginPath: empty, or begins with `/` and does not end in it. Put before the path for the origin alone.
    pub path: Arc<str>,
    /// CustomHeaders in configured order; they overwrite what the viewer sent.
    pub custom_headers: Vec<(Arc<str>, Arc<str>)>,
    /// S3 or any other web server.
    pub kind: OriginKind,
    /// OriginAccessControlId, if there is one.
    pub access_control_id: Option<Arc<str>>,
    /// ConnectionAttempts, 1 to 3.
    pub connection_attempts: u32,
    /// ConnectionTimeout in seconds, 1 to 10, for each attempt.
    pub connection_timeout_secs: u32,
    /// OriginReadTimeout in seconds: until the first byte, and again between packets.
    pub read_timeout_secs: u32,
    /// OriginKeepaliveTimeout in seconds: how long an idle connection is kept.
    pub keepalive_timeout_secs: u32,
}

/// What kind of server an origin is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// An S3 bucket through its REST API.
    S3(S3Origin),
    /// Any other web server (an S3 website endpoint among them).
    Custom(CustomOrigin),
}

/// A bucket, as its domain name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Origin {
    /// The bucket's name.
    pub bucket: Arc<str>,
    /// The region in the domain name; `None` for the global form `BUCKET.s3.amazonaws.com`.
    pub region: Option<Arc<str>>,
}

/// How to reach a custom origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomOrigin {
    /// HTTPPort.
    pub http_port: u16,
    /// HTTPSPort.
    pub https_port: u16,
    /// OriginProtocolPolicy.
    pub protocol_policy: OriginProtocolPolicy,
}

/// OriginProtocolPolicy: which scheme the origin is asked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginProtocolPolicy {
    /// `http-only`.
    HttpOnly,
    /// `match-viewer`: the scheme of the request that caused the fetch.
    MatchViewer,
    /// `https-only`.
    HttpsOnly,
}

/// An origin access control: how requests to an origin are signed.
///
/// Source: CloudFront API Reference, OriginAccessControlConfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginAccessControl {
    /// The Id that origins name in OriginAccessControlId.
    pub id: Arc<str>,
    /// The name, at most 64 characters, unique in the account.
    pub name: Arc<str>,
    /// When to sign.
    pub signing_behavior: SigningBehavior,
}

/// SigningBehavior: when a request to the origin is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningBehavior {
    /// `always`: the viewer's Authorization is overwritten.
    Always,
    /// `never`: the origin access control is off.
    Never,
    /// `no-override`: unless the viewer's Authorization is sent on.
    NoOverride,
}

/// Reads a bucket out of an S3 REST domain name: `BUCKET.s3.amazonaws.com`, `BUCKET.s3.REGION.amazonaws.com`,
/// `BUCKET.s3-REGION.amazonaws.com` (and `.amazonaws.com.cn`). Website endpoints are no S3 origin and give `None`.
///
/// Source: CloudFront Developer Guide, "Use various origins", Amazon S3 bucket.
pub fn parse_s3_domain(domain_name: &str) -> Option<S3Origin> {
    let domain_name = domain_name.to_ascii_lowercase();
    let host = domain_name
        .strip_suffix(".amazonaws.com")
        .or_else(|| domain_name.strip_suffix(".amazonaws.com.cn"))?;
    let (bucket, region) = if let Some(bucket) = host.strip_suffix(".s3") {
        (bucket, None)
    } else if let Some(at) = host.rfind(".s3.") {
        let region = host[at + 4..].strip_prefix("dualstack.").unwrap_or(&host[at + 4..]);
        (&host[..at], Some(region))
    } else {
        let at = host.rfind(".s3-")?;
        (&host[..at], Some(&host[at + 4..]))
    };
    let region_is_plain = region
        .is_none_or(|region| !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let website = region.is_some_and(|region| region.starts_with("website"));
    (!bucket.is_empty() && region_is_plain && !website).then(|| S3Origin {
        bucket: bucket.into(),
        region: region.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(domain_name: &str, expected: Option<(&str, Option<&str>)>) {
        let parsed = parse_s3_domain(domain_name);
        let parts = parsed
            .as_ref()
            .map(|origin| (&*origin.bucket, origin.region.as_deref()));
        assert_eq!(parts, expected, "{domain_name}");
    }

    #[test]
    fn a_bucket_is_read_out_of_each_form_of_its_domain_name() {
        check("my-site.s3.amazonaws.com", Some(("my-site", None)));
        check(
            "my-site.s3.eu-central-1.amazonaws.com",
            Some(("my-site", Some("eu-central-1"))),
        );
        check(
            "my-site.s3-us-west-2.amazonaws.com",
            Some(("my-site", Some("us-west-2"))),
        );
        check(
            "my-site.s3.dualstack.us-west-2.amazonaws.com",
            Some(("my-site", Some("us-west-2"))),
        );
        check(
            "my.dotted.s3.site.s3.us-east-1.amazonaws.com",
            Some(("my.dotted.s3.site", Some("us-east-1"))),
        );
        check(
            "my-site.s3.cn-north-1.amazonaws.com.cn",
            Some(("my-site", Some("cn-north-1"))),
        );
    }

    #[test]
    fn anything_else_is_no_bucket() {
        check("example.com", None);
        check("s3.amazonaws.com", None);
        check(".s3.amazonaws.com", None);
        check("my-site.s3-website-us-east-1.amazonaws.com", None);
        check("my-site.s3-website.eu-central-1.amazonaws.com", None);
        check("my-site.s3.amazonaws.com.example.com", None);
    }
}
