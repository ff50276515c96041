use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

mod spool;
mod window;

use self::spool::Keep;
pub(crate) use self::spool::{Spool, SpoolReader};
use self::window::SMALL_BYTES;
use crate::body::MEMORY_SLICE_BYTES;
use crate::disk::SliceWriter;
use crate::shares::{Share, Shares, Use};
use crate::{Body, Truncated};

/// How much of a body that is arriving is kept in memory.
#[derive(Clone, Copy, Debug)]
pub struct FillLimits {
    /// Up to this many bytes the whole body is kept in memory, so that it can be stored. A longer one goes to disk as it
    /// arrives, or, where it cannot, on to its readers only, and then nobody new may join it. 0: not kept in memory.
    pub keep_bytes_max: u64,
    /// Of a body that is not kept in memory, at most about this many bytes wait for the disk, or for the slowest reader; the
    /// origin waits with them. Who has fallen further behind reads from disk.
    pub window_bytes: u64,
}

/// So long a body waits for the disk before it is no longer kept, and for a reader who holds up the others before that one
/// is cut off.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// What arrives is taken in parts of this size at the most: that of the slices that responses in memory have.
const PART_BYTES: usize = MEMORY_SLICE_BYTES;

/// When memory is short, in parts of this size; each body may have one of them beyond what is left.
const SHORT_PART_BYTES: usize = 16 * 1024;

/// The writing end of a body that is arriving.
///
/// Dropping it before [`Fill::finish`] tells the readers that the rest will never come.
#[derive(Debug)]
pub struct Fill {
    spool: Arc<Spool>,
    disk: Option<SliceWriter>,
    overdraft: Arc<Semaphore>,
    finished: bool,
}

impl Fill {
    /// Begins a body that no store keeps; gives its writing end and the body for readers to open.
    /// [`crate::Store::begin_fill`] begins one that a store may keep.
    pub fn begin(limits: FillLimits) -> (Fill, Body) {
        Fill::begin_in(limits, Arc::new(Shares::for_fills_alone()), None)
    }

    pub(crate) fn begin_in(limits: FillLimits, shares: Arc<Shares>, disk: Option<SliceWriter>) -> (Fill, Body) {
        let spool = Arc::new(Spool::new(limits, shares, disk.clone()));
        let fill = Fill {
            spool: Arc::clone(&spool),
            disk,
            overdraft: Arc::new(Semaphore::new(1)),
            finished: false,
        };
        (fill, Body::arriving(spool))
    }

    /// Appends what arrived, once there is room, and takes it off `arrived`: if this is given up halfway, the rest is
    /// still there.
    /// False: nothing is kept, and nobody reads or will, see [`Fill::close`]; so the rest need not be fetched.
    pub async fn push(&mut self, arrived: &mut Bytes) -> bool {
        while !arrived.is_empty() {
            if !self.room().await {
                return false;
            }
            let mut part_bytes = arrived.len().min(PART_BYTES);
            let share = match self.spool.needs(part_bytes) {
                None => None,
                Some(needed) => Some(match self.spool.shares.try_take(Use::Arriving, needed) {
                    Some(share) => share,
                    None => {
                        self.spool.give_way();
                        part_bytes = part_bytes.min(SHORT_PART_BYTES);
                        self.share_when_short(part_bytes.max(SMALL_BYTES)).await
                    }
                }),
            };
            let part = arrived.split_to(part_bytes);
            self.spool.append(&part, share);
        }
        true
    }

    async fn share_when_short(&self, bytes: usize) -> Share {
        loop {
            let share = self.spool.shares.take_arriving(bytes, &self.overdraft);
            match tokio::time::timeout(WAIT_MAX, share).await {
                Ok(share) => return share,
                Err(_) => self.spool.overdue(),
            }
        }
    }

    async fn room(&self) -> bool {
        loop {
            let mut room = std::pin::pin!(poll_fn(|context| self.spool.poll_room(context)));
            // Only who has to wait needs a timer.
            let at_once = poll_fn(|context| std::task::Poll::Ready(room.as_mut().poll(context))).await;
            if let std::task::Poll::Ready(is_needed) = at_once {
                return is_needed;
            }
            match tokio::time::timeout(WAIT_MAX, room).await {
                Ok(is_needed) => return is_needed,
                Err(_) => self.spool.overdue(),
            }
        }
    }

    /// Nobody will open the body any more: once its readers are gone, a body that is not kept need not be fetched.
    pub fn close(&self) {
        self.spool.close();
    }

    /// Whether the body is still kept whole, so that [`Fill::finish`] may give it.
    pub fn is_kept(&self) -> bool {
        self.spool.is_kept()
    }

    /// The body has ended. Gives it whole if it was kept; what goes to disk is waited for.
    pub async fn finish(mut self) -> Option<Body> {
        self.finished = true;
        let (keep, bytes) = self.spool.end(Ok(()));
        match keep {
            Keep::Memory => Some(Body::of_copies(&bytes)),
            Keep::Disk => {
                let slices = poll_fn(|context| self.spool.poll_slices(context));
                let slices = tokio::time::timeout(WAIT_MAX, slices).await.ok().flatten()?;
                Some(Body::on_disk(Arc::new(self.disk.as_ref()?.body(slices))))
            }
            Keep::No => None,
        }
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        if !self.finished {
            self.spool.end(Err(Truncated));
        }
    }
}

#[cfg(test)]
mod tests;
