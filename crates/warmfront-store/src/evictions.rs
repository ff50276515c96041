use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Lifecycle;
use quick_cache::sync::DefaultLifecycle;

use crate::StoredResponse;
use crate::held::Held;

type Key = Arc<[u8]>;
type Value = Arc<StoredResponse>;
type Default = DefaultLifecycle<Key, Value>;

/// Counts what leaves memory as others need the room, and what of it viewers still hold. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Evictions {
    n_evicted: Arc<AtomicU64>,
    held: Arc<Held>,
    default: Default,
}

impl Evictions {
    pub(crate) fn new(held: Arc<Held>) -> Evictions {
        Evictions {
            n_evicted: Arc::default(),
            held,
            default: Default::default(),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.n_evicted.load(Ordering::Relaxed)
    }
}

impl Lifecycle<Key, Value> for Evictions {
    type RequestState = <Default as Lifecycle<Key, Value>>::RequestState;

    fn before_evict(&self, _: &mut Self::RequestState, _: &Key, value: &mut Value) {
        self.n_evicted.fetch_add(1, Ordering::Relaxed);
        self.held.given_up(value.body());
    }

    /// What another response takes the key of comes here too.
    fn on_evict(&self, state: &mut Self::RequestState, key: Key, value: Value) {
        self.default.on_evict(state, key, value);
    }
}
