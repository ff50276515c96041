//! Trying again: how often, after how long, until when.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::{Event, Reporter};
use crate::target::{Fault, TargetError};

/// The pause before the second try, at most; it doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(200);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// Tries a call again until it works or its time is over.
#[derive(Clone)]
pub struct Patience {
    timeout: Duration,
    reporter: Arc<dyn Reporter>,
}

impl fmt::Debug for Patience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Patience({:?})", self.timeout)
    }
}

impl Patience {
    /// Patience of `timeout` with each call, and with each thing that is waited for.
    pub fn new(timeout: Duration, reporter: Arc<dyn Reporter>) -> Patience {
        Patience { timeout, reporter }
    }

    /// When to give up what begins now.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Calls until it works, until the error is one that stays, or until the time is over.
    ///
    /// # Errors
    /// The last error.
    pub async fn attempt<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, TargetError>
    where
        F: Future<Output = Result<T, TargetError>>,
    {
        let deadline = self.deadline();
        let mut attempt = 1;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = match error.fault {
                // The next try goes to another place.
                Fault::Moved => Duration::ZERO,
                Fault::Throttled | Fault::Unavailable => jittered(pause_after(attempt), rand::random()),
                // A full quota passes too, but is waited for in another way.
                Fault::QuotaFull
                | Fault::ConditionFailed
                | Fault::Denied
                | Fault::Unidentified
                | Fault::NotFound
                | Fault::Refused => return Err(error),
            };
            if Instant::now() + pause > deadline {
                return Err(error);
            }
            self.reporter.report(Event::Retrying {
                reason: error.to_string(),
                attempt,
                after_ms: pause.as_millis() as u64,
            });
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

/// The longest pause after this many failed tries.
pub fn pause_after(attempt: u32) -> Duration {
    PAUSE_FIRST
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(PAUSE_MAX)
}

/// Somewhere between half of the pause and the whole of it, so that many who failed together do not come back together.
pub fn jittered(pause: Duration, chance: f64) -> Duration {
    pause.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::event::Silent;

    fn error(fault: Fault) -> TargetError {
        TargetError {
            fault,
            action: "s3:PutObject",
            resource: String::new(),
            code: String::new(),
            message: String::new(),
        }
    }

    async fn tries(fault: Fault, n_failures: u32) -> (bool, u32) {
        let calls = AtomicU32::new(0);
        let patience = Patience::new(Duration::from_secs(60), Arc::new(Silent));
        let done = patience
            .attempt(|| {
                let failed = calls.fetch_add(1, Ordering::Relaxed) < n_failures;
                async move { if failed { Err(error(fault)) } else { Ok(()) } }
            })
            .await;
        (done.is_ok(), calls.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again_until_the_time_is_over() {
        assert_eq!(tries(Fault::Unavailable, 3).await, (true, 4));
        assert_eq!(tries(Fault::Throttled, 5).await, (true, 6));
        assert_eq!(tries(Fault::Moved, 1).await, (true, 2));
        assert_eq!(tries(Fault::Denied, 1).await, (false, 1));
        assert_eq!(tries(Fault::Refused, 1).await, (false, 1));
        let (worked, n_calls) = tries(Fault::Unavailable, u32::MAX).await;
        assert!(!worked && (7..=20).contains(&n_calls), "{n_calls}");
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_differ() {
        assert_eq!(pause_after(1), Duration::from_millis(200));
        assert_eq!(pause_after(3), Duration::from_millis(800));
        assert_eq!(pause_after(40), PAUSE_MAX);
        assert_eq!(jittered(Duration::from_secs(2), 0.0), Duration::from_secs(1));
        assert_eq!(jittered(Duration::from_secs(2), 1.0), Duration::from_secs(2));
    }
}
