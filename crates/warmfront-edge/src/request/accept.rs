use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Method, StatusCode, header};
use warmfront_caching::{Switches, ViewerFacts};
use warmfront_model::Timestamp;

use crate::identifiers::request_id;
use crate::interim::InterimSink;
use crate::node::Node;
use crate::outcome::Reason;
use crate::request::Viewer;
use crate::request::answer::EarlyAnswer;
use crate::snapshot::Snapshot;
use crate::tier::ChildAsk;

/// A request's head, and what it is decided by: the time and the snapshot at its arrival.
pub(crate) struct Accepted {
    pub(crate) head: http::request::Parts,
    pub(crate) viewer: Viewer,
    /// Taken when the head had arrived: it holds every entry that was known then.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) now: Timestamp,
    /// Whether the node had no lease when the head had arrived: then nothing of its cache is trusted, nothing in flight is
    /// joined, and the origin is asked directly.
    pub(crate) fenced: bool,
    /// On a regional node: what the POP asks for beside its viewer.
    pub(crate) child: Option<ChildAsk>,
    pub(crate) switches: Switches,
    /// Whether the answer is to say why.
    pub(crate) explains: bool,
    /// Once it is not answered at once.
    pub(crate) pending: Option<Pending>,
    /// What the request said in X-Warmfront-Token.
    pub(crate) token: Option<HeaderValue>,
    /// Whether the node was waited for to apply what the token is of.
    pub(crate) has_waited: bool,
}

/// What a request has that is not answered at once, as an origin may have to be asked.
#[derive(Clone)]
pub(crate) struct Pending {
    /// The one id that its answer, the request to the origin and the log have.
    pub(crate) request_id: HeaderValue,
    /// When it came.
    pub(crate) since: Instant,
    /// Where interim responses go; `None` if its viewer wants none.
    pub(crate) interim: Option<InterimSink>,
}

impl Pending {
    pub(crate) fn begin(interim: Option<InterimSink>) -> Pending {
        Pending {
            request_id: request_id(),
            since: Instant::now(),
            interim,
        }
    }
}

impl Accepted {
    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.head.uri.query()
    }

    /// X-Amz-Cf-Id of its answer.
    pub(crate) fn request_id(&self) -> HeaderValue {
        let pending = self.pending.as_ref();
        pending.map_or_else(request_id, |pending| pending.request_id.clone())
    }

    /// What the edge itself knows of the viewer.
    pub(crate) fn facts(&self) -> ViewerFacts {
        ViewerFacts {
            ip: self.viewer.ip,
            is_https: self.viewer.is_https,
            version: self.head.version,
        }
    }

    /// How often the request has come through this edge already: an origin may lead back here.
    ///
    /// Source: RFC 9110 section 7.6.3 (Via tells request loops).
    pub(crate) fn n_passages(&self, node: &Node) -> usize {
        let ours = node.via.as_bytes();
        let vias = self.head.headers.get_all(header::VIA).iter();
        vias.flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
            .filter(|via| via.trim_ascii() == ours)
            .count()
    }

    /// The authority that the request is for.
    pub(crate) fn authority(&self) -> Option<&str> {
        self.head.headers.get(header::HOST)?.to_str().ok()
    }
}

/// An absolute target's authority takes the place of whatever Host says, so that routing, cache key and origin all see
/// the same one.
///
/// Source: RFC 9112 section 3.2.2.
pub(crate) fn take_host_from_target(head: &mut http::request::Parts) {
    let authority = head.uri.authority();
    if let Some(host) = authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok()) {
        head.headers.insert(header::HOST, host);
    }
}

/// Refuses what is too large, and what is no request for a resource.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins" (GET requests with a body),
/// "Quotas" (CloudFront in front of CloudFront); RFC 9112 section 3.2 (Host).
pub(crate) fn accept<'a>(node: &Node, accepted: &'a Accepted) -> Result<&'a Accepted, EarlyAnswer> {
    const PASSAGES_MAX: usize = 2;
    let (limits, head) = (&node.limits, &accepted.head);
    if head.headers.contains_key(header::VIA) && accepted.n_passages(node) >= PASSAGES_MAX {
        return Err(EarlyAnswer::Page(
            Reason::RequestLoop,
            StatusCode::FORBIDDEN,
            "Bad request. The request goes in circles: the origin leads back to this edge.".into(),
        ));
    }
    let url_bytes = accepted.path().len() + accepted.query().map_or(0, |query| query.len() + 1);
    if url_bytes > limits.url_bytes_max {
        return Err(EarlyAnswer::Page(
            Reason::UrlTooLong,
            StatusCode::URI_TOO_LONG,
            "The URL is too long.".into(),
        ));
    }
    let header_bytes: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if header_bytes > limits.header_bytes_max {
        return Err(EarlyAnswer::HeaderTooLarge);
    }
    if !accepted.path().starts_with('/') {
        return Err(EarlyAnswer::Page(
            Reason::NoPath,
            StatusCode::BAD_REQUEST,
            "Bad request. The request names no path.".into(),
        ));
    }
    let has_body = head.headers.contains_key(header::TRANSFER_ENCODING)
        || head
            .headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    if has_body && matches!(head.method, Method::GET | Method::HEAD) {
        return Err(EarlyAnswer::Page(
            Reason::UnexpectedBody,
            StatusCode::FORBIDDEN,
            "Bad request. A GET or HEAD request has no body.".into(),
        ));
    }
    match head.headers.get_all(header::HOST).iter().count() {
        0 => Err(EarlyAnswer::Page(
            Reason::NoHost,
            StatusCode::BAD_REQUEST,
            "Bad request. The request has no Host.".into(),
        )),
        1 => Ok(accepted),
        _ => Err(EarlyAnswer::Page(
            Reason::SeveralHosts,
            StatusCode::BAD_REQUEST,
            "Bad request. The request has several Hosts.".into(),
        )),
    }
}
