//! What heads are made into for answers, kept by each thread for those that it has lately been asked for again and again.

use std::cell::RefCell;
use std::thread::LocalKey;

use bytes::Bytes;

use crate::StoredHead;

const N_PLACES: usize = 128;
/// Longer heads are made into it each time, so that a thread keeps little.
const FIELDS_BYTES_MAX: usize = 2_048;

/// What one thread has made of heads: a `T` of each. Copying a map of fields takes half the time of making one, writing
/// lines that are there a tenth of making them.
#[derive(Debug)]
pub struct Ready<T>([Place<T>; N_PLACES]);

#[derive(Debug)]
struct Place<T> {
    /// The fields that `made` was made of. They are kept, so whatever else is at their address is them.
    fields: Bytes,
    made: Option<T>,
    /// The address of the fields last asked for in vain.
    candidate: usize,
}

impl<T> Place<T> {
    const EMPTY: Place<T> = Place {
        fields: Bytes::new(),
        made: None,
        candidate: 0,
    };
}

impl<T: 'static> Default for Ready<T> {
    fn default() -> Ready<T> {
        Ready::new()
    }
}

impl<T: 'static> Ready<T> {
    /// Nothing yet.
    pub const fn new() -> Ready<T> {
        Ready([const { Place::EMPTY }; N_PLACES])
    }

    /// Gives `use_it` what `make` makes of `head`, or made of the same fields before. `make` may be given a copy of the head.
    pub fn with<R>(
        ready: &'static LocalKey<RefCell<Ready<T>>>,
        head: &StoredHead,
        make: impl Fn(&StoredHead) -> T,
        mut use_it: impl FnMut(&T) -> R,
    ) -> R {
        let fields = &head.fields;
        if fields.is_empty() || fields.len() > FIELDS_BYTES_MAX {
            return use_it(&make(head));
        }
        let used = ready.try_with(|ready| {
            let mut ready = ready.try_borrow_mut().ok()?;
            let address = fields.as_ptr() as usize;
            let place = ready.0.get_mut(number(address))?;
            if let Some(made) = &place.made
                && place.fields.as_ptr() as usize == address
                && place.fields.len() == fields.len()
            {
                return Some(use_it(made));
            }
            if place.candidate != address {
                place.candidate = address;
                return None;
            }
            // Threads that share no buffer need not agree on a count of who uses it.
            let made = make(&head.unshared());
            place.fields = fields.clone();
            Some(use_it(place.made.insert(made)))
        });
        match used {
            Ok(Some(used)) => used,
            Ok(None) | Err(_) => use_it(&make(head)),
        }
    }
}

fn number(address: usize) -> usize {
    const ODD: usize = 0x9e37_79b9_7f4a_7c15;
    address.wrapping_mul(ODD) >> (usize::BITS - N_PLACES.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use http::{HeaderMap, HeaderValue, StatusCode};
    use warmfront_caching::{FreshnessRule, Lifetime};
    use warmfront_model::Timestamp;

    use super::*;
    use crate::Head;

    thread_local! {
        static READY: RefCell<Ready<Vec<u8>>> = const { RefCell::new(Ready::new()) };
    }

    fn head(value: &[u8]) -> StoredHead {
        StoredHead::from(Head {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([("x-value".parse().unwrap(), HeaderValue::from_bytes(value).unwrap())]),
            lifetime: Lifetime {
                fresh_secs: 0,
                rule: FreshnessRule::DefaultTtl,
                stale_while_revalidate_secs: 0,
                stale_if_error_secs: 0,
                initial_age_secs: 0,
            },
            response_time: Timestamp(0),
        })
    }

    /// Its value, and whether that had to be made.
    fn made(head: &StoredHead, n_made: &Cell<u32>) -> Vec<u8> {
        let make = |head: &StoredHead| {
            n_made.set(n_made.get() + 1);
            head.values("x-value").next().unwrap().to_vec()
        };
        Ready::with(&READY, head, make, Vec::clone)
    }

    #[test]
    fn whoever_is_asked_for_again_and_again_is_made_twice() {
        let (head, n_made) = (head(&[b'a'; 50]), Cell::new(0));
        for _ in 0..10 {
            assert_eq!(made(&head, &n_made), [b'a'; 50]);
        }
        assert_eq!(n_made.get(), 2);
    }

    #[test]
    fn many_heads_and_addresses_that_are_used_again_never_mix() {
        let n_made = Cell::new(0);
        for round in 0..200_u32 {
            let values: Vec<Vec<u8>> = (0..20).map(|number| format!("{round} {number}").into_bytes()).collect();
            let heads: Vec<StoredHead> = values.iter().map(|value| head(value)).collect();
            for _ in 0..4 {
                for (head, value) in heads.iter().zip(&values) {
                    assert_eq!(made(head, &n_made), *value);
                }
            }
        }
        assert!(n_made.get() < 200 * 20 * 4, "most were ready");
    }

    #[test]
    fn a_part_of_a_heads_fields_is_another_head() {
        let whole = head(&[b'a'; 50]);
        let mut part = whole.clone();
        part.fields = part.fields.slice(..7);
        let fields = |head: &StoredHead| Ready::with(&READY, head, |head| head.fields.to_vec(), Vec::clone);
        for _ in 0..3 {
            assert_eq!(
                (fields(&whole), fields(&part)),
                (whole.fields.to_vec(), part.fields.to_vec())
            );
        }
    }

    #[test]
    fn a_long_head_is_made_each_time() {
        let (head, n_made) = (head(&[b'a'; FIELDS_BYTES_MAX + 1]), Cell::new(0));
        for _ in 0..3 {
            made(&head, &n_made);
        }
        assert_eq!(n_made.get(), 3);
    }
}
