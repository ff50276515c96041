use std::fmt::Debug;

use warmfront_control::mutants as control;
use warmfront_edge::mutants::{Mutant, plant};
use warmfront_simulation::run;

/// Plants a bug into the edge, and looks for a schedule that shows it among the first `n_schedules`.
fn check(mutant: Mutant, n_schedules: u64) {
    plant(Some(mutant));
    look_for(mutant, n_schedules);
    plant(None);
}

/// The same for the control plane.
fn check_control(mutant: control::Mutant, n_schedules: u64) {
    control::plant(Some(mutant));
    look_for(mutant, n_schedules);
    control::plant(None);
}

fn look_for(mutant: impl Debug, n_schedules: u64) {
    let found = (0..n_schedules)
        .map(|seed| run(seed, false))
        .find(|report| !report.violations.is_empty());
    match found {
        Some(report) => println!("{mutant:?}: {report}"),
        None => panic!("{mutant:?} is not found in {n_schedules} schedules"),
    }
}

#[test]
fn a_stamp_taken_when_the_answer_arrives_is_found() {
    check(Mutant::StampAtArrival, 100);
}

#[test]
fn a_stamp_taken_when_a_304_arrives_is_found() {
    check(Mutant::StampAtConfirmation, 300);
}

#[test]
fn joining_whatever_is_in_flight_is_found() {
    check(Mutant::JoinUnchecked, 100);
}

#[test]
fn an_epoch_published_before_its_entry_is_found() {
    check(Mutant::EpochBeforeEntry, 100);
}

#[test]
fn a_gap_that_covers_nothing_is_found() {
    check(Mutant::GapUncovered, 100);
}

#[test]
fn a_disk_without_its_past_is_found() {
    check(Mutant::PastForgotten, 100);
}

#[test]
fn entries_dropped_below_an_old_floor_are_found() {
    check(Mutant::FloorNotRaised, 100);
}

#[test]
fn a_parent_that_is_trusted_is_found() {
    check(Mutant::ParentTrusted, 100);
}

#[test]
fn a_fence_that_nobody_minds_is_found() {
    check(Mutant::FenceIgnored, 100);
}

#[test]
fn joining_while_fenced_is_found() {
    check(Mutant::JoinFenced, 300);
}

#[test]
fn a_lease_without_waiting_for_the_join_is_found() {
    check(Mutant::JoinUnawaited, 300);
}

#[test]
fn a_lease_that_counts_from_its_answer_is_found() {
    check(Mutant::LeaseFromAnswer, 300);
}

#[test]
fn completed_by_the_fastest_is_found() {
    check_control(control::Mutant::FastestDecides, 100);
}

#[test]
fn a_member_that_is_dropped_early_is_found() {
    check_control(control::Mutant::DroppedEarly, 300);
}

#[test]
fn a_control_process_that_drops_whom_it_has_not_heard_of_is_found() {
    check_control(control::Mutant::DroppedAtOnce, 300);
}

#[test]
fn a_token_that_nobody_minds_is_found() {
    check(Mutant::TokenIgnored, 100);
}
