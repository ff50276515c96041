use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{DeployError, Session};
use crate::event::Event;
use crate::headers::Class;
use crate::manifest::Manifest;
use crate::patience::Patience;
use crate::plan::{Plan, Source, Upload};
use crate::record::{Record, Step};
use crate::retention::{Terms, collectable, n_expired, needed_contents};
use crate::state::{Head, Release};
use crate::target::{Body, Condition, Fault, StoredHeaders, TargetError, transfer};

impl Session {
    /// Takes the record's next step. Each step may be taken again after an interruption.
    pub(super) async fn take_step(&self, plan: &Plan, record: &mut Record, resumed: bool) -> Result<(), DeployError> {
        let step = record.next;
        let began = |n_items: usize| self.reporter.report(Event::Step { step, n_items });
        match step {
            Step::Keep => self.keep(plan).await,
            Step::Assets => {
                let assets = plan.uploads_of(Class::Fingerprinted).collect();
                self.upload(plan, assets, record, resumed).await
            }
            Step::CheckAssets => self.check_assets(plan).await,
            Step::Others => {
                let others = plan.uploads_of(Class::Other).collect();
                self.upload(plan, others, record, resumed).await
            }
            Step::Pages => {
                let is_html = |upload: &&Upload| !upload.key.ends_with(".js") && !upload.key.ends_with(".json");
                let (pages, workers) = plan.uploads_of(Class::Page).partition(is_html);
                self.upload(plan, pages, record, resumed).await?;
                // A service worker loads the pages that it names: it comes last.
                self.upload(plan, workers, record, resumed).await
            }
            // Before the invalidation: after it, the edge could fetch what is about to go, and keep it.
            Step::Remove => {
                if !plan.removals.is_empty() {
                    began(plan.removals.len());
                    self.patience.attempt(|| self.bucket.delete(&plan.removals)).await?;
                }
                record.live_ms = Some(self.clock.now().0);
                Ok(())
            }
            Step::Invalidate => self.invalidate(plan, record).await,
            Step::Wait => self.wait(plan, record).await,
            Step::Verify => self.verify(plan, record.live_ms).await,
            Step::Retire => self.retire(plan, record).await,
            Step::Done => Ok(()),
        }
    }

    /// Copies what will be overwritten or deleted to where a rollback finds it.
    async fn keep(&self, plan: &Plan) -> Result<(), DeployError> {
        let replaced = plan.uploads.iter().filter(|upload| upload.replaces.is_some());
        let keys: Vec<&String> = replaced.map(|upload| &upload.key).chain(&plan.removals).collect();
        if keys.is_empty() {
            return Ok(());
        }
        self.reporter.report(Event::Step {
            step: Step::Keep,
            n_items: keys.len(),
        });
        let kept = &self.state.kept().await?;
        let patience = &self.patience;
        let work = stream::iter(keys).map(|key| async move {
            let Some(head) = patience.attempt(|| self.bucket.head(key)).await? else {
                return Ok(());
            };
            // Another tool's object belongs to no release, so no rollback will ask for it.
            if let Some(digest) = head.headers.digest().filter(|digest| !kept.contains(digest)) {
                let to = self.state.kept_key(digest);
                let copy = || transfer(&*self.bucket, key, self.state.bucket(), &to, &head.headers);
                patience.attempt(copy).await?;
            }
            self.reporter.report(Event::Object { key: key.clone() });
            Ok::<_, DeployError>(())
        });
        work.buffer_unordered(self.options.n_parallel).try_collect().await
    }

