//! What the simulated engine does on command.

use futures_util::FutureExt;
use warmfront_journal::{CommitError, Expected, Journal, JournalError, Simulated, Watch};
use warmfront_model::Revision;

use crate::support::{commit_n, next_revisions, put};

/// What a watch gives without waiting.
fn given_now(watch: &mut Box<dyn Watch>) -> Vec<u64> {
    let mut revisions = Vec::new();
    while let Some(event) = watch.next().now_or_never() {
        revisions.push(event.unwrap().unwrap().revision.0);
    }
    revisions
}

#[tokio::test]
async fn a_held_watch_gets_what_is_delivered() {
    let journal = Simulated::new(1);
    let (mut held, mut free) = (
        journal.watch(Revision::ZERO).await.unwrap(),
        journal.watch(Revision::ZERO).await.unwrap(),
    );
    journal.hold_watch(0);
    commit_n(&journal, 5).await;
    assert_eq!(
        (given_now(&mut held), given_now(&mut free)),
        (vec![], vec![1, 2, 3, 4, 5])
    );
    journal.deliver(0, 2);
    assert_eq!(given_now(&mut held), [1, 2]);
    journal.deliver(0, 100);
    commit_n(&journal, 1).await;
    assert_eq!(given_now(&mut held), [3, 4, 5], "what is committed later is held again");
    journal.release_watch(0);
    assert_eq!(given_now(&mut held), [6]);
}

#[tokio::test]
async fn a_seed_decides_who_is_delivered_next() {
    let deliveries = |seed| async move {
        let journal = Simulated::new(seed);
        journal.hold_watches();
        let watches = [
            journal.watch(Revision::ZERO).await.unwrap(),
            journal.watch(Revision::ZERO).await.unwrap(),
        ];
        commit_n(&journal, 20).await;
        let numbers: Vec<usize> = std::iter::from_fn(|| journal.deliver_any()).collect();
        for mut watch in watches {
            assert_eq!(given_now(&mut watch).len(), 20);
        }
        numbers
    };
    let (first, second, other) = (deliveries(1).await, deliveries(1).await, deliveries(2).await);
    assert_eq!((first.len(), &first), (40, &second));
    assert_ne!(first, other);
}

#[tokio::test]
async fn commits_wait_for_their_sync() {
    let journal = Simulated::new(1);
    journal.hold_commits();
    let mut first = journal.commit("k", put("1"), Expected::Absent);
    let mut second = journal.commit("k", put("2"), Expected::Absent);
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    assert_eq!(journal.head().await.unwrap(), Revision::ZERO);
    assert_eq!(journal.sync(), 2);
    assert_eq!(first.await.unwrap(), Revision(1));
    assert!(matches!(second.await, Err(CommitError::Conflict { .. })));
}

#[tokio::test]
async fn a_crash_loses_only_what_was_not_acknowledged() {
    let journal = Simulated::new(1);
    let incarnation = journal.incarnation();
    commit_n(&journal, 3).await;
    let mut watch = journal.watch(Revision(3)).await.unwrap();
    journal.hold_commits();
    let mut commits: Vec<_> = ["a", "b", "c"]
        .map(|key| journal.commit(key, put("v"), Expected::Any))
        .into();
    assert!(commits.iter_mut().all(|commit| commit.now_or_never().is_none()));
    journal.crash(1);
    for commit in commits {
        assert!(matches!(commit.await, Err(CommitError::Journal(JournalError::Closed))));
    }
    assert_eq!(watch.next().await.unwrap(), None);
    assert!(matches!(journal.head().await, Err(JournalError::Closed)));

    journal.restart();
    journal.release_commits();
    assert_eq!(
        (journal.incarnation(), journal.head().await.unwrap()),
        (incarnation, Revision(4))
    );
    assert_eq!(
        journal.snapshot("").await.unwrap().entries.len(),
        4,
        "three acknowledged, and a"
    );
    assert_eq!(
        watch.next().await.unwrap(),
        None,
        "a watch does not survive its journal"
    );
}

#[tokio::test]
async fn a_failed_write_fails_all_that_waited_and_nothing_else() {
    let journal = Simulated::new(1);
    journal.hold_commits();
    journal.fail_next_write();
    let commits = ["a", "b"].map(|key| journal.commit(key, put("v"), Expected::Any));
    let mut commits = futures_util::future::join_all(commits);
    assert!((&mut commits).now_or_never().is_none());
    journal.release_commits();
    for result in commits.await {
        assert!(matches!(result, Err(CommitError::Journal(JournalError::Io(_)))));
    }
    assert_eq!(journal.head().await.unwrap(), Revision::ZERO);
    assert_eq!(
        journal.commit("a", put("v"), Expected::Absent).await.unwrap(),
        Revision(1)
    );
}

#[tokio::test]
async fn a_restored_journal_is_another_incarnation_at_an_older_revision() {
    let journal = Simulated::new(1);
    let incarnation = journal.incarnation();
    commit_n(&journal, 5).await;
    journal.trim(Revision(2));
    journal.restore(Revision(3));
    assert_ne!(journal.incarnation(), incarnation);
    assert_eq!(journal.head().await.unwrap(), Revision(3));
    let keys: Vec<String> = journal
        .snapshot("")
        .await
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| entry.key)
        .collect();
    assert_eq!(keys, ["0", "1", "2"]);
    assert_eq!(
        next_revisions(&mut journal.watch(Revision(2)).await.unwrap(), 1).await,
        [3]
    );
    assert_eq!(
        journal.commit("new", put("v"), Expected::Any).await.unwrap(),
        Revision(4)
    );
}
