//! The journal's contract over every engine, and what each engine promises besides.

mod contract;
mod crash;
mod disk;
mod embedded;
mod faults;
mod simulated;
mod support;
