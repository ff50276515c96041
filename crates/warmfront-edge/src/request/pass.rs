use std::sync::Arc;

use http::header::{AGE, DATE};
use http::{HeaderValue, Method, Response};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use warmfront_caching::{Purpose, changed_urls, initial_age_secs, viewer_headers};
use warmfront_http::format_http_date;

use crate::body::ViewerBody;
use crate::core::Core;
use crate::node::{FetchPlace, Node};
use crate::origin::{FetchFailure, OriginBody, RequestBody};
use crate::outcome::{FetchReason, Kept, Outcome, Reason};
use crate::request::admit::Admitted;
use crate::request::answer::{Answer, EarlyAnswer, apply_policy, mark};
use crate::request::key::{rules, url_in_keys};
use crate::request::plan::FetchPlan;
use crate::request::route::Routed;

/// Sends a request to its origin and the answer to its viewer, and keeps nothing: for methods that are not cached, where
/// caching is off, and where the node has not applied what the request's token is of.
pub(crate) async fn pass(
    core: &Arc<Core>,
    Admitted(routed): Admitted<'_>,
    reason: FetchReason,
    body: Incoming,
) -> Result<Answer, EarlyAnswer> {
    let method = &routed.accepted.head.method;
    let body = match *method {
        Method::GET | Method::HEAD => Either::Left(Empty::new()),
        _ => Either::Right(body),
    };
    let passed = Passed::ask(core, &routed, body).await.map_err(EarlyAnswer::Failure)?;
    note_changes(&core.node, &routed, &passed.head);
    let outcome = Outcome {
        reason: Reason::Passed,
        fetch: Some(reason),
        kept: rules(&routed, 0).not_cached(method).map(Kept::Not),
    };
    Ok(passed.into_answer(&core.node, &routed, outcome))
}

/// What an origin answered to one viewer's request, which goes to that viewer alone.
pub(crate) struct Passed {
    /// As the origin sent it.
    pub(crate) head: http::response::Parts,
    body: OriginBody,
    place: FetchPlace,
}

impl Passed {
    /// Sends the request to the origin, the viewer's conditions and ranges included.
    pub(crate) async fn ask(
        core: &Arc<Core>,
        routed: &Routed<'_>,
        body: RequestBody,
    ) -> Result<Passed, Arc<FetchFailure>> {
        let place = core.node.begin_fetch().ok_or(FetchFailure::Overload)?;
        let plan = FetchPlan::plan(&core.node, routed, Purpose::Pass, None, None)?;
        let response = core.ask(&plan.ticket, &plan.request, body).await?;
        let (head, body) = response.into_parts();
        Ok(Passed { head, body, place })
    }

    /// The answer to the viewer.
    pub(crate) fn into_answer(self, node: &Node, routed: &Routed<'_>, outcome: Outcome) -> Answer {
        let Passed { mut head, body, place } = self;
        let accepted = routed.accepted;
        let age_secs = initial_age_secs(&head.headers, accepted.now, &node.switches);
        head.headers = viewer_headers(head.headers, &rules(routed, head.status.as_u16()));
        if !head.headers.contains_key(DATE) {
            head.headers.insert(DATE, format_http_date(node.clock.now()));
        }
        head.headers.insert(AGE, HeaderValue::from(age_secs));
        mark(
            node,
            &mut head.headers,
            outcome.result_type(head.status),
            accepted.request_id(),
        );
        let upstream = head.extensions.get().copied();
        apply_policy(routed, outcome.reason, upstream, &mut head.headers);
        let body = if accepted.head.method == Method::HEAD {
            ViewerBody::Empty
        } else {
            ViewerBody::Origin(Box::new((body, place)))
        };
        Answer {
            response: Response::from_parts(head, body),
            outcome,
            used: None,
        }
    }
}

/// Before the viewer learns of its success: whoever asks afterwards must not find what was there before.
fn note_changes(node: &Node, routed: &Routed<'_>, answered: &http::response::Parts) {
    if !node.switches.unsafe_methods_invalidate {
        return;
    }
    let head = &routed.accepted.head;
    let host = routed.accepted.authority().unwrap_or_default();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    for url in changed_urls(&head.method, answered.status, (host, target), &answered.headers) {
        let url = url_in_keys(routed, &url);
        node.changes.note(&routed.site.distribution.id, url.as_bytes());
    }
}
