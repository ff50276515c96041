use warmfront_facts::{Coverage, DistributionRecord, Fact, InvalidationOrigin};
use warmfront_invalidation::InvalidationMode;
use warmfront_model::DistributionId;
use warmfront_wire::{convert, from_xml};

use super::*;
use crate::nodes::{Counts, NodeDetails};

fn id() -> DistributionId {
    DistributionId::parse("E1U5RQF7T870K0").unwrap()
}

/// A view with a distribution at revision 1.
fn view() -> View {
    let xml = include_bytes!("../../../warmfront-wire/tests/fixtures/custom-distribution.xml");
    let config = from_xml(xml).unwrap();
    let domain_name = "d111111abcdef8.cloudfront.net";
    let record = DistributionRecord {
        id: id(),
        domain_name: domain_name.into(),
        created: Timestamp(0),
        last_modified: Timestamp(0),
        revision: Revision(1),
        distribution: Arc::new(convert::distribution(&config, id(), domain_name).unwrap()),
        config,
    };
    let mut view = View::default();
    view.apply(Revision(1), Fact::Distribution(id(), Some(Arc::new(record))));
    view
}

fn invalidate(view: &mut View, revision: u64) {
    let record = InvalidationRecord {
        id: format!("I{revision}"),
        distribution: id(),
        created: Timestamp(0),
        revision: Revision(revision),
        caller_reference: revision.to_string(),
        paths: vec!["/*".to_owned()],
        items: Vec::new(),
        mode: InvalidationMode::Refetch,
        origin: InvalidationOrigin::default(),
    };
    view.apply(Revision(revision), Fact::Invalidation(Arc::new(record)));
}

fn complete(view: &mut View, through: u64) {
    let next = Revision(view.revision().0 + 1);
    view.apply(next, Fact::CompletedThrough(Revision(through)));
}

fn at(name: &str, applied: u64) -> Position {
    Position {
        name: name.to_owned(),
        tier: "pop",
        counts: Counts::WithProcess,
        applied: Revision(applied),
        details: NodeDetails::default(),
    }
}

fn report(node: &str, epoch: u64, responses: u64) -> NodeReport {
    let coverage = Coverage {
        responses,
        bytes: 10 * responses,
    };
    NodeReport {
        node: node.into(),
        report: CoverageReport {
            epoch: Revision(epoch),
            coverage,
        },
    }
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn moment(secs: u64) -> (Timestamp, Duration) {
    (Timestamp(secs as i64 * 1_000), Duration::from_secs(secs))
}

/// What is written down, as `epoch node responses`.
fn written(followed: &mut Followed, positions: &[Position], uptime: Duration) -> Vec<String> {
    let due = followed.due(positions, uptime);
    let of = |(_, record): &(Arc<InvalidationRecord>, AuditRecord)| {
        let nodes = record.nodes.iter().map(|(name, node)| {
            let responses = node
                .coverage
                .map_or("-".to_owned(), |coverage| coverage.responses.to_string());
            format!("{name}={responses}")
        });
        format!("{} {}", record.epoch, nodes.collect::<Vec<_>>().join(" "))
    };
    due.iter().map(of).collect()
}

#[test]
fn an_audit_is_written_when_it_is_completed_and_every_node_has_counted() {
    let (mut view, mut followed) = (view(), Followed::default());
    invalidate(&mut view, 2);
    let positions = [at("a", 2), at("b", 1)];
    followed.note(&view, &positions, moment(1));
    followed.note_report(report("a", 2, 3), secs(1));
    assert!(written(&mut followed, &positions, secs(1)).is_empty());
    let positions = [at("a", 2), at("b", 2)];
    complete(&mut view, 2);
    followed.note(&view, &positions, moment(4));
    assert!(
        written(&mut followed, &positions, secs(4)).is_empty(),
        "b has not counted"
    );
    followed.note_report(report("b", 2, 0), secs(4));
    let audit = followed.audits[&Revision(2)].record.clone();
    assert_eq!(written(&mut followed, &positions, secs(4)), ["2 a=3 b=0"]);
    assert_eq!(audit.completed, Some(Timestamp(4_000)));
    assert_eq!(audit.nodes["a"].applied, Some(Timestamp(1_000)));
    assert_eq!(audit.nodes["b"].applied, Some(Timestamp(4_000)));
    assert!(followed.audits.is_empty(), "nothing more is expected");
}

#[test]
fn a_node_that_does_not_count_delays_the_others_for_a_while_and_is_added_later() {
    let (mut view, mut followed) = (view(), Followed::default());
    invalidate(&mut view, 2);
    complete(&mut view, 2);
    let positions = [at("a", 3), at("b", 3)];
    followed.note(&view, &positions, moment(1));
    followed.note_report(report("a", 2, 3), secs(1));
    assert!(written(&mut followed, &positions, secs(10)).is_empty());
    assert_eq!(followed.wait(secs(10)), Some(secs(1)));
    assert_eq!(written(&mut followed, &positions, secs(11)), ["2 a=3 b=-"]);
    followed.note_report(report("b", 2, 4), secs(60));
    assert_eq!(written(&mut followed, &positions, secs(60)), ["2 a=3 b=4"]);
}

#[test]
fn what_is_never_counted_is_not_followed_for_ever() {
    let (mut view, mut followed) = (view(), Followed::default());
    invalidate(&mut view, 2);
    complete(&mut view, 2);
    let positions = [at("a", 3)];
    followed.note(&view, &positions, moment(1));
    assert!(written(&mut followed, &positions, secs(900)).is_empty());
    assert_eq!(followed.audits.len(), 1);
    assert!(written(&mut followed, &positions, secs(901)).is_empty());
    assert!(followed.audits.is_empty());
}

#[test]
fn a_node_may_count_before_this_plane_knows_of_the_invalidation() {
    let (mut view, mut followed) = (view(), Followed::default());
    let positions = [at("a", 2)];
    followed.note(&view, &positions, moment(1));
    followed.note_report(report("a", 2, 3), secs(1));
    invalidate(&mut view, 2);
    complete(&mut view, 2);
    followed.note(&view, &positions, moment(2));
    assert_eq!(written(&mut followed, &positions, secs(2)), ["2 a=3"]);
}

#[test]
fn only_so_many_are_followed() {
    let (mut view, mut followed) = (view(), Followed::default());
    for revision in 0..=FOLLOWED_MAX as u64 {
        invalidate(&mut view, 2 + revision);
    }
    followed.note(&view, &[], moment(1));
    assert_eq!(followed.audits.len(), FOLLOWED_MAX);
    assert!(!followed.audits.contains_key(&Revision(2)));
}
