use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use warmfront_model::{Incarnation, Revision};

use self::world::{Look, Waiting, World};
use crate::interface::{CommitError, Event, Expected, Journal, JournalError, Snapshot, Watch, Write};
use crate::state::check_limits;

mod world;

/// A journal in memory for tests, which fails and delays only when told to. It has no thread and no clock.
///
/// Left alone it commits at once and delivers at once. Clones are handles on the same journal: one for the program
/// under test, one for the test that gives the commands. Watches are numbered from 0 in the order they were opened.
/// The number of waiting commits is not limited.
#[derive(Clone)]
pub struct Simulated {
    world: Arc<Mutex<World>>,
    /// Told after every change; watches look again then, in the order in which they came to wait.
    changed: Arc<Notify>,
}

impl Simulated {
    /// An empty journal. The same seed gives the same incarnations and the same choices in [`Simulated::deliver_any`].
    pub fn new(seed: u64) -> Simulated {
        Simulated {
            world: Arc::new(Mutex::new(World::new(seed))),
            changed: Arc::default(),
        }
    }

    /// From now on commits wait, undecided, for [`Simulated::sync`].
    pub fn hold_commits(&self) {
        self.change(|world| world.hold_commits = true);
    }

    /// Decides the commits that wait, in order, makes them durable together and answers them. How many there were.
    pub fn sync(&self) -> usize {
        self.change(World::sync)
    }

    /// Ends [`Simulated::hold_commits`], with a [`Simulated::sync`].
    pub fn release_commits(&self) {
        self.change(|world| {
            world.hold_commits = false;
            world.sync();
        });
    }

    /// The next write fails: all commits of that sync answer [`JournalError::Io`], none of them has happened.
    pub fn fail_next_write(&self) {
        self.change(|world| world.fail_next_write = true);
    }

    /// The journal goes down. Of the commits that wait, the first `n_durable` became durable just before; none gets
    /// another answer than [`JournalError::Closed`]. Watches end, calls answer `Closed` until [`Simulated::restart`].
    pub fn crash(&self, n_durable: usize) {
        self.change(|world| world.crash(n_durable));
    }

    /// Goes down in order: what waits is committed and answered first.
    pub fn close(&self) {
        self.change(|world| {
            world.sync();
            world.crash(0);
        });
    }

    /// Brings the journal up again with all that was durable.
    pub fn restart(&self) {
        self.change(|world| world.down = false);
    }

    /// Crashes, and comes up as a new incarnation that holds what the journal held at `through`; not less than what
    /// was trimmed, not more than there is. With the head, it is a migration; with zero, a new journal.
    pub fn restore(&self, through: Revision) {
        self.change(|world| world.restore(through));
    }

    /// Forgets the events up to `through` (at most the head): watches begin after it from then on.
    pub fn trim(&self, through: Revision) {
        self.change(|world| world.trim(through));
    }

    /// From now on no watch gets anything, those opened later included, until it is delivered or released.
    pub fn hold_watches(&self) {
        self.change(World::hold_watches);
    }

    /// Ends [`Simulated::hold_watches`] and every [`Simulated::hold_watch`].
    pub fn release_watches(&self) {
        self.change(World::release_watches);
    }

    /// From now on this watch gets nothing until it is delivered or released.
    pub fn hold_watch(&self, number: usize) {
        self.change(|world| world.hold_watch(number));
    }

    /// This watch gets everything again.
    pub fn release_watch(&self, number: usize) {
        self.change(|world| world.release_watch(number));
    }

    /// Lets a held watch have `n_events` more, or as many as there are.
    pub fn deliver(&self, number: usize, n_events: u64) {
        self.change(|world| world.deliver(number, n_events));
    }

    /// Lets one of the held watches that lack events, chosen by the seed, have one more. Its number; `None` if no
    /// watch lacks any.
    pub fn deliver_any(&self) -> Option<usize> {
        self.change(World::deliver_any)
    }

    /// How many watches were opened so far.
    pub fn n_watches(&self) -> usize {
        self.world.lock().n_watches()
    }

    fn change<T>(&self, command: impl FnOnce(&mut World) -> T) -> T {
        let outcome = command(&mut self.world.lock());
        self.changed.notify_waiters();
        outcome
    }
}

#[async_trait]
impl Journal for Simulated {
    fn incarnation(&self) -> Incarnation {
        self.world.lock().incarnation
    }

    async fn commit(&self, key: &str, write: Write, expected: Expected) -> Result<Revision, CommitError> {
        check_limits(key, &write)?;
        let (answer, answered) = oneshot::channel();
        self.change(|world| {
            world.commit(Waiting {
                key: key.to_owned(),
                write,
                expected,
                answer,
            })
        })?;
        answered.await.map_err(|_| JournalError::Closed)?
    }

    async fn head(&self) -> Result<Revision, JournalError> {
        Ok(self.world.lock().up()?.head)
    }

    async fn snapshot(&self, prefix: &str) -> Result<Snapshot, JournalError> {
        Ok(self.world.lock().up()?.snapshot(prefix))
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Watch>, JournalError> {
        let number = self.world.lock().watch(after)?;
        Ok(Box::new(SimulatedWatch {
            number,
            world: Arc::clone(&self.world),
            changed: Arc::clone(&self.changed),
        }))
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Simulated")
            .field("incarnation", &self.incarnation())
            .finish_non_exhaustive()
    }
}

struct SimulatedWatch {
    number: usize,
    world: Arc<Mutex<World>>,
    changed: Arc<Notify>,
}

#[async_trait]
impl Watch for SimulatedWatch {
    async fn next(&mut self) -> Result<Option<Event>, JournalError> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let look = self.world.lock().look(self.number)?;
            match look {
                Look::Event(event) => return Ok(Some(event)),
                Look::Ended => return Ok(None),
                Look::NotYet => changed.await,
            }
        }
    }
}

impl Drop for SimulatedWatch {
    fn drop(&mut self) {
        self.world.lock().end_watch(self.number);
    }
}
