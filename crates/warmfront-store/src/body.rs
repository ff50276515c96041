use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use thiserror::Error;

use crate::disk::{DiskBody, DiskReader};
use crate::fill::{Spool, SpoolReader};
use crate::memory::{SHARED_BYTES, allocated};

/// Bodies in memory are in slices of this size, the last one excepted.
///
/// Slices of one size leave no holes in memory: with bodies of 16 to 256 KiB in one piece each, a process took a
/// quarter more than was asked of the allocator.
pub(crate) const MEMORY_SLICE_BYTES: usize = 32 * 1024;

/// The rest of the body cannot be had: the origin stopped before it was whole, or the disk failed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the rest of the body cannot be had: the origin stopped before it was whole, or the disk failed")]
pub struct Truncated;

/// A response's body: whole in memory, in slices on disk, or still arriving.
#[derive(Clone, Debug)]
pub struct Body(Kind);

/// Most bodies are small: those that are not have a box, so that the others take less.
#[derive(Clone, Debug)]
enum Kind {
    One(Bytes),
    Other(Box<Other>),
}

#[derive(Clone, Debug)]
enum Other {
    Whole { slices: Arc<[Bytes]>, bytes: u64 },
    Disk(Arc<DiskBody>),
    Arriving(Arc<Spool>),
}

/// Where a body is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Contents<'a> {
    /// In memory, whole.
    Memory(&'a [Bytes]),
    /// On disk, whole.
    Disk(&'a DiskBody),
    /// Not here yet.
    Arriving,
}

impl Body {
    /// A whole body. Its slices should own no more memory than they show.
    pub fn whole(mut slices: Vec<Bytes>) -> Body {
        if slices.len() <= 1 {
            return Body(Kind::One(slices.pop().unwrap_or_default()));
        }
        let bytes = slices.iter().map(|slice| slice.len() as u64).sum();
        Body::other(Other::Whole {
            slices: slices.into(),
            bytes,
        })
    }

    /// A whole body that owns exactly the bytes of `parts`, one after another.
    pub(crate) fn of_copies<T: AsRef<[u8]>>(parts: &[T]) -> Body {
        const SLICE_BYTES: usize = MEMORY_SLICE_BYTES;
        let mut left: usize = parts.iter().map(|part| part.as_ref().len()).sum();
        let mut slices = Vec::with_capacity(left.div_ceil(SLICE_BYTES));
        let mut slice = Vec::with_capacity(left.min(SLICE_BYTES));
        for part in parts {
            let mut rest = part.as_ref();
            while !rest.is_empty() {
                let (taken, after) = rest.split_at(rest.len().min(SLICE_BYTES - slice.len()));
                slice.extend_from_slice(taken);
                rest = after;
                left -= taken.len();
                if slice.len() == SLICE_BYTES {
                    slices.push(mem::replace(&mut slice, Vec::with_capacity(left.min(SLICE_BYTES))).into());
                }
            }
        }
        if !slice.is_empty() {
            slices.push(slice.into());
        }
        Body::whole(slices)
    }

    pub(crate) fn arriving(spool: Arc<Spool>) -> Body {
        Body::other(Other::Arriving(spool))
    }

    pub(crate) fn on_disk(body: Arc<DiskBody>) -> Body {
        Body::other(Other::Disk(body))
    }

    fn other(other: Other) -> Body {
        Body(Kind::Other(Box::new(other)))
    }

    pub(crate) fn contents(&self) -> Contents<'_> {
        match &self.0 {
            Kind::One(slice) => Contents::Memory(std::slice::from_ref(slice)),
            Kind::Other(other) => match &**other {
                Other::Whole { slices, .. } => Contents::Memory(slices),
                Other::Disk(body) => Contents::Disk(body),
                Other::Arriving(_) => Contents::Arriving,
            },
        }
    }

    /// The length in bytes, if the body is whole.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match &self.0 {
            Kind::One(slice) => Some(slice.len() as u64),
            Kind::Other(other) => match &**other {
                Other::Whole { bytes, .. } => Some(*bytes),
                Other::Disk(body) => Some(body.bytes()),
                Other::Arriving(_) => None,
            },
        }
    }

    /// How many bytes of memory a whole body takes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        const COUNTS_BYTES: usize = 16;
        let slice_bytes = |slice: &Bytes| allocated(slice.len()) + SHARED_BYTES;
        let other = match &self.0 {
            Kind::One(slice) => return slice_bytes(slice),
            Kind::Other(other) => other,
        };
        let own = match &**other {
            Other::Whole { slices, .. } => {
                allocated(size_of_val(&**slices) + COUNTS_BYTES) + slices.iter().map(slice_bytes).sum::<u64>()
            }
            Other::Disk(body) => body.memory_bytes(),
            Other::Arriving(_) => return 0,
        };
        allocated(size_of::<Other>()) + own
    }

    /// Where a body in memory is; two bodies that share their slices are at one address.
    pub(crate) fn address(&self) -> Option<usize> {
        match &self.0 {
            Kind::One(slice) => Some(slice.as_ptr().addr()),
            Kind::Other(other) => match &**other {
                Other::Whole { slices, .. } => Some(slices.as_ptr().addr()),
                Other::Disk(_) | Other::Arriving(_) => None,
            },
        }
    }

    /// Whether someone besides the owner of this body has any of what it takes in memory.
    pub(crate) fn is_held(&self) -> bool {
        let is_shared = |slice: &Bytes| !slice.is_empty() && !slice.is_unique();
        match &self.0 {
            Kind::One(slice) => is_shared(slice),
            Kind::Other(other) => match &**other {
                Other::Whole { slices, .. } => Arc::strong_count(slices) > 1 || slices.iter().any(is_shared),
                Other::Disk(_) | Other::Arriving(_) => false,
            },
        }
    }

    pub(crate) fn open(&self) -> Option<BodyReader> {
        Some(BodyReader(match &self.0 {
            Kind::One(slice) => Reading::Last((!slice.is_empty()).then(|| slice.clone())),
            Kind::Other(other) => match &**other {
                Other::Whole { slices, .. } => Reading::Whole {
                    slices: Arc::clone(slices),
                    next: 0,
                },
                Other::Disk(body) => Reading::Disk(Box::new(DiskReader::new(Arc::clone(body)))),
                Other::Arriving(spool) => Reading::Arriving(Box::new(SpoolReader::new(Arc::clone(spool))?)),
            },
        }))
    }
}

