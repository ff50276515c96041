use std::collections::HashMap;
use std::io;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_invalidation::Index;
use warmfront_model::Revision;
use warmfront_store::{DiskOptions, Inserted, Store};

use crate::disk::{FailsAt, Faults, FaultyDisk};
use crate::support::{DISK_BYTES, INCARNATION, MIB, content, distribution, epoch, item, look_up, names, response};

/// So little memory that most of what is asked for has to come from disk.
const MEMORY_BYTES: u64 = 16 * MIB;
const N_KEYS: u64 = 60;
const STEPS: usize = 900;

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
    /// The newest version that was stored before the journal was set back: none up to it may come back.
    lost: u64,
    has_threads: bool,
    n_found: u64,
    n_missed: u64,
}

impl World {
    fn new(seed: u64, has_threads: bool) -> World {
        let disk = FaultyDisk::new(seed);
        World::on(disk, seed, has_threads)
    }

    fn on(disk: FaultyDisk, seed: u64, has_threads: bool) -> World {
        let store = open_store(&disk, 0, has_threads).expect("nothing fails yet");
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
            lost: 0,
            has_threads,
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
        assert!(number > self.lost, "{number} is of a history that the journal has lost");
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
        self.index
            .invalidate(&distribution(), &[item(&key)], Revision(self.revision + 1));
        self.commit();
        self.invalidations.push((self.revision, key));
    }

