use warmfront_protocol::{Instance, Outcome, Rules, explore};

const STATES_MAX: usize = 4_000_000;

/// Without the rule, the instance breaks in at most so many steps. Run with `--nocapture` to read how.
const NEEDED: &[(&str, &str, usize)] = &[
    ("stamp_before_asking", "smallest", 6),
    ("confirm_only_what_was_asked", "revalidate", 15),
    ("smallest_of_parts", "parts", 10),
    ("check_every_hit", "smallest", 7),
    ("check_tags", "publish", 7),
    ("raise_only_what_was_checked", "publish", 13),
    ("raise_to_epoch_read_before", "publish", 13),
    ("entry_before_epoch", "publish", 6),
    ("join_requires_url", "smallest", 6),
    ("join_requires_tags", "publish", 7),
    ("parent_stamps_within_applied", "tier-fenced", 8),
    ("child_keeps_parents_as_of", "tier-revalidate", 9),
    ("child_checks_on_arrival", "tier-tags", 8),
    ("child_checks_tags_on_arrival", "tier-tags", 8),
    ("stale_is_marked", "tier-revalidate", 9),
    ("covered_is_never_served_stale", "smallest", 7),
    ("fenced_serves_nothing_stale", "fenced", 8),
    ("judge_from_view", "view", 10),
    ("every_member", "two-pops", 6),
    ("drop_after_drift", "clocks", 7),
    ("drop_after_lease", "clocks", 6),
    ("fence_early", "clocks", 8),
    ("clock_counts_suspension", "clocks", 8),
    ("lease_is_never_cached", "clocks", 8),
    ("new_control_waits", "clocks", 7),
    ("absence_is_current", "clocks", 11),
    ("renewal_is_conditional", "clocks", 9),
    ("lease_of_one_life", "disk", 10),
    ("rejoin_after_lapse", "fenced", 8),
    ("join_at_start", "disk", 8),
    ("wait_for_own_join", "fenced", 8),
    ("lease_needs_join_record", "gaps", 10),
    ("gap_means_rejoin", "gaps", 6),
    ("disk_is_whole", "disk", 17),
    ("incarnation_counts", "restore", 13),
    ("set_back_is_new_incarnation", "restore", 13),
    ("load_invalidations", "gaps", 9),
    ("load_trim_key", "trim", 15),
    ("trim_key_first", "trim", 14),
    ("trim_below_durable", "loss", 8),
    ("fenced_asks_origin", "fenced", 8),
    ("fenced_asks_no_parent", "tier-fenced", 9),
    ("fenced_joins_newer", "fenced", 7),
    ("sweep_checks", "sweep", 9),
    ("forget_what_was_swept", "sweep", 11),
    ("forget_raises_floor", "sweep", 9),
];

/// Rules that no answer depends on: they save fetches. For each an instance that could show the contrary.
const KEPT_FOR_COST: &[(&str, &str)] = &[
    ("stamp_of_own_snapshot", "tags"),
    ("keep_newer", "tags"),
    ("raise_never_lowers", "tags"),
    ("parent_keeps_min_epoch", "tier"),
    ("parent_checks", "tier-tags"),
    ("sweep_removes_covered", "sweep"),
];

fn without(rule: &str) -> Rules {
    Rules::without(rule).unwrap_or_else(|| panic!("there is no rule {rule}"))
}

/// Explores with every state for itself, so that the trace's names stay the same throughout.
fn found(rules: &Rules, instance: &str) -> Outcome {
    let mut instance = *Instance::named(instance).expect("the instance exists");
    instance.symmetry = false;
    explore(&instance, rules, STATES_MAX)
}

fn breaks(rules: &Rules, what: &str, instance: &str, steps_max: usize) {
    match found(rules, instance) {
        Outcome::Broken(trace) => {
            println!(
                "without {what}, {instance} breaks in {} steps, after {} states:\n{trace}",
                trace.steps.len(),
                trace.states
            );
            assert!(
                trace.steps.len() <= steps_max,
                "without {what}: {} steps",
                trace.steps.len()
            );
        }
        holds => panic!("without {what}, {instance} still holds: {holds:?}"),
    }
}

#[test]
fn without_a_rule_a_stale_answer_comes_out() {
    for (rule, instance, steps_max) in NEEDED {
        breaks(&without(rule), rule, instance, *steps_max);
    }
}

#[test]
fn without_what_only_saves_fetches_no_stale_answer_comes_out() {
    for (rule, instance) in KEPT_FOR_COST {
        let outcome = found(&without(rule), instance);
        assert!(matches!(outcome, Outcome::Holds { .. }), "without {rule}: {outcome:?}");
    }
}

/// The min-epoch alone is enough for paths, the check on arrival is enough for everything: without either, nothing is.
#[test]
fn min_epoch_and_the_check_on_arrival_stand_in_for_each_other() {
    let mut rules = without("child_checks_on_arrival");
    let outcome = found(&rules, "tier-fenced");
    assert!(matches!(outcome, Outcome::Holds { .. }), "{outcome:?}");
    rules.parent_keeps_min_epoch = false;
    breaks(&rules, "min-epoch and the check on arrival", "tier-fenced", 8);
}

#[test]
fn every_rule_is_needed_or_known_not_to_be() {
    for (rule, ..) in Rules::ALL {
        let needed = NEEDED.iter().filter(|(name, ..)| name == rule).count();
        let kept = KEPT_FOR_COST.iter().filter(|(name, _)| name == rule).count();
        assert_eq!(needed + kept, 1, "{rule}");
    }
    assert_eq!(Rules::ALL.len(), NEEDED.len() + KEPT_FOR_COST.len());
}
