use std::sync::Arc;

use http::{Response, StatusCode};
use warmfront_caching::{Storability, may_share};
use warmfront_model::{Epoch, Timestamp};
use warmfront_store::{Head, StoredResponse};

use crate::mutants::{Mutant, is_planted};
use crate::origin::{FetchFailure, OriginBody};
use crate::outcome::Kept;
use crate::request::fill::{Arrival, Arriving, Filling, announced_bytes};
use crate::request::names_of_key;
use crate::tier::{Told, Verdict};

/// What the region did for a fetch.
pub(super) enum FromParents {
    /// A response that is new enough.
    Response(Arriving, OriginBody),
    /// The expired copy was confirmed, and everyone has been told.
    Told,
    /// The origin gave no answer.
    Failed(FetchFailure),
    /// Nothing of use: the origin is to be asked.
    Nothing,
}

impl Filling {
    /// Asks regional nodes, twice at the most.
    ///
    /// What one gives has the as-of that it says, never this node's own, and is checked here as if it came from the store:
    /// this node may know invalidations that the other does not. If it falls short, the region is asked for what is
    /// required by now, of the URL, the tags and the floor.
    pub(super) async fn ask_parents(&mut self, asked: Timestamp) -> FromParents {
        let Some(mut parents) = self.parents.take() else {
            return FromParents::Nothing;
        };
        while let Some(told) = parents.ask(&self.core.origins, &self.plan.ticket).await {
            let falls_short = match told {
                Told::Nothing => continue,
                Told::Failed(failure) => return FromParents::Failed(failure),
                Told::Response(response, verdict, None) => {
                    let (arriving, body) = self.arrive(*response, verdict, asked);
                    if self.passes_newest_index(&arriving.response) {
                        return FromParents::Response(arriving, body);
                    }
                    arriving.response
                }
                Told::Response(response, verdict, Some(copy)) => {
                    match self.confirm_by_parent(&copy, *response, verdict, asked) {
                        Ok(()) => return FromParents::Told,
                        Err(falls_short) => falls_short,
                    }
                }
            };
            parents.demand(self.required_now(&falls_short));
        }
        FromParents::Nothing
    }

    fn arrive(&self, response: Response<OriginBody>, verdict: Verdict, asked: Timestamp) -> (Arriving, OriginBody) {
        let (from_parent, body) = response.into_parts();
        let status = from_parent.status;
        let stands_in = self.stale_copy_stands_in(status, asked);
        let announced_bytes = announced_bytes(&from_parent.headers);
        let keeps = verdict.kept.is_stored() && !stands_in && self.has_room_for(announced_bytes);
        let rules = self.rules(status);
        let shared = may_share(&Storability::Store(verdict.lifetime), &from_parent.headers, &rules);
        let variant = self.variant(&from_parent.headers, &rules);
        let (headers, withheld) = self.headers(from_parent.headers, &rules, asked);
        let arrival = Arrival {
            head: head(status, headers, &verdict, asked),
            as_of: if is_planted(Mutant::ParentTrusted) {
                self.landing.flight.stamp().as_of()
            } else {
                verdict.as_of
            },
            tag_header: self.tag_header(),
            withheld,
            variant,
            shared: shared && keeps,
            reason: verdict.reason,
            kept: match verdict.kept {
                Kept::For(_) if stands_in => Kept::StandIn,
                Kept::For(_) if !keeps => Kept::TooLarge,
                kept => kept,
            },
            keeps,
            announced_bytes,
            upstream: None,
        };
        (Arriving::begin(arrival, &self.core.node.store), body)
    }

    /// A 304 from a regional node: the copy whose validators were sent has the same body and the same tags as what it
    /// holds, and gets its head and its as-of.
    ///
    /// # Errors
    /// What it would have become, if that is not new enough.
    fn confirm_by_parent(
        &self,
        copy: &Arc<StoredResponse>,
        response: Response<OriginBody>,
        verdict: Verdict,
        asked: Timestamp,
    ) -> Result<(), Arc<StoredResponse>> {
        let (from_parent, _) = response.into_parts();
        let status = copy.head().status;
        let rules = self.rules(status);
        let shared = may_share(&Storability::Store(verdict.lifetime), &from_parent.headers, &rules);
        let variant = self.variant(&from_parent.headers, &rules);
        let (mut headers, _) = self.headers(from_parent.headers, &rules, asked);
        if let Some(length) = copy.head().headers().get(http::header::CONTENT_LENGTH) {
            headers.insert(http::header::CONTENT_LENGTH, length.clone());
        }
        let confirmed = Arc::new(copy.confirmed(head(status, headers, &verdict, asked), verdict.as_of));
        if !self.passes_newest_index(&confirmed) {
            return Err(confirmed);
        }
        let (store, key) = (&self.core.node.store, self.landing.flight.key());
        if verdict.kept.is_stored() {
            self.store_confirmed(copy, Arc::clone(&confirmed), variant.as_ref());
        } else {
            store.remove(key, copy);
        }
        self.tell_confirmed(
            confirmed,
            variant,
            shared && verdict.kept.is_stored(),
            (verdict.reason, verdict.kept),
            None,
        );
        Ok(())
    }

    /// What `response` would need to pass now.
    fn required_now(&self, response: &StoredResponse) -> Epoch {
        let snapshot = self.core.node.snapshot();
        let id = &self.site.distribution.id;
        let site = snapshot.sites.by_id.get(id).unwrap_or(&self.site);
        let names = names_of_key(self.landing.flight.key(), &site.distribution);
        Epoch {
            revision: snapshot.index.required_of(id, &names, response),
            ..snapshot.index.applied()
        }
    }
}

/// The parent's lifetime counts from when it asked the origin, so nothing is fresh here for longer than there.
fn head(status: StatusCode, headers: http::HeaderMap, verdict: &Verdict, asked: Timestamp) -> Head {
    let kept_ms = i64::try_from(verdict.kept_ms).unwrap_or(i64::MAX);
    Head {
        status,
        headers,
        lifetime: verdict.lifetime,
        response_time: Timestamp(asked.0.saturating_sub(kept_ms)),
    }
}
