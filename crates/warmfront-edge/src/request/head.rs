//! A viewer's HEAD that goes to the origin as it is.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use http_body_util::{Either, Empty};
use warmfront_caching::{Asked, NotStored, OriginFailure, Storability, freshened, is_match_head, selecting_fields};
use warmfront_invalidation::Stamped;
use warmfront_store::{Head, StoredResponse};

use crate::core::Core;
use crate::node::Node;
use crate::outcome::{Kept, Outcome, Reason};
use crate::request::answer::{Answer, EarlyAnswer};
use crate::request::fetch::{only_if_cached, stand_in, without_answer};
use crate::request::find::Found;
use crate::request::key::{Keyed, rules};
use crate::request::pass::Passed;

/// Whether the request goes to the origin as HEAD. A POP's never does: what it asks of a regional node is to be stored.
pub(crate) fn passes(keyed: &Keyed<'_>) -> bool {
    let accepted = keyed.routed.accepted;
    accepted.head.method == Method::HEAD && accepted.switches.head_passes && accepted.child.is_none()
}

/// Answers a HEAD that the store could not.
pub(crate) async fn ask_head(core: &Arc<Core>, keyed: &Keyed<'_>, found: &Found) -> Result<Answer, EarlyAnswer> {
    only_if_cached(keyed)?;
    let routed = &keyed.routed;
    let passed = match Passed::ask(core, routed, Either::Left(Empty::new())).await {
        Ok(passed) => passed,
        Err(failure) => return without_answer(keyed, found, failure),
    };
    let status = passed.head.status;
    if let Some(stale) = stand_in(keyed, found, OriginFailure::Status(status)) {
        return stale;
    }
    if let Some(copy) = found.fallback().filter(|_| status == StatusCode::OK) {
        bring_up_to_date(&core.node, keyed, copy.shared(), &passed.head.headers);
    }
    let outcome = Outcome {
        reason: Reason::Passed,
        fetch: Some(found.fetch_reason()),
        kept: Some(Kept::Not(NotStored::Method)),
    };
    Ok(passed.into_answer(&core.node, routed, outcome))
}

/// Gives the stored response that the request would have been answered with the fields of the origin's 200, or removes it
/// if that speaks of another. Its body has not been fetched anew, so its as-of stays.
///
/// Source: RFC 9111 section 4.3.5.
fn bring_up_to_date(node: &Node, keyed: &Keyed<'_>, copy: &Arc<StoredResponse>, from_head: &HeaderMap) {
    let accepted = keyed.routed.accepted;
    let (old, rules) = (copy.head(), rules(&keyed.routed, copy.head().status.as_u16()));
    let stored = old.headers();
    let is_match = old.status == StatusCode::OK && is_match_head(&stored, copy.body_bytes(), from_head);
    let asked = Asked::new(&Method::GET, &accepted.head.headers, &accepted.switches);
    let fresh = freshened(asked, old.status, &stored, from_head, &rules, accepted.now);
    // A response that now varies on something else belongs under another key.
    let varies_alike = selecting_fields(&fresh.headers, &rules) == selecting_fields(&stored, &rules);
    match fresh.storability {
        Storability::Store(lifetime) if is_match && varies_alike => {
            let head = Head {
                status: old.status,
                headers: fresh.headers,
                lifetime,
                response_time: accepted.now,
            };
            let updated = copy.confirmed(head, copy.stamp().as_of());
            node.store.replace(keyed.bytes(), copy, Arc::new(updated));
        }
        _ => {
            node.store.remove(keyed.bytes(), copy);
        }
    }
}
