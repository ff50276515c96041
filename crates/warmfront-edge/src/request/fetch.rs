use std::sync::Arc;

use http::StatusCode;
use tracing::{Instrument, Span};
use warmfront_caching::{
    CopyForRequest, OriginFailure, Purpose, StoredCopy, copy_for_request, may_serve_stale_on_error, request_directives,
};
use warmfront_invalidation::{Index, Proven};
use warmfront_store::StoredResponse;

use crate::core::Core;
use crate::flight::{Answered, Flight, Flights, Part, Progress, Waiting};
use crate::mutants::{Mutant, is_planted};
use crate::origin::FetchFailure;
use crate::outcome::{Outcome, Reason};
use crate::request::answer::{Answer, EarlyAnswer, OfFetch, from_cache, from_response};
use crate::request::fill::Filling;
use crate::request::find::Found;
use crate::request::key::Keyed;
use crate::request::plan::FetchPlan;
use crate::request::watch::span;
use crate::tier::ParentAsk;
use crate::variants::Variant;

/// How often a request joins the fetch of another. After that it has one of its own, which is always new enough for it.
const JOINS_MAX: u32 = 2;

type Given = Result<Answer, EarlyAnswer>;

/// Answers a request that the store could not.
///
/// It joins the fetch in flight for its key, if that is new enough, or begins one. A HEAD fetches as a GET does, and so
/// finds a hit the next time. A request that came back from an origin joins nothing: it may be the very fetch it would
/// wait for. Nor does one that finds the node fenced: every fetch in flight began before it arrived.
pub(crate) async fn fetch(core: &Arc<Core>, keyed: &mut Keyed<'_>, found: Found) -> Given {
    only_if_cached(keyed)?;
    let comes_back = keyed.routed.accepted.n_passages(&core.node) > 0;
    let joins_nothing = comes_back || (keyed.routed.accepted.fenced && !is_planted(Mutant::JoinFenced));
    for _ in 0..if joins_nothing { 0 } else { JOINS_MAX } {
        let part = match join_or_begin(core, keyed, true) {
            Ok(part) => part,
            Err((stored_meanwhile, reason)) => return from_cache(keyed, &stored_meanwhile, reason),
        };
        match part {
            Part::Began(flight) => {
                if let Some(answer) = run_own(core, keyed, &found, &flight).await {
                    return answer;
                }
                break;
            }
            Part::Joined(flight) => match follow(keyed, &found, &flight).await {
                Followed::Answer(answer) => return answer,
                Followed::NotForOthers => break,
                // By now it may be known that there are variants, and which one is this request's.
                Followed::NotForThisOne => {
                    keyed.select_variant(&core.node);
                }
            },
        }
    }
    let planned = keyed.routed.accepted.snapshot.ticket().as_of();
    let alone = Flights::begin_alone(keyed.bytes(), planned);
    let answer = run_own(core, keyed, &found, &alone).await;
    // Nothing known at this request's arrival covers its own fetch, whose body waits for this one reader.
    answer.unwrap_or_else(|| Err(EarlyAnswer::Failure(Arc::new(FetchFailure::Abandoned))))
}

/// RFC 9111 section 5.2.1.7: who accepts only what is stored gets 504 otherwise.
pub(super) fn only_if_cached(keyed: &Keyed<'_>) -> Result<(), EarlyAnswer> {
    let accepted = keyed.routed.accepted;
    match request_directives(&accepted.head.headers, &accepted.switches) {
        Some(directives) if directives.only_if_cached => Err(EarlyAnswer::Page(
            Reason::OnlyIfCached,
            StatusCode::GATEWAY_TIMEOUT,
            "The request asks for what is cached alone, and nothing is.".into(),
        )),
        _ => Ok(()),
    }
}

/// What a request has to do with the fetch that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It began it.
    Began,
    /// It came while the origin had not answered yet.
    Waited,
    /// It came when the answer was here, all but the end of its body: a hit.
    CameForTheRest,
}

