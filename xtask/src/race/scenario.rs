use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::origin::{Hold, Origin, version_in};
use super::reader::Reader;
use super::servers::{Cache, Setup};

/// What is going on while an object is invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing: the object lies in the cache. Everyone should pass.
    AtRest,
    /// The origin is slow: the object is being fetched, and its head arrives after the acknowledgement.
    SlowOrigin,
    /// As before, and readers come while that fetch is still in flight.
    JoinDuringPurge,
    /// The body arrives drop by drop, before and after the acknowledgement, and readers come in between.
    DrippedBody,
    /// An expired copy is being revalidated; the 304 arrives after the acknowledgement.
    Revalidation,
    /// An expired copy answers while it is refreshed (RFC 5861), and readers come before and after the refresh.
    StaleWhileRevalidate,
    /// As [`Scenario::SlowOrigin`], invalidated by the tag that only the answer will carry.
    TagArrivesLate,
    /// As [`Scenario::SlowOrigin`], through two tiers.
    ParentRefill,
    /// As [`Scenario::SlowOrigin`]; after the acknowledgement the cache is killed and started again.
    Killed,
    /// The object lies in a cache that was killed and started again on its disk; after the acknowledgement it is again.
    KilledOnDisk,
    /// The object lies in two POPs, of which one takes in nothing when the object is invalidated, and goes on later.
    PausedPop,
    /// As before; the one that takes in nothing is killed, and started again after the acknowledgement.
    KilledPop,
}

impl Scenario {
    /// All, in the order of the table.
    pub const ALL: [Scenario; 12] = [
        Scenario::AtRest,
        Scenario::SlowOrigin,
        Scenario::JoinDuringPurge,
        Scenario::DrippedBody,
        Scenario::Revalidation,
        Scenario::StaleWhileRevalidate,
        Scenario::TagArrivesLate,
        Scenario::ParentRefill,
        Scenario::Killed,
        Scenario::KilledOnDisk,
        Scenario::PausedPop,
        Scenario::KilledPop,
    ];

    /// As it stands in the table, and in paths.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::AtRest => "at-rest",
            Scenario::SlowOrigin => "slow-origin",
            Scenario::JoinDuringPurge => "join-during-purge",
            Scenario::DrippedBody => "dripped-body",
            Scenario::Revalidation => "revalidation",
            Scenario::StaleWhileRevalidate => "stale-while-revalidate",
            Scenario::TagArrivesLate => "tag-arrives-late",
            Scenario::ParentRefill => "parent-refill",
            Scenario::Killed => "killed",
            Scenario::KilledOnDisk => "killed-on-disk",
            Scenario::PausedPop => "paused-pop",
            Scenario::KilledPop => "killed-pop",
        }
    }

    /// How the cache is set up for it.
    pub fn setup(self) -> Setup {
        match self {
            Scenario::ParentRefill => Setup::TwoTiers,
            Scenario::Killed => Setup::Restarted,
            Scenario::KilledOnDisk => Setup::RestartedOnDisk,
            Scenario::PausedPop | Scenario::KilledPop => Setup::Disturbed,
            _ => Setup::OneTier,
        }
    }

    /// How long the first version may be cached, if it lies in the cache before the race begins.
    fn warmed(self) -> Option<&'static str> {
        match self {
            Scenario::AtRest | Scenario::KilledOnDisk | Scenario::PausedPop | Scenario::KilledPop => {
                Some("max-age=3600")
            }
            Scenario::Revalidation => Some("max-age=1"),
            Scenario::StaleWhileRevalidate => Some("max-age=1, stale-while-revalidate=600"),
            Scenario::SlowOrigin
            | Scenario::JoinDuringPurge
            | Scenario::DrippedBody
            | Scenario::TagArrivesLate
            | Scenario::ParentRefill
            | Scenario::Killed => None,
        }
    }

    /// Where the fetch that the invalidation overtakes is held back.
    fn hold(self) -> Option<Hold> {
        match self {
            Scenario::AtRest | Scenario::KilledOnDisk | Scenario::PausedPop | Scenario::KilledPop => None,
            Scenario::DrippedBody => Some(Hold::Body),
            _ => Some(Hold::Head),
        }
    }

    /// Whether readers come between the acknowledgement and the end of that fetch.
    fn has_joiners(self) -> bool {
        matches!(
            self,
            Scenario::JoinDuringPurge | Scenario::DrippedBody | Scenario::StaleWhileRevalidate
        )
    }
}

