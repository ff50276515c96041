//! The file: its tables, and what is read and written in one transaction. See `docs/journal-format.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{
    Builder, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, TableDefinition, TableError,
};
use warmfront_model::{Incarnation, Revision};

use super::record::{DamagedRecord, decode_entry, decode_event, encode_entry, encode_event};
use super::tail::event_bytes;
use crate::interface::{Event, JournalError, Write};
use crate::state::State;

/// The newest format of the file that this program reads, and the one it writes.
pub const FORMAT: u64 = 1;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const ENTRIES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("entries");
const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log");

const META_FORMAT: &str = "format";
const META_INCARNATION: &str = "incarnation";
const META_OLDEST: &str = "oldest";

/// The content is in memory anyway; the file is read by watches that lag and at start.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// How much of the log a watch takes at once.
const READ_EVENTS_MAX: usize = 256;
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

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
        let state = load(&database).map_err(|error| failure(&name, &error))?;
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
        let state = load(&database).map_err(|error| failure(&self.name, &error))?;
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
            events.extend(read(&database, after).map_err(|error| failure(&self.name, &error))?);
        }
        self.database = Some(database);
        Ok((state, events))
    }

    /// Writes these events in one transaction, and returns when they are durable.
    pub(super) fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.durably(|transaction| {
            let mut log = transaction.open_table(LOG)?;
            let mut entries = transaction.open_table(ENTRIES)?;
            for event in events {
                log.insert(event.revision.0, encode_event(event).as_slice())?;
                match &event.write {
                    Write::Put(value) => {
                        entries.insert(event.key.as_str(), encode_entry(event.revision, value).as_slice())?
                    }
                    Write::Delete => entries.remove(event.key.as_str())?,
                };
            }
            Ok(())
        })
    }

    /// Records which revision is the oldest kept; what is older may be deleted from then on.
    pub(super) fn set_oldest(&mut self, oldest: Revision) -> Result<(), JournalError> {
        self.durably(|transaction| {
            transaction.open_table(META)?.insert(META_OLDEST, oldest.0)?;
            Ok(())
        })
    }

    /// Deletes some events older than `oldest`, the oldest first. Whether there are more.
    pub(super) fn delete_some_before(&mut self, oldest: Revision) -> Result<bool, JournalError> {
        let Some(database) = &self.database else {
            return Err(self.closed());
        };
        let first = first_event(database);
        let Some(first) = self.judge(first)?.filter(|&first| first < oldest.0) else {
            return Ok(false);
        };
        let end = oldest.0.min(first.saturating_add(DELETED_EVENTS_MAX));
        self.durably(|transaction| {
            transaction.open_table(LOG)?.retain_in(..end, |_, _| false)?;
            Ok(())
        })?;
        Ok(end < oldest.0)
    }

    /// Some of the events above `after`, in order.
    pub(super) fn read(&mut self, after: Revision) -> Result<Vec<Event>, JournalError> {
        let Some(database) = &self.database else {
            return Err(self.closed());
        };
        let result = read(database, after);
        self.judge(result)
    }

    fn durably(
        &mut self,
        change: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), JournalError> {
        let Some(database) = &self.database else {
            return Err(self.closed());
        };
        let result = write(database, change);
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
    let (format, incarnation) = read_identity(database).map_err(|error| failure(name, &error))?;
    match format {
        FORMAT => Ok(incarnation),
        found => Err(JournalError::Format {
            path: name.to_owned(),
            found,
            supported: FORMAT,
        }),
    }
}

fn read_identity(database: &Database) -> Result<(u64, Incarnation), redb::Error> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        Err(TableError::TableDoesNotExist(_)) if transaction.list_tables()?.next().is_none() => {
            return create(database);
        }
        meta => meta?,
    };
    let number = |key: &str| -> Result<u64, redb::Error> {
        let value = meta
            .get(key)?
            .ok_or_else(|| redb::Error::Corrupted(format!("meta has no {key}")))?;
        Ok(value.value())
    };
    Ok((number(META_FORMAT)?, Incarnation(number(META_INCARNATION)?)))
}

