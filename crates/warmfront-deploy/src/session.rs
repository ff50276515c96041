//! One site and everything that its releases touch: bucket, distribution, state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use warmfront_clock::Clock;

use crate::diff::{Change, Live, changed_under_their_names};
use crate::event::Reporter;
use crate::manifest::{Entry, Manifest};
use crate::month::Month;
use crate::patience::Patience;
use crate::plan::{Input, Plan, Source};
use crate::scan::{DigestCache, LocalFile, ScanError, scan};
use crate::settings::Settings;
use crate::site::Site;
use crate::state::{Head, State, StateError};
use crate::target::{Bucket, Cdn, Listed, TAG_METADATA, TargetError};
use crate::verify::Verifier;

mod apply;
mod memo;
mod steps;
#[cfg(test)]
mod tests;
mod wait;

pub use apply::{Made, Outcome, Status};
pub use memo::Memo;

/// Keys of a piece of the listing: somewhat less than the thousand that one answer holds, so that new files fit in.
const LISTED_AT_ONCE: usize = 950;

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many calls to the bucket at once.
    pub n_parallel: usize,
    /// When to give up.
    pub timeout: Duration,
    /// Whether to wait until the invalidation reads `Completed`; else that is left to `resume`.
    pub wait: bool,
    /// Whether more may be removed than the settings' guard allows.
    pub allow_deletions: bool,
    /// This machine's name, for the lock.
    pub host: String,
}

/// Everything that a site's releases touch.
#[derive(Clone)]
pub struct Session {
    /// The bucket.
    pub bucket: Arc<dyn Bucket>,
    /// The bucket's name.
    pub bucket_name: String,
    /// The distributions.
    pub cdn: Arc<dyn Cdn>,
    /// The distribution's Id.
    pub distribution: String,
    /// The state.
    pub state: State,
    /// The settings.
    pub settings: Settings,
    /// How to go about it.
    pub options: Options,
    /// The time.
    pub clock: Clock,
    /// Who listens.
    pub reporter: Arc<dyn Reporter>,
    /// Looks at the site as viewers do; `None` leaves that out.
    pub verifier: Option<Arc<dyn Verifier>>,
    /// What this run has seen.
    pub memo: Memo,
}

