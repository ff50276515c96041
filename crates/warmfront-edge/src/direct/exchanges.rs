use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};

use crate::access_log::{End, Ledger};
use crate::body::{BodyError, ViewerBody};
use crate::silence::Activity;

/// The requests of one connection that hyper has taken, counted from 1, and how many of them are over.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    n_begun: AtomicU64,
    n_over: AtomicU64,
}

impl Exchanges {
    /// The number of the request that hyper takes next.
    pub(super) fn next(&self) -> u64 {
        self.n_begun.load(Ordering::Relaxed) + 1
    }

    /// hyper has taken a request.
    pub(crate) fn begin(&self) {
        self.n_begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether hyper has all it needs of the answer to request `number`.
    pub(super) fn is_over(&self, number: u64) -> bool {
        self.n_over.load(Ordering::Relaxed) >= number
    }
}

/// The body of an answer that hyper writes. It tells its connection when it has ended, and its ledger how.
pub(crate) struct AnswerBody {
    body: ViewerBody,
    activity: Arc<Activity>,
    logged: Option<Logged>,
}

/// What a request's line has to know.
struct Logged {
    /// By Content-Length: once they are out, the body is not asked for more.
    bytes_left: Option<u64>,
    end: Option<End>,
}

impl AnswerBody {
    /// Of the answer on a connection.
    pub(crate) fn of(response: Response<ViewerBody>, activity: &Arc<Activity>) -> Response<AnswerBody> {
        let has_line = activity.ledger.as_ref().is_some_and(Ledger::is_open);
        let logged = has_line.then(|| Logged {
            bytes_left: response
                .headers()
                .get(CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok()?.parse().ok()),
            end: None,
        });
        response.map(|body| AnswerBody {
            body,
            activity: Arc::clone(activity),
            logged,
        })
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(logged) = &mut self.logged {
            match &frame {
                None => logged.end = Some(End::Whole),
                Some(Err(_)) => logged.end = Some(End::OriginBrokeOff),
                Some(Ok(frame)) => {
                    let n_bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                    logged.bytes_left = logged.bytes_left.map(|left| left.saturating_sub(n_bytes));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(logged) = &self.logged
            && let Some(ledger) = &self.activity.ledger
        {
            let is_out = logged.bytes_left == Some(0) || self.body.is_end_stream();
            let end = logged.end.unwrap_or(if is_out { End::Whole } else { End::ViewerLeft });
            ledger.end_body(end);
        }
        self.activity.exchanges.n_over.fetch_add(1, Ordering::Relaxed);
    }
}
