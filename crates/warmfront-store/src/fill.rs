use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use crate::{Body, Truncated};

/// How much of a body that is arriving is kept.
#[derive(Clone, Copy, Debug)]
pub struct FillLimits {
    /// Up to this many bytes the whole body is kept, so that it can be stored. A longer one goes on to its readers only,
    /// and nobody new may join it. 0: nothing is kept.
    pub keep_bytes_max: u64,
    /// Of a body that is not kept, at most about this many bytes wait for the slowest reader; the origin waits with them.
    pub window_bytes: u64,
}

/// The slices of a whole body are no longer than this.
const SLICE_BYTES: usize = 256 * 1024;

/// The writing end of a body that is arriving.
///
/// Dropping it before [`Fill::finish`] tells the readers that the rest will never come.
#[derive(Debug)]
pub struct Fill {
    spool: Arc<Spool>,
    finished: bool,
}

/// A body that is arriving: the slices that some reader still needs, or all of them while they are kept.
#[derive(Debug)]
pub(crate) struct Spool {
    limits: FillLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slices: VecDeque<Bytes>,
    /// The number of `slices[0]`, counted from the body's first slice.
    first: u64,
    held_bytes: u64,
    /// All slices from the first are held.
    kept: bool,
    end: Option<Result<(), Truncated>>,
    /// In the order in which they came, and in that order they wake.
    readers: BTreeMap<u64, Position>,
    next_reader: u64,
    /// Nobody will open the body any more.
    closed: bool,
    writer: Option<Waker>,
}

#[derive(Debug, Default)]
struct Position {
    next: u64,
    waker: Option<Waker>,
}

impl Fill {
    /// Begins a body; gives its writing end and the body for readers to open.
    pub fn begin(limits: FillLimits) -> (Fill, Body) {
        let state = State {
            kept: limits.keep_bytes_max > 0,
            ..State::default()
        };
        let spool = Arc::new(Spool {
            limits,
            state: Mutex::new(state),
        });
        (
            Fill {
                spool: Arc::clone(&spool),
                finished: false,
            },
            Body::arriving(spool),
        )
    }

    /// Appends a slice, once there is room.
    /// False: nothing is kept, and nobody reads or will, see [`Fill::close`]; so the rest need not be fetched.
    pub async fn push(&mut self, slice: Bytes) -> bool {
        let mut slice = Some(slice);
        poll_fn(|context| self.spool.poll_push(context, &mut slice)).await
    }

    /// Nobody will open the body any more: once its readers are gone, a body that is not kept need not be fetched.
    pub fn close(&self) {
        self.spool.state.lock().closed = true;
    }

    /// Whether the body is still kept whole, so that [`Fill::finish`] may give it.
    pub fn is_kept(&self) -> bool {
        self.spool.state.lock().kept
    }

    /// The body has ended. Gives it whole if it was kept.
    pub fn finish(mut self) -> Option<Body> {
        self.finished = true;
        let mut state = self.spool.state.lock();
        state.end = Some(Ok(()));
        state.wake_readers();
        state.kept.then(|| Body::whole(compact(state.slices.iter())))
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        if !self.finished {
            let mut state = self.spool.state.lock();
            state.end = Some(Err(Truncated));
            state.wake_readers();
        }
    }
}

impl Spool {
    fn poll_push(&self, context: &mut Context<'_>, slice: &mut Option<Bytes>) -> Poll<bool> {
        let mut state = self.state.lock();
        let Some(length) = slice.as_ref().map(|slice| slice.len() as u64) else {
            return Poll::Ready(true);
        };
        if state.kept && state.held_bytes + length > self.limits.keep_bytes_max {
            state.kept = false;
            state.drop_what_all_have_read();
        }
        if !state.kept {
            if state.readers.is_empty() && state.closed {
                return Poll::Ready(false);
            }
            if state.held_bytes >= self.limits.window_bytes {
                state.writer = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        if let Some(slice) = slice.take() {
            // A slice of the connection's buffer would keep all of that buffer alive.
            let slice = if state.kept {
                Bytes::copy_from_slice(&slice)
            } else {
                slice
            };
            state.held_bytes += length;
            state.slices.push_back(slice);
        }
        state.wake_readers();
        Poll::Ready(true)
    }
}

impl State {
    fn wake_readers(&mut self) {
        self.readers
            .values_mut()
            .filter_map(|reader| reader.waker.take())
            .for_each(Waker::wake);
    }

    /// Frees what no reader needs any more, if the body is not kept, and lets the writer go on.
    fn drop_what_all_have_read(&mut self) {
        if self.kept {
            return;
        }
        // Whoever is about to open the body needs its beginning.
        if self.readers.is_empty() && self.first == 0 && !self.closed {
            return;
        }
        let slowest = self
            .readers
            .values()
            .map(|reader| reader.next)
            .min()
            .unwrap_or(u64::MAX);
        while self.first < slowest {
            let Some(slice) = self.slices.pop_front() else { break };
            self.held_bytes -= slice.len() as u64;
            self.first += 1;
        }
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

/// Reads a body that is arriving.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    spool: Arc<Spool>,
    number: u64,
}

impl SpoolReader {
    /// A reader from the beginning; `None` if the beginning is gone.
    pub(crate) fn new(spool: Arc<Spool>) -> Option<SpoolReader> {
        let mut state = spool.state.lock();
        if state.first > 0 {
            return None;
        }
        let number = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(number, Position::default());
        drop(state);
        Some(SpoolReader { spool, number })
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        let mut state = self.spool.state.lock();
        let State {
            slices,
            first,
            end,
            readers,
            ..
        } = &mut *state;
        let Some(position) = readers.get_mut(&self.number) else {
            return Poll::Ready(None);
        };
        let Some(offset) = position.next.checked_sub(*first) else {
            return Poll::Ready(Some(Err(Truncated)));
        };
        let slice = usize::try_from(offset)
            .ok()
            .and_then(|offset| slices.get(offset))
            .cloned();
        match (slice, end) {
            (Some(slice), _) => {
                position.next += 1;
                state.drop_what_all_have_read();
                Poll::Ready(Some(Ok(slice)))
            }
            (None, Some(Ok(()))) => Poll::Ready(None),
            (None, Some(Err(truncated))) => Poll::Ready(Some(Err(*truncated))),
            (None, None) => {
                position.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        let mut state = self.spool.state.lock();
        state.readers.remove(&self.number);
        state.drop_what_all_have_read();
    }
}

/// The same bytes in as few slices as [`SLICE_BYTES`] allows.
fn compact<'a>(slices: impl Iterator<Item = &'a Bytes>) -> Vec<Bytes> {
    let slices: Vec<&Bytes> = slices.collect();
    if slices.len() <= 1 {
        return slices.into_iter().cloned().collect();
    }
    let mut left: usize = slices.iter().map(|slice| slice.len()).sum();
    let mut compacted = Vec::with_capacity(left.div_ceil(SLICE_BYTES));
    let mut current = BytesMut::with_capacity(left.min(SLICE_BYTES));
    for slice in slices {
        let mut rest = &slice[..];
        while !rest.is_empty() {
            let n_taken = rest.len().min(SLICE_BYTES - current.len());
            current.extend_from_slice(&rest[..n_taken]);
            rest = &rest[n_taken..];
            left -= n_taken;
            if current.len() == SLICE_BYTES {
                compacted.push(mem::replace(&mut current, BytesMut::with_capacity(left.min(SLICE_BYTES))).freeze());
            }
        }
    }
    if !current.is_empty() {
        compacted.push(current.freeze());
    }
    compacted
}

#[cfg(test)]
mod tests;
