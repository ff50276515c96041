//! What the embedded engine promises besides the contract.

use warmfront_journal::{Embedded, Expected, Journal, JournalError};
use warmfront_model::Revision;

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
