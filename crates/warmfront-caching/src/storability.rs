use http::header::SET_COOKIE;
use http::{HeaderMap, Method, StatusCode};
use warmfront_http::{CacheControl, Vary};
use warmfront_model::{Timestamp, TtlBounds};

use crate::asked::Asked;
use crate::freshness::{FreshnessRule, Lifetime, explicit_freshness, heuristic_secs, initial_age_secs, within_bounds};
use crate::governing::Governing;
use crate::revalidation::has_validator;
use crate::rules::Rules;
use crate::status::{StatusRule, is_heuristically_cacheable, is_never_stored, is_understood};

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
    /// The response varies on something that no request states: `Vary: *`.
    Vary,
    /// The status is never cached, or only with freshness that the response does not state.
    Status,
    /// `no-store`, where no MinTTL overrules it.
    NoStore,
    /// `private`, where no MinTTL overrules it.
    Private,
    /// `no-store` of the viewer's.
    RequestNoStore,
    /// The request has Authorization, and the response is not marked for sharing.
    Authorization,
    /// `must-understand`, and the status code is not known.
    MustUnderstand,
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
        NotStored::RequestNoStore,
        NotStored::Authorization,
        NotStored::MustUnderstand,
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
            NotStored::RequestNoStore => "request-no-store",
            NotStored::Authorization => "authorization",
            NotStored::MustUnderstand => "must-understand",
            NotStored::NeverUsable => "never-usable",
        }
    }
}

/// Whether the response that an origin gave may be stored, and how long it is fresh from `now` on.
///
/// `headers` are as the origin sent them: Age, Vary and Connection are still in place.
/// `rules` carry the ErrorCachingMinTTL of `status`.
///
/// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)", "How CloudFront
/// processes and caches HTTP 4xx and 5xx status codes" and "... 3xx status codes"; RFC 9111 section 3.
pub fn storability(
    asked: Asked<'_>,
    status: StatusCode,
    headers: &HeaderMap,
    rules: &Rules<'_>,
    now: Timestamp,
) -> Storability {
    match lifetime(asked, status, headers, rules, now) {
        Ok(lifetime) => Storability::Store(lifetime),
        Err(reason) => Storability::DoNotStore(reason),
    }
}

fn lifetime(
    asked: Asked<'_>,
    status: StatusCode,
    headers: &HeaderMap,
    rules: &Rules<'_>,
    now: Timestamp,
) -> Result<Lifetime, NotStored> {
    never_stored(asked.method, status, headers, rules)?;
    let mut response = Response {
        status,
        headers,
        governing: Governing::of(headers, &rules.switches),
        rules,
        now,
    };
    obey_must_understand(&mut response)?;
    permitted(asked, &response.governing.directives, rules)?;
    if !rules.switches.cloudfront_status_codes {
        return response.lifetime_by_rfc();
    }
    response.lifetime_by_cloudfront()
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
    // RFC 9111 section 4.1: `*` never matches. CloudFront, where it does not go by Vary, drops it under a MinTTL.
    let any_counts = rules.switches.vary_selects || rules.ttl.min_secs == 0;
    if any_counts && Vary::parse(headers) == Vary::Any {
        return Err(NotStored::Vary);
    }
    Ok(())
}

/// RFC 9111 section 5.2.2.3: whoever knows the status code ignores `no-store`, whoever does not stores nothing.
fn obey_must_understand(response: &mut Response<'_>) -> Result<(), NotStored> {
    let directives = &mut response.governing.directives;
    if response.rules.switches.must_understand && directives.must_understand {
        if !is_understood(response.status) {
            return Err(NotStored::MustUnderstand);
        }
        directives.no_store = false;
    }
    Ok(())
}

