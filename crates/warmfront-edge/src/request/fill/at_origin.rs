//! Asking the origin itself, when it is this fetch's turn.

use std::sync::Arc;

use http::{Response, StatusCode};
use http_body_util::{Either, Empty};
use warmfront_caching::is_match_304;
use warmfront_model::Timestamp;

use super::Filling;
use crate::flight::Progress;
use crate::origin::{Busy, FetchFailure, OriginBody};
use crate::outcome::Reason;

impl Filling {
    /// When it is this fetch's turn. What the origin may take, and age and lifetime, count from then on.
    pub(super) async fn run_at_origin(mut self) {
        // While it waits, it takes up no place that another origin's fetches could have.
        self.place = None;
        let node = Arc::clone(&self.core.node);
        let turn = node.turns.take(&self.plan.request.target.origin()).await;
        let asked = node.clock.now();
        self.place = node.begin_fetch();
        let _turn = match turn {
            Ok(turn) if self.place.is_some() => turn,
            Ok(_) => return self.fail(FetchFailure::Overload, asked),
            Err(Busy) => {
                self.core.counters.origin_asked(Err(Reason::OriginBusy));
                return self.fail(FetchFailure::OriginBusy, asked);
            }
        };
        let response = match self.ask().await {
            Ok(response) => response,
            Err(failure) => return self.fail(failure, asked),
        };
        if response.status() != StatusCode::NOT_MODIFIED {
            return self.fill(response, asked).await;
        }
        let copy = self.plan.confirms.clone();
        match copy.filter(|copy| is_match_304(&copy.head().headers(), response.headers())) {
            Some(copy) => {
                let upstream = response.extensions().get().copied();
                self.confirm(&copy, response.headers(), upstream, asked);
            }
            None => self.ask_again(asked).await,
        }
    }

    /// A 304 that confirms nothing is no answer: the whole is asked for, once.
    async fn ask_again(mut self, asked: Timestamp) {
        self.plan.drop_conditions();
        match self.ask().await {
            Ok(response) if response.status() == StatusCode::NOT_MODIFIED => {
                self.fail(
                    FetchFailure::Invalid("304 to a request without conditions".to_owned()),
                    asked,
                );
            }
            Ok(response) => self.fill(response, asked).await,
            Err(failure) => self.fail(failure, asked),
        }
    }

    async fn ask(&self) -> Result<Response<OriginBody>, FetchFailure> {
        self.core
            .ask(&self.plan.ticket, &self.plan.request, Either::Left(Empty::new()))
            .await
    }

    pub(super) fn fail(&self, failure: FetchFailure, asked: Timestamp) {
        if let Some(expired) = self.plan.expired.as_ref().filter(|_| !failure.is_for_lack_of_room()) {
            self.leave_origin_alone(expired, failure.status(), asked);
        }
        self.keep_own_error(&failure, asked);
        self.landing.flight.tell(Progress::Failed(Arc::new(failure)));
    }
}
