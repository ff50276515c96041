use std::collections::VecDeque;

use tokio::sync::oneshot;
use warmfront_model::{Incarnation, Revision};

use crate::interface::{CommitError, Event, Expected, JournalError, Write};
use crate::state::State;

/// Everything there is, changed by one command at a time.
pub(super) struct World {
    pub(super) incarnation: Incarnation,
    pub(super) down: bool,
    pub(super) hold_commits: bool,
    pub(super) fail_next_write: bool,
    /// The content below the oldest event kept.
    base: State,
    /// All events above `base`.
    log: VecDeque<Event>,
    state: State,
    waiting: Vec<Waiting>,
    /// `None` once it has ended.
    watches: Vec<Option<Delivery>>,
    hold_new_watches: bool,
    random: u64,
}

/// A commit that waits to become durable.
pub(super) struct Waiting {
    pub(super) key: String,
    pub(super) write: Write,
    pub(super) expected: Expected,
    pub(super) answer: oneshot::Sender<Result<Revision, CommitError>>,
}

/// How far a watch has come.
struct Delivery {
    given: Revision,
    /// How far it may come while it is held.
    held_at: Option<Revision>,
}

/// What a watch finds.
pub(super) enum Look {
    Event(Event),
    NotYet,
    Ended,
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let mut world = World {
            incarnation: Incarnation(0),
            down: false,
            hold_commits: false,
            fail_next_write: false,
            base: State::empty(),
            log: VecDeque::new(),
            state: State::empty(),
            waiting: Vec::new(),
            watches: Vec::new(),
            hold_new_watches: false,
            random: seed,
        };
        world.incarnation = Incarnation(world.draw());
        world
    }

    /// The content, unless the journal is down.
    pub(super) fn up(&self) -> Result<&State, JournalError> {
        if self.down {
            Err(JournalError::Closed)
        } else {
            Ok(&self.state)
        }
    }

    pub(super) fn commit(&mut self, commit: Waiting) -> Result<(), JournalError> {
        self.up()?;
        self.waiting.push(commit);
        if !self.hold_commits {
            self.sync();
        }
        Ok(())
    }

    /// Decides and answers all that wait. A failing write takes all of them with it, and none happens.
    pub(super) fn sync(&mut self) -> usize {
        let waiting = std::mem::take(&mut self.waiting);
        let mut state = self.state.clone();
        let mut events = Vec::new();
        let mut answers = Vec::new();
        for commit in &waiting {
            let decision = state.decide(&commit.key, commit.expected);
            if let Ok(revision) = decision {
                let event = Event {
                    revision,
                    key: commit.key.clone(),
                    write: commit.write.clone(),
                };
                state.apply(&event);
                events.push(event);
            }
            answers.push(decision);
        }
        let fails = !events.is_empty() && std::mem::take(&mut self.fail_next_write);
        if !fails {
            self.state = state;
            self.log.extend(events);
        }
        let n_commits = waiting.len();
        for (commit, answer) in waiting.into_iter().zip(answers) {
            let io = || Err(JournalError::Io("simulated: the write failed".to_owned()).into());
            drop(commit.answer.send(if fails { io() } else { answer }));
        }
        n_commits
    }

    pub(super) fn crash(&mut self, n_durable: usize) {
        self.waiting.truncate(n_durable);
        for commit in &mut self.waiting {
            // Nobody hears of these: the caller's end of the channel gets no answer.
            commit.answer = oneshot::channel().0;
        }
        self.sync();
        self.down = true;
        self.watches.iter_mut().for_each(|watch| *watch = None);
    }

    pub(super) fn restore(&mut self, through: Revision) {
        self.crash(0);
        while self.log.back().is_some_and(|event| event.revision > through) {
            self.log.pop_back();
        }
        self.state = self.base.clone();
        for event in &self.log {
            self.state.apply(event);
        }
        self.incarnation = Incarnation(self.draw());
        self.down = false;
    }

    pub(super) fn trim(&mut self, through: Revision) {
        let oldest = self.state.oldest_after_trim(through);
        while let Some(event) = self.log.pop_front_if(|event| event.revision < oldest) {
            self.base.apply(&event);
        }
        self.base.oldest = oldest;
        self.state.oldest = oldest;
    }

    /// Opens a watch and gives its number.
    pub(super) fn watch(&mut self, after: Revision) -> Result<usize, JournalError> {
        self.up()?.check_watch(after)?;
        self.watches.push(Some(Delivery {
            given: after,
            held_at: self.hold_new_watches.then_some(after),
        }));
        Ok(self.watches.len() - 1)
    }

    pub(super) fn end_watch(&mut self, number: usize) {
        if let Some(watch) = self.watches.get_mut(number) {
            *watch = None;
        }
    }

    pub(super) fn look(&mut self, number: usize) -> Result<Look, JournalError> {
        let Some(Some(delivery)) = self.watches.get_mut(number) else {
            return Ok(Look::Ended);
        };
        let newest = delivery.held_at.unwrap_or(self.state.head).min(self.state.head);
        if delivery.given >= newest {
            return Ok(Look::NotYet);
        }
        self.state.check_watch(delivery.given)?;
        let index = delivery.given.0 - self.base.head.0;
        let Some(event) = self.log.get(index as usize) else {
            return Ok(Look::NotYet);
        };
        delivery.given = event.revision;
        Ok(Look::Event(event.clone()))
    }

    pub(super) fn n_watches(&self) -> usize {
        self.watches.len()
    }

    pub(super) fn hold_watches(&mut self) {
        self.hold_new_watches = true;
        for number in 0..self.watches.len() {
            self.hold_watch(number);
        }
    }

    pub(super) fn release_watches(&mut self) {
        self.hold_new_watches = false;
        for number in 0..self.watches.len() {
            self.release_watch(number);
        }
    }

    pub(super) fn hold_watch(&mut self, number: usize) {
        if let Some(Some(delivery)) = self.watches.get_mut(number) {
            delivery.held_at.get_or_insert(delivery.given);
        }
    }

    pub(super) fn release_watch(&mut self, number: usize) {
        if let Some(Some(delivery)) = self.watches.get_mut(number) {
            delivery.held_at = None;
        }
    }

    pub(super) fn deliver(&mut self, number: usize, n_events: u64) {
        let Some(Some(delivery)) = self.watches.get_mut(number) else {
            return;
        };
        if let Some(held_at) = &mut delivery.held_at {
            *held_at = Revision(held_at.0.saturating_add(n_events)).min(self.state.head);
        }
    }

    pub(super) fn deliver_any(&mut self) -> Option<usize> {
        let head = self.state.head;
        let held_at = |watch: &Option<Delivery>| watch.as_ref().and_then(|delivery| delivery.held_at);
        let lacking: Vec<usize> = (0..self.watches.len())
            .filter(|&number| held_at(&self.watches[number]).is_some_and(|held_at| held_at < head))
            .collect();
        let choice = self.draw() as usize;
        let number = *lacking.get(choice.checked_rem(lacking.len())?)?;
        self.deliver(number, 1);
        Some(number)
    }

    /// The next number of SplitMix64: every seed will do, and its numbers never change with a library's version.
    ///
    /// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figures 16 and 17.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
