use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method};
use warmfront_http::Vary;
use warmfront_model::{AllowedOrigin, Cors, ResponseHeadersPolicy};

use super::{Answered, set};

/// Adds CORS headers to an answer to a request with an Origin. Those for preflight requests go to them alone.
///
/// Where the policy lists origins, answers differ by Origin, and their Vary says so.
///
/// Source: CloudFront Developer Guide, "Understand response headers policies", CORS headers; Fetch standard, "CORS protocol
/// and HTTP caches".
pub(super) fn add(cors: &Cors, policy: &ResponseHeadersPolicy, headers: &mut HeaderMap, answered: &Answered<'_>) {
    let lists_origins = !cors.allow_origins.iter().any(|origin| &**origin == "*");
    if lists_origins && !policy.remove.iter().any(|name| &**name == VARY.as_str()) {
        vary_by_origin(headers);
    }
    let Some(origin) = answered.viewer.get(ORIGIN) else {
        return;
    };
    let overrides = cors.origin_override;
    let text = origin.to_str().unwrap_or_default();
    let allowed = match cors.allows(text) {
        AllowedOrigin::Any => "*",
        AllowedOrigin::Echo => text,
        AllowedOrigin::None => {
            if overrides {
                headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
            }
            return;
        }
    };
    let mut add = |name: HeaderName, value: &str| set(headers, name.as_str(), value, overrides);
    add(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.allow_credentials {
        add(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    if let Some(exposed) = &cors.expose_headers {
        add(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    if !is_preflight(answered) {
        return;
    }
    add(ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods);
    add(ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers);
    if let Some(secs) = cors.max_age_secs {
        add(ACCESS_CONTROL_MAX_AGE, &secs.to_string());
    }
}

/// Source: Fetch standard, "CORS-preflight request".
fn is_preflight(answered: &Answered<'_>) -> bool {
    *answered.method == Method::OPTIONS && answered.viewer.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn vary_by_origin(headers: &mut HeaderMap) {
    let says_so = match Vary::parse(headers) {
        Vary::Any => true,
        Vary::Fields(names) => names.contains(&ORIGIN),
    };
    if !says_so {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}
