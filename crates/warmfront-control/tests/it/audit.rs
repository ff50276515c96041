use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use warmfront_clock::Clock;
use warmfront_control::{Counts, Nodes};
use warmfront_facts::{Coverage, CoverageReport};
use warmfront_journal::{Journal, Simulated};
use warmfront_model::Revision;

use crate::client::{DEPLOYER_KEY, NOW, Server, Signing, node, options};
use crate::xml::batch;

/// A node whose position and counts the test says.
struct Scripted {
    applied: watch::Sender<Revision>,
    coverage: broadcast::Sender<CoverageReport>,
}

impl Scripted {
    fn attach(nodes: &Nodes, name: &str) -> Scripted {
        let (applied, coverage) = (watch::Sender::new(Revision::ZERO), broadcast::Sender::new(16));
        nodes.attach(
            node(name, Counts::WithProcess, applied.subscribe()),
            coverage.subscribe(),
        );
        Scripted { applied, coverage }
    }

    fn counts(&self, epoch: Revision, responses: u64, bytes: u64) {
        let coverage = Coverage { responses, bytes };
        self.coverage.send(CoverageReport { epoch, coverage }).unwrap();
    }
}

async fn start(journal: &Arc<Simulated>, names: &[&str]) -> (Server, Vec<Scripted>) {
    let (clock, nodes) = (Clock::manual(NOW), Nodes::default());
    let scripted = names.iter().map(|name| Scripted::attach(&nodes, name)).collect();
    let journal = Arc::clone(journal) as Arc<dyn Journal>;
    let server = Server::start_over(journal, clock.clone(), options(clock), nodes).await;
    (server, scripted)
}

async fn json(server: &Server, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// Returns once an audit was written after `after`.
async fn audited(server: &Server, after: Revision) {
    let mut watch = server.journal.watch(after).await.unwrap();
    while !watch
        .next()
        .await
        .unwrap()
        .unwrap()
        .key
        .starts_with("invalidation-audit/")
    {}
}

#[tokio::test]
async fn an_audit_says_who_and_what_each_node_had_and_survives_a_restart() {
    let journal = Arc::new(Simulated::new(1));
    let (server, nodes) = start(&journal, &["FRA56-P4", "IAD89-P3"]).await;
    let (id, _) = server.distribution("1").await;
    let mut parts = server.parts(http::Method::POST, &format!("distribution/{id}/invalidation"));
    parts
        .headers
        .insert("x-warmfront-reason", "new prices".parse().unwrap());
    let created = server
        .send_signed(parts, &batch("r", &["/a", "/b*"]), &Signing::default())
        .await;
    let invalidation = created.text("Id");
    let epoch = server.head().await;
    for node in &nodes {
        node.applied.send_replace(epoch);
    }
    nodes[0].counts(epoch, 2, 300);
    nodes[1].counts(epoch, 1, 50);
    audited(&server, epoch).await;

    let path = format!("/warmfront/distributions/{id}/invalidations");
    let expected = json!({
        "id": invalidation,
        "distribution": id,
        "caller_reference": "r",
        "status": "Completed",
        "epoch": epoch.0,
        "mode": "refetch",
        "principal": "arn:aws:iam::123456789012:root",
        "address": "127.0.0.1",
        "reason": "new prices",
        "created": "2026-11-22T12:00:00.000Z",
        "completed": "2026-11-22T12:00:00.000Z",
        "n_paths": 2,
        "responses": 3,
        "bytes": 350,
        "nodes": {
            "FRA56-P4": {"applied": "2026-11-22T12:00:00.000Z", "applied_after_ms": 0, "responses": 2, "bytes": 300},
            "IAD89-P3": {"applied": "2026-11-22T12:00:00.000Z", "applied_after_ms": 0, "responses": 1, "bytes": 50},
        },
    });
    assert_eq!(json(&server, &path).await, json!({ "invalidations": [expected] }));
    server.stop().await;

    let (server, _nodes) = start(&journal, &["FRA56-P4"]).await;
    let one = json(&server, &format!("{path}/{invalidation}")).await;
    assert_eq!(one["paths"], json!(["/a", "/b*"]));
    assert_eq!((&one["responses"], &one["nodes"]), (&json!(3), &expected["nodes"]));
}

#[tokio::test]
async fn what_is_not_counted_yet_is_not_zero() {
    let journal = Arc::new(Simulated::new(1));
    let (server, _nodes) = start(&journal, &["IAD89-P3"]).await;
    let (id, _) = server.distribution("1").await;
    let invalidation = server.invalidation(&id, "r", &["/a"]).await;
    let path = format!("/warmfront/distributions/{id}/invalidations/{invalidation}");
    let one = json(&server, &path).await;
    assert_eq!(one["status"], "InProgress");
    assert!(
        one.get("responses").is_none() && one.get("completed").is_none(),
        "{one}"
    );
}

#[tokio::test]
async fn the_listing_has_pages_newest_first() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    let mut ids = Vec::new();
    for reference in ["1", "2", "3"] {
        ids.push(server.invalidation(&id, reference, &["/a"]).await);
    }
    let path = format!("/warmfront/distributions/{id}/invalidations?MaxItems=2");
    let first = json(&server, &path).await;
    assert_eq!(
        (&first["invalidations"][0]["id"], &first["invalidations"][1]["id"]),
        (&json!(ids[2]), &json!(ids[1]))
    );
    let second = json(
        &server,
        &format!("{path}&Marker={}", first["next_marker"].as_str().unwrap()),
    )
    .await;
    assert_eq!(second["invalidations"][0]["id"], json!(ids[0]));
    assert!(second.get("next_marker").is_none(), "{second}");
}

