//! `X-Warmfront-Explain`: why a request was answered as it was, for those who may ask.

use std::fmt::Write;

use http::header::{FORWARDED, HeaderName, VIA};
use http::{HeaderMap, HeaderValue, StatusCode};
use warmfront_caching::age_secs;
use warmfront_invalidation::{Proven, Stamped};
use warmfront_store::StoredResponse;

use crate::identifiers::fnv1a;
use crate::node::Node;
use crate::outcome::{FetchReason, Outcome, Reason};
use crate::request::Viewer;
use crate::request::accept::Accepted;
use crate::request::admit::Admitted;
use crate::request::key::Keyed;
use crate::request::route::Routed;

/// Asks for an explanation, and carries it.
pub(crate) const X_WARMFRONT_EXPLAIN: HeaderName = HeaderName::from_static("x-warmfront-explain");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Takes the question out of a request, so that neither the cache key nor an origin ever sees it. True: it is asked by
/// someone who may. That is whoever knows the token, and whoever sits at this machine: a connection from loopback whose
/// request has not come through a proxy.
pub(crate) fn take_question(node: &Node, viewer: &Viewer, headers: &mut HeaderMap) -> bool {
    let Some(question) = headers.remove(&X_WARMFRONT_EXPLAIN) else {
        return false;
    };
    let knows_token = |token: &crate::ExplainToken| token.is(question.as_bytes());
    let is_forwarded = [X_FORWARDED_FOR, FORWARDED, VIA]
        .iter()
        .any(|name| headers.contains_key(name));
    node.explain_token.as_ref().is_some_and(knows_token) || (viewer.ip.is_loopback() && !is_forwarded)
}

/// Adds the explanation to an answer's head: the reason, then what it was decided by.
pub(crate) fn explain(
    node: &Node,
    accepted: &Accepted,
    outcome: Outcome,
    used: Option<&Proven<StoredResponse>>,
    status: StatusCode,
    headers: &mut HeaderMap,
) {
    let explained = Explained::new(node, accepted, outcome, used, status);
    if let Ok(value) = HeaderValue::try_from(explained.in_words()) {
        headers.insert(X_WARMFRONT_EXPLAIN, value);
    }
    if let Ok(value) = HeaderValue::try_from(explained.cache_status()) {
        headers.append(CACHE_STATUS, value);
    }
}

struct Explained<'a> {
    outcome: Outcome,
    status: StatusCode,
    /// The distribution's Id and the behavior's path pattern.
    routed: Option<(&'a str, &'a str)>,
    /// A hash of the cache key: it may hold what is secret.
    key: Option<u64>,
    /// What the response's as-of must not be below.
    required: Option<u64>,
    applied: u64,
    used: Option<Used>,
}

/// What there is to know of the response that answered.
struct Used {
    as_of: u64,
    age_secs: u64,
    /// Below zero: expired so long ago.
    ttl_secs: i64,
}

impl<'a> Explained<'a> {
    fn new(
        node: &Node,
        accepted: &'a Accepted,
        outcome: Outcome,
        used: Option<&Proven<StoredResponse>>,
        status: StatusCode,
    ) -> Explained<'a> {
        let index = &accepted.snapshot.index;
        let routed = Routed::route(accepted).ok();
        let keyed = routed.and_then(|routed| Keyed::key(node, Admitted(routed)));
        let required = keyed.as_ref().map(|keyed| {
            let names = keyed.names();
            let distribution = &keyed.routed.site.distribution.id;
            match used {
                Some(response) => index.required_of(distribution, &names, &**response).0,
                None => index.required(distribution, &names).0,
            }
        });
        Explained {
            outcome,
            status,
            routed: routed.map(|it| (it.site.distribution.id.as_str(), &*it.behavior.path_pattern)),
            key: keyed.map(|keyed| fnv1a(keyed.bytes())),
            required,
            applied: index.applied().revision.0,
            used: used.map(|response| {
                let head = response.head();
                let passed = i64::try_from(accepted.now.secs_since(head.response_time)).unwrap_or(i64::MAX);
                let fresh_secs = i64::try_from(head.lifetime().fresh_secs).unwrap_or(i64::MAX);
                Used {
                    as_of: response.stamp().as_of().revision.0,
                    age_secs: age_secs(head.lifetime().initial_age_secs, head.response_time, accepted.now),
                    ttl_secs: fresh_secs.saturating_sub(passed),
                }
            }),
        }
    }

    /// An item with parameters, as RFC 9651 writes them.
    fn in_words(&self) -> String {
        let Outcome { reason, .. } = self.outcome;
        let mut text = reason.as_str().to_owned();
        let mut add = |name: &str, value: &dyn std::fmt::Display| {
            let _ = write!(text, "; {name}={value}");
        };
        add("result", &self.outcome.result_type(self.status).as_str());
        if let Some(fetch) = self.outcome.fetch {
            add("fetch", &fetch.as_str());
        }
        if let Some(kept) = self.outcome.kept {
            add("kept", &kept.as_str());
        }
        if let Some((distribution, behavior)) = self.routed {
            add("distribution", &distribution);
            add("behavior", &format_args!("\"{}\"", behavior.replace(['"', '\\'], "?")));
        }
        if let Some(key) = self.key {
            add("key", &format_args!("\"{key:016x}\""));
        }
        add("applied", &self.applied);
        if let Some(required) = self.required {
            add("required", &required);
        }
        if let Some(used) = &self.used {
            add("as-of", &used.as_of);
            add("age", &used.age_secs);
            add("ttl", &used.ttl_secs);
        }
        text
    }

    /// Source: RFC 9211 section 2.
    fn cache_status(&self) -> String {
        let mut text = "warmfront".to_owned();
        match (self.outcome.fetch, self.outcome.reason) {
            (Some(fetch), reason) => {
                text.push_str(match fetch {
                    FetchReason::Absent => "; fwd=uri-miss",
                    FetchReason::Covered => "; fwd=miss",
                    FetchReason::Expired => "; fwd=stale",
                    FetchReason::Uncached | FetchReason::Fenced | FetchReason::Behind => "; fwd=bypass",
                    FetchReason::Unwanted => "; fwd=request",
                });
                match reason {
                    Reason::Revalidated => text.push_str("; fwd-status=304"),
                    Reason::Fetched | Reason::Joined | Reason::Passed => {
                        let _ = write!(text, "; fwd-status={}", self.status.as_u16());
                    }
                    _ => {}
                }
                if self.outcome.kept.is_some_and(crate::Kept::is_stored) {
                    text.push_str("; stored");
                }
                if reason == Reason::Joined {
                    text.push_str("; collapsed");
                }
            }
            (None, _) if self.used.is_some() => text.push_str("; hit"),
            (None, _) => {}
        }
        if let Some(used) = &self.used {
            let _ = write!(text, "; ttl={}", used.ttl_secs);
        }
        if let Some(key) = self.key {
            let _ = write!(text, "; key=\"{key:016x}\"");
        }
        let _ = write!(text, "; detail={}", self.outcome.reason.as_str());
        text
    }
}
