use http::{HeaderMap, Method, StatusCode};
use warmfront_http::{CacheControl, Vary};
use warmfront_model::{Timestamp, TtlBounds};

use crate::freshness::{FreshnessRule, Lifetime, explicit_freshness, initial_age_secs, within_bounds};
use crate::revalidation::has_validator;
use crate::rules::Rules;

/// Whether a response may be kept, and for how long, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storability {
    /// It may be kept and used within this lifetime.
    Store(Lifetime),
    /// It goes to the viewer who asked, and to nobody else.
    DoNotStore(NotStored),
}

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotStored {
    /// The method's responses are not cached: not GET, nor OPTIONS where that is cached.
    Method,
    /// Every TTL is 0.
    CachingDisabled,
    /// All headers are forwarded.
    AllHeadersForwarded,
    /// A part of a representation.
    PartialContent,
    /// The response varies on something that the key does not distinguish.
    Vary,
    /// The status is never cached, or only with freshness that the response does not state.
    Status,
    /// `no-store` with MinTTL 0.
    NoStore,
    /// `private` with MinTTL 0.
    Private,
    /// Never fresh, and nothing to revalidate it with: it could answer nobody.
    NeverUsable,
}

impl NotStored {
    /// Every one, in order.
    pub const ALL: &[NotStored] = &[
        NotStored::Method,
        NotStored::CachingDisabled,
        NotStored::AllHeadersForwarded,
        NotStored::PartialContent,
        NotStored::Vary,
        NotStored::Status,
        NotStored::NoStore,
        NotStored::Private,
        NotStored::NeverUsable,
    ];

    /// The word for logs, metrics and headers.
    pub fn as_str(self) -> &'static str {
        match self {
            NotStored::Method => "method",
            NotStored::CachingDisabled => "caching-disabled",
            NotStored::AllHeadersForwarded => "all-headers-forwarded",
            NotStored::PartialContent => "partial-content",
            NotStored::Vary => "vary",
            NotStored::Status => "status",
            NotStored::NoStore => "no-store",
            NotStored::Private => "private",
            NotStored::NeverUsable => "never-usable",
        }
    }
}

/// Whether the response that an origin gave to `method` may be stored, and how long it is fresh from `now` on.
///
/// `headers` are as the origin sent them: Age, Vary and Connection are still in place.
/// `rules` carry the ErrorCachingMinTTL of `status`.
///
/// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", "How CloudFront
/// processes and caches HTTP 4xx and 5xx status codes" and "... 3xx status codes"; RFC 9111 section 3.
pub fn storability(
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
    rules: &Rules<'_>,
    now: Timestamp,
) -> Storability {
    match lifetime(method, status, headers, rules, now) {
        Ok(lifetime) => Storability::Store(lifetime),
        Err(reason) => Storability::DoNotStore(reason),
    }
}

fn lifetime(
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
    rules: &Rules<'_>,
    now: Timestamp,
) -> Result<Lifetime, NotStored> {
    never_stored(method, status, headers, rules)?;
    let response = Response {
        headers,
        directives: CacheControl::parse(headers),
        now,
    };
    let directives = &response.directives;
    let max_age_stated = directives.s_maxage_secs.is_some() || directives.max_age_secs.is_some();
    match StatusRule::of(status) {
        StatusRule::ByTtl => response.lifetime_by_ttl(rules),
        StatusRule::WithCacheControl if directives.present => response.lifetime_by_ttl(rules),
        StatusRule::WithFreshness if response.explicit().is_some() => {
            may_be_reused(directives)?;
            response.lifetime_of_error(0, rules)
        }
        StatusRule::Error => {
            // Expiration: a 501 from S3 with no-cache, no-store or private is not cached, not even with MinTTL > 0.
            if rules.s3_origin && status == StatusCode::NOT_IMPLEMENTED {
                may_be_reused(directives)?;
            }
            response.lifetime_of_error(rules.error_caching_min_ttl_secs, rules)
        }
        StatusRule::ErrorUnlessForbidden => {
            may_be_reused(directives)?;
            response.lifetime_of_error(rules.error_caching_min_ttl_secs, rules)
        }
        StatusRule::ErrorWithMaxAge if max_age_stated => {
            may_be_reused(directives)?;
            response.lifetime_of_error(rules.error_caching_min_ttl_secs, rules)
        }
        _ => Err(NotStored::Status),
    }
}

/// The reasons that no header of the response can overrule.
fn never_stored(method: &Method, status: StatusCode, headers: &HeaderMap, rules: &Rules<'_>) -> Result<(), NotStored> {
    // A response to HEAD has no body to answer a GET with; it is not stored, though a stored GET answers HEAD.
    if *method == Method::HEAD {
        return Err(NotStored::Method);
    }
    if let Some(reason) = rules.not_cached(method) {
        return Err(reason);
    }
    // RFC 9111 section 3.3: parts are stored by a cache that combines them, which this one does not yet.
    if status == StatusCode::PARTIAL_CONTENT {
        return Err(NotStored::PartialContent);
    }
    // RFC 9111 section 4.1: a response is reused for requests alone that agree in what Vary names; `*` never agrees.
    // CloudFront ignores Vary when it stores; this is stricter.
    match Vary::parse(headers) {
        Vary::Fields(names) if names.iter().all(|name| rules.is_in_key(name)) => Ok(()),
        _ => Err(NotStored::Vary),
    }
}

