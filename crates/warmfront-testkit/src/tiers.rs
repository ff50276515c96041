use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use warmfront_clock::Clock;
use warmfront_edge::{Edge, EdgeOptions, Parent, Parents, Tier, TierSecret};
use warmfront_invalidation::InvalidationMode;
use warmfront_journal::{Journal, Simulated};
use warmfront_model::Revision;

use crate::gate::within_patience;
use crate::testbed::{commit_invalidation, commit_site, edge_options};
use crate::{Answer, Ask, Site, Viewer};

/// POPs under the regional nodes of one region, all on one [`Simulated`] journal and one clock turned by hand.
///
/// Nodes open their watches in the order they start: first the regional nodes, then the POPs.
pub struct Tiers {
    /// The journal.
    pub journal: Simulated,
    /// The clock; it moves by [`Tiers::advance`] alone.
    pub clock: Clock,
    /// The regional nodes, `R0` and on.
    pub regionals: Vec<Edge>,
    /// The POPs, `POP0` and on.
    pub pops: Vec<Edge>,
    secret: TierSecret,
    n_references: AtomicU64,
}

impl Tiers {
    /// So many nodes that serve nothing yet.
    ///
    /// # Panics
    /// If one does not start.
    pub async fn start(n_regionals: usize, n_pops: usize) -> Tiers {
        Tiers::start_with(n_regionals, n_pops, |options| options).await
    }

    /// The same, with options of the test's own.
    ///
    /// # Panics
    /// If one does not start.
    pub async fn start_with(n_regionals: usize, n_pops: usize, adapt: impl Fn(EdgeOptions) -> EdgeOptions) -> Tiers {
        const SEED: u64 = 1;
        let mut tiers = Tiers {
            journal: Simulated::new(SEED),
            clock: edge_options().clock,
            regionals: Vec::new(),
            pops: Vec::new(),
            secret: TierSecret::random(),
            n_references: AtomicU64::new(0),
        };
        for number in 0..n_regionals {
            let options = adapt(tiers.regional_options(number));
            let regional = tiers.node(options).await;
            tiers.regionals.push(regional);
        }
        for number in 0..n_pops {
            let options = adapt(tiers.pop_options(number));
            let pop = tiers.node(options).await;
            tiers.pops.push(pop);
        }
        tiers
    }

    /// Nodes that serve `site`.
    pub async fn with(n_regionals: usize, n_pops: usize, site: &Site) -> Tiers {
        let tiers = Tiers::start(n_regionals, n_pops).await;
        tiers.write(site).await;
        tiers
    }

    /// A regional node that says at once if it lags behind, and does not wait.
    pub fn regional_options(&self, number: usize) -> EdgeOptions {
        let mut options = EdgeOptions {
            pop: format!("R{number}"),
            n_cores: 1,
            clock: self.clock.clone(),
            tier: Tier::Regional(self.secret.clone()),
            ..edge_options()
        };
        options.limits.catch_up = Duration::ZERO;
        options
    }

    /// A POP under the regional nodes there are.
    pub fn pop_options(&self, number: usize) -> EdgeOptions {
        let parent = |(number, regional): (usize, &Edge)| Parent {
            name: format!("R{number}"),
            address: regional.http(),
        };
        EdgeOptions {
            pop: format!("POP{number}"),
            n_cores: 1,
            clock: self.clock.clone(),
            tier: Tier::Pop(Parents {
                secret: self.secret.clone(),
                nodes: self.regionals.iter().enumerate().map(parent).collect(),
            }),
            ..edge_options()
        }
    }

    /// Starts one more node on the journal.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn node(&self, options: EdgeOptions) -> Edge {
        let started = Edge::start(Arc::new(self.journal.clone()), options).await;
        started.expect("a node")
    }

    /// Creates or updates a distribution, and waits until every node has it.
    pub async fn write(&self, site: &Site) {
        let revision = commit_site(&self.journal, &self.clock, site).await;
        self.applied(revision).await;
    }

    /// Invalidates paths of [`Site::ID`], and waits until every node has taken that in.
    pub async fn invalidate(&self, paths: &[&str]) -> Revision {
        let revision = self.commit_invalidation(paths).await;
        self.applied(revision).await;
        revision
    }

    /// Invalidates paths of [`Site::ID`].
    ///
    /// # Panics
    /// If the journal fails.
    pub async fn commit_invalidation(&self, paths: &[&str]) -> Revision {
        let mode = InvalidationMode::Refetch;
        commit_invalidation(&self.journal, &self.clock, &self.n_references, paths, mode).await
    }

    /// Returns once every node has taken in the journal up to `revision`.
    pub async fn applied(&self, revision: Revision) {
        for node in self.regionals.iter().chain(&self.pops) {
            applied(node, revision).await;
        }
    }

    /// Returns once every node has taken in all that the journal holds.
    ///
    /// # Panics
    /// If the journal fails.
    pub async fn settled(&self) {
        let head = self.journal.head().await.expect("a journal");
        self.applied(head).await;
    }

    /// Moves the clock.
    ///
    /// # Panics
    /// Never: the clock is turned by hand.
    pub fn advance(&self, secs: u64) {
        let by = Duration::from_secs(secs);
        self.clock.advance(by).expect("a clock turned by hand");
    }

    /// A viewer's connection to a POP.
    pub async fn viewer(&self, pop: usize) -> Viewer {
        Viewer::connect(self.pops[pop].http()).await
    }

    /// GETs a path at a POP on a connection of its own.
    pub async fn get(&self, pop: usize, target: &str) -> Answer {
        self.viewer(pop).await.ask(&Ask::get(target)).await
    }
}

/// Returns once `node` has taken in the journal up to `revision`.
pub async fn applied(node: &Edge, revision: Revision) {
    let mut applied = node.applied();
    let waiting = applied.wait_for(|applied| *applied >= revision);
    let _ = within_patience("a node to apply a revision", waiting).await;
}
