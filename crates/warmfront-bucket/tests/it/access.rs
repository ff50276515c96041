use crate::server::{Answer, Key, Server, sign_by};

const DISTRIBUTION: &str = "arn:aws:cloudfront::123456789012:distribution/E1ABCDEF2GHIJK";

/// The policy that AWS's documents and the guide give for an origin access control.
const OAC_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [{
    "Sid": "AllowCloudFrontServicePrincipal",
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::site/*",
    "Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1ABCDEF2GHIJK"}}
  }]
}"#;

const PUBLIC_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
  "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*"}]}"#;

async fn site() -> Server {
    let server = Server::start().await;
    server.create_bucket("site").await;
    assert_eq!(server.root("PUT", "/site/index.html", "hello").await.status, 200);
    server
}

async fn get(server: &Server, key: Key, path: &str, source_arn: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = source_arn.map(|arn| ("x-amz-source-arn", arn)).into_iter().collect();
    server.send(key, "GET", path, &headers, "").await
}

async fn unblock(server: &Server, elements: &str) {
    let xml = format!("<PublicAccessBlockConfiguration>{elements}</PublicAccessBlockConfiguration>");
    assert_eq!(server.root("PUT", "/site?publicAccessBlock", xml).await.status, 200);
}

#[tokio::test]
async fn without_a_policy_only_root_may() {
    let server = site().await;
    assert_eq!(server.root("GET", "/site/index.html", "").await.text(), "hello");
    for key in [Key::Edge, Key::Nobody] {
        get(&server, key, "/site/index.html", None)
            .await
            .assert_error(403, "AccessDenied");
        server
            .send(key, "PUT", "/site/x", &[], "x")
            .await
            .assert_error(403, "AccessDenied");
        server
            .send(key, "GET", "/", &[], "")
            .await
            .assert_error(403, "AccessDenied");
        server
            .send(key, "PUT", "/another", &[], "")
            .await
            .assert_error(403, "AccessDenied");
        server
            .send(key, "GET", "/site?policy", &[], "")
            .await
            .assert_error(403, "AccessDenied");
    }
    let delete = "<Delete><Object><Key>index.html</Key></Object></Delete>";
    let answer = server.send(Key::Nobody, "POST", "/site?delete", &[], delete).await;
    assert_eq!(
        (answer.status.as_u16(), answer.elements("Code")),
        (200, vec!["AccessDenied"])
    );
    assert_eq!(server.root("GET", "/site/index.html", "").await.text(), "hello");
}

#[tokio::test]
async fn the_guides_policy_lets_in_exactly_its_distribution() {
    let server = site().await;
    assert_eq!(server.root("PUT", "/site?policy", OAC_POLICY).await.status, 204);
    assert_eq!(server.root("GET", "/site?policy", "").await.text(), OAC_POLICY);
    assert_eq!(
        get(&server, Key::Edge, "/site/index.html", Some(DISTRIBUTION))
            .await
            .text(),
        "hello"
    );
    let other = "arn:aws:cloudfront::123456789012:distribution/E2ABCDEF2GHIJK";
    for (key, arn) in [
        (Key::Edge, Some(other)),
        (Key::Edge, None),
        (Key::Nobody, Some(DISTRIBUTION)),
    ] {
        get(&server, key, "/site/index.html", arn)
            .await
            .assert_error(403, "AccessDenied");
    }
    server
        .send(Key::Edge, "PUT", "/site/x", &[("x-amz-source-arn", DISTRIBUTION)], "x")
        .await
        .assert_error(403, "AccessDenied");
}

/// What is not signed may have been added by anyone on the way.
#[tokio::test]
async fn a_source_arn_is_believed_only_under_the_edges_signature() {
    let server = site().await;
    server.root("PUT", "/site?policy", OAC_POLICY).await;
    let (mut parts, body) = server.request("GET", "/site/index.html", &[], "");
    sign_by(&mut parts, Key::Edge, &body);
    parts.headers.insert("x-amz-source-arn", DISTRIBUTION.parse().unwrap());
    server.send_as_is(parts, body).await.assert_error(403, "AccessDenied");

    let signed = [("x-amz-source-arn", DISTRIBUTION)];
    let (mut parts, body) = server.request("GET", "/site/index.html", &signed, "");
    sign_by(&mut parts, Key::Edge, &body);
    parts.headers.append("x-amz-source-arn", DISTRIBUTION.parse().unwrap());
    assert_eq!(server.send_as_is(parts, body).await.status, 403);
}

/// Root with the header is root still, and is denied where the service alone is let in.
#[tokio::test]
async fn root_cannot_pass_for_the_service() {
    let server = site().await;
    let policy = OAC_POLICY.replace(
        "\"Statement\": [",
        r#""Statement": [{"Effect": "Deny", "Principal": {"AWS": "123456789012"}, "Action": "s3:GetObject",
           "Resource": "arn:aws:s3:::site/*"}, "#,
    );
    assert_eq!(server.root("PUT", "/site?policy", policy).await.status, 204);
    get(&server, Key::Root, "/site/index.html", Some(DISTRIBUTION))
        .await
        .assert_error(403, "AccessDenied");
    assert_eq!(
        get(&server, Key::Edge, "/site/index.html", Some(DISTRIBUTION))
            .await
            .text(),
        "hello"
    );
    assert_eq!(server.root("DELETE", "/site?policy", "").await.status, 204);
    assert_eq!(get(&server, Key::Root, "/site/index.html", None).await.text(), "hello");
}

/// S3 API reference, GetObject: 404 with s3:ListBucket, 403 without.
#[tokio::test]
async fn a_missing_object_is_a_404_only_for_who_may_list() {
    let server = site().await;
    server.root("PUT", "/site?policy", OAC_POLICY).await;
    get(&server, Key::Edge, "/site/missing", Some(DISTRIBUTION))
        .await
        .assert_error(403, "AccessDenied");
    get(&server, Key::Root, "/site/missing", None)
        .await
        .assert_error(404, "NoSuchKey");
    let with_list = OAC_POLICY
        .replace("\"s3:GetObject\"", "[\"s3:GetObject\", \"s3:ListBucket\"]")
        .replace(
            "\"arn:aws:s3:::site/*\"",
            "[\"arn:aws:s3:::site/*\", \"arn:aws:s3:::site\"]",
        );
    assert_eq!(server.root("PUT", "/site?policy", with_list).await.status, 204);
    get(&server, Key::Edge, "/site/missing", Some(DISTRIBUTION))
        .await
        .assert_error(404, "NoSuchKey");
    let head = server
        .send(
            Key::Edge,
            "HEAD",
            "/site/missing",
            &[("x-amz-source-arn", DISTRIBUTION)],
            "",
        )
        .await;
    assert_eq!((head.status.as_u16(), head.body.len()), (404, 0));
    assert_eq!(
        server.send(Key::Nobody, "HEAD", "/site/missing", &[], "").await.status,
        403
    );
}

#[tokio::test]
async fn a_new_bucket_blocks_public_policies() {
    let server = site().await;
    let block = server.root("GET", "/site?publicAccessBlock", "").await;
    for member in [
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ] {
        assert_eq!(block.element(member), Some("true"), "{member}");
    }
    server
        .root("PUT", "/site?policy", PUBLIC_POLICY)
        .await
        .assert_error(403, "AccessDenied");
    server
        .root("GET", "/site?policy", "")
        .await
        .assert_error(404, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn restrict_public_buckets_takes_the_public_out_of_a_public_policy() {
    let server = site().await;
    unblock(&server, "<RestrictPublicBuckets>true</RestrictPublicBuckets>").await;
    assert_eq!(server.root("PUT", "/site?policy", PUBLIC_POLICY).await.status, 204);
    assert_eq!(
        server.root("GET", "/site?policyStatus", "").await.element("IsPublic"),
        Some("true")
    );
    get(&server, Key::Nobody, "/site/index.html", None)
        .await
        .assert_error(403, "AccessDenied");
    assert_eq!(get(&server, Key::Edge, "/site/index.html", None).await.text(), "hello");
    unblock(&server, "").await;
    assert_eq!(
        get(&server, Key::Nobody, "/site/index.html", None).await.text(),
        "hello"
    );
    assert_eq!(server.root("DELETE", "/site?publicAccessBlock", "").await.status, 204);
    let gone = server.root("GET", "/site?publicAccessBlock", "").await;
    gone.assert_error(404, "NoSuchPublicAccessBlockConfiguration");
}

#[tokio::test]
async fn a_policy_must_be_one_and_of_this_bucket() {
    let server = site().await;
    for wrong in [
        "{",
        r#"{"Statement": []}"#,
        &OAC_POLICY.replace(":::site/*", ":::other/*"),
        &OAC_POLICY.replace(":::site/*", ":::site-2/*"),
        &OAC_POLICY.replace("s3:GetObject", "sqs:SendMessage"),
        &OAC_POLICY.replace("AllowCloudFront", &"x".repeat(21 * 1024)),
    ] {
        server
            .root("PUT", "/site?policy", wrong.to_owned())
            .await
            .assert_error(400, "MalformedPolicy");
    }
}

#[tokio::test]
async fn wrong_signatures_keys_and_owners_are_refused() {
    let server = site().await;
    let (mut parts, body) = server.request("GET", "/site/index.html", &[], "");
    sign_by(&mut parts, Key::Root, &body);
    let authorization = parts.headers["authorization"].to_str().unwrap().to_owned();
    let mut forged = parts.clone();
    forged.uri = forged
        .uri
        .to_string()
        .replace("index.html", "other.html")
        .parse()
        .unwrap();
    server
        .send_as_is(forged, body.clone())
        .await
        .assert_error(403, "SignatureDoesNotMatch");
    let unknown = authorization.replace("AKIAROOT", "AKIAOTHER");
    parts.headers.insert("authorization", unknown.parse().unwrap());
    server
        .send_as_is(parts, body)
        .await
        .assert_error(403, "InvalidAccessKeyId");

    let owner = [("x-amz-expected-bucket-owner", "210987654321")];
    server
        .send(Key::Root, "GET", "/site/index.html", &owner, "")
        .await
        .assert_error(403, "AccessDenied");
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_changes_nothing() {
    let server = site().await;
    let (mut parts, body) = server.request("PUT", "/site/index.html", &[], "HELLO");
    sign_by(&mut parts, Key::Root, &body);
    let answer = server.send_as_is(parts, "OTHER".into()).await;
    answer.assert_error(400, "XAmzContentSHA256Mismatch");
    assert_eq!(server.root("GET", "/site/index.html", "").await.text(), "hello");
}
