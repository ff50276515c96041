//! Bodies that memory has given up while viewers are still being sent them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::Body;

/// Counts what memory has given up for as long as someone else has it. A hit has nothing to do with it: whoever needs memory
/// looks at a few of the bodies each time.
#[derive(Debug, Default)]
pub(crate) struct Held {
    state: Mutex<State>,
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Each with what it takes, by its address: a body that is given up twice is here once.
    bodies: BTreeMap<usize, (Body, u64)>,
    /// Where to look next.
    next: usize,
}

impl Held {
    /// Memory gives `body` up.
    pub(crate) fn given_up(&self, body: &Body) {
        let Some(address) = body.address().filter(|_| body.is_held()) else {
            return;
        };
        let bytes = body.memory_bytes();
        let mut state = self.state.lock();
        if state.bodies.insert(address, (body.clone(), bytes)).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// What they take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Lets go of those of some that nobody else has any more; of others the next time.
    pub(crate) fn release_some(&self) {
        const SOME: usize = 8;
        self.release(SOME);
    }

    /// Lets go of all that nobody else has any more.
    pub(crate) fn release_all(&self) {
        self.release(usize::MAX);
    }

    fn release(&self, n_max: usize) {
        if self.bytes() == 0 {
            return;
        }
        let mut state = self.state.lock();
        let seen = || state.bodies.range(state.next..).take(n_max);
        let next = seen()
            .nth(n_max.saturating_sub(1))
            .map_or(0, |(address, _)| address + 1);
        let released: Vec<usize> = seen()
            .filter(|(_, (body, _))| !body.is_held())
            .map(|(address, _)| *address)
            .collect();
        state.next = next;
        for address in released {
            if let Some((_, bytes)) = state.bodies.remove(&address) {
                self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn body(n_slices: usize) -> Body {
        Body::whole((0..n_slices).map(|_| Bytes::from(vec![7; 10_000])).collect())
    }

    #[test]
    fn a_body_counts_until_the_last_of_its_slices_is_dropped() {
        for n_slices in [1, 3] {
            let held = Held::default();
            let body = body(n_slices);
            let mut reader = body.open().expect("from the beginning");
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            held.given_up(&body);
            let bytes = body.memory_bytes();
            drop(body);
            let mut slices = Vec::new();
            while let std::task::Poll::Ready(Some(Ok(slice))) = reader.poll_next(&mut context) {
                slices.push(slice);
            }
            drop(reader);
            while let Some(slice) = slices.pop() {
                held.release_all();
                assert_eq!(held.bytes(), bytes, "a viewer has a slice of {n_slices}");
                drop(slice);
            }
            held.release_all();
            assert_eq!(held.bytes(), 0);
        }
    }

    #[test]
    fn what_nobody_reads_is_not_held_and_what_is_given_up_twice_counts_once() {
        let held = Held::default();
        held.given_up(&body(3));
        held.given_up(&Body::whole(Vec::new()));
        assert_eq!(held.bytes(), 0);
        let body = body(1);
        let reader = body.open();
        held.given_up(&body);
        held.given_up(&body);
        assert_eq!(held.bytes(), body.memory_bytes());
        drop((body, reader));
        held.release_all();
        assert_eq!(held.bytes(), 0);
    }

    #[test]
    fn a_few_at_a_time_all_are_looked_at() {
        let held = Held::default();
        let bodies: Vec<Body> = (0..100).map(|_| body(1)).collect();
        let readers: Vec<_> = bodies.iter().map(Body::open).collect();
        bodies.iter().for_each(|body| held.given_up(body));
        drop(bodies);
        held.release_some();
        assert!(held.bytes() > 0);
        drop(readers);
        (0..14).for_each(|_| held.release_some());
        assert_eq!(held.bytes(), 0);
    }
}
