//! Is a release what viewers are shown? Asked through the edge, at every POP that is named.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::event::Event;
use crate::headers::Class;
use crate::plan::Plan;
use crate::session::{DeployError, Session};
use crate::site::{Site, View};

mod asset;
mod check;
mod viewer;

pub use viewer::{EdgeViewer, InvalidEdge};

use asset::Assets;
use check::{Check, Seen, checks, urls};

/// What a viewer got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// Content-Type.
    pub content_type: String,
    /// Cache-Control.
    pub cache_control: String,
    /// `x-cache`.
    pub x_cache: String,
    /// `x-amz-cf-pop`: the POP that answered.
    pub pop: String,
    /// Age in seconds.
    pub age_secs: Option<u64>,
    /// The body.
    pub body: Bytes,
}

/// Where a POP is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// `http://HOST:PORT` or `https://HOST:PORT`.
    pub url: String,
    /// The same POP over TLS, if `url` is not: for what is not shown over plain HTTP.
    pub tls_url: Option<String>,
}

impl Edge {
    /// Where a behavior's URLs are asked for.
    fn url_for(&self, view: &View) -> &str {
        let tls_url = self.tls_url.as_deref().filter(|_| view.https_only);
        tls_url.unwrap_or(&self.url)
    }
}

/// Someone who looks at a site through an edge.
#[async_trait]
pub trait Verifier: Send + Sync {
    /// The edges to ask; none: the distribution's own name.
    fn edges(&self) -> Vec<Edge>;

    /// Gets one URL of `host` from the edge at `url`, without compression.
    async fn get(&self, url: &str, host: &str, path: &str) -> Result<Page, String>;
}

/// What one edge showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EdgeReport {
    /// The edge.
    pub edge: String,
    /// The POPs that answered there, by `x-amz-cf-pop`.
    pub pops: BTreeSet<String>,
    /// URLs looked at.
    pub n_checks: usize,
    /// Assets looked at because pages refer to them.
    pub n_references: usize,
    /// URLs that were a miss first and a hit then.
    pub n_miss_then_hit: usize,
    /// What is wrong, with the URL.
    pub problems: Vec<String>,
}

/// One edge that is asked about one site.
struct Asked<'a> {
    verifier: &'a dyn Verifier,
    edge: &'a Edge,
    site: &'a Site,
}

impl Asked<'_> {
    /// Gets a path, which may have a query string. The first text is the URL for messages.
    async fn get(&self, path: &str) -> (String, Result<Page, String>) {
        let view = self.site.view_of(path.split('?').next().unwrap_or(path));
        let url = self.edge.url_for(view);
        let mut answer = self.verifier.get(url, &self.site.domain_name, path).await;
        if view.https_only && url.starts_with("http://") && answer.as_ref().is_ok_and(|page| page.status != 200) {
            answer = Err("its behavior wants https: name the edge as https://HOST:PORT".into());
        }
        (format!("{url}{path}"), answer)
    }
}

impl Session {
    /// Looks at what a plan has changed, and at a sample of the rest. All was in the bucket at `live_ms`, and invalidated then.
    pub(crate) async fn verify(&self, plan: &Plan, live_ms: Option<i64>) -> Result<(), DeployError> {
        let Some(verifier) = &self.verifier else {
            return Ok(());
        };
        let site = self.look_at_site().await?;
        let changed: BTreeSet<&str> = plan.uploads.iter().map(|upload| upload.key.as_str()).collect();
        let mut checks = checks(&site, &self.bucket_name, &plan.manifest, &changed, &plan.removals);
        for check in checks.iter_mut().filter(|check| plan.reasons.contains_key(&check.path)) {
            check.live_ms = live_ms;
        }
        if !checks.is_empty() {
            let n_edges = verifier.edges().len().max(1);
            self.reporter.report(Event::Step {
                step: crate::record::Step::Verify,
                n_items: checks.len() * n_edges,
            });
        }
        let urls = urls(&site, &self.bucket_name, &plan.manifest);
        let reports = self.ask_edges(&**verifier, &site, &checks, &urls).await;
        for report in reports.iter().filter(|report| report.n_checks > 0) {
            self.reporter.report(Event::Verified(report.clone()));
        }
        all_well(reports).map(drop)
    }

