use bytes::Bytes;
use warmfront_journal::{CommitError, Event, Expected, Journal, Watch, Write};
use warmfront_model::Revision;

pub fn put(value: &str) -> Write {
    Write::Put(Bytes::copy_from_slice(value.as_bytes()))
}

pub fn event(revision: u64, key: &str, write: Write) -> Event {
    Event {
        revision: Revision(revision),
        key: key.to_owned(),
        write,
    }
}

/// Commits `n` times to keys `0`, `1` … and gives the newest revision.
pub async fn commit_n(journal: &dyn Journal, n: u64) -> Revision {
    let mut newest = journal.head().await.unwrap();
    for number in 0..n {
        newest = journal
            .commit(&number.to_string(), put("v"), Expected::Any)
            .await
            .unwrap();
    }
    newest
}

pub async fn next(watch: &mut Box<dyn Watch>) -> Event {
    watch.next().await.unwrap().expect("the journal is open")
}

/// The revisions of the next `n` events.
pub async fn next_revisions(watch: &mut Box<dyn Watch>, n: u64) -> Vec<u64> {
    let mut revisions = Vec::new();
    for _ in 0..n {
        revisions.push(next(watch).await.revision.0);
    }
    revisions
}

/// The key's revision and the head that a conflict reports.
pub fn conflict(result: Result<Revision, CommitError>) -> (Option<u64>, u64) {
    match result {
        Err(CommitError::Conflict { key_revision, head, .. }) => (key_revision.map(|revision| revision.0), head.0),
        other => panic!("no conflict: {other:?}"),
    }
}
