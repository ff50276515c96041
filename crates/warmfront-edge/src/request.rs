//! A request's way through the edge.

mod accept;
mod admit;
mod answer;
mod fetch;
mod fill;
mod find;
mod key;
mod pass;
mod plan;
mod route;

pub(crate) use key::names_of_key;

use std::net::IpAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::body::ViewerBody;
use crate::core::Core;
use crate::request::accept::Accepted;
use crate::request::admit::Admitted;
use crate::request::answer::EarlyAnswer;
use crate::request::find::Found;
use crate::request::key::Keyed;
use crate::request::route::Routed;

/// The connection a request came on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer {
    /// The other end's address.
    pub(crate) ip: IpAddr,
    /// Whether it is TLS.
    pub(crate) is_https: bool,
    /// Whether the listener is on a loopback address.
    pub(crate) listener_is_loopback: bool,
}

/// Answers one request. The steps:
///
/// 1. accept: it is HTTP that the edge understands, within the limits; the snapshot is taken;
/// 2. route: its host names a distribution, its path a cache behavior;
/// 3. admit: the behavior allows its method and its scheme;
/// 4. key: it has a cache key, or is passed to the origin;
/// 5. find: the store has a response that may be used, by the index and by its freshness;
/// 6. plan, fetch, fill: if not, it joins a fetch that is new enough, or begins one;
/// 7. answer.
pub(crate) async fn answer(core: &Arc<Core>, viewer: Viewer, request: Request<Incoming>) -> Response<ViewerBody> {
    let (mut head, body) = request.into_parts();
    accept::take_host_from_target(&mut head);
    let snapshot = Arc::clone(&core.node.snapshot());
    let accepted = Accepted {
        head,
        viewer,
        snapshot,
        now: core.node.clock.now(),
    };
    match steps(core, &accepted, body).await {
        Ok(response) => response,
        Err(early) => early.into_response(&core.node, &accepted),
    }
}

async fn steps(core: &Arc<Core>, accepted: &Accepted, body: Incoming) -> Result<Response<ViewerBody>, EarlyAnswer> {
    let accepted = accept::accept(&core.node.limits, accepted)?;
    let routed = Routed::route(accepted)?;
    let admitted = Admitted::admit(&core.node, routed)?;
    let Some(keyed) = Keyed::key(admitted) else {
        return Box::pin(pass::pass(core, admitted, body)).await;
    };
    match Found::find(&core.node, &keyed) {
        Found::Fresh(response) => answer::from_cache(&keyed, &response),
        Found::StaleWhileRevalidate(response) => {
            fetch::refresh_in_background(core, &keyed, &response);
            answer::from_cache(&keyed, &response)
        }
        found => Box::pin(fetch::fetch(core, &keyed, found)).await,
    }
}
