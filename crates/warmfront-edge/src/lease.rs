use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use warmfront_clock::Clock;

use crate::mutants::{Mutant, is_planted};

/// How a node may know that it still counts, and so may answer from its cache.
#[derive(Clone, Debug)]
pub enum Tenure {
    /// It lives in one process with all that judges `Completed` and reads its position there: it counts as long as it
    /// lives, and needs no lease.
    WithProcess,
    /// By a lease in the journal.
    Leased(LeaseOptions),
}

/// How a node keeps its lease.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// What the lease is judged by; [`Clock::uptime`] of it. The system's clock, even where lifetimes go by another.
    pub clock: Clock,
    /// How long it is. It is renewed after a third of that.
    pub lease: Duration,
}

/// A node's lease, as each request looks at it.
#[derive(Debug)]
pub(crate) struct Lease {
    clock: Option<Clock>,
    /// Until when it holds, in nanoseconds of uptime; 0: there is none.
    until_nanos: AtomicU64,
    /// Whether one was taken and not given up; time may have ended it all the same.
    taken: watch::Sender<bool>,
    /// Told when the node is to join anew.
    lost: Notify,
}

impl Lease {
    pub(crate) fn new(tenure: &Tenure) -> Lease {
        let clock = match tenure {
            Tenure::WithProcess => None,
            Tenure::Leased(options) => Some(options.clock.clone()),
        };
        Lease {
            clock,
            until_nanos: AtomicU64::new(0),
            taken: watch::Sender::new(matches!(tenure, Tenure::WithProcess)),
            lost: Notify::new(),
        }
    }

    /// Whether the node may trust its cache now. To be asked once for each request, after its head has arrived, and not to
    /// be remembered.
    pub(crate) fn holds(&self) -> bool {
        match &self.clock {
            None => true,
            Some(_) if is_planted(Mutant::FenceIgnored) => true,
            Some(clock) => nanos(clock.uptime()) < self.until_nanos.load(Ordering::Acquire),
        }
    }

    /// How much of it is left; `None` without a clock, zero when fenced.
    pub(crate) fn left(&self) -> Option<Duration> {
        let now = nanos(self.clock.as_ref()?.uptime());
        let until = self.until_nanos.load(Ordering::Acquire);
        Some(Duration::from_nanos(until.saturating_sub(now)))
    }

    /// It holds until `deadline` of the clock's uptime.
    pub(crate) fn extend(&self, deadline: Duration) {
        self.until_nanos.store(nanos(deadline), Ordering::Release);
        self.taken.send_if_modified(|taken| !std::mem::replace(taken, true));
    }

    /// It holds no longer.
    pub(crate) fn fence(&self) {
        self.until_nanos.store(0, Ordering::Release);
        self.taken.send_if_modified(|taken| std::mem::replace(taken, false));
    }

    /// Whether there is one, as that changes.
    pub(crate) fn taken(&self) -> watch::Receiver<bool> {
        self.taken.subscribe()
    }

    /// The node has missed something, and must join anew.
    pub(crate) fn lose(&self) {
        self.fence();
        self.lost.notify_one();
    }

    /// Returns once the node must join anew.
    pub(crate) async fn lost(&self) {
        self.lost.notified().await;
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use warmfront_model::Timestamp;

    use super::*;

    #[test]
    fn a_lease_ends_at_its_very_moment_and_is_not_there_at_first() {
        let clock = Clock::manual(Timestamp(1_000_000));
        let lease = Lease::new(&Tenure::Leased(LeaseOptions {
            clock: clock.clone(),
            lease: Duration::from_secs(3),
        }));
        assert!(!lease.holds());
        lease.extend(clock.uptime() + Duration::from_secs(3));
        clock.advance(Duration::from_millis(2_999)).unwrap();
        assert!(lease.holds());
        assert_eq!(lease.left(), Some(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1)).unwrap();
        assert!(!lease.holds());
        lease.extend(clock.uptime() + Duration::from_secs(3));
        lease.fence();
        assert!(!lease.holds());
    }

    #[test]
    fn who_lives_with_the_process_needs_none() {
        let lease = Lease::new(&Tenure::WithProcess);
        assert!(lease.holds());
        assert_eq!(lease.left(), None);
    }
}
