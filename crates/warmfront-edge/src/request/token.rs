//! `X-Warmfront-Token`: nothing older than the invalidation that the token is of.

use std::sync::Arc;

use http::{HeaderName, StatusCode};
use warmfront_model::Revision;

use crate::mutants::{Mutant, is_planted};
use crate::node::Node;
use crate::outcome::Reason;
use crate::request::accept::Accepted;
use crate::request::answer::EarlyAnswer;
use crate::request::route::Routed;

/// Carries the token that CreateInvalidation gave.
pub(crate) const X_WARMFRONT_TOKEN: HeaderName = HeaderName::from_static("x-warmfront-token");

/// What the request's token asks for that its snapshot does not have. A node that has applied the invalidation answers as it
/// always does; a fenced one asks the origin anyway, after the request has arrived, and so after the token was given.
pub(crate) fn missing(node: &Node, routed: &Routed<'_>) -> Result<Option<Revision>, EarlyAnswer> {
    let accepted = routed.accepted;
    let Some(token) = &accepted.token else {
        return Ok(None);
    };
    let refused = |why: &str| {
        let message = format!("Bad request. The header x-warmfront-token is refused: {why}.");
        EarlyAnswer::Page(Reason::BadToken, StatusCode::BAD_REQUEST, message.into())
    };
    let key = node
        .tokens
        .as_ref()
        .ok_or_else(|| refused("this edge knows no tokens"))?;
    let read = key.read(&routed.site.distribution.id, token.as_bytes());
    let epoch = read.map_err(|error| refused(&error.to_string()))?;
    let applied = accepted.snapshot.index.applied();
    if epoch.incarnation != applied.incarnation {
        return Err(refused("it is of another journal than this edge follows"));
    }
    let is_missing = epoch.revision > applied.revision && !accepted.fenced && !is_planted(Mutant::TokenIgnored);
    Ok(is_missing.then_some(epoch.revision))
}

/// The request as if it had arrived when the node had applied `revision`, or when it was time to wait no longer: then it is to
/// go past the cache. There is no waiting where the node is told to apply invalidations later than that.
pub(crate) async fn catch_up(node: &Node, accepted: &Accepted, revision: Revision) -> Accepted {
    let patience = node.limits.token_wait;
    if node.held_back() < patience {
        let _ = tokio::time::timeout(patience, node.reaches(revision)).await;
    }
    Accepted {
        head: accepted.head.clone(),
        viewer: accepted.viewer,
        snapshot: Arc::clone(&node.snapshot()),
        now: node.clock.now(),
        fenced: !node.lease.holds(),
        child: None,
        switches: accepted.switches,
        explains: accepted.explains,
        pending: accepted.pending.clone(),
        token: accepted.token.clone(),
        has_waited: true,
    }
}
