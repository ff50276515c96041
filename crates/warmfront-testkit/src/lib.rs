//! Everything that tests of the product stand on: a scripted [`Origin`], a small [`Viewer`], and a [`Testbed`] that runs
//! an edge with its journal and a clock turned by hand.
//!
//! Nothing here sleeps. What must happen in a certain order waits at a [`Gate`], and whatever waits fails after
//! [`PATIENCE`], so that a test that hangs says where.

mod gate;
mod message;
mod origin;
mod site;
mod testbed;
mod tiers;
mod viewer;

pub use gate::{Gate, PATIENCE, within_patience};
pub use message::{BodyState, Framing, MessageError, MessageReader, RequestHead, ResponseHead};
pub use origin::{Origin, OriginRequest, Reply};
pub use site::{Behavior, OriginSite, Site};
pub use testbed::{START, Stopped, Testbed, commit_invalidation, commit_site, edge_options, metrics};
pub use tiers::{Tiers, applied};
pub use viewer::{Answer, Ask, Viewer};
