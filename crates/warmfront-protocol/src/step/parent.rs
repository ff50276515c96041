use crate::label::Label;
use crate::state::{Fetch, Phase, Response};
use crate::step::Steps;

impl Steps<'_> {
    /// A regional answers a child: from its store, or from a fetch of its own whose head is here.
    pub(super) fn parent_answers(&mut self, place: usize, slot: usize) {
        let fetch = self.from.nodes[place].fetches[slot];
        let Some(parent) = fetch.parent else { return };
        let parent = self.from.nodes[usize::from(parent)];
        if !parent.loaded {
            return;
        }
        let arrived = parent
            .fetches
            .iter()
            .filter(|of_parent| matches!(of_parent.phase, Phase::Streaming | Phase::Overtaken));
        let candidates = arrived
            .filter_map(|of_parent| of_parent.response)
            .map(|response| ("from a fetch of its own", response))
            .chain(parent.store.map(|response| ("from its store", response)));
        for (from, response) in candidates {
            let same_incarnation = response.restored == parent.restored || !self.rules.incarnation_counts;
            let passes = same_incarnation && fetch.at_parent.of(response.tagged) <= response.as_of;
            if !self.rules.stale_is_marked && !passes {
                let as_of = response.as_of.max(parent.applied);
                self.returning(
                    place,
                    slot,
                    "with a stale response as if it were new",
                    Response { as_of, ..response },
                );
            }
            if self.rules.parent_checks && !passes {
                continue;
            }
            let mut response = response;
            if !self.rules.parent_stamps_within_applied {
                response.as_of = response.as_of.max(fetch.min);
            }
            if self.rules.parent_keeps_min_epoch && response.as_of < fetch.min {
                continue;
            }
            self.returning(place, slot, from, response);
        }
    }

    fn returning(&mut self, place: usize, slot: usize, from: &'static str, response: Response) {
        let copy = self.from.nodes[place].fetches[slot].response;
        let mut state = self.from;
        let fetch = &mut state.nodes[place].fetches[slot];
        fetch.phase = Phase::Returning;
        fetch.at_parent = Default::default();
        fetch.response = Some(response);
        fetch.conditional = false;
        fetch.same = false;
        self.goes(Label::ParentAnswers(place, from), state);
        // A 304 from a regional means: the same validator and the same tags.
        if let Some(copy) = copy.filter(|copy| copy.tagged == response.tagged) {
            let mut state = self.from;
            let fetch = &mut state.nodes[place].fetches[slot];
            fetch.phase = Phase::Returning;
            fetch.at_parent = Default::default();
            fetch.confirmed = true;
            fetch.response = Some(Response {
                as_of: copy.as_of.max(response.as_of),
                missed: copy.missed & response.missed,
                restored: response.restored,
                ..copy
            });
            self.goes(Label::ParentAnswers(place, "304"), state);
        }
    }

    /// The answer is at the child, which checks it, asks once more, or goes to the origin itself.
    pub(super) fn returns(&mut self, place: usize, slot: usize) {
        let node = self.from.nodes[place];
        let fetch = node.fetches[slot];
        let Some(mut response) = fetch.response else { return };
        if !self.rules.child_keeps_parents_as_of {
            response.as_of = response.as_of.max(node.applied);
        }
        let required = self.required(&node);
        let checked = if self.rules.child_checks_tags_on_arrival {
            required.of(response.tagged)
        } else {
            required.url
        };
        let same_incarnation = response.restored == node.restored || !self.rules.incarnation_counts;
        if !self.rules.child_checks_on_arrival || (same_incarnation && checked <= response.as_of) {
            if fetch.confirmed {
                self.confirmed(Label::Arrive(place), place, slot, response);
            } else {
                self.arrived(Label::Arrive(place), place, slot, response);
            }
            return;
        }
        let mut state = self.from;
        state.nodes[place].fetches[slot] = Fetch {
            phase: Phase::Planned,
            stamp: if fetch.second { node.applied } else { 0 },
            parent: fetch.parent.filter(|_| !fetch.second),
            min: if fetch.second { 0 } else { required.of(response.tagged) },
            second: !fetch.second,
            ..Fetch::default()
        };
        if fetch.second {
            state.nodes[place].fetches[slot].second = false;
        }
        self.goes(Label::Arrive(place), state);
    }
}
