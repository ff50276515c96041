use super::*;

fn origin(kind: OriginKind, domain_name: &str, path: &str) -> Origin {
    Origin {
        id: "origin".into(),
        domain_name: domain_name.into(),
        path: path.into(),
        custom_headers: Vec::new(),
        kind,
        access_control_id: None,
        connection_attempts: 3,
        connection_timeout_secs: 10,
        read_timeout_secs: 30,
        keepalive_timeout_secs: 5,
    }
}

fn custom(protocol_policy: OriginProtocolPolicy, http_port: u16, https_port: u16) -> OriginKind {
    OriginKind::Custom(CustomOrigin {
        http_port,
        https_port,
        protocol_policy,
    })
}

fn buckets(endpoint: Option<&str>) -> BucketAccess {
    BucketAccess {
        endpoint: endpoint.map(str::to_owned),
        credentials: None,
        region: "us-east-1".to_owned(),
        source_arn: false,
    }
}

fn url(origin: &Origin, path: &str, https: bool, endpoint: Option<&str>) -> String {
    let target = Target::of(origin, path, https, false, &buckets(endpoint));
    format!("{}://{}{}", target.scheme, target.authority, target.path)
}

#[test]
fn a_custom_origin_gets_the_raw_path_behind_its_origin_path() {
    let origin = origin(
        custom(OriginProtocolPolicy::HttpOnly, 8000, 443),
        "web.example.com",
        "/site",
    );
    assert_eq!(
        url(&origin, "/a%20b/~c", true, None),
        "http://web.example.com:8000/site/a%20b/~c"
    );
}

#[test]
fn the_protocol_policy_decides_scheme_and_port() {
    let origin = |policy| origin(custom(policy, 80, 443), "web.example.com", "");
    assert_eq!(
        url(&origin(OriginProtocolPolicy::HttpsOnly), "/", false, None),
        "https://web.example.com/"
    );
    assert_eq!(
        url(&origin(OriginProtocolPolicy::MatchViewer), "/", false, None),
        "http://web.example.com/"
    );
    assert_eq!(
        url(&origin(OriginProtocolPolicy::MatchViewer), "/", true, None),
        "https://web.example.com/"
    );
}

#[test]
fn an_ipv6_literal_is_put_in_brackets() {
    let origin = origin(custom(OriginProtocolPolicy::HttpOnly, 81, 443), "::1", "");
    assert_eq!(url(&origin, "/", false, None), "http://[::1]:81/");
}

#[test]
fn a_bucket_is_the_first_part_of_the_path_at_the_operators_service() {
    let s3 = OriginKind::S3(S3Origin {
        bucket: "site".into(),
        region: None,
    });
    let origin = origin(s3, "site.s3.amazonaws.com", "/v1");
    assert_eq!(
        url(&origin, "/a", true, Some("http://127.0.0.1:4566")),
        "http://127.0.0.1:4566/site/v1/a"
    );
    assert_eq!(url(&origin, "/a", true, None), "https://site.s3.amazonaws.com/v1/a");
}

#[test]
fn a_buckets_path_is_spelled_as_s3_signs_it() {
    let s3 = OriginKind::S3(S3Origin {
        bucket: "site".into(),
        region: None,
    });
    let origin = origin(s3, "site.s3.amazonaws.com", "");
    for spelled in ["/it's+a(b)%21/%7Ec%2fd", "/it%27s%2Ba%28b%29!/~c/d"] {
        assert_eq!(
            url(&origin, spelled, true, None),
            "https://site.s3.amazonaws.com/it%27s%2Ba%28b%29%21/~c/d"
        );
    }
}
