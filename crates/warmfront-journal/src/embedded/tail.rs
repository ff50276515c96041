use imbl::Vector;
use warmfront_model::Revision;

use crate::interface::{Event, Write};

/// How many events stay in memory, so that a watch which keeps up never waits for the file.
const EVENTS_MAX: usize = 1024;

/// How many bytes of keys and values these may have.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// The newest events, without gaps, in memory. Cloning costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    events: Vector<Event>,
    bytes: usize,
}

impl Tail {
    /// Adds the event that follows the newest, and forgets the oldest as the limits demand.
    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event_bytes(&event);
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= event_bytes(&oldest);
        }
    }

    /// The event at `revision`, if it is still here.
    pub(super) fn get(&self, revision: Revision) -> Option<&Event> {
        let first = self.events.front()?.revision;
        let index = revision.0.checked_sub(first.0)?;
        self.events.get(usize::try_from(index).ok()?)
    }
}

/// What an event takes in memory and on the wire, nearly.
pub(super) fn event_bytes(event: &Event) -> usize {
    let value_bytes = match &event.write {
        Write::Put(value) => value.len(),
        Write::Delete => 0,
    };
    event.key.len() + value_bytes
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn tail_of(n_events: u64, value_bytes: usize) -> Tail {
        let mut tail = Tail::default();
        for revision in 1..=n_events {
            let write = Write::Put(Bytes::from(vec![0; value_bytes]));
            tail.push(Event {
                revision: Revision(revision),
                key: "k".to_owned(),
                write,
            });
        }
        tail
    }

    #[test]
    fn the_newest_events_are_found_by_revision() {
        let tail = tail_of(3, 0);
        assert_eq!(tail.get(Revision(3)).unwrap().revision, Revision(3));
        assert_eq!(tail.get(Revision(1)).unwrap().revision, Revision(1));
        assert!(tail.get(Revision(0)).is_none() && tail.get(Revision(4)).is_none());
    }

    #[test]
    fn it_keeps_to_its_number_of_events() {
        let tail = tail_of(EVENTS_MAX as u64 + 2, 0);
        assert!(tail.get(Revision(2)).is_none());
        assert!(tail.get(Revision(3)).is_some());
    }

    #[test]
    fn it_keeps_to_its_number_of_bytes() {
        let tail = tail_of(9, 1024 * 1024);
        assert!(
            tail.get(Revision(2)).is_none(),
            "8 values of 1 MiB and a key each are more than 8 MiB"
        );
        assert!(tail.get(Revision(3)).is_some());
    }
}
