use http::HeaderMap;
use warmfront_http::RequestDirectives;
use warmfront_model::Timestamp;

use crate::freshness::{Lifetime, StoredCopy, age_secs, stored_copy};
use crate::switches::Switches;

/// What a stored response is good for, for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyForRequest {
    /// As for every request.
    As(StoredCopy),
    /// It is expired, and the request accepts that.
    MaxStale,
    /// The request does not accept it as it is: the origin is asked first.
    Unwanted,
}

/// What a request asks of caches, where the switch `request_directives` has it obeyed; `None` if nothing.
pub fn request_directives(viewer: &HeaderMap, switches: &Switches) -> Option<RequestDirectives> {
    switches
        .request_directives
        .then(|| RequestDirectives::of(viewer))
        .flatten()
}

/// What a response received (or last confirmed by a 304) at `response_time` is good for at `now`, for a request with
/// these directives.
///
/// A `max-age` of 0 asks for the origin's word, however young the copy is. `max-stale` takes nothing that the response
/// itself forbids to use stale.
///
/// Source: RFC 9111 section 5.2.1.
pub fn copy_for_request(
    lifetime: &Lifetime,
    directives: Option<&RequestDirectives>,
    (response_time, now): (Timestamp, Timestamp),
) -> CopyForRequest {
    let copy = stored_copy(lifetime, response_time, now);
    let Some(directives) = directives else {
        return CopyForRequest::As(copy);
    };
    let kept_secs = now.secs_since(response_time);
    let left_secs = lifetime.fresh_secs.saturating_sub(kept_secs);
    let age_secs = age_secs(lifetime.initial_age_secs, response_time, now);
    let too_old = directives
        .max_age_secs
        .is_some_and(|max_secs| max_secs == 0 || age_secs > max_secs);
    let too_short = directives.min_fresh_secs.is_some_and(|min_secs| left_secs < min_secs);
    if directives.no_cache || too_old || too_short {
        return CopyForRequest::Unwanted;
    }
    let stale_secs = kept_secs.saturating_sub(lifetime.fresh_secs);
    let accepted = directives.max_stale_secs.is_some_and(|max_secs| stale_secs <= max_secs);
    if copy == StoredCopy::Stale && accepted && stale_secs < lifetime.stale_if_error_secs {
        return CopyForRequest::MaxStale;
    }
    CopyForRequest::As(copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freshness::FreshnessRule;
    use crate::testing::{NOW, after_secs, headers};

    const LIFETIME: Lifetime = Lifetime {
        fresh_secs: 60,
        rule: FreshnessRule::MaxAge,
        stale_while_revalidate_secs: 0,
        stale_if_error_secs: 1000,
        initial_age_secs: 100,
    };

    fn check(cache_control: &str, after: i64, expected: CopyForRequest) {
        let viewer = headers(&format!("cache-control: {cache_control}"));
        let directives = request_directives(&viewer, &Switches::EDGE);
        let got = copy_for_request(&LIFETIME, directives.as_ref(), (NOW, after_secs(after)));
        assert_eq!(got, expected, "{cache_control} after {after} s");
    }

    const FRESH: CopyForRequest = CopyForRequest::As(StoredCopy::Fresh);
    const STALE: CopyForRequest = CopyForRequest::As(StoredCopy::Stale);

    #[test]
    fn no_cache_and_max_age_0_ask_the_origin() {
        check("no-cache", 0, CopyForRequest::Unwanted);
        check("max-age=0", 0, CopyForRequest::Unwanted);
        check("other", 0, FRESH);
    }

    #[test]
    fn max_age_counts_the_age_on_arrival_too() {
        check("max-age=110", 10, FRESH);
        check("max-age=110", 11, CopyForRequest::Unwanted);
    }

    #[test]
    fn min_fresh_counts_what_is_left() {
        check("min-fresh=50", 10, FRESH);
        check("min-fresh=50", 11, CopyForRequest::Unwanted);
    }

    #[test]
    fn max_stale_accepts_what_is_expired_for_so_long() {
        check("max-stale=30", 59, FRESH);
        check("max-stale=30", 90, CopyForRequest::MaxStale);
        check("max-stale=30", 91, STALE);
        check("max-stale", 1059, CopyForRequest::MaxStale);
        check("max-stale", 1060, STALE);
    }

    #[test]
    fn max_stale_takes_nothing_that_the_response_forbids() {
        let strict = Lifetime {
            stale_if_error_secs: 0,
            ..LIFETIME
        };
        let directives = request_directives(&headers("cache-control: max-stale"), &Switches::EDGE);
        let got = copy_for_request(&strict, directives.as_ref(), (NOW, after_secs(60)));
        assert_eq!(got, STALE);
    }

    #[test]
    fn cloudfront_does_not_listen() {
        assert_eq!(
            request_directives(&headers("cache-control: no-cache"), &Switches::AWS),
            None
        );
    }
}
