//! Which stored responses an invalidation covers.
//!
//! An invalidation's items are put into an [`Index`] at the invalidation's revision. A stored response carries a
//! [`Stamp`], its as-of; it may be used only with the proof that [`Index::check`] gives: no item at a later revision than
//! the stamp matches its URL or its tags.

mod by_name;
mod covering;
mod filter;
mod index;
mod item;
mod prefix_tree;
mod proof;
mod tags;
mod tally;
mod url;

pub use covering::{InvalidationMode, UnknownMode};
pub use index::Index;
pub use item::{InvalidPath, InvalidationItem, PATH_CHARACTERS_MAX};
pub use proof::{Covered, Proven, Stamp, Stamped};
pub use tags::{TAGS_MAX, cache_tags};
pub use tally::{Tallied, Tally};
pub use url::{Names, NormalUrl};
