use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{DeployError, Session};
use crate::diff::Live;
use crate::manifest::Manifest;
use crate::month::Month;
use crate::site::Site;
use crate::state::Head;
use crate::target::{Listed, TAG_METADATA};

/// Keys of a piece of the listing: somewhat less than the thousand that one answer holds, so that new files fit in.
const LISTED_AT_ONCE: usize = 950;

/// What lies in the bucket and what the state says of it.
pub(super) struct Survey {
    pub(super) site: Arc<Site>,
    pub(super) prefix: String,
    pub(super) tag_metadata: String,
    pub(super) head: Head,
    pub(super) finished: Option<(String, Manifest)>,
    pub(super) unfinished: Vec<(String, Manifest)>,
    pub(super) listing: Vec<Listed>,
    pub(super) month: Option<Month>,
}

/// The releases, as the state has them.
struct Releases {
    head: Head,
    finished: Option<(String, Manifest)>,
    unfinished: Vec<(String, Manifest)>,
}

impl Session {
    /// Reads the distribution, the state, the month and the bucket, as far as possible at the same time.
    pub(super) async fn survey(&self) -> Result<Survey, DeployError> {
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
    pub(super) async fn list(&self, prefix: &str, earlier: Option<&Manifest>) -> Result<Vec<Listed>, DeployError> {
        let keys = earlier.into_iter().flat_map(|manifest| manifest.files.keys());
        let cuts: Vec<String> = keys.skip(LISTED_AT_ONCE).step_by(LISTED_AT_ONCE).cloned().collect();
        Ok(self.patience.attempt(|| self.bucket.list(prefix, &cuts)).await?)
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

    /// What lies under the keys that concern a release: from the last manifest where nobody has written since, else asked for.
    pub(super) async fn live(&self, survey: &Survey, target: &Manifest) -> Result<BTreeMap<String, Live>, DeployError> {
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
        let asked = stream::iter(unknown).map(|key| async move {
            let head = self.patience.attempt(|| self.bucket.head(&key)).await?;
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
