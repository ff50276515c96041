use std::net::SocketAddr;

use http::{HeaderMap, StatusCode};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_clock::Clock;
use warmfront_facts::OriginAllow;
use warmfront_invalidation::InvalidationItem;
use warmfront_model::{AccountId, Distribution, Epoch, Incarnation, ResourceArn, Revision, Timestamp};
use warmfront_routing::{KeyedRequest, MethodClass, write_cache_key};
use warmfront_store::{Body, Fill, FillLimits, Head, Store, StoredResponse};

use super::*;
use crate::flight::{Answered, Part, Progress};
use crate::options::{BucketAccess, EdgeOptions, Limits};
use crate::snapshot::{Site, Sites};

const INCARNATION: Incarnation = Incarnation(7);
const NOW: Timestamp = Timestamp(1_767_225_600_000);

fn id() -> DistributionId {
    DistributionId::parse("E1U5RQF7T870K0").unwrap()
}

/// One custom origin and a default behavior that caches by path alone.
fn distribution() -> Distribution {
    let xml = include_bytes!("../../../warmfront-wire/tests/fixtures/custom-distribution.xml");
    let config = warmfront_wire::from_xml(xml).unwrap();
    let distribution = warmfront_wire::convert::distribution(&config, id(), "d111111abcdef8.cloudfront.net").unwrap();
    Distribution {
        default_root_object: Some("index.html".into()),
        ..distribution
    }
}

/// A node that has taken in one distribution at revision 1.
fn node() -> Arc<Node> {
    let account = AccountId::parse("123456789012").unwrap();
    let options = EdgeOptions {
        account: account.clone(),
        pop: "IAD89-P3".to_owned(),
        n_cores: 1,
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        https: None,
        memory_bytes: 8 * 1024 * 1024,
        disk: None,
        clock: Clock::manual(NOW),
        origin_allow: OriginAllow::default(),
        buckets: BucketAccess {
            endpoint: None,
            credentials: None,
            region: "us-east-1".to_owned(),
            source_arn: false,
        },
        origin_roots: Vec::new(),
        tier: crate::Tier::alone(),
        tenure: crate::Tenure::WithProcess,
        propagation_delay: Duration::ZERO,
        switches: warmfront_caching::Switches::AWS,
        explain_token: None,
        tokens: None,
        access_log: None,
        limits: Limits::default(),
    };
    let node = Arc::new(Node::new(&options, Store::new(options.memory_bytes), INCARNATION, None));
    let mut sites = Sites::default();
    let arn = ResourceArn::distribution(&account, &id());
    sites
        .by_id
        .insert(id(), Arc::new(Site::new(Arc::new(distribution()), arn, |_| None)));
    node.publish(|snapshot| {
        snapshot.sites = Arc::new(sites);
        snapshot.index.advance(Revision(1));
    });
    node
}

fn invalidate(node: &Node, path: &str, revision: u64) {
    let item = InvalidationItem::parse(path).unwrap();
    node.publish(|snapshot| {
        snapshot.index.invalidate(&id(), &[item], Revision(revision));
        snapshot.index.advance(Revision(revision));
    });
}

fn key(path: &str) -> Vec<u8> {
    let mut buffer = Vec::new();
    write_cache_key(
        KeyedRequest {
            distribution: &id(),
            behavior: &distribution().behaviors[0],
            method: MethodClass::GetHead,
            path,
            query: None,
            headers: &HeaderMap::new(),
        },
        &mut buffer,
    );
    buffer
}

fn response(as_of: u64, body: Body) -> Arc<StoredResponse> {
    let head = Head {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        lifetime: Lifetime {
            fresh_secs: 60,
            rule: FreshnessRule::MaxAge,
            stale_while_revalidate_secs: 0,
            stale_if_error_secs: 0,
            initial_age_secs: 0,
        },
        response_time: NOW,
    };
    Arc::new(StoredResponse::new(head, epoch(as_of), None, body))
}

fn store(node: &Node, path: &str, as_of: u64) -> Arc<StoredResponse> {
    let response = response(as_of, Body::whole(Vec::new()));
    node.store.insert(&key(path), Arc::clone(&response));
    response
}

fn passes(node: &Node, path: &str, response: &Arc<StoredResponse>) -> bool {
    matches!(
        judge(&node.snapshot(), &key(path), Arc::clone(response)),
        Judged::Uncovered
    )
}

