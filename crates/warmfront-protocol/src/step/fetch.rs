use crate::label::Label;
use crate::state::{Fetch, Phase, Response, State};
use crate::step::{Steps, covering, free_slot, replace};

impl Steps<'_> {
    /// A node's fetches: planned by other requests, asked, answered, stored.
    pub(super) fn fetches(&mut self, place: usize) {
        let node = self.from.nodes[place];
        if node.loaded && free_slot(&node, self.instance.fetches).is_some() {
            let stamp = node.applied;
            let required = self.required(&node);
            for (label, state) in self.planned(place, self.leased(&node), stamp, required.url, None) {
                self.goes(label, state);
            }
        }
        for slot in 0..usize::from(self.instance.fetches) {
            match node.fetches[slot].phase {
                Phase::Free => continue,
                Phase::Planned => self.ask(place, slot),
                Phase::Asked => self.origin_answers(place, slot),
                Phase::AtParent => self.parent_answers(place, slot),
                Phase::Returning => self.returns(place, slot),
                Phase::Streaming => self.store(place, slot),
                Phase::Overtaken => {}
            }
            let waited_for = self.waiting(place, slot).is_some();
            if !waited_for {
                let mut state = self.from;
                state.nodes[place].fetches[slot] = Fetch::default();
                let is_over = node.fetches[slot].phase == Phase::Overtaken;
                self.goes(if is_over { Label::End(place) } else { Label::Drop(place) }, state);
            }
        }
    }

    /// The states in which a fetch has been planned; `own` gives the slot to the watched request.
    pub(super) fn planned(
        &self,
        place: usize,
        leased: bool,
        stamp: u8,
        min: u8,
        own: Option<()>,
    ) -> Vec<(Label, State)> {
        let node = &self.from.nodes[place];
        let Some(slot) = free_slot(node, self.instance.fetches) else {
            return Vec::new();
        };
        let mut parents: Vec<Option<u8>> = Vec::new();
        let has_parents = self.instance.is_pop(place) && self.instance.regionals > 0;
        if has_parents && (leased || !self.rules.fenced_asks_no_parent) {
            parents.extend((self.instance.pops..self.instance.pops + self.instance.regionals).map(Some));
        }
        if !has_parents || !leased {
            parents.push(None);
        }
        let copy = node.store.filter(|_| self.instance.revalidate);
        let copies = [Some(None), copy.map(Some)].into_iter().flatten();
        let own_stamp = if self.rules.stamp_of_own_snapshot {
            stamp
        } else {
            self.from.journal.head
        };
        let mut states = Vec::new();
        for copy in copies {
            for &parent in &parents {
                let mut state = self.from;
                state.nodes[place].fetches[slot] = Fetch {
                    phase: Phase::Planned,
                    stamp: if parent.is_some() { 0 } else { own_stamp },
                    parent,
                    min: if parent.is_some() { min } else { 0 },
                    response: copy,
                    conditional: copy.is_some(),
                    same: copy.is_some(),
                    after_probe: parent.is_none() && state.probe.is_some_and(|probe| usize::from(probe.pop) == place),
                    ..Fetch::default()
                };
                if let (Some(()), Some(probe)) = (own, &mut state.probe) {
                    probe.waits = Some((slot as u8, true));
                }
                if !self.instance.slow_dial && !self.asked(&mut state, place, slot) {
                    continue;
                }
                states.push((Label::Plan(place, parent, copy.is_some()), state));
            }
        }
        states
    }

    fn ask(&mut self, place: usize, slot: usize) {
        let mut state = self.from;
        if self.asked(&mut state, place, slot) {
            self.goes(Label::Ask(place), state);
        }
    }

    /// False if the parent is not there.
    fn asked(&self, state: &mut State, place: usize, slot: usize) -> bool {
        let fetch = &mut state.nodes[place].fetches[slot];
        let Some(parent) = fetch.parent else {
            fetch.phase = Phase::Asked;
            return true;
        };
        let parent = &self.from.nodes[usize::from(parent)];
        fetch.phase = Phase::AtParent;
        fetch.at_parent = self.required(parent);
        parent.loaded
    }

    fn origin_answers(&mut self, place: usize, slot: usize) {
        let node = self.from.nodes[place];
        let fetch = node.fetches[slot];
        for (tagged, possible) in [(false, self.instance.untagged), (true, self.instance.tagged)] {
            if possible {
                let as_of = if self.rules.stamp_before_asking {
                    fetch.stamp
                } else {
                    node.applied
                };
                let response = Response {
                    as_of,
                    restored: node.restored,
                    tagged,
                    missed: covering(&self.from, fetch.since, tagged),
                };
                self.arrived(Label::Head(place, tagged), place, slot, response);
            }
        }
        if let Some(copy) = fetch.response {
            let confirmed = Response {
                as_of: copy.as_of.max(fetch.stamp),
                missed: covering(&self.from, fetch.since, copy.tagged),
                ..copy
            };
            self.confirmed(Label::NotModified(place), place, slot, confirmed);
        }
    }

    /// The copy is as good as new; it takes the stamp if the key still holds it.
    pub(super) fn confirmed(&mut self, label: Label, place: usize, slot: usize, confirmed: Response) {
        let mut state = self.from;
        let node = &mut state.nodes[place];
        let same = node.fetches[slot].same;
        if let Some(stored) = &mut node.store {
            if same {
                stored.as_of = stored.as_of.max(confirmed.as_of);
                stored.missed &= confirmed.missed;
            } else if !self.rules.confirm_only_what_was_asked {
                stored.as_of = stored.as_of.max(confirmed.as_of);
            }
        }
        node.fetches[slot] = Fetch::default();
        self.deliver(label, state, place, slot, confirmed);
    }

    /// A head has come, from the origin or, checked, from the parent: it is checked against the newest index, which raises
    /// its as-of or shuts out everyone who did not wait already.
    pub(super) fn arrived(&mut self, label: Label, place: usize, slot: usize, mut response: Response) {
        let mut state = self.from;
        let node = &self.from.nodes[place];
        let passes = self.required(node).of(response.tagged) <= response.as_of;
        if passes {
            response.as_of = response.as_of.max(node.applied);
        }
        let fetch = &mut state.nodes[place].fetches[slot];
        fetch.since = 0;
        fetch.stamp = 0;
        fetch.min = 0;
        fetch.parent = fetch.parent.filter(|_| passes);
        fetch.at_parent = Default::default();
        fetch.conditional = false;
        fetch.same = false;
        fetch.second = false;
        fetch.confirmed = false;
        fetch.response = Some(response);
        fetch.phase = if passes { Phase::Streaming } else { Phase::Overtaken };
        if !passes && self.instance.is_pop(place) {
            *fetch = Fetch::default();
        }
        self.deliver(label, state, place, slot, response);
    }

    fn store(&mut self, place: usize, slot: usize) {
        let Some(response) = self.from.nodes[place].fetches[slot].response else {
            return;
        };
        if self.waiting(place, slot).is_some() {
            return;
        }
        let mut state = self.from;
        let node = &mut state.nodes[place];
        node.fetches[slot] = Fetch::default();
        let newer = |stored: Response| stored.restored == response.restored && stored.as_of > response.as_of;
        if !node.store.is_some_and(newer) || !self.rules.keep_newer {
            replace(node, Some(response));
        }
        self.goes(Label::Store(place), state);
        if self.instance.parts {
            self.add_part(place, slot, response);
        }
    }

    /// Both parts have the same strong validator and the same tags.
    fn add_part(&mut self, place: usize, slot: usize, part: Response) {
        let stored = self.from.nodes[place].store;
        let Some(stored) = stored.filter(|stored| stored.tagged == part.tagged && stored.restored == part.restored)
        else {
            return;
        };
        let smallest = stored.as_of.min(part.as_of);
        let largest = stored.as_of.max(part.as_of);
        let whole = Response {
            as_of: if self.rules.smallest_of_parts {
                smallest
            } else {
                largest
            },
            missed: stored.missed | part.missed,
            ..part
        };
        let mut state = self.from;
        let node = &mut state.nodes[place];
        node.fetches[slot] = Fetch::default();
        replace(node, Some(whole));
        self.goes(Label::AddPart(place), state);
    }
}
