use std::net::IpAddr;

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use warmfront_http::{accepted_encodings, connection_options, is_hop_by_hop};
use warmfront_model::{Behavior, KeyPart, Origin};

use crate::cookies::cookies_taken_in;
use crate::generated::{GENERATED, ViewerFacts, generated_header};
use crate::rules::names;
use crate::switches::Switches;

/// The User-Agent that an origin sees where the viewer's is not forwarded.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", User-Agent.
pub const USER_AGENT: &str = "Amazon CloudFront";

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a request to the origin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its response may be stored, and answer others: the viewer's conditions and ranges are left out, since they are
    /// answered from the whole response.
    Fill,
    /// Its response is for this viewer alone: conditions and ranges go along.
    Pass,
}

/// Where a viewer's request goes, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Forwarding<'a> {
    /// The behavior it matched.
    pub behavior: &'a Behavior,
    /// The behavior's origin.
    pub origin: &'a Origin,
    /// What the request is for.
    pub purpose: Purpose,
    /// What the edge itself knows of the viewer.
    pub facts: ViewerFacts,
    /// Which of CloudFront's and the RFC's ways are taken where they part.
    pub switches: Switches,
}

/// The headers of the request to the origin that a viewer's request causes.
///
/// Host and X-Amz-Cf-Id are not among them: the edge sets them. A viewer's Via is, for the edge to append to.
/// A custom header whose name or value is no HTTP is left out; validation refuses it earlier.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", the table of request headers;
/// "Understand cache policies" and "Cache content based on request headers" for the two kinds of settings.
pub fn origin_request_headers(method: &Method, viewer: &HeaderMap, forwarding: &Forwarding<'_>) -> HeaderMap {
    let behavior = forwarding.behavior;
    let dropped: Vec<HeaderName> = connection_options(viewer).collect();
    let mut headers = HeaderMap::with_capacity(viewer.len() + 4);
    for (name, value) in viewer {
        if is_forwarded(name, method, forwarding, &dropped) {
            headers.append(name.clone(), value.clone());
        }
    }
    add_accept_encoding(&mut headers, viewer, behavior);
    add_cookies(&mut headers, viewer, behavior);
    // A viewer's is here only where it goes along.
    if !is_named(behavior, header::USER_AGENT.as_str()) && !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    }
    add_forwarded_for(&mut headers, viewer, forwarding.facts.ip);
    add_generated(&mut headers, viewer, forwarding);
    // Origin custom headers come last and overwrite the viewer's.
    for (name, value) in &forwarding.origin.custom_headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Whether the origin sees the viewer's Host. Not to be asked for S3 origins, which never do.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", Host.
pub fn forwards_host(behavior: &Behavior) -> bool {
    is_named(behavior, header::HOST.as_str())
}

/// Whether the key or the origin request policy takes in a header of the viewer's.
fn is_named(behavior: &Behavior, name: &str) -> bool {
    names(&behavior.headers, name) || is_added(behavior, name)
}

/// Whether the origin request policy takes in a header of the viewer's. What the key names is sent whatever it says.
///
/// Source: CloudFront Developer Guide, "Understand how origin request policies and cache policies work together".
fn is_added(behavior: &Behavior, name: &str) -> bool {
    behavior
        .origin_request_policy
        .as_ref()
        .is_some_and(|policy| policy.headers.sends(name))
}

/// Cookies that the key or the origin request policy takes in: so a name that one of them lists goes along although the
/// other excepts it.
fn add_cookies(headers: &mut HeaderMap, viewer: &HeaderMap, behavior: &Behavior) {
    let more = behavior
        .origin_request_policy
        .as_ref()
        .map_or(&KeyPart::None, |policy| &policy.cookies);
    if let Some(cookies) = cookies_taken_in(viewer, &[&behavior.cookies, more]) {
        headers.insert(header::COOKIE, cookies);
    }
}

