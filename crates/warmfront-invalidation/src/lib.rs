//! Which stored responses an invalidation covers.
//!
//! An invalidation's items are put into an [`Index`] at the invalidation's revision. A stored response carries a
//! [`Stamp`], its as-of; it may be used only with the proof that [`Index::check`] gives: no item at a later revision than
//! the stamp matches its URL or its tags.

mod index;
mod item;
mod prefix_tree;
mod proof;
mod url;

pub use index::{DistributionIndex, Index};
pub use item::{InvalidPath, InvalidationItem, PATH_CHARACTERS_MAX};
pub use proof::{Proven, Stamp, Stamped};
pub use url::{Names, NormalUrl, Subject};
