use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use warmfront_invalidation::Index;
use warmfront_model::{
    Behavior, Distribution, DistributionId, Epoch, Incarnation, Origin, ResourceArn, SigningBehavior,
};
use warmfront_routing::{Behaviors, HostTable};

/// Everything a request is decided by: configuration and index of one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// What invalidations are known; its applied epoch is the snapshot's.
    pub(crate) index: Index,
    /// The distributions.
    pub(crate) sites: Arc<Sites>,
}

impl Snapshot {
    pub(crate) fn new(incarnation: Incarnation) -> Snapshot {
        Snapshot {
            index: Index::new(incarnation),
            sites: Arc::default(),
        }
    }

    /// The right to ask an origin, stamped with this snapshot's epoch: taken before the request is sent, so that no
    /// invalidation created later is ever counted as known to the answer.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket {
            as_of: self.index.applied(),
        }
    }
}

/// What an origin cannot be dialled without: the epoch that its answer will be stamped with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    as_of: Epoch,
}

impl Ticket {
    pub(crate) fn as_of(&self) -> Epoch {
        self.as_of
    }
}

/// The distributions, by host and by Id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sites {
    pub(crate) hosts: HostTable<Site>,
    pub(crate) by_id: HashMap<DistributionId, Arc<Site>, RandomState>,
}

/// One distribution, compiled for routing.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) distribution: Arc<Distribution>,
    pub(crate) behaviors: Behaviors,
    pub(crate) arn: ResourceArn,
    /// By origin: when requests to it are signed; `None` without an origin access control.
    signing: Vec<Option<SigningBehavior>>,
}

impl Site {
    /// `signing_of` gives the behavior of an origin access control by its Id.
    pub(crate) fn new(
        distribution: Arc<Distribution>,
        arn: ResourceArn,
        signing_of: impl Fn(&str) -> Option<SigningBehavior>,
    ) -> Site {
        let signing = distribution
            .origins
            .iter()
            .map(|origin| origin.access_control_id.as_deref().and_then(&signing_of))
            .collect();
        Site {
            behaviors: Behaviors::new(&distribution),
            distribution,
            arn,
            signing,
        }
    }

    /// A behavior's origin, and when requests to it are signed.
    pub(crate) fn origin(&self, behavior: &Behavior) -> Option<(&Origin, Option<SigningBehavior>)> {
        let origin = self.distribution.origins.get(behavior.origin)?;
        Some((origin, self.signing.get(behavior.origin).copied().flatten()))
    }
}
