use warmfront_protocol::{Instance, Label, Liveness, Phase, Rules, State, can_always};

const STATES_MAX: usize = 2_000_000;

fn check(names: &[&str], allowed: fn(&Label) -> bool, goal: fn(&State) -> bool) {
    for name in names {
        let instance = Instance::named(name).expect("the instance exists");
        match can_always(instance, &Rules::PROTOCOL, STATES_MAX, allowed, goal) {
            Liveness::Always { states } => println!("{name}: from each of {states} states"),
            Liveness::Stuck(trace) => panic!("{name} is stuck after:\n{trace}"),
            Liveness::Unknown => panic!("{name} has too many states"),
        }
    }
}

/// What the protocol does by itself, without luck or misfortune from outside, and without giving up a fetch.
fn protocol_alone(label: &Label) -> bool {
    !matches!(
        label,
        Label::Create(_) | Label::Drop(_) | Label::Evict(_) | Label::Crash(_) | Label::Gap(_) | Label::Lapse(_)
    )
}

/// As before, and no new fetch at the POP either; its parent may fetch for it.
fn what_is_under_way(label: &Label) -> bool {
    protocol_alone(label) && !matches!(label, Label::Plan(0, ..) | Label::Arrives(_))
}

fn no_fetch_in_flight(state: &State) -> bool {
    let mut fetches = state.nodes.iter().flat_map(|node| node.fetches);
    fetches.all(|fetch| fetch.phase == Phase::Free)
}

/// The first POP has a response that no invalidation which it can ever learn of makes stale.
fn a_hit_to_come(state: &State) -> bool {
    let pop = &state.nodes[0];
    let hits = |stored: warmfront_protocol::Response| {
        let entries = &state.journal.entries[..usize::from(state.journal.head)];
        let newest = (1..=state.journal.head)
            .rev()
            .find(|&revision| entries[usize::from(revision) - 1].covers(stored.tagged))
            .unwrap_or(0);
        stored.as_of >= newest.max(pop.floor)
    };
    pop.loaded && pop.store.is_some_and(hits)
}

#[test]
fn every_fetch_ends() {
    check(
        &[
            "smallest",
            "publish",
            "revalidate",
            "sweep",
            "fenced",
            "tier-revalidate",
            "tier-fenced",
        ],
        what_is_under_way,
        no_fetch_in_flight,
    );
}

#[test]
fn an_uncovered_response_is_stored_at_last() {
    check(
        &[
            "smallest",
            "publish",
            "revalidate",
            "sweep",
            "disk",
            "fenced",
            "tier-revalidate",
            "tier-fenced",
        ],
        protocol_alone,
        a_hit_to_come,
    );
}

#[test]
fn an_answer_that_never_comes_is_noticed() {
    let instance = Instance::named("smallest").expect("the instance exists");
    let without_answers = |label: &Label| what_is_under_way(label) && !matches!(label, Label::Head(..));
    let found = can_always(
        instance,
        &Rules::PROTOCOL,
        STATES_MAX,
        without_answers,
        no_fetch_in_flight,
    );
    let Liveness::Stuck(trace) = found else {
        panic!("{found:?}");
    };
    assert_eq!(trace.steps, [Label::Plan(0, None, false)]);
}
