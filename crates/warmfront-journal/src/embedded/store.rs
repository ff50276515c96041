//! The file as the thread sees it: open, or closed after a failure until it is opened again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Builder, Database, DatabaseError};
use warmfront_model::{Incarnation, Revision};

use super::tables::{self, FORMAT};
use crate::interface::{Event, JournalError};
use crate::state::State;

/// The content is in memory anyway; the file is read by watches that lag and at start.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// How many trimmed events go in one transaction, so that commits never wait long for a trim.
const DELETED_EVENTS_MAX: u64 = 4096;

/// Opens the database, again after each failure.
pub(super) type Opener = Box<dyn FnMut(&Builder) -> Result<Database, DatabaseError> + Send>;

/// The open file. After a failure it is closed, as redb demands, until [`Store::reopen`].
pub(super) struct Store {
    name: String,
    opener: Opener,
    database: Option<Database>,
    incarnation: Incarnation,
    transactions: Arc<AtomicU64>,
}

impl Store {
    /// Opens the journal or creates it, and gives what it holds. `transactions` counts durable transactions.
    pub(super) fn open(
        name: String,
        mut opener: Opener,
        transactions: Arc<AtomicU64>,
    ) -> Result<(Store, State), JournalError> {
        let database = open_database(&name, &mut opener)?;
        let incarnation = identify(&name, &database)?;
        let state = tables::load(&database).map_err(|error| failure(&name, &error))?;
        Ok((
            Store {
                name,
                opener,
                database: Some(database),
                incarnation,
                transactions,
            },
            state,
        ))
    }

    pub(super) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    pub(super) fn is_open(&self) -> bool {
        self.database.is_some()
    }

    /// Opens the file again after a failure: gives what it holds, and the events above `head`, which are those that
    /// became durable although their write seemed to fail.
    pub(super) fn reopen(&mut self, head: Revision) -> Result<(State, Vec<Event>), JournalError> {
        self.database = None;
        let database = open_database(&self.name, &mut self.opener)?;
        let incarnation = identify(&self.name, &database)?;
        let state = tables::load(&database).map_err(|error| failure(&self.name, &error))?;
        if incarnation != self.incarnation || state.head < head {
            let text = format!(
                "{}: the file is not the one that was open, or has lost commits",
                self.name
            );
            return Err(JournalError::Io(text));
        }
        let mut events = Vec::new();
        while events.last().map_or(head, |event: &Event| event.revision) < state.head {
            let after = events.last().map_or(head, |event| event.revision);
            events.extend(tables::read(&database, after).map_err(|error| failure(&self.name, &error))?);
        }
        self.database = Some(database);
        Ok((state, events))
    }

    /// Writes these events in one transaction, and returns when they are durable.
    pub(super) fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.durably(|transaction| tables::append(transaction, events))
    }

    /// Records which revision is the oldest kept; what is older may be deleted from then on.
    pub(super) fn set_oldest(&mut self, oldest: Revision) -> Result<(), JournalError> {
        self.durably(|transaction| tables::set_oldest(transaction, oldest))
    }

    /// Deletes some events older than `oldest`, the oldest first. Whether there are more.
    pub(super) fn delete_some_before(&mut self, oldest: Revision) -> Result<bool, JournalError> {
        let Some(database) = &self.database else {
            return Err(self.closed());
        };
        let first = tables::first_event(database);
        let Some(first) = self.judge(first)?.filter(|&first| first < oldest.0) else {
            return Ok(false);
        };
        let end = oldest.0.min(first.saturating_add(DELETED_EVENTS_MAX));
        self.durably(|transaction| tables::delete_before(transaction, end))?;
        Ok(end < oldest.0)
    }

    /// Some of the events above `after`, in order.
    pub(super) fn read(&mut self, after: Revision) -> Result<Vec<Event>, JournalError> {
        let Some(database) = &self.database else {
            return Err(self.closed());
        };
        let result = tables::read(database, after);
        self.judge(result)
    }

    fn durably(
        &mut self,
        change: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), JournalError> {
        let Some(database) = &self.database else {
            return Err(self.closed());
        };
        let result = tables::write(database, change);
        if result.is_ok() {
            self.transactions.fetch_add(1, Ordering::Relaxed);
        }
        self.judge(result)
    }

    /// After any failure the database is closed: redb refuses further work until it is opened anew.
    fn judge<T>(&mut self, result: Result<T, redb::Error>) -> Result<T, JournalError> {
        result.map_err(|error| {
            self.database = None;
            failure(&self.name, &error)
        })
    }

    fn closed(&self) -> JournalError {
        JournalError::Io(format!("{}: not open after an earlier failure", self.name))
    }
}

fn open_database(name: &str, opener: &mut Opener) -> Result<Database, JournalError> {
    let mut builder = Database::builder();
    // Without the check, redb takes the pages of a file that was closed properly on trust, and may panic on damage.
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    opener(&builder).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            JournalError::InUse(name.to_owned())
        }
        error => failure(name, &error.into()),
    })
}

/// The journal's incarnation. A file without tables becomes a new journal.
fn identify(name: &str, database: &Database) -> Result<Incarnation, JournalError> {
    let (format, incarnation) = tables::identify(database).map_err(|error| failure(name, &error))?;
    match format {
        FORMAT => Ok(incarnation),
        found if found > FORMAT => Err(JournalError::Format {
            path: name.to_owned(),
            found,
            supported: FORMAT,
        }),
        found => Err(JournalError::Io(format!("{name}: no journal has format {found}"))),
    }
}

fn failure(name: &str, error: &redb::Error) -> JournalError {
    JournalError::Io(format!("{name}: {error}"))
}
