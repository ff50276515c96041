use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use redb::{Builder, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};
use thiserror::Error;

use crate::bucket::OpenError;

/// Bucket name → [`super::BucketRecord`].
pub(super) const BUCKETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("buckets");
/// (Bucket, key) → [`super::ObjectRecord`], in S3's listing order: bytes of the UTF-8 key.
pub(super) const OBJECTS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("objects");
/// (Bucket, key, upload) → [`super::UploadRecord`].
pub(super) const UPLOADS: TableDefinition<'_, (&str, &str, u128), &[u8]> = TableDefinition::new("uploads");
/// (Upload, part number) → [`super::PartRecord`]; a completed upload's parts stay here as its object's content.
pub(super) const PARTS: TableDefinition<'_, (u128, u32), &[u8]> = TableDefinition::new("parts");

/// Pages of metadata kept in memory; records are small and the operating system caches the file as well.
const CACHE_BYTES: usize = 64 << 20;

/// The store's disk or its contents let us down; nothing of the kind is the client's fault.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error("the metadata database failed: {0}")]
    Database(#[source] Box<redb::Error>),
    #[error("a file of the store failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("a record of the store cannot be read: {0}")]
    Corrupt(String),
    #[error("the store's work was interrupted")]
    Interrupted,
}

impl StoreError {
    /// Whether the disk is full.
    pub(crate) fn is_storage_full(&self) -> bool {
        let io = match self {
            StoreError::Io(io) => io,
            StoreError::Database(error) => match &**error {
                redb::Error::Io(io) => io,
                _ => return false,
            },
            StoreError::Corrupt(_) | StoreError::Interrupted => return false,
        };
        matches!(
            io.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        )
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> StoreError {
                StoreError::Database(Box::new(error.into()))
            }
        })*
    };
}
from_redb!(TransactionError, TableError, StorageError, CommitError, DatabaseError);

/// The metadata, one file. A failed write makes redb refuse all further work until it is opened again, which is done
/// here before the next transaction, so that a disk that was full for a moment does not end the service.
pub(crate) struct Database {
    path: PathBuf,
    open: RwLock<Option<redb::Database>>,
    failed: AtomicBool,
}

impl Database {
    /// Opens `DIR/bucket.redb`, or makes it without tables.
    pub(super) fn open(dir: &Path) -> Result<Database, OpenError> {
        let path = dir.join("bucket.redb");
        let database = Self::open_file(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(path.clone()),
            other => OpenError::Store(StoreError::from(other).into()),
        })?;
        Ok(Database {
            path,
            open: RwLock::new(Some(database)),
            failed: AtomicBool::new(false),
        })
    }

    /// Whether it has no tables: it was made just now, or its contents are lost.
    pub(super) fn is_new(&self) -> Result<bool, StoreError> {
        self.read(|transaction| Ok(transaction.list_tables()?.next().is_none()))
    }

    /// Makes the tables that are missing.
    pub(super) fn make_tables(&self) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.open_table(BUCKETS)?;
            transaction.open_table(OBJECTS)?;
            transaction.open_table(UPLOADS)?;
            transaction.open_table(PARTS)?;
            Ok(())
        })
    }

    fn open_file(path: &Path) -> Result<redb::Database, redb::DatabaseError> {
        // Without the check, redb takes the pages of a file that was closed properly on trust, and may panic on damage.
        Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .create(path)
    }

    /// Runs `work` on one consistent state.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&ReadTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with(|database| {
            let transaction = database.begin_read().map_err(|error| self.watched(error))?;
            work(&transaction)
        })
    }

    /// Runs `work` alone among writers and makes all it did durable, or none of it if it fails.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with(|database| {
            let transaction = database.begin_write().map_err(|error| self.watched(error))?;
            match work(&transaction) {
                Ok(value) => {
                    transaction.commit().map_err(|error| self.watched(error))?;
                    Ok(value)
                }
                Err(error) => {
                    if let Err(abort) = transaction.abort() {
                        self.watched(abort);
                    }
                    Err(error)
                }
            }
        })
    }

    fn with<T, E: From<StoreError>>(&self, work: impl FnOnce(&redb::Database) -> Result<T, E>) -> Result<T, E> {
        if self.failed.load(Ordering::Acquire) {
            self.reopen()?;
        }
        match &*self.open.read() {
            Some(database) => work(database),
            None => {
                self.failed.store(true, Ordering::Release);
                Err(StoreError::Interrupted.into())
            }
        }
    }

    /// Notes that the database must be opened again.
    fn watched(&self, error: impl Into<StoreError>) -> StoreError {
        self.failed.store(true, Ordering::Release);
        error.into()
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut open = self.open.write();
        if self.failed.swap(false, Ordering::AcqRel) {
            drop(open.take());
            match Self::open_file(&self.path) {
                Ok(database) => *open = Some(database),
                Err(error) => return Err(self.watched(error)),
            }
        }
        Ok(())
    }
}