/// What the request has to say about storing.
fn permitted(asked: Asked<'_>, directives: &CacheControl, rules: &Rules<'_>) -> Result<(), NotStored> {
    // RFC 9111 section 5.2.1.5.
    if asked.no_store {
        return Err(NotStored::RequestNoStore);
    }
    // RFC 9111 section 3.5.
    let marked = directives.public || directives.must_revalidate || directives.s_maxage_secs.is_some();
    if asked.authorization && rules.switches.authorization_restricts && !marked {
        return Err(NotStored::Authorization);
    }
    Ok(())
}

/// Whether the whole response is `no-store`, `no-cache` or `private`: the last row of CloudFront's table of TTLs.
pub(crate) fn forbids_reuse(directives: &CacheControl) -> bool {
    directives.no_store || directives.no_cache.is_response() || directives.private.is_response()
}

fn may_be_kept(directives: &CacheControl) -> Result<(), NotStored> {
    if directives.no_store {
        Err(NotStored::NoStore)
    } else if directives.private.is_response() {
        Err(NotStored::Private)
    } else {
        Ok(())
    }
}

fn may_be_reused(directives: &CacheControl) -> Result<(), NotStored> {
    may_be_kept(directives)?;
    if directives.no_cache.is_response() {
        Err(NotStored::NeverUsable)
    } else {
        Ok(())
    }
}

struct Response<'a> {
    status: StatusCode,
    headers: &'a HeaderMap,
    governing: Governing,
    rules: &'a Rules<'a>,
    now: Timestamp,
}

