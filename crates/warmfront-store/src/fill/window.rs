use std::collections::VecDeque;

use bytes::Bytes;

use crate::shares::Share;

/// Smaller parts are put together in one allocation of this size.
pub(super) const SMALL_BYTES: usize = 4 * 1024;

/// The part of a body that is in memory: its bytes from one offset to another.
#[derive(Debug, Default)]
pub(super) struct Window {
    pieces: VecDeque<Piece>,
    tail: Option<Tail>,
    start: u64,
    end: u64,
}

#[derive(Debug)]
struct Piece {
    start: u64,
    bytes: Bytes,
}

/// Small parts, as long as more of them may follow.
#[derive(Debug)]
struct Tail {
    bytes: Vec<u8>,
    share: Share,
}

impl Window {
    /// The offset in the body of the first byte in memory.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The offset behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes there are.
    pub(super) fn bytes(&self) -> u64 {
        self.end - self.start
    }

    /// The length that [`Window::push`] needs a share for; `None` if there is room.
    pub(super) fn needs(&self, part_bytes: usize) -> Option<usize> {
        let fits = |tail: &Tail| tail.bytes.len() + part_bytes <= SMALL_BYTES;
        match &self.tail {
            Some(tail) if fits(tail) => None,
            _ => Some(part_bytes.max(SMALL_BYTES)),
        }
    }

    /// Appends a part. `share` is for what [`Window::needs`] said.
    pub(super) fn push(&mut self, part: &[u8], share: Option<Share>) {
        self.end += part.len() as u64;
        let Some(share) = share else {
            if let Some(tail) = &mut self.tail {
                tail.bytes.extend_from_slice(part);
            }
            return;
        };
        self.freeze_before(part.len() as u64);
        if part.len() < SMALL_BYTES {
            let mut bytes = Vec::with_capacity(SMALL_BYTES);
            bytes.extend_from_slice(part);
            self.tail = Some(Tail { bytes, share });
        } else {
            self.pieces.push_back(Piece {
                start: self.end - part.len() as u64,
                bytes: share.cover(part),
            });
        }
    }

    /// No more small parts are put to those there are.
    pub(super) fn freeze(&mut self) {
        self.freeze_before(0);
    }

    /// The same, when `after` bytes have come behind them already.
    fn freeze_before(&mut self, after: u64) {
        if let Some(tail) = self.tail.take() {
            self.pieces.push_back(Piece {
                start: self.end - after - tail.bytes.len() as u64,
                bytes: tail.share.cover(tail.bytes),
            });
        }
    }

    /// The offset behind the last byte that is frozen.
    pub(super) fn frozen_end(&self) -> u64 {
        self.end - self.tail.as_ref().map_or(0, |tail| tail.bytes.len() as u64)
    }

    /// Bytes from `offset` on, as many as are in one piece; `None` if there are none.
    pub(super) fn at(&self, offset: u64) -> Option<Bytes> {
        if offset < self.start || offset >= self.end {
            return None;
        }
        let within = |start: u64| usize::try_from(offset - start).ok();
        let frozen_end = self.frozen_end();
        if let Some(tail) = self.tail.as_ref().filter(|_| offset >= frozen_end) {
            return Some(Bytes::copy_from_slice(tail.bytes.get(within(frozen_end)?..)?));
        }
        let number = self
            .pieces
            .partition_point(|piece| piece.start <= offset)
            .checked_sub(1)?;
        let piece = self.pieces.get(number)?;
        Some(piece.bytes.slice(within(piece.start)?..))
    }

    /// The frozen bytes from `start` to `end`, in pieces.
    pub(super) fn range(&self, start: u64, end: u64) -> Vec<Bytes> {
        let mut parts = Vec::new();
        let mut offset = start;
        while offset < end.min(self.frozen_end())
            && let Some(mut part) = self.at(offset)
        {
            part.truncate(usize::try_from(end - offset).unwrap_or(usize::MAX));
            offset += part.len() as u64;
            parts.push(part);
        }
        parts
    }

    /// Frees the pieces that end at `offset` or before.
    pub(super) fn drop_before(&mut self, offset: u64) {
        while self.pieces.front().is_some_and(|piece| piece.end() <= offset) {
            self.pieces.pop_front();
        }
        if offset >= self.end {
            self.tail = None;
        }
        self.start = match (self.pieces.front(), &self.tail) {
            (Some(piece), _) => piece.start,
            (None, Some(_)) => self.frozen_end(),
            (None, None) => self.end,
        };
    }

    /// Where the first piece ends.
    pub(super) fn first_end(&self) -> u64 {
        self.pieces.front().map_or(self.end, Piece::end)
    }
}

impl Piece {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}
