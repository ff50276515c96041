use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use redb::ReadableTable;
use thiserror::Error;
use warmfront_policy::{Policy, PolicyKind};

use super::database::{BUCKETS, OBJECTS, PARTS, UPLOADS};
use super::objects::take_content;
use super::record::{decode, encode};
use super::{BucketRecord, Content, ContentId, Database, Store, StoreError};

/// How many buckets an account may have. Source: S3 User Guide, "Bucket quotas".
const BUCKETS_MAX: usize = 10_000;

/// Why a bucket could not be made, changed or deleted.
#[derive(Debug, Error)]
pub(crate) enum BucketError {
    #[error("the bucket does not exist")]
    NoSuchBucket,
    #[error("the bucket exists already")]
    AlreadyOwned,
    #[error("the bucket is not empty")]
    NotEmpty,
    #[error("there are as many buckets as there may be")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for BucketError {
            fn from(error: redb::$error) -> BucketError {
                BucketError::Store(error.into())
            }
        })*
    };
}
from_redb!(TableError, StorageError);

/// A bucket's record, and its policy ready to be evaluated.
pub(crate) struct BucketState {
    pub record: BucketRecord,
    pub policy: Option<Policy>,
}

/// Every bucket there is; the table is written first, then this.
pub(crate) struct Buckets(RwLock<BTreeMap<String, Arc<BucketState>>>);

impl Buckets {
    pub(super) fn load(database: &Database) -> Result<Buckets, StoreError> {
        let mut buckets = BTreeMap::new();
        database.read(|transaction| {
            for entry in transaction.open_table(BUCKETS)?.iter()? {
                let (name, record) = entry?;
                buckets.insert(name.value().to_owned(), Arc::new(state(decode(record.value())?)?));
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(Buckets(RwLock::new(buckets)))
    }

    /// The bucket of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<BucketState>> {
        self.0.read().get(name).cloned()
    }

    /// Up to `n_max` buckets whose names begin with `prefix` and are greater than `after`, in order.
    pub(crate) fn list(&self, prefix: &str, after: &str, n_max: usize) -> Vec<(String, Arc<BucketState>)> {
        let buckets = self.0.read();
        let all = buckets
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after);
        all.take(n_max)
            .map(|(name, state)| (name.clone(), Arc::clone(state)))
            .collect()
    }
}

fn state(record: BucketRecord) -> Result<BucketState, StoreError> {
    let policy = record
        .policy
        .as_deref()
        .map(|policy| Policy::parse(policy, PolicyKind::Bucket))
        .transpose();
    let policy = policy.map_err(|error| StoreError::Corrupt(format!("bucket policy: {error}")))?;
    Ok(BucketState { record, policy })
}

impl Store {
    /// Makes a bucket.
    pub(crate) fn create_bucket(&self, name: &str, record: BucketRecord) -> Result<(), BucketError> {
        let mut buckets = self.buckets.0.write();
        if buckets.contains_key(name) {
            return Err(BucketError::AlreadyOwned);
        }
        if buckets.len() >= BUCKETS_MAX {
            return Err(BucketError::TooMany);
        }
        self.write_bucket(name, &record)?;
        buckets.insert(name.to_owned(), Arc::new(state(record)?));
        Ok(())
    }

    /// Changes what is kept of a bucket besides its objects.
    pub(crate) fn change_bucket(&self, name: &str, change: impl FnOnce(&mut BucketRecord)) -> Result<(), BucketError> {
        let mut buckets = self.buckets.0.write();
        let mut record = buckets.get(name).ok_or(BucketError::NoSuchBucket)?.record.clone();
        change(&mut record);
        let state = state(record)?;
        self.write_bucket(name, &state.record)?;
        buckets.insert(name.to_owned(), Arc::new(state));
        Ok(())
    }

    fn write_bucket(&self, name: &str, record: &BucketRecord) -> Result<(), BucketError> {
        self.database.write(|transaction| {
            transaction
                .open_table(BUCKETS)?
                .insert(name, encode(record)?.as_slice())?;
            Ok::<_, BucketError>(())
        })
    }

    /// Deletes a bucket that has no objects; uploads that were never completed go with it.
    pub(crate) fn delete_bucket(&self, name: &str) -> Result<(), BucketError> {
        let mut buckets = self.buckets.0.write();
        if !buckets.contains_key(name) {
            return Err(BucketError::NoSuchBucket);
        }
        let mut superseded = Vec::new();
        self.database.write(|transaction| {
            if let Some(first) = transaction.open_table(OBJECTS)?.range((name, "")..)?.next()
                && first?.0.value().0 == name
            {
                return Err(BucketError::NotEmpty);
            }
            let mut uploads = transaction.open_table(UPLOADS)?;
            let mut ids = Vec::new();
            for entry in uploads.range((name, "", 0)..)? {
                let (key, _) = entry?;
                let (bucket, key, id) = key.value();
                if bucket != name {
                    break;
                }
                ids.push((key.to_owned(), id));
            }
            let mut parts = transaction.open_table(PARTS)?;
            for (key, id) in ids {
                uploads.remove((name, key.as_str(), id))?;
                superseded.push(take_content(&mut parts, Content::Parts(ContentId(id)))?);
            }
            transaction.open_table(BUCKETS)?.remove(name)?;
            Ok(())
        })?;
        buckets.remove(name);
        self.release(superseded);
        Ok(())
    }
}
