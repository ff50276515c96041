use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use http::HeaderValue;
use http::header::VIA;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use warmfront_caching::Switches;
use warmfront_clock::Clock;
use warmfront_invalidation::Index;
use warmfront_model::{Incarnation, Revision};
use warmfront_signing::{Scope, Signer, TokenKey};
use warmfront_store::{Store, abbreviate};

use crate::access_log::AccessLog;
use crate::changes::Changes;
use crate::counters::Counters;
use crate::coverage::Coverings;
use crate::flight::Flights;
use crate::handle::Hold;
use crate::identifiers::via;
use crate::lease::{Lease, Tenure};
use crate::options::{BucketAccess, EdgeOptions, ExplainToken, Limits};
use crate::origin::Turns;
use crate::request::X_AMZ_CF_POP;
use crate::snapshot::Snapshot;
use crate::tier::Tier;
use crate::variants::Variants;

/// The table of variants may take one part in so many of the memory for responses, besides.
const VARIANTS_SHARE: u64 = 16;

/// What all cores of one cache process share.
pub(crate) struct Node {
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) switches: Switches,
    pub(crate) store: Store,
    pub(crate) flights: Flights,
    pub(crate) changes: Changes,
    pub(crate) variants: Variants,
    /// What invalidations cover here.
    pub(crate) coverings: Coverings,
    /// Whose turn it is to fill the cache, at each origin.
    pub(crate) turns: Arc<Turns>,
    pub(crate) buckets: BucketAccess,
    pub(crate) tier: Tier,
    pub(crate) pop: HeaderValue,
    pub(crate) via: HeaderValue,
    /// Who may ask for explanations from elsewhere.
    pub(crate) explain_token: Option<ExplainToken>,
    /// What tokens of invalidations are read with.
    pub(crate) tokens: Option<TokenKey>,
    /// By how much invalidations are applied later than they are known.
    delay: Duration,
    /// The port that redirects to https name; `None` without a TLS listener, or for 443.
    pub(crate) redirect_port: Option<u16>,
    /// Whether the node may trust its cache.
    pub(crate) lease: Lease,
    /// How a test holds it back.
    pub(crate) hold: watch::Sender<Hold>,
    /// Said when it is to end without letting anything under way end.
    pub(crate) killed: watch::Sender<bool>,
    /// Where requests are logged, if they are.
    pub(crate) access_log: Option<AccessLog>,
    snapshot: ArcSwap<Snapshot>,
    writing: Mutex<()>,
    applied: watch::Sender<Revision>,
    moved: Notify,
    n_fetches: AtomicUsize,
    /// What each core has done.
    pub(crate) counters: Box<[Arc<Counters>]>,
    /// What the node has done besides answering requests.
    pub(crate) progress: NodeProgress,
}

/// Counts of what happens seldom.
#[derive(Debug, Default)]
pub(crate) struct NodeProgress {
    pub(crate) invalidations: Count,
    pub(crate) sweeps: Count,
    pub(crate) swept: Count,
    pub(crate) swept_removed: Count,
    pub(crate) swept_bytes: Count,
    pub(crate) log_lines_lost: Arc<Count>,
}

