use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use async_trait::async_trait;
use parking_lot::Mutex;
use redb::backends::InMemoryBackend;
use tokio::sync::{mpsc, oneshot, watch};
use warmfront_model::{Incarnation, Revision};

use self::replay::EmbeddedWatch;
use self::store::{Opener, Store};
pub use self::tables::FORMAT;
use self::tail::Tail;
use self::writer::{Commit, Published, Request, Writer};
use crate::interface::{CommitError, Expected, Journal, JournalError, Snapshot, Watch, Write};
use crate::state::{State, check_limits};

mod record;
mod replay;
mod store;
mod tables;
mod tail;
mod writer;

/// How many commits wait at most for the file; further ones wait in `commit` until there is room.
/// All that wait become durable with one fsync.
pub const QUEUED_COMMITS_MAX: usize = 256;

const FILE_NAME: &str = "journal.redb";

/// The journal of one process, in one file, on redb.
///
/// One thread owns the file. It decides the commits that wait, in order, and makes them durable in one transaction
/// before any of them is answered. Everyone else reads what was last made durable, from memory; only a watch that
/// lags asks the thread for older events. So nothing here blocks an executor, and any runtime will do.
#[derive(Debug)]
pub struct Embedded {
    incarnation: Incarnation,
    published: watch::Receiver<Published>,
    requests: mpsc::Sender<Request>,
    closing: Arc<AtomicBool>,
    transactions: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens the journal in the folder `dir`, or creates both. Reads the whole file, so it blocks.
    ///
    /// # Errors
    /// [`JournalError::InUse`] if a process, this one included, has it open; [`JournalError::Format`] if a newer
    /// version wrote it; [`JournalError::Io`] if it cannot be read or is damaged.
    pub fn open(dir: &Path) -> Result<Embedded, JournalError> {
        let path = dir.join(FILE_NAME);
        let name = path.display().to_string();
        create_folder(dir).map_err(|error| JournalError::Io(format!("{}: {error}", dir.display())))?;
        let mut first = true;
        let journal = Embedded::open_with(&name, move |builder| {
            if std::mem::take(&mut first) {
                return builder.create(&path);
            }
            forget_cached(&path);
            builder.open(&path)
        })?;
        // A file is found again after a power cut only once its folder is durable.
        sync_folder(dir).map_err(|error| JournalError::Io(format!("{}: {error}", dir.display())))?;
        Ok(journal)
    }

    /// A new journal in memory, its log too, that is lost when it is closed.
    ///
    /// # Errors
    /// [`JournalError::Io`] if there is no thread for it.
    pub fn in_memory() -> Result<Embedded, JournalError> {
        Embedded::open_with("in memory", |builder| {
            builder.create_with_backend(InMemoryBackend::new())
        })
    }

    /// Opens the journal that `opener` gives, on whatever storage. It is called again after each failed write, and
    /// must give the same storage then. `name` is how messages call the journal.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn open_with<F>(name: &str, opener: F) -> Result<Embedded, JournalError>
    where
        F: FnMut(&redb::Builder) -> Result<redb::Database, redb::DatabaseError> + Send + 'static,
    {
        let (requests, receiver) = mpsc::channel(QUEUED_COMMITS_MAX);
        let closing = Arc::new(AtomicBool::new(false));
        let transactions = Arc::new(AtomicU64::new(0));
        let (opened, outcome) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn({
                let (name, opener): (String, Opener) = (name.to_owned(), Box::new(opener));
                let (closing, transactions) = (Arc::clone(&closing), Arc::clone(&transactions));
                move || match Store::open(name, opener, transactions) {
                    Ok((store, state)) => {
                        let incarnation = store.incarnation();
                        let (sender, published) = watch::channel(Published {
                            state,
                            tail: Tail::default(),
                        });
                        // If nobody waits for the outcome, the queue is closed, and the thread ends at once.
                        drop(opened.send(Ok((incarnation, published))));
                        Writer::new(store, sender, receiver, closing).run();
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            })
            .map_err(|error| JournalError::Io(format!("{name}: no thread: {error}")))?;
        // redb may panic on a damaged file; then the thread is gone without an outcome.
        let damaged = || JournalError::Io(format!("{name}: the file is damaged"));
        let (incarnation, published) = match outcome.recv().unwrap_or_else(|_| Err(damaged())) {
            Ok(opened) => opened,
            Err(error) => {
                drop(thread.join());
                return Err(error);
            }
        };
        Ok(Embedded {
            incarnation,
            published,
            requests,
            closing,
            transactions,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Forgets the events up to `through` (at most the head): watches begin after it from then on. The entries stay.
    /// Returns once that is durable; the space is freed little by little, between commits.
    ///
    /// # Errors
    /// [`JournalError::Io`] if it could not be written.
    pub async fn trim(&self, through: Revision) -> Result<(), JournalError> {
        self.ask(|answer| Request::Trim { through, answer }).await?
    }

    /// How many transactions became durable since this journal was opened, one fsync each.
    pub fn n_transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Closes the journal: what waits is committed and answered, later calls answer [`JournalError::Closed`], watches
    /// end. When this returns, the file's lock is released. Dropping the journal does the same, and blocks meanwhile.
    pub async fn close(&self) {
        self.begin_closing();
        let mut published = self.published.clone();
        while published.changed().await.is_ok() {}
    }

    fn begin_closing(&self) {
        self.closing.store(true, Ordering::Release);
        // A full queue needs no waking.
        drop(self.requests.try_send(Request::Close));
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, JournalError> {
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(request(answer))
            .await
            .map_err(|_| JournalError::Closed)?;
        answered.await.map_err(|_| JournalError::Closed)
    }

    /// What is durable now.
    fn state(&self) -> Result<State, JournalError> {
        match self.published.has_changed() {
            Ok(_) => Ok(self.published.borrow().state.clone()),
            Err(_) => Err(JournalError::Closed),
        }
    }
}

#[async_trait]
impl Journal for Embedded {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    async fn commit(&self, key: &str, write: Write, expected: Expected) -> Result<Revision, CommitError> {
        check_limits(key, &write)?;
        let key = key.to_owned();
        self.ask(|answer| {
            Request::Commit(Commit {
                key,
                write,
                expected,
                answer,
            })
        })
        .await?
    }

    async fn head(&self) -> Result<Revision, JournalError> {
        Ok(self.state()?.head)
    }

    async fn snapshot(&self, prefix: &str) -> Result<Snapshot, JournalError> {
        Ok(self.state()?.snapshot(prefix))
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Watch>, JournalError> {
        self.state()?.check_watch(after)?;
        Ok(Box::new(EmbeddedWatch::new(
            after,
            self.published.clone(),
            self.requests.downgrade(),
        )))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.begin_closing();
        if let Some(thread) = self.thread.lock().take() {
            drop(thread.join());
        }
    }
}

fn create_folder(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => Ok(()),
    }
}

fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// After a failed fsync, Linux takes what it could not write for written, and keeps showing it. What the journal holds
/// must then be judged by what is on the disk.
///
/// Source: fsync(2), "EIO"; Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
#[cfg(target_os = "linux")]
fn forget_cached(path: &Path) {
    let forget = |file: File| Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?);
    let forgotten: io::Result<()> = File::open(path).and_then(forget);
    if let Err(error) = forgotten {
        tracing::warn!(%error, path = %path.display(), "the journal is opened again from the page cache");
    }
}

#[cfg(not(target_os = "linux"))]
fn forget_cached(_path: &Path) {}
