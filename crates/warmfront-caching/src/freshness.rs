use http::header::{DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};
use warmfront_http::{CacheControl, age_field, date_field};
use warmfront_model::{Timestamp, TtlBounds};

use crate::governing::Governing;
use crate::rules::Rules;
use crate::switches::Switches;

/// How long a stored response may be used, in whole seconds counted from the moment it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// It is fresh while fewer seconds than this have passed. 0: asked about at the origin each time.
    pub fresh_secs: u64,
    /// What decided `fresh_secs`.
    pub rule: FreshnessRule,
    /// After `fresh_secs`, it may answer for fewer seconds than this while it is refreshed in the background.
    pub stale_while_revalidate_secs: u64,
    /// After `fresh_secs`, it may answer for fewer seconds than this if the origin fails.
    pub stale_if_error_secs: u64,
    /// How old it was already when it was received.
    pub initial_age_secs: u64,
}

/// What decided how long a response is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreshnessRule {
    /// The response's `s-maxage`.
    SMaxage,
    /// The response's `max-age`.
    MaxAge,
    /// The response's Expires.
    Expires,
    /// `no-cache` with MinTTL 0: never fresh.
    NoCache,
    /// DefaultTTL, as the response says nothing.
    DefaultTtl,
    /// A tenth of the time since Last-Modified, as the response says nothing.
    Heuristic,
    /// MinTTL, as the response asks for less.
    MinTtl,
    /// MaxTTL, as the response asks for more.
    MaxTtl,
    /// ErrorCachingMinTTL, for an error that asks for less or says nothing.
    ErrorCachingMinTtl,
}

impl FreshnessRule {
    /// Every one, in order.
    pub const ALL: &[FreshnessRule] = &[
        FreshnessRule::SMaxage,
        FreshnessRule::MaxAge,
        FreshnessRule::Expires,
        FreshnessRule::NoCache,
        FreshnessRule::DefaultTtl,
        FreshnessRule::Heuristic,
        FreshnessRule::MinTtl,
        FreshnessRule::MaxTtl,
        FreshnessRule::ErrorCachingMinTtl,
    ];

    /// The word for logs, metrics and headers.
    pub fn as_str(self) -> &'static str {
        match self {
            FreshnessRule::SMaxage => "s-maxage",
            FreshnessRule::MaxAge => "max-age",
            FreshnessRule::Expires => "expires",
            FreshnessRule::NoCache => "no-cache",
            FreshnessRule::DefaultTtl => "default-ttl",
            FreshnessRule::Heuristic => "heuristic",
            FreshnessRule::MinTtl => "min-ttl",
            FreshnessRule::MaxTtl => "max-ttl",
            FreshnessRule::ErrorCachingMinTtl => "error-caching-min-ttl",
        }
    }
}

/// How old a response is on arrival, in seconds: its Age, or the time since its Date if that is longer.
///
/// Without Age it is 0, whatever Date says, unless the switch `date_counts_as_age` is on. RFC 9111 section 4.2.3 trusts
/// Date only where both clocks agree; a response without Age comes from its origin directly, and there Date would measure
/// nothing but the difference of the clocks.
///
/// Source: RFC 9111 section 4.2.3, corrected_initial_age. Pass the moment the request was sent as `now` and count the
/// copy's time from it, and the response's time on the way is part of its age, as the RFC asks.
pub fn initial_age_secs(headers: &HeaderMap, now: Timestamp, switches: &Switches) -> u64 {
    let age = age_field(headers);
    if age.is_none() && !switches.date_counts_as_age {
        return 0;
    }
    let apparent_age = date_field(headers, DATE)
        .flatten()
        .map_or(0, |date| now.secs_since(date));
    age.unwrap_or(0).max(apparent_age)
}

/// The age of a copy at `now` in whole seconds, for the Age field.
///
/// Source: RFC 9111 section 4.2.3, current_age.
pub fn age_secs(initial_age_secs: u64, response_time: Timestamp, now: Timestamp) -> u64 {
    initial_age_secs.saturating_add(now.secs_since(response_time))
}

/// What the response itself says about its freshness: seconds left on arrival, and which field says so.
///
/// Order: `s-maxage`, `max-age`, Expires minus Date. Time that the response has spent in other caches is taken off.
/// An Expires that holds no date is in the past.
///
/// Source: RFC 9111 sections 4.2.1 and 5.3; RFC 9213 section 2.2 for Expires.
pub(crate) fn explicit_freshness(
    governing: &Governing,
    headers: &HeaderMap,
    initial_age_secs: u64,
    now: Timestamp,
) -> Option<(u64, FreshnessRule)> {
    let (secs, rule) = if let Some(secs) = governing.directives.s_maxage_secs {
        (secs, FreshnessRule::SMaxage)
    } else if let Some(secs) = governing.directives.max_age_secs {
        (secs, FreshnessRule::MaxAge)
    } else if governing.targeted {
        return None;
    } else {
        let expires = date_field(headers, EXPIRES)?;
        let date = date_field(headers, DATE).flatten().unwrap_or(now);
        (
            expires.map_or(0, |expires| expires.secs_since(date)),
            FreshnessRule::Expires,
        )
    };
    Some((secs.saturating_sub(initial_age_secs), rule))
}

