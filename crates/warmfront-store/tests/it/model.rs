use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_invalidation::Index;
use warmfront_model::Revision;
use warmfront_store::{Inserted, Store};

use crate::disk::{Faults, FaultyDisk};
use crate::support::{INCARNATION, MIB, content, distribution, epoch, item, look_up, names, open, response};

/// So little memory that most of what is asked for has to come from disk.
const MEMORY_BYTES: u64 = 16 * MIB;
const N_KEYS: u64 = 60;
const STEPS: usize = 700;

/// One version of an object.
#[derive(Clone, Copy, Debug)]
struct Version {
    number: u64,
    bytes: usize,
    /// The revision that its fetch was planned with.
    planned: u64,
}

/// What the store may hold, beside it.
struct World {
    rng: StdRng,
    store: Store,
    disk: FaultyDisk,
    index: Index,
    revision: u64,
    /// The journal: what was invalidated, and when.
    invalidations: Vec<(u64, Vec<u8>)>,
    present: HashMap<Vec<u8>, Version>,
    /// All that a key ever had.
    ever: HashMap<Vec<u8>, Vec<Version>>,
    n_versions: u64,
    /// After a crash, or a disk that failed, something superseded may be back; never something covered.
    is_strict: bool,
    n_found: u64,
    n_missed: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let disk = FaultyDisk::new(seed);
        let (store, _) = open(MEMORY_BYTES, disk.clone(), epoch(0));
        World {
            rng: StdRng::seed_from_u64(seed),
            store,
            disk,
            index: Index::new(INCARNATION),
            revision: 0,
            invalidations: Vec::new(),
            present: HashMap::new(),
            ever: HashMap::new(),
            n_versions: 0,
            is_strict: true,
            n_found: 0,
            n_missed: 0,
        }
    }

    fn any_key(&mut self) -> Vec<u8> {
        format!("/page/{}", self.rng.random_range(0..N_KEYS)).into_bytes()
    }

    fn insert(&mut self) {
        let key = self.any_key();
        let bytes = match self.rng.random_range(0..10) {
            0 => 0,
            1..=5 => self.rng.random_range(1..10_000),
            6..=8 => self.rng.random_range(10_000..400_000),
            // More than stands in one record.
            _ => self.rng.random_range(1_100_000..1_400_000),
        };
        self.n_versions += 1;
        let version = Version {
            number: self.n_versions,
            bytes,
            planned: self.revision,
        };
        let body = content(version.number, bytes);
        let inserted = self
            .store
            .insert(&key, response(epoch(self.revision), version.number, body));
        assert_eq!(inserted, Inserted::Stored, "{bytes} bytes");
        self.ever.entry(key.clone()).or_default().push(version);
        self.present.insert(key, version);
    }

    async fn get(&mut self) {
        let key = self.any_key();
        self.check(&key).await;
    }

    /// What the store returns is what the map has, byte for byte, and not covered; or a miss.
    async fn check(&mut self, key: &[u8]) {
        let Some(found) = look_up(&self.store, &self.index, key).await else {
            self.n_missed += 1;
            return;
        };
        // A body may break off, and its viewer sees that it does.
        let Ok((as_of, head, body)) = found else { return };
        self.n_found += 1;
        let number: u64 = head.headers()["etag"]
            .to_str()
            .unwrap()
            .trim_matches('"')
            .parse()
            .unwrap();
        let version = *self.ever[key]
            .iter()
            .find(|version| version.number == number)
            .expect("it was stored under this key");
        assert_eq!(body, content(number, version.bytes), "the bytes of {number}");
        assert_eq!(head.headers(), crate::support::head(number).headers);
        let covered = self
            .invalidations
            .iter()
            .any(|(at, what)| what == key && *at > version.planned);
        assert!(
            !covered,
            "{number} was planned at {} and invalidated since",
            version.planned
        );
        assert!(as_of.revision.0 >= version.planned && as_of.revision.0 <= self.revision);
        if self.is_strict {
            assert_eq!(
                self.present.get(key).map(|present| present.number),
                Some(number),
                "superseded"
            );
        }
    }

    fn invalidate(&mut self) {
        let key = self.any_key();
        self.revision += 1;
        self.index
            .invalidate(&distribution(), &[item(&key)], Revision(self.revision));
        self.index.advance(Revision(self.revision));
        self.invalidations.push((self.revision, key));
    }

    fn sweep(&mut self) {
        for (key, response) in self.store.iter() {
            if let Err(covered) = self.index.check(&distribution(), response, || names(&key)) {
                self.store.discard(&key, covered.response());
            }
        }
        for entry in self.store.iter_on_disk() {
            let key = entry.key().to_vec();
            if let Err(covered) = self.index.check(&distribution(), entry, || names(&key)) {
                self.store.discard_on_disk(covered.response());
            }
        }
        self.index.forget(Revision(self.revision));
    }

    /// What a 304 does that forbids storing.
    fn remove(&mut self) {
        let key = self.any_key();
        if let Some(response) = self.store.get(&key)
            && self.store.remove(&key, &response)
        {
            self.present.remove(&key);
        }
    }

    /// A start: the index has what the journal has.
    fn restart(&mut self, disk: FaultyDisk) {
        self.disk = disk;
        self.disk.set_faults(Faults::default());
        let (store, _) = open(MEMORY_BYTES, self.disk.clone(), epoch(self.revision));
        self.store = store;
        self.index = Index::new(INCARNATION);
        for (revision, key) in &self.invalidations {
            self.index
                .invalidate(&distribution(), &[item(key)], Revision(*revision));
        }
        self.index.advance(Revision(self.revision));
    }

    fn commit_something_else(&mut self) {
        self.revision += 1;
        self.index.advance(Revision(self.revision));
    }
}

