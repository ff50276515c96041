use crate::label::Label;
use crate::state::{Phase, Raise, Required, Sweep};
use crate::step::{Steps, replace};

impl Steps<'_> {
    /// What happens to what a node has stored.
    pub(super) fn stored(&mut self, place: usize) {
        let node = self.from.nodes[place];
        if node.store.is_some() && self.instance.evict {
            let mut state = self.from;
            replace(&mut state.nodes[place], None);
            self.goes(Label::Evict(place), state);
        }
        self.hit(place);
        self.raise(place);
        if self.instance.sweep && node.loaded {
            self.sweep(place);
        }
        if self.instance.disk {
            self.flush(place);
        }
    }

    /// Another request is answered from the store.
    fn hit(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let may_answer = node.loaded && (!self.instance.is_pop(place) || self.leased(&node));
        let Some(stored) = node.store.filter(|_| may_answer && node.raise.is_none()) else {
            return;
        };
        if stored.as_of >= node.applied || !self.passes(&node, self.required_of_hits(&node), &stored) {
            return;
        }
        let mut state = self.from;
        let after = &mut state.nodes[place];
        if self.instance.slow_raise {
            after.raise = Some(Raise {
                to: node.applied,
                same: true,
            });
        } else if let Some(stored) = &mut after.store {
            stored.as_of = node.applied;
        }
        self.goes(Label::Hit(place), state);
    }

    fn raise(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let Some(raise) = node.raise else { return };
        let mut state = self.from;
        let after = &mut state.nodes[place];
        after.raise = None;
        let to = if self.rules.raise_to_epoch_read_before {
            raise.to
        } else {
            node.applied
        };
        if let Some(stored) = &mut after.store
            && (raise.same || !self.rules.raise_only_what_was_checked)
        {
            stored.as_of = if self.rules.raise_never_lowers {
                stored.as_of.max(to)
            } else {
                to
            };
        }
        self.goes(Label::Raise(place), state);
    }

    fn sweep(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let mut state = self.from;
        let after = &mut state.nodes[place];
        let Some(sweep) = node.sweep else {
            if node.index != 0 {
                after.sweep = Some(Sweep {
                    through: node.applied,
                    visited: false,
                });
                self.goes(Label::Sweep(place, "begins"), state);
            }
            return;
        };
        let through_bits = |through: u8| ((1_u16 << through) - 1) as u8;
        if sweep.visited {
            let forget = if self.rules.forget_what_was_swept {
                sweep.through
            } else {
                node.applied
            };
            after.index &= !through_bits(forget);
            if self.rules.forget_raises_floor {
                after.floor = node.floor.max(sweep.through);
            }
            after.sweep = None;
            return self.goes(Label::Sweep(place, "ends: its entries are forgotten"), state);
        }
        let mut began = node;
        began.index &= through_bits(sweep.through);
        let required: Required = self.required(&began);
        after.sweep = Some(Sweep { visited: true, ..sweep });
        for fetch in &mut after.fetches {
            if let (Phase::Streaming, Some(arriving)) = (fetch.phase, &mut fetch.response)
                && required.of(arriving.tagged) <= arriving.as_of
            {
                arriving.as_of = arriving.as_of.max(sweep.through);
            }
        }
        if let Some(stored) = node.store {
            if !self.rules.sweep_checks || self.passes(&node, required, &stored) {
                if let Some(stored) = &mut after.store {
                    stored.as_of = stored.as_of.max(sweep.through);
                }
            } else if self.rules.sweep_removes_covered {
                replace(after, None);
            }
        }
        self.goes(Label::Sweep(place, "visits the response"), state);
    }

    fn flush(&mut self, place: usize) {
        let node = self.from.nodes[place];
        let Some(stored) = node.store.filter(|_| node.disk != node.store) else {
            return;
        };
        let mut state = self.from;
        state.nodes[place].disk = Some(stored);
        self.goes(Label::Flush(place, "its response"), state);
        if !self.rules.disk_is_whole
            && let Some(old) = node.disk
        {
            let mut state = self.from;
            state.nodes[place].disk = Some(crate::Response {
                as_of: stored.as_of,
                ..old
            });
            self.goes(Label::Flush(place, "the stamp alone"), state);
        }
    }
}
