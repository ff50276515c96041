//! What every engine promises, see `Journal`.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use warmfront_journal::{
    CommitError, Embedded, Expected, Journal, JournalError, KEY_BYTES_MAX, Simulated, VALUE_BYTES_MAX, Write,
};
use warmfront_model::Revision;

use crate::support::{commit_n, conflict, event, next, next_revisions, put};

/// An engine under test, with what an empty journal of it needs to live.
trait Engine {
    async fn start() -> Self;
    fn journal(&self) -> Arc<dyn Journal>;
    async fn trim(&self, through: Revision);
    async fn close(&self);
}

struct OnDisk {
    journal: Arc<Embedded>,
    _dir: tempfile::TempDir,
}

impl Engine for OnDisk {
    async fn start() -> OnDisk {
        let dir = tempfile::tempdir().unwrap();
        OnDisk {
            journal: Arc::new(Embedded::open(dir.path()).unwrap()),
            _dir: dir,
        }
    }

    fn journal(&self) -> Arc<dyn Journal> {
        self.journal.clone()
    }

    async fn trim(&self, through: Revision) {
        self.journal.trim(through).await.unwrap();
    }

    async fn close(&self) {
        self.journal.close().await;
    }
}

struct InMemory(Arc<Embedded>);

impl Engine for InMemory {
    async fn start() -> InMemory {
        InMemory(Arc::new(Embedded::in_memory().unwrap()))
    }

    fn journal(&self) -> Arc<dyn Journal> {
        self.0.clone()
    }

    async fn trim(&self, through: Revision) {
        self.0.trim(through).await.unwrap();
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

impl Engine for Simulated {
    async fn start() -> Simulated {
        Simulated::new(1)
    }

    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.clone())
    }

    async fn trim(&self, through: Revision) {
        Simulated::trim(self, through);
    }

    async fn close(&self) {
        Simulated::close(self);
    }
}

