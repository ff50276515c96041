use http::{HeaderValue, Response, StatusCode};
use tracing::Span;

use crate::access_log::{AnsweredHead, Ledger};
use crate::body::ViewerBody;
use crate::core::Core;
use crate::outcome::{Outcome, Reason};
use crate::request::accept::Accepted;
use crate::request::answer::{Answer, X_AMZ_CF_ID};
use crate::request::explain;
use crate::request::route::find_site;

/// Says what became of a request, by the words of its outcome, wherever that is to be seen: in the metrics, in the log, and
/// in the answer itself for those who may ask.
pub(crate) fn note(core: &Core, accepted: &Accepted, answer: Answer, ledger: Option<&Ledger>) -> Response<ViewerBody> {
    let Answer {
        mut response,
        outcome,
        used,
    } = answer;
    core.counters.answered(outcome, Some(response.status()));
    if accepted.explains {
        let status = response.status();
        explain::explain(
            &core.node,
            accepted,
            outcome,
            used.as_ref(),
            status,
            response.headers_mut(),
        );
    }
    let id = response.headers().get(X_AMZ_CF_ID).and_then(|id| id.to_str().ok());
    say(accepted, outcome, id, Some(response.status()));
    if let Some(ledger) = ledger {
        let answered = AnsweredHead::of(response.status(), response.headers());
        log(ledger, accepted, outcome, Some(answered));
    }
    response
}

/// What the log says of all that is done for the request with this X-Amz-Cf-Id.
pub(crate) fn span(request_id: &HeaderValue) -> Span {
    tracing::info_span!("request", id = request_id.to_str().unwrap_or_default())
}

/// A request that waits for an origin. Dropped without [`Waited::ends`], its viewer has left.
pub(crate) struct Waited<'a> {
    core: &'a Core,
    accepted: &'a Accepted,
    ledger: Option<&'a Ledger>,
    ended: bool,
}

impl<'a> Waited<'a> {
    pub(crate) fn begin(core: &'a Core, accepted: &'a Accepted, ledger: Option<&'a Ledger>) -> Waited<'a> {
        Waited {
            core,
            accepted,
            ledger,
            ended: false,
        }
    }

    /// It is answered.
    pub(crate) fn ends(mut self) {
        self.ended = true;
    }
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let outcome = Outcome::own(Reason::ViewerLeft);
            self.core.counters.answered(outcome, None);
            let id = self.accepted.request_id();
            say(self.accepted, outcome, id.to_str().ok(), None);
            if let Some(ledger) = self.ledger {
                log(ledger, self.accepted, outcome, None);
            }
        }
    }
}

/// A request that no distribution answers to is in no distribution's log.
fn log(ledger: &Ledger, accepted: &Accepted, outcome: Outcome, answered: Option<AnsweredHead<'_>>) {
    if let Some(site) = find_site(accepted) {
        ledger.answer(site, accepted, outcome, answered);
    }
}

/// Neither query string nor header fields: they may hold what is secret.
pub(crate) fn say(accepted: &Accepted, outcome: Outcome, id: Option<&str>, status: Option<StatusCode>) {
    tracing::debug!(
        request_id = id,
        method = %accepted.head.method,
        host = accepted.authority(),
        path = accepted.path(),
        status = status.map(|status| status.as_u16()),
        result = status.map(|status| outcome.result_type(status).as_str()),
        reason = outcome.reason.as_str(),
        fetch = outcome.fetch_word(),
        kept = outcome.kept_word(),
        "answered"
    );
}
