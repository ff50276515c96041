//! Real processes, killed while they commit.

use std::env;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use futures_util::future::join_all;
use warmfront_journal::{CommitError, Embedded, Expected, Journal, JournalError, Write};
use warmfront_model::Revision;

use crate::support::{next, put};

const CHILD_DIR: &str = "WARMFRONT_JOURNAL_TEST_DIR";
const CHILD_ROUND: &str = "WARMFRONT_JOURNAL_TEST_ROUND";
const CHILD_FULL: &str = "WARMFRONT_JOURNAL_TEST_FULL_DIR";
const N_ROUNDS: u64 = 8;

/// In the process that gets killed: commits from several tasks, and prints each answer, without end.
/// In the test run itself it does nothing.
#[tokio::test]
async fn child_commits_until_killed() {
    let (Ok(dir), Ok(round)) = (env::var(CHILD_DIR), env::var(CHILD_ROUND)) else {
        return;
    };
    let journal = Embedded::open(Path::new(&dir)).unwrap();
    let tasks = (0..6).map(|task| {
        let (journal, round) = (&journal, &round);
        async move {
            for number in 0.. {
                let key = format!("{round}/{task}/{number}");
                let revision = journal.commit(&key, put(&key), Expected::Absent).await.unwrap();
                writeln!(io::stdout().lock(), "acknowledged {revision} {key}").expect("the parent reads");
            }
        }
    });
    join_all(tasks).await;
}

#[tokio::test]
async fn acknowledged_commits_survive_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..N_ROUNDS {
        let n_until_kill = rand::random_range(1..60);
        let of_this_round = commit_and_kill(dir.path(), round, n_until_kill);
        assert!(of_this_round.len() >= n_until_kill);
        acknowledged.extend(of_this_round);

        let journal = Embedded::open(dir.path()).unwrap();
        let head = journal.head().await.unwrap().0;
        let mut watch = journal.watch(Revision::ZERO).await.unwrap();
        let mut log = Vec::new();
        for revision in 1..=head {
            let event = next(&mut watch).await;
            assert_eq!(event.revision.0, revision);
            log.push(event.key);
        }
        let entries = journal.snapshot("").await.unwrap().entries;
        assert_eq!(entries.len() as u64, head, "every commit had a key of its own");
        for (revision, key) in &acknowledged {
            assert_eq!(
                log.get(*revision as usize - 1),
                Some(key),
                "after {n_until_kill} in round {round}"
            );
            let index = entries
                .binary_search_by(|entry| entry.key.cmp(key))
                .expect("the entry is there");
            assert_eq!(
                (entries[index].revision.0, &entries[index].value[..]),
                (*revision, key.as_bytes())
            );
        }
    }
}

/// In a process whose files may not grow beyond a size: commits until that fails, then goes on with what there is.
#[tokio::test]
async fn child_fills_its_file() {
    let Ok(dir) = env::var(CHILD_FULL) else { return };
    let journal = Embedded::open(Path::new(&dir)).unwrap();
    let value = Write::Put(Bytes::from(vec![1; 100_000]));
    let mut revision = 0;
    let error = loop {
        match journal
            .commit(&format!("k/{}", revision + 1), value.clone(), Expected::Any)
            .await
        {
            Ok(next) => revision = next.0,
            Err(error) => break error,
        }
        writeln!(io::stdout().lock(), "acknowledged {revision} k/{revision}").unwrap();
    };
    assert!(matches!(error, CommitError::Journal(JournalError::Io(_))), "{error:?}");
    assert_eq!(journal.head().await.unwrap(), Revision(revision));
    // The journal was opened again and can still decide; what it answers depends on the room that is left.
    let conflict = journal.commit("k/1", put("v"), Expected::Absent).await;
    assert!(matches!(conflict, Err(CommitError::Conflict { .. })), "{conflict:?}");
    writeln!(io::stdout().lock(), "went on").unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_grow_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    // The limit is in blocks of 512 bytes: 8 MiB. The signal that would end the process is ignored.
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 16384; exec \"$0\" --exact crash::child_fills_its_file --nocapture",
        ])
        .arg(env::current_exe().unwrap())
        .env(CHILD_FULL, dir.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && lines.contains("went on"), "{lines}");
    let acknowledged: Vec<(u64, String)> = lines.lines().filter_map(parse_acknowledged).collect();
    assert!(acknowledged.len() > 5, "{lines}");

    let journal = Embedded::open(dir.path()).unwrap();
    let keys: Vec<String> = journal
        .snapshot("")
        .await
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| entry.key)
        .collect();
    assert!(acknowledged.iter().all(|(_, key)| keys.contains(key)), "{keys:?}");
    let head = journal.head().await.unwrap();
    assert_eq!(
        journal.commit("next", put("v"), Expected::Head(head)).await.unwrap().0,
        head.0 + 1
    );
}

/// Runs the child until it has had `n_until_kill` answers, kills it, and gives all answers it had.
fn commit_and_kill(dir: &Path, round: u64, n_until_kill: usize) -> Vec<(u64, String)> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::child_commits_until_killed", "--nocapture"])
        .env(CHILD_DIR, dir)
        .env(CHILD_ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if line.ends_with('\n') {
            acknowledged.extend(parse_acknowledged(&line));
        }
        line.clear();
        if acknowledged.len() == n_until_kill {
            // SIGKILL; what it still answered before is in the pipe.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

fn parse_acknowledged(line: &str) -> Option<(u64, String)> {
    let (revision, key) = line.trim_end().strip_prefix("acknowledged ")?.split_once(' ')?;
    Some((revision.parse().ok()?, key.to_owned()))
}