impl Response<'_> {
    fn explicit(&self) -> Option<(u64, FreshnessRule)> {
        explicit_freshness(&self.governing, self.headers, self.initial_age_secs(), self.now)
    }

    fn initial_age_secs(&self) -> u64 {
        initial_age_secs(self.headers, self.now, &self.rules.switches)
    }

    /// CloudFront's table of status codes.
    fn lifetime_by_cloudfront(&self) -> Result<Lifetime, NotStored> {
        let directives = &self.governing.directives;
        let max_age_stated = directives.s_maxage_secs.is_some() || directives.max_age_secs.is_some();
        let error_min_secs = self.rules.error_caching_min_ttl_secs;
        match StatusRule::of(self.status) {
            StatusRule::ByTtl => self.lifetime_by_ttl(),
            StatusRule::WithCacheControl if directives.present => self.lifetime_by_ttl(),
            StatusRule::WithFreshness if self.explicit().is_some() => {
                may_be_reused(directives)?;
                self.lifetime_of_error(0)
            }
            StatusRule::Error => {
                // Expiration: a 501 from S3 with no-cache, no-store or private is not cached, not even with MinTTL > 0.
                if self.rules.s3_origin && self.status == StatusCode::NOT_IMPLEMENTED {
                    may_be_reused(directives)?;
                }
                self.lifetime_of_error(error_min_secs)
            }
            StatusRule::ErrorUnlessForbidden => {
                may_be_reused(directives)?;
                self.lifetime_of_error(error_min_secs)
            }
            StatusRule::ErrorWithMaxAge if max_age_stated => {
                may_be_reused(directives)?;
                self.lifetime_of_error(error_min_secs)
            }
            _ => Err(NotStored::Status),
        }
    }

    /// Any final status whose freshness is stated, or may be guessed.
    ///
    /// Source: RFC 9111 section 3.
    fn lifetime_by_rfc(&self) -> Result<Lifetime, NotStored> {
        let may_be_guessed = is_heuristically_cacheable(self.status) || self.governing.directives.public;
        let stated = self.explicit().is_some() || self.governing.directives.no_cache.is_response();
        if is_never_stored(self.status) || !(stated || may_be_guessed) {
            return Err(NotStored::Status);
        }
        let lifetime = self.lifetime_by_ttl()?;
        if !self.status.is_server_error() {
            return Ok(lifetime);
        }
        // An error does not stand in for a failing origin, nor for itself.
        Ok(Lifetime {
            stale_while_revalidate_secs: 0,
            stale_if_error_secs: 0,
            ..lifetime
        })
    }

    /// The table of TTLs, for responses that are no errors.
    ///
    /// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)".
    fn lifetime_by_ttl(&self) -> Result<Lifetime, NotStored> {
        let (directives, ttl) = (&self.governing.directives, self.rules.ttl);
        let min_overrides = ttl.min_secs > 0 && self.rules.switches.min_ttl_overrides;
        let freshness = if forbids_reuse(directives) && min_overrides {
            // MinTTL > 0: no-cache, no-store and private are ignored, the response is cached for MinTTL.
            (ttl.min_secs, FreshnessRule::MinTtl)
        } else if directives.no_cache.is_response() {
            // RFC 9111 section 5.2.2.4: no-cache may be stored, and is not used without asking the origin.
            may_be_kept(directives)?;
            (0, FreshnessRule::NoCache)
        } else {
            may_be_kept(directives)?;
            match self.explicit() {
                Some((secs, rule)) if min_overrides => within_bounds(secs, rule, ttl),
                Some((secs, rule)) => within_bounds(secs, rule, TtlBounds { min_secs: 0, ..ttl }),
                None => self.guessed(),
            }
        };
        let lifetime = Lifetime::with_stale_windows(freshness, directives, self.rules, self.initial_age_secs());
        let stale_if_error_asked = directives.stale_if_error_secs.is_some() && lifetime.stale_if_error_secs > 0;
        let usable = lifetime.fresh_secs > 0
            || lifetime.stale_while_revalidate_secs > 0
            || stale_if_error_asked
            || has_validator(self.headers, self.rules);
        if usable {
            Ok(lifetime)
        } else {
            Err(NotStored::NeverUsable)
        }
    }

    /// How long a response that states nothing is taken for fresh. It is the cache's own time, so the response's age
    /// takes nothing off DefaultTTL.
    fn guessed(&self) -> (u64, FreshnessRule) {
        let ttl = self.rules.ttl;
        if !self.rules.switches.heuristic_freshness {
            return within_bounds(ttl.default_secs, FreshnessRule::DefaultTtl, ttl);
        }
        // Whoever sets a cookie had one viewer in mind: nothing is guessed then.
        let from_modification = (!self.headers.contains_key(SET_COOKIE))
            .then(|| heuristic_secs(self.headers, self.now))
            .flatten();
        match from_modification {
            Some(secs) => {
                let left = secs.min(ttl.default_secs).saturating_sub(self.initial_age_secs());
                within_bounds(left, FreshnessRule::Heuristic, ttl)
            }
            None if self.status.as_u16() >= 400 => (
                self.rules.error_caching_min_ttl_secs.min(ttl.max_secs),
                FreshnessRule::ErrorCachingMinTtl,
            ),
            None => (ttl.min_secs, FreshnessRule::MinTtl),
        }
    }

    /// Errors are kept for the larger of `min_ttl_secs` (ErrorCachingMinTTL) and what they state, within MaxTTL. MinTTL
    /// and DefaultTTL do not apply, and an error is never used stale.
    ///
    /// Source: CloudFront Developer Guide, "Control how long CloudFront caches errors".
    fn lifetime_of_error(&self, min_ttl_secs: u64) -> Result<Lifetime, NotStored> {
        let stated = self.explicit().filter(|_| !forbids_reuse(&self.governing.directives));
        let longer = stated.filter(|(secs, _)| *secs > min_ttl_secs);
        let (secs, rule) = longer.unwrap_or((min_ttl_secs, FreshnessRule::ErrorCachingMinTtl));
        let bounds = TtlBounds {
            min_secs: 0,
            ..self.rules.ttl
        };
        let (fresh_secs, rule) = within_bounds(secs, rule, bounds);
        if fresh_secs == 0 {
            return Err(NotStored::NeverUsable);
        }
        Ok(Lifetime {
            fresh_secs,
            rule,
            stale_while_revalidate_secs: 0,
            stale_if_error_secs: 0,
            initial_age_secs: self.initial_age_secs(),
        })
    }
}

#[cfg(test)]
mod tests;
