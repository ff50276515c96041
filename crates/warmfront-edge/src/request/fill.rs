use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use warmfront_caching::{
    Lifetime, OriginFailure, Purpose, Rules, Storability, Switches, Upstream, freshened, may_serve_stale_on_error,
    may_share, storability, stored_headers, viewer_headers,
};
use warmfront_http::format_http_date;
use warmfront_invalidation::Proven;
use warmfront_model::{Behavior, Distribution, Epoch, OriginKind, Timestamp};
use warmfront_store::{Fill, Head, Store, StoredHead, StoredResponse};

use crate::core::Core;
use crate::flight::{Answered, Flight, Progress};
use crate::mutants::Mutant;
use crate::node::{FetchPlace, Node};
use crate::origin::{FetchFailure, OriginBody};
use crate::outcome::{Kept, Reason};
use crate::request::answer::{X_AMZ_CF_ID, prepare};
use crate::request::key::{Keyed, names_of_key};
use crate::request::plan::{FetchPlan, fetched_method};
use crate::snapshot::Site;
use crate::tier::ParentAsk;
use crate::variants::Variant;

mod at_origin;
mod from_parents;
mod own_error;
mod placing;

use from_parents::FromParents;

/// A fetch on its way: asks the origin, tells those who wait, and stores what may be stored.
pub(crate) struct Filling {
    core: Arc<Core>,
    landing: Landing,
    /// The key without a variant.
    primary: Arc<[u8]>,
    site: Arc<Site>,
    behavior: Behavior,
    method: Method,
    /// The headers of the viewer who caused it.
    viewer: HeaderMap,
    plan: FetchPlan,
    /// What is asked of the region first.
    parents: Option<ParentAsk>,
    place: Option<FetchPlace>,
}

/// A response whose head is here, judged.
struct Arrival {
    head: Head,
    as_of: Epoch,
    /// The field that its cache tags are in.
    tag_header: Option<Arc<str>>,
    /// Fields for the request that began the fetch alone.
    withheld: Option<Arc<HeaderMap>>,
    /// The variant that it is of.
    variant: Option<Variant>,
    /// Whether it may answer others.
    shared: bool,
    /// Where it is from.
    reason: Reason,
    /// Why it is kept, or is not.
    kept: Kept,
    /// Whether it is to be stored.
    keeps: bool,
    /// The length of its body, if it says so.
    announced_bytes: Option<u64>,
    /// How long the origin took, if this node asked it.
    upstream: Option<Upstream>,
}

impl Filling {
    pub(crate) fn new(
        core: &Arc<Core>,
        flight: &Arc<Flight>,
        keyed: &Keyed<'_>,
        plan: FetchPlan,
        parents: Option<ParentAsk>,
        place: FetchPlace,
    ) -> Filling {
        let routed = &keyed.routed;
        Filling {
            core: Arc::clone(core),
            landing: Landing {
                node: Arc::clone(&core.node),
                flight: Arc::clone(flight),
            },
            primary: keyed.primary().into(),
            site: Arc::clone(routed.site),
            behavior: routed.behavior.clone(),
            method: fetched_method(routed, Purpose::Fill),
            viewer: routed.accepted.head.headers.clone(),
            plan,
            parents,
            place: Some(place),
        }
    }

    /// What the origin sees as X-Amz-Cf-Id.
    pub(crate) fn request_id(&self) -> Option<&HeaderValue> {
        self.plan.request.head.headers.get(X_AMZ_CF_ID)
    }

    pub(crate) async fn run(mut self) {
        // Age and lifetime count from the moment the origin was asked: RFC 9111 section 4.2.3.
        let asked = self.core.node.clock.now();
        match self.ask_parents(asked).await {
            FromParents::Response(arriving, body) => self.receive(arriving, body).await,
            FromParents::Told => {}
            FromParents::Failed(failure) => self.fail(failure, asked),
            FromParents::Nothing => self.run_at_origin().await,
        }
    }

