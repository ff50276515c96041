//! The one thread that owns the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};
use warmfront_model::Revision;

use super::QUEUED_COMMITS_MAX;
use super::store::Store;
use super::tail::Tail;
use crate::interface::{CommitError, Event, Expected, JournalError, Write};
use crate::state::State;

/// What everyone reads: durable, all of it.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) state: State,
    pub(super) tail: Tail,
}

/// What the thread is asked to do.
pub(super) enum Request {
    Commit(Commit),
    /// Some of the events above `after`, from the file.
    Read {
        after: Revision,
        answer: oneshot::Sender<Result<Vec<Event>, JournalError>>,
    },
    Trim {
        through: Revision,
        answer: oneshot::Sender<Result<(), JournalError>>,
    },
    /// Finish what is waiting, then end. Wakes the thread to look at the flag.
    Close,
}

/// One commit that waits, its limits checked.
pub(super) struct Commit {
    pub(super) key: String,
    pub(super) write: Write,
    pub(super) expected: Expected,
    pub(super) answer: oneshot::Sender<Result<Revision, CommitError>>,
}

pub(super) struct Writer {
    store: Store,
    published: watch::Sender<Published>,
    requests: mpsc::Receiver<Request>,
    closing: Arc<AtomicBool>,
    /// Events older than the oldest kept may still be in the file.
    deleting: bool,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        published: watch::Sender<Published>,
        requests: mpsc::Receiver<Request>,
        closing: Arc<AtomicBool>,
    ) -> Writer {
        // A trim may have been interrupted by the end of the last process.
        Writer {
            store,
            published,
            requests,
            closing,
            deleting: true,
        }
    }

    /// Serves requests until the journal is closed; then what waits is finished and the file's lock released,
    /// before anyone learns that it is closed.
    pub(super) fn run(mut self) {
        while !self.closing.load(Ordering::Acquire) {
            match self.next_request() {
                Ok(Some(request)) => self.serve(request),
                Ok(None) => self.delete_some(),
                Err(Closed) => break,
            }
        }
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            self.serve(request);
        }
        drop(self.store);
        drop(self.published);
    }

    /// `None`: nothing waits, but there is something to delete meanwhile.
    fn next_request(&mut self) -> Result<Option<Request>, Closed> {
        if !self.deleting {
            return self.requests.blocking_recv().map(Some).ok_or(Closed);
        }
        match self.requests.try_recv() {
            Ok(request) => Ok(Some(request)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Closed),
        }
    }

    /// Serves this request and all that wait behind it: the commits first, in order, in one transaction.
    fn serve(&mut self, first: Request) {
        let mut commits = Vec::new();
        let mut others = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Commit(commit) => commits.push(commit),
                other => others.push(other),
            }
            let room = commits.len() + others.len() < QUEUED_COMMITS_MAX;
            next = if room { self.requests.try_recv().ok() } else { None };
        }
        self.commit_all(commits);
        for request in others {
            match request {
                // Answers nobody waits for any more are dropped.
                Request::Read { after, answer } => drop(answer.send(self.read(after))),
                Request::Trim { through, answer } => drop(answer.send(self.trim(through))),
                Request::Commit(commit) => self.commit_all(vec![commit]),
                Request::Close => {}
            }
        }
    }

    fn commit_all(&mut self, commits: Vec<Commit>) {
        if commits.is_empty() {
            return;
        }
        let answers = match self.try_commit_all(&commits) {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(%error, n_commits = commits.len(), "the journal could not be written");
                // What the failed write left behind is settled before anyone hears of the failure.
                if let Err(error) = self.ready() {
                    tracing::error!(%error, "the journal could not be opened again; the next request tries it");
                }
                let reason = match error {
                    JournalError::Io(reason) => reason,
                    other => other.to_string(),
                };
                commits
                    .iter()
                    .map(|_| Err(JournalError::Io(reason.clone()).into()))
                    .collect()
            }
        };
        for (commit, answer) in commits.into_iter().zip(answers) {
            drop(commit.answer.send(answer));
        }
    }

    /// Decides all in order, each seeing those before it, and makes them durable together.
    fn try_commit_all(&mut self, commits: &[Commit]) -> Result<Vec<Result<Revision, CommitError>>, JournalError> {
        self.ready()?;
        let mut next = self.published.borrow().clone();
        let mut events = Vec::with_capacity(commits.len());
        let mut answers = Vec::with_capacity(commits.len());
        for commit in commits {
            let decision = next.state.decide(&commit.key, commit.expected);
            if let Ok(revision) = decision {
                let event = Event {
                    revision,
                    key: commit.key.clone(),
                    write: commit.write.clone(),
                };
                next.state.apply(&event);
                next.tail.push(event.clone());
                events.push(event);
            }
            answers.push(decision);
        }
        if !events.is_empty() {
            self.store.append(&events)?;
            self.published.send_replace(next);
        }
        Ok(answers)
    }

    fn read(&mut self, after: Revision) -> Result<Vec<Event>, JournalError> {
        self.ready()?;
        self.published.borrow().state.check_watch(after)?;
        self.store.read(after)
    }

    fn trim(&mut self, through: Revision) -> Result<(), JournalError> {
        self.ready()?;
        let oldest = self.published.borrow().state.oldest_after_trim(through);
        if oldest > self.published.borrow().state.oldest {
            self.store.set_oldest(oldest)?;
            self.published.send_modify(|published| published.state.oldest = oldest);
            self.deleting = true;
        }
        Ok(())
    }

    fn delete_some(&mut self) {
        let oldest = self.published.borrow().state.oldest;
        let result = self.ready().and_then(|()| self.store.delete_some_before(oldest));
        self.deleting = match result {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(%error, "trimmed events stay in the file until the next trim or start");
                false
            }
        };
    }

    /// Opens the file again after a failure, and takes in what became durable nevertheless.
    fn ready(&mut self) -> Result<(), JournalError> {
        if self.store.is_open() {
            return Ok(());
        }
        let head = self.published.borrow().state.head;
        let (state, events) = self.store.reopen(head)?;
        self.published.send_modify(|published| {
            published.state = state;
            for event in events {
                published.tail.push(event);
            }
        });
        Ok(())
    }
}

/// Nobody can ask any more.
struct Closed;
