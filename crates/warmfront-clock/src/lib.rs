//! Time from outside: the system's clock, or one turned by hand.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use warmfront_model::Timestamp;

/// Tells the time and waits for it. Clones share one clock.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<watch::Sender<Timestamp>>),
    Runtime { began: Instant, start: Timestamp },
}

/// The clock follows the system and cannot be turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotManual;

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Clock {
        Clock(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// A clock that stands at `start` now and goes as tokio's does: in a runtime whose time is paused, it passes when
    /// nothing is left to do.
    pub fn of_runtime(start: Timestamp) -> Clock {
        Clock(Source::Runtime {
            began: Instant::now(),
            start,
        })
    }

    /// Now.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
                Ok(since) => Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
                Err(before) => Timestamp(-i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX)),
            },
            Source::Manual(now) => *now.borrow(),
            Source::Runtime { began, start } => start.plus(began.elapsed()),
        }
    }

    /// Time since some moment in the past, by a clock that nobody sets and that goes on while the machine is suspended:
    /// what a lease is judged by.
    ///
    /// Source: clock_gettime(2), CLOCK_BOOTTIME. Where there is none, CLOCK_MONOTONIC.
    pub fn uptime(&self) -> Duration {
        match &self.0 {
            Source::System => uptime(),
            Source::Manual(now) => Duration::from_millis(u64::try_from(now.borrow().0).unwrap_or(0)),
            Source::Runtime { began, .. } => began.elapsed(),
        }
    }

    /// Returns when so much of [`Clock::uptime`] has passed, or, after a suspension, a little later.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System | Source::Runtime { .. } => tokio::time::sleep(duration).await,
            Source::Manual(_) => self.sleep_until(self.now().plus(duration)).await,
        }
    }

    /// Whether time passes by command alone.
    pub fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }

    /// Moves a manual clock forward and gives the new time. Everyone whose time has come wakes up.
    ///
    /// # Errors
    /// [`NotManual`] for any other clock.
    pub fn advance(&self, by: Duration) -> Result<Timestamp, NotManual> {
        match &self.0 {
            Source::System | Source::Runtime { .. } => Err(NotManual),
            Source::Manual(now) => {
                now.send_modify(|now| *now = now.plus(by));
                Ok(*now.borrow())
            }
        }
    }

    /// Returns when it is `deadline` or later.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        match &self.0 {
            Source::System | Source::Runtime { .. } => loop {
                let left_ms = deadline.0.saturating_sub(self.now().0);
                match u64::try_from(left_ms) {
                    Ok(left_ms) if left_ms > 0 => tokio::time::sleep(Duration::from_millis(left_ms)).await,
                    _ => return,
                }
            },
            Source::Manual(now) => {
                let mut receiver = now.subscribe();
                // The sender lives as long as this clock, so waiting cannot fail.
                let _ = receiver.wait_for(|now| *now >= deadline).await;
            }
        }
    }
}

fn uptime() -> Duration {
    #[cfg(target_os = "linux")]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(CLOCK);
    let (secs, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(secs.unwrap_or(0), nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_moves_by_command_and_wakes_sleepers() {
        let clock = Clock::manual(Timestamp(1_000));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(Timestamp(2_000)).await;
                clock.now()
            }
        });
        assert_eq!(clock.advance(Duration::from_millis(999)), Ok(Timestamp(1_999)));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        assert_eq!(clock.advance(Duration::from_millis(1)), Ok(Timestamp(2_000)));
        assert_eq!(sleeper.await.unwrap(), Timestamp(2_000));
    }

    #[tokio::test]
    async fn uptime_goes_forward_and_a_manual_clocks_by_command() {
        let system = Clock::system();
        let first = system.uptime();
        assert!(first > Duration::ZERO && system.uptime() >= first);
        let manual = Clock::manual(Timestamp(1_000));
        let first = manual.uptime();
        manual.advance(Duration::from_secs(3)).unwrap();
        manual.sleep(Duration::ZERO).await;
        assert_eq!(manual.uptime() - first, Duration::from_secs(3));
    }

    #[tokio::test]
    async fn the_system_clock_cannot_be_turned() {
        assert_eq!(Clock::system().advance(Duration::from_secs(1)), Err(NotManual));
    }

    #[tokio::test(start_paused = true)]
    async fn a_runtimes_clock_goes_with_it() {
        let clock = Clock::of_runtime(Timestamp(1_000));
        clock.sleep_until(Timestamp(61_000)).await;
        assert_eq!(clock.now(), Timestamp(61_000));
        assert_eq!(clock.advance(Duration::from_secs(1)), Err(NotManual));
    }
}
