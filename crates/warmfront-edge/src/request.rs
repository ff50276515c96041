//! A request's way through the edge.

mod accept;
mod admit;
mod answer;
mod explain;
mod fetch;
mod fill;
mod find;
mod head;
mod hit;
mod key;
mod pass;
mod plan;
mod route;
mod token;
mod watch;

pub(crate) use accept::{Accepted, Pending};
pub(crate) use answer::{Answer, EarlyAnswer, X_AMZ_CF_ID, X_AMZ_CF_POP};
pub(crate) use hit::DirectAnswer;
pub(crate) use key::{Keyed, names_of_key, rules};
pub(crate) use route::Routed;
pub(crate) use watch::note;

use std::future::{Future, Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::Either;
use http::{Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use tracing::Instrument;
use warmfront_model::Revision;

use crate::body::ViewerBody;
use crate::core::Core;
use crate::half_closed::OnItsWay;
use crate::interim::InterimSink;
use crate::origin::FetchFailure;
use crate::outcome::{FetchReason, Reason};
use crate::request::admit::Admitted;
use crate::request::find::Found;
use crate::request::watch::Waited;
use crate::silence::{Activity, WaitingForOrigin};
use crate::tier::{ChildAsk, Tier, answer_child};

/// The connection a request came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Viewer {
    /// The other end's address.
    pub(crate) ip: IpAddr,
    /// Whether it is TLS.
    pub(crate) is_https: bool,
    /// Whether the listener is on a loopback address.
    pub(crate) listener_is_loopback: bool,
}

/// The answer to a request: at once if the cache has it, else when the origin has been asked.
pub(crate) type Answering =
    Either<Ready<Response<ViewerBody>>, Pin<Box<dyn Future<Output = Response<ViewerBody>> + Send>>>;

/// Answers one request. The steps:
///
/// 1. accept: it is HTTP that the edge understands, within the limits; the snapshot is taken;
/// 2. route: its host names a distribution, its path a cache behavior; a token that it carries must be that distribution's;
/// 3. admit: the behavior allows its method and its scheme;
/// 4. key: it has a cache key, or is passed to the origin;
/// 5. find: the store has a response that may be used, by the index and by its freshness;
/// 6. plan, fetch, fill: if not, it joins a fetch that is new enough, or begins one;
/// 7. answer.
pub(crate) fn answer(
    core: &Arc<Core>,
    viewer: Viewer,
    activity: &Arc<Activity>,
    request: Request<Incoming>,
) -> Answering {
    if matches!(core.node.tier, Tier::Regional(_)) {
        let waiting = activity.wait_for_origin();
        let core = Arc::clone(core);
        return Either::Right(Box::pin(async move {
            let answer = answer_child(&core, request).await;
            awaited(answer, waiting)
        }));
    }
    let (head, body) = request.into_parts();
    let mut accepted = arrive(core, viewer, head);
    let (answered, missing) = match way(core, &accepted) {
        Ok(Way::Finds(keyed, found)) => match from_found(core, &keyed, &found) {
            Some(Ok(answer)) => (Some(answer), None),
            Some(Err(early)) => (Some(early.into_answer(&core.node, &accepted)), None),
            None => (None, None),
        },
        Err(early) => (Some(early.into_answer(&core.node, &accepted)), None),
        Ok(Way::Passes(..)) => (None, None),
        Ok(Way::Awaits(revision)) => (None, Some(revision)),
    };
    if let Some(answer) = answered {
        let answer = note(core, &accepted, answer, activity.ledger.as_ref());
        return Either::Left(ready(on_its_way(answer, activity)));
    }
    let core = Arc::clone(core);
    let waiting = activity.wait_for_origin();
    // RFC 9110 section 15.2: HTTP/1.0 has no interim responses.
    let interim = (accepted.head.version >= Version::HTTP_11).then(|| InterimSink::of(activity));
    let pending = accepted.pending.insert(Pending::begin(interim));
    let span = watch::span(&pending.request_id);
    let answering = async move {
        let waited = Waited::begin(&core, &accepted, waiting.ledger());
        let caught_up = match missing {
            Some(revision) => Some(token::catch_up(&core.node, &accepted, revision).await),
            None => None,
        };
        let accepted = caught_up.as_ref().unwrap_or(&accepted);
        let answer = waiting.after_interim(ask_origin(&core, accepted, body)).await;
        waited.ends();
        awaited(note(&core, accepted, answer, waiting.ledger()), waiting)
    };
    Either::Right(Box::pin(answering.instrument(span)))
}

/// Answers a request from memory: appends the head to `text`. `None`: nothing has been done about it yet, and it is to go
/// [`answer`]'s way.
pub(crate) fn answer_directly(
    core: &Arc<Core>,
    viewer: Viewer,
    logged: hit::Logged<'_>,
    head: http::request::Parts,
    text: &mut Vec<u8>,
) -> Option<DirectAnswer> {
    let accepted = arrive(core, viewer, head);
    match way(core, &accepted) {
        Ok(Way::Finds(keyed, found)) => hit::answer_hit(core, &keyed, found, logged, text),
        Ok(Way::Passes(..) | Way::Awaits(_)) | Err(_) => None,
    }
}

/// Takes the snapshot that a request is decided by, now that its head has arrived.
fn arrive(core: &Core, viewer: Viewer, mut head: http::request::Parts) -> Accepted {
    accept::take_host_from_target(&mut head);
    let explains = explain::take_question(&core.node, &viewer, &mut head.headers);
    let token = head.headers.remove(&token::X_WARMFRONT_TOKEN);
    Accepted {
        head,
        viewer,
        snapshot: Arc::clone(&core.node.snapshot()),
        now: core.node.clock.now(),
        fenced: !core.node.lease.holds(),
        child: None,
        switches: core.node.switches,
        explains,
        pending: None,
        token,
        has_waited: false,
    }
}

/// The viewer's connection is not silent as long as its answer waits for an origin.
fn awaited(answer: Response<ViewerBody>, waiting: WaitingForOrigin) -> Response<ViewerBody> {
    answer.map(|body| ViewerBody::Awaited {
        body: Box::new(body),
        _waiting: waiting,
    })
}

/// What hyper does not take in at once would break off if the viewer says no more meanwhile.
fn on_its_way(answer: Response<ViewerBody>, activity: &Arc<Activity>) -> Response<ViewerBody> {
    /// hyper's buffers hold more.
    const SHORT_BYTES_MAX: u64 = 64 * 1024;
    if answer
        .body()
        .size_hint()
        .upper()
        .is_some_and(|bytes| bytes <= SHORT_BYTES_MAX)
    {
        return answer;
    }
    answer.map(|body| ViewerBody::Long {
        body: Box::new(body),
        _on_its_way: OnItsWay::on(activity),
    })
}

/// Where steps 1 to 5 lead.
enum Way<'a> {
    Finds(Keyed<'a>, Found),
    Passes(Admitted<'a>, FetchReason),
    /// It may not be answered before the node has applied this much, or has tried to.
    Awaits(Revision),
}

fn way<'a>(core: &Arc<Core>, accepted: &'a Accepted) -> Result<Way<'a>, EarlyAnswer> {
    let accepted = accept::accept(&core.node, accepted)?;
    let routed = Routed::route(accepted)?;
    let missing = token::missing(&core.node, &routed)?;
    let admitted = Admitted::admit(&core.node, routed)?;
    let Some(mut keyed) = Keyed::key(&core.node, admitted) else {
        return match &accepted.child {
            Some(_) => Err(EarlyAnswer::OtherConfiguration),
            None => Ok(Way::Passes(admitted, FetchReason::Uncached)),
        };
    };
    match missing {
        Some(revision) if !accepted.has_waited => return Ok(Way::Awaits(revision)),
        Some(_) => return Ok(Way::Passes(admitted, FetchReason::Behind)),
        None => {}
    }
    let is_anothers = |child: &ChildAsk| !child.has_key(keyed.bytes());
    if accepted.child.as_ref().is_some_and(is_anothers) {
        return Err(EarlyAnswer::OtherConfiguration);
    }
    let found = if accepted.fenced {
        Found::Fenced
    } else {
        Found::find(&core.node, &mut keyed)
    };
    Ok(Way::Finds(keyed, found))
}

