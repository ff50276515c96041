use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::origin::FetchFailure;
use crate::origin::failure::describe;

/// An origin's body, read with patience for so long between two packets and no longer.
#[derive(Debug)]
pub(crate) struct OriginBody {
    incoming: Incoming,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl OriginBody {
    pub(super) fn new(incoming: Incoming, patience: Duration) -> OriginBody {
        OriginBody {
            incoming,
            patience,
            waiting: None,
        }
    }

    /// The next piece; `None` at the end. Trailers are passed over.
    ///
    /// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", origin response timeout
    /// (it counts between packets too).
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, FetchFailure>>> {
        loop {
            match pin!(&mut self.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.waiting = None;
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(FetchFailure::BrokeOff(describe(&error)))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        let patience = self.patience;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Some(Err(FetchFailure::BrokeOff(
            "nothing arrived within the read timeout".to_owned(),
        ))))
    }
}
