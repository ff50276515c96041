//! What everyone is at, so that a run that hangs can say where.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// What is being done.
#[derive(Clone, Copy, Debug)]
pub enum Doing {
    /// Looks a response up on disk.
    LookUp,
    /// Waits for the next slice of a body.
    Read,
    /// Waits for room for the next part of a body that arrives.
    Push,
    /// Waits until all of a body that has arrived is kept.
    Finish,
    /// Visits everything there is.
    Sweep,
}

/// One thing that is being done.
#[derive(Clone, Debug)]
pub struct Activity {
    doing: Doing,
    key: u64,
    offset: u64,
    since: Instant,
}

/// Everything that is being done.
#[derive(Debug, Default)]
pub struct Activities(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next_number: u64,
    running: BTreeMap<u64, Activity>,
}

/// Something that is being done until this is dropped.
pub struct Running<'a> {
    activities: &'a Activities,
    number: u64,
}

impl Activities {
    /// Begins something with the body of `key`.
    pub fn begin(&self, key: u64, doing: Doing) -> Running<'_> {
        let mut state = self.0.lock();
        let number = state.next_number;
        state.next_number += 1;
        let activity = Activity {
            doing,
            key,
            offset: 0,
            since: Instant::now(),
        };
        state.running.insert(number, activity);
        Running {
            activities: self,
            number,
        }
    }

    /// What has not moved for `length`.
    pub fn longer_than(&self, length: Duration) -> Vec<Activity> {
        let state = self.0.lock();
        let waiting = state
            .running
            .values()
            .filter(|activity| activity.since.elapsed() >= length);
        waiting.cloned().collect()
    }
}

impl Running<'_> {
    /// It has moved on to `offset` in the body.
    pub fn comes_to(&self, offset: u64) {
        self.change(|activity| activity.offset = offset);
    }

    /// It is another thing from now on.
    pub fn turns_to(&self, doing: Doing) {
        self.change(|activity| activity.doing = doing);
    }

    fn change(&self, change: impl FnOnce(&mut Activity)) {
        if let Some(activity) = self.activities.0.lock().running.get_mut(&self.number) {
            activity.since = Instant::now();
            change(activity);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.activities.0.lock().running.remove(&self.number);
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits_for = match self.doing {
            Doing::LookUp => "the disk, to look it up",
            Doing::Read => "a slice",
            Doing::Push => "room for more of it",
            Doing::Finish => "all of it to be kept",
            Doing::Sweep => "the sweep to end",
        };
        write!(
            formatter,
            "body {} at {}: for {} s, waits for {waits_for}",
            self.key,
            self.offset,
            self.since.elapsed().as_secs()
        )
    }
}
