use warmfront_control::Quotas;

use crate::config::{Quota, QuotaConfig};
use crate::profile::Profile;

/// The quotas of `profile`, but for those that `config` sets.
pub fn quotas(profile: Profile, config: QuotaConfig) -> Quotas {
    let mut quotas = match profile {
        Profile::Aws => Quotas::aws(),
        Profile::Edge => Quotas::unlimited(),
    };
    let set = |quota: &mut Option<usize>, configured: Option<Quota>| match configured {
        Some(Quota::Limited(limit)) => *quota = Some(limit),
        Some(Quota::Unlimited) => *quota = None,
        None => {}
    };
    set(&mut quotas.files_in_progress_max, config.files_in_progress_max);
    set(&mut quotas.wildcards_in_progress_max, config.wildcards_in_progress_max);
    set(&mut quotas.batches_in_progress_max, config.batches_in_progress_max);
    set(&mut quotas.distributions_max, config.distributions_max);
    set(
        &mut quotas.origin_access_controls_max,
        config.origin_access_controls_max,
    );
    let per_control = config.distributions_per_origin_access_control_max;
    set(&mut quotas.distributions_per_origin_access_control_max, per_control);
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_quota_replaces_the_profiles_and_no_other() {
        let config = QuotaConfig {
            batches_in_progress_max: Some(Quota::Limited(2)),
            wildcards_in_progress_max: Some(Quota::Unlimited),
            ..QuotaConfig::default()
        };
        let aws = quotas(Profile::Aws, config);
        assert_eq!(
            aws,
            Quotas {
                batches_in_progress_max: Some(2),
                wildcards_in_progress_max: None,
                ..Quotas::aws()
            }
        );
        let edge = quotas(Profile::Edge, config);
        assert_eq!(
            edge,
            Quotas {
                batches_in_progress_max: Some(2),
                ..Quotas::unlimited()
            }
        );
    }
}