    fn sweep(&mut self) {
        self.index.begin_sweep();
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
        self.index.end_sweep();
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

    fn restart(&mut self, disk: FaultyDisk) {
        disk.set_faults(Faults::default());
        disk.fail_at(FailsAt::Never);
        self.start(disk).expect("nothing fails");
    }

    /// A start: the index has what the journal has.
    fn start(&mut self, disk: FaultyDisk) -> io::Result<()> {
        self.store = open_store(&disk, self.revision, self.has_threads)?;
        self.disk = disk;
        self.index = Index::new(INCARNATION);
        for (revision, key) in &self.invalidations {
            self.index
                .invalidate(&distribution(), &[item(key)], Revision(*revision));
        }
        self.index.advance(Revision(self.revision));
        Ok(())
    }

    /// The journal goes on from an earlier state, as one that was restored from a copy.
    fn set_back(&mut self) {
        // By little, so that often nothing was stored since.
        let Some(kept) = self.revision.checked_sub(self.rng.random_range(1..=2)) else {
            return;
        };
        self.revision = kept;
        self.invalidations.retain(|(at, _)| *at <= kept);
        self.lost = self.n_versions;
        self.present.clear();
    }

    fn commit(&mut self) {
        self.revision += 1;
        self.index.advance(Revision(self.revision));
        self.store.saw(epoch(self.revision));
    }

    async fn check_all(&mut self) {
        for key in 0..N_KEYS {
            self.check(format!("/page/{key}").as_bytes()).await;
        }
    }

    /// One of the things that go on between two restarts.
    async fn step(&mut self) {
        match self.rng.random_range(0..98) {
            0..=29 => self.insert(),
            30..=79 => self.get().await,
            80..=85 => self.invalidate(),
            86..=89 => self.commit(),
            90..=92 => self.remove(),
            93..=94 => self.sweep(),
            _ => self.store.drain(),
        }
    }
}

fn open_store(disk: &FaultyDisk, head: u64, has_threads: bool) -> io::Result<Store> {
    let options = DiskOptions {
        files: Box::new(disk.clone()),
        bytes: DISK_BYTES,
        head: epoch(head),
    };
    let open = if has_threads {
        Store::open
    } else {
        // Deterministic: what is read is read at once, and nothing is written before the store is told to.
        Store::open_without_threads
    };
    open(MEMORY_BYTES, options).map(|(store, _)| store)
}

/// How a run ends its store's life, again and again.
#[derive(Clone, Copy)]
enum End {
    Close,
    Crash(fn(&FaultyDisk, u64) -> FaultyDisk),
}

async fn run(seed: u64, faults: Faults, end: End, may_set_back: bool) -> World {
    let mut world = World::new(seed, true);
    world.disk.set_faults(faults);
    for step in 0..STEPS {
        if world.rng.random_range(0..150) > 0 {
            world.step().await;
            continue;
        }
        let is_set_back = may_set_back && world.rng.random_bool(0.6);
        if is_set_back {
            // What it had come to is on disk within moments, not at once.
            world.store.drain();
        }
        let left = match end {
            End::Close => {
                world.store.close();
                world.is_strict &= world.disk.n_faults() == 0;
                world.disk.clone()
            }
            End::Crash(crash) => {
                world.is_strict = false;
                crash(&world.disk, seed + step as u64)
            }
        };
        if is_set_back {
            world.set_back();
        }
        world.restart(left);
        world.disk.set_faults(faults);
    }
    world.store.drain();
    world.check_all().await;
    world
}

#[tokio::test]
async fn a_store_that_is_closed_in_order_comes_back_as_it_was() {
    for seed in 0..8 {
        let world = run(seed, Faults::default(), End::Close, false).await;
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
    for seed in 100..108 {
        let faults = Faults { error: 30, rot: 30 };
        let world = run(seed, faults, End::Close, false).await;
        assert!(
            world.disk.n_faults() > 0 && world.n_found > 50,
            "seed {seed}: {} found",
            world.n_found
        );
    }
}

#[tokio::test]
async fn a_disk_that_always_fails_stops_nothing() {
    let world = run(200, Faults { error: 1_000, rot: 0 }, End::Close, false).await;
    assert!(world.n_found > 20, "memory still answers: {}", world.n_found);
}

#[tokio::test]
async fn after_kill_9_nothing_covered_and_nothing_torn_comes_back() {
    for seed in 300..308 {
        let world = run(seed, Faults::default(), End::Crash(FaultyDisk::after_kill), false).await;
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
    for seed in 400..408 {
        let faults = Faults { error: 5, rot: 5 };
        let world = run(seed, faults, End::Crash(FaultyDisk::after_power_cut), false).await;
        assert!(world.n_found > 50, "seed {seed}: {} found", world.n_found);
    }
}

/// A journal that was restored from a copy lacks invalidations, and its revisions are given out again.
#[tokio::test]
async fn after_a_journal_was_set_back_nothing_of_its_lost_history_comes_back() {
    let mut n_set_back = 0;
    for seed in 500..508 {
        let end = if seed % 2 == 0 {
            End::Close
        } else {
            End::Crash(FaultyDisk::after_kill)
        };
        let world = run(seed, Faults::default(), end, true).await;
        n_set_back += u32::from(world.lost > 0);
        assert!(world.n_found > 50, "seed {seed}: {} found", world.n_found);
    }
    assert!(n_set_back > 4, "{n_set_back} of 8");
}

/// The same short life on a disk, whose call number `fails_at` fails.
async fn short_life(fails_at: FailsAt) -> World {
    const STEPS: usize = 60;
    let disk = FaultyDisk::new(1);
    let mut world = World::on(disk, 1, false);
    world.disk.fail_at(fails_at);
    for _ in 0..STEPS {
        world.step().await;
    }
    world.store.drain();
    world
}

async fn n_calls_of_a_short_life() -> u64 {
    let world = short_life(FailsAt::Never).await;
    world.store.close();
    world.disk.n_calls()
}

#[tokio::test]
async fn a_fault_at_any_call_costs_nothing_but_misses() {
    for number in 0..n_calls_of_a_short_life().await {
        let mut world = short_life(FailsAt::Only(number)).await;
        world.check_all().await;
        world.store.close();
        let left = world.disk.after_kill(number);
        world.is_strict = false;
        world.restart(left);
        world.check_all().await;
        assert!(world.n_found > 0, "call {number}");
    }
}

#[tokio::test]
async fn a_process_may_end_and_power_may_fail_at_any_call() {
    for number in 0..n_calls_of_a_short_life().await {
        for crash in [FaultyDisk::after_kill, FaultyDisk::after_power_cut] {
            let mut world = short_life(FailsAt::From(number)).await;
            let left = crash(&world.disk, number);
            world.is_strict = false;
            world.restart(left);
            world.check_all().await;
        }
    }
}

#[tokio::test]
async fn a_fault_at_any_call_of_a_start_costs_misses_or_the_start() {
    let (mut n_started, mut number) = (0, 0);
    loop {
        let mut world = short_life(FailsAt::Never).await;
        world.is_strict = false;
        let left = world.disk.after_kill(number);
        left.fail_at(FailsAt::Only(number));
        let has_started = world.start(left.clone()).is_ok();
        if left.n_calls() <= number {
            break;
        }
        if has_started {
            n_started += 1;
            world.check_all().await;
        }
        number += 1;
    }
    assert!(n_started > 0, "{n_started} of {number} starts");
}
