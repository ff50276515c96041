use std::sync::Arc;

use http::header::{HOST, VIA};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use warmfront_caching::{Forwarding, Purpose, forwards_host, origin_request_headers, revalidation_headers};
use warmfront_invalidation::Proven;
use warmfront_model::{OriginKind, SigningBehavior};
use warmfront_routing::forwarded_query;
use warmfront_store::StoredResponse;

use crate::node::Node;
use crate::origin::{FetchFailure, OriginRequest, Target};
use crate::request::answer::X_AMZ_CF_ID;
use crate::request::key::{origin_path, rules};
use crate::request::route::Routed;
use crate::snapshot::Ticket;

/// A fetch, decided: what is asked, where, under which stamp, and which expired copy the answer may confirm.
pub(crate) struct FetchPlan {
    /// Taken from the snapshot that everything else here was decided with.
    pub(crate) ticket: Ticket,
    /// The request, with conditions if there is something to confirm.
    pub(crate) request: OriginRequest,
    /// The expired copy that may stand in if the origin fails.
    pub(crate) expired: Option<Proven<StoredResponse>>,
    /// The copy whose validators are sent, so that a 304 confirms it.
    pub(crate) confirms: Option<Arc<StoredResponse>>,
    /// The headers that its answer may vary on; none where Vary selects nothing.
    pub(crate) selecting: HeaderMap,
}

const SOURCE_ARN: &str = "x-amz-source-arn";

impl FetchPlan {
    /// Plans the fetch for a routed request. `expired` is a copy that is not covered; `to_confirm` is that copy, or a covered
    /// one that the origin may be asked about. Other covered ones are fetched anew, without a condition.
    ///
    /// # Errors
    /// [`FetchFailure::Unsendable`] if the request cannot be put into HTTP.
    pub(crate) fn plan(
        node: &Node,
        routed: &Routed<'_>,
        purpose: Purpose,
        expired: Option<&Proven<StoredResponse>>,
        to_confirm: Option<&Arc<StoredResponse>>,
    ) -> Result<FetchPlan, FetchFailure> {
        let ticket = routed.accepted.snapshot.ticket();
        let mut request = origin_request(node, routed, purpose)?;
        let conditions = to_confirm.and_then(|copy| revalidation_headers(&copy.head().headers(), &rules(routed, 0)));
        let confirms = to_confirm.filter(|_| conditions.is_some()).cloned();
        request.head.headers.extend(conditions.unwrap_or_default());
        Ok(FetchPlan {
            ticket,
            request,
            expired: expired.cloned(),
            confirms,
            selecting: if node.switches.vary_selects {
                selecting_headers(routed)
            } else {
                HeaderMap::new()
            },
        })
    }

    /// Takes the conditions out again.
    pub(crate) fn drop_conditions(&mut self) {
        self.confirms = None;
        self.request.head.headers.remove(http::header::IF_NONE_MATCH);
        self.request.head.headers.remove(http::header::IF_MODIFIED_SINCE);
    }
}

/// A request's headers as its origin sees them, as far as they are the viewer's: what an answer may vary on.
pub(crate) fn selecting_headers(routed: &Routed<'_>) -> HeaderMap {
    let Some((origin, _)) = routed.site.origin(routed.behavior) else {
        return HeaderMap::new();
    };
    let accepted = routed.accepted;
    let forwarding = Forwarding {
        behavior: routed.behavior,
        origin,
        purpose: Purpose::Fill,
        facts: accepted.facts(),
        switches: accepted.switches,
    };
    let method = fetched_method(routed, Purpose::Fill);
    let mut headers = origin_request_headers(&method, &accepted.head.headers, &forwarding);
    if forwards_host(routed.behavior)
        && let Some(host) = accepted.head.headers.get(HOST)
    {
        headers.insert(HOST, host.clone());
    }
    headers
}

