use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::GlobMatcher;

use super::survey::Survey;
use super::{DeployError, Session};
use crate::diff::{Change, Live, changed_under_their_names};
use crate::headers::glob;
use crate::manifest::{Entry, Manifest};
use crate::plan::{Input, Plan, Source};
use crate::scan::{DigestCache, LocalFile, is_left_out, scan};

impl Session {
    /// Plans to publish `folder`. `cache` holds digests of the last time.
    ///
    /// # Errors
    /// If the folder, the bucket, the distribution or the state cannot be read or do not belong together.
    pub async fn plan_folder(&self, folder: &Path, cache: &mut DigestCache) -> Result<Plan, DeployError> {
        let globs = self.settings.exclude.iter().map(|pattern| glob(pattern));
        let globs = globs.collect::<Result<Vec<_>, _>>()?;
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        self.check_state_is_not_published(&folder, &globs)?;
        let now_unix_ns = i128::from(self.clock.now().0) * 1_000_000;
        let (place, mut digests) = (folder.clone(), std::mem::take(cache));
        let scanning = tokio::task::spawn_blocking(move || {
            let files = scan(&place, &globs, &mut digests, now_unix_ns);
            (files, digests)
        });
        let surveyed = self.survey().await;
        let scanned = scanning.await;
        let (files, digests) = scanned.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let files = files?;
        *cache = digests;
        let survey = surveyed?;
        let mut warnings = Vec::new();
        let target = self.target(&files, &survey, &mut warnings);
        let source = |change: &Change| {
            let path = change.key.strip_prefix(&*survey.prefix).unwrap_or(&change.key);
            Source::File(PathBuf::from(path))
        };
        let mut plan = self.plan(&survey, target, warnings, source).await?;
        plan.folder = Some(folder);
        Ok(plan)
    }

    /// A state in the folder that is published would be published, with all that it keeps.
    fn check_state_is_not_published(&self, folder: &Path, exclude: &[GlobMatcher]) -> Result<(), DeployError> {
        let name = self.state.bucket().name();
        let place = std::path::absolute(&name).unwrap_or_else(|_| PathBuf::from(&name));
        let inside = place.strip_prefix(folder).ok();
        let inside = inside.filter(|inside| !is_left_out(&inside.join("head.json").to_string_lossy(), exclude));
        match inside {
            Some(_) if !name.starts_with("s3://") => Err(DeployError::StateInFolder(name)),
            _ => Ok(()),
        }
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
}

/// A release's Id: when it was planned, and four characters against two at the same second.
fn release_id(now_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{}-{:04x}", time.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u16>())
}
