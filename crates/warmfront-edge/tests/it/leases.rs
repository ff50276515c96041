//! Nodes that may answer from their cache only while they have a lease.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use warmfront_clock::Clock;
use warmfront_edge::{Edge, EdgeOptions, LeaseOptions, Tenure};
use warmfront_facts::{Fact, MemberRecord, Membership, decode_entry};
use warmfront_journal::{Expected, Journal, Write};
use warmfront_testkit::{Ask, Gate, Origin, Reply, START, Site, Testbed, Tiers, edge_options, within_patience};

use crate::{check, counting};

const LEASE: Duration = Duration::from_secs(9);

fn leased(clock: &Clock) -> EdgeOptions {
    EdgeOptions {
        tenure: Tenure::Leased(LeaseOptions {
            clock: clock.clone(),
            lease: LEASE,
        }),
        ..edge_options()
    }
}

/// A node with its lease in front of `origin`, and the clock that the lease goes by.
async fn leased_bed(origin: &Origin) -> (Testbed, Clock) {
    let clock = Clock::manual(START);
    let bed = Testbed::start(leased(&clock)).await;
    bed.write(&Site::new(origin)).await;
    until_leased(bed.edge()).await;
    (bed, clock)
}

async fn has(leased: &mut watch::Receiver<bool>, wanted: bool) {
    let _ = within_patience("a lease to come or go", leased.wait_for(|leased| *leased == wanted)).await;
}

async fn until_leased(edge: &Edge) {
    has(&mut edge.handle().leased(), true).await;
}

/// What stands in the journal at `member/NAME`.
async fn record(journal: &dyn Journal, name: &str) -> Option<Arc<MemberRecord>> {
    let entries = journal.snapshot(&format!("member/{name}")).await.unwrap().entries;
    entries.iter().find_map(|entry| match decode_entry(entry) {
        Ok(Fact::Member(_, record)) => record,
        _ => None,
    })
}

/// Returns once the member record at a later revision than `after` is a lease.
async fn renewed(bed: &Testbed, after: u64) -> u64 {
    let mut applied = bed.edge().applied();
    loop {
        match record(&bed.journal, "IAD89-P3").await {
            Some(record) if record.revision.0 > after && matches!(record.membership, Membership::Leased { .. }) => {
                return record.revision.0;
            }
            _ => {
                let _ = within_patience("a renewal", applied.changed()).await;
            }
        }
    }
}

#[tokio::test]
async fn a_lease_is_taken_on_the_join_record_and_renewed_on_itself() {
    let clock = Clock::manual(START);
    let bed = Testbed::start(leased(&clock)).await;
    let first = renewed(&bed, 0).await;
    assert_eq!(first, 2, "the join is the first commit, the lease the second");
    until_leased(bed.edge()).await;
    assert_eq!(bed.edge().handle().state().lease_left, Some(LEASE));
    clock.advance(LEASE / 3).unwrap();
    assert_eq!(renewed(&bed, first).await, 3);
}

/// The lease ends by the clock alone: the journal is silent, and nobody tells the node anything.
#[tokio::test]
async fn a_node_whose_lease_is_over_asks_the_origin_for_everything() {
    let origin = counting().await;
    let (bed, clock) = leased_bed(&origin).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    check(&bed.get("/a").await, 200, "Hit", "1");
    bed.journal.hold_commits();
    clock.advance(LEASE).unwrap();
    check(&bed.get("/a").await, 200, "Miss", "2");
    check(&bed.get("/a").await, 200, "Miss", "3");
    bed.journal.release_commits();
    until_leased(bed.edge()).await;
    check(&bed.get("/a").await, 200, "Hit", "3");
}

/// Control drops the member, completes an invalidation without it, and only then does it hear of anything again.
#[tokio::test]
async fn a_node_that_was_dropped_answers_nothing_old_when_it_comes_back() {
    let origin = counting().await;
    let (bed, clock) = leased_bed(&origin).await;
    check(&bed.get("/a").await, 200, "Miss", "1");

    bed.journal.hold_watches();
    let mut leased = bed.edge().handle().leased();
    leased.mark_unchanged();
    let dropped = bed
        .journal
        .commit("member/IAD89-P3", Write::Delete, Expected::Any)
        .await;
    bed.commit_invalidation(&["/a"]).await;
    clock.advance(LEASE / 3).unwrap();
    // The renewal does not find what the node wrote, so it is fenced and joins anew; but it has not applied its join.
    has(&mut leased, false).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
    assert!(
        record(&bed.journal, "IAD89-P3")
            .await
            .is_none_or(|record| record.revision > dropped.unwrap())
    );
    bed.journal.release_watches();
    until_leased(bed.edge()).await;
    // The copy that the fenced node fetched was stamped with what it knew then: the invalidation covers it.
    check(&bed.get("/a").await, 200, "Miss", "3");
    check(&bed.get("/a").await, 200, "Hit", "3");
}

