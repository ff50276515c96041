use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use warmfront_clock::Clock;

use super::{State, StateError};
use crate::target::{Condition, Fault};

/// Who has the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// A random text, different for each run.
    pub run: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// When it was last renewed, in milliseconds since 1970, by the holder's clock.
    pub renewed_ms: i64,
    /// For how long after that it holds.
    pub lease_ms: i64,
}

/// The lock cannot be had or is lost.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("another run has the lock: process {} on {}", .0.pid, .0.host)]
    Held(LockHolder),
    /// It was taken from us: this run was away for longer than its lease.
    #[error("this run has lost its lock; another one goes on")]
    Lost,
    /// The state fails.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The lock of a site's releases, held by this run.
#[derive(Debug)]
pub struct Lock {
    state: State,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    holder: LockHolder,
    etag: String,
}

const NAME: &str = "lock.json";

/// How long the lock holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(120);

/// How often it is looked whether a third of the lease is over: timers stand still while the machine sleeps, and the lease does not.
const LOOK: Duration = Duration::from_secs(10);

impl Lock {
    /// Takes the lock, if nobody has it, if the lease of whoever has it is over, or if its process is gone from this machine.
    ///
    /// # Errors
    /// [`LockError::Held`] with the holder.
    pub async fn take(
        state: &State,
        clock: &Clock,
        host: &str,
        is_alive: impl Fn(u32) -> bool,
    ) -> Result<Lock, LockError> {
        let holder = LockHolder {
            run: format!("{:032x}", rand::random::<u128>()),
            host: host.into(),
            pid: std::process::id(),
            renewed_ms: clock.now().0,
            lease_ms: LEASE.as_millis() as i64,
        };
        let condition = match state.read::<LockHolder>(NAME).await? {
            None => Condition::Absent,
            Some((other, etag)) => {
                let is_over = clock.now().0 > other.renewed_ms + other.lease_ms;
                let is_gone = other.host == host && (other.pid == std::process::id() || !is_alive(other.pid));
                if !is_over && !is_gone {
                    return Err(LockError::Held(other));
                }
                Condition::Matches(etag)
            }
        };
        let etag = match write(state, &holder, condition).await? {
            Ok(etag) => etag,
            Err(Some(other)) => return Err(LockError::Held(other)),
            Err(None) => return Err(LockError::Lost),
        };
        Ok(Lock {
            state: state.clone(),
            clock: clock.clone(),
            held: Mutex::new(Held { holder, etag }),
        })
    }

    /// Does `work`, and renews the lock all the while.
    ///
    /// # Errors
    /// [`LockError::Lost`] if another run has taken it: then `work` is not finished.
    pub async fn hold<T, E: From<LockError>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let renewing = async {
            loop {
                tokio::time::sleep(LOOK).await;
                if let Err(error) = self.keep().await {
                    return error;
                }
            }
        };
        tokio::select! {
            done = work => done,
            error = renewing => Err(error.into()),
        }
    }

    /// Renews it when a third of the lease is over. To be called between any two steps.
    ///
    /// # Errors
    /// [`LockError::Lost`] if another run has taken it.
    pub async fn keep(&self) -> Result<(), LockError> {
        let mut held = self.held.lock().await;
        let now_ms = self.clock.now().0;
        if now_ms - held.holder.renewed_ms < held.holder.lease_ms / 3 {
            return Ok(());
        }
        let renewed = LockHolder {
            renewed_ms: now_ms,
            ..held.holder.clone()
        };
        let written = write(&self.state, &renewed, Condition::Matches(held.etag.clone())).await?;
        held.etag = written.map_err(|_| LockError::Lost)?;
        held.holder = renewed;
        Ok(())
    }

    /// Gives it back.
    pub async fn release(self) -> Result<(), LockError> {
        // S3 deletes without a condition: look first, so that another run's lock is not deleted after ours was lost.
        match self.state.read::<LockHolder>(NAME).await? {
            Some((found, _)) if found.run == self.held.into_inner().holder.run => {
                let key = format!("{}{NAME}", self.state.prefix);
                Ok(self.state.delete(&[key]).await?)
            }
            _ => Ok(()),
        }
    }
}

