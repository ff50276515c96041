use http::HeaderMap;

use crate::governing::Governing;
use crate::rules::Rules;
use crate::storability::{Storability, forbids_reuse};

/// Whether a fetched response may also answer those who waited for it; if not, each of them asks the origin itself.
///
/// A response that is not stored answers one viewer only. Of the stored ones, those are not shared that say `private`,
/// `no-store` or `no-cache`, or whose `s-maxage` (without it, `max-age`) is 0, unless a MinTTL above 0 overrules them.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", simultaneous requests for the
/// same object (request collapsing).
pub fn may_share(storability: &Storability, headers: &HeaderMap, rules: &Rules<'_>) -> bool {
    if !matches!(storability, Storability::Store(_)) {
        return false;
    }
    let directives = Governing::of(headers, &rules.switches).directives;
    let no_age_left = directives.s_maxage_secs.or(directives.max_age_secs) == Some(0);
    let overruled = rules.ttl.min_secs > 0 && rules.switches.min_ttl_overrides;
    overruled || !(forbids_reuse(&directives) || no_age_left)
}

#[cfg(test)]
mod tests;
