//! The journal: the one ordered, durable, revisioned store of facts. Everything else is a view of it.

mod interface;

pub use interface::{KEY_BYTES_MAX, CommitError, Entry, Event, Expected, Journal, JournalError, Snapshot, VALUE_BYTES_MAX, Watch, Write};