/// Writes the holder and gives the ETag; or, if the condition does not hold, who holds the lock instead.
async fn write(
    state: &State,
    holder: &LockHolder,
    condition: Condition,
) -> Result<Result<String, Option<LockHolder>>, StateError> {
    match state.write(NAME, holder, condition).await {
        Ok(etag) => Ok(Ok(etag)),
        Err(StateError::Target(error)) if error.fault == Fault::ConditionFailed => {
            Ok(match state.read::<LockHolder>(NAME).await? {
                // The answer to our own write was lost on the way.
                Some((found, etag)) if found.run == holder.run => Ok(etag),
                other => Err(other.map(|(other, _)| other)),
            })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use warmfront_model::Timestamp;

    use super::*;
    use crate::event::Silent;
    use crate::patience::Patience;
    use crate::site::tests::site;
    use crate::target::memory::Memory;

    fn state(prefix: &str) -> State {
        let patience = Patience::new(Duration::ZERO, Arc::new(Silent));
        State::new(Arc::new(Memory::new("state", site())), prefix, patience)
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_keeps_the_lock_and_ends_when_it_is_lost() {
        let (state, clock) = (state(""), Clock::manual(Timestamp(0)));
        let lock = Lock::take(&state, &clock, "here", |_| true).await.unwrap();
        let passes = |clock: Clock, n_secs: u64| async move {
            for _ in 0..n_secs {
                tokio::time::sleep(Duration::from_secs(1)).await;
                clock.advance(Duration::from_secs(1)).unwrap();
            }
            Ok::<_, LockError>(())
        };
        lock.hold(passes(clock.clone(), 1_000)).await.unwrap();
        assert!(Lock::take(&state, &clock, "there", |_| true).await.is_err());
        // The machine sleeps for longer than the lease.
        clock.advance(LEASE * 2).unwrap();
        Lock::take(&state, &clock, "there", |_| true).await.unwrap();
        let lost = lock.hold(passes(clock.clone(), 1_000)).await;
        assert!(matches!(lost, Err(LockError::Lost)));
    }

    #[tokio::test]
    async fn one_run_at_a_time_until_the_lease_is_over() {
        let state = state("x/");
        let clock = Clock::manual(Timestamp(0));
        let take = |host: &'static str| {
            let (state, clock) = (state.clone(), clock.clone());
            async move { Lock::take(&state, &clock, host, |_| true).await }
        };
        let first = take("a").await.unwrap();
        let refused = take("b").await.unwrap_err();
        assert!(
            matches!(&refused, LockError::Held(holder) if holder.host == "a"),
            "{refused}"
        );
        clock.advance(Duration::from_secs(100)).unwrap();
        first.keep().await.unwrap();
        clock.advance(Duration::from_secs(100)).unwrap();
        assert!(take("b").await.is_err(), "it was renewed 100 s ago");
        clock.advance(Duration::from_secs(21)).unwrap();
        let second = take("b").await.unwrap();
        assert!(matches!(first.keep().await, Err(LockError::Lost)));
        // Giving back what is lost does not take it from the other.
        first.release().await.unwrap();
        assert!(take("c").await.is_err());
        second.release().await.unwrap();
        take("c").await.unwrap();
    }

    #[tokio::test]
    async fn a_process_that_is_gone_from_this_machine_holds_nothing() {
        let state = state("");
        let clock = Clock::manual(Timestamp(0));
        let other = LockHolder {
            run: "other".into(),
            host: "here".into(),
            pid: std::process::id() + 1,
            renewed_ms: 0,
            lease_ms: 1_000,
        };
        state.write(NAME, &other, Condition::Absent).await.unwrap();
        assert!(matches!(
            Lock::take(&state, &clock, "here", |_| true).await,
            Err(LockError::Held(_))
        ));
        assert!(matches!(
            Lock::take(&state, &clock, "there", |_| false).await,
            Err(LockError::Held(_))
        ));
        Lock::take(&state, &clock, "here", |_| false).await.unwrap();
    }
}