macro_rules! contract {
    ($rules:tt; $($module:ident: $engine:ty),+) => {
        $(mod $module { contract!(@each $engine, $rules); })+
    };
    (@each $engine:ty, [$($rule:ident),+ $(,)?]) => {
        $(#[tokio::test] async fn $rule() { super::$rule(<$engine as super::Engine>::start().await).await; })+
    };
}

contract!([
    revisions_rise_by_one,
    any_takes_whatever_is_there,
    absent_takes_only_a_key_without_value,
    revision_takes_only_that_write,
    head_takes_only_that_position,
    conflicts_write_nothing,
    deleting_removes_the_entry_and_is_a_commit,
    keys_and_values_have_limits,
    a_snapshot_has_the_prefix_in_key_order,
    a_snapshot_is_of_one_revision,
    one_of_many_concurrent_commits_wins,
    concurrent_increments_lose_nothing,
    a_watch_replays_from_the_start,
    a_watch_begins_after_its_revision,
    a_watch_beginning_at_the_head_waits,
    watches_have_no_gaps_under_concurrent_commits,
    a_slow_watch_gets_everything,
    a_dropped_next_loses_nothing,
    a_watch_cannot_begin_in_the_future,
    a_trimmed_revision_is_compacted,
    trimming_keeps_entries_and_watches_that_kept_up,
    trimming_everything_keeps_the_head,
    a_closed_journal_says_so,
    a_join_becomes_a_lease_and_a_lease_is_renewed_on_itself,
    who_lost_a_member_record_cannot_renew_it,
    a_member_is_dropped_only_at_the_renewal_that_was_seen,
    a_lease_that_nobody_has_is_seen_by_a_snapshot_at_the_head,
]; on_disk: super::OnDisk, in_memory: super::InMemory, simulated: super::Simulated);

async fn revisions_rise_by_one(engine: impl Engine) {
    let journal = engine.journal();
    assert_eq!(journal.head().await.unwrap(), Revision::ZERO);
    for revision in 1..=5 {
        assert_eq!(
            journal.commit("k", put("v"), Expected::Any).await.unwrap(),
            Revision(revision)
        );
        assert_eq!(journal.head().await.unwrap(), Revision(revision));
    }
}

async fn any_takes_whatever_is_there(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("k", put("1"), Expected::Any).await.unwrap();
    journal.commit("k", put("2"), Expected::Any).await.unwrap();
    let snapshot = journal.snapshot("k").await.unwrap();
    assert_eq!(
        (&snapshot.entries[0].value[..], snapshot.entries[0].revision),
        (&b"2"[..], Revision(2))
    );
}

async fn absent_takes_only_a_key_without_value(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("other", put("v"), Expected::Absent).await.unwrap();
    journal.commit("k", put("v"), Expected::Absent).await.unwrap();
    assert_eq!(
        conflict(journal.commit("k", put("w"), Expected::Absent).await),
        (Some(2), 2)
    );
    journal.commit("k", Write::Delete, Expected::Any).await.unwrap();
    assert_eq!(
        journal.commit("k", put("w"), Expected::Absent).await.unwrap(),
        Revision(4)
    );
}

async fn revision_takes_only_that_write(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("k", put("1"), Expected::Any).await.unwrap();
    journal.commit("other", put("v"), Expected::Any).await.unwrap();
    assert_eq!(
        conflict(journal.commit("k", put("2"), Expected::Revision(Revision(2))).await),
        (Some(1), 2)
    );
    assert_eq!(
        conflict(journal.commit("new", put("2"), Expected::Revision(Revision(1))).await),
        (None, 2)
    );
    assert_eq!(
        conflict(journal.commit("new", put("2"), Expected::Revision(Revision(0))).await),
        (None, 2)
    );
    assert_eq!(
        journal
            .commit("k", put("2"), Expected::Revision(Revision(1)))
            .await
            .unwrap(),
        Revision(3)
    );
    assert_eq!(
        conflict(journal.commit("k", put("3"), Expected::Revision(Revision(1))).await),
        (Some(3), 3)
    );
}

async fn head_takes_only_that_position(engine: impl Engine) {
    let journal = engine.journal();
    assert_eq!(
        journal
            .commit("a", put("v"), Expected::Head(Revision::ZERO))
            .await
            .unwrap(),
        Revision(1)
    );
    assert_eq!(
        journal
            .commit("b", put("v"), Expected::Head(Revision(1)))
            .await
            .unwrap(),
        Revision(2)
    );
    assert_eq!(
        conflict(journal.commit("a", put("w"), Expected::Head(Revision(1))).await),
        (Some(1), 2)
    );
    assert_eq!(
        conflict(journal.commit("c", put("w"), Expected::Head(Revision(3))).await),
        (None, 2)
    );
}

async fn conflicts_write_nothing(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("k", put("1"), Expected::Any).await.unwrap();
    let before = journal.snapshot("").await.unwrap();
    conflict(journal.commit("k", put("2"), Expected::Absent).await);
    conflict(journal.commit("k", Write::Delete, Expected::Head(Revision::ZERO)).await);
    assert_eq!(journal.snapshot("").await.unwrap(), before);
    assert_eq!(journal.commit("k", put("3"), Expected::Any).await.unwrap(), Revision(2));
}

async fn deleting_removes_the_entry_and_is_a_commit(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("k", put("v"), Expected::Any).await.unwrap();
    let removed = journal
        .commit("k", Write::Delete, Expected::Revision(Revision(1)))
        .await
        .unwrap();
    assert_eq!(removed, Revision(2));
    assert_eq!(journal.snapshot("").await.unwrap().entries, []);
    assert_eq!(
        journal.commit("k", Write::Delete, Expected::Any).await.unwrap(),
        Revision(3)
    );

    let mut watch = journal.watch(Revision(1)).await.unwrap();
    assert_eq!(next(&mut watch).await, event(2, "k", Write::Delete));
    assert_eq!(next(&mut watch).await, event(3, "k", Write::Delete));
}

async fn keys_and_values_have_limits(engine: impl Engine) {
    let journal = engine.journal();
    let longest = "k".repeat(KEY_BYTES_MAX);
    let largest = Write::Put(Bytes::from(vec![7; VALUE_BYTES_MAX]));
    assert_eq!(
        journal.commit(&longest, largest.clone(), Expected::Any).await.unwrap(),
        Revision(1)
    );
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    assert_eq!(next(&mut watch).await, event(1, &longest, largest));

    let too_long = journal.commit(&format!("{longest}k"), put("v"), Expected::Any).await;
    assert!(matches!(too_long, Err(CommitError::Key(1025))), "{too_long:?}");
    let no_key = journal.commit("", put("v"), Expected::Any).await;
    assert!(matches!(no_key, Err(CommitError::Key(0))), "{no_key:?}");
    let too_large = journal
        .commit(
            "k",
            Write::Put(Bytes::from(vec![7; VALUE_BYTES_MAX + 1])),
            Expected::Any,
        )
        .await;
    assert!(
        matches!(too_large, Err(CommitError::TooLarge { bytes: 1_048_577, .. })),
        "{too_large:?}"
    );
    assert_eq!(journal.head().await.unwrap(), Revision(1));
}

async fn a_snapshot_has_the_prefix_in_key_order(engine: impl Engine) {
    let journal = engine.journal();
    for key in ["b/2", "a", "b/10", "b", "c", "b/1", "ba", "b/é", "B/1"] {
        journal.commit(key, put(key), Expected::Any).await.unwrap();
    }
    let keys = |entries: Vec<warmfront_journal::Entry>| entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    let under_b = journal.snapshot("b/").await.unwrap();
    assert_eq!(keys(under_b.entries), ["b/1", "b/10", "b/2", "b/é"]);
    let all = journal.snapshot("").await.unwrap();
    assert_eq!(
        keys(all.entries),
        ["B/1", "a", "b", "b/1", "b/10", "b/2", "b/é", "ba", "c"]
    );
    let nothing = journal.snapshot("x").await.unwrap();
    assert_eq!((nothing.entries.len(), nothing.revision), (0, Revision(9)));
}

async fn a_snapshot_is_of_one_revision(engine: impl Engine) {
    let journal = engine.journal();
    let commits = async {
        for revision in 1..=50 {
            journal
                .commit(&format!("k/{revision}"), put("v"), Expected::Any)
                .await
                .unwrap();
        }
    };
    let snapshots = async {
        let mut revision = 0;
        while revision < 50 {
            let snapshot = journal.snapshot("k/").await.unwrap();
            let newest = snapshot.entries.iter().map(|entry| entry.revision.0).max().unwrap_or(0);
            assert_eq!((snapshot.revision.0, snapshot.entries.len() as u64), (newest, newest));
            assert!(snapshot.revision.0 >= revision, "a later snapshot is not older");
            revision = snapshot.revision.0;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(commits, snapshots);
}

async fn one_of_many_concurrent_commits_wins(engine: impl Engine) {
    let journal = engine.journal();
    let commits = (0..64).map(|number| {
        let journal = &journal;
        async move { journal.commit("k", put(&number.to_string()), Expected::Absent).await }
    });
    let results = join_all(commits).await;
    let winners: Vec<usize> = (0..64).filter(|&number| results[number].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(conflict(result), (Some(1), 1));
    }
    let snapshot = journal.snapshot("k").await.unwrap();
    assert_eq!(&snapshot.entries[0].value[..], winners[0].to_string().as_bytes());
}

async fn concurrent_increments_lose_nothing(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("n", put("0"), Expected::Absent).await.unwrap();
    let increments = (0..8).map(|_| async {
        for _ in 0..10 {
            loop {
                let entry = journal.snapshot("n").await.unwrap().entries.remove(0);
                let number: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
                let expected = Expected::Revision(entry.revision);
                match journal.commit("n", put(&(number + 1).to_string()), expected).await {
                    Ok(_) => break,
                    Err(CommitError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    });
    join_all(increments).await;
    let snapshot = journal.snapshot("n").await.unwrap();
    assert_eq!(
        (&snapshot.entries[0].value[..], snapshot.revision),
        (&b"80"[..], Revision(81))
    );
}

async fn a_watch_replays_from_the_start(engine: impl Engine) {
    let journal = engine.journal();
    journal.commit("a", put("1"), Expected::Any).await.unwrap();
    journal.commit("b", put(""), Expected::Any).await.unwrap();
    journal.commit("a", Write::Delete, Expected::Any).await.unwrap();
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    assert_eq!(next(&mut watch).await, event(1, "a", put("1")));
    assert_eq!(next(&mut watch).await, event(2, "b", put("")));
    assert_eq!(next(&mut watch).await, event(3, "a", Write::Delete));
    journal.commit("c", put("2"), Expected::Any).await.unwrap();
    assert_eq!(next(&mut watch).await, event(4, "c", put("2")));
}

async fn a_watch_begins_after_its_revision(engine: impl Engine) {
    let journal = engine.journal();
    commit_n(&*journal, 10).await;
    let mut watch = journal.watch(Revision(4)).await.unwrap();
    assert_eq!(next_revisions(&mut watch, 6).await, [5, 6, 7, 8, 9, 10]);
}

async fn a_watch_beginning_at_the_head_waits(engine: impl Engine) {
    let journal = engine.journal();
    commit_n(&*journal, 3).await;
    let mut watch = journal.watch(Revision(3)).await.unwrap();
    assert!(watch.next().now_or_never().is_none(), "nothing follows the head yet");
    let (event, revision) = tokio::join!(next(&mut watch), journal.commit("new", put("v"), Expected::Any));
    assert_eq!((event.revision, event.key.as_str()), (revision.unwrap(), "new"));
}

async fn watches_have_no_gaps_under_concurrent_commits(engine: impl Engine) {
    const N_COMMITS: u64 = 200;
    let journal = engine.journal();
    let commits = (0..N_COMMITS).map(|number| {
        let journal = &journal;
        async move {
            journal
                .commit(&number.to_string(), put("v"), Expected::Absent)
                .await
                .unwrap()
        }
    });
    let watches = (0..4).map(|_| async {
        let after = journal.head().await.unwrap();
        let mut watch = journal.watch(after).await.unwrap();
        let mut keys = HashSet::new();
        for revision in after.0 + 1..=N_COMMITS {
            let event = next(&mut watch).await;
            assert_eq!(event.revision.0, revision);
            assert!(keys.insert(event.key), "one event for each commit");
        }
    });
    let (revisions, _) = tokio::join!(join_all(commits), join_all(watches));
    let distinct: HashSet<Revision> = revisions.into_iter().collect();
    assert_eq!(distinct, (1..=N_COMMITS).map(Revision).collect());
}

async fn a_slow_watch_gets_everything(engine: impl Engine) {
    let journal = engine.journal();
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    let commits = (0..3000).map(|number| {
        let journal = &journal;
        async move {
            journal
                .commit(&number.to_string(), put("v"), Expected::Any)
                .await
                .unwrap()
        }
    });
    join_all(commits).await;
    assert_eq!(next_revisions(&mut watch, 3000).await, (1..=3000).collect::<Vec<_>>());
}

async fn a_dropped_next_loses_nothing(engine: impl Engine) {
    let journal = engine.journal();
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    let mut given = Vec::new();
    for number in 0..50 {
        journal
            .commit(&number.to_string(), put("v"), Expected::Any)
            .await
            .unwrap();
        // The future is polled once, then dropped.
        given.extend(
            watch
                .next()
                .now_or_never()
                .map(|event| event.unwrap().unwrap().revision.0),
        );
    }
    given.extend(next_revisions(&mut watch, 50 - given.len() as u64).await);
    assert_eq!(given, (1..=50).collect::<Vec<_>>());
}

async fn a_watch_cannot_begin_in_the_future(engine: impl Engine) {
    let journal = engine.journal();
    commit_n(&*journal, 3).await;
    let result = journal.watch(Revision(4)).await.map(|_| "a watch");
    assert!(
        matches!(
            result,
            Err(JournalError::Compacted {
                after: Revision(4),
                oldest: Revision(1),
                head: Revision(3)
            })
        ),
        "{result:?}"
    );
}

async fn a_trimmed_revision_is_compacted(engine: impl Engine) {
    let journal = engine.journal();
    commit_n(&*journal, 10).await;
    engine.trim(Revision(6)).await;
    let result = journal.watch(Revision(5)).await.map(|_| "a watch");
    assert!(
        matches!(
            result,
            Err(JournalError::Compacted {
                after: Revision(5),
                oldest: Revision(7),
                head: Revision(10)
            })
        ),
        "{result:?}"
    );
    let mut watch = journal.watch(Revision(6)).await.unwrap();
    assert_eq!(next_revisions(&mut watch, 4).await, [7, 8, 9, 10]);
    engine.trim(Revision(3)).await;
    assert!(
        journal.watch(Revision(5)).await.is_err(),
        "trimming less brings nothing back"
    );
}

async fn trimming_keeps_entries_and_watches_that_kept_up(engine: impl Engine) {
    let journal = engine.journal();
    commit_n(&*journal, 10).await;
    let (mut behind, mut kept_up) = (
        journal.watch(Revision(2)).await.unwrap(),
        journal.watch(Revision(8)).await.unwrap(),
    );
    engine.trim(Revision(8)).await;
    assert_eq!(journal.snapshot("").await.unwrap().entries.len(), 10);
    assert_eq!(next_revisions(&mut kept_up, 2).await, [9, 10]);
    let lost = behind.next().await;
    assert!(
        matches!(lost, Err(JournalError::Compacted { after: Revision(2), .. })),
        "{lost:?}"
    );
}

async fn trimming_everything_keeps_the_head(engine: impl Engine) {
    let journal = engine.journal();
    commit_n(&*journal, 5).await;
    engine.trim(Revision(100)).await;
    assert_eq!(journal.head().await.unwrap(), Revision(5));
    assert_eq!(
        journal
            .commit("next", put("v"), Expected::Head(Revision(5)))
            .await
            .unwrap(),
        Revision(6)
    );
    let mut watch = journal.watch(Revision(5)).await.unwrap();
    assert_eq!(next(&mut watch).await.key, "next");
}

async fn a_closed_journal_says_so(engine: impl Engine) {
    let journal = engine.journal();
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    commit_n(&*journal, 2).await;
    engine.close().await;
    let commit = journal.commit("k", put("v"), Expected::Any).await;
    assert!(
        matches!(commit, Err(CommitError::Journal(JournalError::Closed))),
        "{commit:?}"
    );
    assert!(matches!(journal.head().await, Err(JournalError::Closed)));
    assert!(matches!(journal.snapshot("").await, Err(JournalError::Closed)));
    assert!(matches!(
        journal.watch(Revision(2)).await.map(|_| ()),
        Err(JournalError::Closed)
    ));
    while let Some(event) = watch.next().await.unwrap() {
        assert!(event.revision <= Revision(2));
    }
}

/// What a member does: each write expects its own last one.
const MEMBER: &str = "member/IAD89-P3";

async fn write_member(journal: &dyn Journal, value: &str, last: Expected) -> Result<Revision, CommitError> {
    journal.commit(MEMBER, put(value), last).await
}

async fn a_join_becomes_a_lease_and_a_lease_is_renewed_on_itself(engine: impl Engine) {
    let journal = engine.journal();
    let mut watch = journal.watch(Revision::ZERO).await.unwrap();
    let joined = write_member(&*journal, "joined", Expected::Any).await.unwrap();
    // Others' commits in between are no concern of it.
    journal.commit("invalidation", put("v"), Expected::Any).await.unwrap();
    let leased = write_member(&*journal, "leased", Expected::Revision(joined))
        .await
        .unwrap();
    let renewed = write_member(&*journal, "leased", Expected::Revision(leased))
        .await
        .unwrap();
    assert_eq!((joined, leased, renewed), (Revision(1), Revision(3), Revision(4)));
    // A renewal with the value it had is an event all the same: control sees that the member lives.
    assert_eq!(next_revisions(&mut watch, 4).await, [1, 2, 3, 4]);
    let entries = journal.snapshot("member/").await.unwrap().entries;
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].revision, &entries[0].value[..]), (renewed, &b"leased"[..]));
}

async fn who_lost_a_member_record_cannot_renew_it(engine: impl Engine) {
    let journal = engine.journal();
    let first = write_member(&*journal, "first life", Expected::Any).await.unwrap();
    // Another process of that name joins.
    let second = write_member(&*journal, "second life", Expected::Any).await.unwrap();
    let late = write_member(&*journal, "first life", Expected::Revision(first)).await;
    assert_eq!(conflict(late), (Some(2), 2));
    // Control drops it.
    journal
        .commit(MEMBER, Write::Delete, Expected::Revision(second))
        .await
        .unwrap();
    let late = write_member(&*journal, "second life", Expected::Revision(second)).await;
    assert_eq!(conflict(late), (None, 3));
    // Joining anew needs no knowledge of what was.
    assert_eq!(
        write_member(&*journal, "third life", Expected::Any).await.unwrap(),
        Revision(4)
    );
}

async fn a_member_is_dropped_only_at_the_renewal_that_was_seen(engine: impl Engine) {
    let journal = engine.journal();
    let seen = write_member(&*journal, "leased", Expected::Any).await.unwrap();
    let renewed = write_member(&*journal, "leased", Expected::Revision(seen))
        .await
        .unwrap();
    let dropped = journal.commit(MEMBER, Write::Delete, Expected::Revision(seen)).await;
    assert_eq!(conflict(dropped), (Some(renewed.0), renewed.0));
    let entries = journal.snapshot(MEMBER).await.unwrap().entries;
    assert_eq!(entries[0].revision, renewed, "it is still a member");
}

/// Of a renewal and a drop at the same moment, one happens: either the member is there, renewed, or it is gone and knows.
async fn a_lease_that_nobody_has_is_seen_by_a_snapshot_at_the_head(engine: impl Engine) {
    let journal = engine.journal();
    for _ in 0..20 {
        let seen = write_member(&*journal, "leased", Expected::Any).await.unwrap();
        let (renewed, dropped) = tokio::join!(
            write_member(&*journal, "leased", Expected::Revision(seen)),
            journal.commit(MEMBER, Write::Delete, Expected::Revision(seen)),
        );
        let snapshot = journal.snapshot(MEMBER).await.unwrap();
        assert_eq!(snapshot.revision, journal.head().await.unwrap());
        let held: Vec<Revision> = snapshot.entries.iter().map(|entry| entry.revision).collect();
        match (renewed, dropped) {
            (Ok(renewed), Err(_)) => assert_eq!(held, [renewed]),
            (Err(_), Ok(_)) => assert_eq!(held, []),
            both => panic!("one happens, and one only: {both:?}"),
        }
    }
}