#[tokio::test]
async fn a_sweep_removes_the_covered_empties_the_index_and_keeps_the_rest() {
    let node = node();
    store(&node, "/a", 1);
    store(&node, "/index.html", 1);
    let kept = store(&node, "/b", 1);
    let newer = store(&node, "/a/new", 3);
    invalidate(&node, "/a*", 2);
    invalidate(&node, "/", 3);

    let swept = sweep(&node).await;

    assert_eq!((swept.n_visited, swept.n_removed), (4, 2));
    assert!(node.store.get(&key("/a")).is_none());
    assert!(node.store.get(&key("/index.html")).is_none(), "the root's object");
    let snapshot = node.snapshot();
    assert!(snapshot.index.is_empty());
    assert_eq!(snapshot.index.floor(), Revision(3));
    assert!(passes(&node, "/b", &kept), "raised above the floor");
    assert!(passes(&node, "/a/new", &newer));
}

/// What the next sweep reports, as (epoch, responses, bytes).
async fn reported(node: &Arc<Node>) -> Vec<(u64, u64, u64)> {
    let mut reports = node.coverings.reports();
    sweep(node).await;
    let mut all = Vec::new();
    while let Ok(report) = reports.try_recv() {
        let coverage = report.coverage;
        all.push((report.epoch.0, coverage.responses, coverage.bytes));
    }
    all
}

fn invalidate_counted(node: &Node, mode: InvalidationMode, path: &str, revision: u64) {
    let items = [InvalidationItem::parse(path).unwrap()];
    node.coverings.begin(&id(), &items, Revision(revision));
    node.publish(|snapshot| {
        snapshot.index.invalidate_in(mode, &id(), &items, Revision(revision));
        snapshot.index.advance(Revision(revision));
    });
}

fn store_bytes(node: &Node, path: &str, as_of: u64, body: &'static str) {
    let body = Body::whole(vec![bytes::Bytes::from_static(body.as_bytes())]);
    node.store.insert(&key(path), response(as_of, body));
}

#[tokio::test]
async fn a_sweep_reports_what_each_invalidation_covered() {
    let node = node();
    store_bytes(&node, "/a", 1, "12345");
    store_bytes(&node, "/b", 1, "123");
    store_bytes(&node, "/index.html", 1, "1");
    invalidate_counted(&node, InvalidationMode::Refetch, "/a", 2);
    invalidate_counted(&node, InvalidationMode::Refetch, "/*", 3);
    invalidate_counted(&node, InvalidationMode::Refetch, "/A", 4);
    invalidate_counted(&node, InvalidationMode::Refetch, "/", 5);
    assert_eq!(reported(&node).await, [(2, 1, 5), (3, 3, 9), (4, 0, 0), (5, 1, 1)]);
    assert!(!node.coverings.is_counting());
    assert!(reported(&node).await.is_empty());
}

/// A busy object is fetched anew long before a sweep comes to it.
#[tokio::test]
async fn what_is_replaced_before_the_sweep_is_counted_once() {
    for mode in [InvalidationMode::Refetch, InvalidationMode::Revalidate] {
        let node = node();
        store_bytes(&node, "/a", 1, "12345");
        invalidate_counted(&node, mode, "/a", 2);
        take_out(&node, &node.snapshot(), &key("/a"));
        store_bytes(&node, "/a", 2, "1");
        assert_eq!(reported(&node).await, [(2, 1, 5)], "{mode}");
    }
}

/// What stays for its origin to confirm is visited by later sweeps, too.
#[tokio::test]
async fn what_stays_covered_is_counted_once_for_each_invalidation() {
    let node = node();
    store_bytes(&node, "/a", 1, "12345");
    invalidate_counted(&node, InvalidationMode::Revalidate, "/a", 2);
    assert_eq!(reported(&node).await, [(2, 1, 5)]);
    invalidate_counted(&node, InvalidationMode::Revalidate, "/*", 3);
    assert_eq!(reported(&node).await, [(3, 1, 5)]);
    invalidate_counted(&node, InvalidationMode::Refetch, "/b", 4);
    assert_eq!(reported(&node).await, [(4, 0, 0)]);
    invalidate_counted(&node, InvalidationMode::Refetch, "/a", 5);
    assert_eq!(reported(&node).await, [(5, 1, 5)]);
}

#[tokio::test]
async fn a_covered_response_that_its_origin_may_confirm_stays_covered() {
    let node = node();
    let gentle = store(&node, "/a", 1);
    let item = InvalidationItem::parse("/a").unwrap();
    node.publish(|snapshot| {
        let index = &mut snapshot.index;
        index.invalidate_in(InvalidationMode::Revalidate, &id(), &[item], Revision(2));
        index.advance(Revision(2));
    });
    assert_eq!(sweep(&node).await.n_removed, 0);
    assert!(node.snapshot().index.is_empty());
    let snapshot = node.snapshot();
    let key = key("/a");
    let names = || names_of_key(&key, &snapshot.sites.by_id[&id()].distribution);
    let covered = snapshot.index.check(&id(), gentle, names).unwrap_err();
    assert_eq!(covered.mode(), InvalidationMode::Revalidate);
}

