//! Which bucket a Host header names.
//!
//! Source: S3 User Guide, "Virtual hosting of general purpose buckets".

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// `BUCKET.s3.amazonaws.com`, `BUCKET.s3.REGION.amazonaws.com` (also with a hyphen before the region, as older
/// regions have it) and `BUCKET.s3.localhost` name a bucket; every other host is an endpoint for path-style requests.
pub(crate) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let virtual_host = VirtualHost::new(host);
        Ok(match bucket_of(host) {
            Some(bucket) => virtual_host.with_bucket(bucket),
            None => virtual_host,
        })
    }
}

/// The bucket that `host` names, in lower case.
fn bucket_of(host: &str) -> Option<String> {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = without_port
        .strip_suffix('.')
        .unwrap_or(without_port)
        .to_ascii_lowercase();
    if let Some(bucket) = name.strip_suffix(".s3.localhost") {
        return (!bucket.is_empty()).then(|| bucket.to_owned());
    }
    let labels = name.strip_suffix(".amazonaws.com")?;
    let (bucket, service) = match labels.rsplit_once('.') {
        Some((rest, last)) if last == "s3" || last.starts_with("s3-") => (rest, last),
        // The last label is a region, the one before it the service.
        Some((rest, _region)) => rest.rsplit_once('.')?,
        None => return None,
    };
    let is_s3 = service == "s3" || service.starts_with("s3-") && !service.starts_with("s3-website");
    (is_s3 && !bucket.is_empty()).then(|| bucket.to_owned())
}

#[cfg(test)]
mod tests {
    use super::bucket_of;

    #[test]
    fn aws_names_and_localhost_name_buckets() {
        for (host, bucket) in [
            ("site.s3.amazonaws.com", Some("site")),
            ("site.s3.eu-west-1.amazonaws.com", Some("site")),
            ("site.s3-eu-west-1.amazonaws.com", Some("site")),
            ("www.example.com.s3.us-east-1.amazonaws.com", Some("www.example.com")),
            ("SITE.s3.localhost:4566", Some("site")),
            ("a.s3.b.s3.amazonaws.com", Some("a.s3.b")),
            ("s3.amazonaws.com", None),
            ("s3.us-east-1.amazonaws.com", None),
            ("s3.localhost:4566", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("[::1]:4566", None),
            ("site.s3-website.us-east-1.amazonaws.com", None),
            ("site.ec2.us-east-1.amazonaws.com", None),
            ("", None),
        ] {
            assert_eq!(bucket_of(host).as_deref(), bucket, "{host}");
        }
    }
}