/// What following the fetch of another request came to.
enum Followed {
    Answer(Given),
    /// What it brought answers one request only.
    NotForOthers,
    /// What it brought is too old for this request, or its beginning is gone.
    NotForThisOne,
}

/// Refreshes an expired copy that has answered already. Nobody waits for it.
pub(crate) fn refresh_in_background(core: &Arc<Core>, keyed: &Keyed<'_>, expired: &Proven<StoredResponse>) {
    if let Ok(Part::Began(flight)) = join_or_begin(core, keyed, false)
        && let Err(failure) = begin(core, keyed, Some(expired), Some(expired.shared()), &flight)
    {
        tracing::warn!(%failure, "a copy could not be refreshed");
    }
}

/// A fetch in flight is new enough if nothing that was known when this request arrived covers what it brings: judged by
/// its stamp, and by the tags of its answer once that is here. An answer that is here must also be fresh still.
fn join_or_begin(
    core: &Arc<Core>,
    keyed: &Keyed<'_>,
    look_again: bool,
) -> Result<Part, (Proven<StoredResponse>, Reason)> {
    let index = &keyed.routed.accepted.snapshot.index;
    let distribution = &keyed.routed.site.distribution.id;
    let is_new_enough = |flight: &Flight| match flight.answered() {
        _ if is_planted(Mutant::JoinUnchecked) => true,
        Some(answered) => {
            answered.variant.as_ref().is_none_or(|variant| keyed.is_of(variant))
                && is_fresh(&answered.response, keyed)
                && index.check(distribution, answered.response, || keyed.names()).is_ok()
        }
        None => index.check_unanswered(distribution, flight.stamp(), || keyed.names()),
    };
    let found_meanwhile = || match Found::find_selected(&core.node, keyed) {
        Found::Fresh(response) if look_again => Some((response, Reason::Fresh)),
        Found::OriginLeftAlone(response) if look_again => Some((response, Reason::OriginLeftAlone)),
        _ => None,
    };
    core.node
        .flights
        .join_or_begin(keyed.bytes(), index.applied(), is_new_enough, found_meanwhile)
}

fn is_fresh(response: &StoredResponse, keyed: &Keyed<'_>) -> bool {
    let (head, accepted) = (response.head(), keyed.routed.accepted);
    let directives = request_directives(&accepted.head.headers, &accepted.switches);
    let times = (head.response_time, accepted.now);
    copy_for_request(&head.lifetime(), directives.as_ref(), times) == CopyForRequest::As(StoredCopy::Fresh)
}

/// Begins the fetch and answers with what it brings. `None`: others have read on in a body that is too long to keep before
/// this request came to read it.
async fn run_own(core: &Arc<Core>, keyed: &Keyed<'_>, found: &Found, flight: &Arc<Flight>) -> Option<Given> {
    let mut waiting = flight.wait();
    if let Err(failure) = begin(core, keyed, found.fallback(), found.to_confirm(), flight) {
        return Some(Err(EarlyAnswer::Failure(failure)));
    }
    match waiting.outcome().await {
        Ok(answered) => use_answer(keyed, found, &answered, Role::Began, &waiting),
        Err(failure) => Some(without_answer(keyed, found, failure)),
    }
}

/// Waits for the fetch of another request.
async fn follow(keyed: &Keyed<'_>, found: &Found, flight: &Arc<Flight>) -> Followed {
    let mut waiting = flight.wait();
    let role = if flight.answered().is_some() {
        Role::CameForTheRest
    } else {
        Role::Waited
    };
    let answered = match waiting.outcome().await {
        Ok(answered) => answered,
        Err(failure) => return Followed::Answer(without_answer(keyed, found, failure)),
    };
    if !answered.shared {
        return Followed::NotForOthers;
    }
    match use_answer(keyed, found, &answered, role, &waiting) {
        Some(answer) => Followed::Answer(answer),
        None => Followed::NotForThisOne,
    }
}

