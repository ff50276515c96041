//! What tiers tell each other: the fields of a child's request and of its parent's answer.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use sha2::{Digest, Sha256};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_model::{Epoch, Incarnation, Revision};
use warmfront_store::StoredResponse;

use crate::outcome::{Kept, Reason};
use crate::request::Viewer;
use crate::tier::TierSecret;

/// Child: nothing with an older as-of will do.
pub(super) const MIN_EPOCH: HeaderName = HeaderName::from_static("x-warmfront-min-epoch");
/// Child: the hash of the cache key. A parent that makes another key of the request goes by another configuration.
pub(super) const KEY: HeaderName = HeaderName::from_static("x-warmfront-key");
/// Child: how the viewer came.
pub(super) const VIEWER: HeaderName = HeaderName::from_static("x-warmfront-viewer");
/// Child: what the viewer's Connection named.
pub(super) const CONNECTION_OPTIONS: HeaderName = HeaderName::from_static("x-warmfront-connection");
/// Child: the status of the expired copy whose validators are sent.
pub(super) const COPY: HeaderName = HeaderName::from_static("x-warmfront-copy");
/// Parent: the as-of of what it gives.
pub(super) const AS_OF: HeaderName = HeaderName::from_static("x-warmfront-as-of");
/// Parent: how what it gives may be used.
pub(super) const USE: HeaderName = HeaderName::from_static("x-warmfront-use");
/// Parent: why it gives nothing.
pub(super) const REFUSAL: HeaderName = HeaderName::from_static("x-warmfront-refusal");
/// Both: that they know the deployment's secret.
pub(super) const SEAL: HeaderName = HeaderName::from_static("x-warmfront-seal");

/// A hash of a cache key, in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(String);

impl KeyHash {
    pub(crate) fn of(key: &[u8]) -> KeyHash {
        KeyHash(hex::encode(Sha256::digest(key)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn read(headers: &HeaderMap) -> Option<KeyHash> {
        text(headers, &KEY).map(|hash| KeyHash(hash.to_owned()))
    }
}

/// A response's status: a 304 between tiers says that it is the same, too.
pub(super) fn copy_status(response: &StoredResponse) -> &str {
    response.head().status.as_str()
}

/// `ip scheme version listener`.
pub(super) fn write_viewer(viewer: Viewer, version: Version) -> Option<HeaderValue> {
    let scheme = if viewer.is_https { "https" } else { "http" };
    let listener = if viewer.listener_is_loopback {
        "loopback"
    } else {
        "public"
    };
    HeaderValue::from_str(&format!("{} {scheme} {version:?} {listener}", viewer.ip)).ok()
}

pub(super) fn read_viewer(headers: &HeaderMap) -> Option<(Viewer, Version)> {
    let mut words = text(headers, &VIEWER)?.split(' ');
    let ip: IpAddr = words.next()?.parse().ok()?;
    let is_https = words.next()? == "https";
    let version = words.next()?;
    let known = [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3];
    let version = known.into_iter().find(|known| format!("{known:?}") == version)?;
    let listener_is_loopback = words.next()? == "loopback";
    let viewer = Viewer {
        ip,
        is_https,
        listener_is_loopback,
    };
    Some((viewer, version))
}

pub(super) fn write_epoch(epoch: Epoch) -> Option<HeaderValue> {
    HeaderValue::from_str(&epoch.to_string()).ok()
}

pub(super) fn read_epoch(headers: &HeaderMap, name: &HeaderName) -> Option<Epoch> {
    let (incarnation, revision) = text(headers, name)?.split_once('-')?;
    Some(Epoch {
        incarnation: Incarnation(u64::from_str_radix(incarnation, 16).ok()?),
        revision: Revision(revision.parse().ok()?),
    })
}

/// What a parent says of a response that it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// No invalidation at or below it makes the response stale.
    pub(crate) as_of: Epoch,
    /// Where the parent has it from, as its child says it.
    pub(crate) reason: Reason,
    /// Why it is kept, or is not.
    pub(crate) kept: Kept,
    /// How long it may be used, counted from when the parent asked the origin.
    pub(crate) lifetime: Lifetime,
    /// How long ago that was, in milliseconds.
    pub(crate) kept_ms: u64,
}

impl Verdict {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Lifetime {
            fresh_secs,
            rule,
            stale_while_revalidate_secs,
            stale_if_error_secs,
            initial_age_secs,
        } = self.lifetime;
        let text = format!(
            "{} {} {} {fresh_secs} {} {stale_while_revalidate_secs} {stale_if_error_secs} {initial_age_secs}",
            self.reason.as_str(),
            self.kept.as_str(),
            self.kept_ms,
            rule.as_str(),
        );
        if let (Some(as_of), Ok(text)) = (write_epoch(self.as_of), HeaderValue::from_str(&text)) {
            headers.insert(AS_OF, as_of);
            headers.insert(USE, text);
        }
    }

    pub(super) fn read(headers: &HeaderMap) -> Option<Verdict> {
        let mut words = text(headers, &USE)?.split(' ');
        let reason = words.next()?;
        let reason = Reason::ALL.iter().find(|known| known.as_str() == reason)?;
        let kept = words.next()?;
        let kept = Kept::all().find(|known| known.as_str() == kept)?;
        let kept_ms = words.next()?.parse().ok()?;
        let fresh_secs = words.next()?.parse().ok()?;
        let rule = words.next()?;
        let rule = FreshnessRule::ALL.iter().find(|known| known.as_str() == rule)?;
        Some(Verdict {
            as_of: read_epoch(headers, &AS_OF)?,
            reason: *reason,
            kept,
            lifetime: Lifetime {
                fresh_secs,
                rule: *rule,
                stale_while_revalidate_secs: words.next()?.parse().ok()?,
                stale_if_error_secs: words.next()?.parse().ok()?,
                initial_age_secs: words.next()?.parse().ok()?,
            },
            kept_ms,
        })
    }
}

/// Proves a child's request: what is asked for, and the fields that only a child may send.
pub(super) fn seal_request(secret: &TierSecret, head: &http::request::Parts) -> String {
    secret.seal(&request_parts(head))
}

/// Whether a request comes from a child of this deployment.
pub(super) fn is_from_child(secret: &TierSecret, head: &http::request::Parts) -> bool {
    secret.is_seal_of(field(&head.headers, &SEAL), &request_parts(head))
}

fn request_parts(head: &http::request::Parts) -> [&[u8]; 11] {
    let field = |name| field(&head.headers, name);
    let target = head.uri.path_and_query().map_or("", |it| it.as_str());
    [
        b"child",
        head.method.as_str().as_bytes(),
        target.as_bytes(),
        field(&http::header::HOST),
        field(&MIN_EPOCH),
        field(&KEY),
        field(&VIEWER),
        field(&CONNECTION_OPTIONS),
        field(&COPY),
        field(&http::header::IF_NONE_MATCH),
        field(&http::header::IF_MODIFIED_SINCE),
    ]
}

/// Proves a parent's answer to the request with this seal.
pub(super) fn seal_answer(secret: &TierSecret, request_seal: &[u8], status: StatusCode, headers: &HeaderMap) -> String {
    secret.seal(&answer_parts(request_seal, status.as_str().as_bytes(), headers))
}

/// Whether an answer comes from a parent of this deployment, and answers this request.
pub(super) fn is_from_parent(
    secret: &TierSecret,
    request_seal: &[u8],
    status: StatusCode,
    headers: &HeaderMap,
) -> bool {
    let parts = answer_parts(request_seal, status.as_str().as_bytes(), headers);
    secret.is_seal_of(field(headers, &SEAL), &parts)
}

fn answer_parts<'a>(request_seal: &'a [u8], status: &'a [u8], headers: &'a HeaderMap) -> [&'a [u8]; 6] {
    [
        b"parent",
        request_seal,
        status,
        field(headers, &AS_OF),
        field(headers, &USE),
        field(headers, &REFUSAL),
    ]
}