#[tokio::test]
async fn what_was_invalidated_during_a_sweep_is_left_for_the_next() {
    let node = node();
    let stored = store(&node, "/a", 1);
    invalidate(&node, "/x", 2);
    let sweeping = sweep(&node);
    invalidate(&node, "/a", 3);
    // The sweep begins when it is polled first, so this one has seen revision 3; an entry after it has not been seen.
    sweeping.await;
    assert!(node.store.get(&key("/a")).is_none());
    let kept = store(&node, "/b", 3);
    node.publish(|snapshot| snapshot.index.begin_sweep());
    invalidate(&node, "/b", 4);
    node.publish(|snapshot| snapshot.index.end_sweep());
    assert!(!passes(&node, "/a", &stored));
    assert!(
        !passes(&node, "/b", &kept),
        "its entry is newer than what was forgotten"
    );
}

#[tokio::test]
async fn a_response_that_is_arriving_is_raised_or_covered() {
    let node = node();
    let limits = FillLimits {
        keep_bytes_max: 100,
        window_bytes: 100,
    };
    let mut arriving = Vec::new();
    for path in ["/a", "/b"] {
        let (fill, body) = Fill::begin(limits);
        let response = response(1, body);
        let flight = begin(&node, path, 1);
        flight.tell(Progress::Answered(Answered {
            response: Arc::clone(&response),
            shared: true,
            reason: crate::Reason::Fetched,
            kept: crate::outcome::Kept::For(warmfront_caching::FreshnessRule::MaxAge),
            variant: None,
            withheld: None,
            upstream: None,
        }));
        arriving.push((fill, flight, response));
    }
    invalidate(&node, "/a", 2);
    sweep(&node).await;
    assert!(!passes(&node, "/a", &arriving[0].2));
    assert!(passes(&node, "/b", &arriving[1].2));
}

fn epoch(revision: u64) -> Epoch {
    Epoch {
        incarnation: INCARNATION,
        revision: Revision(revision),
    }
}

fn begin(node: &Node, path: &str, planned: u64) -> Arc<Flight> {
    let begun = node
        .flights
        .join_or_begin(&key(path), epoch(planned), |_| false, || None::<()>);
    let Ok(Part::Began(flight)) = begun else {
        panic!("nothing else is in flight");
    };
    flight
}

/// One invalidation of anything would otherwise make everything that is just being fetched unfit to be stored.
#[tokio::test]
async fn a_fetch_that_is_not_answered_yet_is_raised_or_covered() {
    let node = node();
    let (uncovered, covered) = (begin(&node, "/b", 1), begin(&node, "/x", 1));
    invalidate(&node, "/x", 2);
    sweep(&node).await;
    let late = |flight: &Flight| response(flight.stamp().as_of().revision.0, Body::whole(Vec::new()));
    assert!(passes(&node, "/b", &late(&uncovered)));
    assert!(!passes(&node, "/x", &late(&covered)));
}

/// A fetch that nobody can join is not visited.
#[tokio::test]
async fn what_a_sweep_does_not_see_is_covered_by_the_floor() {
    let node = node();
    invalidate(&node, "/x", 2);
    sweep(&node).await;
    let late = response(1, Body::whole(Vec::new()));
    assert!(!passes(&node, "/b", &late));
}

#[tokio::test]
async fn responses_of_a_deleted_distribution_are_removed() {
    let node = node();
    store(&node, "/a", 1);
    node.publish(|snapshot| {
        snapshot.sites = Arc::default();
        snapshot.index.advance(Revision(2));
    });
    assert_eq!(sweep(&node).await.n_removed, 1);
    assert!(node.store.get(&key("/a")).is_none());
}

#[tokio::test]
async fn a_large_store_is_swept_whole() {
    let node = node();
    for n in 0..2_000 {
        store(&node, &format!("/{}/{n}", n % 2), 1);
    }
    invalidate(&node, "/1/*", 2);
    let swept = sweep(&node).await;
    assert_eq!((swept.n_visited, swept.n_removed), (2_000, 1_000));
    assert_eq!(node.store.n_responses(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_long_sweep_rests_now_and_then() {
    let node = node();
    for number in 0..4_095 {
        store(&node, &format!("/{number}"), 1);
    }
    let began = tokio::time::Instant::now();
    assert_eq!(sweep(&node).await.n_visited, 4_095);
    assert!(began.elapsed().is_zero());
    store(&node, "/one-more", 1);
    assert_eq!(sweep(&node).await.n_visited, 4_096);
    assert!(began.elapsed() >= Duration::from_millis(2));
}
