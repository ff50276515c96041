//! What became of each invalidation: when it was Completed, and what each node did with it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use warmfront_clock::Clock;
use warmfront_facts::{AuditRecord, CoverageReport, InvalidationRecord, Key, NodeAudit, View};
use warmfront_journal::{Expected, Write};
use warmfront_model::{Revision, Timestamp};

use crate::error::Unavailable;
use crate::nodes::{NodeReport, Position};
use crate::state::State;

/// How many invalidations are followed at a time. Beyond that the oldest are left as they are written down by then.
const FOLLOWED_MAX: usize = 4_096;

/// How long nodes that have not counted yet are waited for, before what is known is written down.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an invalidation is followed after it was Completed, for nodes that count late.
const FOLLOWED: Duration = Duration::from_secs(15 * 60);

/// Invalidations whose nodes are not done with them.
#[derive(Default)]
struct Followed {
    /// By epoch.
    audits: BTreeMap<Revision, Audit>,
    /// Invalidations up to here were seen.
    seen: Revision,
    /// Of these it was noted that they are Completed, and by which node they are applied.
    completed: Revision,
    applied: BTreeMap<String, Revision>,
    /// What nodes have counted that are ahead of the view.
    early: Vec<NodeReport>,
}

struct Audit {
    invalidation: Arc<InvalidationRecord>,
    record: AuditRecord,
    /// When it was seen to be Completed, on the lease clock.
    completed: Option<Duration>,
    /// When something was counted that is not written down, on the lease clock.
    unwritten: Option<Duration>,
}

impl Followed {
    /// Takes note of new invalidations, of those that are Completed by now, and of how far each node has come.
    fn note(&mut self, view: &View, positions: &[Position], (now, uptime): (Timestamp, Duration)) {
        let before = self.seen;
        for invalidation in view.invalidations_after(before) {
            let audit = Audit {
                invalidation: Arc::clone(invalidation),
                record: AuditRecord::new(invalidation.revision),
                completed: None,
                unwritten: None,
            };
            self.audits.insert(invalidation.revision, audit);
        }
        self.seen = before.max(view.revision());
        while self.audits.len() > FOLLOWED_MAX {
            self.audits.pop_first();
        }
        let noted = std::mem::replace(&mut self.completed, view.completed()).min(before);
        for (_, audit) in self.audits.range_mut(between(noted, view.completed())) {
            audit.completed = Some(uptime);
            audit.record.completed = Some(now);
        }
        for position in positions {
            let noted = self.applied.insert(position.name.clone(), position.applied);
            let noted = noted.unwrap_or_default().min(before);
            for (_, audit) in self.audits.range_mut(between(noted, position.applied)) {
                audit.node(&position.name).applied.get_or_insert(now);
            }
        }
        let seen = self.seen;
        let (known, early) = std::mem::take(&mut self.early)
            .into_iter()
            .partition::<Vec<_>, _>(|report| report.report.epoch <= seen);
        self.early = early;
        known.into_iter().for_each(|report| self.note_report(report, uptime));
    }

    fn note_report(&mut self, report: NodeReport, uptime: Duration) {
        let CoverageReport { epoch, coverage } = report.report;
        if epoch > self.seen {
            if self.early.len() < FOLLOWED_MAX {
                self.early.push(report);
            }
        } else if let Some(audit) = self.audits.get_mut(&epoch) {
            audit.node(&report.node).coverage = Some(coverage);
            audit.unwritten.get_or_insert(uptime);
        }
    }

    /// What is to be written down now, and what is left to wait for; those that nothing more is expected of are forgotten
    /// once they are written.
    fn due(&mut self, positions: &[Position], uptime: Duration) -> Vec<(Arc<InvalidationRecord>, AuditRecord)> {
        let mut due = Vec::new();
        self.audits.retain(|_, audit| {
            let is_whole = audit.completed.is_some() && audit.has_counted(positions);
            let is_late = |since: Duration| uptime.saturating_sub(since) >= PATIENCE;
            if audit.unwritten.is_some_and(|since| is_whole || is_late(since)) {
                audit.unwritten = None;
                due.push((Arc::clone(&audit.invalidation), audit.record.clone()));
            }
            let is_over = |since: Duration| uptime.saturating_sub(since) >= FOLLOWED;
            let nothing_counts = positions.is_empty() && audit.completed.is_some();
            !(is_whole || nothing_counts || audit.completed.is_some_and(is_over))
        });
        due
    }

