//! The invalidation protocol as an executable specification.
//!
//! A small system (one or two POPs, up to two regionals, one URL, one tag, a few invalidations) is a [`State`], and every
//! rule of the protocol is a guard or an effect of one of its [`steps`]. [`explore()`] visits every state that can be
//! reached, in every order of steps, and looks for one thing:
//!
//! > Once an invalidation reads `Completed`, no request that arrives afterwards, at any POP, is answered with a covered
//! > response whose origin fetch began before that invalidation was created.
//!
//! Each rule can be left out ([`Rules::without`]); the tests keep, for each, the smallest instance that then breaks.
//! `docs/decisions/0007-protocol-model.md` says what is modelled, and what is not.

mod bits;
mod explore;
mod instance;
mod instances;
mod label;
mod liveness;
mod rules;
mod state;
mod step;

pub use explore::{Outcome, Trace, explore};
pub use instance::Instance;
pub use label::Label;
pub use liveness::{Liveness, can_always};
pub use rules::Rules;
pub use state::{Entry, Fetch, Journal, Node, Phase, Probe, Raise, Required, Response, State, Sweep};
pub use step::{Next, Verdict, steps};
