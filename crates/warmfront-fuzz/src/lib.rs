//! Fuzz targets: for each parser that bytes from outside reach, what must hold whatever the bytes are.
//!
//! A target is a function that takes bytes and panics if something does not hold. The same functions run three ways: the
//! corpus in `fuzz/corpus` and its neighbours in `cargo test`, and under libFuzzer with
//! `cargo +nightly fuzz run TARGET` in the repository's root.

mod input;
mod targets;

/// One parser, or several that read the same thing.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Panics if what must hold does not.
    pub check: fn(&[u8]),
}

/// Every target, by name.
pub const TARGETS: &[Target] = targets::ALL;

/// Runs the target with this name.
///
/// # Panics
/// If there is none, or if it finds something.
pub fn check(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target's name").check)(data);
}
