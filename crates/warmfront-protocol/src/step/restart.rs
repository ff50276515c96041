use crate::label::Label;
use crate::state::{Node, Phase};
use crate::step::journal::is_invalidation;
use crate::step::{Steps, bit};

impl Steps<'_> {
    /// Crashes, loading, gaps.
    pub(super) fn restarts(&mut self, place: usize) {
        if self.from.crashes > 0 {
            self.crash(place);
        }
        if !self.from.nodes[place].loaded {
            self.load(place);
        } else if self.instance.gaps && self.from.lapses > 0 && self.from.nodes[place].applied < self.from.journal.head
        {
            self.gap(place);
        }
    }

    fn crash(&mut self, place: usize) {
        if self.from.probe.is_some_and(|probe| usize::from(probe.pop) == place) {
            return;
        }
        let mut state = self.from;
        state.crashes -= 1;
        let node = state.nodes[place];
        state.nodes[place] = Node {
            disk: node.disk,
            store: node.disk,
            member: node.member,
            lease: node.lease && (!self.instance.is_pop(place) || !self.rules.lease_of_one_life),
            age: node.age,
            age_at_control: node.age_at_control,
            was_absent: true,
            ..Node::default()
        };
        // What children had asked of it is lost.
        for fetch in state.nodes.iter_mut().flat_map(|node| &mut node.fetches) {
            if fetch.phase == Phase::AtParent && fetch.parent == Some(place as u8) {
                fetch.phase = Phase::Planned;
                fetch.at_parent = Default::default();
            }
        }
        self.goes(Label::Crash(place), state);
    }

    /// What it loads may be behind the journal's head: a starting node asks any replica.
    fn load(&mut self, place: usize) {
        let journal = self.from.journal;
        for applied in journal.trim..=journal.head {
            self.load_up_to(place, applied);
        }
    }

    fn load_up_to(&mut self, place: usize, applied: u8) {
        let journal = self.from.journal;
        let mut state = self.from;
        let node = &mut state.nodes[place];
        let is_new_incarnation = node.restored != journal.restored;
        let floor_before = if is_new_incarnation { 0 } else { node.floor };
        node.loaded = true;
        if !self.rules.set_back_is_new_incarnation {
            node.store = node.store.filter(|stored| stored.as_of <= journal.head);
        }
        node.restored = journal.restored;
        node.applied = applied;
        node.floor = if self.rules.load_trim_key {
            floor_before.max(journal.trim)
        } else {
            floor_before
        };
        node.index = 0;
        if self.rules.load_invalidations {
            node.index = (journal.deleted + 1..=applied)
                .filter(|&revision| revision > node.floor)
                .filter(|&revision| is_invalidation(journal.entries[usize::from(revision) - 1]))
                .map(bit)
                .fold(0, |all, one| all | one);
        }
        if self.instance.is_pop(place) {
            node.lease |= !self.rules.join_at_start;
        } else {
            node.lease = true;
        }
        let after = *node;
        if self.instance.watch_loss && after.member && self.is_lost(&after) {
            return self.ends(Label::Lost(place), true);
        }
        self.goes(Label::Load(place), state);
    }

    /// Whether the node counts a response as covered although no entry after its as-of covers it.
    fn is_lost(&self, node: &Node) -> bool {
        let journal = self.from.journal;
        node.store.is_some_and(|stored| {
            let covered = (stored.as_of + 1..=journal.head)
                .any(|revision| journal.entries[usize::from(revision) - 1].covers(stored.tagged));
            stored.restored == node.restored && !covered && !self.passes(node, self.required_of_hits(node), &stored)
        })
    }

    /// The next entry does not come: it is deleted already, or the watch has lost it.
    pub(super) fn gap(&mut self, place: usize) {
        let mut state = self.from;
        let is_deleted = state.nodes[place].applied < state.journal.deleted;
        if !is_deleted {
            state.lapses -= 1;
        }
        let node = &mut state.nodes[place];
        if self.rules.gap_means_rejoin {
            node.loaded = false;
            node.joining = 0;
            node.sweep = None;
            if self.instance.is_pop(place) {
                node.lease = false;
                node.was_absent = true;
            }
        } else {
            node.applied += 1;
        }
        self.goes(Label::Gap(place), state);
    }
}
