//! Whether and under which key a response is stored.

use std::sync::Arc;

use http::HeaderMap;
use warmfront_caching::{Asked, Rules, selecting_fields};
use warmfront_model::Epoch;
use warmfront_store::{Inserted, StoredResponse};

use super::Filling;
use crate::mutants::{Mutant, is_planted};
use crate::sweep::take_out;
use crate::variants::Variant;

impl Filling {
    /// The variant that a response with these fields, as they came, is of; `None` if it answers every request of its key.
    pub(super) fn variant(&self, headers: &HeaderMap, rules: &Rules<'_>) -> Option<Variant> {
        let names = selecting_fields(headers, rules);
        (!names.is_empty()).then(|| Variant::of(&self.primary, names.into(), &self.plan.selecting))
    }

    /// What of the request decides whether its answer may be stored.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked::new(&self.method, &self.viewer, &self.core.node.switches)
    }

    /// The stamp of the fetch's plan, unless `mutant` is planted.
    pub(super) fn as_of(&self, mutant: Mutant) -> Epoch {
        if is_planted(mutant) {
            return self.core.node.snapshot().index.applied();
        }
        self.landing.flight.stamp().as_of()
    }

    /// Stores a whole response, unless an invalidation that came in meanwhile covers it.
    pub(super) fn store(&self, whole: Arc<StoredResponse>, variant: Option<&Variant>) {
        let key = variant.map_or(&self.primary, |variant| &variant.key);
        let covered = !self.passes_newest_index(&whole);
        self.count_replaced();
        if !covered && self.core.node.store.insert(key, whole) == Inserted::Stored {
            self.note_variant(variant);
            self.core.counters.fills_stored.add(1);
        } else {
            self.core.counters.fills_lost.add(1);
        }
    }

    /// Puts a confirmed copy in the place of the one it was, if that is still where it was found; elsewhere, if the origin
    /// now names other fields in Vary.
    pub(super) fn store_confirmed(
        &self,
        copy: &Arc<StoredResponse>,
        confirmed: Arc<StoredResponse>,
        variant: Option<&Variant>,
    ) {
        let (store, found_at) = (&self.core.node.store, self.landing.flight.key());
        let key = variant.map_or(&*self.primary, |variant| &*variant.key);
        self.count_replaced();
        if key == found_at {
            store.replace(key, copy, confirmed);
        } else if store.remove(found_at, copy) {
            store.insert(key, confirmed);
            self.note_variant(variant);
        }
    }

    /// What is to be replaced, and is covered, no sweep will find.
    fn count_replaced(&self) {
        let node = &self.core.node;
        if node.coverings.is_counting() {
            take_out(node, &node.snapshot(), self.landing.flight.key());
        }
    }

    /// What is stored under the key itself is found before any variant: so it goes when there are variants, and they are
    /// forgotten when there is something.
    fn note_variant(&self, variant: Option<&Variant>) {
        let node = &self.core.node;
        if !node.switches.vary_selects {
            return;
        }
        let Some(variant) = variant else {
            return node.variants.forget(&self.primary);
        };
        self.remove(&self.primary);
        if let Some(oldest) = node.variants.remember(&self.primary, variant) {
            self.remove(&oldest);
        }
    }

    fn remove(&self, key: &[u8]) {
        let store = &self.core.node.store;
        if let Some(present) = store.get(key) {
            store.remove(key, &present);
        } else if let Some(entry) = store.get_on_disk(key) {
            store.discard_on_disk(&entry);
        }
    }
}
