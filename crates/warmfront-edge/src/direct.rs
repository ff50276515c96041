//! Hits that hyper never sees.
//!
//! Most requests are small heads whose answer lies in memory. A stream below hyper looks at each request first. What the cache
//! answers at once and whole, it writes itself; everything else goes to hyper, byte for byte, one request at a time, and hyper
//! is idle again before the next one is looked at. Heads are read by the parser that hyper uses, so both agree on where a
//! request ends; where that needs more than a head, hyper has the connection for good.

mod exchanges;
mod head;
mod message;

pub(crate) use exchanges::{AnswerBody, Exchanges};
pub(crate) use message::{is_writable, may_have_body, say_length, write_field, write_head, write_status};

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::access_log::End;
use crate::core::Core;
use crate::direct::head::{Head, NoHead};
use crate::request::{Viewer, answer_directly};
use crate::silence::{Activity, Watched};

/// A head that comes in more parts is hyper's, so that none is read again and again.
const PARTS_MAX: u8 = 16;
/// Shorter bodies are copied behind their head: one buffer costs the kernel less than two.
const COPIED_BYTES_MAX: usize = 4 * 1024;
/// So many buffers go into one write.
const BUFFERS_MAX: usize = 16;

/// The stream of one connection, with what answers its hits.
pub(crate) struct DirectHits<S> {
    stream: Watched<S>,
    core: Arc<Core>,
    viewer: Viewer,
    activity: Arc<Activity>,
    turn: Turn,
    /// What has arrived and is neither answered nor hyper's yet.
    kept: Vec<u8>,
    /// In how many parts the head at its beginning has come so far.
    n_parts: u8,
    /// What is still to be written of an answer.
    unsent: VecDeque<Bytes>,
    /// Whether an answer was written, and the stream has not been flushed since.
    is_unflushed: bool,
    /// The read that hyper waits for, although there is something to read.
    reader: Option<Waker>,
}

/// Who has the next bytes from the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// A request begins here, and hyper is idle.
    Ours,
    /// So many bytes are a request for hyper to answer.
    HandingOver(usize),
    /// hyper answers the exchange with this number.
    Hypers(u64),
    /// hyper has all that follows.
    HypersForGood,
}

/// How far the bytes from a viewer could be answered.
struct TakenIn {
    n_bytes: usize,
    next: Next,
}

/// What is behind them.
enum Next {
    /// Nothing, or what has to wait until the answers are out.
    Later,
    /// A part of a head.
    Part,
    /// A request of so many bytes that hyper is to answer.
    ForHyper(usize),
    /// Something that hyper is to find the end of.
    ForHyperForGood,
}

impl<S> DirectHits<S> {
    pub(crate) fn new(stream: Watched<S>, core: Arc<Core>, viewer: Viewer, activity: Arc<Activity>) -> DirectHits<S> {
        let is_for_viewers = core.node.tier.is_for_viewers();
        DirectHits {
            stream,
            core,
            viewer,
            activity,
            turn: if is_for_viewers {
                Turn::Ours
            } else {
                Turn::HypersForGood
            },
            kept: Vec::new(),
            n_parts: 0,
            unsent: VecDeque::new(),
            is_unflushed: false,
            reader: None,
        }
    }

    fn begin_exchange(&mut self) {
        self.turn = Turn::Hypers(self.activity.exchanges.next());
    }

    /// Keeps what is left of `bytes`, and goes on to what comes next.
    fn keep(&mut self, bytes: &[u8], taken: &TakenIn) {
        self.kept = bytes.get(taken.n_bytes..).unwrap_or_default().to_vec();
        let n_parts = std::mem::take(&mut self.n_parts);
        match taken.next {
            Next::Later => {}
            Next::Part if taken.n_bytes == 0 && n_parts >= PARTS_MAX => self.turn = Turn::HypersForGood,
            Next::Part if taken.n_bytes == 0 => self.n_parts = n_parts + 1,
            Next::Part => self.n_parts = 1,
            Next::ForHyper(n_bytes) => self.turn = Turn::HandingOver(n_bytes),
            Next::ForHyperForGood => self.turn = Turn::HypersForGood,
        }
    }
}

