//! The rules of the cache: what may be stored and for how long, when a copy may be used, what to ask the origin, what to
//! send on.
//!
//! Every rule is a function of headers, configuration and the time it is given. Where CloudFront's documentation and RFC
//! 9110 and 9111 part, a [switch](Switches) decides; where it is silent, the RFC does. `conformance/differences.md` lists
//! the switches, and where the product leaves both.

mod asked;
mod changed;
mod collapsing;
mod conditions;
mod cookies;
mod forwarding;
mod freshness;
mod generated;
mod governing;
mod requested;
mod response_policy;
mod revalidation;
mod rules;
mod sending;
mod status;
mod storability;
mod switches;
mod variants;

pub use asked::Asked;
pub use changed::changed_urls;
pub use collapsing::may_share;
pub use conditions::{Precondition, not_modified_headers, viewer_conditions};
pub use cookies::forwarded_cookies;
pub use forwarding::{Forwarding, Purpose, USER_AGENT, forwards_host, origin_request_headers};
pub use freshness::{
    FreshnessRule, Lifetime, OriginFailure, StoredCopy, age_secs, initial_age_secs, may_serve_stale_on_error,
    stored_copy,
};
pub use generated::{ViewerFacts, keyed_headers};
pub use requested::{CopyForRequest, copy_for_request, request_directives};
pub use response_policy::{Answered, Served, Upstream, apply_response_headers_policy};
pub use revalidation::{Freshened, freshened, is_match_304, is_match_head, revalidation_headers, updated_headers};
pub use rules::Rules;
pub use sending::{interim_headers, stored_headers, viewer_headers};
pub use storability::{NotStored, Storability, storability};
pub use switches::{Switches, UnknownSwitch};
pub use variants::{selecting_fields, write_variant};

#[cfg(test)]
mod testing;
