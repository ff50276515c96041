//! The embedded engine on a disk that fails: what was acknowledged stays, and the journal can be used again.

use std::collections::BTreeMap;

use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use warmfront_journal::{CommitError, Embedded, Expected, Journal, JournalError, Write};
use warmfront_model::Revision;

use crate::disk::{Disk, Fault, Kind};
use crate::support::{commit_n, next, put};

/// Commits that were answered: revision to key.
type Acknowledged = BTreeMap<u64, String>;

/// Commits new keys until one fails, but not more than `n_max`. The failure, if there was one.
async fn commit_until_failure(
    journal: &Embedded,
    acknowledged: &mut Acknowledged,
    n_max: usize,
) -> Option<JournalError> {
    for _ in 0..n_max {
        let key = format!("k/{}", acknowledged.len());
        match journal.commit(&key, put("v"), Expected::Any).await {
            Ok(revision) => assert_eq!(acknowledged.insert(revision.0, key), None, "{revision} was given twice"),
            Err(CommitError::Journal(error)) => return Some(error),
            Err(error) => panic!("{error}"),
        }
    }
    None
}

/// Everything acknowledged is there, and the log has no gap.
async fn check_kept(journal: &Embedded, acknowledged: &Acknowledged, context: &str) {
    let head = journal.head().await.unwrap().0;
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    let mut log = BTreeMap::new();
    for revision in 1..=head {
        let event = next(&mut watch).await;
        assert_eq!(event.revision.0, revision, "{context}");
        log.insert(revision, event.key);
    }
    let entries = journal.snapshot("").await.unwrap().entries;
    for (revision, key) in acknowledged {
        assert_eq!(log.get(revision), Some(key), "{context}: {revision} is lost");
        let entry = entries.iter().find(|entry| entry.key == *key);
        assert!(
            entry.is_some_and(|entry| entry.revision.0 >= *revision),
            "{context}: {key} is lost"
        );
    }
}

async fn check_fault(fault: Fault) -> bool {
    let context = format!("{fault:?}");
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    let mut acknowledged = Acknowledged::new();
    assert!(commit_until_failure(&journal, &mut acknowledged, 5).await.is_none());

    disk.fail(fault);
    let error = commit_until_failure(&journal, &mut acknowledged, 30).await;
    assert!(
        matches!(error, None | Some(JournalError::Io(_))),
        "{context}: {error:?}"
    );
    if fault.lasts && error.is_some() {
        let again = commit_until_failure(&journal, &mut acknowledged, 1).await;
        assert!(matches!(again, Some(JournalError::Io(_))), "{context}: {again:?}");
        check_kept_in_memory(&journal, &acknowledged).await;
    }
    disk.clear_fault();

    let usable = commit_until_failure(&journal, &mut acknowledged, 3).await;
    assert!(usable.is_none(), "{context}: {usable:?}");
    check_kept(&journal, &acknowledged, &context).await;
    drop(journal);
    check_kept(&disk.open_journal().unwrap(), &acknowledged, &context).await;
    error.is_some()
}

/// While the disk fails, what was acknowledged can still be read.
async fn check_kept_in_memory(journal: &Embedded, acknowledged: &Acknowledged) {
    assert!(journal.head().await.unwrap().0 >= *acknowledged.keys().max().unwrap());
    assert!(journal.snapshot("").await.unwrap().entries.len() >= acknowledged.len());
}

#[tokio::test]
async fn a_failing_operation_loses_nothing_acknowledged() {
    for kind in [Kind::Write, Kind::Sync, Kind::SyncThatForgets] {
        for lasts in [false, true] {
            let mut n_failures = 0;
            for n_good in 0..25 {
                n_failures += usize::from(check_fault(Fault { kind, n_good, lasts }).await);
            }
            assert_eq!(n_failures, 25, "{kind:?}: 30 commits write and sync at least 25 times");
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_until_there_is_room() {
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    commit_n(&journal, 3).await;
    disk.limit(Some(disk.bytes().len() as u64));

    let large = Write::Put(Bytes::from(vec![1; 256 * 1024]));
    let mut acknowledged = 3;
    let error = loop {
        match journal
            .commit(&format!("large/{acknowledged}"), large.clone(), Expected::Any)
            .await
        {
            Ok(revision) => acknowledged = revision.0,
            Err(error) => break error,
        }
        assert!(acknowledged < 10_000, "the disk never fills");
    };
    let CommitError::Journal(JournalError::Io(reason)) = &error else {
        panic!("{error:?}")
    };
    assert!(reason.contains("no storage space"), "{reason}");
    assert_eq!(
        journal.head().await.unwrap(),
        Revision(acknowledged),
        "the failed commit did not happen"
    );

    disk.limit(None);
    let next = journal
        .commit("next", put("v"), Expected::Head(Revision(acknowledged)))
        .await
        .unwrap();
    assert_eq!(next, Revision(acknowledged + 1));
    drop(journal);
    let journal = disk.open_journal().unwrap();
    assert_eq!(
        journal.snapshot("").await.unwrap().entries.len() as u64,
        acknowledged + 1
    );
}

#[tokio::test]
async fn a_power_cut_loses_nothing_acknowledged() {
    for seed in 0..150 {
        let mut random = SmallRng::seed_from_u64(seed);
        let disk = Disk::default();
        let journal = disk.open_journal().unwrap();
        let mut acknowledged = Acknowledged::new();
        let kind = if random.random() { Kind::Write } else { Kind::Sync };
        disk.fail(Fault {
            kind,
            n_good: random.random_range(0..40),
            lasts: true,
        });
        let error = commit_until_failure(&journal, &mut acknowledged, 100).await;
        assert!(error.is_some(), "seed {seed}");

        let probability = random.random_range(0.0..=1.0);
        let left = disk.after_power_cut(|| random.random_bool(probability));
        check_kept(&left.open_journal().unwrap(), &acknowledged, &format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn a_damaged_file_is_an_error_or_still_whole() {
    let disk = Disk::default();
    let journal = disk.open_journal().unwrap();
    commit_n(&journal, 50).await;
    let whole = journal.snapshot("").await.unwrap();
    drop(journal);
    let bytes = disk.bytes();

    let mut random = SmallRng::seed_from_u64(7);
    let mut n_refused = 0;
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        match random.random_range(0..3) {
            0 => damaged.truncate(random.random_range(1..bytes.len())),
            1 => {
                let start = random.random_range(0..bytes.len() / 4096) * 4096;
                damaged[start..start + 4096].fill(0);
            }
            // Most of the file is empty: damage its beginning more often.
            _ => damaged[random.random_range(0..bytes.len().min(64 * 1024))] ^= 1 << random.random_range(0..8),
        }
        match Disk::with_bytes(damaged).open_journal() {
            Ok(journal) => assert_eq!(journal.snapshot("").await.unwrap(), whole),
            Err(error) => {
                assert!(matches!(error, JournalError::Io(_)), "{error:?}");
                n_refused += 1;
            }
        }
    }
    assert!(n_refused > 50, "only {n_refused} damages were noticed");
}
