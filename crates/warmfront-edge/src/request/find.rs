use std::sync::Arc;
use std::time::Duration;

use warmfront_caching::{
    CopyForRequest, OriginFailure, StoredCopy, copy_for_request, may_serve_stale_on_error, request_directives,
};
use warmfront_invalidation::{InvalidationMode, Proven};
use warmfront_store::{DiskEntry, StoredResponse};

use crate::node::Node;
use crate::outcome::{FetchReason, Reason};
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
    /// Covered, but it may be used again if the origin confirms it. It stands in for nothing.
    CoveredGently(Arc<StoredResponse>),
    /// The same, on disk.
    CoveredGentlyOnDisk(Arc<DiskEntry>),
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
            Err(covered) => match covered.mode() {
                InvalidationMode::Refetch => Found::Covered,
                InvalidationMode::Revalidate => Found::CoveredGentlyOnDisk(Arc::clone(covered.response())),
            },
        }
    }

    /// Reads what is on disk. A disk that fails, or takes too long, has nothing.
    pub(crate) async fn load(self, node: &Node, keyed: &Keyed<'_>) -> Found {
        match self {
            Found::OnDisk(entry) => match read(node, entry.shared()).await {
                Some(response) => Found::judge(keyed, response),
                None => Found::Absent,
            },
            Found::CoveredGentlyOnDisk(entry) => match read(node, &entry).await {
                Some(response) => Found::CoveredGently(response),
                None => Found::Covered,
            },
            in_memory => in_memory,
        }
    }

    fn judge(keyed: &Keyed<'_>, response: Arc<StoredResponse>) -> Found {
        let accepted = keyed.routed.accepted;
        let distribution = &keyed.routed.site.distribution;
        let index = &accepted.snapshot.index;
        let proven = match index.check(&distribution.id, response, || keyed.names()) {
            Ok(proven) => proven,
            Err(covered) => {
                return match covered.mode() {
                    InvalidationMode::Refetch => Found::Covered,
                    InvalidationMode::Revalidate => Found::CoveredGently(Arc::clone(covered.response())),
                };
            }
        };
        let head = proven.head();
        let directives = request_directives(&accepted.head.headers, &accepted.switches);
        let times = (head.response_time, accepted.now);
        match copy_for_request(&head.lifetime(), directives.as_ref(), times) {
            CopyForRequest::As(StoredCopy::Fresh) => Found::Fresh(proven),
            CopyForRequest::As(StoredCopy::StaleWhileRevalidate) => Found::StaleWhileRevalidate(proven),
            CopyForRequest::As(StoredCopy::Stale) if stands_in(&proven, accepted) => Found::OriginLeftAlone(proven),
            CopyForRequest::As(StoredCopy::Stale) => Found::Stale(proven),
            CopyForRequest::MaxStale => Found::MaxStale(proven),
            CopyForRequest::Unwanted => Found::Unwanted(proven),
        }
    }

    /// What answers without the origin, and why.
    pub(crate) fn usable(&self) -> Option<(&Proven<StoredResponse>, Reason)> {
        match self {
            Found::Fresh(response) => Some((response, Reason::Fresh)),
            Found::OriginLeftAlone(response) => Some((response, Reason::OriginLeftAlone)),
            Found::MaxStale(response) => Some((response, Reason::MaxStale)),
            Found::StaleWhileRevalidate(response) => Some((response, Reason::StaleWhileRevalidate)),
            Found::Stale(_)
            | Found::Unwanted(_)
            | Found::OnDisk(_)
            | Found::Covered
            | Found::CoveredGently(_)
            | Found::CoveredGentlyOnDisk(_)
            | Found::Absent
            | Found::Fenced => None,
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
            | Found::CoveredGently(_)
            | Found::CoveredGentlyOnDisk(_)
            | Found::Absent
            | Found::Fenced => None,
        }
    }

    /// The copy that the origin may confirm: an expired one, or a covered one where all that cover it allow it.
    pub(crate) fn to_confirm(&self) -> Option<&Arc<StoredResponse>> {
        match self {
            Found::CoveredGently(response) => Some(response),
            _ => self.fallback().map(Proven::shared),
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
            Found::Covered | Found::CoveredGently(_) | Found::CoveredGentlyOnDisk(_) => FetchReason::Covered,
            Found::Fenced => FetchReason::Fenced,
            Found::OnDisk(_) | Found::Absent => FetchReason::Absent,
        }
    }
}

async fn read(node: &Node, entry: &Arc<DiskEntry>) -> Option<Arc<StoredResponse>> {
    const WAIT_MAX: Duration = Duration::from_secs(2);
    let reading = tokio::time::timeout(WAIT_MAX, node.store.load(entry));
    reading.await.ok().flatten()
}

/// Whether an expired copy answers because its origin failed lately: as long as the origin is left alone, and no longer
/// than the copy may be used stale.
fn stands_in(copy: &StoredResponse, accepted: &Accepted) -> bool {
    let head = copy.head();
    let times = (head.response_time, accepted.now);
    let (unreachable, switches) = (OriginFailure::Unreachable, &accepted.switches);
    copy.leaves_origin_alone(accepted.now)
        && may_serve_stale_on_error(unreachable, &head.lifetime(), || head.headers(), switches, times)
}
