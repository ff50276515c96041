//! How the memory budget is shared: responses in memory, the directory of the disk, and what is in flight or given up while
//! viewers still have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::disk::{Disk, SLICE_RECORD_BYTES};
use crate::held::Held;
use crate::memory::allocated;

/// Who has how much of the memory budget. What nobody else needs, the responses in memory have.
pub(crate) struct Shares {
    budget_bytes: u64,
    /// Of bodies that arrive.
    arriving: Allowance,
    /// Of slices that are read from disk. It is apart, so that a reader never waits for a body that waits for its readers.
    reading: Allowance,
    /// Of responses that are looked up on disk, until memory has them.
    looking_up: Allowance,
    overdraft_bytes: AtomicU64,
    held: Arc<Held>,
    disk_bytes: AtomicU64,
    /// What the memory tier was told last; locked while it is told.
    responses_bytes: Mutex<u64>,
    /// Tells the memory tier how much it has.
    resize: Box<dyn Fn(u64) + Send + Sync>,
}

/// How much may be in flight for one purpose.
struct Allowance {
    bytes_max: u64,
    /// A permit for each byte that is left.
    left: Arc<Semaphore>,
}

impl Allowance {
    fn new(bytes_max: u64) -> Allowance {
        let permits = usize::try_from(bytes_max)
            .unwrap_or(usize::MAX)
            .min(Semaphore::MAX_PERMITS);
        Allowance {
            bytes_max,
            left: Arc::new(Semaphore::new(permits)),
        }
    }

    fn has_half_left(&self) -> bool {
        self.taken_bytes() <= self.bytes_max / 2
    }

    fn taken_bytes(&self) -> u64 {
        self.bytes_max.saturating_sub(self.left.available_permits() as u64)
    }
}

/// What a share is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A body that arrives, until it is stored and read.
    Arriving,
    /// A slice that is read from disk, until the viewer has it.
    Reading,
    /// A response that is looked up on disk, until it is read.
    LookingUp,
}

/// A share of what may be in flight, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    _permits: Option<OwnedSemaphorePermit>,
    _overdraft: Option<Overdraft>,
}

/// What a body takes beyond what is left, so that it goes on however much others hold.
#[derive(Debug)]
struct Overdraft {
    shares: Arc<Shares>,
    bytes: u64,
}

