use std::sync::Arc;

use crate::KeyPart;

/// An origin request policy: what of a viewer's request is sent to the origin besides what the cache key holds.
///
/// It only ever adds: what the cache policy names is sent whatever this says.
///
/// Source: CloudFront Developer Guide, "Understand origin request policies" and "Understand how origin request policies and
/// cache policies work together".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRequestPolicy {
    /// The policy's Id.
    pub id: Arc<str>,
    /// The policy's name, unique in the account.
    pub name: Arc<str>,
    /// Which headers are sent.
    pub headers: OriginRequestHeaders,
    /// Which cookies are sent; names are case-sensitive.
    pub cookies: KeyPart,
    /// Which query strings are sent; names are case-sensitive.
    pub query_strings: KeyPart,
}

/// HeaderBehavior of an origin request policy. All names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum OriginRequestHeaders {
    /// `none`.
    #[default]
    None,
    /// `whitelist`: those named, `CloudFront-*` headers among them.
    Whitelist(Vec<Arc<str>>),
    /// `allViewer`: all that the viewer sent, Host included.
    AllViewer,
    /// `allViewerAndWhitelistCloudFront`: all that the viewer sent, and the `CloudFront-*` headers named.
    AllViewerAndWhitelistCloudFront(Vec<Arc<str>>),
    /// `allExcept`: all that the viewer sent but those named.
    AllExcept(Vec<Arc<str>>),
}

impl OriginRequestHeaders {
    /// Whether a header that the viewer sent goes along. `name` is in lower case.
    pub fn sends(&self, name: &str) -> bool {
        match self {
            OriginRequestHeaders::None => false,
            OriginRequestHeaders::Whitelist(names) => names.iter().any(|listed| &**listed == name),
            OriginRequestHeaders::AllViewer | OriginRequestHeaders::AllViewerAndWhitelistCloudFront(_) => true,
            OriginRequestHeaders::AllExcept(names) => !names.iter().any(|listed| &**listed == name),
        }
    }

    /// Whether a header goes along whose value CloudFront makes itself. `name` is in lower case and begins with
    /// `cloudfront-`.
    ///
    /// Source: CloudFront Developer Guide, "Use managed origin request policies", AllViewer (none of them) and
    /// AllViewerExceptHostHeader (with them).
    pub fn generates(&self, name: &str) -> bool {
        match self {
            OriginRequestHeaders::None | OriginRequestHeaders::AllViewer => false,
            OriginRequestHeaders::Whitelist(names) | OriginRequestHeaders::AllViewerAndWhitelistCloudFront(names) => {
                names.iter().any(|listed| &**listed == name)
            }
            OriginRequestHeaders::AllExcept(_) => self.sends(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_behavior_sends_its_headers() {
        let names: Vec<Arc<str>> = vec!["referer".into(), "cloudfront-forwarded-proto".into()];
        for (headers, referer, host, proto) in [
            (OriginRequestHeaders::None, false, false, false),
            (OriginRequestHeaders::Whitelist(names.clone()), true, false, true),
            (OriginRequestHeaders::AllViewer, true, true, false),
            (
                OriginRequestHeaders::AllViewerAndWhitelistCloudFront(names.clone()),
                true,
                true,
                true,
            ),
            (OriginRequestHeaders::AllExcept(names), false, true, false),
        ] {
            assert_eq!(
                (headers.sends("referer"), headers.sends("host")),
                (referer, host),
                "{headers:?}"
            );
            assert_eq!(headers.generates("cloudfront-forwarded-proto"), proto, "{headers:?}");
        }
    }
}