/// How long and how hard to look.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Objects in each scenario.
    pub rounds: u64,
    /// Reads of each object after its fetch has ended.
    pub reads: u64,
}

/// What the checker has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reads that began after the acknowledgement.
    pub reads: u64,
    /// Those of them that were answered with a version older than the invalidation.
    pub stale: u64,
    /// Those of them that were not answered with any version.
    pub failed: u64,
    /// Objects of which at least one read was stale.
    pub stale_objects: u64,
}

impl Tally {
    /// The one rule: a read that began after the acknowledgement must not get a version that was current before the
    /// invalidation was created. `newest_before` is the last of these.
    fn count(&mut self, newest_before: u64, answered: Option<u64>) {
        self.reads += 1;
        match answered {
            Some(version) => self.stale += u64::from(version <= newest_before),
            None => self.failed += 1,
        }
    }

    /// Adds another one.
    pub fn add(&mut self, other: Tally) {
        self.reads += other.reads;
        self.stale += other.stale;
        self.failed += other.failed;
        self.stale_objects += other.stale_objects;
    }
}

/// Runs a scenario against a cache.
///
/// # Errors
/// When the cache does not acknowledge, or never asks the origin.
pub fn run(scenario: Scenario, cache: &dyn Cache, origin: &Origin, effort: Effort) -> Result<Tally> {
    let paths: Vec<String> = (0..effort.rounds)
        .map(|round| format!("/{}/{round}", scenario.name()))
        .collect();
    let cache_control = scenario.warmed();
    for path in &paths {
        origin.create(path, cache_control.unwrap_or("max-age=3600"));
        if cache_control.is_some() {
            for number in 0..cache.addresses().len() {
                read(cache, path, number).with_context(|| format!("cannot warm {path}"))?;
            }
        }
    }
    if scenario == Scenario::KilledOnDisk {
        restart_on_disk(cache, &paths)?;
    }
    if cache_control.is_some_and(|lifetime| lifetime.starts_with("max-age=1")) {
        let_expire();
    }
    let mut total = Tally::default();
    for path in &paths {
        let mut tally = race(scenario, cache, origin, path, effort.reads).with_context(|| path.clone())?;
        tally.stale_objects = u64::from(tally.stale > 0);
        total.add(tally);
    }
    Ok(total)
}

/// Everything is to be on disk before the race begins, and is nowhere else afterwards.
fn restart_on_disk(cache: &dyn Cache, paths: &[String]) -> Result<()> {
    for path in paths {
        let_arrive();
        read(cache, path, 0)?;
    }
    cache.restart()?;
    let mut reader = Reader::new(address_of(cache, 0), cache.host());
    for path in paths {
        if !reader.get(path)?.header("x-cache").starts_with("Hit") {
            bail!("{path} was not on disk");
        }
    }
    Ok(())
}

