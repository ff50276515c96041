use http::{HeaderMap, Method};
use warmfront_http::CacheControl;

use crate::rules::Rules;
use crate::storability::{Storability, forbids_reuse};

/// Whether a request may wait for a fetch of the same key that is under way, instead of starting its own.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", simultaneous requests for the
/// same object (request collapsing).
pub fn may_collapse(method: &Method, rules: &Rules<'_>) -> bool {
    rules.may_answer_from_cache(method)
}

/// Whether a fetched response may also answer those who waited for it; if not, each of them asks the origin itself.
///
/// A response that is not stored answers one viewer only. Of the stored ones, with MinTTL 0 those are not shared that say
/// `private`, `no-store` or `no-cache`, or whose `s-maxage` (without it, `max-age`) is 0.
///
/// Source: as for [`may_collapse`].
pub fn may_share(storability: &Storability, headers: &HeaderMap, rules: &Rules<'_>) -> bool {
    if !matches!(storability, Storability::Store(_)) {
        return false;
    }
    let directives = CacheControl::parse(headers);
    let no_age_left = directives.s_maxage_secs.or(directives.max_age_secs) == Some(0);
    rules.ttl.min_secs > 0 || !(forbids_reuse(&directives) || no_age_left)
}

#[cfg(test)]
mod tests;
