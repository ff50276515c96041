//! What a behavior lets in.

use std::sync::Arc;

use warmfront_edge::EdgeOptions;
use warmfront_testkit::{Ask, Behavior, Origin, Reply, Site, Testbed, edge_options};

use crate::check;

async fn with_behavior(behavior: Behavior) -> (Origin, Testbed) {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin).default_behavior(behavior)).await;
    (origin, bed)
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_403_and_does_not_reach_the_origin() {
    let (origin, bed) = with_behavior(Behavior::to("web")).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let answer = bed.ask(&Ask::with_method(method, "/a")).await;
        assert_eq!((answer.status, answer.x_cache()), (403, "Error"), "{method}");
    }
    let (all, bed) = with_behavior(Behavior::to("web").all_methods()).await;
    for method in ["TRACE", "PROPFIND"] {
        assert_eq!(bed.ask(&Ask::with_method(method, "/a")).await.status, 403, "{method}");
    }
    assert_eq!((origin.n_requests(), all.n_requests()), (0, 0));
}

#[tokio::test]
async fn a_get_with_a_body_is_403() {
    let (origin, bed) = with_behavior(Behavior::to("web").all_methods()).await;
    for method in ["GET", "HEAD"] {
        let answer = bed.ask(&Ask::with_method(method, "/a").body("x")).await;
        assert_eq!(answer.status, 403, "{method}");
    }
    let chunked = Ask::get("/a").header("transfer-encoding", "chunked");
    assert_eq!(bed.ask(&chunked).await.status, 403);
    assert_eq!(origin.n_requests(), 0);
    let empty = Ask::get("/a").header("content-length", "0");
    check(&bed.ask(&empty).await, 200, "Miss", "one");
}

#[tokio::test]
async fn https_only_is_403_over_http() {
    let (origin, bed) = with_behavior(Behavior::to("web").viewer_protocol_policy("https-only")).await;
    assert_eq!(bed.get("/a").await.status, 403);
    assert_eq!(origin.n_requests(), 0);
}

/// No viewer comes over TLS in these tests; the listener is there for the redirect to name.
fn with_tls() -> EdgeOptions {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::server::ResolvesServerCertUsingSni::new()));
    EdgeOptions {
        https: Some((([127, 0, 0, 1], 0).into(), Arc::new(config))),
        ..edge_options()
    }
}

#[tokio::test]
async fn redirect_to_https_names_the_port_of_the_tls_listener() {
    let origin = Origin::start().await;
    let behavior = Behavior::to("web")
        .viewer_protocol_policy("redirect-to-https")
        .all_methods();
    let bed = Testbed::start(with_tls()).await;
    bed.write(&Site::new(&origin).default_behavior(behavior).alias("www.example.com"))
        .await;
    let port = bed.edge().https().unwrap().port();
    for (method, status) in [("GET", 301), ("HEAD", 301), ("POST", 307), ("DELETE", 307)] {
        let ask = Ask::with_method(method, "/a/gr%C3%BCn?x=1&y").host("www.example.com:8080");
        let answer = bed.ask(&ask).await;
        check(&answer, status, "Redirect", "");
        assert_eq!(
            answer.header("location"),
            format!("https://www.example.com:{port}/a/gr%C3%BCn?x=1&y"),
            "{method}"
        );
    }
    assert_eq!(origin.n_requests(), 0);
}

#[tokio::test]
async fn redirect_to_https_without_a_tls_listener_names_no_port() {
    let (_origin, bed) = with_behavior(Behavior::to("web").viewer_protocol_policy("redirect-to-https")).await;
    let answer = bed.ask(&Ask::get("/a").host("de1u5rqf7t870k0.cloudfront.net")).await;
    assert_eq!(answer.header("location"), "https://de1u5rqf7t870k0.cloudfront.net/a");
}
