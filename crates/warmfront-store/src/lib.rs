//! Cached responses in memory.
//!
//! A [`StoredResponse`] is a head, a stamp and a body. The body opens only with the proof that no invalidation covers it.
//! A body may still be arriving: a [`Fill`] appends to it while readers follow. Complete responses live in a [`Store`].

mod body;
mod fill;
mod response;
mod store;

pub use body::{Body, BodyReader, Truncated};
pub use fill::{Fill, FillLimits};
pub use response::{Head, StoredResponse};
pub use store::{Inserted, Store};