fn field<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a [u8] {
    headers.get(name).map_or(&[], HeaderValue::as_bytes)
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Takes out every field that only tiers may send.
pub(super) fn remove_ours(headers: &mut HeaderMap) {
    let is_ours = |name: &&HeaderName| name.as_str().starts_with("x-warmfront-");
    let ours: Vec<HeaderName> = headers.keys().filter(is_ours).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict() -> Verdict {
        Verdict {
            as_of: Epoch {
                incarnation: Incarnation(0xab),
                revision: Revision(7),
            },
            reason: Reason::Revalidated,
            kept: Kept::For(FreshnessRule::SMaxage),
            lifetime: Lifetime {
                fresh_secs: 60,
                rule: FreshnessRule::SMaxage,
                stale_while_revalidate_secs: 1,
                stale_if_error_secs: u64::MAX,
                initial_age_secs: 3,
            },
            kept_ms: 1_500,
        }
    }

    #[test]
    fn a_verdict_is_read_as_it_was_written() {
        let mut headers = HeaderMap::new();
        verdict().write(&mut headers);
        assert_eq!(headers[AS_OF], "00000000000000ab-7");
        assert_eq!(
            headers[USE],
            "revalidated s-maxage 1500 60 s-maxage 1 18446744073709551615 3"
        );
        assert_eq!(Verdict::read(&headers), Some(verdict()));
    }

    #[test]
    fn a_viewer_is_read_as_it_was_written() {
        let viewer = Viewer {
            ip: "2001:db8::1".parse().unwrap(),
            is_https: true,
            listener_is_loopback: false,
        };
        let mut headers = HeaderMap::new();
        headers.insert(VIEWER, write_viewer(viewer, Version::HTTP_2).unwrap());
        assert_eq!(read_viewer(&headers), Some((viewer, Version::HTTP_2)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_verdict_or_none(text in "[ -~]{0,80}") {
            let mut headers = HeaderMap::new();
            for name in [AS_OF, USE, VIEWER] {
                headers.insert(name, HeaderValue::from_str(&text).unwrap());
            }
            let _ = (Verdict::read(&headers), read_viewer(&headers));
        }
    }
}
