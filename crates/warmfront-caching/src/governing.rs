use http::{HeaderMap, HeaderName};
use warmfront_http::{CacheControl, targeted_directives};

use crate::switches::Switches;

const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// The directives that a response is judged by.
#[derive(Clone, Debug)]
pub(crate) struct Governing {
    /// The directives.
    pub(crate) directives: CacheControl,
    /// Whether they come from CDN-Cache-Control: then Expires does not count either.
    pub(crate) targeted: bool,
}

impl Governing {
    /// CDN-Cache-Control where it is obeyed, there and well formed; otherwise Cache-Control.
    ///
    /// Source: RFC 9213 sections 2.2 and 3.1.
    pub(crate) fn of(response: &HeaderMap, switches: &Switches) -> Governing {
        let targeted = switches
            .cdn_cache_control
            .then(|| targeted_directives(response, &CDN_CACHE_CONTROL))
            .flatten();
        match targeted {
            Some(directives) => Governing {
                directives,
                targeted: true,
            },
            None => Governing {
                directives: CacheControl::parse(response),
                targeted: false,
            },
        }
    }
}
