use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use warmfront_caching::Switches;
use warmfront_clock::Clock;
use warmfront_edge::{BucketAccess, Edge, EdgeOptions, Limits, Tenure, Tier};
use warmfront_facts::{
    DistributionRecord, InvalidationOrigin, InvalidationRecord, Key, OriginAccessControlRecord, OriginAllow,
    invalidation_id,
};
use warmfront_invalidation::InvalidationMode;
use warmfront_journal::{Expected, Journal, Simulated, Write};
use warmfront_model::{AccountId, DistributionId, Revision, Timestamp};
use warmfront_wire::types::DistributionConfig;
use warmfront_wire::{convert, from_xml};

use crate::gate::within_patience;
use crate::{Answer, Ask, Site, Viewer};

/// What the clock of a testbed says at first: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp(1_767_225_600_000);

/// An edge with its journal and its clock, in one process.
///
/// The journal is a [`Simulated`] one: what it is told to hold back, the edge does not see.
pub struct Testbed {
    /// The journal.
    pub journal: Simulated,
    /// The clock; it moves by [`Testbed::advance`] alone.
    pub clock: Clock,
    edge: Edge,
    n_references: AtomicU64,
}

/// How the edge of a testbed is set up: two cores, 64 MiB, loopback origins allowed, no TLS, no bucket credentials.
///
/// # Panics
/// Never: what it is made of is well formed.
pub fn edge_options() -> EdgeOptions {
    EdgeOptions {
        account: AccountId::parse("123456789012").expect("an account"),
        pop: "IAD89-P3".to_owned(),
        n_cores: 2,
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        https: None,
        memory_bytes: 64 * 1024 * 1024,
        disk: None,
        clock: Clock::manual(START),
        origin_allow: OriginAllow {
            loopback: true,
            networks: Vec::new(),
        },
        buckets: BucketAccess {
            endpoint: None,
            credentials: None,
            region: "us-east-1".to_owned(),
            source_arn: true,
        },
        origin_roots: Vec::new(),
        tier: Tier::alone(),
        tenure: Tenure::WithProcess,
        propagation_delay: Duration::ZERO,
        switches: Switches::AWS,
        explain_token: None,
        tokens: None,
        access_log: None,
        // A viewer that is dropped has left: no test waits for that.
        limits: Limits {
            half_closed: Duration::ZERO,
            ..Limits::default()
        },
    }
}

impl Testbed {
    /// An edge with [`edge_options`] that serves `site`.
    pub async fn with(site: &Site) -> Testbed {
        let testbed = Testbed::start(edge_options()).await;
        testbed.write(site).await;
        testbed
    }

    /// An edge that serves nothing yet. `options.clock` becomes the testbed's.
    ///
    /// # Panics
    /// If the edge does not start.
    pub async fn start(options: EdgeOptions) -> Testbed {
        const SEED: u64 = 1;
        Testbed::start_on(Simulated::new(SEED), options).await
    }

    /// An edge that follows this journal.
    ///
    /// # Panics
    /// If the edge does not start.
    pub async fn start_on(journal: Simulated, options: EdgeOptions) -> Testbed {
        let clock = options.clock.clone();
        let edge = Edge::start(Arc::new(journal.clone()), options).await;
        Testbed {
            journal,
            clock,
            edge: edge.expect("an edge"),
            n_references: AtomicU64::new(0),
        }
    }

    /// Creates or updates a distribution, and waits until the edge has it.
    pub async fn write(&self, site: &Site) {
        let revision = self.commit_site(site).await;
        self.applied(revision).await;
    }

    /// The same with another configuration than `site`'s, such as one that names policies.
    ///
    /// # Panics
    /// If the journal fails.
    pub async fn write_config(&self, site: &Site, config: DistributionConfig) {
        let revision = commit_config(&self.journal, &self.clock, site, config).await;
        self.applied(revision).await;
    }

    /// Creates or updates a distribution.
    ///
    /// # Panics
    /// If its configuration is refused.
    pub async fn commit_site(&self, site: &Site) -> Revision {
        commit_site(&self.journal, &self.clock, site).await
    }

