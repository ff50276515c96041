//! Whole heads of requests and responses, through the rules.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use http::{HeaderMap, Method, StatusCode, Version};
use warmfront_caching::{
    Asked, Forwarding, Purpose, Rules, Storability, Switches, ViewerFacts, age_secs, freshened, is_match_304,
    keyed_headers, may_share, not_modified_headers, origin_request_headers, revalidation_headers, storability,
    stored_copy, stored_headers, viewer_conditions, viewer_headers,
};
use warmfront_http::is_hop_by_hop;
use warmfront_model::{Behavior, Distribution, DistributionId, Timestamp};
use warmfront_wire::convert;
use warmfront_wire::from_xml;

use crate::input::{choice, halves, head};

const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// Legacy settings, every kind of TTL and key: what a stored response and a forwarded request depend on.
static DISTRIBUTION: LazyLock<Distribution> = LazyLock::new(|| {
    let xml = include_str!("distribution.xml");
    let config = convert::with_defaults(from_xml(xml.as_bytes()).expect("a DistributionConfig"));
    let id = DistributionId::parse("E1U5RQF7T870K0").expect("an Id");
    convert::distribution(&config, id, "d.cloudfront.net").expect("a valid configuration")
});

pub(super) fn behaviors() -> &'static [Behavior] {
    &DISTRIBUTION.behaviors
}

/// A byte that chooses behavior and status, the head, an empty line, and the head of a 304.
pub(super) fn response_head(data: &[u8]) {
    const STATUSES: [u16; 12] = [200, 203, 204, 206, 301, 302, 307, 404, 403, 410, 500, 599];
    let (which, rest) = choice(data);
    let (first, second) = halves(rest);
    let (response, confirmation) = (head(first), head(second));
    let behavior = &behaviors()[usize::from(which & 7) % behaviors().len()];
    let status = STATUSES[usize::from(which >> 3) % STATUSES.len()];
    let status = StatusCode::from_u16(status).expect("a status");
    for switches in [Switches::AWS, Switches::EDGE] {
        let rules = Rules::new(behavior, which & 8 != 0, 10, switches);
        judge_response(status, &response, &confirmation, &rules);
    }
}

fn judge_response(status: StatusCode, response: &HeaderMap, confirmation: &HeaderMap, rules: &Rules<'_>) {
    let asked = Asked::new(&Method::GET, confirmation, &rules.switches);
    let judged = storability(asked, status, response, rules, NOW);
    if let Storability::Store(lifetime) = judged {
        assert!(!rules.ttl.caching_disabled());
        assert!(lifetime.fresh_secs <= rules.ttl.max_secs);
        let _ = stored_copy(&lifetime, NOW, NOW);
        let _ = age_secs(lifetime.initial_age_secs, NOW, NOW);
    }
    let shared = may_share(&judged, response, rules);
    assert!(!shared || matches!(judged, Storability::Store(_)));
    let sent = viewer_headers(response.clone(), rules);
    assert!(sent.keys().all(|name| !is_hop_by_hop(name)));
    let stored = stored_headers(sent, rules);
    let _ = revalidation_headers(&stored, rules);
    let _ = not_modified_headers(&stored);
    if is_match_304(&stored, confirmation) {
        let after = freshened(asked, status, &stored, confirmation, rules, NOW);
        assert_eq!(after.headers.get("content-length"), stored.get("content-length"));
    }
}

/// A byte that chooses behavior, method and purpose, the head, an empty line, and the head of a stored response.
pub(super) fn request_head(data: &[u8]) {
    const METHODS: [Method; 4] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST];
    let (which, rest) = choice(data);
    let (first, second) = halves(rest);
    let (viewer, stored) = (head(first), head(second));
    let behavior = &behaviors()[usize::from(which & 7) % behaviors().len()];
    let method = &METHODS[usize::from(which >> 3) % METHODS.len()];
    let facts = ViewerFacts {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_https: which & 128 != 0,
        version: Version::HTTP_11,
    };
    let forwarding = Forwarding {
        behavior,
        origin: &DISTRIBUTION.origins[0],
        purpose: if which & 64 == 0 { Purpose::Fill } else { Purpose::Pass },
        facts,
        switches: if which & 32 == 0 { Switches::AWS } else { Switches::EDGE },
    };
    let sent = origin_request_headers(method, &viewer, &forwarding);
    for name in sent.keys() {
        let ours = ["x-edge-", "x-warmfront-", "proxy-"];
        assert!(
            !is_hop_by_hop(name) && !ours.iter().any(|prefix| name.as_str().starts_with(prefix)),
            "{name}"
        );
    }
    let _ = keyed_headers(&viewer, behavior, &facts);
    let _ = viewer_conditions(method, &viewer, StatusCode::OK, &stored);
}
