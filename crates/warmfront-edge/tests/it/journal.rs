//! What the edge takes in, in which order, and when.

use std::time::Duration;

use bytes::Bytes;
use warmfront_edge::EdgeOptions;
use warmfront_journal::Journal;
use warmfront_testkit::{Ask, Site, Testbed, edge_options};

use crate::{check, counting};

#[tokio::test]
async fn a_record_that_cannot_be_read_counts_the_whole_cache_as_covered() {
    let origin = counting().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    // A record of a version to come, where an invalidation would be.
    let key = format!("invalidation/{}/{}", Site::ID, "0".repeat(64));
    let revision = bed.commit(&key, Bytes::from_static(b"\xff\x00{}")).await;
    bed.applied(revision).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
    check(&bed.get("/a").await, 200, "Hit", "2");
}

#[tokio::test]
async fn keys_of_others_are_taken_in_and_change_nothing() {
    let origin = counting().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    let revision = bed.commit("note/1", Bytes::from_static(b"whatever")).await;
    bed.applied(revision).await;
    check(&bed.get("/a").await, 200, "Hit", "1");
}

#[tokio::test]
async fn the_propagation_delay_holds_an_invalidation_back_and_everything_behind_it() {
    let origin = counting().await;
    let options = EdgeOptions {
        propagation_delay: Duration::from_secs(30),
        ..edge_options()
    };
    let bed = Testbed::start(options).await;
    bed.write(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    let before = bed.applied_now();

    let invalidation = bed.commit_invalidation(&["/a"]).await;
    let configuration = bed.commit_site(&Site::new(&origin).alias("late.example.com")).await;
    bed.advance(26);
    // POPs differ by up to a tenth: at 26 s none has it.
    check(&bed.get("/a").await, 200, "Hit", "1");
    assert_eq!(bed.ask(&Ask::get("/a").host("late.example.com")).await.status, 403);
    assert_eq!(bed.applied_now(), before);

    bed.advance(4);
    bed.applied(invalidation).await;
    bed.applied(configuration).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
    assert_eq!(bed.ask(&Ask::get("/a").host("late.example.com")).await.status, 200);
}

#[tokio::test]
async fn what_the_journal_holds_back_is_not_applied() {
    let origin = counting().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    bed.journal.hold_watches();
    let revision = bed.commit_invalidation(&["/a"]).await;
    check(&bed.get("/a").await, 200, "Hit", "1");
    assert!(bed.applied_now() < revision);
    bed.journal.release_watches();
    bed.applied(revision).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
}

#[tokio::test]
async fn an_edge_that_starts_has_taken_in_all_there_is() {
    let origin = counting().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.invalidate(&["/a"]).await;
    let head = bed.journal.head().await.unwrap();
    let late = warmfront_edge::Edge::start(std::sync::Arc::new(bed.journal.clone()), edge_options())
        .await
        .unwrap();
    assert_eq!(*late.applied().borrow(), head);
    let mut viewer = warmfront_testkit::Viewer::connect(late.http()).await;
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Miss", "1");
    check(&viewer.ask(&Ask::get("/a")).await, 200, "Hit", "1");
}

/// A node that has fallen behind what the journal still has begins anew: configuration as it is now, cache covered.
#[tokio::test]
async fn a_gap_in_the_journal_covers_the_cache_and_rereads_the_configuration() {
    let origin = counting().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    bed.journal.hold_watches();
    bed.commit_invalidation(&["/a"]).await;
    let revision = bed.commit_site(&Site::new(&origin).alias("late.example.com")).await;
    bed.journal.trim(revision);
    bed.journal.release_watches();
    bed.applied(revision).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
    assert_eq!(bed.ask(&Ask::get("/a").host("late.example.com")).await.text(), "2");
}

#[tokio::test]
async fn a_deleted_distribution_answers_nobody() {
    let origin = counting().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    let key = format!("distribution/{}", Site::ID);
    let deleted = warmfront_journal::Write::Delete;
    let revision = bed
        .journal
        .commit(&key, deleted, warmfront_journal::Expected::Any)
        .await
        .unwrap();
    bed.applied(revision).await;
    assert_eq!(bed.get("/a").await.status, 403);
}