/// The `CloudFront-*` headers that the key or the origin request policy names, as far as they are generated.
fn add_generated(headers: &mut HeaderMap, viewer: &HeaderMap, forwarding: &Forwarding<'_>) {
    let behavior = forwarding.behavior;
    let policy = behavior.origin_request_policy.as_ref();
    for name in GENERATED {
        let in_key = matches!(behavior.headers, KeyPart::Whitelist(_)) && names(&behavior.headers, name);
        if !in_key && !policy.is_some_and(|policy| policy.headers.generates(name)) {
            continue;
        }
        if let Some(value) = generated_header(name, viewer, &forwarding.facts) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Legacy settings send on what no list names, and all headers can be forwarded with them alone.
fn is_legacy(behavior: &Behavior) -> bool {
    behavior.forward_other_headers || behavior.headers == KeyPart::All
}

fn is_forwarded(name: &HeaderName, method: &Method, forwarding: &Forwarding<'_>, dropped: &[HeaderName]) -> bool {
    let behavior = forwarding.behavior;
    if is_never_forwarded(name) {
        return false;
    }
    if is_condition_or_range(name) {
        return forwards_condition(name, method, forwarding);
    }
    // Everything in the key is sent. A viewer who could take a header out by naming it in Connection would have the
    // response without it stored under the key with it.
    let all_headers = behavior.headers == KeyPart::All;
    if !all_headers && names(&behavior.headers, name.as_str()) {
        return true;
    }
    if dropped.contains(name) {
        return false;
    }
    if all_headers {
        return true;
    }
    let describes_body = name.as_str().starts_with("content-");
    if is_added(behavior, name.as_str()) && !describes_body {
        return true;
    }
    if is_removed_unless_named(name, &forwarding.switches) {
        return false;
    }
    if *name == header::AUTHORIZATION {
        return forwards_authorization(method, forwarding);
    }
    let has_body = !matches!(*method, Method::GET | Method::HEAD);
    *name == header::VIA || (describes_body && has_body) || (is_legacy(behavior) && !describes_body)
}

/// What the edge sets itself, what belongs to one connection, and what only CloudFront may say.
fn is_never_forwarded(name: &HeaderName) -> bool {
    const SET_ELSEWHERE: [HeaderName; 5] = [
        header::HOST,
        header::COOKIE,
        header::EXPECT,
        header::ACCEPT_ENCODING,
        X_FORWARDED_FOR,
    ];
    const OURS: [&str; 5] = ["x-amz-cf-", "x-edge-", "cloudfront-", "x-warmfront-", "proxy-"];
    SET_ELSEWHERE.contains(name)
        || is_hop_by_hop(name)
        || matches!(name.as_str(), "x-forwarded-proto" | "x-real-ip")
        || OURS.iter().any(|prefix| name.as_str().starts_with(prefix))
}

fn is_removed_unless_named(name: &HeaderName, switches: &Switches) -> bool {
    const ABOUT_THE_VIEWER: [HeaderName; 5] = [
        header::ACCEPT,
        header::ACCEPT_CHARSET,
        header::ACCEPT_LANGUAGE,
        header::REFERER,
        header::USER_AGENT,
    ];
    let is_about_the_viewer = ABOUT_THE_VIEWER.contains(name) && !switches.viewer_fields_pass;
    is_about_the_viewer || name.as_str() == "x-http-method-override"
}

fn is_condition_or_range(name: &HeaderName) -> bool {
    const KNOWN: [HeaderName; 6] = [
        header::RANGE,
        header::IF_RANGE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ];
    KNOWN.contains(name) || name.as_str() == "request-range"
}

fn forwards_condition(name: &HeaderName, method: &Method, forwarding: &Forwarding<'_>) -> bool {
    let is_range = *name == header::RANGE || *name == header::IF_RANGE || name.as_str() == "request-range";
    let reads = matches!(*method, Method::GET | Method::HEAD);
    // Conditional GETs are not supported where cookies are forwarded.
    let more = forwarding.behavior.origin_request_policy.as_ref();
    let cookies_forwarded =
        forwarding.behavior.cookies != KeyPart::None || more.is_some_and(|policy| policy.cookies != KeyPart::None);
    let conditional = forwarding.switches.conditions_with_cookies || !cookies_forwarded;
    forwarding.purpose == Purpose::Pass && (is_range || !reads || conditional)
}

/// Authorization: removed for GET and HEAD, and for OPTIONS where that is cached; passed for the rest. Passed for all where
/// it keeps responses from being shared.
fn forwards_authorization(method: &Method, forwarding: &Forwarding<'_>) -> bool {
    let cached_methods = forwarding.behavior.cached_methods;
    forwarding.switches.authorization_restricts || !cached_methods.contains(method.as_str())
}

/// With an encoding in the key: what the key says, `identity` if that is nothing. Otherwise an ordinary header, which
/// is sent only where it is named. Legacy settings remove what they do not support.
fn add_accept_encoding(headers: &mut HeaderMap, viewer: &HeaderMap, behavior: &Behavior) {
    let policy = behavior.accept_encoding;
    if !policy.gzip && !policy.brotli {
        if is_named(behavior, header::ACCEPT_ENCODING.as_str()) {
            for value in viewer.get_all(header::ACCEPT_ENCODING) {
                headers.append(header::ACCEPT_ENCODING, value.clone());
            }
        }
        return;
    }
    let accepted = accepted_encodings(viewer);
    let value = match accepted.normalized(policy) {
        Some(value) => value,
        None if accepted.present && !is_legacy(behavior) => "identity",
        None => return,
    };
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
}

/// X-Forwarded-For: the viewer's address is appended to all that the viewer sent, in one line.
fn add_forwarded_for(headers: &mut HeaderMap, viewer: &HeaderMap, viewer_ip: IpAddr) {
    let mut value = Vec::new();
    for line in viewer.get_all(X_FORWARDED_FOR).iter().filter(|line| !line.is_empty()) {
        value.extend_from_slice(line.as_bytes());
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(viewer_ip.to_canonical().to_string().as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.insert(X_FORWARDED_FOR, value);
    }
}

#[cfg(test)]
mod tests;