    /// A 304: the copy whose validators were sent gets a new head and this fetch's stamp, and takes the key only if that
    /// still holds this very copy.
    fn confirm(&self, copy: &Arc<StoredResponse>, from_304: &HeaderMap, upstream: Option<Upstream>, asked: Timestamp) {
        let old = copy.head();
        let rules = self.rules(old.status);
        let fresh = freshened(self.asked(), old.status, &old.headers(), from_304, &rules, asked);
        let shared = may_share(&fresh.storability, &fresh.headers, &rules);
        let variant = self.variant(&fresh.headers, &rules);
        let (lifetime, kept) = match fresh.storability {
            Storability::Store(lifetime) => (lifetime, Kept::For(lifetime.rule)),
            Storability::DoNotStore(reason) => {
                let lifetime = Lifetime {
                    fresh_secs: 0,
                    ..old.lifetime()
                };
                (lifetime, Kept::Not(reason))
            }
        };
        let head = Head {
            status: old.status,
            headers: fresh.headers,
            lifetime,
            response_time: asked,
        };
        let confirmed = Arc::new(copy.confirmed(head, self.as_of(Mutant::StampAtConfirmation)));
        let store = &self.core.node.store;
        let key = self.landing.flight.key();
        if matches!(fresh.storability, Storability::Store(_)) {
            self.store_confirmed(copy, Arc::clone(&confirmed), variant.as_ref());
        } else {
            store.remove(key, copy);
        }
        self.tell_confirmed(confirmed, variant, shared, (Reason::Revalidated, kept), upstream);
    }

    fn tell_confirmed(
        &self,
        confirmed: Arc<StoredResponse>,
        variant: Option<Variant>,
        shared: bool,
        (reason, kept): (Reason, Kept),
        upstream: Option<Upstream>,
    ) {
        let answered = Answered {
            response: confirmed,
            shared,
            reason,
            kept,
            variant,
            withheld: None,
            upstream,
        };
        self.landing.flight.tell(Progress::Answered(answered));
    }

    /// Any other answer: streams it to those who wait, and stores it once it is whole.
    async fn fill(self, response: Response<OriginBody>, asked: Timestamp) {
        let (from_origin, body) = response.into_parts();
        let status = from_origin.status;
        let rules = self.rules(status);
        let mut storability = storability(self.asked(), status, &from_origin.headers, &rules, asked);
        let mut shared = may_share(&storability, &from_origin.headers, &rules);
        let stands_in = self.stale_copy_stands_in(status, asked);
        if stands_in {
            storability = Storability::DoNotStore(warmfront_caching::NotStored::Status);
        }
        let announced_bytes = announced_bytes(&from_origin.headers);
        let mut keeps = matches!(storability, Storability::Store(_)) && self.has_room_for(announced_bytes);
        shared &= keeps || !matches!(storability, Storability::Store(_));
        let (lifetime, mut kept) = match storability {
            Storability::Store(lifetime) if !keeps => (lifetime, Kept::TooLarge),
            Storability::Store(lifetime) => (lifetime, Kept::For(lifetime.rule)),
            Storability::DoNotStore(_) if stands_in => (
                never_fresh(&from_origin.headers, asked, &self.core.node.switches),
                Kept::StandIn,
            ),
            Storability::DoNotStore(reason) => (
                never_fresh(&from_origin.headers, asked, &self.core.node.switches),
                Kept::Not(reason),
            ),
        };
        let has_tags = self.has_tags(&from_origin.headers);
        let variant = self.variant(&from_origin.headers, &rules);
        let (headers, withheld) = self.headers(from_origin.headers, &rules, asked);
        if has_tags && !self.has_tags(&headers) {
            // It could not be found by tags that the origin forbids to keep.
            (keeps, shared, kept) = (false, false, Kept::TagsWithheld);
        }
        let head = Head {
            status,
            headers,
            lifetime,
            response_time: asked,
        };
        let arrival = Arrival {
            head,
            as_of: self.as_of(Mutant::StampAtArrival),
            tag_header: self.tag_header(),
            withheld,
            variant,
            shared,
            reason: Reason::Fetched,
            kept,
            keeps,
            announced_bytes,
            upstream: from_origin.extensions.get().copied(),
        };
        let arriving = Arriving::begin(arrival, &self.core.node.store);
        self.receive(arriving, body).await;
    }

