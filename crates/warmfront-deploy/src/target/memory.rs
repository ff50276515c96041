//! A bucket and a distribution in memory, which fail on demand: for tests of what happens when a release is cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Body, Bucket, Cdn, Condition, Fault, Head, Invalidation, Listed, PathCount, Place, StoredHeaders, TargetError,
};
use crate::digest::Digest;
use crate::site::Site;

/// What is done to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// Nothing: it works.
    Work,
    /// It fails with this, and has no effect.
    Fail(Fault),
    /// It takes effect, and the answer is lost.
    LoseAnswer,
}

/// Decides the fate of each call: its number from 0 and its action.
pub type Script = Box<dyn FnMut(usize, &'static str) -> Stroke + Send>;

/// Sees the objects after each call.
pub type Watcher = Box<dyn FnMut(&BTreeMap<String, StoredObject>, &'static str) + Send>;

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its headers.
    pub headers: StoredHeaders,
}

/// A bucket and a distribution that share one script. Clones share everything.
#[derive(Clone)]
pub struct Memory {
    world: Arc<Mutex<World>>,
    bucket: String,
}

struct World {
    objects: BTreeMap<String, BTreeMap<String, StoredObject>>,
    site: Site,
    invalidations: Vec<(String, Vec<String>, bool)>,
    script: Script,
    watcher: Option<Watcher>,
    n_calls: usize,
    auto_complete: bool,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Memory({})", self.bucket)
    }
}

impl Memory {
    /// An empty bucket behind `site`; every call works.
    pub fn new(bucket: &str, site: Site) -> Memory {
        let world = World {
            objects: BTreeMap::new(),
            site,
            invalidations: Vec::new(),
            script: Box::new(|_, _| Stroke::Work),
            watcher: None,
            n_calls: 0,
            auto_complete: true,
        };
        Memory {
            world: Arc::new(Mutex::new(world)),
            bucket: bucket.into(),
        }
    }

    /// Another bucket in the same world.
    pub fn bucket(&self, name: &str) -> Memory {
        Memory {
            world: self.world.clone(),
            bucket: name.into(),
        }
    }

