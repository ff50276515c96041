use crate::label::Label;
use crate::state::{ENTRIES_MAX, Entry, LOST, Phase, Sweep};
use crate::step::{Steps, bit, responses};

impl Steps<'_> {
    /// Commits, delivery, trimming, restoring.
    pub(super) fn journal(&mut self) {
        self.create();
        for node in 0..self.instance.n_nodes() {
            if self.instance.slow_publish {
                self.publish(node);
            } else {
                self.apply(node);
            }
        }
        if self.instance.lagging_view {
            self.view();
        }
        if self.instance.trim {
            self.trim();
        }
        if self.instance.restore {
            self.restore();
        }
    }

    fn create(&mut self) {
        let is_join = |entry: &&Entry| matches!(entry, Entry::Join(_));
        let head = usize::from(self.from.journal.head);
        let n_joins = self.from.journal.entries[..head].iter().filter(is_join).count();
        if head - n_joins >= usize::from(self.instance.entries) {
            return;
        }
        for &kind in self.instance.kinds {
            if let Some(state) = self.committed(kind) {
                self.goes(Label::Create(kind), state);
            }
        }
    }

    /// The state with one entry more. The truth is kept here: what is created now is newer than every fetch that has begun.
    pub(super) fn committed(&self, entry: Entry) -> Option<crate::State> {
        let mut state = self.from;
        if usize::from(state.journal.head) == ENTRIES_MAX {
            return None;
        }
        state.journal.entries[usize::from(state.journal.head)] = entry;
        state.journal.head += 1;
        let new = bit(state.journal.head);
        for response in responses(&mut state).filter(|response| entry.covers(response.tagged)) {
            response.missed |= new;
        }
        for fetch in state.nodes.iter_mut().flat_map(|node| &mut node.fetches) {
            if fetch.phase == Phase::Asked && is_invalidation(entry) {
                fetch.since |= new;
            }
        }
        Some(state)
    }

    /// In order, and with the epoch.
    fn apply(&mut self, place: usize) {
        let journal = self.from.journal;
        let node = self.from.nodes[place];
        if !node.loaded || node.applied == journal.head {
            return;
        }
        let next = node.applied + 1;
        if next <= journal.deleted {
            return self.gap(place);
        }
        let mut state = self.from;
        state.nodes[place].applied = next;
        if is_invalidation(journal.entries[usize::from(next) - 1]) {
            state.nodes[place].index |= bit(next);
        }
        self.goes(Label::Apply(place), state);
    }

    /// The entry and the epoch one after the other.
    fn publish(&mut self, place: usize) {
        let journal = self.from.journal;
        let node = self.from.nodes[place];
        let mut state = self.from;
        let pending = node.applied;
        if !self.rules.entry_before_epoch
            && pending > node.floor
            && node.index & bit(pending) == 0
            && is_invalidation(journal.entries[usize::from(pending) - 1])
        {
            state.nodes[place].index |= bit(pending);
            return self.goes(Label::Publish(place, "the entry"), state);
        }
        if !node.loaded || node.applied == journal.head {
            return;
        }
        let next = node.applied + 1;
        let has_entry = is_invalidation(journal.entries[usize::from(next) - 1]);
        if self.rules.entry_before_epoch && has_entry && node.index & bit(next) == 0 {
            state.nodes[place].index |= bit(next);
            return self.goes(Label::Publish(place, "the entry"), state);
        }
        state.nodes[place].applied = next;
        self.goes(Label::Publish(place, "the epoch"), state);
    }

    fn view(&mut self) {
        let mut state = self.from;
        if state.journal.view == state.journal.head {
            return;
        }
        if let Entry::Join(node) = state.journal.entries[usize::from(state.journal.view)] {
            let node = &mut state.nodes[usize::from(node)];
            node.member = true;
            node.age_at_control = 0;
        }
        state.journal.view += 1;
        self.goes(Label::View, state);
    }

    /// In two steps: the trim key, and the deletion.
    fn trim(&mut self) {
        let journal = self.from.journal;
        let durable = if self.rules.trim_below_durable {
            self.durable()
        } else {
            journal.head
        };
        let (done, pending) = if self.rules.trim_key_first {
            (journal.trim, journal.deleted)
        } else {
            (journal.deleted, journal.trim)
        };
        let mut state = self.from;
        if done > pending {
            if self.rules.trim_key_first {
                state.journal.deleted = done;
                self.goes(Label::Trim(done, "entries are deleted up to"), state);
            } else {
                state.journal.trim = done;
                self.goes(Label::Trim(done, "the trim key is"), state);
            }
            return;
        }
        for to in done + 1..=durable {
            let mut state = self.from;
            if self.rules.trim_key_first {
                state.journal.trim = to;
                self.goes(Label::Trim(to, "the trim key is"), state);
            } else {
                state.journal.deleted = to;
                self.goes(Label::Trim(to, "entries are deleted up to"), state);
            }
        }
    }

    /// The as-of below which no node has, or will write, a response: on disk, in memory, or arriving with a stamp that no
    /// check will raise any more. POPs that are no members do not hold it up.
    fn durable(&self) -> u8 {
        let nodes = self.from.nodes[..self.instance.n_nodes()].iter().enumerate();
        let counted = nodes.filter(|(place, node)| node.member || !self.instance.is_pop(*place));
        let of_node = |node: &crate::state::Node| {
            let arriving = node
                .fetches
                .iter()
                .filter(|fetch| fetch.phase == Phase::Streaming)
                .filter_map(|fetch| fetch.response);
            let kept = node.store.into_iter().chain(node.disk).chain(arriving);
            kept.map(|response| response.as_of)
                .chain([node.applied])
                .min()
                .unwrap_or(0)
        };
        let durable = counted.map(|(_, node)| of_node(node)).min();
        durable.unwrap_or(self.from.journal.head)
    }

    /// A new incarnation: control is new too, so it has waited until no node has a lease.
    fn restore(&mut self) {
        let journal = self.from.journal;
        let nodes = &self.from.nodes[..self.instance.n_nodes()];
        let leased = nodes[..usize::from(self.instance.pops)].iter().any(|pop| pop.lease);
        if journal.restored || leased || self.from.probe.is_some() {
            return;
        }
        for head in 0..journal.head {
            let mut state = self.from;
            let kept = ((1_u16 << head) - 1) as u8;
            let was_completed = ((1_u16 << journal.completed) - 1) as u8;
            for response in responses(&mut state) {
                let lost = response.missed & was_completed & !kept != 0;
                response.restored |= !self.rules.set_back_is_new_incarnation;
                response.missed = response.missed & (kept | LOST) | if lost { LOST } else { 0 };
            }
            for entry in &mut state.journal.entries[usize::from(head)..] {
                *entry = Entry::None;
            }
            state.journal.head = head;
            state.journal.completed = journal.completed.min(head);
            state.journal.view = journal.view.min(head);
            state.journal.restored = true;
            for node in &mut state.nodes[..self.instance.n_nodes()] {
                node.loaded = false;
                node.restored |= !self.rules.set_back_is_new_incarnation;
                node.joining = 0;
                node.applied = 0;
                node.index = 0;
                node.raise = None;
                node.sweep = None::<Sweep>;
                node.fetches = Default::default();
            }
            self.goes(Label::Restore(head), state);
        }
    }
}

pub(super) fn is_invalidation(entry: Entry) -> bool {
    matches!(entry, Entry::Url | Entry::Tag)
}
