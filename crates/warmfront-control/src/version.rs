//! ETag and If-Match: which configuration a caller has seen.

use http::HeaderMap;
use http::header::IF_MATCH;
use sha2::{Digest, Sha256};
use warmfront_model::Revision;

use crate::error::ApiError;

/// The ETag of a configuration that was written at `revision`: opaque, it looks like an Id, and has no quotes.
///
/// It derives from that revision alone, so a status that changes leaves it as it is.
pub(crate) fn etag(revision: Revision) -> String {
    opaque(&revision.0.to_be_bytes())
}

/// The ETag of something that never changes.
pub(crate) fn constant_etag(name: &str) -> String {
    opaque(name.as_bytes())
}

fn opaque(source: &[u8]) -> String {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let hash = Sha256::new().chain_update(b"etag\0").chain_update(source).finalize();
    let letters = hash
        .iter()
        .take(13)
        .map(|&byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    std::iter::once('E').chain(letters).collect()
}

/// Checks the header If-Match against the ETag that the resource has now.
///
/// Source: CloudFront API Reference, UpdateDistribution and DeleteDistribution: missing or no version is
/// InvalidIfMatchVersion, a version that has passed is PreconditionFailed.
pub(crate) fn check_if_match(headers: &HeaderMap, current: &str) -> Result<(), ApiError> {
    let given = headers
        .get(IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .map(str::trim);
    match given {
        Some(given) if given == current => Ok(()),
        Some(given) if is_version(given) => Err(ApiError::PreconditionFailed),
        _ => Err(ApiError::InvalidIfMatchVersion),
    }
}

fn is_version(text: &str) -> bool {
    matches!(text.len(), 13 | 14)
        && text.starts_with('E')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(if_match: Option<&str>, current: &str) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        if let Some(if_match) = if_match {
            headers.insert(IF_MATCH, if_match.parse().unwrap());
        }
        check_if_match(&headers, current).map_err(|error| error.code().code())
    }

    #[test]
    fn an_etag_is_a_version_and_says_nothing_but_the_revision() {
        assert!(is_version(&etag(Revision(1))));
        assert_eq!(etag(Revision(7)), etag(Revision(7)));
        assert_ne!(etag(Revision(7)), etag(Revision(8)));
    }

    #[test]
    fn a_missing_or_malformed_version_differs_from_a_stale_one() {
        assert_eq!(check(Some("E2QWRUHAPOMQZL"), "E2QWRUHAPOMQZL"), Ok(()));
        assert_eq!(
            check(Some("E2QWRUHAPOMQZX"), "E2QWRUHAPOMQZL"),
            Err("PreconditionFailed")
        );
        for malformed in [
            None,
            Some(""),
            Some("*"),
            Some("\"E2QWRUHAPOMQZL\""),
            Some("e2qwruhapomqzl"),
            Some("abc"),
        ] {
            assert_eq!(
                check(malformed, "E2QWRUHAPOMQZL"),
                Err("InvalidIfMatchVersion"),
                "{malformed:?}"
            );
        }
    }
}
