//! Maps of the heads that this thread has lately been asked for again and again. Copying a map takes half the time of
//! making one.

use std::cell::RefCell;

use bytes::Bytes;
use http::HeaderMap;

const N_PLACES: usize = 128;
/// Longer heads are made each time; so a thread keeps 1 MiB of maps at the most.
const FIELDS_BYTES_MAX: usize = 2_048;

thread_local! {
    static PLACES: RefCell<[Place; N_PLACES]> = const { RefCell::new([const { Place::EMPTY }; N_PLACES]) };
}

struct Place {
    /// The fields that `map` was made of. They are kept, so whatever else is at their address is them.
    fields: Bytes,
    map: Option<HeaderMap>,
    /// The address of the fields last asked for in vain.
    candidate: usize,
}

impl Place {
    const EMPTY: Place = Place {
        fields: Bytes::new(),
        map: None,
        candidate: 0,
    };
}

/// The map of `fields`: `make` makes it of them, or of a copy.
pub(super) fn map(fields: &Bytes, make: impl Fn(&Bytes) -> HeaderMap) -> HeaderMap {
    if fields.is_empty() || fields.len() > FIELDS_BYTES_MAX {
        return make(fields);
    }
    let address = fields.as_ptr() as usize;
    let ready = PLACES.try_with(|places| {
        let mut places = places.try_borrow_mut().ok()?;
        let place = places.get_mut(number(address))?;
        if let Some(map) = &place.map
            && place.fields.as_ptr() as usize == address
            && place.fields.len() == fields.len()
        {
            return Some(map.clone());
        }
        if place.candidate != address {
            place.candidate = address;
            return None;
        }
        // Threads that share no buffer need not agree on a count of who uses it.
        let map = make(&Bytes::copy_from_slice(fields));
        place.fields = fields.clone();
        Some(place.map.insert(map).clone())
    });
    match ready {
        Ok(Some(map)) => map,
        Ok(None) | Err(_) => make(fields),
    }
}

fn number(address: usize) -> usize {
    const ODD: usize = 0x9e37_79b9_7f4a_7c15;
    address.wrapping_mul(ODD) >> (usize::BITS - N_PLACES.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use http::HeaderValue;

    use super::*;

    fn made(fields: &Bytes, n_made: &Cell<u32>) -> HeaderMap {
        let make = |fields: &Bytes| {
            n_made.set(n_made.get() + 1);
            HeaderMap::from_iter([("x-fields".parse().unwrap(), HeaderValue::from_bytes(fields).unwrap())])
        };
        map(fields, make)
    }

    #[test]
    fn whoever_is_asked_for_again_and_again_is_made_twice() {
        let (fields, n_made) = (Bytes::from(vec![b'a'; 50]), Cell::new(0));
        for _ in 0..10 {
            assert_eq!(made(&fields, &n_made)["x-fields"].as_bytes(), fields);
        }
        assert_eq!(n_made.get(), 2);
    }

    #[test]
    fn many_heads_and_addresses_that_are_used_again_never_mix() {
        let n_made = Cell::new(0);
        for round in 0..200_u32 {
            let heads: Vec<Bytes> = (0..20)
                .map(|number| Bytes::from(format!("{round} {number}").into_bytes()))
                .collect();
            for _ in 0..4 {
                for fields in &heads {
                    assert_eq!(made(fields, &n_made)["x-fields"].as_bytes(), fields);
                }
            }
        }
        assert!(n_made.get() < 200 * 20 * 4, "most were ready");
    }

    #[test]
    fn a_part_of_a_heads_bytes_is_another_head() {
        let (fields, n_made) = (Bytes::from(vec![b'a'; 50]), Cell::new(0));
        for _ in 0..3 {
            assert_eq!(made(&fields, &n_made)["x-fields"].as_bytes(), fields);
            assert_eq!(
                made(&fields.slice(..7), &n_made)["x-fields"].as_bytes(),
                fields.slice(..7)
            );
        }
    }

    #[test]
    fn a_long_head_is_made_each_time() {
        let (fields, n_made) = (Bytes::from(vec![b'a'; FIELDS_BYTES_MAX + 1]), Cell::new(0));
        for _ in 0..3 {
            made(&fields, &n_made);
        }
        assert_eq!(n_made.get(), 3);
    }
}
