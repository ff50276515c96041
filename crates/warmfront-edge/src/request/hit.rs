use std::cell::RefCell;
use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{Method, Response, StatusCode};
use warmfront_invalidation::Proven;
use warmfront_store::{Ready, StoredHead, StoredResponse};

use crate::access_log::{AnsweredHead, HitLine, Ledger};
use crate::body::ViewerBody;
use crate::core::Core;
use crate::direct::{is_writable, may_have_body, say_length, write_field, write_head, write_status};
use crate::identifiers::request_id_text;
use crate::outcome::{Outcome, Reason, ResultType};
use crate::request::accept::Accepted;
use crate::request::answer::{age, from_cache};
use crate::request::find::Found;
use crate::request::key::Keyed;
use crate::request::watch::{note, say};

/// An answer whose head has been written.
pub(crate) struct DirectAnswer {
    body: Body,
    /// If it is logged.
    pub(crate) line: Option<HitLine>,
}

/// A whole body in memory.
enum Body {
    Stored(Proven<StoredResponse>),
    Other(Response<ViewerBody>),
}

impl DirectAnswer {
    /// The body's slices, in order.
    pub(crate) fn slices(&self) -> &[Bytes] {
        match &self.body {
            Body::Stored(response) => StoredResponse::slices(response),
            Body::Other(response) => response.body().in_memory(),
        }
        .unwrap_or_default()
    }
}

/// Where a hit is logged, and when its head was here.
pub(crate) type Logged<'a> = Option<(&'a Ledger, Instant)>;

/// Answers with what was found if that lies in memory, and asks no more than to be sent: appends the head to `text`. `None`:
/// nothing has been done yet.
pub(crate) fn answer_hit(
    core: &Core,
    keyed: &Keyed<'_>,
    found: Found,
    logged: Logged<'_>,
    text: &mut Vec<u8>,
) -> Option<DirectAnswer> {
    let (accepted, site) = (keyed.routed.accepted, keyed.routed.site);
    let log = |outcome, answered| logged.map(|(ledger, began)| ledger.hit(site, accepted, outcome, answered, began));
    if let Found::Fresh(response) = &found
        && is_plain(keyed)
        && let Some(plain) = write_plain(accepted, response, text)
    {
        core.counters.answered(plain.outcome, Some(plain.status));
        say(
            accepted,
            plain.outcome,
            std::str::from_utf8(&plain.id).ok(),
            Some(plain.status),
        );
        let line = log(plain.outcome, plain.for_log(text));
        let Found::Fresh(response) = found else { return None };
        let body = Body::Stored(response);
        return Some(DirectAnswer { body, line });
    }
    let (response, reason) = found
        .usable()
        .filter(|&(_, reason)| reason != Reason::StaleWhileRevalidate)?;
    let answer = from_cache(keyed, response, reason).ok()?;
    if !is_writable(&answer.response, &accepted.head.method) {
        return None;
    }
    let outcome = answer.outcome;
    let mut response = note(core, accepted, answer, None);
    let line = log(outcome, AnsweredHead::of(response.status(), response.headers()));
    say_length(&mut response, &accepted.head.method);
    text.clear();
    write_head(text, response.status(), response.headers());
    let body = Body::Other(response);
    Some(DirectAnswer { body, line })
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

/// What is to be said of a head that was written from stored fields.
struct Plain {
    status: StatusCode,
    outcome: Outcome,
    id: [u8; 56],
    /// Where values are in what was written.
    content_type: Option<Range<usize>>,
    content_length: Option<Range<usize>>,
}

impl Plain {
    fn for_log<'a>(&'a self, text: &'a [u8]) -> AnsweredHead<'a> {
        let value = |place: &Option<Range<usize>>| text.get(place.clone()?);
        AnsweredHead {
            status: self.status,
            request_id: Some(&self.id),
            content_type: value(&self.content_type),
            content_length: value(&self.content_length),
        }
    }
}

thread_local! {
    static LINES: RefCell<Ready<FieldLines>> = const { RefCell::new(Ready::new()) };
}

/// Writes the head from the stored fields, without a map of them. `None`: the response is not framed so that it can be.
///
/// Source: RFC 9112 section 6.3.
fn write_plain(accepted: &Accepted, response: &Proven<StoredResponse>, text: &mut Vec<u8>) -> Option<Plain> {
    let head = response.head();
    let outcome = Outcome::stored(Reason::Fresh, head.lifetime().rule);
    let is_hit = outcome.result_type(head.status) == ResultType::Hit;
    if !is_hit || !may_have_body(head.status) || StoredResponse::slices(response).is_none() {
        return None;
    }
    let mut number = itoa::Buffer::new();
    let n_bytes = number.format(response.body_bytes()?).as_bytes();
    text.clear();
    write_status(text, head.status);
    let (content_type, content_length) = Ready::with(&LINES, head, FieldLines::of, |lines| {
        let begin = text.len();
        text.extend_from_slice(&lines.text);
        let place = |place: &Option<Range<usize>>| Some(begin + place.as_ref()?.start..begin + place.as_ref()?.end);
        lines
            .is_whole
            .then(|| (place(&lines.content_type), place(&lines.content_length)))
    })?;
    match content_length.clone().map(|place| text.get(place)) {
        None => write_field(text, b"content-length", n_bytes),
        Some(length) if length == Some(n_bytes) => {}
        Some(_) => return None,
    }
    let id = request_id_text();
    write_field(text, b"age", number.format(age(head, accepted)).as_bytes());
    write_field(text, b"x-amz-cf-id", &id);
    text.extend_from_slice(b"\r\n");
    Some(Plain {
        status: head.status,
        outcome,
        id,
        content_type,
        content_length,
    })
}

/// Stored fields as lines of an HTTP/1.1 message, but for those that differ from answer to answer.
struct FieldLines {
    text: Vec<u8>,
    /// Where their values are.
    content_type: Option<Range<usize>>,
    content_length: Option<Range<usize>>,
    /// Whether a head needs no more than these, a length, Age and an id.
    is_whole: bool,
}

impl FieldLines {
    /// Source: RFC 9112 sections 5 and 6; RFC 9110 section 6.6.1 (Date).
    fn of(head: &StoredHead) -> FieldLines {
        let mut lines = FieldLines {
            text: Vec::new(),
            content_type: None,
            content_length: None,
            is_whole: true,
        };
        let mut has_date = false;
        for (name, value) in head.fields() {
            if matches!(name, b"age" | b"x-amz-cf-id") {
                continue;
            }
            write_field(&mut lines.text, name, value);
            let end = lines.text.len() - b"\r\n".len();
            let place = Some(end - value.len()..end);
            match name {
                b"connection" | b"transfer-encoding" | b"upgrade" => lines.is_whole = false,
                b"content-length" if lines.content_length.is_some() => lines.is_whole = false,
                b"content-length" => lines.content_length = place,
                b"content-type" => lines.content_type = place,
                b"date" => has_date = true,
                _ => {}
            }
        }
        lines.is_whole &= has_date;
        lines
    }
}
