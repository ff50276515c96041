//! When a connection to a viewer has fallen silent, and how many bytes have gone over it.
//!
//! A timer set anew for each request would cost a hit more than looking it up in the store, so what happens is only
//! counted, and the count is looked at once in a while.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::access_log::Ledger;
use crate::counters::Counters;
use crate::direct::Exchanges;
use crate::half_closed::{OnItsWay, SendingSide};
use crate::interim::Interim;

/// What has happened on one connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Heads that have arrived, and writes that the viewer has taken.
    n_events: AtomicU64,
    /// Requests that wait for an origin, whose silence has timeouts of its own.
    n_waiting: AtomicUsize,
    /// What hyper is busy with.
    pub(crate) exchanges: Exchanges,
    /// If requests are logged.
    pub(crate) ledger: Option<Ledger>,
    /// What origins said before they answered.
    pub(crate) interim: Interim,
    /// Whether the viewer goes on sending.
    pub(crate) sending_side: SendingSide,
}

/// A request that waits for an origin, until it is dropped with its answer's body.
#[derive(Debug)]
pub(crate) struct WaitingForOrigin(OnItsWay);

impl Activity {
    /// Of a connection whose requests `ledger` logs.
    pub(crate) fn logged_by(ledger: Option<Ledger>) -> Activity {
        Activity {
            ledger,
            ..Activity::default()
        }
    }

    /// Something has happened.
    pub(crate) fn note(&self) {
        // An addition that another one overwrites is one event with it.
        let n_events = self.n_events.load(Ordering::Relaxed);
        self.n_events.store(n_events.wrapping_add(1), Ordering::Relaxed);
    }

    /// A request begins to wait for an origin.
    pub(crate) fn wait_for_origin(self: &Arc<Self>) -> WaitingForOrigin {
        self.n_waiting.fetch_add(1, Ordering::Relaxed);
        WaitingForOrigin(OnItsWay::on(self))
    }

    /// Returns once nothing has happened for `timeout`, twice that at the most, and no origin is waited for: the viewer
    /// sends no whole head, and takes nothing of what it is sent.
    pub(crate) async fn falls_silent(&self, timeout: Duration) {
        let mut seen = None;
        loop {
            tokio::time::sleep(timeout).await;
            let n_events = self.n_events.load(Ordering::Relaxed);
            let is_waiting = self.n_waiting.load(Ordering::Relaxed) > 0;
            if seen == Some(n_events) && !is_waiting {
                return;
            }
            seen = Some(n_events);
        }
    }
}

impl WaitingForOrigin {
    /// Of the connection, if its requests are logged.
    pub(crate) fn ledger(&self) -> Option<&Ledger> {
        self.0.activity().ledger.as_ref()
    }

    /// What `answering` comes to, after every interim response to it has been sent.
    pub(crate) async fn after_interim<T>(&self, answering: impl Future<Output = T>) -> T {
        let activity = self.0.activity();
        activity.sending_side.begin_waiting();
        let mut answering = pin!(answering);
        let answer = poll_fn(|context| {
            activity.interim.wakes(context);
            answering.as_mut().poll(context)
        });
        let answer = answer.await;
        poll_fn(|context| activity.interim.poll_end(context)).await;
        activity.sending_side.end_waiting();
        answer
    }
}

impl Drop for WaitingForOrigin {
    fn drop(&mut self) {
        let activity = self.0.activity();
        activity.note();
        activity.n_waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that notes each write the other end takes, and counts bytes both ways.
pub(crate) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    counters: Arc<Counters>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, counters: Arc<Counters>) -> Watched<S> {
        Watched {
            stream,
            activity,
            counters,
        }
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            self.activity.note();
            let n_bytes = result.as_ref().map_or(0, |&bytes| bytes);
            self.counters.sent_bytes.add(n_bytes as u64);
            if let Some(ledger) = &self.activity.ledger {
                ledger.sent(n_bytes);
            }
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (n_before, has_room) = (buffer.filled().len(), buffer.remaining() > 0);
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let n_bytes = buffer.filled().len() - n_before;
        self.counters.received_bytes.add(n_bytes as u64);
        if let Some(ledger) = &self.activity.ledger {
            ledger.received(n_bytes);
        }
        let is_end = has_room && n_bytes == 0 && matches!(read, Poll::Ready(Ok(())));
        if is_end && self.activity.sending_side.hides_end(context) {
            return Poll::Pending;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Sends interim responses. What hyper had to write has left when it asks for a flush.
    fn poll_interim(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let activity = Arc::clone(&self.activity);
        let mut unsent = activity.interim.take();
        while !unsent.is_empty() {
            match Pin::new(&mut *self).poll_write(context, &unsent) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n_bytes)) => drop(unsent.drain(..n_bytes)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    activity.interim.put_back(unsent);
                    return Poll::Pending;
                }
            }
        }
        activity.interim.put_back(unsent);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.activity.interim.has_bytes() {
            ready!(self.poll_interim(context))?;
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if let (Some(ledger), Poll::Ready(Ok(()))) = (&self.activity.ledger, &flushed) {
            ledger.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, pause};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_connection_without_events_is_silent_after_twice_the_timeout() {
        pause();
        let began = Instant::now();
        Activity::default().falls_silent(TIMEOUT).await;
        assert_eq!(began.elapsed().as_secs(), 120);
    }

    #[tokio::test]
    async fn an_event_puts_it_off_and_waiting_for_an_origin_too() {
        pause();
        let began = Instant::now();
        let activity = Arc::new(Activity::default());
        let waiting = activity.wait_for_origin();
        let silent = tokio::spawn({
            let activity = Arc::clone(&activity);
            async move { activity.falls_silent(TIMEOUT).await }
        });
        tokio::time::sleep(Duration::from_secs(290)).await;
        drop(waiting);
        silent.await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 360, "the end of waiting is an event");
    }
}