/// A count that any thread may add to.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Node {
    pub(crate) fn new(options: &EdgeOptions, store: Store, incarnation: Incarnation, https_port: Option<u16>) -> Node {
        let pop = HeaderValue::from_str(&options.pop).unwrap_or(HeaderValue::from_static("LOC50-P1"));
        let via = via(&options.pop);
        // All that is stored has these.
        abbreviate(&X_AMZ_CF_POP, &pop);
        abbreviate(&VIA, &via);
        Node {
            clock: options.clock.clone(),
            limits: options.limits,
            switches: options.switches,
            store,
            flights: Flights::default(),
            changes: Changes::default(),
            variants: Variants::new(options.memory_bytes / VARIANTS_SHARE),
            coverings: Coverings::default(),
            turns: Arc::new(Turns::new(options.limits.refills)),
            buckets: options.buckets.clone(),
            tier: options.tier.clone(),
            pop,
            via,
            explain_token: options.explain_token.clone(),
            tokens: options.tokens.clone(),
            delay: options.propagation_delay,
            access_log: options.access_log.clone(),
            redirect_port: https_port.filter(|port| *port != 443),
            lease: Lease::new(match options.tier {
                Tier::Pop(_) => &options.tenure,
                Tier::Regional(_) => &Tenure::WithProcess,
            }),
            hold: watch::Sender::default(),
            killed: watch::Sender::new(false),
            snapshot: ArcSwap::from_pointee(Snapshot::new(incarnation)),
            writing: Mutex::new(()),
            applied: watch::Sender::new(Revision::ZERO),
            moved: Notify::new(),
            n_fetches: AtomicUsize::new(0),
            counters: (0..options.n_cores.max(1)).map(|_| Arc::new(Counters::new())).collect(),
            progress: NodeProgress::default(),
        }
    }

    /// The newest snapshot: every entry up to the node's applied epoch is in it.
    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Replaces the snapshot by a changed one. Once every core sees it, `applied` moves.
    pub(crate) fn publish(&self, change: impl FnOnce(&mut Snapshot)) {
        let _writing = self.writing.lock();
        let before = self.snapshot.load();
        let mut next = Snapshot::clone(&before);
        change(&mut next);
        let applied = next.index.applied();
        self.store.saw(applied);
        let is_new_life = applied.incarnation != before.index.applied().incarnation;
        self.snapshot.store(Arc::new(next));
        self.applied.send_if_modified(|known| {
            let moved = applied.revision > *known || is_new_life;
            if moved {
                *known = applied.revision;
            }
            moved
        });
        self.moved.notify_waiters();
    }

    /// The revision up to which the journal has been taken in, on every core.
    pub(crate) fn applied(&self) -> watch::Receiver<Revision> {
        self.applied.subscribe()
    }

    /// How much later than it is known an invalidation is applied here, at the least.
    pub(crate) fn held_back(&self) -> Duration {
        let hold = *self.hold.borrow();
        if hold.paused {
            Duration::MAX
        } else {
            self.delay + hold.delay
        }
    }

    /// Returns once the journal has been taken in up to `revision`.
    pub(crate) async fn reaches(&self, revision: Revision) {
        self.until(|index| index.applied().revision >= revision).await;
    }

    /// Returns once the index is as wanted. Those who wait wake in the order in which they came.
    pub(crate) async fn until(&self, is_wanted: impl Fn(&Index) -> bool) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if is_wanted(&self.snapshot().index) {
                return;
            }
            moved.await;
        }
    }

    /// A signer for a bucket in `region`; `None` if the edge has no credentials.
    pub(crate) fn bucket_signer(&self, region: &str) -> Option<Signer> {
        let credentials = self.buckets.credentials.as_ref()?;
        Some(Signer::new(credentials, Scope { region, service: "s3" }))
    }

    /// How many fetches are in flight.
    pub(crate) fn n_fetches(&self) -> usize {
        self.n_fetches.load(Ordering::Relaxed)
    }

    /// A place among the fetches in flight; `None` if there are too many.
    pub(crate) fn begin_fetch(self: &Arc<Self>) -> Option<FetchPlace> {
        let n_before = self.n_fetches.fetch_add(1, Ordering::Relaxed);
        let place = FetchPlace(Arc::clone(self));
        (n_before < self.limits.fetches_max).then_some(place)
    }
}

/// A place among the fetches in flight, given back when dropped.
pub(crate) struct FetchPlace(Arc<Node>);

impl fmt::Debug for FetchPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FetchPlace")
    }
}

impl Drop for FetchPlace {
    fn drop(&mut self) {
        self.0.n_fetches.fetch_sub(1, Ordering::Relaxed);
    }
}
