use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_model::{Epoch, Incarnation, Revision, Timestamp};

use super::*;
use crate::{Body, Fill, FillLimits, Head};

fn response(incarnation: u64, revision: u64, body: Body) -> Arc<StoredResponse> {
    let lifetime = Lifetime {
        fresh_secs: 60,
        rule: FreshnessRule::MaxAge,
        stale_while_revalidate_secs: 0,
        stale_if_error_secs: 0,
        initial_age_secs: 0,
    };
    let head = Head {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        lifetime,
        response_time: Timestamp(0),
    };
    let as_of = Epoch {
        incarnation: Incarnation(incarnation),
        revision: Revision(revision),
    };
    Arc::new(StoredResponse::new(head, as_of, None, body))
}

fn page(revision: u64) -> Arc<StoredResponse> {
    response(1, revision, Body::whole(vec![Bytes::from_static(b"page")]))
}

fn holds(store: &Store, expected: &Arc<StoredResponse>) -> bool {
    store.get(b"key").is_some_and(|present| Arc::ptr_eq(&present, expected))
}

#[test]
fn a_fill_never_replaces_a_response_with_a_newer_as_of() {
    let store = Store::new(0);
    let newer = page(5);
    assert_eq!(store.insert(b"key", Arc::clone(&newer)), Inserted::Stored);
    assert_eq!(store.insert(b"key", page(4)), Inserted::Older);
    assert!(holds(&store, &newer));
    let same = page(5);
    assert_eq!(store.insert(b"key", Arc::clone(&same)), Inserted::Stored);
    assert!(holds(&store, &same));
}

#[test]
fn a_response_of_another_incarnation_gives_way() {
    let store = Store::new(0);
    store.insert(b"key", response(9, 100, Body::whole(Vec::new())));
    let new = page(1);
    assert_eq!(store.insert(b"key", Arc::clone(&new)), Inserted::Stored);
    assert!(holds(&store, &new));
}

#[test]
fn replacing_and_removing_touch_exactly_the_response_that_was_meant() {
    let store = Store::new(0);
    let (first, second, third) = (page(1), page(2), page(3));
    store.insert(b"key", Arc::clone(&first));
    store.insert(b"key", Arc::clone(&second));
    assert!(!store.replace(b"key", &first, Arc::clone(&third)));
    assert!(!store.remove(b"key", &first));
    assert!(holds(&store, &second));
    assert!(store.replace(b"key", &second, Arc::clone(&third)));
    assert!(holds(&store, &third));
    assert!(store.remove(b"key", &third));
    assert!(store.get(b"key").is_none());
}

#[test]
fn only_whole_responses_that_fit_are_stored() {
    let store = Store::new(Store::MEMORY_BYTES_MIN);
    let (_fill, arriving) = Fill::begin(FillLimits {
        keep_bytes_max: 10,
        window_bytes: 10,
    });
    assert_eq!(store.insert(b"key", response(1, 1, arriving)), Inserted::TooLarge);
    let large = Bytes::from(vec![0; usize::try_from(store.object_bytes_max()).unwrap()]);
    assert_eq!(
        store.insert(b"key", response(1, 1, Body::whole(vec![large]))),
        Inserted::TooLarge
    );
    assert_eq!(store.n_responses(), 0);
}

#[test]
fn the_budget_is_kept() {
    let store = Store::new(Store::MEMORY_BYTES_MIN);
    for n in 0..5_000_u32 {
        let body = Body::whole(vec![Bytes::from(vec![0; 1_000])]);
        store.insert(&n.to_be_bytes(), response(1, 1, body));
        assert!(store.memory_bytes() <= Store::MEMORY_BYTES_MIN);
    }
    assert!(
        store.n_responses() > 300,
        "most of the budget is used: {}",
        store.n_responses()
    );
}

#[test]
fn every_stored_response_is_visited() {
    let store = Store::new(0);
    for n in 0..100_u8 {
        store.insert(&[n], page(1));
    }
    let mut keys: Vec<u8> = store.iter().map(|(key, _)| key[0]).collect();
    keys.sort_unstable();
    assert_eq!(keys, (0..100).collect::<Vec<u8>>());
}

#[test]
fn even_the_smallest_budget_keeps_bodies_of_a_page() {
    for memory_bytes in [1, 2, 4, 16].map(|mib| mib * 1024 * 1024) {
        let store = Store::new(memory_bytes);
        assert!(
            store.body_bytes_max() >= 256 * 1024,
            "{memory_bytes}: {}",
            store.body_bytes_max()
        );
    }
}

#[test]
fn what_leaves_memory_for_others_is_counted_and_nothing_else() {
    let store = Store::new(Store::MEMORY_BYTES_MIN);
    for _ in 0..10 {
        store.insert(b"key", page(1));
    }
    store.remove(b"key", &store.get(b"key").unwrap());
    assert_eq!(store.figures().n_evicted, 0);
    let body = || Body::whole(vec![Bytes::from(vec![0; 10_000])]);
    for n in 0..500_u32 {
        store.insert(&n.to_be_bytes(), response(1, 1, body()));
    }
    let figures = store.figures();
    assert_eq!(figures.n_evicted + figures.n_in_memory as u64, 500);
    assert!(figures.n_evicted > 300, "{figures:?}");
}
