use warmfront_protocol::{Instance, Outcome, Rules, explore};

/// More than any instance has that is explored here.
const STATES_MAX: usize = 4_000_000;

/// The protocol, whole, over every order of steps of the instances of this name.
fn check(names: &[&str]) {
    for name in names {
        let instance = Instance::named(name).expect("the instance exists");
        match explore(instance, &Rules::PROTOCOL, STATES_MAX) {
            Outcome::Holds { states, depth } => println!("{name}: {states} states, {depth} steps deep"),
            Outcome::Broken(trace) => panic!("{name} breaks:\n{trace}"),
            Outcome::TooMany { states, .. } => panic!("{name} has more than {states} states"),
        }
    }
}

#[test]
fn one_pop_fetches_and_forgets() {
    check(&["smallest", "tags", "publish", "parts", "revalidate", "sweep"]);
}

#[test]
fn nodes_restart_with_their_disk() {
    check(&["disk", "trim", "restore"]);
}

#[test]
fn a_restart_loses_nothing_that_no_entry_covers() {
    check(&["loss"]);
}

#[test]
fn leases_lapse_and_watches_break() {
    check(&["gaps", "fenced", "view", "clocks", "two-pops", "two-pops-rejoin"]);
}

#[test]
fn a_pop_asks_a_regional() {
    check(&["tier"]);
}

#[test]
fn tags_are_learned_through_two_tiers() {
    check(&["tier-tags", "tier-revalidate", "tier-fenced", "tier-rejoin"]);
}

#[test]
fn every_checked_instance_is_named_here() {
    let here = include_str!("holds.rs");
    for instance in Instance::CHECKED {
        assert!(
            here.contains(&format!("\"{}\"", instance.name)),
            "{} is explored by no test",
            instance.name
        );
    }
}
