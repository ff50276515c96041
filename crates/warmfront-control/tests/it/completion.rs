use std::sync::Arc;

use tokio::sync::watch;
use warmfront_journal::{Journal, Simulated};
use warmfront_model::Revision;

use crate::client::Server;

#[tokio::test]
async fn an_invalidation_is_completed_when_the_slowest_node_has_applied_it() {
    let (fast, slow) = (watch::Sender::new(Revision::ZERO), watch::Sender::new(Revision::ZERO));
    let nodes = vec![fast.subscribe(), slow.subscribe()];
    let server = Server::start_with(Arc::new(Simulated::new(1)), nodes, |_| {}).await;
    let (id, _) = server.distribution("d").await;
    let first = server.invalidation(&id, "1", &["/a"]).await;
    let first_at = server.head().await;
    let second = server.invalidation(&id, "2", &["/b"]).await;
    let second_at = server.head().await;
    let status = async |invalidation: &str| {
        server
            .get(&format!("distribution/{id}/invalidation/{invalidation}"))
            .await
            .text("Status")
    };
    let batches = async || {
        server
            .get(&format!("distribution/{id}"))
            .await
            .text("InProgressInvalidationBatches")
    };

    fast.send_replace(second_at);
    assert_eq!(status(&first).await, "InProgress");
    assert_eq!(batches().await, "2");
    slow.send_replace(first_at);
    server.watermark_written(second_at).await;
    assert_eq!(
        (status(&first).await, status(&second).await),
        ("Completed".to_owned(), "InProgress".to_owned())
    );
    assert_eq!(batches().await, "1");
    let before = server.head().await;
    slow.send_replace(second_at);
    server.watermark_written(before).await;
    assert_eq!(status(&second).await, "Completed");
}

#[tokio::test]
async fn completed_is_answered_only_when_the_journal_says_so() {
    let journal = Arc::new(Simulated::new(1));
    let applied = watch::Sender::new(Revision::ZERO);
    let server = Server::start_with(
        Arc::clone(&journal) as Arc<dyn Journal>,
        vec![applied.subscribe()],
        |_| {},
    )
    .await;
    let (id, _) = server.distribution("d").await;
    let invalidation = server.invalidation(&id, "1", &["/a"]).await;
    let path = format!("distribution/{id}/invalidation/{invalidation}");
    let head = server.head().await;

    journal.hold_commits();
    applied.send_replace(head);
    for _ in 0..20 {
        assert_eq!(server.get(&path).await.text("Status"), "InProgress");
    }
    journal.release_commits();
    server.watermark_written(head).await;
    assert_eq!(server.get(&path).await.text("Status"), "Completed");
}

#[tokio::test]
async fn the_watermark_is_written_only_when_it_passes_an_invalidation() {
    let applied = watch::Sender::new(Revision::ZERO);
    let server = Server::start_with(Arc::new(Simulated::new(1)), vec![applied.subscribe()], |_| {}).await;
    let (id, _) = server.distribution("d").await;
    for number in 0..10 {
        server.invalidation(&id, &number.to_string(), &["/a"]).await;
    }
    let before = server.head().await;
    applied.send_replace(before);
    server.watermark_written(before).await;
    let written = server.head().await;
    assert_eq!(written, Revision(before.0 + 1), "one write for all ten");
    applied.send_replace(written);
    server.distribution("other").await;
    applied.send_replace(server.head().await);
    assert_eq!(
        server.get(&format!("distribution/{id}")).await.text("Status"),
        "Deployed"
    );
    assert_eq!(
        server.head().await,
        Revision(written.0 + 1),
        "nothing but the distribution was written"
    );
}
