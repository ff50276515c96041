//! What can happen in a state: every step, its guard and its effect.

mod fetch;
mod journal;
mod member;
mod parent;
mod probe;
mod restart;
mod store;

use crate::label::Label;
use crate::state::{Entry, LOST, Node, Phase, Required, Response, State};
use crate::{Instance, Rules};

/// A step and where it leads.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    /// What happened.
    pub label: Label,
    /// The state afterwards.
    pub state: State,
    /// What the step amounts to.
    pub verdict: Verdict,
}

/// What a step amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The system goes on.
    Goes,
    /// The watched request is answered, with nothing that it must not be answered with. Nothing follows: whatever the
    /// system does without that request, it also does from a state in which the request never came.
    Answered,
    /// The property is broken.
    Broken,
}

/// The steps out of one state.
pub(crate) struct Steps<'a> {
    instance: &'a Instance,
    rules: &'a Rules,
    from: State,
    next: Vec<Next>,
}

/// Every step that `rules` allow in `state`, and where it leads.
pub fn steps(instance: &Instance, rules: &Rules, state: &State) -> Vec<Next> {
    let mut steps = Steps {
        instance,
        rules,
        from: *state,
        next: Vec::new(),
    };
    steps.journal();
    for node in 0..instance.n_nodes() {
        steps.fetches(node);
        steps.stored(node);
        steps.restarts(node);
        if instance.is_pop(node) {
            steps.memberships(node);
        }
    }
    steps.control();
    steps.probe();
    steps.next
}

impl Steps<'_> {
    fn goes(&mut self, label: Label, mut state: State) {
        self.settle(&mut state);
        self.next.push(Next {
            label,
            state,
            verdict: Verdict::Goes,
        });
    }

    fn ends(&mut self, label: Label, is_broken: bool) {
        self.next.push(Next {
            label,
            state: self.from,
            verdict: if is_broken { Verdict::Broken } else { Verdict::Answered },
        });
    }

    /// Raises the watermark as far as it may go: nothing in the protocol waits for it, and the higher it is, the more the
    /// property asks for. Then picks one of the states that differ only in names.
    fn settle(&self, state: &mut State) {
        let journal = &mut state.journal;
        if !self.instance.lagging_view {
            journal.view = journal.head;
        }
        let pops = &state.nodes[..usize::from(self.instance.pops)];
        let applied = pops.iter().filter(|pop| pop.member).map(|pop| pop.applied);
        let through = if self.rules.every_member {
            applied.min()
        } else {
            applied.max()
        };
        let through = match through {
            Some(through) if self.rules.judge_from_view => through.min(journal.view),
            Some(through) => through,
            None if self.rules.judge_from_view => journal.view,
            None => journal.head,
        };
        journal.completed = journal.completed.max(through);
        if self.rules.absence_is_current {
            state.nodes.iter_mut().for_each(|node| node.was_absent = false);
        }
        self.canonical(state);
    }

    fn canonical(&self, state: &mut State) {
        for place in 0..self.instance.n_nodes() {
            let fetches = &mut state.nodes[place].fetches;
            if self.instance.fetches == 2 && fetches[0] > fetches[1] {
                fetches.swap(0, 1);
                if let Some(probe) = &mut state.probe
                    && usize::from(probe.pop) == place
                    && let Some((slot, _)) = &mut probe.waits
                {
                    *slot = 1 - *slot;
                }
            }
        }
        if self.instance.pops == 2 && self.instance.symmetry {
            let mut twin = *state;
            twin.nodes.swap(0, 1);
            for entry in &mut twin.journal.entries {
                if let Entry::Join(node) = entry {
                    *node = 1 - *node;
                }
            }
            if let Some(probe) = &mut twin.probe {
                probe.pop = 1 - probe.pop;
            }
            *state = twin.min(*state);
        }
    }

    /// What the index of a node requires now.
    fn required(&self, node: &Node) -> Required {
        let newest = |wanted: Entry| {
            let held = (1..=self.from.journal.head).rev().find(|&revision| {
                node.index & bit(revision) != 0 && self.from.journal.entries[usize::from(revision) - 1] == wanted
            });
            held.unwrap_or(0)
        };
        Required {
            url: newest(Entry::Url).max(node.floor),
            tag: newest(Entry::Tag),
        }
    }

    /// What a hit is checked against.
    fn required_of_hits(&self, node: &Node) -> Required {
        let required = self.required(node);
        Required {
            tag: if self.rules.check_tags { required.tag } else { 0 },
            ..required
        }
    }

    /// Whether a stored response may be used.
    fn passes(&self, node: &Node, required: Required, response: &Response) -> bool {
        let same_incarnation = response.restored == node.restored || !self.rules.incarnation_counts;
        !self.rules.check_every_hit || same_incarnation && required.of(response.tagged) <= response.as_of
    }
}

/// The bit of a revision, which is at least 1.
fn bit(revision: u8) -> u8 {
    1 << (revision - 1)
}

/// The invalidations among `entries` that cover a response.
fn covering(state: &State, since: u8, tagged: bool) -> u8 {
    (1..=state.journal.head)
        .filter(|&revision| state.journal.entries[usize::from(revision) - 1].covers(tagged))
        .map(bit)
        .fold(0, |all, one| all | one)
        & since
}

/// The invalidations that read Completed with the watermark at `completed`.
fn completed_bits(completed: u8) -> u8 {
    LOST | ((1_u16 << completed) - 1) as u8
}

/// Every response there is: stored, on disk, arriving.
fn responses(state: &mut State) -> impl Iterator<Item = &mut Response> {
    state.nodes.iter_mut().flat_map(|node| {
        let arriving = node.fetches.iter_mut().filter_map(|fetch| fetch.response.as_mut());
        node.store.iter_mut().chain(node.disk.iter_mut()).chain(arriving)
    })
}

/// The key holds another response now, or none: whoever has the old one in hand has another one.
fn replace(node: &mut Node, with: Option<Response>) {
    node.store = with;
    if let Some(raise) = &mut node.raise {
        raise.same = false;
    }
    for fetch in &mut node.fetches {
        fetch.same = false;
    }
}

fn free_slot(node: &Node, fetches: u8) -> Option<usize> {
    node.fetches[..usize::from(fetches)]
        .iter()
        .rposition(|fetch| fetch.phase == Phase::Free)
}