#[tokio::test]
async fn audits_take_a_permission_and_an_existing_distribution() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    let path = format!("/warmfront/distributions/{id}/invalidations");
    let deployer = Signing {
        key: DEPLOYER_KEY,
        ..Signing::default()
    };
    let refused = server
        .send_signed(server.parts(http::Method::GET, &path), "", &deployer)
        .await;
    assert_eq!(refused.status, 403);
    let named = format!("warmfront:AuditInvalidations on resource: arn:aws:cloudfront::123456789012:distribution/{id}");
    assert!(refused.body.contains(&named), "{}", refused.body);
    assert_eq!(server.get(&format!("{path}/I0")).await.status, 404);
    let other = "/warmfront/distributions/E000000000000X/invalidations";
    assert_eq!(server.get(other).await.status, 404);
    let wrong = "/warmfront/distributions/x/invalidations/a/b";
    assert_eq!(server.get(wrong).await.status, 404);
}

/// Returns the revision of the next question.
async fn asked(server: &Server, after: Revision) -> Revision {
    let mut watch = server.journal.watch(after).await.unwrap();
    loop {
        let event = watch.next().await.unwrap().unwrap();
        if event.key == "dry-run" {
            return event.revision;
        }
    }
}

#[tokio::test]
async fn a_dry_run_asks_every_node_and_invalidates_nothing() {
    let journal = Arc::new(Simulated::new(1));
    let (server, nodes) = start(&journal, &["FRA56-P4", "IAD89-P3"]).await;
    let (id, _) = server.distribution("1").await;
    let (path, head) = (format!("/warmfront/distributions/{id}/dry-run"), server.head().await);
    let answering = async {
        let epoch = asked(&server, head).await;
        let second = server.post(&path, r#"{"paths":["/*"]}"#).await;
        assert_eq!(second.status, 409, "one at a time: {}", second.body);
        nodes[0].counts(epoch, 2, 300);
        nodes[1].counts(Revision(epoch.0 - 1), 9, 9);
        nodes[1].counts(epoch, 1, 50);
    };
    let (answer, ()) = tokio::join!(server.post(&path, r#"{"paths":["/a","/b*"]}"#), answering);
    let expected = json!({
        "distribution": id,
        "responses": 3,
        "bytes": 350,
        "nodes": {"FRA56-P4": {"responses": 2, "bytes": 300}, "IAD89-P3": {"responses": 1, "bytes": 50}},
    });
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), expected);
    let listing = json(&server, &format!("/warmfront/distributions/{id}/invalidations")).await;
    assert_eq!(listing, json!({ "invalidations": [] }));
    assert_eq!(server.head().await, Revision(head.0 + 1));
}

#[tokio::test]
async fn a_node_that_does_not_count_is_named() {
    let journal = Arc::new(Simulated::new(1));
    let (server, nodes) = start(&journal, &["FRA56-P4", "IAD89-P3"]).await;
    let (id, _) = server.distribution("1").await;
    let (path, head) = (format!("/warmfront/distributions/{id}/dry-run"), server.head().await);
    let answering = async {
        nodes[1].counts(asked(&server, head).await, 1, 50);
        // Nothing else happens from here on, so time passes by itself.
        tokio::time::pause();
    };
    let (answer, ()) = tokio::join!(server.post(&path, r#"{"paths":["/a"]}"#), answering);
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        (&answer["silent"], &answer["responses"]),
        (&json!(["FRA56-P4"]), &json!(1))
    );
}

#[tokio::test]
async fn a_dry_run_takes_what_an_invalidation_takes() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    let path = format!("/warmfront/distributions/{id}/dry-run");
    for wrong in [
        "",
        "{}",
        r#"{"paths":[]}"#,
        r#"{"paths":["a"]}"#,
        r#"{"paths":["/a*b"]}"#,
    ] {
        assert_eq!(server.post(&path, wrong).await.status, 400, "{wrong}");
    }
    let other = "/warmfront/distributions/E000000000000X/dry-run";
    assert_eq!(server.post(other, r#"{"paths":["/a"]}"#).await.status, 404);
}
