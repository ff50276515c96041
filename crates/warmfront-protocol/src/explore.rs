use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::bits::{Bits, Packed};
use crate::label::Label;
use crate::state::State;
use crate::step::{Next, Verdict, steps};
use crate::{Instance, Rules};

/// What an exploration found.
#[derive(Debug)]
pub enum Outcome {
    /// Every reachable state was visited, and the property holds in all of them.
    Holds {
        /// How many there are.
        states: usize,
        /// The length of the longest shortest way to one.
        depth: usize,
    },
    /// A shortest way to break the property.
    Broken(Trace),
    /// There are more states than were allowed for.
    TooMany {
        /// How many were visited.
        states: usize,
        /// How deep: no counterexample is shorter.
        depth: usize,
    },
}

/// A way from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What happened, in order.
    pub steps: Vec<Label>,
    /// How many states were visited before it was found.
    pub states: usize,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, label) in self.steps.iter().enumerate() {
            writeln!(f, "{:>3}. {label}", number + 1)?;
        }
        Ok(())
    }
}

/// Visits every state that `instance` reaches under `rules`, nearest first, until the property breaks or there are more
/// than `states_max`.
///
/// States are kept whole, never as fingerprints, so nothing is passed over by chance.
pub fn explore(instance: &Instance, rules: &Rules, states_max: usize) -> Outcome {
    let mut seen = Seen::new(instance.n_nodes());
    seen.insert(&instance.beginning(), 0);
    let mut depth = 0;
    let mut layer = 0..1;
    while !layer.is_empty() {
        for at in layer.clone() {
            for next in steps(instance, rules, &seen.state(at)) {
                match next.verdict {
                    Verdict::Goes => seen.insert(&next.state, at),
                    Verdict::Answered => {}
                    Verdict::Broken => return Outcome::Broken(seen.trace(instance, rules, at, &next)),
                }
            }
        }
        layer = layer.end..seen.len();
        depth += usize::from(!layer.is_empty());
        if seen.len() > states_max {
            return Outcome::TooMany {
                states: seen.len(),
                depth,
            };
        }
    }
    Outcome::Holds {
        states: seen.len(),
        depth,
    }
}

/// The states visited, in the order they were found, and from which.
pub(crate) struct Seen {
    n_nodes: usize,
    states: Vec<Packed>,
    parents: Vec<u32>,
    table: Vec<u32>,
    hasher: FixedState,
}

const EMPTY: u32 = u32::MAX;

impl Seen {
    pub(crate) fn new(n_nodes: usize) -> Seen {
        Seen {
            n_nodes,
            states: Vec::new(),
            parents: Vec::new(),
            table: vec![EMPTY; 1 << 12],
            hasher: FixedState::with_seed(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    pub(crate) fn state(&self, at: usize) -> State {
        let mut state = State::default();
        state.code(&mut Bits::reader(&self.states[at]), self.n_nodes);
        state
    }

    pub(crate) fn insert(&mut self, state: &State, parent: usize) {
        let packed = self.pack(state);
        let place = self.place(&packed);
        if self.table[place] != EMPTY {
            return;
        }
        self.table[place] = u32::try_from(self.states.len()).unwrap_or(EMPTY);
        self.states.push(packed);
        self.parents.push(u32::try_from(parent).unwrap_or(EMPTY));
        if self.states.len() * 2 > self.table.len() {
            self.grow();
        }
    }

    /// Where a state is, if it has been visited.
    pub(crate) fn find(&self, state: &State) -> Option<usize> {
        let at = self.table[self.place(&self.pack(state))];
        (at != EMPTY).then_some(at as usize)
    }

    fn pack(&self, state: &State) -> Packed {
        let mut bits = Bits::writer();
        let mut state = *state;
        state.code(&mut bits, self.n_nodes);
        bits.packed()
    }

    fn place(&self, packed: &Packed) -> usize {
        let mask = self.table.len() - 1;
        let mut place = self.hasher.hash_one(packed) as usize & mask;
        while self.table[place] != EMPTY && self.states[self.table[place] as usize] != *packed {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        self.table = vec![EMPTY; self.table.len() * 2];
        let mask = self.table.len() - 1;
        for (at, packed) in self.states.iter().enumerate() {
            let mut place = self.hasher.hash_one(packed) as usize & mask;
            while self.table[place] != EMPTY {
                place = (place + 1) & mask;
            }
            self.table[place] = at as u32;
        }
    }

    fn trace(&self, instance: &Instance, rules: &Rules, at: usize, last: &Next) -> Trace {
        let mut trace = self.way_to(instance, rules, at);
        trace.steps.push(last.label);
        trace
    }

    pub(crate) fn way_to(&self, instance: &Instance, rules: &Rules, mut at: usize) -> Trace {
        let mut labels = Vec::new();
        while at != 0 {
            let parent = self.parents[at] as usize;
            let wanted = self.states[at];
            let taken = steps(instance, rules, &self.state(parent))
                .into_iter()
                .find(|next| next.verdict == Verdict::Goes && self.pack(&next.state) == wanted);
            labels.extend(taken.map(|next| next.label));
            at = parent;
        }
        labels.reverse();
        Trace {
            steps: labels,
            states: self.len(),
        }
    }
}
