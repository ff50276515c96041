use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many fetches fill the cache from one origin at a time, and how many wait for their turn, and how long.
///
/// After an invalidation of everything, a busy edge would otherwise ask its origin for all that it had at once. Each origin
/// has turns of its own: one that is slow holds back nobody else's.
///
/// As in Varnish (`.max_connections` with `backend_wait_limit` and `backend_wait_timeout`) and nginx (`max_conns` with
/// `queue`); CloudFront documents no such limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefillLimits {
    /// Fetches at a time, from one origin.
    pub fetches_max: usize,
    /// Fetches that wait, for one origin; beyond: 503.
    pub queue_max: usize,
    /// How long one waits; beyond: 503.
    pub wait_max: Duration,
}

impl Default for RefillLimits {
    fn default() -> Self {
        RefillLimits {
            fetches_max: 256,
            queue_max: 4_096,
            wait_max: Duration::from_secs(10),
        }
    }
}

/// The turns of all origins, for all cores of a node.
#[derive(Default)]
pub(crate) struct Turns {
    limits: RefillLimits,
    /// By scheme and authority. An origin that nobody asks is not in it.
    origins: Mutex<HashMap<Box<str>, Arc<Queue>, RandomState>>,
}

struct Queue {
    places: Arc<Semaphore>,
    n_waiting: AtomicUsize,
}

/// A fetch's turn at its origin, over when dropped.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
    _part: Part,
}

/// The origin asks for too much patience: too many wait already, or this one has waited too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Busy;

impl Turns {
    pub(crate) fn new(limits: RefillLimits) -> Turns {
        Turns {
            limits,
            origins: Mutex::default(),
        }
    }

    /// Waits for a turn at `origin`, behind those who came before. What the origin may take counts from then on.
    pub(crate) async fn take(self: &Arc<Self>, origin: &str) -> Result<Turn, Busy> {
        let part = self.part(origin);
        let place = part.place(&self.limits).await?;
        Ok(Turn {
            _place: place,
            _part: part,
        })
    }

    fn part(self: &Arc<Self>, origin: &str) -> Part {
        let mut origins = self.origins.lock();
        let queue = match origins.get(origin) {
            Some(queue) => Arc::clone(queue),
            None => {
                let queue = Arc::new(Queue {
                    places: Arc::new(Semaphore::new(self.limits.fetches_max)),
                    n_waiting: AtomicUsize::new(0),
                });
                origins.insert(origin.into(), Arc::clone(&queue));
                queue
            }
        };
        Part {
            turns: Arc::clone(self),
            origin: origin.into(),
            queue,
        }
    }

    /// How many fetches wait for their turn, at all origins.
    pub(crate) fn n_waiting(&self) -> usize {
        let origins = self.origins.lock();
        origins
            .values()
            .map(|queue| queue.n_waiting.load(Ordering::Relaxed))
            .sum()
    }
}

/// A fetch that has to do with an origin. With the last one the origin is forgotten.
struct Part {
    turns: Arc<Turns>,
    origin: Box<str>,
    queue: Arc<Queue>,
}

impl Part {
    async fn place(&self, limits: &RefillLimits) -> Result<OwnedSemaphorePermit, Busy> {
        let places = &self.queue.places;
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(&self.queue, limits.queue_max).ok_or(Busy)?;
        match tokio::time::timeout(limits.wait_max, Arc::clone(places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut origins = self.turns.origins.lock();
        // This one's, and the table's.
        if Arc::strong_count(&self.queue) <= 2 {
            origins.remove(&self.origin);
        }
    }
}

struct Waiting<'a>(&'a Queue);

impl Waiting<'_> {
    fn begin(queue: &Queue, max: usize) -> Option<Waiting<'_>> {
        let n_before = queue.n_waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(queue);
        (n_before < max).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.n_waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Turns")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn turns(fetches_max: usize, queue_max: usize) -> Arc<Turns> {
        Arc::new(Turns::new(RefillLimits {
            fetches_max,
            queue_max,
            wait_max: Duration::from_secs(10),
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_have_their_turn_in_order_and_no_more_wait_than_may() {
        let turns = turns(1, 2);
        let first = turns.take("a").await.unwrap();
        let mut second = Box::pin(turns.take("a"));
        let mut third = Box::pin(turns.take("a"));
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        assert_eq!(turns.n_waiting(), 2);
        assert!(turns.take("a").await.is_err(), "the queue is full");
        drop(first);
        assert!(third.as_mut().now_or_never().is_none(), "the second was before it");
        let second = second.await.unwrap();
        drop(second);
        drop(third.await.unwrap());
        assert_eq!(turns.n_waiting(), 0);
        assert!(turns.origins.lock().is_empty(), "nobody has to do with it any more");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_limit() {
        let turns = turns(1, 2);
        let first = turns.take("a").await.unwrap();
        let began = tokio::time::Instant::now();
        assert!(turns.take("a").await.is_err());
        assert_eq!(began.elapsed().as_secs(), 10);
        assert_eq!(turns.n_waiting(), 0);
        drop(first);
        assert!(turns.take("a").now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn each_origin_has_turns_of_its_own() {
        let turns = turns(1, 0);
        let _one = turns.take("a").await.unwrap();
        assert!(turns.take("a").await.is_err());
        assert!(turns.take("b").await.is_ok());
    }
}
