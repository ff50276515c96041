//! The journal's contract over every engine, and what each engine promises besides.

mod contract;
mod embedded;
mod simulated;
mod support;
