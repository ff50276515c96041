//! The journal: the one ordered, durable, revisioned store of facts. Everything else is a view of it.
//!
//! [`Journal`] is what the planes use. [`Embedded`] keeps it in one file of one process, [`Simulated`] in memory under
//! a test's command. `docs/journal-format.md` describes the file.

mod embedded;
mod interface;
mod simulated;
mod state;

pub use embedded::{Embedded, FORMAT, QUEUED_COMMITS_MAX};
pub use interface::{
    CommitError, Entry, Event, Expected, Journal, JournalError, KEY_BYTES_MAX, Snapshot, VALUE_BYTES_MAX, Watch, Write,
};
pub use simulated::Simulated;