    /// Streams a response to those who wait, and stores it once it is whole.
    async fn receive(self, arriving: Arriving, mut body: OriginBody) {
        let Arriving {
            response,
            mut fill,
            mut answered,
        } = arriving;
        let overtaken = !self.passes_newest_index(&response);
        if overtaken {
            answered.kept = Kept::Covered;
        }
        let (shared, may_be_kept) = (answered.shared, fill.is_kept());
        let variant = answered.variant.clone();
        self.landing.flight.tell(Progress::Answered(answered));
        if !shared || overtaken {
            self.core.node.flights.close(&self.landing.flight);
        }
        if self.pump(&mut body, &mut fill).await
            && let Some(whole) = fill.finish().await
        {
            self.store(Arc::new(response.with_body(whole)), variant.as_ref());
        } else if may_be_kept {
            self.core.counters.fills_lost.add(1);
        }
    }

    /// Moves the body. False: it broke off, or nobody needs the rest.
    async fn pump(&self, body: &mut OriginBody, fill: &mut Fill) -> bool {
        let flight = &self.landing.flight;
        let mut someone_may_come = true;
        let mut may_be_joined = fill.is_kept();
        loop {
            let mut slice: Bytes = match poll_fn(|context| body.poll_next(context)).await {
                None => return true,
                Some(Ok(slice)) => slice,
                Some(Err(failure)) => {
                    tracing::warn!(%failure, reason = failure.reason().as_str(), "a body broke off");
                    return false;
                }
            };
            let mut pushed = None;
            if someone_may_come {
                tokio::select! {
                    biased;
                    more = fill.push(&mut slice) => pushed = Some(more),
                    () = flight.deserted() => {}
                }
                if pushed.is_none() {
                    someone_may_come = false;
                    fill.close();
                }
            }
            let more = match pushed {
                Some(more) => more,
                None => fill.push(&mut slice).await,
            };
            if !more {
                return false;
            }
            if may_be_joined && !fill.is_kept() {
                may_be_joined = false;
                self.core.node.flights.close(flight);
            }
        }
    }

    /// Whether nothing known by now covers `response`; passing raises its as-of.
    fn passes_newest_index(&self, response: &Arc<StoredResponse>) -> bool {
        let snapshot = self.core.node.snapshot();
        let distribution = snapshot.sites.by_id.get(&self.site.distribution.id);
        let distribution: &Distribution = distribution.map_or(&self.site.distribution, |site| &site.distribution);
        let url = || names_of_key(self.landing.flight.key(), distribution);
        snapshot
            .index
            .check(&distribution.id, Arc::clone(response), url)
            .is_ok()
    }

    fn stale_copy_stands_in(&self, status: StatusCode, asked: Timestamp) -> bool {
        let Some(expired) = &self.plan.expired else {
            return false;
        };
        let head = expired.head();
        let stands_in = self.may_stand_in(head, OriginFailure::Status(status), asked);
        if stands_in {
            self.leave_origin_alone(expired, status, asked);
        }
        stands_in
    }

    fn leave_origin_alone(&self, expired: &Proven<StoredResponse>, status: StatusCode, now: Timestamp) {
        let head = expired.head();
        if self.may_stand_in(head, OriginFailure::Unreachable, now) {
            let secs = self.site.distribution.error_caching_min_ttl_secs(status.as_u16());
            expired.origin_failed(now.plus(std::time::Duration::from_secs(secs)));
        }
    }

