//! Scenario files: what RFC 9111 and its neighbours ask of a shared cache, and what CloudFront documents, acted out.
//!
//! A scenario in `conformance/` says what viewers ask, what the origin says, how time passes, and what must come of it.
//! The same files are run against the caching rules alone, against an edge in memory with either [`Profile`], and against any server over a socket.

mod check;
mod distribution;
mod foreign;
mod profile;
mod rules;
mod run;
pub mod scenario;
mod script;
mod sources;
mod subject;
mod suite;
mod table;

pub use foreign::{Foreign, Tally, ask_server, in_process};
pub use profile::Profile;
pub use rules::by_the_rules;
pub use sources::{Source, Sources};
pub use suite::{Case, Suite, Verdict, in_memory};
pub use table::{Results, counts, readme_with_table, results};
