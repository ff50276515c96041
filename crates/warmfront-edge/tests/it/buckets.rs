//! How buckets are asked, and what a viewer cannot make the edge say to them.

use warmfront_edge::{BucketAccess, EdgeOptions};
use warmfront_signing::{Credentials, SecretKey};
use warmfront_testkit::{Ask, Behavior, Origin, OriginRequest, OriginSite, Reply, Site, Testbed, edge_options};

use crate::check;

const SOURCE_ARN: &str = "arn:aws:cloudfront::123456789012:distribution/E1U5RQF7T870K0";
const ALL_VIEWER_METHODS: [&str; 3] = ["GET", "HEAD", "PUT"];

/// An edge whose buckets are at `origin`, with a distribution for the bucket `site`.
async fn bed(origin: &Origin, signing_behavior: &str, behavior: Behavior) -> Testbed {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        session_token: None,
    };
    let bed = Testbed::start(EdgeOptions {
        buckets: BucketAccess {
            endpoint: Some(format!("http://127.0.0.1:{}", origin.port())),
            credentials: Some(credentials),
            region: "us-east-1".to_owned(),
            source_arn: true,
        },
        // The operator names the endpoint, so it may be anywhere.
        origin_allow: warmfront_facts::OriginAllow::default(),
        ..edge_options()
    })
    .await;
    let access_control = if signing_behavior.is_empty() {
        ""
    } else {
        "E327GJI25M56DG"
    };
    if !access_control.is_empty() {
        bed.write_access_control(access_control, signing_behavior).await;
    }
    let site = Site::with_origin(Site::ID, OriginSite::bucket("web", "site", access_control));
    bed.write(&site.default_behavior(behavior)).await;
    bed
}

#[track_caller]
fn is_signed(request: &OriginRequest) -> bool {
    let authorization = request.header("authorization");
    let signed = authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/");
    if signed {
        assert!(
            authorization.contains("/eu-central-1/s3/aws4_request"),
            "{authorization}"
        );
        assert!(authorization.contains("x-amz-source-arn"), "{authorization}");
        assert_eq!(request.header("x-amz-source-arn"), SOURCE_ARN);
        assert_eq!(request.headers.get_all("x-amz-source-arn").iter().count(), 1);
    } else {
        assert_eq!(request.header("x-amz-source-arn"), "");
    }
    signed
}

#[tokio::test]
async fn always_signs_every_request() {
    let origin = Origin::start().await;
    for path in ["/site/a", "/site/a%20b"] {
        origin.reply(path, Reply::ok("one").max_age(60));
    }
    let bed = bed(&origin, "always", Behavior::to("web").all_methods()).await;
    for method in ALL_VIEWER_METHODS {
        let ask = Ask::with_method(method, "/a")
            .header("authorization", "Basic dXNlcjpwYXNz")
            .header(
                "x-amz-source-arn",
                "arn:aws:cloudfront::999999999999:distribution/FORGED",
            );
        bed.ask(&ask).await;
        let request = origin.last_request();
        assert!(is_signed(&request), "{method}");
        assert_eq!(request.header("host"), format!("127.0.0.1:{}", origin.port()));
    }
    // Spelled as it is signed.
    bed.get("/a%20b").await;
    assert_eq!(origin.last_request().target, "/site/a%20b");
    bed.get("/a b".replace(' ', "%20").as_str()).await;
    assert!(is_signed(&origin.last_request()));
}

#[tokio::test]
async fn never_signs_none_and_passes_on_no_source_arn() {
    for signing_behavior in ["never", ""] {
        let origin = Origin::start().await;
        origin.reply("/site/a", Reply::ok("one").max_age(60));
        let bed = bed(&origin, signing_behavior, Behavior::to("web").all_methods()).await;
        for method in ALL_VIEWER_METHODS {
            let ask = Ask::with_method(method, "/a").header("x-amz-source-arn", SOURCE_ARN);
            bed.ask(&ask).await;
            assert!(!is_signed(&origin.last_request()), "{method}");
        }
    }
}

#[tokio::test]
async fn a_listed_source_arn_of_the_viewers_reaches_no_bucket() {
    let origin = Origin::start().await;
    origin.reply("/site/a", Reply::ok("one").max_age(60));
    let behavior = Behavior::to("web").forwards(false, &["x-amz-source-arn"], &[]);
    let bed = bed(&origin, "never", behavior).await;
    bed.ask(&Ask::get("/a").header("x-amz-source-arn", SOURCE_ARN)).await;
    assert!(!is_signed(&origin.last_request()));
}

#[tokio::test]
async fn no_override_leaves_the_viewers_signature_where_it_goes_along() {
    let origin = Origin::start().await;
    origin.reply("/site/a", Reply::ok("one").max_age(60));
    let bed = bed(&origin, "no-override", Behavior::to("web").all_methods()).await;
    let theirs = "AWS4-HMAC-SHA256 Credential=AKIAI44QH8DHBEXAMPLE/20260101/eu-central-1/s3/aws4_request";
    let put = Ask::with_method("PUT", "/a")
        .body("x")
        .header("authorization", theirs)
        .header("x-amz-source-arn", SOURCE_ARN);
    bed.ask(&put).await;
    assert_eq!(origin.last_request().header("authorization"), theirs);
    assert_eq!(origin.last_request().header("x-amz-source-arn"), "");
    // With GET it does not go along, so the edge signs.
    bed.ask(&Ask::get("/a").header("authorization", theirs)).await;
    assert!(is_signed(&origin.last_request()));
}

#[tokio::test]
async fn a_change_of_the_access_control_counts_from_the_next_request() {
    let origin = Origin::start().await;
    origin.reply("/site/a", Reply::ok("one"));
    origin.reply("/site/b", Reply::ok("one"));
    let bed = bed(&origin, "never", Behavior::to("web")).await;
    bed.get("/a").await;
    assert!(!is_signed(&origin.last_request()));
    bed.write_access_control("E327GJI25M56DG", "always").await;
    bed.get("/b").await;
    assert!(is_signed(&origin.last_request()));
}

#[tokio::test]
async fn a_bucket_says_no_and_that_is_kept_briefly() {
    let origin = Origin::start().await;
    let denied = Reply::status(403)
        .header("content-type", "application/xml")
        .header("x-amz-request-id", "4442587FB7D0A2F9")
        .then("<Error><Code>AccessDenied</Code></Error>");
    origin.replies("/site/a", [denied, Reply::ok("one").max_age(60)]);
    let bed = bed(&origin, "always", Behavior::to("web")).await;
    let answer = bed.get("/a").await;
    check(&answer, 403, "Error", "<Error><Code>AccessDenied</Code></Error>");
    assert_eq!(answer.header("x-amz-request-id"), "");
    bed.advance(10);
    check(&bed.get("/a").await, 200, "Miss", "one");
}
