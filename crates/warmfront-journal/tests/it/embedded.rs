//! What the embedded engine promises besides the contract.

use futures_util::FutureExt;
use futures_util::future::join_all;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tempfile::TempDir;
use warmfront_journal::{Embedded, Expected, FORMAT, Journal, JournalError, QUEUED_COMMITS_MAX};
use warmfront_model::Revision;

use crate::disk::Disk;
use crate::support::{commit_n, next_revisions, put};

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Embedded::open(dir.path()).unwrap();
    let incarnation = journal.incarnation();
    commit_n(&journal, 10).await;
    journal.trim(Revision(4)).await.unwrap();
    let before = journal.snapshot("").await.unwrap();
    drop(journal);

    let journal = Embedded::open(dir.path()).unwrap();
    assert_eq!(journal.incarnation(), incarnation);
    assert_eq!(journal.snapshot("").await.unwrap(), before);
    let mut watch = journal.watch(Revision(4)).await.unwrap();
    assert_eq!(next_revisions(&mut watch, 6).await, [5, 6, 7, 8, 9, 10]);
    assert!(matches!(
        journal.watch(Revision(3)).await,
        Err(JournalError::Compacted {
            oldest: Revision(5),
            ..
        })
    ));
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Embedded::open(dir.path()).unwrap();
    let refused = Embedded::open(dir.path()).unwrap_err();
    let path = dir.path().join("journal.redb");
    assert_eq!(
        refused.to_string(),
        format!("the journal {} is open in another process", path.display())
    );
    assert!(matches!(refused, JournalError::InUse(_)));
    assert_eq!(journal.commit("k", put("v"), Expected::Any).await.unwrap(), Revision(1));

    journal.close().await;
    let again = Embedded::open(dir.path()).unwrap();
    assert_eq!(again.head().await.unwrap(), Revision(1));
}

#[tokio::test]
async fn nothing_is_seen_before_it_is_durable() {
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    let (arrival, go) = disk.hold_next_sync();
    let mut commit = journal.commit("k", put("v"), Expected::Any);
    assert!((&mut commit).now_or_never().is_none());
    arrival.recv().unwrap();
    assert_eq!(journal.head().await.unwrap(), Revision::ZERO);
    assert_eq!(journal.snapshot("").await.unwrap().entries, []);
    assert!(watch.next().now_or_never().is_none());
    assert!((&mut commit).now_or_never().is_none());

    go.send(()).unwrap();
    assert_eq!(commit.await.unwrap(), Revision(1));
    assert_eq!(journal.head().await.unwrap(), Revision(1));
    assert_eq!(next_revisions(&mut watch, 1).await, [1]);
}

#[tokio::test]
async fn all_waiting_commits_share_one_transaction() {
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    let (arrival, go) = disk.hold_next_sync();
    let mut first = journal.commit("first", put("v"), Expected::Any);
    assert!((&mut first).now_or_never().is_none());
    arrival.recv().unwrap();

    let keys: Vec<String> = (0..64).map(|number| number.to_string()).collect();
    let mut others = join_all(keys.iter().map(|key| journal.commit(key, put("v"), Expected::Any)));
    assert!((&mut others).now_or_never().is_none());
    go.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Revision(1));
    let revisions: Vec<u64> = others.await.into_iter().map(|revision| revision.unwrap().0).collect();
    assert_eq!(revisions, (2..=65).collect::<Vec<_>>());
    assert_eq!(journal.n_transactions(), 2);
}

#[tokio::test]
async fn conflicts_cost_no_transaction() {
    let journal = Embedded::in_memory().unwrap();
    commit_n(&journal, 1).await;
    for _ in 0..3 {
        assert!(journal.commit("0", put("v"), Expected::Absent).await.is_err());
    }
    assert_eq!(journal.n_transactions(), 1);
}

