use std::sync::Arc;
use std::time::Duration;

use warmfront_caching::{
    CopyForRequest, OriginFailure, StoredCopy, copy_for_request, may_serve_stale_on_error, request_directives,
};
use warmfront_invalidation::Proven;
use warmfront_store::{DiskEntry, StoredResponse};

use crate::node::Node;
use crate::outcome::FetchReason;
use crate::request::accept::Accepted;
use crate::request::key::Keyed;

/// What the store has for a request.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// Not covered, and fresh.
    Fresh(Proven<StoredResponse>),
    /// Not covered, and expired; it answers while its origin is left alone after a failure.
    OriginLeftAlone(Proven<StoredResponse>),
    /// Not covered, and expired so lately that it answers while it is refreshed.
    StaleWhileRevalidate(Proven<StoredResponse>),
    /// Not covered, and expired.
    Stale(Proven<StoredResponse>),
    /// Not covered, and expired, which the viewer accepts.
    MaxStale(Proven<StoredResponse>),
    /// Not covered, and not what the viewer accepts without the origin's word.
    Unwanted(Proven<StoredResponse>),
    /// Not covered, and on disk: it must be read before more can be said.
    OnDisk(Proven<DiskEntry>),
    /// Covered by an invalidation: as good as absent, whatever happens at the origin.
    Covered,
    /// Nothing.
    Absent,
    /// The node has no lease, and so trusts nothing that it has.
    Fenced,
}

impl Found {
    /// First the index: nothing that was known when the request arrived covers the response. Then its freshness.
    ///
    /// Where nothing is stored under the key itself, the request's variant is looked for, and selected in `keyed`.
    pub(crate) fn find(node: &Node, keyed: &mut Keyed<'_>) -> Found {
        match Found::find_selected(node, keyed) {
            Found::Absent if keyed.select_variant(node) => Found::find_selected(node, keyed),
            found => found,
        }
    }

    /// What is stored under the key as it is.
    pub(crate) fn find_selected(node: &Node, keyed: &Keyed<'_>) -> Found {
        match node.store.get(keyed.bytes()) {
            Some(response) => Found::judge(keyed, response),
            None => Found::find_on_disk(node, keyed),
        }
    }

    fn find_on_disk(node: &Node, keyed: &Keyed<'_>) -> Found {
        let Some(entry) = node.store.get_on_disk(keyed.bytes()) else {
            return Found::Absent;
        };
        let accepted = keyed.routed.accepted;
        let distribution = &keyed.routed.site.distribution.id;
        match accepted.snapshot.index.check(distribution, entry, || keyed.names()) {
            Ok(proven) => Found::OnDisk(proven),
            Err(_) => Found::Covered,
        }
    }

    /// Reads what is on disk. A disk that fails, or takes too long, has nothing.
    pub(crate) async fn load(node: &Node, keyed: &Keyed<'_>, entry: &Proven<DiskEntry>) -> Found {
        const WAIT_MAX: Duration = Duration::from_secs(2);
        match tokio::time::timeout(WAIT_MAX, node.store.load(entry)).await {
            Ok(Some(response)) => Found::judge(keyed, response),
            Ok(None) | Err(_) => Found::Absent,
        }
    }

    fn judge(keyed: &Keyed<'_>, response: Arc<StoredResponse>) -> Found {
        let accepted = keyed.routed.accepted;
        let distribution = &keyed.routed.site.distribution;
        let Ok(proven) = accepted
            .snapshot
            .index
            .check(&distribution.id, response, || keyed.names())
        else {
            return Found::Covered;
        };
        let head = proven.head();
        let directives = request_directives(&accepted.head.headers, &accepted.switches);
        let times = (head.response_time, accepted.now);
        match copy_for_request(&head.lifetime, directives.as_ref(), times) {
            CopyForRequest::As(StoredCopy::Fresh) => Found::Fresh(proven),
            CopyForRequest::As(StoredCopy::StaleWhileRevalidate) => Found::StaleWhileRevalidate(proven),
            CopyForRequest::As(StoredCopy::Stale) if stands_in(&proven, accepted) => Found::OriginLeftAlone(proven),
            CopyForRequest::As(StoredCopy::Stale) => Found::Stale(proven),
            CopyForRequest::MaxStale => Found::MaxStale(proven),
            CopyForRequest::Unwanted => Found::Unwanted(proven),
        }
    }

    /// The expired copy that may stand in for a failing origin.
    pub(crate) fn fallback(&self) -> Option<&Proven<StoredResponse>> {
        match self {
            Found::Stale(response) | Found::Unwanted(response) => Some(response),
            Found::Fresh(_)
            | Found::OriginLeftAlone(_)
            | Found::MaxStale(_)
            | Found::StaleWhileRevalidate(_)
            | Found::OnDisk(_)
            | Found::Covered
            | Found::Absent
            | Found::Fenced => None,
        }
    }

    /// Why a request that found this asks the origin.
    pub(crate) fn fetch_reason(&self) -> FetchReason {
        match self {
            Found::Stale(_)
            | Found::Fresh(_)
            | Found::OriginLeftAlone(_)
            | Found::MaxStale(_)
            | Found::StaleWhileRevalidate(_) => FetchReason::Expired,
            Found::Unwanted(_) => FetchReason::Unwanted,
            Found::Covered => FetchReason::Covered,
            Found::Fenced => FetchReason::Fenced,
            Found::OnDisk(_) | Found::Absent => FetchReason::Absent,
        }
    }
}

/// Whether an expired copy answers because its origin failed lately: as long as the origin is left alone, and no longer
/// than the copy may be used stale.
fn stands_in(copy: &StoredResponse, accepted: &Accepted) -> bool {
    let head = copy.head();
    let times = (head.response_time, accepted.now);
    let (unreachable, switches) = (OriginFailure::Unreachable, &accepted.switches);
    copy.leaves_origin_alone(accepted.now)
        && may_serve_stale_on_error(unreachable, &head.lifetime, || head.headers(), switches, times)
}
