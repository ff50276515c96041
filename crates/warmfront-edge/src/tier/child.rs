use std::sync::Arc;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use warmfront_caching::revalidation_headers;
use warmfront_invalidation::Proven;
use warmfront_model::Epoch;
use warmfront_store::StoredResponse;

use crate::body::ViewerBody;
use crate::core::Core;
use crate::node::Node;
use crate::outcome::{Kept, Outcome, Reason, ResultType};
use crate::request::{Accepted, Answer, EarlyAnswer, Pending, Routed, ask_origin, note, rules};
use crate::tier::message::{self, KeyHash, Verdict, copy_status};
use crate::tier::{Tier, TierSecret};

/// What a child asks of this node, beyond what its viewer asks.
pub(crate) struct ChildAsk {
    key: KeyHash,
    secret: TierSecret,
    seal: Vec<u8>,
    /// The conditions of the child's expired copy, and its status.
    copy: Option<(HeaderMap, String)>,
}

/// Answers a request on the listener between tiers. From anyone but a child of this deployment it is refused.
pub(crate) async fn answer_child(core: &Arc<Core>, request: Request<Incoming>) -> Response<ViewerBody> {
    let (mut head, body) = request.into_parts();
    let Some((child, min_epoch)) = ChildAsk::receive(&core.node, &mut head) else {
        return empty(StatusCode::FORBIDDEN);
    };
    let Some((viewer, version)) = message::read_viewer(&head.headers) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    if !catch_up(&core.node, min_epoch).await {
        return child.refuse(StatusCode::SERVICE_UNAVAILABLE, Reason::Behind).response;
    }
    restore(&mut head, version);
    // Whatever is older than the child needs counts as covered, wherever it is found: in the store, on disk, in flight.
    let mut snapshot = crate::snapshot::Snapshot::clone(&core.node.snapshot());
    snapshot.index.demand(min_epoch.revision);
    let accepted = Accepted {
        head,
        viewer,
        snapshot: Arc::new(snapshot),
        now: core.node.clock.now(),
        switches: core.node.switches,
        fenced: false,
        child: Some(child),
        explains: false,
        pending: Some(Pending::begin(None)),
        token: None,
        has_waited: false,
    };
    note(core, &accepted, ask_origin(core, &accepted, body).await, None)
}

/// Waits until this node has taken in what the child knows. False: it takes too long, or its journal is another.
async fn catch_up(node: &Node, min_epoch: Epoch) -> bool {
    if node.snapshot().index.applied().incarnation != min_epoch.incarnation {
        return false;
    }
    let caught_up = node.reaches(min_epoch.revision);
    tokio::time::timeout(node.limits.catch_up, caught_up).await.is_ok()
}

/// Makes of a child's request the one that its viewer sent.
fn restore(head: &mut http::request::Parts, version: http::Version) {
    use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
    let options = head.headers.remove(message::CONNECTION_OPTIONS);
    message::remove_ours(&mut head.headers);
    for name in [CONNECTION, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
        head.headers.remove(name);
    }
    if let Some(options) = options {
        head.headers.insert(CONNECTION, options);
    }
    head.version = version;
}

impl ChildAsk {
    fn receive(node: &Node, head: &mut http::request::Parts) -> Option<(ChildAsk, Epoch)> {
        use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
        let Tier::Regional(secret) = &node.tier else {
            return None;
        };
        if !message::is_from_child(secret, head) {
            tracing::warn!("a request on the listener between tiers comes from no child of this deployment");
            return None;
        }
        let headers = &head.headers;
        let copy = message::text(headers, &message::COPY).map(|copy| {
            let conditions = [IF_NONE_MATCH, IF_MODIFIED_SINCE]
                .into_iter()
                .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
                .collect();
            (conditions, copy.to_owned())
        });
        let child = ChildAsk {
            key: KeyHash::read(headers)?,
            secret: secret.clone(),
            seal: headers.get(message::SEAL)?.as_bytes().to_vec(),
            copy,
        };
        Some((child, message::read_epoch(headers, &message::MIN_EPOCH)?))
    }

    /// Whether this node makes the same key of the request as the child.
    pub(crate) fn has_key(&self, key: &[u8]) -> bool {
        self.key == KeyHash::of(key)
    }

    /// Gives a response that is not covered. `None`: its body can no longer be had from the beginning.
    ///
    /// A 304 says that the child's copy has the same validators and the same status; its tags come with the head.
    pub(crate) fn give(
        &self,
        routed: &Routed<'_>,
        response: &Proven<StoredResponse>,
        outcome: Outcome,
        withheld: Option<&HeaderMap>,
    ) -> Option<Answer> {
        let now = routed.accepted.now;
        let head = response.head();
        let verdict = Verdict {
            as_of: warmfront_invalidation::Stamped::stamp(&**response).as_of(),
            reason: match outcome.reason.result_type() {
                ResultType::Hit => Reason::RegionalHit,
                ResultType::RefreshHit => outcome.reason,
                _ => Reason::Fetched,
            },
            kept: outcome.kept.unwrap_or(Kept::For(head.lifetime().rule)),
            lifetime: head.lifetime(),
            kept_ms: u64::try_from(now.0.saturating_sub(head.response_time.0)).unwrap_or(0),
        };
        let mut headers = head.headers();
        headers.extend(withheld.cloned().unwrap_or_default());
        message::remove_ours(&mut headers);
        verdict.write(&mut headers);
        let (status, body) = if self.has_the_same(routed, response) {
            headers.remove(http::header::CONTENT_LENGTH);
            (StatusCode::NOT_MODIFIED, ViewerBody::Empty)
        } else {
            (head.status, ViewerBody::Stored(StoredResponse::open(response)?))
        };
        let response = self.sealed(status, headers, body);
        Some(Answer {
            response,
            outcome,
            used: None,
        })
    }

    fn has_the_same(&self, routed: &Routed<'_>, response: &Proven<StoredResponse>) -> bool {
        let Some((conditions, copy)) = &self.copy else {
            return false;
        };
        let head = response.head();
        let ours = revalidation_headers(&head.headers(), &rules(routed, head.status.as_u16()));
        ours.as_ref() == Some(conditions) && *copy == copy_status(response)
    }

    /// What a child gets in place of a page for viewers.
    pub(crate) fn refuse_with(&self, early: &EarlyAnswer) -> Answer {
        match early {
            EarlyAnswer::Failure(failure) => self.refuse(failure.status(), failure.reason()),
            _ => self.refuse(StatusCode::SERVICE_UNAVAILABLE, Reason::OtherConfiguration),
        }
    }

    fn refuse(&self, status: StatusCode, reason: Reason) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(message::REFUSAL, HeaderValue::from_static(reason.as_str()));
        Answer {
            response: self.sealed(status, headers, ViewerBody::Empty),
            outcome: Outcome::own(reason),
            used: None,
        }
    }

    fn sealed(&self, status: StatusCode, mut headers: HeaderMap, body: ViewerBody) -> Response<ViewerBody> {
        let seal = message::seal_answer(&self.secret, &self.seal, status, &headers);
        if let Ok(seal) = HeaderValue::from_str(&seal) {
            headers.insert(message::SEAL, seal);
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

fn empty(status: StatusCode) -> Response<ViewerBody> {
    let mut response = Response::new(ViewerBody::Empty);
    *response.status_mut() = status;
    response
}
