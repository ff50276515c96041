use std::sync::Arc;

use parking_lot::Mutex;
use warmfront_model::Timestamp;

use crate::access_log::entry::Entry;
use crate::access_log::files::hour_number;
use crate::access_log::line::{Second, write_line};
use crate::access_log::writer::AccessLog;
use crate::counters::Counters;
use crate::node::Node;
use crate::snapshot::Site;

/// So many bytes of lines are handed to the writer at once: waking it for each would cost more than the line.
const BATCH_BYTES: usize = 256 * 1024;

/// One core's way to the log: a batch that its lines are written into, where they are, until it is full. What is not full is
/// fetched by the writer once in a while.
pub(crate) struct CoreLog {
    log: AccessLog,
    node: Arc<Node>,
    counters: Arc<Counters>,
    batch: Arc<Mutex<Batch>>,
}

impl CoreLog {
    /// For a core that counts in `counters`; `None` if nothing is logged.
    pub(crate) fn of(node: &Arc<Node>, counters: &Arc<Counters>) -> Option<CoreLog> {
        let log = node.access_log.clone()?;
        let batch = Arc::new(Mutex::new(Batch::default()));
        log.fetch_from(&batch, &node.progress.log_lines_lost);
        Some(CoreLog {
            log,
            node: Arc::clone(node),
            counters: Arc::clone(counters),
            batch,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.node.clock.now()
    }

    /// Adds a line. Only for the core's own thread.
    pub(super) fn add(&self, site: &Arc<Site>, entry: &Entry) {
        let mut batch = self.batch.lock();
        batch.add(site, entry, self.node.pop.to_str().unwrap_or("-"));
        if batch.text.len() >= self.log.room().min(BATCH_BYTES) {
            let full = batch.take();
            drop(batch);
            let n_dropped = self.log.hand_over(full, &self.node.progress.log_lines_lost);
            self.counters.log_lines_dropped.add(n_dropped);
        }
    }
}

impl Drop for CoreLog {
    fn drop(&mut self) {
        let rest = self.batch.lock().take();
        let lost = &self.node.progress.log_lines_lost;
        lost.add(self.log.hand_over(rest, lost));
    }
}

/// Lines, one after the other.
#[derive(Default)]
pub(super) struct Batch {
    text: Vec<u8>,
    runs: Vec<Run>,
    second: Second,
}

/// Lines of one distribution and hour.
struct Run {
    site: Arc<Site>,
    at: Timestamp,
    n_lines: u64,
    /// Where they end in the batch's text.
    end: usize,
}

impl Batch {
    fn add(&mut self, site: &Arc<Site>, entry: &Entry, pop: &str) {
        let domain_name = &site.distribution.domain_name;
        write_line(&mut self.text, &mut self.second, entry, pop, domain_name);
        let end = self.text.len();
        match self.runs.last_mut() {
            Some(run) if Arc::ptr_eq(&run.site, site) && hour_number(run.at) == hour_number(entry.at) => {
                run.n_lines += 1;
                run.end = end;
            }
            _ => self.runs.push(Run {
                site: Arc::clone(site),
                at: entry.at,
                n_lines: 1,
                end,
            }),
        }
    }

    /// All of it; what is left has room for as much.
    pub(super) fn take(&mut self) -> Batch {
        let room = self.text.len();
        Batch {
            text: std::mem::replace(&mut self.text, Vec::with_capacity(room)),
            runs: std::mem::take(&mut self.runs),
            second: Second::default(),
        }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.text.len() as u64
    }

    pub(super) fn n_lines(&self) -> u64 {
        self.runs.iter().map(|run| run.n_lines).sum()
    }

    /// Each run: whose, when, how many lines, and their bytes.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&Site, Timestamp, u64, &[u8])> {
        let mut begin = 0;
        self.runs.iter().map(move |run| {
            let bytes = self.text.get(begin..run.end).unwrap_or_default();
            begin = run.end;
            (&*run.site, run.at, run.n_lines, bytes)
        })
    }
}
