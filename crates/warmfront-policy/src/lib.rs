//! IAM policies and bucket policies: reading them, deciding a request by them, telling whether they are public.
//!
//! Sources: IAM User Guide, "IAM JSON policy reference" (the elements) and "Policy evaluation logic" (the decision);
//! Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", for [`is_public`].
//! Pure: no clock, no I/O. Date and address of a request are context keys that the caller fills in.
//!
//! Not supported: permissions boundaries, session policies, service and resource control policies, `BinaryEquals`.
//! Federated and canonical-user principals are read and never match.
//! `docs/decisions/0003-sigv4-and-policies.md` says why this is not an existing crate.

mod condition;
mod context;
mod document;
mod error;
mod evaluate;
mod json;
mod operand;
mod operator;
mod pattern;
mod principal;
mod public;
mod statement;

pub use context::Context;
pub use document::{Policy, PolicyKind};
pub use error::PolicyError;
pub use evaluate::{Decision, Request, evaluate};
pub use principal::Principal;
pub use public::is_public;
