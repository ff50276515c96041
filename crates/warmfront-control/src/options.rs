use std::sync::Arc;

use warmfront_clock::Clock;
use warmfront_facts::OriginAllow;
use warmfront_model::AccountId;
use warmfront_signing::TokenKey;

use crate::{Disturber, Identities};

/// The largest body taken unless configured otherwise: 3,000 paths of 4,000 characters, and their elements.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a control plane is told from outside.
#[derive(Clone, Debug)]
pub struct ControlOptions {
    /// The account that every distribution belongs to.
    pub account: AccountId,
    /// The region that requests must be signed for: `us-east-1` with CloudFront.
    pub region: String,
    /// Who may ask, and for what.
    pub identities: Identities,
    /// How much of everything there may be.
    pub quotas: Quotas,
    /// Which addresses beyond the public internet an origin may name.
    pub origin_allow: OriginAllow,
    /// Dates distributions and invalidations.
    pub clock: Clock,
    /// Judges how old a signature is. The system's clock even where `clock` is turned by hand: clients sign by theirs.
    pub signing_clock: Clock,
    /// Judges how long a member has been silent; [`Clock::uptime`] of it. The system's clock, too.
    pub lease_clock: Clock,
    /// Makes the tokens that CreateInvalidation gives in `x-warmfront-token`; `None`: it gives none.
    pub tokens: Option<TokenKey>,
    /// Pauses and kills nodes on request, for tests; `None` refuses that.
    pub disturber: Option<Arc<dyn Disturber>>,
    /// The largest body taken, in bytes.
    pub body_bytes_max: usize,
}

impl ControlOptions {
    /// CloudFront's region and quotas, the system's clock, no origin allowed but public ones.
    pub fn new(account: AccountId, identities: Identities) -> ControlOptions {
        ControlOptions {
            account,
            region: "us-east-1".to_owned(),
            identities,
            quotas: Quotas::aws(),
            origin_allow: OriginAllow::default(),
            clock: Clock::system(),
            signing_clock: Clock::system(),
            lease_clock: Clock::system(),
            tokens: None,
            disturber: None,
            body_bytes_max: BODY_BYTES_MAX,
        }
    }
}

/// Limits by name; `None` is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Paths without a wildcard, and tags, of one distribution's invalidations in progress.
    pub files_in_progress_max: Option<usize>,
    /// Paths with a wildcard of one distribution's invalidations in progress.
    pub wildcards_in_progress_max: Option<usize>,
    /// Invalidations in progress of one distribution.
    pub batches_in_progress_max: Option<usize>,
    /// Distributions of the account.
    pub distributions_max: Option<usize>,
    /// Origin access controls of the account.
    pub origin_access_controls_max: Option<usize>,
    /// Distributions that use one origin access control.
    pub distributions_per_origin_access_control_max: Option<usize>,
    /// Custom policies of the account, of each kind.
    pub policies_max: Option<usize>,
    /// Distributions that use one custom policy.
    pub distributions_per_policy_max: Option<usize>,
}

impl Quotas {
    /// What AWS grants an account that has asked for nothing more.
    ///
    /// Source: CloudFront Developer Guide, "Quotas". `batches_in_progress_max` is not in it: it is what users meet when they
    /// send one wildcard per invalidation.
    pub fn aws() -> Quotas {
        Quotas {
            files_in_progress_max: Some(3_000),
            wildcards_in_progress_max: Some(15),
            batches_in_progress_max: Some(15),
            distributions_max: Some(500),
            origin_access_controls_max: Some(100),
            distributions_per_origin_access_control_max: Some(100),
            policies_max: Some(20),
            distributions_per_policy_max: Some(100),
        }
    }

    /// None at all.
    pub fn unlimited() -> Quotas {
        Quotas {
            files_in_progress_max: None,
            wildcards_in_progress_max: None,
            batches_in_progress_max: None,
            distributions_max: None,
            origin_access_controls_max: None,
            distributions_per_origin_access_control_max: None,
            policies_max: None,
            distributions_per_policy_max: None,
        }
    }

    /// Whether invalidations in progress are counted at all.
    pub(crate) fn limit_invalidations(&self) -> bool {
        self.files_in_progress_max.is_some()
            || self.wildcards_in_progress_max.is_some()
            || self.batches_in_progress_max.is_some()
    }
}
