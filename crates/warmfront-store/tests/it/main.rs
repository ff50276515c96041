//! The store over a disk that fails, tears, rots and forgets.

mod disk;
mod model;
mod restart;
mod spilling;
mod streaming;
mod support;
