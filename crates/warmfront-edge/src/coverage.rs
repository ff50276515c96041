//! How much each invalidation covers at this node: for the audit, and for dry runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, broadcast};
use warmfront_facts::{Coverage, CoverageReport};
use warmfront_invalidation::{InvalidationItem, Names, Stamped, Tallied, Tally};
use warmfront_model::{DistributionId, Revision};

/// How many reports wait for whoever reads them; the oldest are dropped beyond that.
const REPORTS_MAX: usize = 1_024;

/// Counts what invalidations cover, from when they are applied until a sweep that began afterwards is over.
///
/// A covered response is counted once: when the sweep finds it, or when what was fetched in its place takes its key before
/// that. What was evicted before it was found is not counted, nor is what never was in the cache.
pub(crate) struct Coverings {
    tally: Mutex<Tally>,
    counting: AtomicBool,
    reports: broadcast::Sender<CoverageReport>,
    /// Dry runs at a time.
    pub(crate) dry_runs: Arc<Semaphore>,
}

impl Default for Coverings {
    fn default() -> Self {
        /// Each walks the whole cache.
        const DRY_RUNS_MAX: usize = 2;
        Coverings {
            tally: Mutex::default(),
            counting: AtomicBool::new(false),
            reports: broadcast::Sender::new(REPORTS_MAX),
            dry_runs: Arc::new(Semaphore::new(DRY_RUNS_MAX)),
        }
    }
}

impl Coverings {
    /// What is counted from now on.
    pub(crate) fn reports(&self) -> broadcast::Receiver<CoverageReport> {
        self.reports.subscribe()
    }

    /// Begins to count. To be called before the index has the entries: whoever finds a response covered finds it counted.
    pub(crate) fn begin(&self, distribution: &DistributionId, items: &[InvalidationItem], revision: Revision) {
        let mut tally = self.tally.lock();
        if tally.begin(distribution, items, revision) {
            self.counting.store(true, Ordering::Release);
        } else {
            tracing::debug!(%distribution, %revision, "too many invalidations at a time: what this one covers is not counted");
        }
    }

    /// Whether anything is being counted.
    pub(crate) fn is_counting(&self) -> bool {
        self.counting.load(Ordering::Acquire)
    }

    /// Counts a response that leaves the cache, or stays there covered; `settle` sees to it that it is not counted again.
    pub(crate) fn count<T: Stamped>(
        &self,
        distribution: &DistributionId,
        names: &Names<'_>,
        response: &T,
        bytes: u64,
        settle: impl FnOnce(),
    ) {
        let mut tally = self.tally.lock();
        tally.count(distribution, names, response, bytes);
        settle();
    }

    /// Reports what the invalidations up to `through` have covered.
    pub(crate) fn finish(&self, through: Revision) {
        let mut tally = self.tally.lock();
        let finished = tally.finish(through);
        self.counting.store(!tally.is_empty(), Ordering::Release);
        drop(tally);
        for (epoch, tallied) in finished {
            self.report(epoch, tallied);
        }
    }

    /// Reports what was counted for this epoch. It is no loss if nobody listens.
    pub(crate) fn report(&self, epoch: Revision, tallied: Tallied) {
        let Tallied { responses, bytes } = tallied;
        let coverage = Coverage { responses, bytes };
        let _ = self.reports.send(CoverageReport { epoch, coverage });
    }
}
