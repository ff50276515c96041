use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};

use crate::access_log::Ledger;
use crate::access_log::entry::End;
use crate::body::{BodyError, ViewerBody};
use crate::silence::Activity;

/// A body that tells its connection's ledger how it ended, if the request is logged.
pub(crate) struct LoggedBody {
    body: ViewerBody,
    ending: Option<Ending>,
}

struct Ending {
    activity: Arc<Activity>,
    /// By Content-Length: once they are out, the body is not asked for more.
    bytes_left: Option<u64>,
    end: Option<End>,
}

impl LoggedBody {
    /// The answer, watched if the connection that is logged has an open line.
    pub(crate) fn of(response: Response<ViewerBody>, logged: Option<&Arc<Activity>>) -> Response<LoggedBody> {
        let has_line = |activity: &&Arc<Activity>| activity.ledger.as_ref().is_some_and(Ledger::is_open);
        let ending = logged.filter(has_line).map(|activity| Ending {
            activity: Arc::clone(activity),
            bytes_left: response
                .headers()
                .get(CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok()?.parse().ok()),
            end: None,
        });
        response.map(|body| LoggedBody { body, ending })
    }
}

impl Body for LoggedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(ending) = &mut self.ending {
            match &frame {
                None => ending.end = Some(End::Whole),
                Some(Err(_)) => ending.end = Some(End::OriginBrokeOff),
                Some(Ok(frame)) => {
                    let n_bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                    ending.bytes_left = ending.bytes_left.map(|left| left.saturating_sub(n_bytes));
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

impl Drop for LoggedBody {
    fn drop(&mut self) {
        if let Some(ending) = &self.ending
            && let Some(ledger) = &ending.activity.ledger
        {
            let is_out = ending.bytes_left == Some(0) || self.body.is_end_stream();
            let end = ending.end.unwrap_or(if is_out { End::Whole } else { End::ViewerLeft });
            ledger.end_body(end);
        }
    }
}
