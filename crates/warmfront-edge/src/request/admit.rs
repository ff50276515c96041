use http::{Method, StatusCode, Version};
use warmfront_model::{MethodSet, ViewerProtocolPolicy};
use warmfront_routing::host_name;

use crate::node::Node;
use crate::outcome::Reason;
use crate::request::answer::EarlyAnswer;
use crate::request::route::Routed;

/// A request that its behavior lets in.
#[derive(Clone, Copy)]
pub(crate) struct Admitted<'a>(pub(crate) Routed<'a>);

impl<'a> Admitted<'a> {
    /// By method and by scheme.
    ///
    /// Source: CloudFront Developer Guide, "Cache behavior settings", Allowed HTTP methods and Viewer protocol policy.
    pub(crate) fn admit(node: &Node, routed: Routed<'a>) -> Result<Admitted<'a>, EarlyAnswer> {
        if !is_allowed(&routed) {
            return Err(EarlyAnswer::Page(
                Reason::MethodNotAllowed,
                StatusCode::FORBIDDEN,
                "This distribution is not configured to allow the HTTP request method that was used for this request. \
                 The distribution supports only cachable requests."
                    .into(),
            ));
        }
        if routed.accepted.viewer.is_https {
            return Ok(Admitted(routed));
        }
        match routed.behavior.viewer_protocol_policy {
            ViewerProtocolPolicy::AllowAll => Ok(Admitted(routed)),
            ViewerProtocolPolicy::HttpsOnly => Err(EarlyAnswer::Page(
                Reason::HttpsRequired,
                StatusCode::FORBIDDEN,
                "Bad request. Use https for this URL.".into(),
            )),
            ViewerProtocolPolicy::RedirectToHttps => Err(redirect(node, &routed)),
        }
    }
}

/// Methods beyond CloudFront's seven count as allowed with all of these, if they pass at all.
fn is_allowed(routed: &Routed<'_>) -> bool {
    let method = &routed.accepted.head.method;
    let allowed = routed.behavior.allowed_methods;
    let is_passed = || {
        let is_for_proxies = matches!(*method, Method::CONNECT | Method::TRACE);
        routed.accepted.switches.unknown_methods_pass && allowed == MethodSet::All && !is_for_proxies
    };
    allowed.contains(method.as_str()) || is_passed()
}

/// 301 for GET and HEAD; 307 for the rest, so that method and body are kept, and 403 where HTTP is too old for that.
/// The location has the port of the TLS listener.
fn redirect(node: &Node, routed: &Routed<'_>) -> EarlyAnswer {
    let head = &routed.accepted.head;
    let status = match head.method {
        Method::GET | Method::HEAD => StatusCode::MOVED_PERMANENTLY,
        _ if head.version >= Version::HTTP_11 => StatusCode::TEMPORARY_REDIRECT,
        _ => {
            return EarlyAnswer::Page(
                Reason::HttpsRequired,
                StatusCode::FORBIDDEN,
                "Bad request. Use https for this URL.".into(),
            );
        }
    };
    let host = host_name(routed.accepted.authority().unwrap_or_default());
    let port = node.redirect_port.map_or(String::new(), |port| format!(":{port}"));
    let path_and_query = head.uri.path_and_query().map_or("/", |it| it.as_str());
    EarlyAnswer::Redirect(status, format!("https://{host}{port}{path_and_query}"))
}
