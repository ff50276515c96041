use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use warmfront_clock::Clock;
use warmfront_journal::Simulated;
use warmfront_model::Revision;

use crate::client::Server;

#[tokio::test]
async fn the_status_says_how_far_everyone_is() {
    let applied = watch::Sender::new(Revision::ZERO);
    let server = Server::start_with(Arc::new(Simulated::new(1)), vec![applied.subscribe()], |_| {}).await;
    let (id, _) = server.distribution("d").await;
    server.invalidation(&id, "1", &["/a", "/b"]).await;
    server.invalidation(&id, "1", &["/a", "/b"]).await;
    server.invalidation(&id, "2", &["/*"]).await;
    applied.send_replace(Revision(1));
    let answer = server.get("/warmfront/status").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type").as_str()),
        (200, "application/json")
    );
    let status: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(status["head"], 3);
    assert_eq!(status["completed"], 0);
    assert_eq!(status["nodes"], json!([{ "node": 0, "applied": 1 }]));
    assert_eq!(status["clock"]["now"], "2026-11-22T12:00:00.000Z");
    assert_eq!(status["clock"]["manual"], true);
    assert_eq!(status["metering"], json!([{ "month": "2026-11", "paths": 3 }]));
}

#[tokio::test]
async fn a_manual_clock_is_turned_by_request() {
    let server = Server::start().await;
    let answer = server.post("/warmfront/clock/advance", r#"{"ms":60000}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        serde_json::from_str::<Value>(&answer.body).unwrap(),
        json!({ "now_ms": 1_795_348_860_000_i64 })
    );
    assert_eq!(server.clock.now().0, 1_795_348_860_000);
    for wrong in [
        "",
        "{}",
        r#"{"ms":-1}"#,
        r#"{"ms":1e30}"#,
        r#"{"ms":99999999999999999}"#,
    ] {
        assert_eq!(
            server.post("/warmfront/clock/advance", wrong).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn the_systems_clock_cannot_be_turned() {
    let configure = |options: &mut warmfront_control::ControlOptions| options.clock = Clock::system();
    let server = Server::start_with(Arc::new(Simulated::new(1)), Vec::new(), configure).await;
    let answer = server.post("/warmfront/clock/advance", r#"{"ms":1}"#).await;
    assert_eq!(answer.status, 409);
    let error: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(error["error"]["code"], "ClockNotManual");
}

#[tokio::test]
async fn errors_are_json_too() {
    let server = Server::start().await;
    let unsigned = server
        .send_as_is(server.parts(Method::GET, "/warmfront/status"), "")
        .await;
    assert_eq!(
        (unsigned.status.as_u16(), unsigned.header("content-type").as_str()),
        (403, "application/json")
    );
    let error: Value = serde_json::from_str(&unsigned.body).unwrap();
    assert_eq!(error["error"]["code"], "MissingAuthenticationToken");
    assert_eq!(error["request_id"], unsigned.header("x-amzn-requestid").as_str());
    assert_eq!(server.get("/warmfront/nothing").await.status, 404);
}
