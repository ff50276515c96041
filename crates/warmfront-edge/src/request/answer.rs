use std::borrow::Cow;
use std::sync::Arc;

use http::header::{AGE, CONNECTION, CONTENT_LENGTH, LOCATION, RETRY_AFTER, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use warmfront_caching::{
    Answered, Precondition, Served, Upstream, age_secs, apply_response_headers_policy, not_modified_headers,
    viewer_conditions,
};
use warmfront_invalidation::Proven;
use warmfront_store::{StoredHead, StoredResponse};

use crate::body::ViewerBody;
use crate::error_page::error_page;
use crate::identifiers::random;
use crate::node::Node;
use crate::origin::FetchFailure;
use crate::outcome::{Outcome, Reason, ResultType};
use crate::request::accept::Accepted;
use crate::request::key::Keyed;
use crate::request::route::Routed;

pub(crate) const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
pub(crate) const X_AMZ_CF_POP: HeaderName = HeaderName::from_static("x-amz-cf-pop");
pub(crate) const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");

/// What a viewer is answered, and why.
pub(crate) struct Answer {
    pub(crate) response: Response<ViewerBody>,
    pub(crate) outcome: Outcome,
    /// The stored or arriving response that answers, if that is to be explained.
    pub(crate) used: Option<Proven<StoredResponse>>,
}

/// An answer that needs no response from an origin or the cache.
#[derive(Debug)]
pub(crate) enum EarlyAnswer {
    /// A page of the edge's own.
    Page(Reason, StatusCode, Cow<'static, str>),
    /// 494, after which the connection is closed.
    HeaderTooLarge,
    /// To another URL.
    Redirect(StatusCode, String),
    /// A regional node does not know the request as the POP that sends it does.
    OtherConfiguration,
    /// The origin gave no answer.
    Failure(Arc<FetchFailure>),
}

impl EarlyAnswer {
    pub(crate) fn into_answer(self, node: &Node, accepted: &Accepted) -> Answer {
        if let Some(child) = &accepted.child {
            return child.refuse_with(&self);
        }
        let request_id = accepted.request_id();
        let (mut response, reason) = match self {
            EarlyAnswer::Page(reason, status, message) => (error_page(status, &message, &request_id), reason),
            EarlyAnswer::HeaderTooLarge => {
                let status = StatusCode::from_u16(494).unwrap_or(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
                let mut response = error_page(status, "The request's headers are too large.", &request_id);
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
                (response, Reason::HeadersTooLarge)
            }
            EarlyAnswer::Redirect(status, location) => (redirect(status, &location), Reason::RedirectToHttps),
            EarlyAnswer::OtherConfiguration => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let page = error_page(status, "The configuration is changing.", &request_id);
                (page, Reason::OtherConfiguration)
            }
            EarlyAnswer::Failure(failure) => {
                let host = accepted.authority().unwrap_or_default();
                tracing::warn!(
                    %failure,
                    request_id = request_id.to_str().unwrap_or_default(),
                    host,
                    path = accepted.path(),
                    reason = failure.reason().as_str(),
                    "no answer from the origin"
                );
                let mut response = error_page(failure.status(), failure_message(&failure), &request_id);
                if failure.is_for_lack_of_room() {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
                }
                (response, failure.reason())
            }
        };
        let outcome = Outcome::own(reason);
        let result_type = outcome.result_type(response.status());
        mark(node, response.headers_mut(), result_type, request_id);
        Answer {
            response,
            outcome,
            used: None,
        }
    }
}

/// What the viewer is told: not the origin's address, nor what lies behind the edge.
pub(crate) fn failure_message(failure: &FetchFailure) -> &'static str {
    match failure.status() {
        StatusCode::GATEWAY_TIMEOUT => {
            "We can't connect to the server for this app or website at this time: the origin did not answer in time."
        }
        StatusCode::SERVICE_UNAVAILABLE => "The edge has too much to do at this time.",
        _ => "The edge could not connect to the origin, or could not read its answer.",
    }
}

fn redirect(status: StatusCode, location: &str) -> Response<ViewerBody> {
    let mut response = Response::new(ViewerBody::Empty);
    *response.status_mut() = status;
    if let Ok(location) = HeaderValue::from_bytes(location.as_bytes()) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The fields that every answer carries.
pub(crate) fn mark(node: &Node, headers: &mut HeaderMap, result_type: ResultType, request_id: HeaderValue) {
    headers.insert(X_CACHE, result_type.x_cache());
    headers.insert(VIA, node.via.clone());
    headers.insert(X_AMZ_CF_POP, node.pop.clone());
    headers.insert(X_AMZ_CF_ID, request_id);
}

/// Makes a head ready to be stored: it has the fields that every hit carries, so that answering only replaces values.
pub(crate) fn prepare(node: &Node, headers: &mut HeaderMap) {
    headers.insert(AGE, HeaderValue::from_static("0"));
    mark(node, headers, ResultType::Hit, HeaderValue::from_static(""));
}

/// Answers from the store.
pub(crate) fn from_cache(
    keyed: &Keyed<'_>,
    response: &Proven<StoredResponse>,
    reason: Reason,
) -> Result<Answer, EarlyAnswer> {
    let outcome = Outcome::stored(reason, response.head().lifetime().rule);
    from_response(&keyed.routed, response, outcome, OfFetch::default())
        .ok_or_else(|| EarlyAnswer::Failure(Arc::new(FetchFailure::Abandoned)))
}

/// What a fetch brought besides its response, for a request that waited for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OfFetch<'a> {
    /// Headers of the origin's that are not kept with the response, for the request that began the fetch.
    pub(crate) withheld: Option<&'a HeaderMap>,
    /// How long the origin took.
    pub(crate) upstream: Option<Upstream>,
}

/// Answers with a response that is not covered; `None` if its body can no longer be had from the beginning.
///
/// The viewer's own conditions are answered here, after the proof. The behavior's policy has the last word on what was
/// withheld, too.
pub(crate) fn from_response(
    routed: &Routed<'_>,
    response: &Proven<StoredResponse>,
    outcome: Outcome,
    of_fetch: OfFetch<'_>,
) -> Option<Answer> {
    let accepted = routed.accepted;
    if let Some(child) = &accepted.child {
        return child.give(routed, response, outcome, of_fetch.withheld);
    }
    let head = response.head();
    let request = &accepted.head;
    let mut headers = head.headers();
    let (status, body) = match viewer_conditions(&request.method, &request.headers, head.status, &headers) {
        Precondition::NotModified => {
            headers = not_modified_headers(&headers);
            (StatusCode::NOT_MODIFIED, ViewerBody::Empty)
        }
        Precondition::None if request.method == Method::HEAD => {
            if let Some(bytes) = response.body_bytes() {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
            }
            (head.status, ViewerBody::Empty)
        }
        Precondition::None => (head.status, ViewerBody::Stored(StoredResponse::open(response)?)),
    };
    let shown = outcome.result_type(head.status);
    if shown != ResultType::Hit {
        headers.insert(X_CACHE, shown.x_cache());
    }
    headers.insert(X_AMZ_CF_ID, accepted.request_id());
    headers.insert(AGE, HeaderValue::from(age(head, accepted)));
    if let Some(withheld) = of_fetch.withheld {
        headers.extend(withheld.clone());
    }
    apply_policy(routed, outcome.reason, of_fetch.upstream, &mut headers);
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Some(Answer {
        response: answer,
        outcome,
        used: accepted.explains.then(|| response.clone()),
    })
}

/// Changes an answer as its behavior's response headers policy says. What is stored stays as it is, so that a policy that
/// changes shows at once. The answer has the fields that every answer carries.
pub(crate) fn apply_policy(routed: &Routed<'_>, reason: Reason, upstream: Option<Upstream>, headers: &mut HeaderMap) {
    let Some(policy) = &routed.behavior.response_headers_policy else {
        return;
    };
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (pop, request_id) = (text(X_AMZ_CF_POP), text(X_AMZ_CF_ID));
    let answered = Answered {
        method: &routed.accepted.head.method,
        viewer: &routed.accepted.head.headers,
        now: routed.accepted.now,
        random: random(),
        served: match reason.result_type() {
            ResultType::Hit if reason == Reason::RegionalHit => Served::FromRegion,
            ResultType::Hit => Served::FromCache,
            ResultType::RefreshHit => Served::Refreshed,
            ResultType::Miss | ResultType::LimitExceeded | ResultType::Error | ResultType::Redirect => {
                Served::FromOrigin
            }
        },
        upstream,
        downstream: routed.accepted.pending.as_ref().map(|pending| pending.since.elapsed()),
        pop: &pop,
        request_id: &request_id,
    };
    apply_response_headers_policy(policy, headers, &answered);
}

/// The Age that an answer with this head has.
pub(crate) fn age(head: &StoredHead, accepted: &Accepted) -> u64 {
    age_secs(head.lifetime().initial_age_secs, head.response_time, accepted.now)
}