    /// From now on calls are counted from 0 and go as `script` says.
    pub fn set_script(&self, script: impl FnMut(usize, &'static str) -> Stroke + Send + 'static) {
        let mut world = self.world();
        world.script = Box::new(script);
        world.n_calls = 0;
    }

    /// Shows `watcher` this bucket after each call.
    pub fn set_watcher(&self, watcher: impl FnMut(&BTreeMap<String, StoredObject>, &'static str) + Send + 'static) {
        self.world().watcher = Some(Box::new(watcher));
    }

    /// How many calls there were since the script was set.
    pub fn n_calls(&self) -> usize {
        self.world().n_calls
    }

    /// The objects of this bucket.
    pub fn objects(&self) -> BTreeMap<String, StoredObject> {
        self.world().objects.get(&self.bucket).cloned().unwrap_or_default()
    }

    /// Puts an object there as another tool would.
    pub fn plant(&self, key: &str, bytes: &'static [u8], headers: StoredHeaders) {
        let object = StoredObject {
            bytes: Bytes::from_static(bytes),
            headers,
        };
        self.world()
            .objects
            .entry(self.bucket.clone())
            .or_default()
            .insert(key.into(), object);
    }

    /// Each invalidation's caller reference and paths, in order.
    pub fn invalidated(&self) -> Vec<(String, Vec<String>)> {
        let world = self.world();
        world
            .invalidations
            .iter()
            .map(|(reference, paths, _)| (reference.clone(), paths.clone()))
            .collect()
    }

    /// Whether invalidations complete at once.
    pub fn set_auto_complete(&self, auto_complete: bool) {
        let mut world = self.world();
        world.auto_complete = auto_complete;
        if auto_complete {
            for (_, _, completed) in &mut world.invalidations {
                *completed = true;
            }
        }
    }

    /// Changes the distribution.
    pub fn set_site(&self, site: Site) {
        self.world().site = site;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(
        &self,
        action: &'static str,
        effect: impl FnOnce(&mut World, &str) -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        let world = &mut *self.world();
        let number = world.n_calls;
        world.n_calls += 1;
        let stroke = (world.script)(number, action);
        if let Stroke::Fail(fault) = stroke {
            return Err(error(fault, action, "scripted"));
        }
        let done = effect(world, &self.bucket);
        if let Some(watcher) = &mut world.watcher {
            watcher(world.objects.get(&self.bucket).unwrap_or(&BTreeMap::new()), action);
        }
        match stroke {
            Stroke::LoseAnswer => Err(error(Fault::Unavailable, action, "the answer was lost")),
            _ => done,
        }
    }
}

fn error(fault: Fault, action: &'static str, message: &str) -> TargetError {
    TargetError {
        fault,
        action,
        resource: "memory".into(),
        code: format!("{fault:?}"),
        message: message.into(),
    }
}

fn head_of(object: &StoredObject) -> Head {
    Head {
        size: object.bytes.len() as u64,
        etag: Digest::of(&object.bytes).to_string()[..32].to_owned(),
        headers: object.headers.clone(),
    }
}

#[async_trait]
impl Bucket for Memory {
    fn name(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    async fn list(&self, prefix: &str, _: &[String]) -> Result<Vec<Listed>, TargetError> {
        self.call("s3:ListBucket", |world, bucket| {
            let objects = world.objects.entry(bucket.into()).or_default();
            let listed = |(key, object): (&String, &StoredObject)| {
                let Head { size, etag, .. } = head_of(object);
                Listed {
                    key: key.clone(),
                    size,
                    etag,
                }
            };
            Ok(objects
                .iter()
                .filter(|(key, _)| key.starts_with(prefix))
                .map(listed)
                .collect())
        })
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, TargetError> {
        self.call("s3:GetObject", |world, bucket| {
            Ok(world.objects.entry(bucket.into()).or_default().get(key).map(head_of))
        })
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Head)>, TargetError> {
        self.call("s3:GetObject", |world, bucket| {
            let found = world.objects.entry(bucket.into()).or_default().get(key);
            Ok(found.map(|object| (object.bytes.clone(), head_of(object))))
        })
    }

    async fn put(&self, key: &str, body: Body, headers: &StoredHeaders, on: Condition) -> Result<String, TargetError> {
        let bytes: Bytes = match body {
            Body::Bytes(bytes) => bytes,
            Body::File { path, digest, .. } => {
                let bytes = std::fs::read(path).map_err(|_| error(Fault::Refused, "s3:PutObject", "no such file"))?;
                if Digest::of(&bytes) != digest {
                    return Err(error(Fault::Refused, "s3:PutObject", "BadDigest"));
                }
                bytes.into()
            }
        };
        self.call("s3:PutObject", |world, bucket| {
            let objects = world.objects.entry(bucket.into()).or_default();
            let current = objects.get(key).map(|object| head_of(object).etag);
            let holds = match &on {
                Condition::Any => true,
                Condition::Absent => current.is_none(),
                Condition::Matches(etag) => current.as_ref() == Some(etag),
            };
            if !holds {
                return Err(error(Fault::ConditionFailed, "s3:PutObject", "PreconditionFailed"));
            }
            let object = StoredObject {
                bytes,
                headers: headers.clone(),
            };
            let etag = head_of(&object).etag;
            objects.insert(key.into(), object);
            Ok(etag)
        })
    }

    async fn copy(&self, from: Place<'_>, to: &str, headers: &StoredHeaders) -> Result<Option<String>, TargetError> {
        self.call("s3:PutObject", |world, bucket| {
            let source = world.objects.get(from.bucket.trim_start_matches("s3://"));
            let found = source.and_then(|objects| objects.get(from.key)).cloned();
            let found = found.ok_or_else(|| error(Fault::NotFound, "s3:GetObject", "NoSuchKey"))?;
            let object = StoredObject {
                headers: headers.clone(),
                ..found
            };
            let etag = head_of(&object).etag;
            world
                .objects
                .entry(bucket.into())
                .or_default()
                .insert(to.into(), object);
            Ok(Some(etag))
        })
    }

    async fn delete(&self, keys: &[String]) -> Result<(), TargetError> {
        self.call("s3:DeleteObject", |world, bucket| {
            let objects = world.objects.entry(bucket.into()).or_default();
            keys.iter().for_each(|key| drop(objects.remove(key)));
            Ok(())
        })
    }
}

fn shown((number, (_, paths, is_completed)): (usize, &(String, Vec<String>, bool))) -> Invalidation {
    Invalidation {
        id: format!("I{number}"),
        is_completed: *is_completed,
        paths: Some(PathCount::of(paths)),
    }
}

#[async_trait]
impl Cdn for Memory {
    async fn site(&self, _: &str) -> Result<Site, TargetError> {
        self.call("cloudfront:GetDistribution", |world, _| Ok(world.site.clone()))
    }

    async fn invalidate(&self, _: &str, caller_reference: &str, paths: &[String]) -> Result<Invalidation, TargetError> {
        self.call("cloudfront:CreateInvalidation", |world, _| {
            let known = world
                .invalidations
                .iter()
                .position(|(reference, _, _)| reference == caller_reference);
            let number = match known {
                Some(number) if world.invalidations[number].1 == paths => number,
                Some(_) => {
                    return Err(error(
                        Fault::Refused,
                        "cloudfront:CreateInvalidation",
                        "another batch has it",
                    ));
                }
                None => {
                    let completed = world.auto_complete;
                    world
                        .invalidations
                        .push((caller_reference.into(), paths.to_vec(), completed));
                    world.invalidations.len() - 1
                }
            };
            Ok(shown((number, &world.invalidations[number])))
        })
    }

    async fn invalidation(&self, _: &str, id: &str) -> Result<Invalidation, TargetError> {
        self.call("cloudfront:GetInvalidation", |world, _| {
            let number = id.trim_start_matches('I').parse::<usize>().unwrap_or(usize::MAX);
            let found = world.invalidations.get(number);
            let found =
                found.ok_or_else(|| error(Fault::NotFound, "cloudfront:GetInvalidation", "NoSuchInvalidation"))?;
            Ok(shown((number, found)))
        })
    }

    async fn invalidations(&self, _: &str, _: i64, _: &BTreeSet<String>) -> Result<Vec<Invalidation>, TargetError> {
        self.call("cloudfront:ListInvalidations", |world, _| {
            Ok(world.invalidations.iter().enumerate().map(shown).rev().collect())
        })
    }

    async fn distributions(&self) -> Result<Vec<String>, TargetError> {
        self.call("cloudfront:ListDistributions", |world, _| {
            Ok(vec![world.site.distribution.clone()])
        })
    }
}
