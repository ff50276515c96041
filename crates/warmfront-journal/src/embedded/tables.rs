//! The file's tables, and what is read and written in one transaction. See `docs/journal-format.md`.

use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    TableError, WriteTransaction,
};
use warmfront_model::{Incarnation, Revision};

use super::record::{DamagedRecord, decode_entry, decode_event, encode_entry, encode_event};
use super::tail::event_bytes;
use crate::interface::{Event, Write};
use crate::state::State;

/// The newest format of the file that this program reads, and the one it writes.
pub const FORMAT: u64 = 1;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const ENTRIES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("entries");
const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log");

const META_FORMAT: &str = "format";
const META_INCARNATION: &str = "incarnation";
const META_OLDEST: &str = "oldest";

/// How much of the log a watch takes at once.
const READ_EVENTS_MAX: usize = 256;
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The format and the incarnation. A file without tables becomes a new journal.
pub(super) fn identify(database: &Database) -> Result<(u64, Incarnation), redb::Error> {
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

/// Makes a change durable in one transaction.
pub(super) fn write(
    database: &Database,
    change: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    change(&transaction)?;
    transaction.commit()?;
    Ok(())
}

/// All that the file holds.
pub(super) fn load(database: &Database) -> Result<State, redb::Error> {
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

/// Adds these events to the log and to the entries.
pub(super) fn append(transaction: &WriteTransaction, events: &[Event]) -> Result<(), redb::Error> {
    let mut log = transaction.open_table(LOG)?;
    let mut entries = transaction.open_table(ENTRIES)?;
    for event in events {
        log.insert(event.revision.0, encode_event(event).as_slice())?;
        match &event.write {
            Write::Put(value) => entries.insert(event.key.as_str(), encode_entry(event.revision, value).as_slice())?,
            Write::Delete => entries.remove(event.key.as_str())?,
        };
    }
    Ok(())
}

/// Records which revision is the oldest kept.
pub(super) fn set_oldest(transaction: &WriteTransaction, oldest: Revision) -> Result<(), redb::Error> {
    transaction.open_table(META)?.insert(META_OLDEST, oldest.0)?;
    Ok(())
}

/// Removes the events below `end` from the log.
pub(super) fn delete_before(transaction: &WriteTransaction, end: u64) -> Result<(), redb::Error> {
    transaction.open_table(LOG)?.retain_in(..end, |_, _| false)?;
    Ok(())
}

/// The oldest event that is still in the file.
pub(super) fn first_event(database: &Database) -> Result<Option<u64>, redb::Error> {
    let log = database.begin_read()?.open_table(LOG)?;
    Ok(log.first()?.map(|(revision, _)| revision.value()))
}

/// Some of the events above `after`, in order.
pub(super) fn read(database: &Database, after: Revision) -> Result<Vec<Event>, redb::Error> {
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

impl From<DamagedRecord> for redb::Error {
    fn from(damaged: DamagedRecord) -> redb::Error {
        redb::Error::Corrupted(damaged.to_string())
    }
}
