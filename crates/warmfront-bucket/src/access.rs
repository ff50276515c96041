//! Who asks, and whether they may: every request is judged by the bucket's policy and its public access block.

mod action;
mod caller;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};
use warmfront_policy::{Request, evaluate, is_public};

pub(crate) use caller::{Caller, Circumstances, Identity};

use crate::bucket::{BucketOptions, Shared};
use crate::errors;
use action::{Required, Target, required};

/// The other end of the connection a request came on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub SocketAddr);

/// The two keys there are.
pub(crate) struct Keys {
    root: (String, SecretKey),
    edge: (String, SecretKey),
}

impl Keys {
    pub(crate) fn new(options: &BucketOptions) -> Keys {
        let of = |key: &warmfront_signing::Credentials| {
            (
                key.access_key_id.clone(),
                SecretKey::from(key.secret_access_key.expose()),
            )
        };
        Keys {
            root: of(&options.root),
            edge: of(&options.edge),
        }
    }
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let known = [&self.root, &self.edge].into_iter().find(|(id, _)| id == access_key);
        known.map(|(_, secret)| secret.clone()).ok_or_else(|| {
            s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            )
        })
    }
}

/// Judges requests. Clones judge alike.
#[derive(Clone)]
pub(crate) struct Access {
    shared: Arc<Shared>,
}

impl Access {
    pub(crate) fn new(shared: Arc<Shared>) -> Access {
        Access { shared }
    }

    /// Whether `caller` may do `action` to the bucket, or to `key` in it.
    pub(crate) fn allows(&self, caller: &Caller, action: &str, bucket: &str, key: Option<&str>) -> bool {
        let state = self.shared.store.buckets.get(bucket);
        let policy = state.as_ref().and_then(|state| state.policy.as_ref());
        let is_restricted = state
            .as_ref()
            .and_then(|state| state.record.public_access_block)
            .is_some_and(|block| block.restrict_public_buckets);
        // RestrictPublicBuckets: a public policy then lets in only AWS services and users of the account.
        if is_restricted && caller.identity == Identity::Anonymous && policy.is_some_and(is_public) {
            return false;
        }
        let resource = match key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        };
        let root_arn = caller.root_arn();
        let request = Request {
            principal: caller.principal(&root_arn),
            action,
            resource: &resource,
            context: &caller.context,
        };
        evaluate(&[], policy, &request, caller.account.as_str()).is_allowed()
    }

    /// [`Access::allows`], or S3's 403.
    pub(crate) fn require(&self, caller: &Caller, action: &str, bucket: &str, key: Option<&str>) -> S3Result<()> {
        if self.allows(caller, action, bucket, key) {
            Ok(())
        } else {
            Err(errors::access_denied())
        }
    }

    fn judge(&self, caller: &Caller, operation: &str, path: &S3Path, has_version_id: bool) -> S3Result<()> {
        if operation == "PostObject" {
            return Err(errors::not_implemented(operation));
        }
        let Some(Required { action, target }) = required(operation, has_version_id) else {
            return only_root(caller);
        };
        match (target, path) {
            (Target::Account, _) => only_root(caller),
            (Target::NewBucket, _) => only_root(caller),
            (Target::Bucket, S3Path::Bucket { bucket }) => {
                self.require_bucket(bucket)?;
                self.require(caller, action, bucket, None)
            }
            (Target::Object, S3Path::Object { bucket, key }) => {
                self.require_bucket(bucket)?;
                self.require(caller, action, bucket, Some(key))
            }
            // Each key is judged when the body has been read.
            (Target::KeysInBody, S3Path::Bucket { bucket }) => self.require_bucket(bucket),
            _ => only_root(caller),
        }
    }

    fn require_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.shared.store.buckets.get(bucket).is_some() {
            Ok(())
        } else {
            Err(errors::no_such_bucket())
        }
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let peer = cx.extensions_mut().get::<Peer>().map(|peer| peer.0);
        let circumstances = Circumstances {
            access_key_id: cx.credentials().map(|credentials| credentials.access_key.as_str()),
            headers: cx.headers(),
            query: cx.uri().query().unwrap_or_default(),
            peer,
            now: self.shared.options.clock.now(),
        };
        let caller = Caller::identify(&circumstances, &self.shared.options)?;
        caller.require_owner(cx.headers())?;
        let has_version_id = circumstances.has_query("versionId");
        self.judge(&caller, cx.s3_op().name(), cx.s3_path(), has_version_id)?;
        cx.extensions_mut().insert(caller);
        Ok(())
    }
}

fn only_root(caller: &Caller) -> S3Result<()> {
    if caller.identity == Identity::Root {
        Ok(())
    } else {
        Err(errors::access_denied())
    }
}
