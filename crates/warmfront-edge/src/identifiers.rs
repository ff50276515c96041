use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use http::HeaderValue;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

thread_local! {
    static RANDOM: RefCell<SmallRng> = RefCell::new(SmallRng::from_rng(&mut rand::rng()));
    /// What the request ids of this thread have in common.
    static COMMON: [u8; ID_BYTES - OWN_BYTES] = encoded([(); 24].map(|()| rand::random()));
}

const ID_BYTES: usize = 56;
/// How much of a request id is its own: 128 bits and the padding. A log with 32 random characters less in each line
/// takes half the room when it is compressed, and half the time.
const OWN_BYTES: usize = 24;

fn encoded<const BYTES: usize, const TEXT_BYTES: usize>(bytes: [u8; BYTES]) -> [u8; TEXT_BYTES] {
    let mut text = [b'='; TEXT_BYTES];
    // The text has the length that the bytes take.
    let _ = URL_SAFE.encode_slice(bytes, &mut text);
    text
}

/// A request id as X-Amz-Cf-Id carries it: 56 URL-safe base64 characters that end in `==`. Opaque, not secret.
pub(crate) fn request_id() -> HeaderValue {
    HeaderValue::from_bytes(&request_id_text()).unwrap_or(HeaderValue::from_static(""))
}

/// A request id's text.
pub(crate) fn request_id_text() -> [u8; ID_BYTES] {
    let mut own = [0; 16];
    RANDOM.with_borrow_mut(|generator| generator.fill_bytes(&mut own));
    let own: [u8; OWN_BYTES] = encoded(own);
    let mut text = [b'='; ID_BYTES];
    let (common, rest) = text.split_at_mut(ID_BYTES - OWN_BYTES);
    COMMON.with(|bytes| common.copy_from_slice(bytes));
    rest.copy_from_slice(&own);
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
        let ids: Vec<HeaderValue> = (0..1000).map(|_| request_id()).collect();
        let elsewhere = std::thread::spawn(request_id).join().unwrap();
        let of_all = ids.iter().chain([&elsewhere]).collect::<std::collections::HashSet<_>>();
        assert_eq!(of_all.len(), 1001);
        for id in of_all {
            let text = id.to_str().unwrap().strip_suffix("==").unwrap();
            assert_eq!(text.len(), 54);
            assert!(
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
        }
        assert_ne!(
            elsewhere.as_bytes()[..32],
            ids[0].as_bytes()[..32],
            "threads have nothing in common"
        );
    }
}
