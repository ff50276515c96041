use warmfront_model::{CachePolicy, TtlBounds};

use super::ConfigError;
use super::error::ensure;
use crate::ErrorCode;

/// The TTL bounds of a behavior with ForwardedValues: what is left out follows what is given.
pub(super) fn legacy(min_ttl: i64, default_ttl: Option<i64>, max_ttl: Option<i64>) -> Result<TtlBounds, ConfigError> {
    let min_secs = secs("MinTTL", min_ttl)?;
    let default_secs = default_ttl.map(|ttl| secs("DefaultTTL", ttl)).transpose()?;
    let max_secs = max_ttl.map(|ttl| secs("MaxTTL", ttl)).transpose()?;
    TtlBounds::complete(min_secs, default_secs, max_secs).ok_or_else(wrong_order)
}

/// The TTL bounds of a behavior with a cache policy: members given win, the rest come from the policy. Where that breaks
/// the order, the policy's give way.
///
/// CloudFront refuses the combination; the difference is listed in `conformance/differences.md`.
pub(super) fn with_policy(
    policy: &CachePolicy,
    min_ttl: Option<i64>,
    default_ttl: Option<i64>,
    max_ttl: Option<i64>,
) -> Result<TtlBounds, ConfigError> {
    let min = min_ttl.map(|ttl| secs("MinTTL", ttl)).transpose()?;
    let default = default_ttl.map(|ttl| secs("DefaultTTL", ttl)).transpose()?;
    let max = max_ttl.map(|ttl| secs("MaxTTL", ttl)).transpose()?;
    let given: Vec<u64> = [min, default, max].into_iter().flatten().collect();
    ensure(given.is_sorted(), wrong_order)?;
    let smallest = given.first().copied().unwrap_or(u64::MAX);
    let largest = given.last().copied().unwrap_or(0);
    let min_secs = min.unwrap_or(policy.ttl.min_secs.min(smallest));
    let max_secs = max.unwrap_or(policy.ttl.max_secs.max(largest));
    let default_secs = default.unwrap_or(policy.ttl.default_secs.max(min_secs).min(max_secs));
    Ok(TtlBounds {
        min_secs,
        default_secs,
        max_secs,
    })
}

/// A TTL that was sent, from 0 to a hundred years.
pub(super) fn secs(member: &str, ttl: i64) -> Result<u64, ConfigError> {
    let secs = u64::try_from(ttl).ok().filter(|secs| *secs <= TtlBounds::SECS_MAX);
    secs.ok_or_else(|| {
        ConfigError::argument(format!(
            "The parameter {member} must be from 0 to {} seconds, not {ttl}.",
            TtlBounds::SECS_MAX
        ))
    })
}

fn wrong_order() -> ConfigError {
    ConfigError::new(
        ErrorCode::InvalidTTLOrder,
        "MinTTL, MaxTTL and DefaultTTL should follow order MinTTL less than or equal to DefaultTTL less than or equal \
         to MaxTTL",
    )
}

#[cfg(test)]
mod tests {
    use warmfront_model::managed_cache_policy;

    use super::*;

    /// CachingOptimized: 1, 86400, 31536000.
    fn check(given: (Option<i64>, Option<i64>, Option<i64>), expected: Option<(u64, u64, u64)>) {
        let policy = managed_cache_policy("658327ea-f89d-4fab-a63d-7e88639e58f6").unwrap();
        let bounds = with_policy(policy, given.0, given.1, given.2);
        match expected {
            Some(expected) => {
                let bounds = bounds.unwrap();
                assert_eq!(
                    (bounds.min_secs, bounds.default_secs, bounds.max_secs),
                    expected,
                    "{given:?}"
                );
            }
            None => assert_eq!(bounds.unwrap_err().code, ErrorCode::InvalidTTLOrder, "{given:?}"),
        }
    }

    #[test]
    fn members_given_win_over_the_cache_policy() {
        check((None, None, None), Some((1, 86_400, 31_536_000)));
        check((Some(0), Some(60), Some(300)), Some((0, 60, 300)));
        check((Some(0), None, None), Some((0, 86_400, 31_536_000)));
        check((None, Some(60), None), Some((1, 60, 31_536_000)));
    }

    #[test]
    fn the_policys_values_give_way_to_keep_the_order() {
        check((None, Some(0), None), Some((0, 0, 31_536_000)));
        check((None, None, Some(0)), Some((0, 0, 0)));
        check((None, None, Some(300)), Some((1, 300, 300)));
        check((Some(100_000), None, None), Some((100_000, 100_000, 31_536_000)));
        check(
            (Some(40_000_000), None, None),
            Some((40_000_000, 40_000_000, 40_000_000)),
        );
        check((None, Some(40_000_000), None), Some((1, 40_000_000, 40_000_000)));
    }

    #[test]
    fn members_given_must_be_in_order_among_themselves() {
        check((Some(61), Some(60), None), None);
        check((Some(301), None, Some(300)), None);
        check((None, Some(301), Some(300)), None);
    }

    #[test]
    fn ttls_reach_from_zero_to_a_hundred_years() {
        assert_eq!(secs("MinTTL", 3_153_600_000), Ok(3_153_600_000));
        for wrong in [-1, 3_153_600_001, i64::MIN, i64::MAX] {
            assert_eq!(secs("MinTTL", wrong).unwrap_err().code, ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn legacy_ttls_are_completed_or_refused() {
        assert_eq!(legacy(0, None, None).unwrap().default_secs, 86_400);
        assert_eq!(legacy(100_000, None, None).unwrap().default_secs, 100_000);
        assert_eq!(legacy(10, Some(5), None).unwrap_err().code, ErrorCode::InvalidTTLOrder);
    }
}
