use std::time::Duration;

use tokio::time::Instant;

use super::{DeployError, Session};
use crate::cover::{FILES_MAX, WILDCARDS_MAX};
use crate::event::Event;
use crate::patience::jittered;
use crate::plan::Plan;
use crate::record::{Record, Sent, Step, batches, caller_reference};
use crate::target::{Fault, Invalidation};

/// The first pause between two looks at an invalidation; each is twice as long as the one before. A control plane nearby has completed an
/// invalidation after milliseconds.
const LOOK_FIRST: Duration = Duration::from_millis(4);

/// The longest. AWS reports `Completed` within 25 s for 95 of 100 invalidations; sixteen calls see that through.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// Shorter pauses are not worth a word.
const WORTH_SAYING: Duration = Duration::from_millis(200);

/// The first pause while the quota is full.
const QUOTA_FIRST: Duration = Duration::from_secs(1);

/// The longest.
const QUOTA_MAX: Duration = Duration::from_secs(20);

/// What expires is given this much longer, for clocks and requests on their way.
const EXPIRY_MARGIN_MS: i64 = 500;

impl Session {
    /// Creates the invalidations. Their caller references come from the release, so that a retry is the same invalidation.
    pub(super) async fn invalidate(&self, plan: &Plan, record: &mut Record) -> Result<(), DeployError> {
        let batches = batches(&plan.paths);
        if !batches.is_empty() {
            self.reporter.report(Event::Step {
                step: Step::Invalidate,
                n_items: plan.paths.len(),
            });
            self.wait_until_deployed().await?;
        }
        for (number, paths) in batches.iter().enumerate() {
            let caller_reference = caller_reference(&plan.release, number, paths);
            if record.sent.iter().any(|sent| sent.caller_reference == caller_reference) {
                continue;
            }
            let created = self.create(&caller_reference, paths).await?;
            self.reporter.report(Event::Invalidation {
                id: created.id.clone(),
                caller_reference: caller_reference.clone(),
                n_paths: paths.len(),
            });
            record.sent.push(Sent {
                caller_reference,
                id: created.id,
                n_paths: paths.len() as u64,
                is_completed: created.is_completed,
            });
            if number + 1 == batches.len() {
                record.next = Step::Wait;
            }
            self.state.put_record(record).await?;
        }
        Ok(())
    }

    /// While a configuration is on its way to the edges, an invalidation could be followed by a fetch under the old one.
    async fn wait_until_deployed(&self) -> Result<(), DeployError> {
        let deadline = self.patience.deadline();
        loop {
            let site = self.look_at_site().await?;
            if site.is_deployed {
                return Ok(());
            }
            let reason = format!(
                "distribution {} is being deployed; an invalidation before that is over would be too early",
                site.distribution
            );
            self.pause(deadline, LOOK_MAX, reason).await?;
        }
    }

    /// Creates one invalidation. A full quota is waited for until others have completed.
    async fn create(&self, caller_reference: &str, paths: &[String]) -> Result<Invalidation, DeployError> {
        let deadline = self.patience.deadline();
        let mut pause = QUOTA_FIRST;
        loop {
            let create = || self.cdn.invalidate(&self.distribution, caller_reference, paths);
            match self.patience.attempt(create).await {
                Ok(created) => return Ok(created),
                Err(error) if error.fault == Fault::QuotaFull => {
                    let reason = format!(
                        "others' invalidations must complete first{} ({})",
                        self.others().await,
                        error.message
                    );
                    self.pause(deadline, jittered(pause, rand::random()), reason).await?;
                    pause = (pause * 2).min(QUOTA_MAX);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What fills the quota, in words, as far as it can be seen.
    async fn others(&self) -> String {
        match self.month().await {
            Ok(month) => format!(
                ": {} of {FILES_MAX} paths and {} of {WILDCARDS_MAX} wildcards are in progress",
                month.in_progress.files, month.in_progress.wildcards
            ),
            Err(_) => String::new(),
        }
    }

    /// Waits until every invalidation reads `Completed`, and until what was spared has expired.
    pub(super) async fn wait(&self, plan: &Plan, record: &mut Record) -> Result<(), DeployError> {
        let deadline = self.patience.deadline();
        let mut took_ms = Vec::new();
        for at in 0..record.sent.len() {
            let (id, began_ms) = (record.sent[at].id.clone(), self.clock.now().0);
            let mut pause = LOOK_FIRST;
            loop {
                let look = || self.cdn.invalidation(&self.distribution, &id);
                let seen = self.patience.attempt(look).await?;
                if seen.is_completed {
                    break;
                }
                let reason = format!("invalidation {id} is in progress");
                self.pause(deadline, jittered(pause, rand::random()), reason).await?;
                pause = (pause * 2).min(LOOK_MAX);
            }
            record.sent[at].is_completed = true;
            let waited_ms = u64::try_from(self.clock.now().0 - began_ms).unwrap_or(0);
            took_ms.push(waited_ms);
            self.reporter.report(Event::Completed { id, waited_ms });
        }
        if !plan.paths.is_empty() {
            self.learn(&took_ms).await;
        }
        self.wait_for_expiry(plan, record).await
    }

    async fn wait_for_expiry(&self, plan: &Plan, record: &Record) -> Result<(), DeployError> {
        if plan.expiry_secs == 0 {
            return Ok(());
        }
        let live_ms = record.live_ms.unwrap_or_else(|| self.clock.now().0);
        let expiry_ms = i64::try_from(plan.expiry_secs)
            .unwrap_or(i64::MAX / 2_000)
            .saturating_mul(1_000);
        let left_ms = live_ms + expiry_ms + EXPIRY_MARGIN_MS - self.clock.now().0;
        if let Ok(left_ms @ 1..) = u64::try_from(left_ms) {
            let reason = format!(
                "what was cached for {} s expires by itself, which costs nothing",
                plan.expiry_secs
            );
            let deadline = self.patience.deadline();
            self.pause(deadline, Duration::from_millis(left_ms), reason).await?;
        }
        Ok(())
    }

    async fn pause(&self, deadline: Instant, pause: Duration, reason: String) -> Result<(), DeployError> {
        if Instant::now() + pause > deadline {
            return Err(DeployError::TimedOut(reason));
        }
        if pause >= WORTH_SAYING {
            self.reporter.report(Event::Waiting {
                reason,
                for_ms: pause.as_millis() as u64,
            });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
