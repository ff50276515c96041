use std::collections::HashSet;

use redb::ReadableTable;

use super::database::{OBJECTS, PARTS};
use super::record::decode;
use super::{Content, ContentId, Database, Files, ObjectRecord, PartRecord, StoreError};

/// Removes every file that neither an object nor a part names, and gives their number.
///
/// Such files are left by a crash between the writing of bytes and the commit of their record, or between the commit
/// that superseded them and their removal.
pub(super) fn remove_orphans(database: &Database, files: &Files) -> Result<usize, StoreError> {
    let mut named: HashSet<ContentId> = HashSet::new();
    database.read(|transaction| {
        for entry in transaction.open_table(OBJECTS)?.iter()? {
            if let Content::File(file) = decode::<ObjectRecord>(entry?.1.value())?.content {
                named.insert(file);
            }
        }
        for entry in transaction.open_table(PARTS)?.iter()? {
            named.insert(decode::<PartRecord>(entry?.1.value())?.file);
        }
        Ok::<_, StoreError>(())
    })?;
    let mut orphans = Vec::new();
    files.each(|file| {
        if !named.contains(&file) {
            orphans.push(file);
        }
    })?;
    orphans.iter().for_each(|&file| files.remove(file));
    Ok(orphans.len())
}