#[tokio::test]
async fn a_node_that_starts_answers_from_its_cache_only_when_it_has_applied_its_join() {
    let origin = counting().await;
    let clock = Clock::manual(START);
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.journal.hold_watches();
    let pop = Edge::start(Arc::new(bed.journal.clone()), leased(&clock))
        .await
        .unwrap();
    let get = async || {
        let mut viewer = warmfront_testkit::Viewer::connect(pop.http()).await;
        viewer.ask(&Ask::get("/a")).await
    };
    check(&get().await, 200, "Miss", "1");
    check(&get().await, 200, "Miss", "2");
    bed.journal.release_watches();
    until_leased(&pop).await;
    check(&get().await, 200, "Hit", "2");
}

/// A fetch in flight when the lease ends was asked for by nobody who came later.
#[tokio::test]
async fn a_fenced_node_joins_nothing_that_began_before() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    let held = Reply::ok("old").max_age(60).held(&gate);
    origin.replies("/a", [held, Reply::ok("new").max_age(60)]);
    let (bed, clock) = leased_bed(&origin).await;
    let mut early = bed.viewer().await;
    early.send(&Ask::get("/a")).await;
    gate.reached().await;
    bed.journal.hold_commits();
    clock.advance(LEASE).unwrap();
    check(&bed.get("/a").await, 200, "Miss", "new");
    gate.open();
    check(&early.answer().await, 200, "Miss", "old");
}

#[tokio::test]
async fn a_fenced_node_serves_nothing_stale() {
    let origin = Origin::start().await;
    let stale = Reply::ok("stale").header("cache-control", "max-age=1, stale-if-error=3600");
    origin.replies("/a", [stale, Reply::status(500), Reply::status(500)]);
    let (bed, clock) = leased_bed(&origin).await;
    check(&bed.get("/a").await, 200, "Miss", "stale");
    bed.advance(2);
    bed.journal.hold_commits();
    clock.advance(LEASE).unwrap();
    assert_eq!(bed.get("/a").await.status, 500);
}

#[tokio::test]
async fn a_fenced_pop_asks_the_origin_and_not_its_region() {
    let origin = counting().await;
    let clock = Clock::manual(START);
    let tiers = Tiers::start_with(1, 1, |options| EdgeOptions {
        tenure: leased(&clock).tenure,
        ..options
    })
    .await;
    tiers.write(&Site::new(&origin)).await;
    until_leased(&tiers.pops[0]).await;
    check(&tiers.get(0, "/a").await, 200, "Miss", "1");
    tiers.journal.hold_commits();
    clock.advance(LEASE).unwrap();
    // The regional node has it, and a POP with a lease would be given it.
    check(&tiers.get(0, "/a").await, 200, "Miss", "2");
}

/// What the watch left out may have been an invalidation.
#[tokio::test]
async fn a_gap_makes_a_node_join_anew() {
    let origin = counting().await;
    let (bed, _clock) = leased_bed(&origin).await;
    check(&bed.get("/a").await, 200, "Miss", "1");
    let before = record(&bed.journal, "IAD89-P3").await.unwrap().revision.0;
    bed.journal.hold_watches();
    bed.commit_invalidation(&["/a"]).await;
    let head = bed.journal.head().await.unwrap();
    bed.journal.trim(head);
    bed.journal.release_watches();
    assert!(renewed(&bed, before).await > before + 2);
    until_leased(bed.edge()).await;
    check(&bed.get("/a").await, 200, "Miss", "2");
}

#[tokio::test]
async fn a_node_that_shuts_down_takes_its_record_back_and_one_that_is_killed_does_not() {
    let clock = Clock::manual(START);
    let bed = Testbed::start(leased(&clock)).await;
    until_leased(bed.edge()).await;
    let journal = bed.journal.clone();
    bed.shutdown().await;
    assert_eq!(record(&journal, "IAD89-P3").await, None);

    let killed = Edge::start(Arc::new(journal.clone()), leased(&clock)).await.unwrap();
    until_leased(&killed).await;
    killed.kill().await;
    assert!(record(&journal, "IAD89-P3").await.is_some());
}