/// Under which condition CloudFront caches a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusRule {
    /// By the table of TTLs.
    ByTtl,
    /// By the table of TTLs if there is a Cache-Control field.
    WithCacheControl,
    /// For the time that the response states, if it does.
    WithFreshness,
    /// As an error, whatever the response says.
    Error,
    /// As an error, unless the response forbids it.
    ErrorUnlessForbidden,
    /// As an error if the response has `max-age` or `s-maxage`, and does not forbid it.
    ErrorWithMaxAge,
    /// Never.
    Never,
}

impl StatusRule {
    fn of(status: StatusCode) -> StatusRule {
        match status.as_u16() {
            200..=299 | 301..=303 => StatusRule::ByTtl,
            // HTTP 3xx: 307 and 308 are cached only if the response has a Cache-Control field.
            307 | 308 => StatusRule::WithCacheControl,
            // HTTP 4xx and 5xx: always cached.
            404 | 414 | 500..=504 => StatusRule::Error,
            // AWS lists 403 with the line below. Kept without `max-age` too: a 403 from a bucket states nothing, and is
            // to be cached briefly.
            403 => StatusRule::ErrorUnlessForbidden,
            // HTTP 4xx and 5xx: cached only with `max-age` or `s-maxage`.
            400 | 405 | 412 | 415 => StatusRule::ErrorWithMaxAge,
            // HTTP 4xx and 5xx: 416 is not cached. An interim response and a 304 are no responses of their own.
            100..=199 | 304 | 416 => StatusRule::Never,
            // Undocumented by AWS. RFC 9111 section 3: a final status may be stored if its freshness is stated.
            _ => StatusRule::WithFreshness,
        }
    }
}

/// Whether the whole response is `no-store`, `no-cache` or `private`: the last row of CloudFront's table of TTLs.
pub(crate) fn forbids_reuse(directives: &CacheControl) -> bool {
    directives.no_store || directives.no_cache.is_response() || directives.private.is_response()
}

fn may_be_reused(directives: &CacheControl) -> Result<(), NotStored> {
    if directives.no_store {
        Err(NotStored::NoStore)
    } else if directives.private.is_response() {
        Err(NotStored::Private)
    } else if directives.no_cache.is_response() {
        Err(NotStored::NeverUsable)
    } else {
        Ok(())
    }
}

struct Response<'a> {
    headers: &'a HeaderMap,
    directives: CacheControl,
    now: Timestamp,
}

impl Response<'_> {
    fn explicit(&self) -> Option<(u64, FreshnessRule)> {
        explicit_freshness(&self.directives, self.headers, self.now)
    }

    /// The table of TTLs, for responses that are no errors.
    ///
    /// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)".
    fn lifetime_by_ttl(&self, rules: &Rules<'_>) -> Result<Lifetime, NotStored> {
        let directives = &self.directives;
        let freshness = if !forbids_reuse(directives) {
            // None of them: DefaultTTL. It is the cache's own time, so the response's age takes nothing off.
            let (secs, rule) = self
                .explicit()
                .unwrap_or((rules.ttl.default_secs, FreshnessRule::DefaultTtl));
            within_bounds(secs, rule, rules.ttl)
        } else if rules.ttl.min_secs > 0 {
            // MinTTL > 0: no-cache, no-store and private are ignored, the response is cached for MinTTL.
            (rules.ttl.min_secs, FreshnessRule::MinTtl)
        } else if directives.no_store {
            return Err(NotStored::NoStore);
        } else if directives.private.is_response() {
            return Err(NotStored::Private);
        } else {
            // RFC 9111 section 5.2.2.4: no-cache may be stored, and is not used without asking the origin.
            (0, FreshnessRule::NoCache)
        };
        let lifetime = self.with_stale_windows(freshness, rules);
        let stale_if_error_asked = directives.stale_if_error_secs.is_some() && lifetime.stale_if_error_secs > 0;
        let usable = lifetime.fresh_secs > 0
            || lifetime.stale_while_revalidate_secs > 0
            || stale_if_error_asked
            || has_validator(self.headers, rules);
        if usable {
            Ok(lifetime)
        } else {
            Err(NotStored::NeverUsable)
        }
    }

    /// Errors are kept for the larger of `min_ttl_secs` (ErrorCachingMinTTL) and what they state, within MaxTTL. MinTTL
    /// and DefaultTTL do not apply, and an error is never used stale.
    ///
    /// Source: CloudFront Developer Guide, "Control how long CloudFront caches errors".
    fn lifetime_of_error(&self, min_ttl_secs: u64, rules: &Rules<'_>) -> Result<Lifetime, NotStored> {
        let stated = self.explicit().filter(|_| !forbids_reuse(&self.directives));
        let longer = stated.filter(|(secs, _)| *secs > min_ttl_secs);
        let (secs, rule) = longer.unwrap_or((min_ttl_secs, FreshnessRule::ErrorCachingMinTtl));
        let (fresh_secs, rule) = within_bounds(
            secs,
            rule,
            TtlBounds {
                min_secs: 0,
                ..rules.ttl
            },
        );
        if fresh_secs == 0 {
            return Err(NotStored::NeverUsable);
        }
        Ok(Lifetime {
            fresh_secs,
            rule,
            stale_while_revalidate_secs: 0,
            stale_if_error_secs: 0,
            initial_age_secs: initial_age_secs(self.headers, self.now),
        })
    }

    fn with_stale_windows(&self, freshness: (u64, FreshnessRule), rules: &Rules<'_>) -> Lifetime {
        let initial_age_secs = initial_age_secs(self.headers, self.now);
        Lifetime::with_stale_windows(freshness, &self.directives, rules.ttl, initial_age_secs)
    }
}

#[cfg(test)]
mod tests;
