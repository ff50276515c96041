//! Is a release what viewers are shown? Asked through the edge, at every POP that is named.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::digest::Digest;
use crate::event::Event;
use crate::headers::Class;
use crate::manifest::{Entry, Manifest};
use crate::plan::Plan;
use crate::references::{css_references, module_references, references};
use crate::session::{DeployError, Session};
use crate::site::Site;
use crate::urls::request_path;

mod viewer;

pub use viewer::{EdgeViewer, InvalidEdge};

/// Changed URLs that are looked at, at most; pages come first.
const CHANGED_MAX: usize = 400;

/// URLs that did not change and are looked at all the same.
const SAMPLE_MAX: usize = 20;

/// Assets that pages refer to, looked at per edge at most.
const REFERENCED_MAX: usize = 1_000;

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
    /// Age in seconds.
    pub age_secs: Option<u64>,
    /// The body.
    pub body: Bytes,
}

/// Someone who looks at a site through an edge.
#[async_trait]
pub trait Verifier: Send + Sync {
    /// The edges to ask; none: the distribution's own name.
    fn edges(&self) -> Vec<String>;

    /// Gets one URL of `host` from an edge, without compression.
    async fn get(&self, edge: &str, host: &str, path: &str) -> Result<Page, String>;
}

/// One URL to look at.
#[derive(Clone, Debug)]
struct Check {
    path: String,
    expected: Expected,
    changed: bool,
    /// When its content was live, in milliseconds since 1970, if it was invalidated after that.
    live_ms: Option<i64>,
}

#[derive(Clone, Debug)]
enum Expected {
    File(Entry),
    Gone,
}

/// What one edge showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EdgeReport {
    /// The edge.
    pub edge: String,
    /// URLs looked at.
    pub n_checks: usize,
    /// Assets looked at because pages refer to them.
    pub n_references: usize,
    /// URLs that were a miss first and a hit then.
    pub n_miss_then_hit: usize,
    /// What is wrong, with the URL.
    pub problems: Vec<String>,
}

impl Session {
    /// Looks at what a plan has changed, and at a sample of the rest. All was in the bucket at `live_ms`, and invalidated then.
    pub(crate) async fn verify(&self, plan: &Plan, live_ms: Option<i64>) -> Result<(), DeployError> {
        if self.verifier.is_none() {
            return Ok(());
        }
        let changed: BTreeSet<&str> = plan.uploads.iter().map(|upload| upload.key.as_str()).collect();
        let mut checks = checks(&plan.manifest, &plan.prefix, &changed, &plan.removals);
        for check in checks.iter_mut().filter(|check| plan.reasons.contains_key(&check.path)) {
            check.live_ms = live_ms;
        }
        self.run_checks(checks, &urls(&plan.manifest, &plan.prefix), true)
            .await
            .map(|_| ())
    }

    /// Looks at the current release: all its pages and a sample of the rest.
    ///
    /// # Errors
    /// If there is no release, or if anything is not as it should be.
    pub async fn verify_current(&self) -> Result<Vec<EdgeReport>, DeployError> {
        let head = self.releases().await?;
        let release = head.current().ok_or_else(|| DeployError::NoSuchRelease("yet".into()))?;
        let manifest = self.state.manifest(&release.id).await?;
        let site = self.look_at_site().await?;
        let prefix = site.prefix_in(&self.bucket_name).unwrap_or_default();
        let pages = manifest.files.iter().filter(|(_, entry)| entry.class == Class::Page);
        let pages: BTreeSet<&str> = pages.map(|(key, _)| key.as_str()).collect();
        self.run_checks(
            checks(&manifest, &prefix, &pages, &[]),
            &urls(&manifest, &prefix),
            false,
        )
        .await
    }

    async fn run_checks(
        &self,
        checks: Vec<Check>,
        urls: &BTreeSet<String>,
        announce: bool,
    ) -> Result<Vec<EdgeReport>, DeployError> {
        let Some(verifier) = &self.verifier else {
            return Ok(Vec::new());
        };
        let site = self.look_at_site().await?;
        let mut edges = verifier.edges();
        if edges.is_empty() {
            edges.push(format!("https://{}", site.domain_name));
        }
        let checks: Vec<Check> = checks.into_iter().filter(|check| self.is_ours(&site, check)).collect();
        if announce && !checks.is_empty() {
            let n_items = checks.len() * edges.len();
            self.reporter.report(Event::Step {
                step: crate::record::Step::Verify,
                n_items,
            });
        }
        let mut reports = Vec::new();
        for edge in &edges {
            reports.push(self.ask_edge(&**verifier, edge, &site, &checks, urls).await);
        }
        let problems = || reports.iter().flat_map(|report| &report.problems);
        match problems().next() {
            None => Ok(reports),
            Some(first) => Err(DeployError::NotVerified {
                n_problems: problems().count(),
                n_checks: reports.iter().map(|report| report.n_checks + report.n_references).sum(),
                first: first.clone(),
            }),
        }
    }