/// What the store has answers, if it may.
fn from_found(core: &Arc<Core>, keyed: &Keyed<'_>, found: &Found) -> Option<Result<Answer, EarlyAnswer>> {
    let (response, reason) = found.usable()?;
    if reason == Reason::StaleWhileRevalidate {
        fetch::refresh_in_background(core, keyed, response);
    }
    Some(answer::from_cache(keyed, response, reason))
}

/// Goes the way again, since what it found may have changed by the time this runs, and to the origin if it still leads
/// there. Time and snapshot are those of the request's arrival.
pub(crate) async fn ask_origin(core: &Arc<Core>, accepted: &Accepted, body: Incoming) -> Answer {
    let answered = match way(core, accepted) {
        Ok(Way::Finds(mut keyed, found)) => match from_found(core, &keyed, &found) {
            Some(answered) => answered,
            None => read_or_fetch(core, &mut keyed, found).await,
        },
        Ok(Way::Passes(admitted, reason)) => pass::pass(core, admitted, reason, body).await,
        // Only who has not waited yet.
        Ok(Way::Awaits(_)) => Err(EarlyAnswer::Failure(Arc::new(FetchFailure::Abandoned))),
        Err(early) => Err(early),
    };
    answered.unwrap_or_else(|early| early.into_answer(&core.node, accepted))
}

/// Step 5 for what is on disk, and step 6.
async fn read_or_fetch(core: &Arc<Core>, keyed: &mut Keyed<'_>, found: Found) -> Result<Answer, EarlyAnswer> {
    let found = found.load(&core.node, keyed).await;
    match from_found(core, keyed, &found) {
        Some(answered) => answered,
        None if head::passes(keyed) => head::ask_head(core, keyed, &found).await,
        None => fetch::fetch(core, keyed, found).await,
    }
}
