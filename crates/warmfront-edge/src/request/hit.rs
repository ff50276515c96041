use bytes::Bytes;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{Method, Response};
use warmfront_invalidation::Proven;
use warmfront_store::StoredResponse;

use crate::access_log::{AnsweredHead, Ledger};
use crate::body::ViewerBody;
use crate::core::Core;
use crate::direct::{is_writable, write_field, write_head, write_status};
use crate::identifiers::request_id_text;
use crate::outcome::{Outcome, Reason, ResultType};
use crate::request::answer::{age, from_cache};
use crate::request::find::Found;
use crate::request::key::Keyed;
use crate::request::watch::{note, say};

/// What follows a head that has been written: the whole body, in memory.
pub(crate) enum DirectBody {
    Stored(Proven<StoredResponse>),
    Other(Response<ViewerBody>),
}

impl DirectBody {
    /// Its slices, in order.
    pub(crate) fn slices(&self) -> &[Bytes] {
        match self {
            DirectBody::Stored(response) => StoredResponse::slices(response),
            DirectBody::Other(response) => response.body().in_memory(),
        }
        .unwrap_or_default()
    }
}

/// Answers with what was found if that lies in memory, and asks no more than to be sent: appends the head to `text`. `None`:
/// nothing has been done yet.
pub(crate) fn answer_hit(
    core: &Core,
    keyed: &Keyed<'_>,
    found: Found,
    ledger: Option<&Ledger>,
    text: &mut Vec<u8>,
) -> Option<DirectBody> {
    let found = match found {
        Found::Fresh(response) if is_plain(keyed) => match write_plain(core, keyed, &response, ledger, text) {
            Some(()) => return Some(DirectBody::Stored(response)),
            None => Found::Fresh(response),
        },
        found => found,
    };
    let (response, reason) = found
        .usable()
        .filter(|&(_, reason)| reason != Reason::StaleWhileRevalidate)?;
    let accepted = keyed.routed.accepted;
    let answer = from_cache(keyed, response, reason).ok()?;
    if !is_writable(&answer.response, &accepted.head.method) {
        return None;
    }
    if let Some(ledger) = ledger {
        ledger.begin();
    }
    let response = note(core, accepted, answer, ledger);
    text.clear();
    write_head(text, response.status(), response.headers());
    Some(DirectBody::Other(response))
}

/// Whether the answer is the stored response as it is, but for Age and its id.
fn is_plain(keyed: &Keyed<'_>) -> bool {
    let accepted = keyed.routed.accepted;
    let request = &accepted.head;
    request.method == Method::GET
        && !accepted.explains
        && keyed.routed.behavior.response_headers_policy.is_none()
        && !request.headers.contains_key(IF_NONE_MATCH)
        && !request.headers.contains_key(IF_MODIFIED_SINCE)
}

/// Writes the head from the stored fields, without a map of them. `None`: the response is not framed so that it can be.
///
/// Source: RFC 9112 section 6.3; RFC 9110 section 6.6.1 (Date).
fn write_plain(
    core: &Core,
    keyed: &Keyed<'_>,
    response: &Proven<StoredResponse>,
    ledger: Option<&Ledger>,
    text: &mut Vec<u8>,
) -> Option<()> {
    let accepted = keyed.routed.accepted;
    let head = response.head();
    let outcome = Outcome::stored(Reason::Fresh, head.lifetime().rule);
    let n_bytes = response.body_bytes()?;
    if outcome.result_type(head.status) != ResultType::Hit || StoredResponse::slices(response).is_none() {
        return None;
    }
    let (mut length, mut content_type, mut has_date) = (None, None, false);
    text.clear();
    write_status(text, head.status);
    for (name, value) in head.fields() {
        match name {
            b"age" | b"x-amz-cf-id" => continue,
            b"connection" | b"transfer-encoding" | b"upgrade" => return None,
            b"content-length" if length.is_some() => return None,
            b"content-length" => length = Some(value),
            b"content-type" => content_type = Some(value),
            b"date" => has_date = true,
            _ => {}
        }
        write_field(text, name, value);
    }
    let mut number = itoa::Buffer::new();
    if !has_date || length != Some(number.format(n_bytes).as_bytes()) {
        return None;
    }
    let id = request_id_text();
    write_field(text, b"age", number.format(age(head, accepted)).as_bytes());
    write_field(text, b"x-amz-cf-id", &id);
    text.extend_from_slice(b"\r\n");
    core.counters.answered(outcome, Some(head.status));
    say(accepted, outcome, std::str::from_utf8(&id).ok(), Some(head.status));
    if let Some(ledger) = ledger {
        let answered = AnsweredHead {
            status: head.status,
            request_id: Some(&id),
            content_type,
            content_length: length,
        };
        ledger.begin();
        ledger.answer(keyed.routed.site, accepted, outcome, Some(answered));
    }
    Some(())
}
