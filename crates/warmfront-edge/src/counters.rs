use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use crate::outcome::{FetchReason, Kept, Outcome, Reason};

/// A count that one thread alone adds to, and any may read.
#[derive(Debug)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Adds without the cost of an atomic addition: only the thread that the counter belongs to may call this.
    pub(crate) fn add(&self, n: u64) {
        self.0
            .store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one core has done. It belongs to that core, so that counting a hit moves no memory between cores; whoever reads
/// adds the cores up.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Counters {
    requests: [Counter; Reason::ALL.len() * N_CLASSES],
    fetched: [Counter; FetchReason::ALL.len() * N_KEPT_MAX],
    origin_answers: [Counter; N_CLASSES],
    origin_failures: [Counter; Reason::ALL.len()],
    /// Bytes from viewers, inside TLS.
    pub(crate) received_bytes: Counter,
    /// Bytes to viewers, inside TLS.
    pub(crate) sent_bytes: Counter,
    /// Requests that were answered without hyper.
    pub(crate) direct_hits: Counter,
    pub(crate) connections_opened: Counter,
    pub(crate) connections_closed: Counter,
    /// Responses that were stored after a fetch.
    pub(crate) fills_stored: Counter,
    /// Responses that were to be stored and broke off, or were covered by the time they were whole.
    pub(crate) fills_lost: Counter,
    /// Lines of the access log that were dropped, as the writer was behind.
    pub(crate) log_lines_dropped: Counter,
}

/// Status classes: none, and 1xx to 5xx.
pub(crate) const CLASSES: [&str; N_CLASSES] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
const N_CLASSES: usize = 6;
/// Room for every [`Kept`]; a test compares.
pub(crate) const N_KEPT_MAX: usize = 64;

impl Counters {
    pub(crate) fn new() -> Counters {
        Counters {
            requests: [const { Counter::new() }; Reason::ALL.len() * N_CLASSES],
            fetched: [const { Counter::new() }; FetchReason::ALL.len() * N_KEPT_MAX],
            origin_answers: [const { Counter::new() }; N_CLASSES],
            origin_failures: [const { Counter::new() }; Reason::ALL.len()],
            received_bytes: Counter::new(),
            sent_bytes: Counter::new(),
            direct_hits: Counter::new(),
            connections_opened: Counter::new(),
            connections_closed: Counter::new(),
            fills_stored: Counter::new(),
            fills_lost: Counter::new(),
            log_lines_dropped: Counter::new(),
        }
    }

    /// A request was answered so; `None`: its viewer left before.
    pub(crate) fn answered(&self, outcome: Outcome, status: Option<StatusCode>) {
        add(&self.requests, outcome.reason as usize * N_CLASSES + class(status));
        if let Some(fetch) = outcome.fetch {
            let kept = Kept::all().position(|kept| Some(kept) == outcome.kept);
            add(
                &self.fetched,
                fetch as usize * N_KEPT_MAX + kept.unwrap_or(N_KEPT_MAX - 1),
            );
        }
    }

    /// An origin answered, or failed to.
    pub(crate) fn origin_asked(&self, result: Result<StatusCode, Reason>) {
        match result {
            Ok(status) => add(&self.origin_answers, class(Some(status))),
            Err(reason) => add(&self.origin_failures, reason as usize),
        }
    }

    /// Requests that were answered for this reason, with a status of this class.
    pub(crate) fn requests(&self, reason: Reason, class: usize) -> u64 {
        get(&self.requests, reason as usize * N_CLASSES + class)
    }

    /// Requests that asked an origin for this reason, by the place of [`Kept`] in [`Kept::all`].
    pub(crate) fn fetched(&self, fetch: FetchReason, kept: usize) -> u64 {
        get(&self.fetched, fetch as usize * N_KEPT_MAX + kept)
    }

    /// Answers from origins with a status of this class.
    pub(crate) fn origin_answers(&self, class: usize) -> u64 {
        get(&self.origin_answers, class)
    }

    /// Fetches that failed for this reason.
    pub(crate) fn origin_failures(&self, reason: Reason) -> u64 {
        get(&self.origin_failures, reason as usize)
    }
}

fn add(counters: &[Counter], at: usize) {
    if let Some(counter) = counters.get(at) {
        counter.add(1);
    }
}

fn get(counters: &[Counter], at: usize) -> u64 {
    counters.get(at).map_or(0, Counter::get)
}

fn class(status: Option<StatusCode>) -> usize {
    status.map_or(0, |status| usize::from(status.as_u16() / 100).min(N_CLASSES - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_counter() {
        assert!(Kept::all().count() < N_KEPT_MAX);
        let counters = Counters::new();
        for &reason in Reason::ALL {
            counters.answered(Outcome::own(reason), Some(StatusCode::NOT_FOUND));
            counters.answered(Outcome::own(reason), None);
            assert_eq!((counters.requests(reason, 4), counters.requests(reason, 0)), (1, 1));
        }
        for &fetch in FetchReason::ALL {
            for (at, kept) in Kept::all().enumerate() {
                let outcome = Outcome {
                    reason: Reason::Fetched,
                    fetch: Some(fetch),
                    kept: Some(kept),
                };
                counters.answered(outcome, Some(StatusCode::OK));
                assert_eq!(counters.fetched(fetch, at), 1, "{fetch:?} {kept:?}");
            }
        }
    }
}