    /// Whether the behavior for the URL leads to the site's bucket, and a removed page's URL is not answered by an error page.
    fn is_ours(&self, site: &Site, check: &Check) -> bool {
        let view = site.view_of(&check.path);
        let is_gone = matches!(check.expected, Expected::Gone);
        view.bucket.as_deref() == Some(&*self.bucket_name) && (!is_gone || site.error_pages.is_empty())
    }

    async fn ask_edge(
        &self,
        verifier: &dyn Verifier,
        edge: &str,
        site: &Site,
        checks: &[Check],
        urls: &BTreeSet<String>,
    ) -> EdgeReport {
        let mut report = EdgeReport {
            edge: edge.into(),
            n_checks: checks.len(),
            ..EdgeReport::default()
        };
        let host = &site.domain_name;
        let looks =
            stream::iter(checks).map(|check| async move { (check, self.look(verifier, edge, host, check).await) });
        let mut looks = looks.buffered(self.options.n_parallel);
        let mut referenced: BTreeMap<String, String> = BTreeMap::new();
        while let Some((check, seen)) = looks.next().await {
            let problem = seen.problem.clone();
            // A response headers policy may say so on purpose.
            for message in seen
                .warning
                .iter()
                .map(|warning| format!("{edge}{}: {warning}", check.path))
            {
                self.reporter.report(Event::Warning { message });
            }
            if seen.x_cache.first().is_some_and(|first| first.starts_with("Miss"))
                && seen.x_cache.last().is_some_and(|last| last.starts_with("Hit"))
            {
                report.n_miss_then_hit += 1;
            }
            for reference in seen.references {
                referenced.entry(reference).or_insert_with(|| check.path.clone());
            }
            self.reporter.report(Event::Checked {
                edge: edge.into(),
                path: check.path.clone(),
                problem: problem.clone(),
                x_cache: seen.x_cache.join(", "),
            });
            report
                .problems
                .extend(problem.map(|problem| format!("{edge}{}: {problem}", check.path)));
        }
        let mut problems: Vec<(String, String)> = Vec::new();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        // Pages refer to style sheets and scripts, which refer to images, fonts, and others of their kind.
        while !referenced.is_empty() && asked.len() < REFERENCED_MAX {
            let wave: Vec<(String, String)> = std::mem::take(&mut referenced).into_iter().collect();
            asked.extend(wave.iter().map(|(path, _)| path.clone()));
            let looks = stream::iter(wave).map(|(path, page)| look_at_asset(verifier, edge, host, path, page));
            let looks: Vec<SeenAsset> = looks.buffered(self.options.n_parallel).collect().await;
            for seen in looks {
                for path in seen.references.into_iter().filter(|path| !asked.contains(path)) {
                    referenced.entry(path).or_insert_with(|| seen.path.clone());
                }
                problems.extend(seen.problem.map(|problem| (seen.path, problem)));
            }
        }
        report.n_references = asked.len();
        for (path, problem) in problems {
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
}

/// What an edge showed of an asset.
struct SeenAsset {
    path: String,
    problem: Option<String>,
    references: BTreeSet<String>,
}

/// Looks at what `page` refers to, and at what it refers to itself if it is a style sheet or a script.
async fn look_at_asset(verifier: &dyn Verifier, edge: &str, host: &str, path: String, page: String) -> SeenAsset {
    let found = verifier.get(edge, host, &path).await;
    let problem = match &found {
        Ok(found) if found.status == 200 => None,
        Ok(found) => Some(format!("status {}", found.status)),
        Err(error) => Some(error.clone()),
    };
    let references = match &found {
        Ok(found) if found.status == 200 => asset_references(&path, found),
        _ => BTreeSet::new(),
    };
    SeenAsset {
        problem: problem.map(|problem| format!("{edge}{path}: {problem}; {page} refers to it")),
        path,
        references,
    }
}

/// What a style sheet or a script loads itself.
fn asset_references(path: &str, asset: &Page) -> BTreeSet<String> {
    let essence = asset.content_type.split(';').next().unwrap_or_default().trim();
    match essence {
        "text/css" => css_references(path, &String::from_utf8_lossy(&asset.body)),
        "text/javascript" | "application/javascript" => module_references(path, &String::from_utf8_lossy(&asset.body)),
        _ => BTreeSet::new(),
    }
}

/// The URLs of a manifest's files.
fn urls(manifest: &Manifest, prefix: &str) -> BTreeSet<String> {
    let path_of = |key: &String| request_path(&format!("/{}", key.strip_prefix(prefix).unwrap_or(key)));
    manifest.files.keys().map(path_of).collect()
}

/// Pages first, then the rest of what changed, then a sample evenly spread over what did not.
fn checks(manifest: &Manifest, prefix: &str, changed: &BTreeSet<&str>, removed: &[String]) -> Vec<Check> {
    let path_of = |key: &str| request_path(&format!("/{}", key.strip_prefix(prefix).unwrap_or(key)));
    let check = |(key, entry): (&String, &Entry), changed: bool| Check {
        path: path_of(key),
        expected: Expected::File(entry.clone()),
        changed,
        live_ms: None,
    };
    let is_changed = |(key, _): &(&String, &Entry)| changed.contains(key.as_str());
    let mut touched: Vec<(&String, &Entry)> = manifest.files.iter().filter(is_changed).collect();
    touched.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.class));
    let mut checks: Vec<Check> = touched
        .into_iter()
        .take(CHANGED_MAX)
        .map(|file| check(file, true))
        .collect();
    let gone = removed.iter().take(CHANGED_MAX).map(|key| Check {
        path: path_of(key),
        expected: Expected::Gone,
        changed: true,
        live_ms: None,
    });
    checks.extend(gone);
    let rest: Vec<(&String, &Entry)> = manifest.files.iter().filter(|file| !is_changed(file)).collect();
    let stride = rest.len().div_ceil(SAMPLE_MAX).max(1);
    checks.extend(rest.into_iter().step_by(stride).map(|file| check(file, false)));
    checks
}

