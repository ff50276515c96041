use std::collections::HashMap;
use std::sync::Arc;

use warmfront_policy::Policy;
use warmfront_signing::SecretKey;

/// Someone who may sign requests.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who it is, such as `arn:aws:iam::123456789012:user/deployer`. Named in AccessDenied.
    pub arn: String,
    /// What it signs with.
    pub secret: SecretKey,
    /// What it may do.
    pub grants: Grants,
}

/// What an identity may do.
#[derive(Clone, Debug)]
pub enum Grants {
    /// Everything.
    Root,
    /// What its policies allow and none of them denies.
    Policies(Vec<Policy>),
}

/// Everyone who may sign requests, by access key Id.
#[derive(Clone, Debug, Default)]
pub struct Identities(HashMap<String, Arc<Identity>>);

impl Identities {
    /// Of these access key Ids.
    pub fn new(identities: impl IntoIterator<Item = (String, Identity)>) -> Identities {
        Identities(
            identities
                .into_iter()
                .map(|(key, identity)| (key, Arc::new(identity)))
                .collect(),
        )
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<&Arc<Identity>> {
        self.0.get(access_key_id)
    }
}
