use std::collections::HashMap;
use std::hash::BuildHasher;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::Notify;
use warmfront_caching::Upstream;
use warmfront_invalidation::Stamp;
use warmfront_model::Epoch;
use warmfront_store::StoredResponse;

use crate::origin::FetchFailure;
use crate::outcome::{Kept, Reason};
use crate::variants::Variant;

/// The fetches in flight of all cores, by cache key.
///
/// A fetch runs on the core whose request began it. Everyone else who wants the same thing waits for its progress, from
/// whatever core, and all wake in the order in which they came: with tokio's watch, which wakes them by chance, no
/// simulation could be repeated.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    shards: [Mutex<Shard>; N_SHARDS],
    hasher: RandomState,
}

type Shard = HashMap<Arc<[u8]>, Arc<Flight>, RandomState>;

const N_SHARDS: usize = 32;

/// One fetch in flight.
#[derive(Debug)]
pub(crate) struct Flight {
    key: Arc<[u8]>,
    stamp: Stamp,
    progress: Mutex<Progress>,
    told: Notify,
    n_waiting: AtomicUsize,
    left: Notify,
}

/// How far a fetch has come.
#[derive(Clone, Debug)]
pub(crate) enum Progress {
    /// The origin has been asked, or is about to be.
    Asked,
    /// The head is here; the body is here or arriving.
    Answered(Answered),
    /// There will be no answer.
    Failed(Arc<FetchFailure>),
}

/// What a fetch brought.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// The response; its body opens as every stored one, with a proof.
    pub(crate) response: Arc<StoredResponse>,
    /// Whether it may answer others than the request that began the fetch.
    pub(crate) shared: bool,
    /// Where it is from: [`Reason::Fetched`], [`Reason::Revalidated`], or a regional node's cache.
    pub(crate) reason: Reason,
    /// Why it is kept, or is not.
    pub(crate) kept: Kept,
    /// The variant that it is of; `None` if it answers every request of its key.
    pub(crate) variant: Option<Variant>,
    /// Fields for the request that began the fetch alone.
    pub(crate) withheld: Option<Arc<HeaderMap>>,
    /// How long the origin took, if this node asked it.
    pub(crate) upstream: Option<Upstream>,
}

/// A request's part in a fetch.
#[derive(Debug)]
pub(crate) enum Part {
    /// It began it, and must run it.
    Began(Arc<Flight>),
    /// It joined it.
    Joined(Arc<Flight>),
}

impl Flights {
    /// Joins the fetch in flight for `key` if it `is_new_enough`, else begins one stamped `planned`, which later requests
    /// find in its place. `found_meanwhile` is asked before beginning: a fetch that has just ended
    /// has stored its response before it left this table.
    pub(crate) fn join_or_begin<T>(
        &self,
        key: &[u8],
        planned: Epoch,
        is_new_enough: impl FnOnce(&Flight) -> bool,
        found_meanwhile: impl FnOnce() -> Option<T>,
    ) -> Result<Part, T> {
        let mut shard = self.shard(key).lock();
        if let Some(flight) = shard.get(key)
            && is_new_enough(flight)
        {
            return Ok(Part::Joined(Arc::clone(flight)));
        }
        if let Some(found) = found_meanwhile() {
            return Err(found);
        }
        let flight = Flights::begin_alone(key, planned);
        shard.insert(Arc::clone(&flight.key), Arc::clone(&flight));
        Ok(Part::Began(flight))
    }

    /// A fetch that nobody can join.
    pub(crate) fn begin_alone(key: &[u8], planned: Epoch) -> Arc<Flight> {
        Arc::new(Flight {
            key: key.into(),
            stamp: Stamp::new(planned),
            progress: Mutex::new(Progress::Asked),
            told: Notify::new(),
            n_waiting: AtomicUsize::new(0),
            left: Notify::new(),
        })
    }

    /// Nobody may join `flight` from now on.
    pub(crate) fn close(&self, flight: &Arc<Flight>) {
        let mut shard = self.shard(&flight.key).lock();
        if shard
            .get(&flight.key)
            .is_some_and(|present| Arc::ptr_eq(present, flight))
        {
            shard.remove(&flight.key);
        }
    }

    /// Those that can be joined.
    pub(crate) fn joinable(&self) -> Vec<Arc<Flight>> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| shard.lock().values().map(Arc::clone).collect::<Vec<_>>())
            .collect()
    }

    /// How many requests wait for a fetch to be answered, or for the body it brings.
    pub(crate) fn n_waiting(&self) -> usize {
        let waiting = |shard: &Mutex<Shard>| -> usize {
            let shard = shard.lock();
            shard
                .values()
                .map(|flight| flight.n_waiting.load(Ordering::Relaxed))
                .sum()
        };
        self.shards.iter().map(waiting).sum()
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Shard> {
        &self.shards[usize::try_from(self.hasher.hash_one(key) % N_SHARDS as u64).unwrap_or(0)]
    }
}

impl Flight {
    /// The cache key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The as-of of its plan, which rises while nothing covers what it can bring.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Tells everyone who waits.
    pub(crate) fn tell(&self, progress: Progress) {
        *self.progress.lock() = progress;
        self.told.notify_waiters();
    }

    /// Waits for the answer.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiting {
        self.n_waiting.fetch_add(1, Ordering::SeqCst);
        Waiting {
            flight: Arc::clone(self),
        }
    }

    /// The answer, if it is here.
    pub(crate) fn answered(&self) -> Option<Answered> {
        match &*self.progress.lock() {
            Progress::Answered(answered) => Some(answered.clone()),
            Progress::Asked | Progress::Failed(_) => None,
        }
    }

    /// Whether nobody has been told anything yet.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(&*self.progress.lock(), Progress::Asked)
    }

    /// Returns once nobody waits any more.
    pub(crate) async fn deserted(&self) {
        loop {
            let mut left = pin!(self.left.notified());
            left.as_mut().enable();
            if self.n_waiting.load(Ordering::SeqCst) == 0 {
                return;
            }
            left.await;
        }
    }
}

/// A request that waits for a fetch. Keep it until the answer's body is open: while someone waits, a body that is not
/// kept is not given up.
#[derive(Debug)]
pub(crate) struct Waiting {
    flight: Arc<Flight>,
}

impl Waiting {
    /// The answer or the failure.
    pub(crate) async fn outcome(&mut self) -> Result<Answered, Arc<FetchFailure>> {
        loop {
            let mut told = pin!(self.flight.told.notified());
            told.as_mut().enable();
            match &*self.flight.progress.lock() {
                Progress::Answered(answered) => return Ok(answered.clone()),
                Progress::Failed(failure) => return Err(Arc::clone(failure)),
                Progress::Asked => {}
            }
            told.await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.flight.n_waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.flight.left.notify_waiters();
        }
    }
}
