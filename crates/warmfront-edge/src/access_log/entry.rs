use std::net::IpAddr;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use warmfront_model::Timestamp;

use crate::access_log::Peer;
use crate::outcome::{Outcome, ResultType};
use crate::request::{Accepted, X_AMZ_CF_ID};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a line of the access log is made of.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When the last byte was sent.
    pub(crate) at: Timestamp,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) is_https: bool,
    pub(crate) version: Version,
    /// `None`: the viewer left before there was one.
    pub(crate) status: Option<StatusCode>,
    pub(crate) outcome: Outcome,
    pub(crate) end: End,
    /// From the request's head to the last byte of the answer.
    pub(crate) taken: Duration,
    /// To its first byte.
    pub(crate) first_byte: Duration,
    /// One after the other, in the order of [`Text`].
    texts: Vec<u8>,
    /// Where each of them ends.
    text_ends: [u16; N_TEXTS],
}

/// How an answer's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All of it was sent.
    Whole,
    /// The viewer left before.
    ViewerLeft,
    /// The origin broke off.
    OriginBrokeOff,
}

/// What is known of a TLS connection, in OpenSSL's words, as CloudFront's log has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TlsFacts {
    pub(crate) protocol: &'static str,
    pub(crate) cipher: &'static str,
}

/// The texts of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    Method,
    Stem,
    Query,
    Host,
    Referer,
    UserAgent,
    Cookie,
    ForwardedFor,
    RequestId,
    ContentType,
    ContentLength,
}

const N_TEXTS: usize = 11;

/// What a line says of an answer's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnsweredHead<'a> {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<&'a [u8]>,
    pub(crate) content_type: Option<&'a [u8]>,
    pub(crate) content_length: Option<&'a [u8]>,
}

impl<'a> AnsweredHead<'a> {
    pub(crate) fn of(status: StatusCode, headers: &'a HeaderMap) -> AnsweredHead<'a> {
        let field = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
        AnsweredHead {
            status,
            request_id: field(X_AMZ_CF_ID),
            content_type: field(CONTENT_TYPE),
            content_length: field(CONTENT_LENGTH),
        }
    }
}

/// Longer texts are cut: a line has a limit, and all of them together have less than 64 KiB.
const TEXT_BYTES_MAX: usize = 2 * 1024;

impl Entry {
    /// Takes what is known once a request is answered. `answered` is the head of the answer; cookies are
    /// taken where the distribution's logging includes them. The texts go to `memory`, whatever it held.
    pub(crate) fn of(
        accepted: &Accepted,
        peer: Peer,
        outcome: Outcome,
        answered: Option<AnsweredHead<'_>>,
        with_cookies: bool,
        mut memory: Vec<u8>,
    ) -> Entry {
        let (request, viewer) = (&accepted.head, &accepted.viewer);
        let field = |name: &HeaderName| request.headers.get(name).map(HeaderValue::as_bytes);
        let pending = accepted.pending.as_ref();
        let pending_id = pending.map(|pending| pending.request_id.as_bytes());
        let texts: [Option<&[u8]>; N_TEXTS] = [
            Some(request.method.as_str().as_bytes()),
            Some(accepted.path().as_bytes()),
            accepted.query().map(str::as_bytes),
            field(&HOST),
            field(&REFERER),
            field(&USER_AGENT),
            field(&COOKIE).filter(|_| with_cookies),
            field(&X_FORWARDED_FOR),
            answered.and_then(|head| head.request_id).or(pending_id),
            answered.and_then(|head| head.content_type),
            answered.and_then(|head| head.content_length),
        ];
        memory.clear();
        let text_ends = texts.map(|text| {
            let text = text.unwrap_or_default();
            memory.extend_from_slice(text.get(..TEXT_BYTES_MAX).unwrap_or(text));
            u16::try_from(memory.len()).unwrap_or(u16::MAX)
        });
        Entry {
            at: accepted.now,
            sent_bytes: 0,
            received_bytes: 0,
            ip: viewer.ip,
            port: peer.port,
            tls: peer.tls,
            is_https: viewer.is_https,
            version: request.version,
            status: answered.map(|head| head.status),
            outcome,
            end: End::ViewerLeft,
            taken: Duration::ZERO,
            first_byte: Duration::ZERO,
            texts: memory,
            text_ends,
        }
    }

    /// One of its texts; empty if there is none.
    pub(crate) fn text(&self, which: Text) -> &[u8] {
        let end_of = |which: usize| self.text_ends.get(which).map_or(0, |&end| usize::from(end));
        let begin = (which as usize).checked_sub(1).map_or(0, end_of);
        self.texts.get(begin..end_of(which as usize)).unwrap_or_default()
    }

    /// The memory of its texts, to be used again.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.texts
    }

    /// CloudFront's word just before the first byte.
    pub(crate) fn response_result_type(&self) -> ResultType {
        match self.status {
            Some(status) => self.outcome.result_type(status),
            None => ResultType::Error,
        }
    }

    /// CloudFront's word after the last byte.
    pub(crate) fn result_type(&self) -> ResultType {
        match self.end {
            End::Whole => self.response_result_type(),
            End::ViewerLeft | End::OriginBrokeOff => ResultType::Error,
        }
    }

    /// What went wrong, or the result type.
    pub(crate) fn detailed_result_type(&self) -> &'static str {
        match self.end {
            End::Whole => self.outcome.reason.detailed_error(),
            End::ViewerLeft => Some("ClientCommError"),
            End::OriginBrokeOff => Some("OriginCommError"),
        }
        .unwrap_or(self.result_type().as_str())
    }
}
