//! Watching for what happens seldom, at next to no cost to what happens often.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// A future that is polled when it has been woken itself, and not whenever the task that it is a part of is.
///
/// A connection's task is woken for each request; to ask a timer and a channel each time would cost a hit as much as
/// looking it up in the store.
pub(crate) struct Seldom<F> {
    future: Pin<Box<F>>,
    call: Arc<Call>,
    waker: Waker,
    /// The task's, as `call` knows it.
    task: Option<Waker>,
}

/// The future's wish to be polled.
struct Call {
    is_made: AtomicBool,
    task: AtomicWaker,
}

impl<F: Future> Seldom<F> {
    pub(crate) fn new(future: F) -> Seldom<F> {
        let call = Arc::new(Call {
            is_made: AtomicBool::new(true),
            task: AtomicWaker::new(),
        });
        Seldom {
            future: Box::pin(future),
            waker: Waker::from(Arc::clone(&call)),
            call,
            task: None,
        }
    }
}

impl<F: Future> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let is_known = |task: &Waker| task.will_wake(context.waker());
        if !this.task.as_ref().is_some_and(is_known) {
            this.call.task.register(context.waker());
            this.task = Some(context.waker().clone());
        }
        // A call that is made from here on wakes the task again.
        if !this.call.is_made.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        this.call.is_made.store(false, Ordering::Release);
        // The call has taken the task's waker with it, and there may be another.
        this.call.task.register(context.waker());
        this.future.as_mut().poll(&mut Context::from_waker(&this.waker))
    }
}

impl Wake for Call {
    fn wake(self: Arc<Call>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Call>) {
        self.is_made.store(true, Ordering::Release);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;

    use futures_util::future::poll_immediate;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_once_for_each_time_it_is_woken() {
        let n_polls = Cell::new(0);
        let (say, mut said) = oneshot::channel();
        let mut seldom = Seldom::new(poll_fn(|context| {
            n_polls.set(n_polls.get() + 1);
            Pin::new(&mut said).poll(context)
        }));
        for _ in 0..5 {
            assert_eq!(poll_immediate(&mut seldom).await, None);
        }
        assert_eq!(n_polls.get(), 1);
        say.send("now").unwrap();
        assert_eq!(seldom.await, Ok("now"));
        assert_eq!(n_polls.get(), 2);
    }

    #[tokio::test]
    async fn it_wakes_its_task_each_time() {
        let (first, second, third) = (oneshot::channel(), oneshot::channel(), oneshot::channel());
        let seldom = Seldom::new(async move {
            for said in [first.1, second.1, third.1] {
                said.await.unwrap();
            }
        });
        let waiting = tokio::spawn(seldom);
        for say in [first.0, second.0, third.0] {
            tokio::task::yield_now().await;
            say.send(()).unwrap();
        }
        let woken = tokio::time::timeout(std::time::Duration::from_secs(30), waiting);
        assert!(woken.await.is_ok(), "a call after the first was lost");
    }

    #[tokio::test]
    async fn it_wakes_whichever_task_polled_it_last() {
        let (say, said) = oneshot::channel();
        let mut seldom = Seldom::new(said);
        assert_eq!(poll_immediate(&mut seldom).await, None);
        let waiting = tokio::spawn(seldom);
        tokio::task::yield_now().await;
        say.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }
}