#[tokio::test]
async fn a_full_queue_makes_commits_wait() {
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    let (arrival, go) = disk.hold_next_sync();
    let keys: Vec<String> = (0..3 * QUEUED_COMMITS_MAX).map(|number| number.to_string()).collect();
    let mut commits = join_all(keys.iter().map(|key| journal.commit(key, put("v"), Expected::Absent)));
    assert!((&mut commits).now_or_never().is_none());
    arrival.recv().unwrap();
    go.send(()).unwrap();
    let mut revisions: Vec<u64> = commits.await.into_iter().map(|revision| revision.unwrap().0).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=3 * QUEUED_COMMITS_MAX as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn closing_finishes_what_waits() {
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    let (arrival, go) = disk.hold_next_sync();
    let mut commits = join_all(["a", "b", "c"].map(|key| journal.commit(key, put("v"), Expected::Any)));
    assert!((&mut commits).now_or_never().is_none());
    arrival.recv().unwrap();
    let mut close = Box::pin(journal.close());
    assert!((&mut close).now_or_never().is_none());
    go.send(()).unwrap();
    close.await;
    let revisions: Vec<u64> = commits.await.into_iter().map(|revision| revision.unwrap().0).collect();
    assert_eq!(revisions, [1, 2, 3]);
    drop(journal);
    assert_eq!(disk.open_journal().unwrap().head().await.unwrap(), Revision(3));
}

#[test]
fn every_runtime_sees_all_commits_in_order() {
    const N_RUNTIMES: u64 = 4;
    const N_COMMITS: u64 = 50;
    let journal = Embedded::in_memory().unwrap();
    let run = |runtime_number: u64| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut watch = journal.watch(Revision::ZERO).await.unwrap();
            let commits = async {
                for number in 0..N_COMMITS {
                    let key = format!("{runtime_number}/{number}");
                    journal.commit(&key, put("v"), Expected::Absent).await.unwrap();
                }
            };
            let ((), revisions) = tokio::join!(commits, next_revisions(&mut watch, N_RUNTIMES * N_COMMITS));
            revisions
        })
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..N_RUNTIMES).map(|number| scope.spawn(move || run(number))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), (1..=N_RUNTIMES * N_COMMITS).collect::<Vec<_>>());
        }
    });
}

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log");

/// A closed journal with ten commits, with one number of its meta table changed as if by another program.
async fn with_meta(key: &str, value: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    commit_n(&Embedded::open(dir.path()).unwrap(), 10).await;
    let database = Database::create(dir.path().join("journal.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert(key, value).unwrap();
    transaction.commit().unwrap();
    dir
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let dir = with_meta("format", FORMAT + 1).await;
    let refused = Embedded::open(dir.path()).unwrap_err();
    assert!(
        matches!(
            refused,
            JournalError::Format {
                found: 2,
                supported: 1,
                ..
            }
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_log_that_does_not_reach_its_oldest_revision_is_damaged() {
    for oldest in [0, 12] {
        let dir = with_meta("oldest", oldest).await;
        let refused = Embedded::open(dir.path()).unwrap_err();
        assert!(matches!(refused, JournalError::Io(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn an_interrupted_trim_is_taken_up_again() {
    let dir = with_meta("oldest", 5).await;
    let journal = Embedded::open(dir.path()).unwrap();
    assert!(matches!(
        journal.watch(Revision(3)).await,
        Err(JournalError::Compacted {
            oldest: Revision(5),
            ..
        })
    ));
    assert_eq!(
        next_revisions(&mut journal.watch(Revision(4)).await.unwrap(), 2).await,
        [5, 6]
    );
    // Events are deleted between commits, in a transaction of their own.
    let mut n_commits = 0;
    while journal.n_transactions() == n_commits {
        commit_n(&journal, 1).await;
        n_commits += 1;
    }
    drop(journal);
    let database = Database::create(dir.path().join("journal.redb")).unwrap();
    let log = database.begin_read().unwrap().open_table(LOG).unwrap();
    assert_eq!(log.first().unwrap().unwrap().0.value(), 5);
}

#[test]
fn what_is_not_a_journal_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.redb");
    std::fs::write(&path, "some text").unwrap();
    let refused = Embedded::open(dir.path()).unwrap_err();
    assert!(matches!(refused, JournalError::Io(_)), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"some text");

    std::fs::remove_file(&path).unwrap();
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(LOG).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let refused = Embedded::open(dir.path()).unwrap_err();
    assert!(matches!(refused, JournalError::Io(_)), "{refused:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let refused = Embedded::open(&dir.path().join("file/journal")).unwrap_err();
    assert!(matches!(refused, JournalError::Io(_)), "{refused:?}");
}
