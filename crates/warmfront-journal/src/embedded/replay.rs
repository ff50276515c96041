use std::collections::VecDeque;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use warmfront_model::Revision;

use super::writer::{Published, Request};
use crate::interface::{Event, JournalError, Watch};

/// A watch remembers its position and at most one read's worth of old events: one that lags reads the file again.
pub(super) struct EmbeddedWatch {
    /// The newest revision given.
    after: Revision,
    read_ahead: VecDeque<Event>,
    published: watch::Receiver<Published>,
    requests: mpsc::WeakSender<Request>,
}

/// Where the next event is.
enum Next {
    Here(Event),
    InFile,
    NotYet,
}

impl EmbeddedWatch {
    pub(super) fn new(
        after: Revision,
        published: watch::Receiver<Published>,
        requests: mpsc::WeakSender<Request>,
    ) -> EmbeddedWatch {
        EmbeddedWatch {
            after,
            read_ahead: VecDeque::new(),
            published,
            requests,
        }
    }

    fn look(&mut self) -> Result<Next, JournalError> {
        if let Some(event) = self.read_ahead.pop_front() {
            return Ok(Next::Here(event));
        }
        let published = self.published.borrow_and_update();
        if self.after == published.state.head {
            return Ok(Next::NotYet);
        }
        published.state.check_watch(self.after)?;
        let event = published.tail.get(Revision(self.after.0 + 1));
        Ok(event.map_or(Next::InFile, |event| Next::Here(event.clone())))
    }

    /// `None`: the journal was closed.
    async fn read_file(&self) -> Result<Option<Vec<Event>>, JournalError> {
        let (answer, answered) = oneshot::channel();
        let Some(requests) = self.requests.upgrade() else {
            return Ok(None);
        };
        if requests
            .send(Request::Read {
                after: self.after,
                answer,
            })
            .await
            .is_err()
        {
            return Ok(None);
        }
        drop(requests);
        answered.await.map_or(Ok(None), |events| events.map(Some))
    }
}

#[async_trait]
impl Watch for EmbeddedWatch {
    async fn next(&mut self) -> Result<Option<Event>, JournalError> {
        loop {
            match self.look()? {
                Next::Here(event) => {
                    self.after = event.revision;
                    return Ok(Some(event));
                }
                Next::InFile => match self.read_file().await? {
                    Some(events) => self.read_ahead = events.into(),
                    None => return Ok(None),
                },
                Next::NotYet => {
                    if self.published.changed().await.is_err() {
                        return Ok(None);
                    }
                }
            }
        }
    }
}
