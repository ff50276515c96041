use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AGE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};
use parking_lot::Mutex;
use warmfront_caching::{
    Asked, CopyForRequest, Forwarding, Lifetime, OriginFailure, Precondition, Purpose, Rules, Storability, StoredCopy,
    Switches, ViewerFacts, age_secs, copy_for_request, freshened, initial_age_secs, is_match_304, keyed_headers,
    may_serve_stale_on_error, not_modified_headers, origin_request_headers, request_directives, revalidation_headers,
    storability, stored_headers, viewer_conditions, viewer_headers,
};
use warmfront_model::{Behavior, Distribution, DistributionId, OriginKind, Timestamp};
use warmfront_routing::{Behaviors, KeyedRequest, MethodClass, forwarded_query, write_cache_key};
use warmfront_testkit::{Answer, OriginRequest, START, Site};
use warmfront_wire::{convert, from_xml};

use super::Subject;
use crate::Profile;
use crate::distribution::configured;
use crate::scenario::{Framing, Request, Scenario};
use crate::script::{Script, Spoken};

/// The smallest cache that can be made of the rules: a map, no sockets, and one request at a time.
pub(crate) struct RulesAlone {
    distribution: Distribution,
    behaviors: Behaviors,
    switches: Switches,
    script: Script,
    state: Mutex<State>,
}

struct State {
    now: Timestamp,
    copies: HashMap<Vec<u8>, Arc<Copy>>,
}

struct Copy {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    lifetime: Lifetime,
    response_time: Timestamp,
}

/// A request with what the configuration says of it.
struct Place<'a> {
    behavior: &'a Behavior,
    path: &'a str,
    query: Option<&'a str>,
    headers: HeaderMap,
    key: Vec<u8>,
}

impl RulesAlone {
    /// What `scenario` configures.
    pub(crate) fn new(scenario: &Scenario, profile: Profile) -> Result<RulesAlone, String> {
        let xml = configured(&scenario.settings, 80)?.xml;
        let config = convert::with_defaults(from_xml(xml.as_bytes()).map_err(|error| error.to_string())?);
        let id = DistributionId::parse(Site::ID).map_err(|error| error.to_string())?;
        let distribution = convert::distribution(&config, id, "d.cloudfront.net").map_err(|error| error.to_string())?;
        Ok(RulesAlone {
            behaviors: Behaviors::new(&distribution),
            distribution,
            switches: profile.switches(),
            script: Script::default(),
            state: Mutex::new(State {
                now: START,
                copies: HashMap::new(),
            }),
        })
    }

