use http::HeaderMap;
use warmfront_clock::Clock;
use warmfront_model::{AccountId, Timestamp};
use warmfront_signing::{Credentials, SecretKey};

use super::*;

const ARN: &str = "arn:aws:cloudfront::123456789012:distribution/E1ABCDEF2GHIJK";

fn options() -> BucketOptions {
    let key = |id: &str| Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: SecretKey::new("secret"),
        session_token: None,
    };
    BucketOptions {
        account: AccountId::parse("123456789012").unwrap(),
        region: "us-east-1".to_owned(),
        root: key("ROOT"),
        edge: key("EDGE"),
        clock: Clock::manual(Timestamp(0)),
    }
}

fn identify(key: Option<&str>, signed_headers: &str, query: &str, peer: &str) -> S3Result<Caller> {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-source-arn", ARN.parse().unwrap());
    let authorization = format!("AWS4-HMAC-SHA256 Credential=x, SignedHeaders={signed_headers}, Signature=0");
    headers.insert("authorization", authorization.parse().unwrap());
    let circumstances = Circumstances {
        access_key_id: key,
        headers: &headers,
        query,
        peer: Some(peer.parse().unwrap()),
        now: Timestamp(784_111_777_000),
    };
    Caller::identify(&circumstances, &options())
}

fn value<'a>(caller: &'a Caller, key: &str) -> Option<&'a str> {
    caller.context.get(key).map(|values| values[0].as_str())
}

#[test]
fn the_edge_speaks_for_the_distribution_it_signed() {
    let edge = identify(Some("EDGE"), "host;x-amz-date;x-amz-source-arn", "", "127.0.0.1:1").unwrap();
    assert_eq!(edge.identity, Identity::CloudFront);
    assert_eq!(value(&edge, "aws:SourceArn"), Some(ARN));
    assert_eq!(value(&edge, "aws:SourceAccount"), Some("123456789012"));
    assert_eq!(
        value(&edge, "aws:PrincipalServiceName"),
        Some("cloudfront.amazonaws.com")
    );
    assert_eq!(value(&edge, "aws:SourceIp"), None);
}

#[test]
fn the_edge_is_refused_when_its_signature_does_not_cover_the_distribution() {
    for signed in ["host;x-amz-date", "host;x-amz-source-arn-2", "X-Amz-Source-Arn", ""] {
        assert!(identify(Some("EDGE"), signed, "", "127.0.0.1:1").is_err(), "{signed}");
    }
    for query in ["X-Amz-Signature=0", "Signature=0", "a&X%2DAmz-Signature=0"] {
        assert!(
            identify(Some("EDGE"), "host;x-amz-source-arn", query, "127.0.0.1:1").is_err(),
            "{query}"
        );
    }
}

#[test]
fn nobody_else_has_a_source() {
    for (key, identity) in [(Some("ROOT"), Identity::Root), (None, Identity::Anonymous)] {
        let caller = identify(key, "host;x-amz-source-arn", "", "127.0.0.1:1").unwrap();
        assert_eq!((caller.identity, value(&caller, "aws:SourceArn")), (identity, None));
    }
    assert!(identify(Some("OTHER"), "host", "", "127.0.0.1:1").is_err());
}

#[test]
fn a_request_brings_its_condition_keys() {
    let caller = identify(None, "", "prefix=a%2Fb+c&delimiter=/", "[::ffff:203.0.113.7]:1").unwrap();
    for (key, expected) in [
        ("s3:prefix", "a/b c"),
        ("s3:delimiter", "/"),
        ("aws:SourceIp", "203.0.113.7"),
        ("aws:SecureTransport", "false"),
        ("aws:CurrentTime", "1994-11-06T08:49:37.000Z"),
        ("aws:EpochTime", "784111777"),
    ] {
        assert_eq!(value(&caller, key), Some(expected), "{key}");
    }
    let local = identify(None, "", "", "[::1]:1").unwrap();
    assert_eq!(value(&local, "aws:SecureTransport"), Some("true"));
}
