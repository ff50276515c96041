use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use warmfront_clock::Clock;
use warmfront_model::AccountId;
use warmfront_signing::Credentials;

use crate::serve;
use crate::store::{Store, StoreError};

/// Whose buckets these are and who may come.
#[derive(Clone, Debug)]
pub struct BucketOptions {
    /// The account that owns every bucket.
    pub account: AccountId,
    /// Where a bucket lies unless it is created elsewhere.
    pub region: String,
    /// The account's root user: may do everything that no bucket policy denies.
    pub root: Credentials,
    /// The edge: speaks as the service `cloudfront.amazonaws.com` for the distribution it names in `x-amz-source-arn`.
    pub edge: Credentials,
    /// Gives objects their Last-Modified. Signatures are judged by the system's clock, which is what clients sign by.
    pub clock: Clock,
}

/// An S3 of its own: buckets and objects in one folder.
pub struct Bucket {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) options: BucketOptions,
}

impl Shared {
    /// Runs what blocks on the store where blocking is allowed. It runs to its end even if nobody waits any more.
    pub(crate) async fn blocking<T, E>(
        self: &Arc<Shared>,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let shared = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&shared.store)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Interrupted.into()),
        }
    }
}

/// Why the folder could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has the database open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A file or folder could not be made or read.
    #[error("the bucket's folder cannot be used: {0}")]
    Io(#[from] io::Error),
    /// The bytes of objects are there, and the database that names them is missing or empty.
    #[error(
        "{}/bucket.redb is missing or empty, but there are objects beside it: put the file back, \
         or remove the folder to begin without them",
        .0.display()
    )]
    Nameless(PathBuf),
    /// What is in the folder cannot be read.
    #[error("the bucket's data cannot be read: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> OpenError {
        OpenError::Store(error.into())
    }
}

impl Bucket {
    /// Opens the buckets in `dir`, which is made if it is missing, and removes what a crash has left behind.
    ///
    /// # Errors
    /// [`OpenError`] if another process uses the folder, or it cannot be read or written.
    pub fn open(dir: &Path, options: BucketOptions) -> Result<Bucket, OpenError> {
        let store = Store::open(dir)?;
        Ok(Bucket {
            shared: Arc::new(Shared { store, options }),
        })
    }

    /// Answers S3 requests on `listener` until `shutdown` is over, then lets those in flight finish.
    ///
    /// # Errors
    /// An error of the listener that will not go away by itself.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        serve::serve(Arc::clone(&self.shared), listener, shutdown).await
    }
}