    /// Writes a group of objects; the first that fails stops the group, and with it the release.
    async fn upload(
        &self,
        plan: &Plan,
        uploads: Vec<&Upload>,
        record: &mut Record,
        resumed: bool,
    ) -> Result<(), DeployError> {
        if uploads.is_empty() {
            return Ok(());
        }
        self.reporter.report(Event::Step {
            step: record.next,
            n_items: uploads.len(),
        });
        let patience = &self.patience;
        let work = stream::iter(uploads).map(|upload| async move {
            let there = match resumed {
                true => self.lies_there(plan, upload, patience).await?,
                false => None,
            };
            let etag = match there {
                Some(etag) => etag,
                None => patience.attempt(|| self.write(plan, upload)).await?,
            };
            self.reporter.report(Event::Object {
                key: upload.key.clone(),
            });
            Ok::<_, DeployError>((upload.key.clone(), etag))
        });
        let mut work = work.buffer_unordered(self.options.n_parallel);
        while let Some(done) = work.next().await {
            let (key, etag) = done?;
            record.etags.insert(key, etag);
        }
        Ok(())
    }

    /// The ETag of what an interrupted run has written already, if it has.
    async fn lies_there(
        &self,
        plan: &Plan,
        upload: &Upload,
        patience: &Patience,
    ) -> Result<Option<String>, DeployError> {
        let Some(entry) = plan.manifest.files.get(&upload.key) else {
            return Ok(None);
        };
        let head = patience.attempt(|| self.bucket.head(&upload.key)).await?;
        let is_same = |headers: &StoredHeaders| {
            headers.digest() == Some(entry.digest) && headers.headers(&plan.tag_metadata) == entry.headers
        };
        Ok(head.filter(|head| is_same(&head.headers)).map(|head| head.etag))
    }

    /// Gives the ETag.
    async fn write(&self, plan: &Plan, upload: &Upload) -> Result<String, TargetError> {
        let Some(entry) = plan.manifest.files.get(&upload.key) else {
            return Err(missing(&upload.key));
        };
        let headers = StoredHeaders::new(&entry.headers, entry.digest, &plan.tag_metadata);
        let key = &upload.key;
        match &upload.source {
            Source::File(path) => {
                let path = plan.folder.clone().unwrap_or_default().join(path);
                let body = Body::File {
                    path,
                    size: entry.size,
                    digest: entry.digest,
                };
                self.bucket.put(key, body, &headers, Condition::Any).await
            }
            Source::InPlace => {
                let found = self.bucket.head(key).await?;
                let found = found.ok_or_else(|| missing(key))?;
                let mut merged = found.headers;
                merged.adopt(&entry.headers, entry.digest, &plan.tag_metadata);
                transfer(&*self.bucket, key, &*self.bucket, key, &merged).await
            }
            Source::Key(from) => transfer(&*self.bucket, from, &*self.bucket, key, &headers).await,
            Source::Kept => {
                let from = self.state.kept_key(entry.digest);
                transfer(self.state.bucket(), &from, &*self.bucket, key, &headers).await
            }
        }
    }

    /// Before any page refers to them: every asset of the release is in the bucket, with its digest.
    async fn check_assets(&self, plan: &Plan) -> Result<(), DeployError> {
        let uploads: Vec<&Upload> = plan.uploads_of(Class::Fingerprinted).collect();
        if uploads.is_empty() {
            return Ok(());
        }
        self.reporter.report(Event::Step {
            step: Step::CheckAssets,
            n_items: uploads.len(),
        });
        let patience = &self.patience;
        let work = stream::iter(uploads).map(|upload| async move {
            let key = &upload.key;
            let head = patience.attempt(|| self.bucket.head(key)).await?;
            let not_as_sent = |problem: String| DeployError::NotAsSent {
                key: key.clone(),
                problem,
            };
            let head = head.ok_or_else(|| not_as_sent("it is not there".into()))?;
            let Some(entry) = plan.manifest.files.get(key) else {
                return Ok(());
            };
            if head.headers.digest() != Some(entry.digest) || head.size != entry.size {
                return Err(not_as_sent(format!(
                    "it has {} bytes and digest {:?}",
                    head.size,
                    head.headers.digest()
                )));
            }
            Ok(())
        });
        work.buffer_unordered(self.options.n_parallel).try_collect().await
    }