/// A tenth of the time between Last-Modified and Date, in seconds; `None` without a Last-Modified that can be read.
///
/// Source: RFC 9111 section 4.2.2.
pub(crate) fn heuristic_secs(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let modified = date_field(headers, LAST_MODIFIED).flatten()?;
    let date = date_field(headers, DATE).flatten().unwrap_or(now);
    Some(date.secs_since(modified) / 10)
}

/// Brings `secs` into [MinTTL, MaxTTL] and says which bound it met.
///
/// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", the table of TTLs.
pub(crate) fn within_bounds(secs: u64, rule: FreshnessRule, ttl: TtlBounds) -> (u64, FreshnessRule) {
    if secs > ttl.max_secs {
        (ttl.max_secs, FreshnessRule::MaxTtl)
    } else if secs < ttl.min_secs {
        (ttl.min_secs, FreshnessRule::MinTtl)
    } else {
        (secs, rule)
    }
}

impl Lifetime {
    /// Adds to a freshness the times in which the response may be used stale.
    ///
    /// `no-cache`, `must-revalidate` and `proxy-revalidate` allow none; a MinTTL above 0 may overrule `no-cache`.
    /// Without `stale-if-error` a copy may stand in for a failing origin up to MaxTTL. MaxTTL ends every window.
    /// `s-maxage` counts as `proxy-revalidate` where the switch says so; what the response allows in so many words, in
    /// the other two directives, it does not take back.
    ///
    /// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", stale directives;
    /// RFC 9111 sections 4.2.4, 5.2.2.2, 5.2.2.8 and 5.2.2.10, on which CloudFront's documentation is silent.
    pub(crate) fn with_stale_windows(
        (fresh_secs, rule): (u64, FreshnessRule),
        directives: &CacheControl,
        rules: &Rules<'_>,
        initial_age_secs: u64,
    ) -> Lifetime {
        let forbidden = directives.must_revalidate || directives.proxy_revalidate || rule == FreshnessRule::NoCache;
        let longest = if forbidden {
            0
        } else {
            rules.ttl.max_secs.saturating_sub(fresh_secs)
        };
        let unasked = if rules.switches.s_maxage_forbids_stale && directives.s_maxage_secs.is_some() {
            0
        } else {
            longest
        };
        Lifetime {
            fresh_secs,
            rule,
            stale_while_revalidate_secs: directives.stale_while_revalidate_secs.unwrap_or(0).min(longest),
            stale_if_error_secs: directives.stale_if_error_secs.map_or(unasked, |secs| secs.min(longest)),
            initial_age_secs,
        }
    }
}

/// What a stored response is good for at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredCopy {
    /// It answers.
    Fresh,
    /// It answers, and is refreshed in the background.
    StaleWhileRevalidate,
    /// The origin is asked first.
    Stale,
}

impl StoredCopy {
    /// The word for logs, metrics and headers.
    pub fn as_str(self) -> &'static str {
        match self {
            StoredCopy::Fresh => "fresh",
            StoredCopy::StaleWhileRevalidate => "stale-while-revalidate",
            StoredCopy::Stale => "stale",
        }
    }
}

/// What a response received (or last confirmed by a 304) at `response_time` is good for at `now`.
///
/// The caller has made sure that no invalidation covers it. Fresh for N seconds means: not any more when exactly N have
/// passed. A clock that has gone back counts as no time passed.
///
/// Source: RFC 9111 section 4.2; RFC 5861 section 3.
pub fn stored_copy(lifetime: &Lifetime, response_time: Timestamp, now: Timestamp) -> StoredCopy {
    let kept_secs = now.secs_since(response_time);
    if kept_secs < lifetime.fresh_secs {
        StoredCopy::Fresh
    } else if kept_secs - lifetime.fresh_secs < lifetime.stale_while_revalidate_secs {
        StoredCopy::StaleWhileRevalidate
    } else {
        StoredCopy::Stale
    }
}

/// How an origin let the edge down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginFailure {
    /// No connection, no answer in time, or no HTTP.
    Unreachable,
    /// An answer with this status.
    Status(StatusCode),
}

/// Whether a stale copy is sent in place of the failure.
///
/// `headers` gives its stored fields.
/// Only for an unreachable origin and a 5xx; a 4xx is the origin's word and goes to the viewer. For a 5xx the copy needs a
/// `stale-if-error`, unless the switch `stale_on_5xx` is on: without it only who is cut off from its origin answers stale.
/// The caller has made sure that no invalidation covers the copy. Having sent it, the caller leaves the origin alone
/// for ErrorCachingMinTTL of the failure's status.
///
/// Source: CloudFront Developer Guide, "How CloudFront processes and caches HTTP 4xx and 5xx status codes"; RFC 9111
/// section 4.2.4; RFC 5861 section 4.
pub fn may_serve_stale_on_error(
    failure: OriginFailure,
    lifetime: &Lifetime,
    headers: impl FnOnce() -> HeaderMap,
    switches: &Switches,
    (response_time, now): (Timestamp, Timestamp),
) -> bool {
    let failed = match failure {
        OriginFailure::Unreachable => true,
        OriginFailure::Status(status) => {
            let allowed = || {
                let governing = Governing::of(&headers(), switches);
                governing.directives.stale_if_error_secs.is_some()
            };
            status.is_server_error() && (switches.stale_on_5xx || allowed())
        }
    };
    let stale_secs = now.secs_since(response_time).saturating_sub(lifetime.fresh_secs);
    failed && stale_secs < lifetime.stale_if_error_secs
}

#[cfg(test)]
mod tests;
