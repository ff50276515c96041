//! Requests that others signed, and ours checked by another implementation.

mod fixture;
mod foreign;
mod round_trip;
