//! Two tiers of caches: POPs face viewers, regional nodes face POPs.
//!
//! A POP that has no answer asks a regional node of its region, over HTTP. What they tell each other beyond the viewer's
//! request and the origin's response is in `x-warmfront-*` fields (see `message`), which exist between them alone: the
//! rules of forwarding take fields with that prefix out of what viewers and origins send.

mod child;
mod message;
mod parents;
mod seal;

pub(crate) use child::{ChildAsk, answer_child};
pub(crate) use message::Verdict;
pub use parents::{Parent, Parents};
pub(crate) use parents::{ParentAsk, Told};
pub use seal::TierSecret;

/// What a node is to others.
#[derive(Clone, Debug)]
pub enum Tier {
    /// It faces viewers, and asks regional nodes if it has any.
    Pop(Parents),
    /// It faces POPs that know this secret, and asks origins.
    Regional(TierSecret),
}

impl Tier {
    /// Whether it faces viewers.
    pub(crate) fn is_for_viewers(&self) -> bool {
        match self {
            Tier::Pop(_) => true,
            Tier::Regional(_) => false,
        }
    }

    /// A POP that asks origins itself.
    pub fn alone() -> Tier {
        Tier::Pop(Parents::none())
    }
}
