use serde::Serialize;

use super::{DeployError, Session};
use crate::event::Event;
use crate::plan::{FORMAT, Plan, listing_digest};
use crate::record::{Record, Step};
use crate::state::{Head, Lock, LockError};

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
    pub async fn apply(&self, plan: &Plan, is_alive: impl Fn(u32) -> bool) -> Result<Outcome, DeployError> {
        if plan.format != FORMAT {
            return Err(DeployError::PlanFormat(plan.format));
        }
        if let (true, Some(base)) = (plan.is_empty(), &plan.base) {
            return Ok(Outcome {
                release: base.clone(),
                is_finished: true,
                invalidations: Vec::new(),
            });
        }
        if !self.options.allow_deletions {
            plan.guard_deletions(&self.settings)?;
        }
        let lock = self.take_lock(is_alive).await?;
        self.with_lock(lock, async |lock| {
            self.check_is_current(plan).await?;
            if let Some(same) = self.same_unfinished(plan).await? {
                let record = self.state.record(&same.release).await?;
                return self.carry_out(&same, record, true, lock).await;
            }
            let record = self.begin(plan).await?;
            self.carry_out(plan, record, false, lock).await
        })
        .await
    }

    /// Goes on with the release that was interrupted; `None` if there is none.
    ///
    /// # Errors
    /// As [`Session::apply`].
    pub async fn resume(&self, is_alive: impl Fn(u32) -> bool) -> Result<Option<Outcome>, DeployError> {
        let lock = self.take_lock(is_alive).await?;
        self.with_lock(lock, async |lock| {
            let (head, _) = self.state.head().await?;
            let Some(release) = head.unfinished.last() else {
                return Ok(None);
            };
            let plan = self.state.plan(release).await?;
            let record = self.state.record(release).await?;
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
            for sent in record.sent.iter().filter(|sent| !sent.is_completed) {
                let seen = self.cdn.invalidation(&self.distribution, &sent.id).await?;
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

    async fn take_lock(&self, is_alive: impl Fn(u32) -> bool) -> Result<Lock, LockError> {
        Lock::take(&self.state, &self.clock, &self.options.host, is_alive).await
    }

    async fn with_lock<T>(
        &self,
        mut lock: Lock,
        work: impl AsyncFnOnce(&mut Lock) -> Result<T, DeployError>,
    ) -> Result<T, DeployError> {
        let done = work(&mut lock).await;
        let released = lock.release().await;
        let value = done?;
        released?;
        Ok(value)
    }

    async fn check_is_current(&self, plan: &Plan) -> Result<(), DeployError> {
        let (head, _) = self.state.head().await?;
        let current = head.current().map(|release| &release.id);
        if current != plan.base.as_ref() || head.unfinished != plan.supersedes {
            return Err(DeployError::PlanIsOld);
        }
        let listing = self.patience().attempt(|| self.bucket.list(&plan.prefix)).await?;
        if listing_digest(&listing) != plan.listing {
            return Err(DeployError::BucketChanged);
        }
        Ok(())
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
    async fn begin(&self, plan: &Plan) -> Result<Record, DeployError> {
        let record = Record::new(&plan.release, self.clock.now().0);
        self.state.put_plan(plan).await?;
        self.state.put_record(&record).await?;
        let (head, read) = self.state.head().await?;
        let mut unfinished = head.unfinished.clone();
        unfinished.push(plan.release.clone());
        self.state.put_head(&Head { unfinished, ..head }, read).await?;
        Ok(record)
    }

    /// Takes one step after the other, each written down when it is finished.
    async fn carry_out(
        &self,
        plan: &Plan,
        mut record: Record,
        resumed: bool,
        lock: &mut Lock,
    ) -> Result<Outcome, DeployError> {
        let began_ms = self.clock.now().0;
        self.reporter.report(Event::Began {
            release: plan.release.clone(),
            resumed,
        });
        while record.next != Step::Done {
            lock.keep().await?;
            if record.next == Step::Wait && !self.options.wait {
                return Ok(outcome(&record, false));
            }
            self.take_step(plan, &mut record, resumed, lock).await?;
            record.next = record.next.next();
            self.state.put_record(&record).await?;
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

fn outcome(record: &Record, is_finished: bool) -> Outcome {
    Outcome {
        release: record.release.clone(),
        is_finished,
        invalidations: record.sent.iter().map(|sent| sent.id.clone()).collect(),
    }
}
