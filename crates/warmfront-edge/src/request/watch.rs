use http::Response;

use crate::body::ViewerBody;
use crate::request::accept::Accepted;
use crate::request::answer::{Answer, X_AMZ_CF_ID};

/// Says what became of a request, by the words of its outcome, wherever that is to be seen.
pub(crate) fn note(accepted: &Accepted, Answer { response, outcome }: Answer) -> Response<ViewerBody> {
    tracing::debug!(
        request_id = response.headers().get(X_AMZ_CF_ID).and_then(|id| id.to_str().ok()),
        method = %accepted.head.method,
        host = accepted.authority(),
        path = accepted.path(),
        status = response.status().as_u16(),
        result = outcome.result_type(response.status()).as_str(),
        reason = outcome.reason.as_str(),
        fetch = outcome.fetch_word(),
        kept = outcome.kept_word(),
        "answered"
    );
    response
}
