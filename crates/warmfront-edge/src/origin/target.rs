use std::net::Ipv6Addr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use warmfront_model::{CustomOrigin, Origin, OriginKind, OriginProtocolPolicy, S3Origin};

use crate::options::BucketAccess;
use crate::origin::ConnectSettings;

/// Where a request to an origin goes, and with how much patience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Host, and port where it is not the scheme's own.
    pub(crate) authority: String,
    /// The path at the origin, percent-encoded.
    pub(crate) path: String,
    /// For a bucket: its region, which requests are signed for.
    pub(crate) bucket_region: Option<String>,
    pub(crate) connect: ConnectSettings,
    /// Until the first byte, and between packets.
    pub(crate) read_timeout: Duration,
}

/// What S3 leaves bare in a path when it computes a signature. A request that arrives spelled otherwise would not be
/// the one that was signed.
///
/// Source: AWS, "Create a signed AWS API request", canonical URI.
const BUCKET_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl Target {
    /// The server that it is at, by scheme and authority.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// Where `path` (raw, as the viewer sent it, the default root object filled in) is at `origin`.
    pub(crate) fn of(
        origin: &Origin,
        path: &str,
        viewer_is_https: bool,
        always_https: bool,
        buckets: &BucketAccess,
    ) -> Target {
        let connect = ConnectSettings {
            attempts: origin.connection_attempts,
            timeout_secs: origin.connection_timeout_secs,
            keepalive_secs: origin.keepalive_timeout_secs,
            trusted: false,
        };
        let read_timeout = Duration::from_secs(origin.read_timeout_secs.into());
        match &origin.kind {
            OriginKind::Custom(custom) => {
                let (scheme, authority) = custom_authority(custom, &origin.domain_name, viewer_is_https);
                let path = format!("{}{path}", origin.path);
                Target {
                    scheme,
                    authority,
                    path,
                    bucket_region: None,
                    connect,
                    read_timeout,
                }
            }
            OriginKind::S3(bucket) => {
                let place = bucket_place(bucket, origin, viewer_is_https || always_https, buckets);
                let decoded: Vec<u8> = percent_decode(path.as_bytes()).collect();
                let path = format!(
                    "{}{}{}",
                    place.prefix,
                    origin.path,
                    percent_encode(&decoded, BUCKET_PATH)
                );
                let region = bucket.region.as_deref().unwrap_or(&buckets.region).to_owned();
                let connect = ConnectSettings {
                    trusted: place.trusted,
                    ..connect
                };
                let Place { scheme, authority, .. } = place;
                Target {
                    scheme,
                    authority,
                    path,
                    bucket_region: Some(region),
                    connect,
                    read_timeout,
                }
            }
        }
    }
}

struct Place {
    scheme: &'static str,
    authority: String,
    prefix: String,
    trusted: bool,
}

/// At the S3 service that the operator names, buckets are the first part of the path: every service understands that.
fn bucket_place(bucket: &S3Origin, origin: &Origin, https: bool, buckets: &BucketAccess) -> Place {
    match &buckets.endpoint {
        Some(endpoint) => {
            let (scheme, authority) = match endpoint.split_once("://") {
                Some(("https", authority)) => ("https", authority),
                Some((_, authority)) => ("http", authority),
                None => ("http", endpoint.as_str()),
            };
            let authority = authority.trim_end_matches('/').to_owned();
            Place {
                scheme,
                authority,
                prefix: format!("/{}", bucket.bucket),
                trusted: true,
            }
        }
        None => {
            let scheme = if https { "https" } else { "http" };
            Place {
                scheme,
                authority: origin.domain_name.to_string(),
                prefix: String::new(),
                trusted: false,
            }
        }
    }
}

/// Source: CloudFront Developer Guide, "Origin settings", Protocol.
fn custom_authority(custom: &CustomOrigin, domain_name: &str, viewer_is_https: bool) -> (&'static str, String) {
    let https = match custom.protocol_policy {
        OriginProtocolPolicy::HttpOnly => false,
        OriginProtocolPolicy::HttpsOnly => true,
        OriginProtocolPolicy::MatchViewer => viewer_is_https,
    };
    let host = match domain_name.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => domain_name.to_owned(),
    };
    match (https, custom) {
        (true, CustomOrigin { https_port: 443, .. }) => ("https", host),
        (true, CustomOrigin { https_port, .. }) => ("https", format!("{host}:{https_port}")),
        (false, CustomOrigin { http_port: 80, .. }) => ("http", host),
        (false, CustomOrigin { http_port, .. }) => ("http", format!("{host}:{http_port}")),
    }
}

#[cfg(test)]
mod tests;
