use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::sleep;
use warmfront_journal::{CommitError, Event, Expected, Journal, JournalError, Simulated, Snapshot, Watch, Write};
use warmfront_model::{Incarnation, Revision};

use crate::cut::Cut;
use crate::random::Random;

/// A node's connection to the journal. What is committed takes its time to get there, the answer takes its time to come
/// back, and nothing passes while it is cut: a watch does not end, and a commit may have happened all the same.
pub struct Wire {
    journal: Simulated,
    cut: Arc<Cut>,
    random: Mutex<Random>,
    slow_ms_max: u64,
}

impl Wire {
    pub fn new(journal: &Simulated, cut: &Arc<Cut>, random: Random, slowest: Duration) -> Wire {
        Wire {
            journal: journal.clone(),
            cut: Arc::clone(cut),
            random: Mutex::new(random),
            slow_ms_max: u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX).max(10),
        }
    }

    async fn passes(&self) {
        let takes = {
            let mut random = self.random.lock();
            if random.percent(80) {
                random.millis(0, 5)
            } else {
                random.millis(10, self.slow_ms_max)
            }
        };
        sleep(takes).await;
        self.cut.wait_until_whole().await;
    }
}

#[async_trait]
impl Journal for Wire {
    fn incarnation(&self) -> Incarnation {
        self.journal.incarnation()
    }

    async fn commit(&self, key: &str, write: Write, expected: Expected) -> Result<Revision, CommitError> {
        self.passes().await;
        let committed = self.journal.commit(key, write, expected).await;
        self.passes().await;
        committed
    }

    async fn head(&self) -> Result<Revision, JournalError> {
        self.journal.head().await
    }

    async fn snapshot(&self, prefix: &str) -> Result<Snapshot, JournalError> {
        self.cut.wait_until_whole().await;
        self.journal.snapshot(prefix).await
    }

    async fn watch(&self, after: Revision) -> Result<Box<dyn Watch>, JournalError> {
        self.cut.wait_until_whole().await;
        Ok(Box::new(WireWatch {
            watch: self.journal.watch(after).await?,
            cut: Arc::clone(&self.cut),
            arrived: None,
        }))
    }
}

struct WireWatch {
    watch: Box<dyn Watch>,
    cut: Arc<Cut>,
    /// What the wire has let through to nobody yet.
    arrived: Option<Option<Event>>,
}

#[async_trait]
impl Watch for WireWatch {
    async fn next(&mut self) -> Result<Option<Event>, JournalError> {
        if self.arrived.is_none() {
            self.arrived = Some(self.watch.next().await?);
        }
        self.cut.wait_until_whole().await;
        Ok(self.arrived.take().flatten())
    }
}
