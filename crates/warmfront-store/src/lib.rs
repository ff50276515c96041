//! Cached responses in memory and on disk.
//!
//! A [`StoredResponse`] is a head, a stamp and a body. The body opens only with the proof that no invalidation covers it.
//! A body may still be arriving: a [`Fill`] appends to it while readers follow. Complete responses live in a [`Store`].
//! Of what is on disk, the store knows a [`DiskEntry`]: enough to ask the index about it without reading.

mod body;
mod disk;
mod evictions;
mod files;
mod fill;
mod head;
mod held;
mod memory;
mod response;
mod shares;
mod store;

pub use body::{Body, BodyReader, Truncated};
pub use disk::{DISK_BYTES_MIN, DiskEntry, DiskFigures, Recovered};
pub use files::{Files, Folder, SegmentFile};
pub use fill::{Fill, FillLimits};
pub use head::{Head, Ready, StoredHead, abbreviate};
pub use response::StoredResponse;
pub use store::{DiskOptions, Inserted, Store, StoreFigures};
