//! Trying again: how often, after how long, until when.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::{Event, Reporter};
use crate::target::{Fault, TargetError};

/// The pause before the second try, at most; it doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(200);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// Tries calls again until a deadline.
#[derive(Clone)]
pub struct Patience {
    deadline: Instant,
    reporter: Arc<dyn Reporter>,
}

impl Patience {
    /// Patience for `timeout` from now.
    pub fn new(timeout: Duration, reporter: Arc<dyn Reporter>) -> Patience {
        Patience {
            deadline: Instant::now() + timeout,
            reporter,
        }
    }

    /// Whether `pause` would end after the deadline.
    pub fn is_over_after(&self, pause: Duration) -> bool {
        Instant::now() + pause > self.deadline
    }

    /// Calls until it works, until the error is one that stays, or until the deadline.
    ///
    /// # Errors
    /// The last error.
    pub async fn attempt<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, TargetError>
    where
        F: Future<Output = Result<T, TargetError>>,
    {
        let mut attempt = 1;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = jittered(pause_after(attempt), rand::random());
            if !passes(error.fault) || self.is_over_after(pause) {
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

/// Whether an error may pass by itself. A full quota passes too, but is waited for in another way.
fn passes(fault: Fault) -> bool {
    match fault {
        Fault::Throttled | Fault::Unavailable => true,
        Fault::QuotaFull | Fault::ConditionFailed | Fault::Denied | Fault::NotFound | Fault::Refused => false,
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
    async fn what_passes_is_tried_again_until_the_deadline() {
        assert_eq!(tries(Fault::Unavailable, 3).await, (true, 4));
        assert_eq!(tries(Fault::Throttled, 5).await, (true, 6));
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