impl<S: AsyncWrite + Unpin> DirectHits<S> {
    /// Answers the requests that `bytes` begin with, as long as the cache can and the viewer takes the answers.
    fn take_in(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> io::Result<TakenIn> {
        let mut n_bytes = 0;
        loop {
            let rest = bytes.get(n_bytes..).unwrap_or_default();
            if rest.is_empty() || self.is_unflushed {
                let next = Next::Later;
                return Ok(TakenIn { n_bytes, next });
            }
            let next = match head::read(rest) {
                Err(NoHead::Part) => Next::Part,
                Err(NoHead::ForHyper) => Next::ForHyperForGood,
                Ok(Head {
                    n_bytes: of_head,
                    parts,
                }) => {
                    if let Some(parts) = parts
                        && self.answer(context, parts)?
                    {
                        n_bytes += of_head;
                        continue;
                    }
                    Next::ForHyper(of_head)
                }
            };
            return Ok(TakenIn { n_bytes, next });
        }
    }

    /// Answers a request from the cache; false: it cannot be.
    fn answer(&mut self, context: &mut Context<'_>, head: http::request::Parts) -> io::Result<bool> {
        self.activity.note();
        message::with_scratch(|text| {
            let ledger = self.activity.ledger.as_ref();
            let logged = ledger.map(|ledger| (ledger, Instant::now()));
            let Some(answer) = answer_directly(&self.core, self.viewer, logged, head, text) else {
                return Ok(false);
            };
            let mut slices = answer.slices();
            if slices.iter().map(Bytes::len).sum::<usize>() <= COPIED_BYTES_MAX {
                slices.iter().for_each(|slice| text.extend_from_slice(slice));
                slices = &[];
            }
            self.core.counters.direct_hits.add(1);
            let sent = self.send(context, text, slices);
            if let (Some(ledger), Some(line)) = (&self.activity.ledger, answer.line) {
                let n_bytes = sent.as_ref().map_or(0, |&n_bytes| n_bytes);
                ledger.hit_sent(line, n_bytes, sent.is_ok() && self.unsent.is_empty());
            }
            sent?;
            match self.poll_unsent(context) {
                Poll::Ready(result) => result.map(|()| true),
                Poll::Pending => Ok(true),
            }
        })
    }

    /// Writes an answer, and keeps what the viewer does not take yet. Gives how many bytes it has taken.
    fn send(&mut self, context: &mut Context<'_>, text: &[u8], slices: &[Bytes]) -> io::Result<usize> {
        self.is_unflushed = true;
        let written = if slices.is_empty() {
            Pin::new(&mut self.stream).poll_write(context, text)
        } else {
            let mut buffers = [IoSlice::new(&[]); BUFFERS_MAX];
            let n_buffers = fill(
                &mut buffers,
                std::iter::once(text).chain(slices.iter().map(|slice| &slice[..])),
            );
            Pin::new(&mut self.stream).poll_write_vectored(context, buffers.get(..n_buffers).unwrap_or_default())
        };
        let n_taken = match written {
            Poll::Ready(written) => written?,
            Poll::Pending => 0,
        };
        let mut n_written = n_taken;
        if n_written < text.len() {
            self.unsent
                .push_back(Bytes::copy_from_slice(text.get(n_written..).unwrap_or_default()));
        }
        n_written = n_written.saturating_sub(text.len());
        for slice in slices {
            if n_written < slice.len() {
                self.unsent.push_back(slice.slice(n_written..));
            }
            n_written = n_written.saturating_sub(slice.len());
        }
        Ok(n_taken)
    }

    /// Writes what is left of an answer. Ready: all of it has left.
    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_unflushed {
            return Poll::Ready(Ok(()));
        }
        while !self.unsent.is_empty() {
            let mut buffers = [IoSlice::new(&[]); BUFFERS_MAX];
            let n_buffers = fill(&mut buffers, self.unsent.iter().map(|bytes| &bytes[..]));
            let buffers = buffers.get(..n_buffers).unwrap_or_default();
            let mut n_written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, buffers))?;
            if n_written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            while let Some(first) = self.unsent.front_mut() {
                if n_written < first.len() {
                    first.advance(n_written);
                    break;
                }
                n_written -= first.len();
                self.unsent.pop_front();
            }
            if let (true, Some(ledger)) = (self.unsent.is_empty(), &self.activity.ledger) {
                ledger.end_body(End::Whole);
            }
        }
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.is_unflushed = false;
        Poll::Ready(Ok(()))
    }
}

