//! What the journal holds at one revision, and the rules that every engine goes by.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use imbl::OrdMap;
use warmfront_model::Revision;

use crate::interface::{
    CommitError, Entry, Event, Expected, JournalError, KEY_BYTES_MAX, Snapshot, VALUE_BYTES_MAX, Write,
};

/// The journal's content at `head`. Cloning costs nothing: clones share what has not changed since.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The newest revision.
    pub(crate) head: Revision,
    /// The oldest revision whose event is kept; one above `head` when none is.
    pub(crate) oldest: Revision,
    current: OrdMap<Arc<str>, Current>,
}

#[derive(Clone, Debug)]
struct Current {
    value: Bytes,
    revision: Revision,
}

/// Whether an engine takes this write at all, whatever the journal holds.
pub(crate) fn check_limits(key: &str, write: &Write) -> Result<(), CommitError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(CommitError::Key(key.len()));
    }
    match write {
        Write::Put(value) if value.len() > VALUE_BYTES_MAX => Err(CommitError::TooLarge {
            key: key.to_owned(),
            bytes: value.len(),
        }),
        Write::Put(_) | Write::Delete => Ok(()),
    }
}

impl State {
    /// A journal without a commit.
    pub(crate) fn empty() -> State {
        State {
            head: Revision::ZERO,
            oldest: Revision(1),
            current: OrdMap::new(),
        }
    }

    /// The revision this commit would get now. [`CommitError::Conflict`] if `expected` does not hold.
    pub(crate) fn decide(&self, key: &str, expected: Expected) -> Result<Revision, CommitError> {
        let key_revision = self.current.get(key).map(|current| current.revision);
        let holds = match expected {
            Expected::Any => true,
            Expected::Absent => key_revision.is_none(),
            Expected::Revision(revision) => key_revision == Some(revision),
            Expected::Head(revision) => self.head == revision,
        };
        if !holds {
            return Err(CommitError::Conflict {
                key: key.to_owned(),
                key_revision,
                head: self.head,
            });
        }
        Ok(Revision(self.head.0 + 1))
    }

    /// Takes in the event that follows `head`.
    pub(crate) fn apply(&mut self, event: &Event) {
        match &event.write {
            Write::Put(value) => self.load(&event.key, value.clone(), event.revision),
            Write::Delete => {
                self.current.remove(event.key.as_str());
            }
        }
        self.head = event.revision;
    }

    /// Sets one key's value as a store kept it, without moving the head.
    pub(crate) fn load(&mut self, key: &str, value: Bytes, revision: Revision) {
        self.current.insert(Arc::from(key), Current { value, revision });
    }

    /// Every entry whose key begins with `prefix`, in key order.
    pub(crate) fn snapshot(&self, prefix: &str) -> Snapshot {
        let from_prefix: (Bound<&str>, Bound<&str>) = (Bound::Included(prefix), Bound::Unbounded);
        let entries = self
            .current
            .range::<_, str>(from_prefix)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, current)| Entry {
                key: key.to_string(),
                value: current.value.clone(),
                revision: current.revision,
            })
            .collect();
        Snapshot {
            entries,
            revision: self.head,
        }
    }

    /// Whether a watch can give everything above `after`: all of it is kept, and `after` is not in the future.
    pub(crate) fn check_watch(&self, after: Revision) -> Result<(), JournalError> {
        if after > self.head || after.0 + 1 < self.oldest.0 {
            return Err(JournalError::Compacted {
                after,
                oldest: self.oldest,
                head: self.head,
            });
        }
        Ok(())
    }

    /// The oldest revision kept once everything up to `through` is trimmed; what is not committed yet cannot be.
    pub(crate) fn oldest_after_trim(&self, through: Revision) -> Revision {
        self.oldest.max(Revision(through.min(self.head).0 + 1))
    }
}