/// A release cannot be planned or carried out.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The bucket or the distribution fails.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The state fails.
    #[error(transparent)]
    State(#[from] StateError),
    /// The lock is not ours.
    #[error(transparent)]
    Lock(#[from] crate::state::LockError),
    /// The folder cannot be published.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Too much would be removed.
    #[error(transparent)]
    TooManyDeletions(#[from] crate::plan::TooManyDeletions),
    /// A pattern in the settings makes no sense.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
    /// No behavior of the distribution leads to the bucket.
    #[error("no behavior of distribution {distribution} has the bucket {bucket} as its origin")]
    NotItsBucket {
        /// The distribution.
        distribution: String,
        /// The bucket.
        bucket: String,
    },
    /// The distribution could serve the state to viewers.
    #[error("--state {0}: viewers could read it, since the distribution serves this part of the bucket")]
    StateIsPublic(String),
    /// The bucket is not as it was when the plan was made.
    #[error("the bucket has changed since the plan was made")]
    BucketChanged,
    /// Another release was finished or began since the plan was made.
    #[error("another release has happened since the plan was made")]
    PlanIsOld,
    /// The plan is of another version of this program.
    #[error("the plan has format {0}, which this program does not know")]
    PlanFormat(u32),
    /// There is no such release.
    #[error("there is no release {0}")]
    NoSuchRelease(String),
    /// There is nothing to go back to.
    #[error("there is no earlier release to go back to")]
    NothingEarlier,
    /// The bytes of a file are nowhere to be found.
    #[error("the bytes of {key} ({digest}) are neither in the bucket nor in the state")]
    BytesLost {
        /// The file's key.
        key: String,
        /// Its content.
        digest: crate::digest::Digest,
    },
    /// An upload is not in the bucket as it was sent.
    #[error("{key} is not in the bucket as it was sent: {problem}")]
    NotAsSent {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// Viewers are not shown the release.
    #[error("{n_problems} of {n_checks} checks through the edge failed; first: {first}")]
    NotVerified {
        /// How many failed.
        n_problems: usize,
        /// Of how many.
        n_checks: usize,
        /// The first.
        first: String,
    },
    /// The deadline is over.
    #[error("gave up waiting: {0}")]
    TimedOut(String),
}

/// What lies in the bucket and what the state says of it.
struct Survey {
    site: Arc<Site>,
    prefix: String,
    tag_metadata: String,
    head: Head,
    finished: Option<(String, Manifest)>,
    unfinished: Vec<(String, Manifest)>,
    listing: Vec<Listed>,
    month: Option<Month>,
}

/// The releases, as the state has them.
struct Releases {
    head: Head,
    finished: Option<(String, Manifest)>,
    unfinished: Vec<(String, Manifest)>,
}

impl Session {
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.options.timeout, self.reporter.clone())
    }

    /// Plans to publish `folder`. `cache` holds digests of the last time.
    ///
    /// # Errors
    /// If the folder, the bucket, the distribution or the state cannot be read or do not belong together.
    pub async fn plan_folder(&self, folder: &Path, cache: &mut DigestCache) -> Result<Plan, DeployError> {
        let globs = self
            .settings
            .exclude
            .iter()
            .map(|pattern| crate::headers::glob(pattern));
        let globs = globs.collect::<Result<Vec<_>, _>>()?;
        let now_unix_ns = i128::from(self.clock.now().0) * 1_000_000;
        let (place, mut digests) = (folder.to_owned(), std::mem::take(cache));
        let scanning = tokio::task::spawn_blocking(move || {
            let files = scan(&place, &globs, &mut digests, now_unix_ns);
            (files, digests)
        });
        let surveyed = self.survey().await;
        let (files, digests) = scanning.await.map_err(|_| ScanError::Empty(folder.into()))?;
        let files = files?;
        *cache = digests;
        let survey = surveyed?;
        let mut warnings = Vec::new();
        let target = self.target(&files, &survey, &mut warnings);
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let source = |change: &Change| {
            let path = change.key.strip_prefix(&*survey.prefix).unwrap_or(&change.key);
            Source::File(PathBuf::from(path))
        };
        let mut plan = self.plan(&survey, target, warnings, source).await?;
        plan.folder = Some(folder);
        Ok(plan)
    }

    /// Plans to bring back an earlier release: `to`, or the one before the current (while a release is unfinished: the current).
    ///
    /// # Errors
    /// If there is no such release, or if bytes of it are lost.
    pub async fn plan_rollback(&self, to: Option<&str>) -> Result<Plan, DeployError> {
        let survey = self.survey().await?;
        let finished = &survey.head.finished;
        let release = match to {
            Some(id) => finished.iter().find(|release| release.id == id),
            None if !survey.unfinished.is_empty() => finished.last(),
            None => finished.len().checked_sub(2).map(|at| &finished[at]),
        };
        let release = match (release, to) {
            (Some(release), _) => release.id.clone(),
            (None, Some(id)) => return Err(DeployError::NoSuchRelease(id.into())),
            (None, None) => return Err(DeployError::NothingEarlier),
        };
        let mut target = self.state.manifest(&release).await?;
        target.files.values_mut().for_each(|entry| entry.etag = None);
        let kept = self.state.kept().await?;
        let live = self.live(&survey, &target).await?;
        let mut lost = None;
        let source = |change: &Change| {
            let digest = target.files[&change.key].digest;
            let lies_there = live.get(&change.key).is_some_and(|live| live.digest == Some(digest));
            let elsewhere = live.iter().find(|(_, live)| live.digest == Some(digest));
            match elsewhere {
                _ if lies_there => Source::InPlace,
                _ if kept.contains(&digest) => Source::Kept,
                Some((key, _)) => Source::Key(key.clone()),
                None => {
                    lost.get_or_insert_with(|| DeployError::BytesLost {
                        key: change.key.clone(),
                        digest,
                    });
                    Source::InPlace
                }
            }
        };
        let mut plan = self.plan_with(&survey, target.clone(), live.clone(), Vec::new(), source);
        plan.rollback_to = Some(release);
        match lost {
            Some(error) => Err(error),
            None => Ok(plan),
        }
    }

    async fn plan(
        &self,
        survey: &Survey,
        target: Manifest,
        warnings: Vec<String>,
        source: impl FnMut(&Change) -> Source,
    ) -> Result<Plan, DeployError> {
        let live = self.live(survey, &target).await?;
        Ok(self.plan_with(survey, target, live, warnings, source))
    }

    fn plan_with(
        &self,
        survey: &Survey,
        target: Manifest,
        live: BTreeMap<String, Live>,
        mut warnings: Vec<String>,
        source: impl FnMut(&Change) -> Source,
    ) -> Plan {
        let now_ms = self.clock.now().0;
        if !survey.site.is_enabled {
            warnings.push(format!(
                "distribution {} is disabled: it answers nobody",
                self.distribution
            ));
        }
        let input = Input {
            release: release_id(now_ms),
            now_ms,
            bucket: &self.bucket_name,
            prefix: &survey.prefix,
            site: &survey.site,
            settings: &self.settings,
            target,
            listing: &survey.listing,
            live,
            finished: survey.finished.as_ref().map(|(id, manifest)| (id.as_str(), manifest)),
            unfinished: &survey.unfinished,
            tag_metadata: &survey.tag_metadata,
            month: survey.month.as_ref(),
            warnings,
        };
        Plan::new(input, source)
    }

    /// Reads the distribution, the state, the month and the bucket, as far as possible at the same time.
    async fn survey(&self) -> Result<Survey, DeployError> {
        let month = async { Ok::<_, DeployError>(self.month().await.ok()) };
        let (site, releases, month) = tokio::try_join!(self.look_at_site(), self.read_releases(), month)?;
        self.memo.see_month(month.as_ref());
        let Some(prefix) = site.prefix_in(&self.bucket_name) else {
            return Err(DeployError::NotItsBucket {
                distribution: self.distribution.clone(),
                bucket: self.bucket_name.clone(),
            });
        };
        self.check_state_is_private(&site)?;
        let listing = self.list(&prefix, releases.finished.as_ref().map(|(_, manifest)| manifest));
        let listing = listing.await?;
        let tag_metadata = site
            .tag_header
            .as_deref()
            .and_then(|header| header.strip_prefix("x-amz-meta-"));
        Ok(Survey {
            tag_metadata: tag_metadata.unwrap_or(TAG_METADATA).to_owned(),
            site,
            prefix,
            head: releases.head,
            finished: releases.finished,
            unfinished: releases.unfinished,
            listing,
            month,
        })
    }

    async fn read_releases(&self) -> Result<Releases, DeployError> {
        let (head, _) = self.state.head().await?;
        let finished = match head.current() {
            Some(release) => Some((release.id.clone(), self.state.manifest(&release.id).await?)),
            None => None,
        };
        let mut unfinished = Vec::new();
        for id in &head.unfinished {
            unfinished.push((id.clone(), self.state.plan(id).await?.manifest));
        }
        Ok(Releases {
            head,
            finished,
            unfinished,
        })
    }

    /// Lists the site, in pieces that the keys of an earlier release suggest.
    async fn list(&self, prefix: &str, earlier: Option<&Manifest>) -> Result<Vec<Listed>, DeployError> {
        let keys = earlier.into_iter().flat_map(|manifest| manifest.files.keys());
        let cuts: Vec<String> = keys.skip(LISTED_AT_ONCE).step_by(LISTED_AT_ONCE).cloned().collect();
        Ok(self.patience().attempt(|| self.bucket.list(prefix, &cuts)).await?)
    }

    fn check_state_is_private(&self, site: &Site) -> Result<(), DeployError> {
        let name = self.state.name();
        let Some((bucket, prefix)) = name.strip_prefix("s3://").and_then(|name| name.split_once('/')) else {
            return Ok(());
        };
        if site.reaches(bucket, prefix) {
            return Err(DeployError::StateIsPublic(name));
        }
        Ok(())
    }

    /// What the site shall consist of.
    fn target(&self, files: &BTreeMap<String, LocalFile>, survey: &Survey, warnings: &mut Vec<String>) -> Manifest {
        let earlier: Vec<&Manifest> = survey
            .finished
            .iter()
            .map(|(_, manifest)| manifest)
            .chain(survey.unfinished.iter().map(|(_, manifest)| manifest))
            .collect();
        let key_of = |path: &String| format!("{}{path}", survey.prefix);
        let keys: Vec<(String, &LocalFile)> = files.iter().map(|(path, file)| (key_of(path), file)).collect();
        let distrusted =
            changed_under_their_names(keys.iter().map(|(key, file)| (key.as_str(), file.digest)), &earlier);
        for key in &distrusted {
            warnings.push(format!(
                "{key}: its name looks fingerprinted, but stood for other bytes before; it is not sent as immutable, and browsers that \
                 have the earlier one may keep it for a year"
            ));
        }
        let entry = |(path, file): (&String, &LocalFile)| {
            let key = key_of(path);
            let is_distrusted = distrusted.contains(&key);
            let decision = self.settings.rules.decide(path, is_distrusted);
            let entry = Entry {
                digest: file.digest,
                size: file.size,
                class: decision.class,
                headers: decision.headers,
                etag: None,
                distrusted: is_distrusted,
            };
            (key, entry)
        };
        Manifest {
            files: files.iter().map(entry).collect(),
        }
    }

    /// What lies under the keys that concern a release: from the last manifest where nobody has written since, else asked for.
    async fn live(&self, survey: &Survey, target: &Manifest) -> Result<BTreeMap<String, Live>, DeployError> {
        let finished = survey.finished.as_ref().map(|(_, manifest)| manifest);
        let known = |listed: &&Listed| {
            let in_some = |manifest: &Manifest| manifest.files.contains_key(&listed.key);
            in_some(target)
                || finished.is_some_and(in_some)
                || survey.unfinished.iter().any(|(_, manifest)| in_some(manifest))
        };
        let trusted = |listed: &Listed| {
            let entry = finished?.files.get(&listed.key)?;
            let same = |manifest: &Manifest| {
                manifest
                    .files
                    .get(&listed.key)
                    .is_some_and(|other| other.same_as(entry))
            };
            let untouched = survey.unfinished.iter().all(|(_, manifest)| same(manifest));
            (untouched && entry.etag.as_deref() == Some(&*listed.etag)).then_some(entry)
        };
        let mut live = BTreeMap::new();
        let mut unknown = Vec::new();
        for listed in survey.listing.iter().filter(known) {
            match trusted(listed) {
                Some(entry) => {
                    let headers = entry.headers.clone();
                    live.insert(
                        listed.key.clone(),
                        Live {
                            digest: Some(entry.digest),
                            headers,
                        },
                    );
                }
                None => unknown.push(listed.key.clone()),
            }
        }
        let patience = &self.patience();
        let asked = stream::iter(unknown).map(|key| async move {
            let head = patience.attempt(|| self.bucket.head(&key)).await?;
            Ok::<_, DeployError>((key, head))
        });
        let heads: Vec<_> = asked.buffer_unordered(self.options.n_parallel).try_collect().await?;
        for (key, head) in heads {
            if let Some(head) = head {
                let digest = head.headers.digest();
                live.insert(
                    key,
                    Live {
                        digest,
                        headers: head.headers.headers(&survey.tag_metadata),
                    },
                );
            }
        }
        Ok(live)
    }
}

/// A release's Id: when it was planned, and four characters against two at the same second.
fn release_id(now_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{}-{:04x}", time.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u16>())
}
