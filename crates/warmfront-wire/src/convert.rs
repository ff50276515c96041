//! Turns the wire types into validated values, and back.
//!
//! Every rule here needs nothing but the configuration it is given; what needs other resources too (is an alias taken,
//! does an origin access control exist, quotas of the account) is checked by the control plane.

mod behavior;
mod cache_policy;
mod custom_error;
mod custom_headers;
mod defaults;
mod distribution;
mod error;
mod features;
mod managed;
mod names;
mod origin;
mod origin_access_control;
mod origin_request_policy;
mod policies;
mod response_headers_policy;
mod summary;
mod tags;
mod ttl;
mod update;

pub use cache_policy::{cache_policy, cache_policy_config, cache_policy_with_defaults};
pub use defaults::with_defaults;
pub use distribution::{distribution, distribution_with};
pub use error::ConfigError;
pub use managed::{
    ManagedPolicy, managed_cache_policies, managed_origin_request_policies, managed_response_headers_policies,
};
pub use origin_access_control::{origin_access_control, origin_access_control_summary};
pub use origin_request_policy::origin_request_policy;
pub use policies::{ManagedPolicies, Policies};
pub use response_headers_policy::response_headers_policy;
pub use summary::{DistributionFacts, distribution_summary};
pub use tags::tags;
pub use update::update_requires;

#[cfg(test)]
mod samples;
