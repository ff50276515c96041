use std::sync::Arc;

use tokio::sync::watch;
use warmfront_journal::{Embedded, Journal};
use warmfront_model::Revision;

use crate::client::Server;
use crate::xml::{access_control, batch};

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(Embedded::open(folder.path()).unwrap());
    let applied = watch::Sender::new(Revision::ZERO);
    let journal = open();
    let server = Server::start_with(
        Arc::clone(&journal) as Arc<dyn Journal>,
        vec![applied.subscribe()],
        |_| {},
    )
    .await;
    let (id, etag) = server.distribution("d").await;
    let control = server.post("origin-access-control", &access_control("one")).await;
    let completed = server.invalidation(&id, "1", &["/a"]).await;
    let head = server.head().await;
    applied.send_replace(head);
    server.watermark_written(head).await;
    let pending = server.invalidation(&id, "2", &["/b"]).await;
    let distribution = server.get(&format!("distribution/{id}/config")).await.body;
    server.stop().await;
    journal.close().await;
    drop(journal);

    let server = Server::start_with(open(), vec![applied.subscribe()], |_| {}).await;
    let path = format!("distribution/{id}");
    let config = server.get(&format!("{path}/config")).await;
    assert_eq!(
        (config.body.as_str(), config.header("etag")),
        (distribution.as_str(), etag)
    );
    assert_eq!(
        server
            .get(&format!("{path}/invalidation/{completed}"))
            .await
            .text("Status"),
        "Completed"
    );
    assert_eq!(
        server
            .get(&format!("{path}/invalidation/{pending}"))
            .await
            .text("Status"),
        "InProgress"
    );
    assert_eq!(
        server.get(&format!("{path}/invalidation")).await.texts("Id"),
        [pending.clone(), completed]
    );
    let found = server
        .get(&format!("origin-access-control/{}", control.text("Id")))
        .await;
    assert_eq!(found.header("etag"), control.header("etag"));
    let again = server.post(&format!("{path}/invalidation"), &batch("2", &["/b"])).await;
    assert_eq!((again.status.as_u16(), again.text("Id")), (201, pending.clone()));
    let head = server.head().await;
    applied.send_replace(head);
    server.watermark_written(head).await;
    assert_eq!(
        server
            .get(&format!("{path}/invalidation/{pending}"))
            .await
            .text("Status"),
        "Completed"
    );
}

#[tokio::test]
async fn a_journal_that_holds_nonsense_is_refused_at_the_start() {
    let journal = Arc::new(warmfront_journal::Simulated::new(1));
    let write = warmfront_journal::Write::Put(bytes::Bytes::from_static(b"\x09\x00{}"));
    journal
        .commit("distribution/E1U5RQF7T870K0", write, warmfront_journal::Expected::Any)
        .await
        .unwrap();
    let options = crate::client::options(warmfront_clock::Clock::system());
    let error = warmfront_control::Control::new(journal, options, warmfront_control::Nodes::default())
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("distribution/E1U5RQF7T870K0"), "{error}");
    assert!(error.to_string().contains("version 9"), "{error}");
}