/// The answer that a fetch brought, if this request may have it: nothing known at its arrival covers it, and its body can
/// be read from the beginning. `_waiting` is kept so long.
fn use_answer(keyed: &Keyed<'_>, found: &Found, answered: &Answered, role: Role, _waiting: &Waiting) -> Option<Given> {
    let accepted = keyed.routed.accepted;
    let distribution = &keyed.routed.site.distribution.id;
    let response = Arc::clone(&answered.response);
    let index = &accepted.snapshot.index;
    let unchecked = is_planted(Mutant::JoinUnchecked).then(|| Index::new(index.applied().incarnation));
    let index = unchecked.as_ref().unwrap_or(index);
    let proven = index.check(distribution, response, || keyed.names()).ok()?;
    // Of another variant: RFC 9111 section 4.1.
    let is_others = |variant: &Variant| role != Role::Began && !keyed.is_of(variant);
    if answered.variant.as_ref().is_some_and(is_others) {
        return None;
    }
    let failure = OriginFailure::Status(proven.head().status);
    if let Some(stale) = stand_in(keyed, found, failure) {
        return Some(stale);
    }
    let reason = match (role, answered.reason) {
        (Role::CameForTheRest, _) => Reason::Arriving,
        (Role::Waited, Reason::Fetched) => Reason::Joined,
        (Role::Began | Role::Waited, reason) => reason,
    };
    let outcome = Outcome {
        reason,
        fetch: (role != Role::CameForTheRest).then(|| found.fetch_reason()),
        kept: Some(answered.kept),
    };
    let of_fetch = OfFetch {
        withheld: answered.withheld.as_deref().filter(|_| role == Role::Began),
        upstream: answered.upstream.filter(|_| role != Role::CameForTheRest),
    };
    from_response(&keyed.routed, &proven, outcome, of_fetch).map(Ok)
}

/// What a request gets whose origin gave no answer.
pub(super) fn without_answer(keyed: &Keyed<'_>, found: &Found, failure: Arc<FetchFailure>) -> Given {
    let unreachable = !matches!(*failure, FetchFailure::Overload | FetchFailure::Unsendable(_));
    match stand_in(keyed, found, OriginFailure::Unreachable).filter(|_| unreachable) {
        Some(stale) => stale,
        None => Err(EarlyAnswer::Failure(failure)),
    }
}

/// This request's own expired copy in place of the origin's failure. Never a covered one, and never another's.
pub(super) fn stand_in(keyed: &Keyed<'_>, found: &Found, failure: OriginFailure) -> Option<Given> {
    let copy = found.fallback()?;
    let head = copy.head();
    let accepted = keyed.routed.accepted;
    let outcome = Outcome {
        fetch: Some(found.fetch_reason()),
        ..Outcome::stored(Reason::StaleIfError, head.lifetime().rule)
    };
    let times = (head.response_time, accepted.now);
    may_serve_stale_on_error(failure, &head.lifetime(), || head.headers(), &accepted.switches, times)
        .then(|| from_response(&keyed.routed, copy, outcome, OfFetch::default()).map(Ok))
        .flatten()
}

/// Plans the fetch and sends it on its way, on this core.
fn begin(
    core: &Arc<Core>,
    keyed: &Keyed<'_>,
    expired: Option<&Proven<StoredResponse>>,
    to_confirm: Option<&Arc<StoredResponse>>,
    flight: &Arc<Flight>,
) -> Result<(), Arc<FetchFailure>> {
    let begun = || {
        let place = core.node.begin_fetch().ok_or(FetchFailure::Overload)?;
        let plan = FetchPlan::plan(&core.node, &keyed.routed, Purpose::Fill, expired, to_confirm)?;
        let parents = ParentAsk::plan(&core.node, keyed, to_confirm);
        Ok(Filling::new(core, flight, keyed, plan, parents, place))
    };
    match begun() {
        Ok(filling) => {
            let span = filling.request_id().map_or_else(Span::none, span);
            tokio::spawn(filling.run().instrument(span));
            Ok(())
        }
        Err(failure) => {
            let failure = Arc::new(failure);
            core.node.flights.close(flight);
            flight.tell(Progress::Failed(Arc::clone(&failure)));
            Err(failure)
        }
    }
}
