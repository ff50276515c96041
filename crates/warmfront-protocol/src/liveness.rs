use crate::explore::{Seen, Trace};
use crate::step::{Verdict, steps};
use crate::{Instance, Label, Rules, State};

/// Whether something can always still be reached.
#[derive(Debug)]
pub enum Liveness {
    /// From every reachable state.
    Always {
        /// How many there are.
        states: usize,
    },
    /// Not from the state at the end of this trace.
    Stuck(Trace),
    /// There are more states than were allowed for, or the property of safety breaks first.
    Unknown,
}

/// Whether from every state that `instance` reaches, steps that are `allowed` lead to one that is the `goal`.
/// Answering the watched request leads to it too.
pub fn can_always(
    instance: &Instance,
    rules: &Rules,
    states_max: usize,
    allowed: impl Fn(&Label) -> bool,
    goal: impl Fn(&State) -> bool,
) -> Liveness {
    let mut seen = Seen::new(instance.n_nodes());
    seen.insert(&instance.beginning(), 0);
    let mut ways: Vec<(u32, u32)> = Vec::new();
    let mut reaching: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < seen.len() {
        let state = seen.state(at);
        let mut is_goal = goal(&state);
        for next in steps(instance, rules, &state) {
            match next.verdict {
                Verdict::Broken => return Liveness::Unknown,
                Verdict::Answered => is_goal |= allowed(&next.label),
                Verdict::Goes => {
                    seen.insert(&next.state, at);
                    if let Some(to) = seen.find(&next.state).filter(|_| allowed(&next.label)) {
                        ways.push((to as u32, at as u32));
                    }
                }
            }
        }
        reaching.push(is_goal);
        at += 1;
        if seen.len() > states_max {
            return Liveness::Unknown;
        }
    }
    spread(&mut reaching, ways);
    match reaching.iter().position(|reaches| !reaches) {
        None => Liveness::Always { states: seen.len() },
        Some(stuck) => Liveness::Stuck(seen.way_to(instance, rules, stuck)),
    }
}

/// Backwards from the goals. Each way is (to, from).
fn spread(reaching: &mut [bool], mut ways: Vec<(u32, u32)>) {
    ways.sort_unstable();
    let mut pending: Vec<u32> = (0..reaching.len() as u32).filter(|&at| reaching[at as usize]).collect();
    while let Some(to) = pending.pop() {
        let first = ways.partition_point(|way| way.0 < to);
        for &(_, from) in ways[first..].iter().take_while(|way| way.0 == to) {
            if !std::mem::replace(&mut reaching[from as usize], true) {
                pending.push(from);
            }
        }
    }
}
