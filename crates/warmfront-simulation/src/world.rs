use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use warmfront_clock::Clock;
use warmfront_edge::TierSecret;
use warmfront_journal::{Journal, Simulated};
use warmfront_model::Revision;
use warmfront_signing::{SecretKey, TokenKey};
use warmfront_testkit::START;

use crate::checker::{Fetch, Invalidation, Violation, broken, tags_of};
use crate::cut::Cut;
use crate::judge::{Judge, completed};
use crate::plan::{PATHS, Plan};
use crate::random::Random;
use crate::slot::Slot;
use crate::trace::Trace;

/// Everything there is.
pub struct World {
    pub plan: Plan,
    pub journal: Simulated,
    pub clock: Clock,
    /// The POPs.
    pub pops: Vec<Slot>,
    /// The regional nodes that they ask.
    pub regionals: Vec<Slot>,
    /// What POPs and regional nodes know each other by.
    pub secret: TierSecret,
    /// What the tokens of invalidations are made and read with.
    pub tokens: TokenKey,
    /// Between nodes and the origin.
    pub origin: Cut,
    /// Between POPs and regional nodes.
    pub tiers: Cut,
    /// Says what is Completed.
    pub judge: Judge,
    pub n_references: AtomicU64,
    began: Instant,
    truth: Mutex<Truth>,
}

/// What only the checker knows.
struct Truth {
    /// Draws the seeds of whoever comes later.
    random: Random,
    versions: [u64; PATHS.len()],
    fetches: Vec<Fetch>,
    invalidations: Vec<Invalidation>,
    completed: Revision,
    violations: Vec<Violation>,
    figures: Figures,
    trace: Trace,
}

/// What a run came to: whether it met what it is meant to meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests that viewers sent.
    pub n_requests: u64,
    /// Answers that rest on a fetch, each of which was checked.
    pub n_checked: u64,
    /// Answers from a cache.
    pub n_hits: u64,
    /// Answers that an origin confirmed with a 304.
    pub n_confirmed: u64,
    /// Answers for paths of which some invalidation was Completed before the request arrived.
    pub n_after_completed: u64,
    /// Fetches that an invalidation overtook before their answer was over.
    pub n_overtaken: u64,
    /// Invalidations.
    pub n_invalidations: u64,
    /// Crashes.
    pub n_crashes: u64,
    /// Responses that a node found on its disk when it started.
    pub n_recovered: u64,
    /// Watches that missed events.
    pub n_gaps: u64,
    /// Connections from POPs to regional nodes.
    pub n_links: u64,
    /// Requests with the token of an invalidation that was not Completed.
    pub n_by_token: u64,
    /// Requests that found their POP without a lease.
    pub n_fenced: u64,
    /// Members that were dropped while they were cut off from the journal.
    pub n_dropped: u64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, more: Figures) {
        self.n_requests += more.n_requests;
        self.n_checked += more.n_checked;
        self.n_hits += more.n_hits;
        self.n_confirmed += more.n_confirmed;
        self.n_after_completed += more.n_after_completed;
        self.n_overtaken += more.n_overtaken;
        self.n_invalidations += more.n_invalidations;
        self.n_crashes += more.n_crashes;
        self.n_recovered += more.n_recovered;
        self.n_gaps += more.n_gaps;
        self.n_links += more.n_links;
        self.n_by_token += more.n_by_token;
        self.n_fenced += more.n_fenced;
        self.n_dropped += more.n_dropped;
    }
}

