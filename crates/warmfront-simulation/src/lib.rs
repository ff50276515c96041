//! A deterministic simulation: the real edge, its real store and index, and the real control plane's judgement of what is
//! Completed, in a world of which everything else is made up.
//!
//! The world has one thread and no clock of its own: time passes when nothing is left to do. Its network is in memory, its
//! origin follows a script, its journal and its disks fail on command, and every choice is drawn from one seed. So the
//! same seed gives the same run, to the last event.
//!
//! A checker watches every answer that a viewer gets. It knows one rule: once an invalidation reads Completed, no request
//! that arrives afterwards is answered with a covered response whose origin fetch began before that invalidation was
//! created.

mod checker;
mod cut;
mod disk;
mod faults;
mod invalidations;
mod judge;
mod link;
mod origin;
mod plan;
mod random;
mod run;
mod slot;
mod trace;
mod viewer;
mod wire;
mod world;

pub use checker::Violation;
pub use run::{Report, run};
pub use world::Figures;
