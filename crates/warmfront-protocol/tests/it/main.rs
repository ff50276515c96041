//! The protocol holds, and each of its rules is needed.

mod holds;
mod liveness;
mod mutants;