    /// Writes down that the release is finished, then collects what no kept release needs.
    async fn retire(&self, plan: &Plan, record: &Record) -> Result<(), DeployError> {
        let (head, read) = self.state.head().await?;
        let is_listed = head.finished.iter().any(|release| release.id == plan.release);
        let mut finished = head.finished.clone();
        if !is_listed {
            let manifest = self.final_manifest(plan, record).await?;
            self.state.put_manifest(&plan.release, &manifest).await?;
            finished.push(Release {
                id: plan.release.clone(),
                finished_ms: self.clock.now().0,
                rollback_to: plan.rollback_to.clone(),
                n_files: manifest.files.len(),
                n_uploads: plan.uploads.len(),
                n_paths: record.sent.iter().map(|sent| sent.n_paths as usize).sum(),
            });
            let head = Head {
                finished: finished.clone(),
                unfinished: Vec::new(),
            };
            self.state.put_head(&head, read).await?;
        }
        for release in &plan.supersedes {
            self.state.forget(release).await?;
        }
        self.collect(plan, &finished).await
    }

    /// The plan's files with the ETags of what was written; what another run wrote is looked up in the bucket.
    async fn final_manifest(&self, plan: &Plan, record: &Record) -> Result<Manifest, DeployError> {
        let mut manifest = plan.manifest.clone();
        for (key, etag) in &record.etags {
            if let Some(entry) = manifest.files.get_mut(key) {
                entry.etag = Some(etag.clone());
            }
        }
        if manifest.files.values().any(|entry| entry.etag.is_none()) {
            for listed in self.list(&plan.prefix, Some(&plan.manifest)).await? {
                if let Some(entry) = manifest.files.get_mut(&listed.key) {
                    entry.etag = Some(listed.etag);
                }
            }
        }
        Ok(manifest)
    }

    async fn collect(&self, plan: &Plan, finished: &[Release]) -> Result<(), DeployError> {
        let terms = Terms {
            releases: self.settings.keep_releases,
            days: self.settings.keep_days,
        };
        let times: Vec<i64> = finished.iter().map(|release| release.finished_ms).collect();
        let n_expired = n_expired(&times, terms, self.clock.now().0);
        if n_expired == 0 {
            return Ok(());
        }
        let listing = self.list(&plan.prefix, Some(&plan.manifest)).await?;
        let in_bucket: BTreeSet<String> = listing.into_iter().map(|listed| listed.key).collect();
        let mut manifests: Vec<Manifest> = Vec::new();
        for release in finished {
            manifests.push(self.state.manifest(&release.id).await?);
        }
        let keys: Vec<String> = collectable(&manifests, n_expired)
            .intersection(&in_bucket)
            .cloned()
            .collect();
        if !keys.is_empty() {
            self.reporter.report(Event::Step {
                step: Step::Retire,
                n_items: keys.len(),
            });
            self.patience.attempt(|| self.bucket.delete(&keys)).await?;
        }
        let needed = needed_contents(&manifests, n_expired);
        let unneeded: Vec<_> = self.state.kept().await?.difference(&needed).copied().collect();
        if !unneeded.is_empty() {
            self.state.drop_kept(&unneeded).await?;
        }
        // First the list forgets them, then their documents go: an interruption leaves documents that nobody asks for.
        let (head, read) = self.state.head().await?;
        let head = Head {
            finished: finished[n_expired..].to_vec(),
            ..head
        };
        self.state.put_head(&head, read).await?;
        for release in &finished[..n_expired] {
            self.state.forget(&release.id).await?;
        }
        Ok(())
    }
}

fn missing(key: &str) -> TargetError {
    TargetError {
        fault: Fault::NotFound,
        action: "s3:GetObject",
        resource: key.into(),
        code: "NoSuchKey".into(),
        message: "it has disappeared since the plan was made".into(),
    }
}