    /// Looks at the current release: all its pages and a sample of the rest.
    ///
    /// # Errors
    /// If there is no release, or if anything is not as it should be.
    pub async fn verify_current(&self) -> Result<Vec<EdgeReport>, DeployError> {
        let head = self.releases().await?;
        let release = head.current().ok_or(DeployError::NothingReleased)?;
        let manifest = self.state.manifest(&release.id).await?;
        let site = self.look_at_site().await?;
        let pages = manifest.files.iter().filter(|(_, entry)| entry.class == Class::Page);
        let pages: BTreeSet<&str> = pages.map(|(key, _)| key.as_str()).collect();
        let checks = checks(&site, &self.bucket_name, &manifest, &pages, &[]);
        let urls = urls(&site, &self.bucket_name, &manifest);
        let Some(verifier) = &self.verifier else {
            return Ok(Vec::new());
        };
        let reports = self.ask_edges(&**verifier, &site, &checks, &urls).await;
        for report in reports.iter().filter(|report| !report.problems.is_empty()) {
            self.reporter.report(Event::Verified(report.clone()));
        }
        all_well(reports)
    }

    async fn ask_edges(
        &self,
        verifier: &dyn Verifier,
        site: &Site,
        checks: &[Check],
        urls: &BTreeSet<String>,
    ) -> Vec<EdgeReport> {
        let mut edges = verifier.edges();
        if edges.is_empty() {
            edges.push(Edge {
                url: format!("https://{}", site.domain_name),
                tls_url: None,
            });
        }
        let mut reports = Vec::new();
        for edge in &edges {
            let asked = Asked { verifier, edge, site };
            reports.push(self.ask_edge(&asked, checks, urls).await);
        }
        reports
    }

    async fn ask_edge(&self, asked: &Asked<'_>, checks: &[Check], urls: &BTreeSet<String>) -> EdgeReport {
        let mut report = EdgeReport {
            edge: asked.edge.url.clone(),
            n_checks: checks.len(),
            ..EdgeReport::default()
        };
        let looks = stream::iter(checks).map(|check| async move { (check, self.look(asked, check).await) });
        let mut looks = looks.buffered(self.options.n_parallel);
        let mut referenced: BTreeMap<String, String> = BTreeMap::new();
        while let Some((check, seen)) = looks.next().await {
            for reference in &seen.references {
                let page = || check.path.clone();
                referenced.entry(reference.clone()).or_insert_with(page);
            }
            self.note(check, seen, &mut report);
        }
        let assets = Assets::follow(asked, referenced, self.options.n_parallel).await;
        report.n_references = assets.n_asked;
        for (path, problem) in assets.problems {
            // What the build itself does not have was missing before the release, too: said, but no reason to stop.
            if urls.contains(path.split('?').next().unwrap_or(&path)) {
                report.problems.push(problem);
            } else {
                self.reporter.report(Event::Warning {
                    message: format!("{problem}, and the site has no such file"),
                });
            }
        }
        report
    }

    /// Reports what was seen of one URL.
    fn note(&self, check: &Check, seen: Seen, report: &mut EdgeReport) {
        // A response headers policy may say so on purpose.
        if let Some(warning) = seen.warning {
            self.reporter.report(Event::Warning {
                message: format!("{}: {warning}", seen.url),
            });
        }
        let begins = |x_cache: Option<&String>, word: &str| x_cache.is_some_and(|x_cache| x_cache.starts_with(word));
        if begins(seen.x_cache.first(), "Miss") && begins(seen.x_cache.last(), "Hit") {
            report.n_miss_then_hit += 1;
        }
        self.reporter.report(Event::Checked {
            edge: report.edge.clone(),
            path: check.path.clone(),
            problem: seen.problem.clone(),
            x_cache: seen.x_cache.join(", "),
        });
        let problem = seen.problem.map(|problem| format!("{}: {problem}", seen.url));
        report.problems.extend(problem);
        report.pops.extend(seen.pops);
    }

    async fn look(&self, asked: &Asked<'_>, check: &Check) -> Seen {
        let mut seen = Seen::default();
        // What changed is asked for twice: first a miss, then a hit, both with the new bytes.
        for _ in 0..if check.changed { 2 } else { 1 } {
            let (url, answer) = asked.get(&check.path).await;
            seen.url = url;
            match answer {
                Ok(page) => seen.add(page, check, self.clock.now().0),
                Err(error) => {
                    seen.problem = Some(error);
                    break;
                }
            }
        }
        seen
    }
}

/// The reports, if there is no problem in any.
fn all_well(reports: Vec<EdgeReport>) -> Result<Vec<EdgeReport>, DeployError> {
    let problems: Vec<&String> = reports.iter().flat_map(|report| &report.problems).collect();
    match problems.first() {
        None => Ok(reports),
        Some(first) => Err(DeployError::NotVerified {
            n_problems: problems.len(),
            n_checks: reports.iter().map(|report| report.n_checks + report.n_references).sum(),
            first: (*first).clone(),
        }),
    }
}