    fn may_stand_in(&self, copy: &StoredHead, failure: OriginFailure, now: Timestamp) -> bool {
        let times = (copy.response_time, now);
        may_serve_stale_on_error(
            failure,
            &copy.lifetime(),
            || copy.headers(),
            &self.core.node.switches,
            times,
        )
    }

    /// Whether a body that announces this length can be stored.
    fn has_room_for(&self, announced_bytes: Option<u64>) -> bool {
        announced_bytes.is_none_or(|bytes| bytes <= self.core.node.store.body_bytes_max())
    }

    /// The fields to keep and send, and those that only the first viewer gets.
    fn headers(
        &self,
        from_origin: HeaderMap,
        rules: &Rules<'_>,
        asked: Timestamp,
    ) -> (HeaderMap, Option<Arc<HeaderMap>>) {
        let mut to_viewer = viewer_headers(from_origin, rules);
        if !to_viewer.contains_key(DATE) {
            to_viewer.insert(DATE, format_http_date(asked));
        }
        let mut kept = stored_headers(to_viewer.clone(), rules);
        let withheld: HeaderMap = to_viewer
            .iter()
            .filter(|(name, _)| !kept.contains_key(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        prepare(&self.core.node, &mut kept);
        (kept, (!withheld.is_empty()).then(|| Arc::new(withheld)))
    }

    fn tag_header(&self) -> Option<Arc<str>> {
        self.site.distribution.cache_tag_header.clone()
    }

    fn has_tags(&self, headers: &HeaderMap) -> bool {
        self.tag_header().is_some_and(|header| headers.contains_key(&*header))
    }

    fn rules(&self, status: StatusCode) -> Rules<'_> {
        let distribution = &self.site.distribution;
        let is_bucket = distribution
            .origins
            .get(self.behavior.origin)
            .is_some_and(|origin| matches!(origin.kind, OriginKind::S3(_)));
        Rules::new(
            &self.behavior,
            is_bucket,
            distribution.error_caching_min_ttl_secs(status.as_u16()),
            self.core.node.switches,
        )
    }
}

/// A response whose body is arriving.
struct Arriving {
    response: Arc<StoredResponse>,
    fill: Fill,
    answered: Answered,
}

impl Arriving {
    fn begin(arrival: Arrival, store: &Store) -> Arriving {
        let (fill, body) = store.begin_fill(arrival.keeps, arrival.announced_bytes);
        // The disk may have too much to do for what memory has no room for.
        let is_turned_away = arrival.keeps && !fill.is_kept();
        let response = Arc::new(StoredResponse::new(
            arrival.head,
            arrival.as_of,
            arrival.tag_header,
            body,
        ));
        let answered = Answered {
            response: Arc::clone(&response),
            shared: arrival.shared && !is_turned_away,
            reason: arrival.reason,
            kept: if is_turned_away { Kept::TooLarge } else { arrival.kept },
            variant: arrival.variant,
            withheld: arrival.withheld,
            upstream: arrival.upstream,
        };
        Arriving {
            response,
            fill,
            answered,
        }
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What is not stored answers those who wait, and is not fresh for anyone else.
fn never_fresh(headers: &HeaderMap, asked: Timestamp, switches: &Switches) -> Lifetime {
    Lifetime {
        fresh_secs: 0,
        rule: warmfront_caching::FreshnessRule::NoCache,
        stale_while_revalidate_secs: 0,
        stale_if_error_secs: 0,
        initial_age_secs: warmfront_caching::initial_age_secs(headers, asked, switches),
    }
}

/// However a fetch ends, nobody joins it afterwards, and nobody waits for it in vain.
struct Landing {
    node: Arc<Node>,
    flight: Arc<Flight>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.node.flights.close(&self.flight);
        if self.flight.is_unanswered() {
            self.flight.tell(Progress::Failed(Arc::new(FetchFailure::Abandoned)));
        }
    }
}
