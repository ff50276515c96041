use crate::label::Label;
use crate::state::{Entry, Node};
use crate::step::Steps;

/// A lease, in ticks: a node with one of this age has fenced itself.
const LEASE: u8 = 1;
/// What control waits: the lease and the drift.
const LEASE_AND_DRIFT: u8 = 2;
/// Ages beyond this are all the same.
const AGE_MAX: u8 = 3;

impl Steps<'_> {
    /// Whether a node may trust its cache.
    pub(super) fn leased(&self, node: &Node) -> bool {
        let on_clock = !self.instance.clocks || !self.rules.lease_is_never_cached || node.age < self.fences_at();
        node.loaded && node.lease && on_clock
    }

    fn fences_at(&self) -> u8 {
        if self.rules.fence_early { LEASE } else { AGE_MAX }
    }

    /// What a POP does about its lease.
    pub(super) fn memberships(&mut self, place: usize) {
        let node = self.from.nodes[place];
        if node.lease {
            self.lapse(place);
        }
        if self.instance.clocks && node.loaded && node.lease {
            let finds_its_own = node.member && self.leased(&node);
            if (finds_its_own || !self.rules.renewal_is_conditional) && node.age + node.age_at_control > 0 {
                let mut state = self.from;
                state.nodes[place].age = 0;
                state.nodes[place].age_at_control = 0;
                self.goes(Label::Renew(place), state);
            }
        }
        if node.loaded && !node.lease {
            self.join(place);
            self.take_lease(place);
        }
        self.drop_member(place);
    }

    fn lapse(&mut self, place: usize) {
        let mut state = self.from;
        let node = &mut state.nodes[place];
        if self.instance.clocks {
            if node.age < self.fences_at() || !self.rules.renewal_is_conditional {
                return;
            }
        } else if state.lapses == 0 {
            return;
        } else {
            state.lapses -= 1;
        }
        node.lease = false;
        node.was_absent = true;
        self.goes(Label::Lapse(place), state);
    }

    /// Whether the join record stands: control has not dropped it since its view took it in.
    fn record_stands(&self, node: &Node) -> bool {
        node.joining > 0 && (node.member || self.from.journal.view < node.joining)
    }

    fn join(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let entries = &self.from.journal.entries;
        let n_joins = entries.iter().filter(|entry| matches!(entry, Entry::Join(_))).count();
        if self.record_stands(&node) || n_joins >= usize::from(self.instance.joins) {
            return;
        }
        let Some(mut state) = self.committed(Entry::Join(place as u8)) else {
            return;
        };
        let joining = state.journal.head;
        let node = &mut state.nodes[place];
        node.joining = joining;
        if !self.instance.lagging_view {
            node.member = true;
            node.age_at_control = 0;
        }
        if !self.rules.wait_for_own_join {
            node.lease = true;
            node.joining = 0;
            node.age = 0;
        }
        self.goes(Label::Join(place), state);
    }

    fn take_lease(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let has_joined = node.joining > 0
            && node.applied >= node.joining
            && (self.record_stands(&node) || !self.rules.lease_needs_join_record);
        if !has_joined && self.rules.rejoin_after_lapse {
            return;
        }
        let mut state = self.from;
        let node = &mut state.nodes[place];
        node.lease = true;
        node.joining = 0;
        node.age = 0;
        node.age_at_control = 0;
        self.goes(Label::TakeLease(place), state);
    }

    fn drop_member(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let may_lapse = self.instance.clocks || self.instance.lapses > 0 || self.instance.crashes > 0;
        if !node.member || !may_lapse {
            return;
        }
        let waits_for = if self.rules.drop_after_drift {
            LEASE_AND_DRIFT
        } else {
            LEASE
        };
        let is_over = if self.instance.clocks {
            node.age_at_control >= waits_for
        } else {
            !node.lease
        };
        let seemed_absent = node.was_absent && !self.rules.absence_is_current;
        if is_over || seemed_absent || !self.rules.drop_after_lease {
            let mut state = self.from;
            state.nodes[place].member = false;
            self.goes(Label::DropMember(place), state);
        }
    }

    /// Clocks and control processes.
    pub(super) fn control(&mut self) {
        if !self.instance.clocks {
            return;
        }
        let pops = 0..usize::from(self.instance.pops);
        let mut state = self.from;
        for node in &mut state.nodes[pops.clone()] {
            node.age = AGE_MAX.min(node.age + 1);
            node.age_at_control = AGE_MAX.min(node.age_at_control + 1);
        }
        if state != self.from {
            self.goes(Label::Tick("on all clocks"), state);
        }
        for place in pops.clone() {
            let node = self.from.nodes[place];
            let suspended = !self.rules.clock_counts_suspension;
            let runs_ahead = node.age_at_control == node.age && node.age < AGE_MAX;
            if runs_ahead || (suspended && node.age_at_control < AGE_MAX) {
                let mut state = self.from;
                state.nodes[place].age_at_control += 1;
                self.goes(Label::Tick("a little faster at control than at a node"), state);
            }
        }
        if self.from.lapses > 0 {
            let mut state = self.from;
            state.lapses -= 1;
            for node in &mut state.nodes[pops] {
                node.age_at_control = if self.rules.new_control_waits { 0 } else { AGE_MAX };
            }
            self.goes(Label::NewControl, state);
        }
    }
}
