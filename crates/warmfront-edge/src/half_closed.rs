//! Viewers who close the sending side of their connection, and may be gone or may just have nothing more to say.
//!
//! hyper breaks an answer off when it reads the end of what the viewer sends. So it is not shown that end while an answer
//! is on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::silence::Activity;

/// What a connection knows of its viewer's sending side.
#[derive(Debug, Default)]
pub(crate) struct SendingSide {
    n_on_their_way: AtomicUsize,
    is_unanswered: AtomicBool,
    is_closed: AtomicBool,
    /// Said once for each request without an answer's head whose viewer has closed its side.
    may_be_gone: Notify,
    /// The read that was not shown the end.
    reader: Mutex<Option<Waker>>,
}

/// An answer on its way, until dropped. Those that hyper takes in whole at once need none.
#[derive(Debug)]
pub(crate) struct OnItsWay(Arc<Activity>);

impl OnItsWay {
    pub(crate) fn on(activity: &Arc<Activity>) -> OnItsWay {
        activity.sending_side.n_on_their_way.fetch_add(1, Ordering::Relaxed);
        OnItsWay(Arc::clone(activity))
    }

    /// Of its connection.
    pub(crate) fn activity(&self) -> &Activity {
        &self.0
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let side = &self.0.sending_side;
        side.n_on_their_way.fetch_sub(1, Ordering::Relaxed);
        if side.is_closed.load(Ordering::Relaxed)
            && let Some(reader) = side.reader.lock().take()
        {
            reader.wake();
        }
    }
}

impl SendingSide {
    /// Whether a read that has met the end is to wait until the answer is out.
    pub(crate) fn hides_end(&self, context: &Context<'_>) -> bool {
        if self.n_on_their_way.load(Ordering::Relaxed) == 0 {
            return false;
        }
        *self.reader.lock() = Some(context.waker().clone());
        let was_known = self.is_closed.swap(true, Ordering::Relaxed);
        if !was_known && self.is_unanswered.load(Ordering::Relaxed) {
            self.may_be_gone.notify_one();
        }
        true
    }

    /// A request waits for its answer's head from now on.
    pub(crate) fn begin_waiting(&self) {
        self.is_unanswered.store(true, Ordering::Relaxed);
        if self.is_closed.load(Ordering::Relaxed) {
            self.may_be_gone.notify_one();
        }
    }

    /// The head is here.
    pub(crate) fn end_waiting(&self) {
        self.is_unanswered.store(false, Ordering::Relaxed);
    }

    /// Returns once the viewer has closed its side and an answer has not begun for `patience` since: nobody may be left to
    /// hear it. Whoever has begun to hear one is sent the rest: if nobody takes it, writing fails.
    pub(crate) async fn is_given_up(&self, patience: Duration) {
        loop {
            self.may_be_gone.notified().await;
            tokio::time::sleep(patience).await;
            if self.is_unanswered.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}
