use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use warmfront_model::{Incarnation, Revision};

/// The largest value an engine takes, in bytes. Engines on a consensus store are held to the same limit
/// (etcd's and JetStream's defaults lie between 1 MiB and 1.5 MiB).
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// A revisioned key-value store with an ordered watch and optimistic concurrency.
///
/// Every commit gets the next revision, is durable before `commit` returns, and reaches every watch in that order.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// The life of this journal; revisions count within it.
    fn incarnation(&self) -> Incarnation;

    /// Commits one write, if `expected` holds at that moment, and gives the revision it got.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] if `expected` does not hold; nothing was written then.
    async fn commit(&self, key: &str, write: Write, expected: Expected) -> Result<Revision, CommitError>;

    /// The revision of the newest commit, [`Revision::ZERO`] if there is none. Linearizable: a commit that returned
    /// before this call is counted.
    async fn head(&self) -> Result<Revision, JournalError>;

    /// Every entry whose key begins with `prefix`, in key order, as of one revision.
    async fn snapshot(&self, prefix: &str) -> Result<Snapshot, JournalError>;

    /// All commits with a revision above `after`, in order, none left out, first those there are, then new ones as they come.
    async fn watch(&self, after: Revision) -> Result<Box<dyn Watch>, JournalError>;
}

/// A running watch.
#[async_trait]
pub trait Watch: Send {
    /// The next event. `Ok(None)`: the journal was closed. Cancel-safe.
    async fn next(&mut self) -> Result<Option<Event>, JournalError>;
}

/// What is done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Gives the key this value.
    Put(Bytes),
    /// Removes the key; removing an absent key is a commit like any other.
    Delete,
}

/// What must hold for a commit to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Any,
    /// The key has no value.
    Absent,
    /// The key's value was written at this revision.
    Revision(Revision),
    /// The newest commit of the whole journal is this one.
    Head(Revision),
}

/// One commit, as a watch sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its position.
    pub revision: Revision,
    /// The key.
    pub key: String,
    /// What was done to it.
    pub write: Write,
}

/// A key's value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Bytes,
    /// The revision of the commit that wrote it.
    pub revision: Revision,
}

/// What the journal held at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// In key order.
    pub entries: Vec<Entry>,
    /// Every commit up to here is in it, none after.
    pub revision: Revision,
}

/// Why a commit did not happen.
#[derive(Debug, Error)]
pub enum CommitError {
    /// What was expected does not hold.
    #[error("the journal has moved on: {key} is at revision {key_revision:?}, the head at {head}")]
    Conflict {
        /// The key of the commit.
        key: String,
        /// Where the key's value was written; `None` if it has none.
        key_revision: Option<Revision>,
        /// The newest revision.
        head: Revision,
    },
    /// The value is larger than [`VALUE_BYTES_MAX`].
    #[error("{key}: a value of {bytes} bytes is larger than the journal takes ({VALUE_BYTES_MAX})")]
    TooLarge {
        /// The key of the commit.
        key: String,
        /// The value's size.
        bytes: usize,
    },
    /// The key is empty or longer than [`KEY_BYTES_MAX`].
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes, not {0}")]
    Key(usize),
    /// The store failed. Whether the commit is durable is unknown.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The store behind the journal failed.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Another process has this journal open.
    #[error("the journal {0} is open in another process")]
    InUse(String),
    /// The journal was written by a newer version.
    #[error("the journal {path} has format {found}; this program reads up to {supported}: use the newer program")]
    Format {
        /// The file.
        path: String,
        /// Its format.
        found: u64,
        /// The newest format this program knows.
        supported: u64,
    },
    /// A commit the watch should begin after is no longer there, or not yet.
    #[error("a watch cannot begin after revision {after}: the journal holds {oldest} to {head}")]
    Compacted {
        /// Where it should have begun.
        after: Revision,
        /// The oldest revision kept.
        oldest: Revision,
        /// The newest revision.
        head: Revision,
    },
    /// Reading or writing failed (disk full, I/O error, damaged file). Nothing that was acknowledged is lost by it.
    #[error("the journal cannot be read or written: {0}")]
    Io(String),
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}
