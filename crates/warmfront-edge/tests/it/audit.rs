//! What each invalidation covers, as the node reports it.

use tokio::sync::broadcast::Receiver;
use warmfront_edge::{DISK_BYTES_MIN, DiskCache, EdgeOptions};
use warmfront_facts::{Coverage, CoverageReport, DryRunRecord, Key};
use warmfront_model::{DistributionId, Revision};
use warmfront_testkit::{Origin, Reply, Site, Testbed, edge_options};

use crate::check;

/// What was covered at `epoch`, as responses and bytes.
async fn reported(reports: &mut Receiver<CoverageReport>, epoch: Revision) -> (u64, u64) {
    loop {
        let CoverageReport { epoch: at, coverage } = reports.recv().await.unwrap();
        if at == epoch {
            let Coverage { responses, bytes } = coverage;
            return (responses, bytes);
        }
    }
}

async fn cached(bed: &Testbed, origin: &Origin) {
    for path in ["/a", "/b", "/c"] {
        origin.replies(path, [Reply::ok("12345").max_age(60), Reply::ok("123").max_age(60)]);
        bed.get(path).await;
    }
}

#[tokio::test]
async fn a_node_reports_how_much_each_invalidation_covered() {
    let origin = Origin::start().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    cached(&bed, &origin).await;
    let mut reports = bed.edge().handle().coverage();
    let unrelated = bed.invalidate(&["/unrelated"]).await;
    assert_eq!(reported(&mut reports, unrelated).await, (0, 0));
    // Now the sweeper pauses, so that the fetch comes before the next sweep, most of the time.
    let one = bed.invalidate(&["/a", "/A"]).await;
    check(&bed.get("/a").await, 200, "Miss", "123");
    assert_eq!(reported(&mut reports, one).await, (1, 5));
    let nothing = bed.invalidate(&["/nothing"]).await;
    let everything = bed.revalidate(&["/*"]).await;
    assert_eq!(reported(&mut reports, nothing).await, (0, 0));
    assert_eq!(reported(&mut reports, everything).await, (3, 13));
}

/// A response may be in memory and on disk, and is one.
#[tokio::test]
async fn what_is_on_disk_too_is_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await;
    let options = || EdgeOptions {
        disk: Some(DiskCache {
            folder: folder.path().to_owned(),
            bytes: DISK_BYTES_MIN,
        }),
        ..edge_options()
    };
    let bed = Testbed::start(options()).await;
    bed.write(&Site::new(&origin)).await;
    cached(&bed, &origin).await;
    // On disk alone afterwards, but for what is asked for again.
    let bed = bed.restart(options()).await;
    check(&bed.get("/a").await, 200, "Hit", "12345");
    let mut reports = bed.edge().handle().coverage();
    let everything = bed.invalidate(&["/*"]).await;
    assert_eq!(reported(&mut reports, everything).await, (3, 15));
}

async fn ask(bed: &Testbed, paths: &[&str]) -> Revision {
    let record = DryRunRecord {
        distribution: DistributionId::parse(Site::ID).unwrap(),
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
        items: Vec::new(),
    };
    bed.commit(&Key::DryRun.to_string(), record.encode().unwrap()).await
}

#[tokio::test]
async fn a_dry_run_counts_what_is_not_covered_already_and_covers_nothing() {
    let origin = Origin::start().await;
    let bed = Testbed::with(&Site::new(&origin)).await;
    cached(&bed, &origin).await;
    let mut reports = bed.edge().handle().coverage();
    let some = ask(&bed, &["/a", "/a*", "/b"]).await;
    assert_eq!(reported(&mut reports, some).await, (2, 10));
    let everything = ask(&bed, &["/*"]).await;
    assert_eq!(reported(&mut reports, everything).await, (3, 15));
    for path in ["/a", "/b", "/c"] {
        check(&bed.get(path).await, 200, "Hit", "12345");
    }
    let one = bed.revalidate(&["/a"]).await;
    reported(&mut reports, one).await;
    let rest = ask(&bed, &["/*"]).await;
    assert_eq!(reported(&mut reports, rest).await, (2, 10));
}