/// One object: a fetch begins, the object changes, is invalidated, and only then the fetch goes on.
fn race(scenario: Scenario, cache: &dyn Cache, origin: &Origin, path: &str, reads: u64) -> Result<Tally> {
    const NEWEST_BEFORE: u64 = 1;
    const JOINERS: usize = 8;
    const READERS: u64 = 4;
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let overtaken = scenario.hold().map(|hold| {
            origin.hold_next(path, hold);
            scope.spawn(|| drop(read(cache, path, 0)))
        });
        if overtaken.is_some() {
            origin.wait_until_held(path)?;
            if scenario.hold() == Some(Hold::Body) {
                let_arrive();
            }
        }
        origin.change(path);
        invalidate(scenario, cache, path)?;
        let n_joiners = if scenario.has_joiners() { JOINERS } else { 0 };
        let joiners: Vec<_> = (0..n_joiners)
            .map(|number| scope.spawn(move || read(cache, path, number).ok()))
            .collect();
        if overtaken.is_some() {
            if n_joiners > 0 {
                let_arrive();
            }
            origin.release(path);
        }
        for joiner in joiners {
            tally.count(NEWEST_BEFORE, joiner.join().ok().flatten());
        }
        if let Some(overtaken) = overtaken {
            // Whoever asked before the invalidation may get either version.
            let _ = overtaken.join();
        }
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                let share = reads / READERS + u64::from(number < reads % READERS);
                let address = address_of(cache, usize::try_from(number).unwrap_or(0));
                scope.spawn(move || read_again_and_again(address, cache.host(), path, share, NEWEST_BEFORE))
            })
            .collect();
        for reader in readers {
            tally.add(reader.join().unwrap_or_default());
        }
        Ok(tally)
    })
}

/// Invalidates an object, and does to the cache what the scenario says, before and after the acknowledgement.
fn invalidate(scenario: Scenario, cache: &dyn Cache, path: &str) -> Result<()> {
    match scenario {
        Scenario::Killed | Scenario::KilledOnDisk => {
            cache.invalidate(path)?;
            cache.restart()
        }
        Scenario::PausedPop => {
            cache.disturb("pause")?;
            std::thread::scope(|scope| {
                let invalidating = scope.spawn(|| cache.invalidate(path));
                let_arrive();
                let is_early = invalidating.is_finished();
                cache.disturb("resume")?;
                if is_early {
                    bail!("acknowledged while a node had not taken it in");
                }
                invalidating
                    .join()
                    .unwrap_or_else(|_| bail!("the invalidation panicked"))
            })
        }
        Scenario::KilledPop => {
            cache.disturb("pause")?;
            cache.disturb("kill")?;
            cache.invalidate(path)?;
            cache.disturb("start")
        }
        _ => cache.invalidate(path),
    }
}

fn read_again_and_again(address: SocketAddr, host: &str, path: &str, reads: u64, newest_before: u64) -> Tally {
    let mut reader = Reader::new(address, host);
    let mut tally = Tally::default();
    for _ in 0..reads {
        let answered = reader.get(path).ok().and_then(|answer| version_in(&answer.body));
        tally.count(newest_before, answered);
    }
    tally
}

/// Where the reader of this number reads.
fn address_of(cache: &dyn Cache, number: usize) -> SocketAddr {
    let addresses = cache.addresses();
    addresses[number % addresses.len()]
}

/// Reads on a connection of its own, and gives the version.
fn read(cache: &dyn Cache, path: &str, number: usize) -> Result<u64> {
    let answer = Reader::new(address_of(cache, number), cache.host()).get(path)?;
    version_in(&answer.body).with_context(|| format!("no version in an answer with status {}", answer.status))
}

#[expect(
    clippy::disallowed_methods,
    reason = "other programs' caches go by the system's clock, in whole seconds"
)]
fn let_expire() {
    std::thread::sleep(Duration::from_millis(2_100));
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells when another program has taken in what it was sent"
)]
fn let_arrive() {
    std::thread::sleep(Duration::from_millis(100));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_from_before_the_invalidation_is_stale_and_a_later_one_is_not() {
        let mut tally = Tally::default();
        tally.count(3, Some(3));
        tally.count(3, Some(1));
        tally.count(3, Some(4));
        tally.count(3, None);
        assert_eq!((tally.reads, tally.stale, tally.failed), (4, 2, 1));
    }
}