    /// How long until something is due, if nothing happens.
    fn wait(&self, uptime: Duration) -> Option<Duration> {
        let left = |(since, patience): (Duration, Duration)| (since + patience).saturating_sub(uptime);
        let of = |audit: &Audit| {
            let write = audit.unwritten.map(|since| (since, PATIENCE));
            let forget = audit.completed.map(|since| (since, FOLLOWED));
            write.into_iter().chain(forget).map(left).min()
        };
        self.audits.values().filter_map(of).min()
    }
}

impl Audit {
    fn node(&mut self, name: &str) -> &mut NodeAudit {
        self.record.nodes.entry(name.to_owned()).or_default()
    }

    fn has_counted(&self, positions: &[Position]) -> bool {
        let counted = |position: &Position| {
            let node = self.record.nodes.get(&position.name);
            node.is_some_and(|node| node.coverage.is_some())
        };
        !positions.is_empty() && positions.iter().all(counted)
    }
}

/// Follows each invalidation until every node that reports has counted what it covered, and writes that down beside it.
///
/// Nothing waits for this: an invalidation is Completed, and its paths count no more against quotas, when every member has
/// applied it. A control plane that ends before leaves the audit of what was under way as it is written.
pub(crate) async fn follow_invalidations(state: Arc<State>) {
    let clock: Clock = state.options.lease_clock.clone();
    let views = &state.views;
    let mut reports = state.nodes.coverage();
    let completed = views.newest().completed();
    let mut followed = Followed {
        seen: completed,
        completed,
        ..Followed::default()
    };
    loop {
        let n_moves = state.nodes.n_moves();
        let view = views.newest();
        let (now, uptime) = (state.options.clock.now(), clock.uptime());
        let positions = state.nodes.positions();
        followed.note(&view, &positions, (now, uptime));
        write_down(&state, followed.due(&positions, uptime)).await;
        let wait = followed.wait(clock.uptime());
        tokio::select! {
            _ = views.after(&view) => {}
            () = state.nodes.moved_since(n_moves) => {}
            report = reports.recv() => match report {
                Ok(report) => followed.note_report(report, clock.uptime()),
                Err(RecvError::Lagged(n)) => tracing::warn!(n, "reports of what invalidations cover were lost"),
                Err(RecvError::Closed) => return,
            },
            () = sleep(&clock, wait) => {}
        }
        while let Ok(report) = reports.try_recv() {
            followed.note_report(report, clock.uptime());
        }
    }
}

fn between(above: Revision, through: Revision) -> (Bound<Revision>, Bound<Revision>) {
    (Bound::Excluded(above.min(through)), Bound::Included(through))
}

async fn sleep(clock: &Clock, wait: Option<Duration>) {
    match wait {
        Some(wait) => clock.sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// Commits them side by side, so that one fsync does for many.
async fn write_down(state: &Arc<State>, due: Vec<(Arc<InvalidationRecord>, AuditRecord)>) {
    const TOGETHER_MAX: usize = 64;
    let mut writing = JoinSet::new();
    for (invalidation, record) in due {
        if writing.len() == TOGETHER_MAX {
            writing.join_next().await;
        }
        let state = Arc::clone(state);
        writing.spawn(async move {
            if let Err(error) = commit(&state, &invalidation, &record).await {
                tracing::error!(invalidation = invalidation.id, %error, "what it covered cannot be written down");
            }
        });
    }
    writing.join_all().await;
}

/// One process at a time writes audits, so nothing of another's is lost.
async fn commit(state: &State, invalidation: &InvalidationRecord, record: &AuditRecord) -> Result<(), Unavailable> {
    let key = Key::invalidation_audit(&invalidation.distribution, &invalidation.caller_reference);
    let value = record.encode()?;
    let _turn = state.turn.read().await;
    let (key, write) = (key.to_string(), Write::Put(value));
    state.journal.commit(&key, write, Expected::Any).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