#[derive(Debug, Default)]
struct Seen {
    problem: Option<String>,
    warning: Option<String>,
    x_cache: Vec<String>,
    references: BTreeSet<String>,
}

impl Session {
    async fn look(&self, verifier: &dyn Verifier, edge: &str, host: &str, check: &Check) -> Seen {
        let mut seen = Seen::default();
        // What changed is asked for twice: first a miss, then a hit, both with the new bytes.
        for _ in 0..if check.changed { 2 } else { 1 } {
            match verifier.get(edge, host, &check.path).await {
                Ok(page) => {
                    let live_for_ms = check.live_ms.map(|live_ms| self.clock.now().0 - live_ms);
                    seen.problem = seen.problem.or_else(|| problem(&page, &check.expected));
                    seen.warning = seen
                        .warning
                        .or_else(|| warning(&page, &check.expected))
                        .or_else(|| old_copy(&page, live_for_ms?));
                    seen.x_cache.push(page.x_cache.clone());
                    if page.content_type.starts_with("text/html") && page.status == 200 {
                        seen.references = references(&check.path, &page.body);
                    }
                }
                Err(error) => {
                    seen.problem = Some(error);
                    break;
                }
            }
        }
        seen
    }
}

/// An invalidated URL is shown from a copy that was fetched before the release's last file was live, `live_for_ms` ago. Its bytes are
/// looked at elsewhere: with the right ones, only headers can be old. Age may be rounded up by a second.
///
/// Source: RFC 9111 section 5.1.
fn old_copy(page: &Page, live_for_ms: i64) -> Option<String> {
    let age_secs = page.age_secs.filter(|_| page.status == 200)?;
    let live_for_secs = u64::try_from(live_for_ms).unwrap_or(0).div_ceil(1_000);
    (age_secs > live_for_secs + 1).then(|| {
        format!("its age is {age_secs} s, but it was invalidated when the release went live {live_for_secs} s ago: an old copy")
    })
}

/// What viewers are told about caching is not what the file is stored with.
fn warning(page: &Page, expected: &Expected) -> Option<String> {
    let Expected::File(Entry { headers, .. }) = expected else {
        return None;
    };
    (page.status == 200 && page.cache_control != headers.cache_control).then(|| {
        format!(
            "Cache-Control is {:?}, stored was {:?}",
            page.cache_control, headers.cache_control
        )
    })
}

