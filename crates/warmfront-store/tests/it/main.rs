//! The store over a disk that fails, tears, rots and forgets.

mod disk;
mod liveness;
mod model;
mod restart;
mod spilling;
mod streaming;
mod support;
