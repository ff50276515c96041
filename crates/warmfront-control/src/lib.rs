//! The control plane: CloudFront's API over a journal, one file for each operation.
//!
//! Reads are answered from a [`View`](warmfront_facts::View) at the journal's head. Writes are decided on such a view and
//! committed only if the journal has not moved on meanwhile. Status (`Deployed`, `Completed`) derives from how far every
//! member node has applied the journal, and is never part of an ETag.

mod answer;
mod audit;
mod authentication;
mod authorization;
mod call;
mod completion;
mod control;
mod disturbance;
mod document;
mod error;
mod follower;
mod identity;
mod listing;
mod members;
#[cfg(not(feature = "mutants"))]
mod mutants;
#[cfg(feature = "mutants")]
pub mod mutants;
mod naming;
mod nodes;
mod operation;
mod options;
mod origins;
mod own;
mod policies;
mod router;
mod server;
mod state;
mod version;
mod views;

pub use control::{Control, StartError};
pub use disturbance::{DisturbError, Disturbance, Disturber};
pub use identity::{Grants, Identities, Identity};
pub use nodes::{Counts, Node, NodeDetails, Nodes};
pub use options::{BODY_BYTES_MAX, ControlOptions, Quotas};
pub use server::{CONNECTIONS_MAX, DRAIN_SECS_MAX};