fn problem(page: &Page, expected: &Expected) -> Option<String> {
    let entry = match expected {
        Expected::Gone if page.status == 200 => return Some("it was removed, and is still shown".into()),
        Expected::Gone => return None,
        Expected::File(entry) => entry,
    };
    if page.status != 200 {
        return Some(format!("status {}", page.status));
    }
    let digest = Digest::of(&page.body);
    if digest != entry.digest {
        return Some(format!(
            "other bytes: expected {}, got {digest} ({})",
            entry.digest, page.x_cache
        ));
    }
    if page.content_type != entry.headers.content_type {
        return Some(format!(
            "Content-Type {:?}, expected {:?}",
            page.content_type, entry.headers.content_type
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::Rules;

    fn entry(path: &str, content: &str) -> Entry {
        let decision = Rules::default().decide(path, false);
        Entry {
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            class: decision.class,
            headers: decision.headers,
            etag: None,
            distrusted: false,
        }
    }

    fn page(status: u16, body: &str) -> Page {
        Page {
            status,
            content_type: "text/html; charset=utf-8".into(),
            cache_control: "no-cache".into(),
            x_cache: "Miss from cloudfront".into(),
            age_secs: None,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn bytes_status_and_type_count() {
        let expected = Expected::File(entry("a.html", "new"));
        assert_eq!(problem(&page(200, "new"), &expected), None);
        assert!(problem(&page(200, "old"), &expected).unwrap().contains("other bytes"));
        assert!(problem(&page(403, "new"), &expected).unwrap().contains("403"));
        let plain = Page {
            content_type: "text/plain".into(),
            ..page(200, "new")
        };
        assert!(problem(&plain, &expected).unwrap().contains("text/plain"));
        assert!(problem(&page(200, "x"), &Expected::Gone).is_some());
        assert_eq!(problem(&page(404, "x"), &Expected::Gone), None);
        assert_eq!(warning(&page(200, "new"), &expected), None);
        let lasting = Page {
            cache_control: "max-age=60".into(),
            ..page(200, "new")
        };
        assert!(warning(&lasting, &expected).unwrap().contains("max-age=60"));
    }

    #[test]
    fn a_copy_older_than_the_release_is_told() {
        let aged = |age_secs| Page {
            age_secs,
            ..page(200, "new")
        };
        assert_eq!(old_copy(&aged(None), 0), None);
        assert_eq!(old_copy(&aged(Some(11)), 9_500), None);
        assert!(old_copy(&aged(Some(12)), 9_500).unwrap().contains("12 s"));
        assert!(old_copy(&aged(Some(2)), -5_000).is_some());
    }

    #[test]
    fn scripts_and_style_sheets_load_more() {
        let asset = |content_type: &str, body: &str| Page {
            content_type: content_type.into(),
            ..page(200, body)
        };
        let script = asset("text/javascript; charset=utf-8", "import './b.js'");
        assert_eq!(
            asset_references("/js/a.js", &script),
            BTreeSet::from(["/js/b.js".into()])
        );
        let sheet = asset("text/css", "@import 'b.css'");
        assert_eq!(asset_references("/a.css", &sheet), BTreeSet::from(["/b.css".into()]));
        assert_eq!(
            asset_references("/a.txt", &asset("text/plain", "import './b.js'")),
            BTreeSet::new()
        );
    }

    #[test]
    fn pages_come_first_and_the_rest_is_sampled() {
        let mut files: BTreeMap<String, Entry> = (0..1_000)
            .map(|n| format!("live/p{n:04}.png"))
            .map(|key| (key.clone(), entry(&key, "x")))
            .collect();
        files.insert("live/z.html".into(), entry("z.html", "x"));
        let manifest = Manifest { files };
        let changed = BTreeSet::from(["live/p0007.png", "live/z.html"]);
        let found = checks(&manifest, "live/", &changed, &["live/old page.html".into()]);
        let paths: Vec<&str> = found.iter().map(|check| check.path.as_str()).collect();
        assert_eq!(paths[..3], ["/z.html", "/p0007.png", "/old%20page.html"]);
        assert!((4..=3 + SAMPLE_MAX).contains(&paths.len()), "{}", paths.len());
    }
}