    /// Creates an origin access control with this SigningBehavior, and waits until the edge has it.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn write_access_control(&self, id: &str, signing_behavior: &str) {
        let xml = format!(
            "<OriginAccessControlConfig><Name>{id}</Name><SigningProtocol>sigv4</SigningProtocol>\
             <SigningBehavior>{signing_behavior}</SigningBehavior>\
             <OriginAccessControlOriginType>s3</OriginAccessControlOriginType></OriginAccessControlConfig>"
        );
        let config = from_xml(xml.as_bytes()).expect("an OriginAccessControlConfig");
        let record = OriginAccessControlRecord {
            id: id.to_owned(),
            created: START,
            revision: Revision::ZERO,
            control: convert::origin_access_control(&config, id).expect("a valid configuration"),
            config,
        };
        let value = record.encode().expect("a record");
        let revision = self
            .commit(&Key::OriginAccessControl(id.to_owned()).to_string(), value)
            .await;
        self.applied(revision).await;
    }

    /// Invalidates paths of [`Site::ID`], and waits until the edge has taken that in.
    pub async fn invalidate(&self, paths: &[&str]) -> Revision {
        let revision = self.commit_invalidation(paths).await;
        self.applied(revision).await;
        revision
    }

    /// Invalidates paths of [`Site::ID`], so that what they cover may be confirmed by the origin, and waits until the edge
    /// has taken that in.
    pub async fn revalidate(&self, paths: &[&str]) -> Revision {
        let mode = InvalidationMode::Revalidate;
        let revision = commit_invalidation(&self.journal, &self.clock, &self.n_references, paths, mode).await;
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

    /// Commits this value.
    ///
    /// # Panics
    /// If the journal fails.
    pub async fn commit(&self, key: &str, value: Bytes) -> Revision {
        let committed = self.journal.commit(key, Write::Put(value), Expected::Any).await;
        committed.expect("a commit")
    }

    /// Returns once the edge has taken in the journal up to `revision`.
    pub async fn applied(&self, revision: Revision) {
        let mut applied = self.edge.applied();
        let waiting = applied.wait_for(|applied| *applied >= revision);
        let _ = within_patience("the edge to apply a revision", waiting).await;
    }

    /// What the edge has taken in.
    pub fn applied_now(&self) -> Revision {
        *self.edge.applied().borrow()
    }

    /// What Prometheus reads of the edge.
    pub fn metrics(&self) -> String {
        metrics(&self.edge)
    }

    /// Moves the clock.
    ///
    /// # Panics
    /// If the clock is the system's.
    pub fn advance(&self, secs: u64) {
        self.clock
            .advance(Duration::from_secs(secs))
            .expect("a clock turned by hand");
    }

    /// Where viewers connect over HTTP.
    pub fn http(&self) -> SocketAddr {
        self.edge.http()
    }

    /// The edge.
    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// A viewer's connection.
    pub async fn viewer(&self) -> Viewer {
        Viewer::connect(self.http()).await
    }

    /// Asks on a connection of its own.
    pub async fn ask(&self, ask: &Ask) -> Answer {
        self.viewer().await.ask(ask).await
    }

    /// GETs a path on a connection of its own.
    pub async fn get(&self, target: &str) -> Answer {
        self.ask(&Ask::get(target)).await
    }

    /// Shuts the edge down.
    pub async fn shutdown(self) {
        self.stop().await;
    }

    /// Shuts the edge down and keeps its journal.
    pub async fn stop(self) -> Stopped {
        within_patience("the edge to shut down", self.edge.shutdown()).await;
        Stopped {
            journal: self.journal,
            clock: self.clock,
            n_references: self.n_references,
        }
    }

    /// Shuts the edge down and starts one that follows the same journal, by the same clock.
    ///
    /// # Panics
    /// If the edge does not start.
    pub async fn restart(self, options: EdgeOptions) -> Testbed {
        self.stop().await.start_again(options).await
    }
}

/// A testbed whose edge is down.
pub struct Stopped {
    journal: Simulated,
    clock: Clock,
    n_references: AtomicU64,
}

impl Stopped {
    /// Invalidates paths of [`Site::ID`].
    ///
    /// # Panics
    /// If the journal fails.
    pub async fn commit_invalidation(&self, paths: &[&str]) -> Revision {
        let mode = InvalidationMode::Refetch;
        commit_invalidation(&self.journal, &self.clock, &self.n_references, paths, mode).await
    }

    /// Starts an edge again. It goes by the clock there was.
    ///
    /// # Panics
    /// If the edge does not start.
    pub async fn start_again(self, options: EdgeOptions) -> Testbed {
        let options = EdgeOptions {
            clock: self.clock,
            ..options
        };
        Testbed {
            n_references: self.n_references,
            ..Testbed::start_on(self.journal, options).await
        }
    }
}

/// What Prometheus reads of an edge.
///
/// # Panics
/// Never: text takes anything.
pub fn metrics(edge: &Edge) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(edge.metrics()));
    let mut text = String::new();
    encode(&mut text, &registry).expect("text");
    text
}

/// Writes a distribution into a journal.
///
/// # Panics
/// If its configuration is refused, or the journal fails.
pub async fn commit_site(journal: &Simulated, clock: &Clock, site: &Site) -> Revision {
    commit_config(journal, clock, site, site.config()).await
}

/// The edge makes its own distribution of the configuration and the policies that it names; the record has that of `site`.
async fn commit_config(journal: &Simulated, clock: &Clock, site: &Site, config: DistributionConfig) -> Revision {
    let domain_name = site.domain_name();
    let distribution = convert::distribution(&site.config(), site.id().clone(), &domain_name);
    let record = DistributionRecord {
        id: site.id().clone(),
        domain_name: domain_name.into(),
        created: START,
        last_modified: clock.now(),
        revision: Revision::ZERO,
        distribution: Arc::new(distribution.expect("a valid configuration")),
        config,
    };
    let value = record.encode().expect("a record");
    let key = Key::Distribution(site.id().clone()).to_string();
    let committed = journal.commit(&key, Write::Put(value), Expected::Any).await;
    committed.expect("a commit")
}

/// Writes an invalidation of `paths` of [`Site::ID`] into a journal, under the next caller reference.
///
/// # Panics
/// If the journal fails.
pub async fn commit_invalidation(
    journal: &Simulated,
    clock: &Clock,
    n_references: &AtomicU64,
    paths: &[&str],
    mode: InvalidationMode,
) -> Revision {
    let distribution = DistributionId::parse(Site::ID).expect("a distribution Id");
    let caller_reference = n_references.fetch_add(1, Ordering::Relaxed).to_string();
    let record = InvalidationRecord {
        id: invalidation_id(&distribution, &caller_reference),
        distribution: distribution.clone(),
        created: clock.now(),
        revision: Revision::ZERO,
        caller_reference: caller_reference.clone(),
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
        items: Vec::new(),
        mode,
        origin: InvalidationOrigin::default(),
    };
    let value = record.encode().expect("a record");
    let key = Key::invalidation(&distribution, &caller_reference).to_string();
    let committed = journal.commit(&key, Write::Put(value), Expected::Any).await;
    committed.expect("a commit")
}
