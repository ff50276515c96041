use crate::label::Label;
use crate::state::{Phase, Probe, Response, State};
use crate::step::{Steps, completed_bits};

impl Steps<'_> {
    /// The watched request.
    pub(super) fn probe(&mut self) {
        match self.from.probe {
            None => self.arrives(),
            Some(probe) if probe.waits.is_none() => {
                self.finds(&probe);
                self.begins_own(&probe);
                self.joins(&probe);
            }
            Some(_) => {}
        }
    }

    /// Only once an invalidation that covers something reads Completed: before that, nothing is promised.
    fn arrives(&mut self) {
        let journal = self.from.journal;
        let completed = &journal.entries[..usize::from(journal.completed)];
        let any_answer = self.from.nodes.iter().any(|node| {
            let arriving = node.fetches.iter().any(|fetch| fetch.phase != Phase::Free);
            node.store.is_some() || arriving
        });
        if self.instance.watch_loss || !any_answer {
            return;
        }
        if !journal.restored && !completed.iter().any(|entry| entry.covers(true)) {
            return;
        }
        for place in 0..usize::from(self.instance.pops) {
            let node = self.from.nodes[place];
            if !node.loaded {
                continue;
            }
            let mut state = self.from;
            state.probe = Some(Probe {
                pop: place as u8,
                applied: node.applied,
                required: self.required_of_hits(&node),
                completed: journal.completed,
                leased: self.leased(&node),
                waits: None,
            });
            for fetch in state.nodes.iter_mut().flat_map(|node| &mut node.fetches) {
                fetch.after_probe = false;
            }
            self.goes(Label::Arrives(place), state);
        }
    }

    fn finds(&mut self, probe: &Probe) {
        let place = usize::from(probe.pop);
        let node = self.from.nodes[place];
        let Some(stored) = node.store else { return };
        let passes = self.passes(&node, probe.required, &stored);
        if passes && (probe.leased || !self.rules.fenced_asks_origin) {
            self.answer(place, "from its cache", &stored);
        } else if passes && !self.rules.fenced_serves_nothing_stale {
            self.answer(place, "with an expired copy, as the origin fails", &stored);
        } else if !passes && !self.rules.covered_is_never_served_stale {
            self.answer(place, "with a covered copy, as the origin fails", &stored);
        }
    }

    fn begins_own(&mut self, probe: &Probe) {
        let place = usize::from(probe.pop);
        for (label, state) in self.planned(place, probe.leased, probe.applied, probe.required.url, Some(())) {
            self.goes(label, state);
        }
    }

    fn joins(&mut self, probe: &Probe) {
        let place = usize::from(probe.pop);
        for slot in 0..usize::from(self.instance.fetches) {
            let fetch = self.from.nodes[place].fetches[slot];
            let began_later = fetch.after_probe && fetch.parent.is_none();
            if !probe.leased && self.rules.fenced_joins_newer && !began_later {
                continue;
            }
            let at_least = if fetch.parent.is_some() { fetch.min } else { fetch.stamp };
            let may_join = began_later || !self.rules.join_requires_url || at_least >= probe.required.url;
            match fetch.phase {
                Phase::Planned | Phase::Asked | Phase::AtParent | Phase::Returning if may_join => {
                    let mut state = self.from;
                    if let Some(probe) = &mut state.probe {
                        probe.waits = Some((slot as u8, false));
                    }
                    self.goes(Label::Joins(place), state);
                }
                Phase::Streaming => {
                    if let Some(response) = fetch
                        .response
                        .filter(|response| self.suits_joiner(probe, response, began_later))
                    {
                        self.answer(place, "from a body being streamed", &response);
                    }
                }
                _ => {}
            }
        }
    }

    fn suits_joiner(&self, probe: &Probe, response: &Response, began_later: bool) -> bool {
        let url = self.rules.join_requires_url && probe.required.url > response.as_of;
        let tags = self.rules.join_requires_tags && response.tagged && probe.required.tag > response.as_of;
        began_later || !(url || tags)
    }

    /// Whether the watched request waits for this fetch, and whether it began it.
    pub(super) fn waiting(&self, place: usize, slot: usize) -> Option<bool> {
        let probe = self.from.probe?;
        let (waits_for, own) = probe.waits?;
        (usize::from(probe.pop) == place && usize::from(waits_for) == slot).then_some(own)
    }

    /// A head is here: whoever waits is answered, or starts again. `state` is what becomes of the fetch.
    pub(super) fn deliver(&mut self, label: Label, mut state: State, place: usize, slot: usize, response: Response) {
        let (Some(own), Some(probe)) = (self.waiting(place, slot), self.from.probe) else {
            return self.goes(label, state);
        };
        let fetch = self.from.nodes[place].fetches[slot];
        let began_later = fetch.after_probe && fetch.parent.is_none();
        if own || self.suits_joiner(&probe, &response, began_later) {
            let how = if own {
                "from its own fetch"
            } else {
                "from the fetch it joined"
            };
            return self.answer(place, how, &response);
        }
        if let Some(probe) = &mut state.probe {
            probe.waits = None;
        }
        self.goes(label, state);
    }

    fn answer(&mut self, place: usize, how: &'static str, response: &Response) {
        let completed = self.from.probe.map_or(0, |probe| completed_bits(probe.completed));
        self.ends(Label::Answered(place, how), response.missed & completed != 0);
    }
}
