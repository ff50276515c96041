use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use http::HeaderValue;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

thread_local! {
    static RANDOM: RefCell<SmallRng> = RefCell::new(SmallRng::from_rng(&mut rand::rng()));
}

/// A request id as X-Amz-Cf-Id carries it: 56 URL-safe base64 characters that end in `==`. Opaque, not secret.
pub(crate) fn request_id() -> HeaderValue {
    HeaderValue::from_bytes(&request_id_text()).unwrap_or(HeaderValue::from_static(""))
}

/// A request id's text.
pub(crate) fn request_id_text() -> [u8; 56] {
    let mut random = [0; 40];
    RANDOM.with_borrow_mut(|generator| generator.fill_bytes(&mut random));
    let mut text = [b'='; 56];
    // It has the length that 40 bytes take.
    let _ = URL_SAFE.encode_slice(random, &mut text);
    text
}

/// A value that is evenly distributed over all of its range. Not secret.
pub(crate) fn random() -> u32 {
    RANDOM.with_borrow_mut(|generator| generator.next_u32())
}

/// A hash that stays the same from one release to the next. Not for what an adversary chooses.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What Via says: the version and an alphanumeric name that stays the same for one POP.
pub(crate) fn via(pop: &str) -> HeaderValue {
    let name = fnv1a(pop.as_bytes());
    HeaderValue::from_str(&format!("1.1 {name:016x}.cloudfront.net (CloudFront)"))
        .unwrap_or(HeaderValue::from_static("1.1 cloudfront.net (CloudFront)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_have_cloudfronts_form_and_differ() {
        let (first, second) = (request_id(), request_id());
        assert_ne!(first, second);
        assert_eq!(first.len(), 56);
        assert!(first.to_str().unwrap().ends_with("=="));
    }
}
