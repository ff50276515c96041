use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use warmfront_clock::Clock;
use warmfront_facts::{Key, View};
use warmfront_journal::{CommitError, Expected, Write};
use warmfront_model::Revision;

use crate::mutants::{Mutant, is_planted};
use crate::state::State;

/// By how much two clocks that count the same time may differ, as a fraction: one part in so many.
///
/// Quartz drifts by one part in ten thousand; a tenth leaves room for a virtual machine's.
const DRIFT: u32 = 10;

/// When each member was last heard of, on this process's own clock.
#[derive(Debug, Default)]
struct LastSeen(HashMap<String, Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    revision: Revision,
    /// When it was too long ago.
    deadline: Duration,
}

impl LastSeen {
    /// Takes note of what has changed. A process that has just begun has seen every member just now.
    fn note(&mut self, view: &View, now: Duration) {
        self.0
            .retain(|name, _| view.members().any(|(member, _)| member == name));
        for (name, record) in view.members() {
            if self.0.get(name).is_none_or(|seen| seen.revision != record.revision) {
                let seen = Seen {
                    revision: record.revision,
                    deadline: now.saturating_add(patience(record.membership.lease())),
                };
                self.0.insert(name.to_owned(), seen);
            }
        }
    }

    /// The member whose time is over first, when, and the revision it was last seen at.
    fn first(&self) -> Option<(&str, Seen)> {
        let by_deadline = self.0.iter().min_by_key(|(_, seen)| seen.deadline);
        by_deadline.map(|(name, seen)| (name.as_str(), *seen))
    }
}

/// How long a member may be silent.
fn patience(lease: Duration) -> Duration {
    if is_planted(Mutant::DroppedEarly) {
        return lease / 2;
    }
    lease.saturating_add(lease / DRIFT)
}

/// Drops members that have not been heard of for their lease and the drift, by deleting their record at the revision that
/// was seen. A renewal that was not seen makes that fail; and whoever was dropped has fenced itself before, since its own
/// lease counts from before its renewal was written.
pub(crate) async fn drop_silent(state: Arc<State>) {
    /// How long to wait before a record is deleted again after it could not be.
    const RETRY: Duration = Duration::from_secs(1);
    let clock: Clock = state.options.lease_clock.clone();
    let views = &state.views;
    let mut seen = LastSeen::default();
    if is_planted(Mutant::DroppedAtOnce) {
        seen.note(&views.newest(), Duration::ZERO);
    }
    loop {
        let view = views.newest();
        seen.note(&view, clock.uptime());
        let first = seen.first().map(|(name, seen)| (name.to_owned(), seen));
        let Some((name, Seen { revision, deadline })) = first else {
            views.after(&view).await;
            continue;
        };
        let left = deadline.saturating_sub(clock.uptime());
        if !left.is_zero() {
            tokio::select! {
                _ = views.after(&view) => {}
                () = clock.sleep(left) => {}
            }
            continue;
        }
        match drop_member(&state, &name, revision).await {
            // Nothing more is decided until the view has it.
            Ok(reached) => drop(views.at(reached).await),
            Err(error) => {
                tracing::error!(member = name, %error, "a member cannot be dropped; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Gives the revision that says what became of it.
async fn drop_member(state: &State, name: &str, seen: Revision) -> Result<Revision, CommitError> {
    let key = Key::Member(name.to_owned()).to_string();
    let _turn = state.turn.read().await;
    match state
        .journal
        .commit(&key, Write::Delete, Expected::Revision(seen))
        .await
    {
        Ok(revision) => {
            tracing::warn!(member = name, "dropped: not heard of for its lease");
            Ok(revision)
        }
        Err(CommitError::Conflict { head, .. }) => Ok(head),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use warmfront_facts::{Fact, MemberRecord, Membership};

    use super::*;

    fn renewed(view: &mut View, revision: u64) {
        let record = MemberRecord {
            life: 1,
            membership: Membership::Leased {
                lease: Duration::from_secs(10),
            },
            revision: Revision(revision),
        };
        view.apply(
            Revision(revision),
            Fact::Member("pop".to_owned(), Some(Arc::new(record))),
        );
    }

    #[test]
    fn a_member_has_its_lease_and_a_tenth_from_when_it_was_last_seen() {
        let (mut view, mut seen) = (View::default(), LastSeen::default());
        renewed(&mut view, 1);
        seen.note(&view, Duration::from_secs(100));
        // Looking again changes nothing.
        seen.note(&view, Duration::from_secs(105));
        let (name, first) = seen.first().unwrap();
        assert_eq!((name, first.deadline), ("pop", Duration::from_secs(111)));
        renewed(&mut view, 2);
        seen.note(&view, Duration::from_secs(105));
        assert_eq!(seen.first().unwrap().1.deadline, Duration::from_secs(116));
        view.apply(Revision(3), Fact::Member("pop".to_owned(), None));
        seen.note(&view, Duration::from_secs(106));
        assert!(seen.first().is_none());
    }
}
