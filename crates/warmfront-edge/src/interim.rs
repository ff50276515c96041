//! Interim responses of origins (1xx), on their way to viewers.
//!
//! hyper's server cannot send any. So they are written into the stream below it, at a moment when all that it has written
//! has left, and the final response is not there yet.

use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use warmfront_caching::interim_headers;

use crate::direct::write_head;
use crate::silence::Activity;

/// How many bytes of interim responses one request's viewer is sent at most. Those beyond are dropped.
const BYTES_MAX: usize = 32 * 1024;

/// The interim responses for one connection's viewer that have not been sent yet.
#[derive(Debug, Default)]
pub(crate) struct Interim {
    /// Asked by every flush, so that it need not lock.
    has_bytes: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The request that is waited for, counted from 1.
    request: u64,
    is_open: bool,
    unsent: Vec<u8>,
    n_bytes: usize,
    /// The connection's task.
    waker: Option<Waker>,
}

/// Where the interim responses to one request go.
#[derive(Clone, Debug)]
pub(crate) struct InterimSink {
    activity: Weak<Activity>,
    request: u64,
}

impl InterimSink {
    /// For the request that a connection's viewer waits for from now on.
    pub(crate) fn of(activity: &Arc<Activity>) -> InterimSink {
        let mut state = activity.interim.state.lock();
        state.request += 1;
        state.is_open = true;
        state.n_bytes = 0;
        InterimSink {
            activity: Arc::downgrade(activity),
            request: state.request,
        }
    }

    /// Sends an interim response on, unless the request has been answered or its viewer has left. Not a 100, which answers
    /// an expectation, nor a 101, which is no interim response.
    pub(crate) fn send(&self, status: StatusCode, from_origin: &HeaderMap) {
        let is_for_viewers = (102..200).contains(&status.as_u16());
        let Some(activity) = self.activity.upgrade().filter(|_| is_for_viewers) else {
            return;
        };
        let mut message = Vec::with_capacity(256);
        write_head(&mut message, status, &interim_headers(from_origin.clone()));
        let interim = &activity.interim;
        let mut state = interim.state.lock();
        if state.request != self.request || !state.is_open || state.n_bytes + message.len() > BYTES_MAX {
            return;
        }
        state.n_bytes += message.len();
        state.unsent.extend_from_slice(&message);
        interim.has_bytes.store(true, Ordering::Relaxed);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

impl Interim {
    /// Has the connection's task woken when there is something to send.
    pub(crate) fn wakes(&self, context: &Context<'_>) {
        self.state.lock().waker = Some(context.waker().clone());
    }

    /// Ready when nothing is left to send; from then on nothing is taken for this request.
    pub(crate) fn poll_end(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if self.has_bytes() {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.is_open = false;
        Poll::Ready(())
    }

    /// Whether something is to be sent.
    pub(crate) fn has_bytes(&self) -> bool {
        self.has_bytes.load(Ordering::Relaxed)
    }

    /// Takes what is to be sent.
    pub(crate) fn take(&self) -> Vec<u8> {
        take(&mut self.state.lock().unsent)
    }

    /// `rest` of what was taken could not be sent yet; nothing: all of it was.
    pub(crate) fn put_back(&self, mut rest: Vec<u8>) {
        let mut state = self.state.lock();
        rest.append(&mut state.unsent);
        state.unsent = rest;
        if state.unsent.is_empty() {
            self.has_bytes.store(false, Ordering::Relaxed);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }
}