fn origin_request(node: &Node, routed: &Routed<'_>, purpose: Purpose) -> Result<OriginRequest, FetchFailure> {
    let Some((origin, signing)) = routed.site.origin(routed.behavior) else {
        return Err(FetchFailure::Unsendable("the behavior's origin is gone".to_owned()));
    };
    let accepted = routed.accepted;
    let always_signed = signing == Some(SigningBehavior::Always);
    let target = Target::of(
        origin,
        &origin_path(routed),
        accepted.viewer.is_https,
        always_signed,
        &node.buckets,
    );
    let forwarding = Forwarding {
        behavior: routed.behavior,
        origin,
        purpose,
        facts: accepted.facts(),
        switches: accepted.switches,
    };
    let method = fetched_method(routed, purpose);
    let mut headers = origin_request_headers(&method, &accepted.head.headers, &forwarding);
    add_via(&mut headers, &node.via);
    headers.insert(X_AMZ_CF_ID, accepted.request_id());
    let is_bucket = matches!(origin.kind, OriginKind::S3(_));
    headers.insert(HOST, host(routed, &target, is_bucket)?);
    let signer = signer(node, &target, signing, &headers);
    if signer.is_some() && node.buckets.source_arn {
        headers.insert(SOURCE_ARN, value(routed.site.arn.as_str())?);
    } else {
        headers.remove(SOURCE_ARN);
    }
    let mut head = http::Request::new(()).into_parts().0;
    head.method = method;
    let query = accepted
        .query()
        .and_then(|query| forwarded_query(routed.behavior, query));
    head.uri = uri(&target, query.as_deref())?;
    head.headers = headers;
    Ok(OriginRequest {
        target,
        head,
        signer,
        interim: accepted.pending.as_ref().and_then(|pending| pending.interim.clone()),
    })
}

/// What the origin is asked for: to fill the cache a HEAD becomes a GET, whose answer has the body to keep.
pub(crate) fn fetched_method(routed: &Routed<'_>, purpose: Purpose) -> Method {
    match (purpose, &routed.accepted.head.method) {
        (Purpose::Fill, &Method::HEAD) => Method::GET,
        (_, method) => method.clone(),
    }
}

/// Signed `always`, or with `no-override` where the viewer's own Authorization does not go along.
///
/// Source: CloudFront API Reference, OriginAccessControlConfig, SigningBehavior.
fn signer(
    node: &Node,
    target: &Target,
    signing: Option<SigningBehavior>,
    headers: &HeaderMap,
) -> Option<warmfront_signing::Signer> {
    let region = target.bucket_region.as_deref()?;
    let signs = match signing? {
        SigningBehavior::Always => true,
        SigningBehavior::Never => false,
        SigningBehavior::NoOverride => !headers.contains_key(http::header::AUTHORIZATION),
    };
    if signs { node.bucket_signer(region) } else { None }
}

/// The origin's own name, or the viewer's Host where the behavior forwards it; never to a bucket.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", Host.
fn host(routed: &Routed<'_>, target: &Target, is_bucket: bool) -> Result<HeaderValue, FetchFailure> {
    let forwards_host = !is_bucket && forwards_host(routed.behavior);
    let viewers = routed.accepted.authority().filter(|_| forwards_host);
    value(viewers.unwrap_or(&target.authority))
}

fn uri(target: &Target, query: Option<&str>) -> Result<Uri, FetchFailure> {
    let path_and_query = match query {
        Some(query) => PathAndQuery::try_from(format!("{}?{query}", target.path)),
        None => PathAndQuery::try_from(target.path.as_str()),
    };
    let unsendable = |error: http::Error| FetchFailure::Unsendable(error.to_string());
    let path_and_query = path_and_query.map_err(|error| unsendable(error.into()))?;
    Uri::builder()
        .scheme(target.scheme)
        .authority(target.authority.as_str())
        .path_and_query(path_and_query)
        .build()
        .map_err(unsendable)
}

fn add_via(headers: &mut HeaderMap, ours: &HeaderValue) {
    headers.append(VIA, ours.clone());
}

fn value(text: &str) -> Result<HeaderValue, FetchFailure> {
    HeaderValue::from_str(text).map_err(|error| FetchFailure::Unsendable(error.to_string()))
}
