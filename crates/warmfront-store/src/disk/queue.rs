use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use super::directory::DiskEntry;
use super::slices::SliceDone;
use crate::StoredResponse;

/// What the writer is to do, in this order.
pub(super) enum Command {
    /// Write the response, then tell the entry where it is.
    Put {
        entry: Arc<DiskEntry>,
        response: Arc<StoredResponse>,
    },
    /// Write a slice of a body, `parts` one after another, and say where it is.
    Slice { parts: Vec<Bytes>, done: SliceDone },
    /// Whatever is on disk under this key counts no more.
    Remove(Box<[u8]>),
}

impl Command {
    fn slice_bytes(&self, bytes: u64) -> u64 {
        match self {
            Command::Slice { .. } => bytes,
            Command::Put { .. } | Command::Remove(_) => 0,
        }
    }
}

/// What waits to be written. Bounded in bytes for responses; removals always fit, since there is at most one for each
/// response on disk.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    commands: VecDeque<(Command, u64)>,
    bytes: u64,
    /// How many of them are slices, which have their share of what is in flight.
    slices_bytes: u64,
    working: bool,
    /// The writer is to look for what else there is to do.
    nudged: bool,
    closed: bool,
}

impl State {
    fn pop(&mut self) -> Option<(Command, u64)> {
        let (command, bytes) = self.commands.pop_front()?;
        self.bytes -= bytes;
        self.slices_bytes -= command.slice_bytes(bytes);
        Some((command, bytes))
    }
}

impl Queue {
    /// Adds a command that holds `bytes` of memory; gives it back if more than `bytes_max` would wait then, unless nothing
    /// else waits.
    pub(super) fn push(&self, command: Command, bytes: u64, bytes_max: u64) -> Result<(), Command> {
        let mut state = self.state.lock();
        if state.closed || (state.bytes > 0 && state.bytes + bytes > bytes_max) {
            return Err(command);
        }
        state.bytes += bytes;
        state.slices_bytes += command.slice_bytes(bytes);
        state.commands.push_back((command, bytes));
        self.changed.notify_all();
        Ok(())
    }

    /// How many bytes of responses wait, which nobody else counts.
    pub(super) fn responses_bytes(&self) -> u64 {
        let state = self.state.lock();
        state.bytes - state.slices_bytes
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    /// Wakes the writer although there is no command for it.
    pub(super) fn nudge(&self) {
        self.state.lock().nudged = true;
        self.changed.notify_all();
    }

    /// Waits for commands and takes as many as come to `bytes_max`; none, if it is nudged before. `None`: it was closed, and
    /// is empty.
    pub(super) fn take(&self, bytes_max: u64) -> Option<Vec<Command>> {
        let mut state = self.state.lock();
        state.working = false;
        self.changed.notify_all();
        while state.commands.is_empty() && !mem::take(&mut state.nudged) {
            if state.closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
        state.working = true;
        let (mut taken, mut taken_bytes) = (Vec::new(), 0);
        while let Some((command, bytes)) = state.pop() {
            taken_bytes += bytes;
            taken.push(command);
            if taken_bytes >= bytes_max {
                break;
            }
        }
        Some(taken)
    }

    /// Takes the oldest command, if there is one, without waiting.
    pub(super) fn take_one(&self) -> Option<Command> {
        self.state.lock().pop().map(|(command, _)| command)
    }

    /// Waits until everything in it has been done.
    pub(super) fn drain(&self) {
        let mut state = self.state.lock();
        while !state.commands.is_empty() || state.working || state.nudged {
            self.changed.wait(&mut state);
        }
    }

    /// Nothing more is added.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}
