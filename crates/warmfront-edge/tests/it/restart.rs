use std::path::Path;
use std::sync::Arc;

use warmfront_edge::{DISK_BYTES_MIN, DiskCache, Edge, EdgeOptions};
use warmfront_journal::Simulated;
use warmfront_testkit::{Origin, Site, Testbed, edge_options};

use crate::check;

fn options(folder: &Path) -> EdgeOptions {
    EdgeOptions {
        disk: Some(DiskCache {
            folder: folder.to_owned(),
            bytes: DISK_BYTES_MIN,
        }),
        ..edge_options()
    }
}

/// Each answer's body is its number.
async fn counting(paths: &[&str]) -> Origin {
    let origin = Origin::start().await;
    for path in paths {
        origin.counts(path, 3_600);
    }
    origin
}

#[tokio::test]
async fn a_restart_keeps_what_was_stored_and_its_age() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let origin = counting(&["/a"]).await;
    let bed = Testbed::start(options.clone()).await;
    bed.write(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    let bed = bed.restart(options).await;
    bed.advance(100);
    let answer = bed.get("/a").await;
    check(&answer, 200, "Hit", "1");
    assert_eq!(answer.header("age"), "100");
    check(&bed.get("/a").await, 200, "Hit", "1");
    bed.advance(3_500);
    check(&bed.get("/a").await, 200, "Miss", "2");
    bed.shutdown().await;
}

#[tokio::test]
async fn what_was_invalidated_before_or_during_a_restart_does_not_answer_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let origin = counting(&["/before", "/during", "/after", "/kept"]).await;
    let bed = Testbed::start(options.clone()).await;
    bed.write(&Site::new(&origin)).await;
    for path in ["/before", "/during", "/after", "/kept"] {
        check(&bed.get(path).await, 200, "Miss", "1");
    }
    bed.invalidate(&["/before"]).await;
    let bed = bed.stop().await;
    bed.commit_invalidation(&["/during"]).await;
    let bed = bed.start_again(options).await;
    check(&bed.get("/before").await, 200, "Miss", "2");
    check(&bed.get("/during").await, 200, "Miss", "2");
    check(&bed.get("/kept").await, 200, "Hit", "1");
    bed.invalidate(&["/after"]).await;
    check(&bed.get("/after").await, 200, "Miss", "2");
    bed.shutdown().await;
}

#[tokio::test]
async fn what_was_fetched_before_its_distribution_changed_does_not_answer_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let origin = counting(&["/a"]).await;
    let bed = Testbed::start(options.clone()).await;
    bed.write(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    bed.write(&Site::new(&origin).alias("www.example.com")).await;
    check(&bed.get("/a").await, 200, "Hit", "1");
    let bed = bed.restart(options).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
    bed.shutdown().await;
}

#[tokio::test]
async fn a_cache_of_another_journal_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let origin = counting(&["/a"]).await;
    let bed = Testbed::start(options.clone()).await;
    bed.write(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    bed.shutdown().await;
    let bed = Testbed::start_on(Simulated::new(77), options).await;
    bed.write(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
    bed.shutdown().await;
}

#[tokio::test]
async fn a_folder_that_another_edge_uses_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let bed = Testbed::start(options(folder.path())).await;
    let second = Edge::start(Arc::new(Simulated::new(1)), options(folder.path())).await;
    let error = second.err().expect("refused").to_string();
    assert!(error.contains(&folder.path().display().to_string()), "{error}");
    bed.shutdown().await;
}
