use serde::Serialize;

use super::{DeployError, Session};
use crate::event::Event;
use crate::headers::Class;
use crate::plan::{FORMAT, Plan, listing_digest};
use crate::record::{Record, Step};
use crate::state::{Head, Lock};
use crate::target::Condition;

/// When a plan was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// By this run, a moment ago, and nobody was asked since: the bucket is not listed again.
    Now,
    /// Earlier: the bucket must still be as it was then.
    Earlier,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The release.
    pub release: String,
    /// Whether it is finished; else the rest is left to `resume`.
    pub is_finished: bool,
    /// Its invalidations' Ids.
    pub invalidations: Vec<String>,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The release that was finished last.
    pub current: Option<String>,
    /// Those that began since, each with the step that comes next.
    pub unfinished: Vec<(String, Step)>,
    /// Invalidations of those that do not read `Completed` yet.
    pub in_progress: Vec<String>,
}

impl Session {
    /// Carries a plan out.
    ///
    /// A plan in which there is nothing to do makes no release: the outcome names the one it builds on.
    /// If an unfinished release wants the very same files, it is finished instead: its invalidation is the same one, paid once.
    ///
    /// # Errors
    /// If the bucket or the releases have changed since the plan was made; if too much would be removed; if another run has the lock; or at
    /// the first step that fails. A step that fails stops everything after it.
    pub async fn apply(&self, plan: &Plan, made: Made, is_alive: impl Fn(u32) -> bool) -> Result<Outcome, DeployError> {
        if plan.format != FORMAT {
            return Err(DeployError::PlanFormat(plan.format));
        }
        if let (true, Some(base)) = (plan.is_empty(), &plan.base) {
            self.check_is_current(plan, made).await?;
            return Ok(Outcome {
                release: base.clone(),
                is_finished: true,
                invalidations: Vec::new(),
            });
        }
        if !self.options.allow_deletions {
            plan.guard_deletions(&self.settings)?;
        }
        self.with_lock(is_alive, async |lock| {
            let (head, read) = self.check_is_current(plan, made).await?;
            if let Some(same) = self.same_unfinished(plan).await? {
                let record = self.record(&same).await?;
                return self.carry_out(&same, record, true, lock).await;
            }
            self.begin(plan, head, read).await?;
            self.carry_out(plan, Record::new(&plan.release), false, lock).await
        })
        .await
    }

    /// Goes on with the release that was interrupted; `None` if there is none.
    ///
    /// # Errors
    /// As [`Session::apply`].
    pub async fn resume(&self, is_alive: impl Fn(u32) -> bool) -> Result<Option<Outcome>, DeployError> {
        self.with_lock(is_alive, async |lock| {
            let (head, _) = self.state.head().await?;
            let Some(release) = head.unfinished.last() else {
                return Ok(None);
            };
            let plan = self.state.plan(release).await?;
            let record = self.record(&plan).await?;
            self.carry_out(&plan, record, true, lock).await.map(Some)
        })
        .await
    }

    /// How things stand.
    ///
    /// # Errors
    /// If the state or the distribution cannot be read.
    pub async fn status(&self) -> Result<Status, DeployError> {
        let (head, _) = self.state.head().await?;
        let mut status = Status {
            current: head.current().map(|release| release.id.clone()),
            unfinished: Vec::new(),
            in_progress: Vec::new(),
        };
        for release in &head.unfinished {
            let record = self.state.record(release).await?;
            let record = record.unwrap_or_else(|| Record::new(release));
            for sent in record.sent.iter().filter(|sent| !sent.is_completed) {
                let look = || self.cdn.invalidation(&self.distribution, &sent.id);
                let seen = self.patience.attempt(look).await?;
                if !seen.is_completed {
                    status.in_progress.push(sent.id.clone());
                }
            }
            status.unfinished.push((release.clone(), record.next));
        }
        Ok(status)
    }