    fn rules<'a>(&self, behavior: &'a Behavior, status: u16) -> Rules<'a> {
        let origin = &self.distribution.origins[behavior.origin];
        let is_bucket = matches!(origin.kind, OriginKind::S3(_));
        let error_secs = self.distribution.error_caching_min_ttl_secs(status);
        Rules::new(behavior, is_bucket, error_secs, self.switches)
    }

    fn place<'a>(&'a self, request: &'a Request) -> Place<'a> {
        let (path, query) = match request.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.target.as_str(), None),
        };
        let behavior = &self.distribution.behaviors[self.behaviors.select(path)];
        let headers = header_map(&request.headers);
        let mut key = Vec::new();
        write_cache_key(
            KeyedRequest {
                distribution: &self.distribution.id,
                behavior,
                method: MethodClass::GetHead,
                path,
                query,
                headers: &keyed_headers(&headers, behavior, &FACTS),
            },
            &mut key,
        );
        Place {
            behavior,
            path,
            query,
            headers,
            key,
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let place = self.place(request);
        let now = self.now();
        if !self.rules(place.behavior, 0).may_answer_from_cache(&Method::GET) {
            return self.pass(&place);
        }
        let copy = self.state.lock().copies.get(&place.key).cloned();
        let directives = request_directives(&place.headers, &self.switches);
        if let Some(copy) = &copy {
            let times = (copy.response_time, now);
            match copy_for_request(&copy.lifetime, directives.as_ref(), times) {
                CopyForRequest::MaxStale | CopyForRequest::As(StoredCopy::Fresh) => {
                    return self.answered_by(&place, copy);
                }
                CopyForRequest::As(StoredCopy::StaleWhileRevalidate) => return self.answered_by(&place, copy),
                CopyForRequest::As(StoredCopy::Stale) | CopyForRequest::Unwanted => {}
            }
        }
        if directives.is_some_and(|directives| directives.only_if_cached) {
            return answer_of(StatusCode::GATEWAY_TIMEOUT, HeaderMap::new(), Bytes::new());
        }
        self.fetch(&place, copy.as_deref())
    }

    fn pass(&self, place: &Place<'_>) -> Answer {
        let spoken = self.ask_origin(place, Purpose::Pass, HeaderMap::new());
        let rules = self.rules(place.behavior, spoken.status);
        match StatusCode::from_u16(spoken.status) {
            Ok(status) => answer_of(
                status,
                viewer_headers(header_map(&spoken.headers), &rules),
                spoken.body.into(),
            ),
            Err(_) => answer_of(StatusCode::BAD_GATEWAY, HeaderMap::new(), Bytes::new()),
        }
    }

    fn fetch(&self, place: &Place<'_>, copy: Option<&Copy>) -> Answer {
        let conditions = copy.and_then(|copy| revalidation_headers(&copy.headers, &self.rules(place.behavior, 0)));
        let confirms = conditions.is_some();
        let mut spoken = self.ask_origin(place, Purpose::Fill, conditions.unwrap_or_default());
        if spoken.status == 304 && confirms {
            match copy.and_then(|copy| self.confirmed(place, copy, &header_map(&spoken.headers))) {
                Some(fresh) => return self.answered_by(place, &fresh),
                None => spoken = self.ask_origin(place, Purpose::Fill, HeaderMap::new()),
            }
        }
        let status = StatusCode::from_u16(spoken.status).ok();
        let failure = status.map_or(OriginFailure::Unreachable, OriginFailure::Status);
        if let Some(copy) = copy {
            let times = (copy.response_time, self.now());
            if may_serve_stale_on_error(failure, &copy.lifetime, || copy.headers.clone(), &self.switches, times) {
                return self.answered_by(place, copy);
            }
        }
        match status {
            Some(status) => self.fill(place, status, &spoken),
            None => answer_of(StatusCode::BAD_GATEWAY, HeaderMap::new(), Bytes::new()),
        }
    }

    /// The copy after a 304 that speaks of it, which is kept if it may be.
    fn confirmed(&self, place: &Place<'_>, copy: &Copy, from_304: &HeaderMap) -> Option<Arc<Copy>> {
        if !is_match_304(&copy.headers, from_304) {
            return None;
        }
        let rules = self.rules(place.behavior, copy.status.as_u16());
        let asked = Asked::new(&Method::GET, &place.headers, &self.switches);
        let fresh = freshened(asked, copy.status, &copy.headers, from_304, &rules, self.now());
        let lifetime = match fresh.storability {
            Storability::Store(lifetime) => lifetime,
            Storability::DoNotStore(_) => copy.lifetime,
        };
        let confirmed = Arc::new(Copy {
            status: copy.status,
            headers: fresh.headers,
            body: copy.body.clone(),
            lifetime,
            response_time: self.now(),
        });
        let mut state = self.state.lock();
        match fresh.storability {
            Storability::Store(_) => state.copies.insert(place.key.clone(), Arc::clone(&confirmed)),
            Storability::DoNotStore(_) => state.copies.remove(&place.key),
        };
        Some(confirmed)
    }

    fn fill(&self, place: &Place<'_>, status: StatusCode, spoken: &Spoken) -> Answer {
        let now = self.now();
        let from_origin = header_map(&spoken.headers);
        let rules = self.rules(place.behavior, status.as_u16());
        let asked = Asked::new(&Method::GET, &place.headers, &self.switches);
        let judged = storability(asked, status, &from_origin, &rules, now);
        let age = initial_age_secs(&from_origin, now, &self.switches);
        let mut headers = viewer_headers(from_origin, &rules);
        let body = Bytes::from(spoken.body.clone());
        if let Storability::Store(lifetime) = judged
            && spoken.framing != Framing::Cut
        {
            let copy = Copy {
                status,
                headers: stored_headers(headers.clone(), &rules),
                body: body.clone(),
                lifetime,
                response_time: now,
            };
            self.state.lock().copies.insert(place.key.clone(), Arc::new(copy));
        }
        headers.insert(AGE, HeaderValue::from(age));
        answer_of(status, headers, body)
    }

    fn answered_by(&self, place: &Place<'_>, copy: &Copy) -> Answer {
        let condition = viewer_conditions(&Method::GET, &place.headers, copy.status, &copy.headers);
        let (status, mut headers, body) = match condition {
            Precondition::NotModified => (
                StatusCode::NOT_MODIFIED,
                not_modified_headers(&copy.headers),
                Bytes::new(),
            ),
            Precondition::None => (copy.status, copy.headers.clone(), copy.body.clone()),
        };
        let age = age_secs(copy.lifetime.initial_age_secs, copy.response_time, self.now());
        headers.insert(AGE, HeaderValue::from(age));
        answer_of(status, headers, body)
    }

    fn ask_origin(&self, place: &Place<'_>, purpose: Purpose, conditions: HeaderMap) -> Spoken {
        let forwarding = Forwarding {
            behavior: place.behavior,
            origin: &self.distribution.origins[place.behavior.origin],
            purpose,
            facts: FACTS,
            switches: self.switches,
        };
        let mut headers = origin_request_headers(&Method::GET, &place.headers, &forwarding);
        headers.extend(conditions);
        let query = place.query.and_then(|query| forwarded_query(place.behavior, query));
        self.script.speak(&OriginRequest {
            method: "GET".to_owned(),
            target: query.map_or(place.path.to_owned(), |query| format!("{}?{query}", place.path)),
            headers,
            body: Bytes::new(),
            connection: 0,
        })
    }
}

const FACTS: ViewerFacts = ViewerFacts {
    ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
    is_https: false,
    version: Version::HTTP_11,
};

fn header_map(fields: &[(String, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    headers
}

fn answer_of(status: StatusCode, headers: HeaderMap, body: Bytes) -> Answer {
    Answer {
        status: status.as_u16(),
        headers,
        body,
        truncated: false,
    }
}

impl Subject for RulesAlone {
    fn script(&self) -> &Script {
        &self.script
    }

    fn now(&self) -> Timestamp {
        self.state.lock().now
    }

    async fn wait(&self, secs: u64) {
        let mut state = self.state.lock();
        state.now = state.now.plus(Duration::from_secs(secs));
    }

    async fn ask(&self, request: &Request) -> Result<Answer, String> {
        Ok(self.answer(request))
    }

    async fn invalidate(&self, _path: &str) -> Result<(), String> {
        Err("the rules know no invalidations".to_owned())
    }

    fn slack_secs(&self) -> u64 {
        0
    }

    fn target_at_origin<'a>(&self, target: &'a str) -> &'a str {
        target
    }
}
