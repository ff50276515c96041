//! Buckets, objects and uploads on a disk: names and metadata in redb, bytes in files with random names.
//!
//! A key is a value in a table and never a path, so no name can leave the folder or stand in another's way.
//! A write puts its bytes in a new file, syncs it, and then commits the record that points at it; the superseded bytes
//! go when their last reader is done. A crash in between leaves files that no record names; opening the store removes them.

mod buckets;
mod complete;
mod database;
mod files;
mod list;
mod objects;
mod pins;
mod record;
mod sweep;
#[cfg(test)]
mod tests;
mod uploads;

pub(crate) use buckets::{BucketError, Buckets};
pub(crate) use database::{Database, StoreError};
pub(crate) use files::{ContentId, Files, StagedFile};
pub(crate) use list::{Listed, Listing, ListingQuery, list_objects};
pub(crate) use objects::{ObjectError, Opened, WriteCondition};
pub(crate) use pins::{Pin, Pins};
pub(crate) use record::{
    BucketRecord, Content, ObjectRecord, PartRecord, PublicAccessBlock, StoredChecksum, SystemHeaders, UploadRecord,
};
pub(crate) use uploads::{CompletedPart, UploadError, UploadId, UploadsQuery};

use std::path::Path;
use std::sync::Arc;

use crate::bucket::OpenError;

/// Everything that lies in the bucket's folder. Its methods block; call them where blocking is allowed.
pub(crate) struct Store {
    pub(crate) database: Database,
    pub(crate) files: Arc<Files>,
    pub(crate) pins: Arc<Pins>,
    pub(crate) buckets: Buckets,
}

impl Store {
    /// Opens the folder, making what is missing, and removes the files that no record names. Where the records themselves
    /// are gone, no file is removed: the folder is refused.
    pub(crate) fn open(dir: &Path) -> Result<Store, OpenError> {
        let files = Arc::new(Files::open(dir)?);
        let database = Database::open(dir)?;
        if database.is_new()? && files.any()? {
            return Err(OpenError::Nameless(dir.to_owned()));
        }
        database.make_tables()?;
        let n_removed = sweep::remove_orphans(&database, &files)?;
        if n_removed > 0 {
            tracing::info!(n_removed, "removed files that no object names");
        }
        let buckets = Buckets::load(&database)?;
        let pins = Arc::new(Pins::new(Arc::clone(&files)));
        Ok(Store {
            database,
            files,
            pins,
            buckets,
        })
    }
}