impl World {
    pub fn new(seed: u64, keeps_lines: bool) -> World {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random);
        World {
            pops: (0..plan.n_pops).map(Slot::pop).collect(),
            regionals: (0..plan.n_regionals).map(Slot::regional).collect(),
            plan,
            journal: Simulated::new(random.next()),
            clock: Clock::of_runtime(START),
            secret: TierSecret::random(),
            tokens: TokenKey::derive(&SecretKey::new("secret")),
            origin: Cut::default(),
            tiers: Cut::default(),
            judge: Judge::default(),
            n_references: AtomicU64::new(0),
            began: Instant::now(),
            truth: Mutex::new(Truth {
                random,
                versions: [1; PATHS.len()],
                fetches: Vec::new(),
                invalidations: Vec::new(),
                completed: Revision::ZERO,
                violations: Vec::new(),
                figures: Figures::default(),
                trace: Trace::new(keeps_lines),
            }),
        }
    }

    /// A source of numbers for someone new.
    pub fn random(&self) -> Random {
        self.truth.lock().random.fork()
    }

    /// How long it has been running.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn note(&self, what: fmt::Arguments<'_>) {
        let at = self.elapsed();
        self.truth.lock().trace.note(at, what);
    }

    pub fn count(&self, count: impl FnOnce(&mut Figures)) {
        count(&mut self.truth.lock().figures);
    }

    /// Every node.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.regionals.iter().chain(&self.pops)
    }

    /// The newest revision of the journal.
    pub async fn head(&self) -> Revision {
        self.journal.head().await.unwrap_or(Revision::ZERO)
    }

    /// The tags of an object's version now.
    pub fn tags(&self, object: usize) -> &'static [&'static str] {
        tags_of(object, self.truth.lock().versions[object])
    }

    /// An object of the origin has its next version.
    pub fn change(&self, object: usize) {
        self.truth.lock().versions[object] += 1;
    }

    /// A request reaches the origin: gives the fetch its number, and the version it gets.
    pub fn begin_fetch(&self, object: usize, head: Revision) -> (usize, u64) {
        let mut truth = self.truth.lock();
        let version = truth.versions[object];
        truth.fetches.push(Fetch {
            path: PATHS[object],
            version,
            tags: tags_of(object, version),
            head,
        });
        (truth.fetches.len() - 1, version)
    }

    /// A fetch's answer is on its way, as a whole.
    pub fn end_fetch(&self, number: usize) {
        let mut truth = self.truth.lock();
        let fetch = &truth.fetches[number];
        let overtaken = broken(&truth.invalidations, Revision(u64::MAX), fetch).is_some();
        truth.figures.n_overtaken += u64::from(overtaken);
    }

    pub fn created(&self, invalidation: Invalidation) {
        let mut truth = self.truth.lock();
        truth.figures.n_invalidations += 1;
        truth.invalidations.push(invalidation);
    }

    /// Up to where invalidations read Completed. That it goes back is a violation, too.
    pub async fn completed(&self) -> Revision {
        let completed = completed(&self.journal).await;
        let mut truth = self.truth.lock();
        if completed < truth.completed {
            let words = format!("{} read Completed, and does no more: {completed} does", truth.completed);
            truth.violations.push(Violation(words));
        }
        truth.completed = truth.completed.max(completed);
        truth.completed
    }

    /// Checks an answer to a request that came when everything up to `completed` read Completed, or had the token of an
    /// invalidation there. `number` is the fetch that it says it rests on, `body` what came of its body.
    pub fn check(
        &self,
        path: &'static str,
        completed: Revision,
        number: usize,
        body: &str,
        viewer: fmt::Arguments<'_>,
    ) {
        let mut truth = self.truth.lock();
        truth.figures.n_checked += 1;
        let Some(fetch) = truth.fetches.get(number) else {
            let words = format!("{viewer} was answered by fetch {number}, which never was");
            truth.violations.push(Violation(words));
            return;
        };
        let after_completed = (truth.invalidations.iter())
            .any(|invalidation| invalidation.revision <= completed && invalidation.covers(path, fetch.tags));
        let expected = format!("{path} v{} ", fetch.version);
        let n = expected.len().min(body.len());
        let violation = if fetch.path != path || expected[..n] != body[..n] {
            Some(format!("{viewer} got {body:?} by fetch {number} of {expected:?}"))
        } else {
            broken(&truth.invalidations, completed, fetch).map(|invalidation| {
                format!(
                    "{viewer} arrived when {completed} read Completed, or with its token, and got the answer to fetch {number}, begun at {}, \
                     before {} of {} was created",
                    fetch.head, invalidation.revision, invalidation.item
                )
            })
        };
        truth.figures.n_after_completed += u64::from(after_completed);
        truth.violations.extend(violation.map(Violation));
    }

    /// What it came to: violations, figures, and the trace.
    pub fn end(self: Arc<Self>) -> (Vec<Violation>, Figures, u64, Vec<String>) {
        let mut truth = self.truth.lock();
        let trace = std::mem::replace(&mut truth.trace, Trace::new(false));
        (
            truth.violations.clone(),
            truth.figures,
            trace.hash(),
            trace.into_lines(),
        )
    }
}
