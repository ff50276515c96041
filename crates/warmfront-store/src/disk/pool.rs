use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

/// Threads that read from disk, so that no thread that serves viewers waits for one.
pub(crate) struct ReadPool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// Beyond so many waiting reads, a look-up is a miss: the disk is too slow to be worth waiting for.
pub(super) const LOOKUPS_WAITING_MAX: usize = 1024;

impl ReadPool {
    /// Without threads, whoever has work does it on the spot.
    pub(super) fn start(n_threads: usize) -> io::Result<ReadPool> {
        let shared = Arc::new(Shared::default());
        let threads = (0..n_threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name("warmfront-disk-read".to_owned())
                    .spawn(move || shared.work())
            })
            .collect::<io::Result<_>>()?;
        Ok(ReadPool { shared, threads })
    }

    /// Has `work` done, unless `waiting_max` are waiting already.
    pub(super) fn run<T: Send + 'static>(
        &self,
        waiting_max: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<oneshot::Receiver<T>> {
        let (sender, receiver) = oneshot::channel();
        if self.threads.is_empty() {
            let _ = sender.send(work());
            return Some(receiver);
        }
        let mut state = self.shared.state.lock();
        if state.closed || state.jobs.len() >= waiting_max {
            return None;
        }
        state.jobs.push_back(Box::new(move || {
            // Whoever asked may have gone; then there is nothing to do.
            if !sender.is_closed() {
                let _ = sender.send(work());
            }
        }));
        self.shared.changed.notify_one();
        Some(receiver)
    }
}

impl Shared {
    fn work(&self) {
        loop {
            let mut state = self.state.lock();
            let job = loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                if state.closed {
                    return;
                }
                self.changed.wait(&mut state);
            };
            drop(state);
            job();
        }
    }
}

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_all();
        // One of the threads itself may hold the last handle, through the work it does.
        let here = thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != here) {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for ReadPool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ReadPool")
    }
}
