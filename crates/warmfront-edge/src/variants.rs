use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::fast::RandomState;
use http::{HeaderMap, HeaderName};
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use warmfront_caching::write_variant;

/// Which fields choose among the stored variants of a key, and under which keys those are.
///
/// A response that varies is stored under its key and what [`write_variant`] makes of its request. So a key whose
/// responses do not vary costs a hit nothing: this table is asked only where nothing is stored under the key itself.
/// What it forgets is fetched anew, and then its other variants are found again.
pub(crate) struct Variants {
    by_key: Cache<Arc<[u8]>, Arc<VariantSet>, EntryBytes, RandomState>,
    /// Held while an entry is replaced, so that none is lost.
    writing: Mutex<()>,
}

/// The variants of one key.
#[derive(Debug)]
struct VariantSet {
    names: Arc<[HeaderName]>,
    /// Oldest first.
    keys: VecDeque<Arc<[u8]>>,
}

/// Where a response that varies is stored.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// The fields that chose it.
    pub(crate) names: Arc<[HeaderName]>,
    /// The whole key.
    pub(crate) key: Arc<[u8]>,
}

impl Variant {
    /// The variant of the key `primary` that a request belongs to which the origin sees as `sent`.
    pub(crate) fn of(primary: &[u8], names: Arc<[HeaderName]>, sent: &HeaderMap) -> Variant {
        let mut key = primary.to_vec();
        write_variant(&names, sent, &mut key);
        Variant { names, key: key.into() }
    }
}

/// How many variants of one key are stored. The oldest makes place for one more.
const VARIANTS_MAX: usize = 64;

impl Variants {
    /// A table of at most about `bytes`.
    pub(crate) fn new(bytes: u64) -> Variants {
        const TYPICAL_BYTES: u64 = 512;
        let n_estimated = usize::try_from(bytes / TYPICAL_BYTES).unwrap_or(usize::MAX);
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        Variants {
            by_key: Cache::with(n_estimated, bytes, EntryBytes, hasher, lifecycle),
            writing: Mutex::default(),
        }
    }

    /// The fields that choose among the variants of `primary`; `None` if none is known.
    pub(crate) fn names(&self, primary: &[u8]) -> Option<Arc<[HeaderName]>> {
        Some(Arc::clone(&self.by_key.get(primary)?.names))
    }

    /// A variant of `primary` has been stored. Gives the key of the one that is to make place for it, if one is: the
    /// caller removes that from the store.
    pub(crate) fn remember(&self, primary: &[u8], variant: &Variant) -> Option<Arc<[u8]>> {
        let _writing = self.writing.lock();
        let known = self.by_key.peek(primary).filter(|set| set.names == variant.names);
        let mut keys = known.map_or_else(VecDeque::new, |set| set.keys.clone());
        if keys.contains(&variant.key) {
            return None;
        }
        keys.push_back(Arc::clone(&variant.key));
        let oldest = if keys.len() > VARIANTS_MAX {
            keys.pop_front()
        } else {
            None
        };
        let names = Arc::clone(&variant.names);
        self.by_key.insert(primary.into(), Arc::new(VariantSet { names, keys }));
        oldest
    }

    /// The responses under `primary` vary no more.
    pub(crate) fn forget(&self, primary: &[u8]) {
        if !self.by_key.is_empty() {
            self.by_key.remove(primary);
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct EntryBytes;

impl Weighter<Arc<[u8]>, Arc<VariantSet>> for EntryBytes {
    fn weight(&self, key: &Arc<[u8]>, set: &Arc<VariantSet>) -> u64 {
        const BOOKKEEPING_BYTES: usize = 200;
        const NAME_BYTES: usize = 32;
        let keys: usize = set.keys.iter().map(|key| key.len() + 32).sum();
        (BOOKKEEPING_BYTES + key.len() + set.names.len() * NAME_BYTES + keys) as u64
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn variant(value: &str) -> Variant {
        let mut sent = HeaderMap::new();
        sent.insert("x-a", HeaderValue::from_str(value).unwrap());
        Variant::of(b"key", Arc::from([HeaderName::from_static("x-a")]), &sent)
    }

    #[test]
    fn beyond_the_most_the_oldest_makes_place() {
        let variants = Variants::new(1024 * 1024);
        for number in 0..VARIANTS_MAX {
            assert_eq!(variants.remember(b"key", &variant(&number.to_string())), None);
        }
        assert_eq!(variants.remember(b"key", &variant("5")), None);
        let oldest = variants.remember(b"key", &variant("new")).unwrap();
        assert_eq!(oldest, variant("0").key);
    }

    #[test]
    fn what_varies_no_more_is_forgotten() {
        let variants = Variants::new(1024 * 1024);
        assert!(variants.names(b"key").is_none());
        variants.remember(b"key", &variant("1"));
        assert_eq!(variants.names(b"key").unwrap().len(), 1);
        variants.forget(b"key");
        assert!(variants.names(b"key").is_none());
    }
}