fn fill<'a>(buffers: &mut [IoSlice<'a>], of: impl Iterator<Item = &'a [u8]>) -> usize {
    let filled = buffers
        .iter_mut()
        .zip(of)
        .map(|(buffer, bytes)| *buffer = IoSlice::new(bytes));
    filled.count()
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for DirectHits<S> {
    /// What hyper is to answer.
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.turn {
                Turn::Ours => {
                    ready!(this.poll_unsent(context))?;
                    if ready!(this.poll_next(context, buffer))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Turn::HandingOver(n_left) => {
                    let n_bytes = n_left.min(buffer.remaining()).min(this.kept.len());
                    buffer.put_slice(this.kept.get(..n_bytes).unwrap_or_default());
                    this.kept.drain(..n_bytes);
                    match n_left - n_bytes {
                        0 => this.begin_exchange(),
                        n_left => this.turn = Turn::HandingOver(n_left),
                    }
                    return Poll::Ready(Ok(()));
                }
                Turn::Hypers(_) => {
                    if !this.kept.is_empty() {
                        this.reader = Some(context.waker().clone());
                        return Poll::Pending;
                    }
                    let begin = buffer.filled().len();
                    ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
                    let fresh = buffer.filled().get(begin..).unwrap_or_default();
                    if fresh.is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                    this.kept = fresh.to_vec();
                    buffer.set_filled(begin);
                }
                Turn::HypersForGood if this.kept.is_empty() => {
                    return Pin::new(&mut this.stream).poll_read(context, buffer);
                }
                Turn::HypersForGood => {
                    let n_bytes = this.kept.len().min(buffer.remaining());
                    buffer.put_slice(this.kept.get(..n_bytes).unwrap_or_default());
                    this.kept.drain(..n_bytes);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> DirectHits<S> {
    /// Answers what has been kept, or what can be read now. True: what `buffer` has now is for hyper. `buffer` is hyper's, and
    /// lent: most requests are read into it, answered, and taken out again.
    fn poll_next(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        if !self.kept.is_empty() && self.n_parts == 0 {
            let kept = std::mem::take(&mut self.kept);
            let taken = self.take_in(context, &kept)?;
            self.keep(&kept, &taken);
            return Poll::Ready(Ok(false));
        }
        let begin = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let fresh = buffer.filled().get(begin..).unwrap_or_default();
        if fresh.is_empty() {
            // The end. What there is of a head is for hyper to refuse.
            self.turn = Turn::HypersForGood;
            return Poll::Ready(Ok(self.kept.is_empty()));
        }
        if !self.kept.is_empty() {
            let mut kept = std::mem::take(&mut self.kept);
            kept.extend_from_slice(fresh);
            buffer.set_filled(begin);
            let taken = self.take_in(context, &kept)?;
            self.keep(&kept, &taken);
            return Poll::Ready(Ok(false));
        }
        let taken = self.take_in(context, fresh)?;
        match taken.next {
            Next::ForHyper(n_bytes) if n_bytes == fresh.len() => {
                self.begin_exchange();
                return Poll::Ready(Ok(true));
            }
            Next::ForHyperForGood if taken.n_bytes == 0 => {
                self.turn = Turn::HypersForGood;
                return Poll::Ready(Ok(true));
            }
            Next::Later if taken.n_bytes == fresh.len() => {}
            Next::Later | Next::Part | Next::ForHyper(_) | Next::ForHyperForGood => self.keep(fresh, &taken),
        }
        buffer.set_filled(begin);
        Poll::Ready(Ok(false))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for DirectHits<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper asks for this when it has written all it had. If that was the end of an answer, requests are ours again.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(context))?;
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        if let Turn::Hypers(number) = self.turn
            && self.activity.exchanges.is_over(number)
        {
            self.turn = Turn::Ours;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
