//! Trouble on demand: a server that fails as AWS does, so that a pipeline can be tested against it.
//!
//! A front stands before each API's listener and lets everything through, but for the calls that the script names.

mod call;
mod front;
mod script;

pub use front::{Front, Kind};
pub use script::Script;