async fn run(seed: u64, faults: Faults, crash: Option<fn(&FaultyDisk, u64) -> FaultyDisk>) -> World {
    let mut world = World::new(seed);
    world.disk.set_faults(faults);
    for step in 0..STEPS {
        match world.rng.random_range(0..100) {
            0..=29 => world.insert(),
            30..=79 => world.get().await,
            80..=85 => world.invalidate(),
            86..=89 => world.commit_something_else(),
            90..=92 => world.remove(),
            93..=94 => world.sweep(),
            95..=97 => world.store.drain(),
            _ if step % 3 == 0 => {
                match crash {
                    Some(crash) => {
                        let left = crash(&world.disk, seed + step as u64);
                        world.is_strict = false;
                        world.restart(left);
                    }
                    None => {
                        world.store.close();
                        let disk = world.disk.clone();
                        world.is_strict &= disk.n_faults() == 0;
                        world.restart(disk);
                    }
                }
                world.disk.set_faults(faults);
            }
            _ => world.disk.limit(None),
        }
    }
    world.store.drain();
    for key in 0..N_KEYS {
        world.check(format!("/page/{key}").as_bytes()).await;
    }
    world
}

#[tokio::test]
async fn a_store_that_is_closed_in_order_comes_back_as_it_was() {
    for seed in 0..4 {
        let world = run(seed, Faults::default(), None).await;
        assert!(
            world.is_strict && world.n_found > 200,
            "{} found, {} missed",
            world.n_found,
            world.n_missed
        );
        let figures = world.store.figures().disk.unwrap();
        assert_eq!(
            (figures.n_failed, figures.n_read_failures, figures.n_write_errors),
            (0, 0, 0),
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn faults_of_the_disk_are_misses() {
    for seed in 100..104 {
        let faults = Faults { error: 30, rot: 30 };
        let world = run(seed, faults, None).await;
        assert!(
            world.disk.n_faults() > 0 && world.n_found > 50,
            "seed {seed}: {} found",
            world.n_found
        );
    }
}

#[tokio::test]
async fn a_disk_that_always_fails_stops_nothing() {
    let world = run(200, Faults { error: 1_000, rot: 0 }, None).await;
    assert!(world.n_found > 20, "memory still answers: {}", world.n_found);
}

#[tokio::test]
async fn after_kill_9_nothing_covered_and_nothing_torn_comes_back() {
    for seed in 300..304 {
        let world = run(seed, Faults::default(), Some(FaultyDisk::after_kill)).await;
        assert!(
            world.n_found > 150,
            "seed {seed}: {} found, {} missed",
            world.n_found,
            world.n_missed
        );
    }
}

#[tokio::test]
async fn after_a_power_cut_nothing_covered_and_nothing_torn_comes_back() {
    for seed in 400..404 {
        let world = run(seed, Faults { error: 5, rot: 5 }, Some(FaultyDisk::after_power_cut)).await;
        assert!(world.n_found > 50, "seed {seed}: {} found", world.n_found);
    }
}
