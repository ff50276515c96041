//! A bucket behind a distribution, made as a user of AWS's SDK makes it.

use std::path::Path;

use aws_sdk_cloudfront::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudfront::types::{
    DefaultCacheBehavior, DistributionConfig, Origin, OriginAccessControlConfig, OriginAccessControlOriginTypes,
    OriginAccessControlSigningBehaviors, OriginAccessControlSigningProtocols, Origins, S3OriginConfig,
    ViewerProtocolPolicy,
};
use serde_json::{Value, json};

use crate::program::Server;

/// CachingOptimized. Source: CloudFront Developer Guide, "Use managed cache policies".
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// A bucket that no distribution serves.
pub const STATE_BUCKET: &str = "the-releases";

/// A bucket and its distribution.
pub struct Website {
    pub bucket: String,
    pub distribution: String,
    /// The access key that may do everything, and its secret.
    pub keys: [String; 2],
    s3: aws_sdk_s3::Client,
    runtime: tokio::runtime::Runtime,
}

impl Website {
    /// Makes both on the server whose state is in `data`, shown as `protocol` says.
    pub fn make(data: &Path, server: &Server, protocol: ViewerProtocolPolicy) -> Website {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let identity: Value = serde_json::from_slice(&std::fs::read(data.join("identity.json")).unwrap()).unwrap();
        let keys = ["access_key_id", "secret_access_key"];
        let keys = keys.map(|name| identity["root"][name].as_str().unwrap().to_owned());
        let (s3, cloudfront) = clients(server, &keys);
        let bucket = "the-site".to_owned();
        let distribution = runtime.block_on(make(&s3, &cloudfront, &bucket, protocol));
        Website {
            bucket,
            distribution,
            keys,
            s3,
            runtime,
        }
    }

    /// Writes an object as another tool would.
    pub fn put(&self, key: &str, text: &'static str) {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(text.as_bytes());
        let put = self.s3.put_object().bucket(&self.bucket).key(key).body(body);
        self.runtime.block_on(put.send()).unwrap();
    }
}

fn clients(server: &Server, [id, secret]: &[String; 2]) -> (aws_sdk_s3::Client, aws_sdk_cloudfront::Client) {
    let keys = Credentials::new(id, secret, None, None, "test");
    let http = aws_smithy_http_client::Builder::new().build_http();
    let region = Region::new("us-east-1");
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(keys.clone())
        .http_client(http.clone())
        .region(region.clone())
        .endpoint_url(format!("http://{}", server.address("bucket")))
        .force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(s3.build());
    let cloudfront = aws_sdk_cloudfront::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(keys)
        .http_client(http)
        .region(region)
        .endpoint_url(format!("http://{}", server.address("control")));
    let cloudfront = aws_sdk_cloudfront::Client::from_conf(cloudfront.build());
    (s3, cloudfront)
}

async fn make(
    s3: &aws_sdk_s3::Client,
    cloudfront: &aws_sdk_cloudfront::Client,
    bucket: &str,
    protocol: ViewerProtocolPolicy,
) -> String {
    for name in [bucket, STATE_BUCKET] {
        s3.create_bucket().bucket(name).send().await.unwrap();
    }
    let control = OriginAccessControlConfig::builder()
        .name("the-site")
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
        .unwrap();
    let control = cloudfront
        .create_origin_access_control()
        .origin_access_control_config(control);
    let control = control.send().await.unwrap().origin_access_control.unwrap();
    let created = cloudfront
        .create_distribution()
        .distribution_config(config(bucket, &control.id, protocol));
    let created = created.send().await.unwrap().distribution.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": ["s3:GetObject"],
        "Resource": format!("arn:aws:s3:::{bucket}/*"),
        "Condition": {"StringEquals": {"AWS:SourceArn": created.arn}},
    }]});
    s3.put_bucket_policy()
        .bucket(bucket)
        .policy(policy.to_string())
        .send()
        .await
        .unwrap();
    created.id
}

fn config(bucket: &str, control: &str, protocol: ViewerProtocolPolicy) -> DistributionConfig {
    let origin = Origin::builder()
        .id("site")
        .domain_name(format!("{bucket}.s3.us-east-1.amazonaws.com"))
        .origin_access_control_id(control)
        .s3_origin_config(S3OriginConfig::builder().origin_access_identity("").build())
        .build()
        .unwrap();
    let behavior = DefaultCacheBehavior::builder()
        .target_origin_id("site")
        .viewer_protocol_policy(protocol)
        .cache_policy_id(CACHING_OPTIMIZED)
        .build()
        .unwrap();
    DistributionConfig::builder()
        .caller_reference("the-site")
        .comment("")
        .enabled(true)
        .default_root_object("index.html")
        .origins(Origins::builder().quantity(1).items(origin).build().unwrap())
        .default_cache_behavior(behavior)
        .build()
        .unwrap()
}
