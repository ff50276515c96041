//! The edge: answers viewers from the cache, and asks origins for what it does not have.
//!
//! A request's way is the list of steps in `request.rs`, one file each. Two of the invalidation protocol's rules are
//! types here: a stored body opens only for a response that the index has [proven](warmfront_invalidation::Proven) not
//! to be covered, and an origin is asked only with a ticket, the epoch of the snapshot that the fetch was planned with.
//!
//! Each core has a runtime, a listener and connections to origins of its own. All cores share the snapshot, the store
//! and the table of fetches in flight: a fetch stays on the core that began it, and those who wait for it are woken
//! wherever they are.

mod access_log;
mod body;
mod changes;
mod connection;
mod core;
mod counters;
mod coverage;
mod direct;
mod dry_run;
mod edge;
mod embedded;
mod error_page;
mod flight;
mod follow;
mod half_closed;
mod handle;
mod identifiers;
mod interim;
mod lease;
mod member;
mod metrics;
#[cfg(not(feature = "mutants"))]
mod mutants;
#[cfg(feature = "mutants")]
pub mod mutants;
mod node;
mod options;
mod origin;
mod outcome;
mod past;
mod request;
mod seldom;
mod silence;
mod snapshot;
mod sweep;
mod tier;
mod variants;

pub use access_log::{AccessLog, AccessLogOptions};
pub use edge::{Edge, StartError};
pub use embedded::{Dial, Dialling, Embedded, Transport};
pub use metrics::{EdgeMetrics, Metric};
pub use warmfront_store::DISK_BYTES_MIN;

pub use handle::{Hold, NodeHandle, NodeState};
pub use lease::{LeaseOptions, Tenure};
pub use options::{BucketAccess, DiskCache, EdgeOptions, ExplainToken, Limits};
pub use origin::RefillLimits;
pub use outcome::{FetchReason, Kept, Outcome, Reason, ResultType};
pub use tier::{Parent, Parents, Tier, TierSecret};