fn create(database: &Database) -> Result<(u64, Incarnation), redb::Error> {
    let incarnation = Incarnation(rand::random());
    write(database, |transaction| {
        let mut meta = transaction.open_table(META)?;
        meta.insert(META_FORMAT, FORMAT)?;
        meta.insert(META_INCARNATION, incarnation.0)?;
        meta.insert(META_OLDEST, State::empty().oldest.0)?;
        transaction.open_table(ENTRIES)?;
        transaction.open_table(LOG)?;
        Ok(())
    })?;
    Ok((FORMAT, incarnation))
}

fn write(
    database: &Database,
    change: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    change(&transaction)?;
    transaction.commit()?;
    Ok(())
}

fn load(database: &Database) -> Result<State, redb::Error> {
    let transaction = database.begin_read()?;
    let mut state = State::empty();
    (state.oldest, state.head) = read_range(&transaction)?;
    for entry in transaction.open_table(ENTRIES)?.iter()? {
        let (key, record) = entry?;
        let (revision, value) = decode_entry(key.value(), record.value())?;
        if revision > state.head {
            return Err(redb::Error::Corrupted(format!(
                "entry {} is newer than the log",
                key.value()
            )));
        }
        state.load(key.value(), value, revision);
    }
    Ok(state)
}

/// The oldest revision kept and the newest, after checking that the log holds all between.
fn read_range(transaction: &ReadTransaction) -> Result<(Revision, Revision), redb::Error> {
    let meta = transaction.open_table(META)?;
    let oldest = meta.get(META_OLDEST)?.map_or(0, |oldest| oldest.value());
    let log = transaction.open_table(LOG)?;
    let (Some((first, _)), Some((last, _))) = (log.first()?, log.last()?) else {
        return match oldest.checked_sub(1) {
            Some(head) => Ok((Revision(oldest), Revision(head))),
            None => Err(redb::Error::Corrupted("meta has no oldest revision".to_owned())),
        };
    };
    let (first, last) = (first.value(), last.value());
    // A trim that was interrupted leaves events older than the oldest; its end may be the head itself.
    let reaches = first <= oldest && oldest <= last.saturating_add(1);
    if first == 0 || !reaches || last - first + 1 != log.len()? {
        let text = format!(
            "the log has {} events from {first} to {last}, the oldest kept is {oldest}",
            log.len()?
        );
        return Err(redb::Error::Corrupted(text));
    }
    Ok((Revision(oldest), Revision(last)))
}

fn first_event(database: &Database) -> Result<Option<u64>, redb::Error> {
    let log = database.begin_read()?.open_table(LOG)?;
    Ok(log.first()?.map(|(revision, _)| revision.value()))
}

fn read(database: &Database, after: Revision) -> Result<Vec<Event>, redb::Error> {
    let log = database.begin_read()?.open_table(LOG)?;
    let mut events = Vec::new();
    let mut bytes = 0;
    for (expected, record) in (after.0 + 1..).zip(log.range(after.0 + 1..)?).take(READ_EVENTS_MAX) {
        let (revision, record) = record?;
        if revision.value() != expected {
            return Err(redb::Error::Corrupted(format!("the log has no event {expected}")));
        }
        let event = decode_event(Revision(expected), record.value())?;
        bytes += event_bytes(&event);
        events.push(event);
        if bytes >= READ_BYTES_MAX {
            break;
        }
    }
    Ok(events)
}

fn failure(name: &str, error: &redb::Error) -> JournalError {
    JournalError::Io(format!("{name}: {error}"))
}

impl From<DamagedRecord> for redb::Error {
    fn from(damaged: DamagedRecord) -> redb::Error {
        redb::Error::Corrupted(damaged.to_string())
    }
}
