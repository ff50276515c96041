//! Validated values that every other crate speaks in: distributions, behaviors, policies, ids, epochs, time.
//!
//! Nothing here reads a clock, a socket or a disk, and nothing here is serialised: whoever puts a value on a wire or a
//! disk owns a twin of it and converts by hand.

mod cache_policy;
mod distribution;
mod epoch;
mod id;
mod origin;
mod origin_request_policy;
mod response_headers_policy;
mod time;

pub use cache_policy::{AcceptEncoding, CachePolicy, KeyPart, TtlBounds, managed_cache_policies, managed_cache_policy};
pub use distribution::{Behavior, Distribution, ErrorCaching, Logging, MethodSet, ViewerProtocolPolicy};
pub use epoch::{Epoch, Incarnation, Revision};
pub use id::{AccountId, CacheTag, DistributionId, InvalidAccountId, InvalidDistributionId, ResourceArn};
pub use origin::{
    CustomOrigin, Origin, OriginAccessControl, OriginKind, OriginProtocolPolicy, S3Origin, SigningBehavior,
    parse_s3_domain,
};
pub use origin_request_policy::{OriginRequestHeaders, OriginRequestPolicy};
pub use response_headers_policy::{AllowedOrigin, Cors, PolicyHeader, ResponseHeadersPolicy, SamplingRate};
pub use time::Timestamp;
