//! The corpus of every target, and what lies next to it.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_fuzz::TARGETS;

const SEED: u64 = 1;
/// Each corpus file is tried so many times with a few bytes changed.
const NEIGHBOURS: usize = 20;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Changes, doubles, drops or inserts a few bytes, or takes some from another file.
fn neighbour(data: &[u8], other: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut data = data.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=data.len());
        let end = rng.random_range(at..=data.len().min(at + 8));
        let byte: u8 = rng.random();
        match rng.random_range(0..5) {
            0 => data.insert(at, byte),
            1 if at < data.len() => data[at] = byte,
            2 => drop(data.drain(at..end)),
            3 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            _ => {
                let from = rng.random_range(0..=other.len());
                let until = rng.random_range(from..=other.len().min(from + 32));
                data.splice(at..end, other[from..until].iter().copied());
            }
        }
    }
    data
}

#[test]
fn the_corpus_and_its_neighbours_find_nothing() {
    let mut rng = StdRng::seed_from_u64(SEED);
    for target in TARGETS {
        let corpus = corpus(target.name);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        for data in &corpus {
            (target.check)(data);
            // Each run of a store has threads of its own.
            let n_neighbours = if target.name == "disk_segment" { 1 } else { NEIGHBOURS };
            for _ in 0..n_neighbours {
                let other = &corpus[rng.random_range(0..corpus.len())];
                (target.check)(&neighbour(data, other, &mut rng));
            }
        }
        (target.check)(b"");
    }
}

/// One binary for libFuzzer for each target, and none besides.
#[test]
fn every_target_has_its_binary() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut binaries: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\""))
        .collect();
    binaries.sort_unstable();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, binaries);
    for name in names {
        let text = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("check({name:?}, data)")), "{name}");
    }
}