impl Drop for Overdraft {
    fn drop(&mut self) {
        self.shares.overdraft_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Bytes that are in flight: they arrive, wait to be written, were read from disk, or are on their way to a viewer.
struct InFlight {
    bytes: Box<[u8]>,
    _share: Share,
}

impl AsRef<[u8]> for InFlight {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What `bytes::Bytes` and a list of them take beside the bytes.
const OVERHEAD_BYTES: u64 = 128;

impl Shares {
    pub(crate) fn new(budget_bytes: u64, held: Arc<Held>, resize: Box<dyn Fn(u64) + Send + Sync>) -> Shares {
        /// At least one slice can arrive, and four be read.
        const ARRIVING_BYTES_MIN: u64 = 320 * 1024;
        const READING_BYTES_MIN: u64 = 4 * (SLICE_RECORD_BYTES + OVERHEAD_BYTES);
        /// The largest response in one record, with the longest head.
        const LOOKING_UP_BYTES_MIN: u64 = Disk::INLINE_BYTES_MAX + 512 * 1024;
        Shares {
            budget_bytes,
            arriving: Allowance::new((budget_bytes / 8).max(ARRIVING_BYTES_MIN)),
            reading: Allowance::new((budget_bytes / 16).max(READING_BYTES_MIN)),
            looking_up: Allowance::new((budget_bytes / 16).max(LOOKING_UP_BYTES_MIN)),
            overdraft_bytes: AtomicU64::new(0),
            held,
            disk_bytes: AtomicU64::new(0),
            responses_bytes: Mutex::new(budget_bytes),
            resize,
        }
    }

    /// A budget for nothing but bodies that arrive, without a store.
    pub(crate) fn for_fills_alone() -> Shares {
        Shares::new(u64::MAX / 8, Arc::default(), Box::new(|_| ()))
    }

    /// How much may be arriving.
    pub(crate) fn arriving_bytes_max(&self) -> u64 {
        self.arriving.bytes_max
    }

    /// How much is in flight, or held by viewers alone.
    pub(crate) fn in_flight_bytes(&self) -> u64 {
        self.held.release_all();
        self.taken_bytes()
    }

    fn taken_bytes(&self) -> u64 {
        let allowances = [&self.arriving, &self.reading, &self.looking_up];
        let taken: u64 = allowances.into_iter().map(Allowance::taken_bytes).sum();
        taken + self.overdraft_bytes.load(Ordering::Relaxed) + self.held.bytes()
    }

    /// How much memory the disk tier takes; it takes it in any case.
    pub(crate) fn set_disk_bytes(&self, bytes: u64) {
        self.disk_bytes.store(bytes, Ordering::Relaxed);
        self.adjust();
    }

    /// A share for `bytes`, if there is one at once.
    pub(crate) fn try_take(&self, what_for: Use, bytes: usize) -> Option<Share> {
        let left = Arc::clone(&self.allowance(what_for).left);
        let permits = left.try_acquire_many_owned(cost(bytes)).ok()?;
        self.adjust();
        Some(Share {
            _permits: Some(permits),
            _overdraft: None,
        })
    }

    /// The same for what is not needed yet: half of what there may be is left for who needs it.
    pub(crate) fn try_take_ahead(&self, what_for: Use, bytes: usize) -> Option<Share> {
        let has_half_left = self.allowance(what_for).has_half_left();
        has_half_left.then(|| self.try_take(what_for, bytes))?
    }

    /// Waits for a share for `bytes`, a slice at the most, in turn.
    async fn take(&self, what_for: Use, bytes: usize) -> Share {
        let left = Arc::clone(&self.allowance(what_for).left);
        let permits = left.acquire_many_owned(cost(bytes)).await.ok();
        self.adjust();
        Share {
            _permits: permits,
            _overdraft: None,
        }
    }

    /// Waits for a share for `bytes` of what arrives; or, whichever comes first, for the one permit of `own`, with which
    /// they are taken beyond what is left.
    pub(crate) async fn take_arriving(self: &Arc<Self>, bytes: usize, own: &Arc<Semaphore>) -> Share {
        tokio::select! {
            biased;
            share = self.take(Use::Arriving, bytes) => share,
            Ok(permit) = Arc::clone(own).acquire_owned() => self.overdraw(bytes, permit),
        }
    }

    /// Waits for a share for `bytes` of what is read. Who has waited for a second takes them with the one permit of `own`, if
    /// that comes first: others are on their way to viewers that take nothing.
    pub(crate) async fn take_reading(self: Arc<Self>, bytes: usize, own: Arc<Semaphore>) -> Share {
        const PATIENCE: Duration = Duration::from_secs(1);
        let overdraft = async {
            tokio::time::sleep(PATIENCE).await;
            own.acquire_owned().await
        };
        tokio::select! {
            biased;
            share = self.take(Use::Reading, bytes) => share,
            Ok(permit) = overdraft => self.overdraw(bytes, permit),
        }
    }

    fn overdraw(self: &Arc<Self>, bytes: usize, permit: OwnedSemaphorePermit) -> Share {
        let bytes = u64::from(cost(bytes));
        self.overdraft_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.adjust();
        let overdraft = Overdraft {
            shares: Arc::clone(self),
            bytes,
        };
        Share {
            _permits: Some(permit),
            _overdraft: Some(overdraft),
        }
    }

    fn allowance(&self, what_for: Use) -> &Allowance {
        match what_for {
            Use::Arriving => &self.arriving,
            Use::Reading => &self.reading,
            Use::LookingUp => &self.looking_up,
        }
    }

    fn adjust(&self) {
        /// Each change makes the memory tier evict; small ones can wait.
        const STEPS: u64 = 64;
        // Who is at it already sees much the same.
        let Some(mut responses_bytes) = self.responses_bytes.try_lock() else {
            return;
        };
        self.held.release_some();
        let taken = self.disk_bytes.load(Ordering::Relaxed) + self.taken_bytes();
        let step = (self.budget_bytes / STEPS).max(1);
        let left = self.budget_bytes.saturating_sub(taken) / step * step;
        let wanted = left.max(self.budget_bytes / 4);
        if wanted != *responses_bytes {
            *responses_bytes = wanted;
            (self.resize)(wanted);
        }
    }
}

impl Share {
    /// `bytes` under this share: it is given back when the last of them is dropped.
    pub(crate) fn cover(self, bytes: impl Into<Box<[u8]>>) -> Bytes {
        Bytes::from_owner(InFlight {
            bytes: bytes.into(),
            _share: self,
        })
    }
}

fn cost(bytes: usize) -> u32 {
    u32::try_from(allocated(bytes) + OVERHEAD_BYTES).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Shares {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Shares")
    }
}
