use std::time::Duration;

use http::Method;

use crate::client::{DEPLOYER_KEY, NOW, Server, Signing};
use crate::xml;

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let server = Server::start().await;
    let answer = server.send_as_is(server.parts(Method::GET, "distribution"), "").await;
    answer.error(403, "MissingAuthenticationToken");
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let server = Server::start().await;
    let check = async |signing: Signing<'_>, status: u16, code: &str| {
        let answer = server
            .send_signed(server.parts(Method::GET, "distribution"), "", &signing)
            .await;
        answer.error(status, code)
    };
    check(
        Signing {
            secret: "another",
            ..Signing::default()
        },
        403,
        "SignatureDoesNotMatch",
    )
    .await;
    check(
        Signing {
            key: "AKIAIOSFODNN7NOBODYX",
            ..Signing::default()
        },
        403,
        "InvalidClientTokenId",
    )
    .await;
    check(
        Signing {
            service: "s3",
            ..Signing::default()
        },
        403,
        "SignatureDoesNotMatch",
    )
    .await;
    check(
        Signing {
            region: "eu-central-1",
            ..Signing::default()
        },
        403,
        "SignatureDoesNotMatch",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_was_changed_on_its_way_is_refused() {
    let server = Server::start().await;
    let signed = server.parts(Method::POST, "distribution");
    let mut parts = signed.clone();
    let credentials = warmfront_signing::Credentials {
        access_key_id: crate::client::ROOT_KEY.to_owned(),
        secret_access_key: warmfront_signing::SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        session_token: None,
    };
    let scope = warmfront_signing::Scope {
        region: "us-east-1",
        service: "cloudfront",
    };
    let body = xml::Config::new("a").build();
    let payload = warmfront_signing::Payload::Bytes(body.as_bytes());
    warmfront_signing::sign(&mut parts, payload, &credentials, scope, NOW).unwrap();
    let answer = server.send_as_is(parts, &xml::Config::new("b").build()).await;
    answer.error(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_signature_is_good_for_fifteen_minutes() {
    let server = Server::start().await;
    let sign_at = async |at| {
        let signing = Signing {
            at,
            ..Signing::default()
        };
        server
            .send_signed(server.parts(Method::GET, "distribution"), "", &signing)
            .await
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    assert_eq!(sign_at(NOW.plus(minutes(14))).await.status, 200);
    sign_at(NOW.plus(minutes(20))).await.error(400, "RequestExpired");
    let past = warmfront_model::Timestamp(NOW.0 - 20 * 60_000);
    sign_at(past).await.error(400, "RequestExpired");
}

#[tokio::test]
async fn turning_the_clock_expires_no_signature() {
    let server = Server::start().await;
    server.clock.advance(Duration::from_secs(86_400)).unwrap();
    assert_eq!(server.get("distribution").await.status, 200);
}

#[tokio::test]
async fn policies_decide_and_a_refusal_names_who_what_and_which() {
    let server = Server::start().await;
    let (id, _) = server.distribution("a").await;
    let deployer = Signing {
        key: DEPLOYER_KEY,
        ..Signing::default()
    };
    let send =
        async |method, path: &str, body: &str| server.send_signed(server.parts(method, path), body, &deployer).await;
    let answer = send(
        Method::POST,
        &format!("distribution/{id}/invalidation"),
        &xml::batch("r", &["/*"]),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(send(Method::GET, "cache-policy", "").await.status, 200);

    let message = send(Method::DELETE, &format!("distribution/{id}"), "")
        .await
        .error(403, "AccessDenied");
    assert_eq!(
        message,
        format!(
            "User: arn:aws:iam::123456789012:user/deployer is not authorized to perform: cloudfront:DeleteDistribution on \
             resource: arn:aws:cloudfront::123456789012:distribution/{id} because no identity-based policy allows the \
             cloudfront:DeleteDistribution action"
        )
    );
    let denied = send(Method::GET, &format!("distribution/{id}/invalidation"), "")
        .await
        .error(403, "AccessDenied");
    assert!(denied.contains("explicit deny"), "{denied}");
    send(Method::GET, "distribution", "").await.error(403, "AccessDenied");
    let own = send(Method::GET, "/warmfront/status", "").await;
    assert_eq!(own.status, 403);
    assert!(own.body.contains("warmfront:GetStatus"), "{}", own.body);
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let server = Server::start().await;
    let message = server.get("function").await.error(501, "NotImplemented");
    assert!(message.contains("ListFunctions"), "{message}");
    server.get("nothing").await.error(404, "UnknownOperationException");
    server
        .send(Method::PATCH, "distribution", None, "")
        .await
        .error(404, "UnknownOperationException");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let server = Server::start_with(
        std::sync::Arc::new(warmfront_journal::Simulated::new(1)),
        Vec::new(),
        |options| {
            options.body_bytes_max = 1_000;
        },
    )
    .await;
    let body = "x".repeat(1_001);
    server.post("distribution", &body).await.error(413, "EntityTooLarge");
    let stranger = server
        .send_as_is(server.parts(Method::POST, "distribution"), &"x".repeat(100_000))
        .await;
    assert_eq!(stranger.status, 413);
}