/// Reads a body slice by slice, from its beginning. Many may read one body; each sees all of it.
#[derive(Debug)]
pub struct BodyReader(Reading);

#[derive(Debug)]
enum Reading {
    Last(Option<Bytes>),
    Whole { slices: Arc<[Bytes]>, next: usize },
    Disk(Box<DiskReader>),
    Arriving(Box<SpoolReader>),
}

impl BodyReader {
    /// The next slice; `None` at the end. A body that is arriving is waited for.
    ///
    /// # Errors
    /// [`Truncated`] if the rest will never arrive.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        match &mut self.0 {
            Reading::Last(slice) => Poll::Ready(slice.take().map(Ok)),
            Reading::Whole { slices, next } => {
                let slice = slices.get(*next).cloned();
                *next += 1;
                Poll::Ready(slice.map(Ok))
            }
            Reading::Disk(reader) => reader.poll_next(context),
            Reading::Arriving(reader) => reader.poll_next(context),
        }
    }

    /// What is left, if all of it is in memory.
    pub fn in_memory(&self) -> Option<&[Bytes]> {
        match &self.0 {
            Reading::Last(slice) => Some(slice.as_slice()),
            Reading::Whole { slices, next } => slices.get(*next..),
            Reading::Disk(_) | Reading::Arriving(_) => None,
        }
    }

    /// How many bytes are left, if that is known.
    pub fn bytes_left(&self) -> Option<u64> {
        match &self.0 {
            Reading::Last(slice) => Some(slice.as_ref().map_or(0, |slice| slice.len() as u64)),
            Reading::Whole { slices, next } => Some(slices.iter().skip(*next).map(|slice| slice.len() as u64).sum()),
            Reading::Disk(reader) => Some(reader.bytes_left()),
            Reading::Arriving(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_in_slices_of_one_size() {
        for length in [0, 1, 20_000, 32 * 1024, 32 * 1024 + 1, 1_000_000] {
            let bytes: Vec<u8> = (0..length)
                .map(|n: u32| n.to_le_bytes()[1] ^ n.to_le_bytes()[0])
                .collect();
            for part_bytes in [1_000, 20_000, 5_000_000] {
                let parts: Vec<&[u8]> = bytes.chunks(part_bytes).collect();
                let body = Body::of_copies(&parts);
                let Contents::Memory(slices) = body.contents() else {
                    panic!()
                };
                assert!(slices.concat() == bytes, "{length} bytes in parts of {part_bytes}");
                assert!(slices.iter().rev().skip(1).all(|slice| slice.len() == 32 * 1024));
            }
        }
    }
}
