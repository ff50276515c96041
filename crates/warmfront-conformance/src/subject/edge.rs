use std::sync::Arc;

use warmfront_edge::BucketAccess;
use warmfront_facts::{Key, Policy, PolicyRecord};
use warmfront_model::{CachePolicy, Revision, Timestamp};
use warmfront_testkit::{Answer, Ask, Origin, START, Site, Testbed, edge_options};
use warmfront_wire::{convert, from_xml};

use super::Subject;
use crate::Profile;
use crate::distribution::{Configured, configured};
use crate::scenario::{Request, Scenario};
use crate::script::Script;

/// An edge with its journal in one process, whose clock is turned by the scenario.
pub(crate) struct EdgeInMemory {
    bed: Testbed,
    script: Script,
    has_bucket: bool,
    origin: Origin,
}

/// Where the bucket of a scenario is, as the first part of its paths.
const BUCKET_PATH: &str = "/bucket";

impl EdgeInMemory {
    /// An edge that serves what `scenario` configures.
    pub(crate) async fn start(scenario: &Scenario, profile: Profile) -> Result<EdgeInMemory, String> {
        let origin = Origin::start().await;
        let config = configured(&scenario.settings, origin.port())?;
        let mut options = edge_options();
        options.n_cores = 1;
        options.switches = profile.switches();
        options.buckets = BucketAccess {
            endpoint: Some(format!("http://127.0.0.1:{}", origin.port())),
            ..options.buckets
        };
        let subject = EdgeInMemory {
            bed: Testbed::start(options).await,
            script: Script::default(),
            has_bucket: config.has_bucket,
            origin,
        };
        for exchange in scenario.exchanges() {
            let path = exchange.request.target.split('?').next().unwrap_or_default();
            let folder = if subject.has_bucket { BUCKET_PATH } else { "" };
            let script = subject.script.clone();
            subject
                .origin
                .on(&format!("{folder}{path}"), move |request| script.speak(request).sent());
        }
        subject.write(&config).await?;
        Ok(subject)
    }

    /// Writes policy and distribution as the control plane does, and waits until the edge has them.
    async fn write(&self, config: &Configured) -> Result<(), String> {
        if let Some((id, xml)) = &config.cache_policy {
            self.write_cache_policy(id, xml).await?;
        }
        let parsed = from_xml(config.xml.as_bytes()).map_err(|error| format!("{error}: {}", config.xml))?;
        let site = Site::new(&self.origin);
        self.bed.write_config(&site, convert::with_defaults(parsed)).await;
        Ok(())
    }

    async fn write_cache_policy(&self, id: &str, xml: &str) -> Result<(), String> {
        let config: <CachePolicy as Policy>::Config = from_xml(xml.as_bytes()).map_err(|error| error.to_string())?;
        let policy = CachePolicy::validated(&config, id).map_err(|error| error.to_string())?;
        let record = PolicyRecord::<CachePolicy> {
            id: id.to_owned(),
            last_modified: START,
            revision: Revision::ZERO,
            policy: Arc::new(policy),
            config,
        };
        let value = record.encode().map_err(|error| error.to_string())?;
        let key = Key::Policy(CachePolicy::KIND, id.to_owned()).to_string();
        self.bed.commit(&key, value).await;
        Ok(())
    }

    /// Shuts the edge down.
    pub(crate) async fn stop(self) {
        self.bed.shutdown().await;
    }
}

impl Subject for EdgeInMemory {
    fn script(&self) -> &Script {
        &self.script
    }

    fn now(&self) -> Timestamp {
        self.bed.clock.now()
    }

    async fn wait(&self, secs: u64) {
        self.bed.advance(secs);
    }

    async fn ask(&self, request: &Request) -> Result<Answer, String> {
        Ok(self.bed.ask(&ask_of(request, &request.target)).await)
    }

    async fn invalidate(&self, path: &str) -> Result<(), String> {
        self.bed.invalidate(&[path]).await;
        Ok(())
    }

    fn slack_secs(&self) -> u64 {
        0
    }

    fn target_at_origin<'a>(&self, target: &'a str) -> &'a str {
        let rest = target.strip_prefix(BUCKET_PATH).filter(|_| self.has_bucket);
        rest.unwrap_or(target)
    }
}

/// The request for testkit's viewer, with another target.
pub(super) fn ask_of(request: &Request, target: &str) -> Ask {
    let ask = Ask::with_method(&request.method, target);
    let ask = request.headers.iter().fold(ask, |ask, (name, value)| {
        if name.eq_ignore_ascii_case("host") {
            ask.host(value)
        } else {
            ask.header(name, value)
        }
    });
    match &request.body {
        Some(body) => ask.body(body.clone()),
        None => ask,
    }
}