    /// The list of releases.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub async fn releases(&self) -> Result<Head, DeployError> {
        Ok(self.state.head().await?.0)
    }

    async fn with_lock<T>(
        &self,
        is_alive: impl Fn(u32) -> bool,
        work: impl AsyncFnOnce(&Lock) -> Result<T, DeployError>,
    ) -> Result<T, DeployError> {
        let lock = Lock::take(&self.state, &self.clock, &self.options.host, is_alive).await?;
        let done = lock.hold(work(&lock)).await;
        let released = lock.release().await;
        let value = done?;
        released?;
        Ok(value)
    }

    /// Gives the list of releases and what it takes to replace it.
    async fn check_is_current(&self, plan: &Plan, made: Made) -> Result<(Head, Condition), DeployError> {
        let (head, read) = self.state.head().await?;
        let current = head.current().map(|release| &release.id);
        if current != plan.base.as_ref() || head.unfinished != plan.supersedes {
            return Err(DeployError::PlanIsOld);
        }
        if made == Made::Earlier {
            let listing = self.list(&plan.prefix, Some(&plan.manifest)).await?;
            if listing_digest(&listing) != plan.listing {
                return Err(DeployError::BucketChanged);
            }
        }
        Ok((head, read))
    }

    async fn record(&self, plan: &Plan) -> Result<Record, DeployError> {
        let record = self.state.record(&plan.release).await?;
        Ok(record.unwrap_or_else(|| Record::new(&plan.release)))
    }

    /// The newest unfinished release's plan, if it wants exactly these files and they lie where they lay.
    async fn same_unfinished(&self, plan: &Plan) -> Result<Option<Plan>, DeployError> {
        let Some(release) = plan.supersedes.last() else {
            return Ok(None);
        };
        let unfinished = self.state.plan(release).await?;
        let is_same = unfinished.manifest.digest() == plan.manifest.digest()
            && unfinished.folder == plan.folder
            && unfinished.rollback_to == plan.rollback_to;
        Ok(is_same.then_some(unfinished))
    }

    /// From here on the release exists: whatever happens, the next run knows of it.
    async fn begin(&self, plan: &Plan, head: Head, read: Condition) -> Result<(), DeployError> {
        self.state.put_plan(plan).await?;
        let mut unfinished = head.unfinished.clone();
        unfinished.push(plan.release.clone());
        Ok(self.state.put_head(&Head { unfinished, ..head }, read).await?)
    }

    /// Takes one step after the other. One that costs something to take again is written down when it is finished.
    async fn carry_out(
        &self,
        plan: &Plan,
        mut record: Record,
        resumed: bool,
        lock: &Lock,
    ) -> Result<Outcome, DeployError> {
        let began_ms = self.clock.now().0;
        self.reporter.report(Event::Began {
            release: plan.release.clone(),
            resumed,
        });
        while record.next != Step::Done {
            lock.keep().await?;
            if record.next == Step::Wait && !self.options.wait {
                self.state.put_record(&record).await?;
                return Ok(outcome(&record, false));
            }
            let step = record.next;
            self.take_step(plan, &mut record, resumed).await?;
            record.next = step.next();
            if is_worth_writing(plan, step) {
                self.state.put_record(&record).await?;
            }
        }
        let took_ms = u64::try_from(self.clock.now().0 - began_ms).unwrap_or(0);
        self.reporter.report(Event::Finished {
            release: plan.release.clone(),
            n_uploads: plan.uploads.len(),
            n_removals: plan.removals.len(),
            n_paths: plan.paths.len(),
            took_ms,
        });
        Ok(outcome(&record, true))
    }
}

/// Whether a run that comes after an interruption saves calls by knowing that this step is finished.
fn is_worth_writing(plan: &Plan, step: Step) -> bool {
    match step {
        Step::Assets => plan.uploads_of(Class::Fingerprinted).next().is_some(),
        Step::Others => plan.uploads_of(Class::Other).next().is_some(),
        // From here on the time counts by which the old pages have expired.
        Step::Remove => !plan.uploads.is_empty() || !plan.removals.is_empty(),
        // Each invalidation is written down when it was created.
        Step::Keep
        | Step::CheckAssets
        | Step::Pages
        | Step::Invalidate
        | Step::Wait
        | Step::Verify
        | Step::Retire
        | Step::Done => false,
    }
}

fn outcome(record: &Record, is_finished: bool) -> Outcome {
    Outcome {
        release: record.release.clone(),
        is_finished,
        invalidations: record.sent.iter().map(|sent| sent.id.clone()).collect(),
    }
}
