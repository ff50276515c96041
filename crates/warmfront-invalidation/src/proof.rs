use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use warmfront_model::{CacheTag, Epoch, Incarnation, Revision};

use crate::{Index, Names, Subject};

/// A stored response's as-of: no invalidation at or below it makes the response stale.
#[derive(Debug)]
pub struct Stamp {
    incarnation: Incarnation,
    revision: AtomicU64,
}

impl Stamp {
    /// A stamp of `as_of`: the epoch of the snapshot that the fetch was planned with.
    pub fn new(as_of: Epoch) -> Stamp {
        Stamp {
            incarnation: as_of.incarnation,
            revision: AtomicU64::new(as_of.revision.0),
        }
    }

    /// The as-of now; it may only have risen since it was last read.
    pub fn as_of(&self) -> Epoch {
        Epoch {
            incarnation: self.incarnation,
            revision: Revision(self.revision.load(Ordering::Acquire)),
        }
    }

    fn raise(&self, to: Revision) {
        self.revision.fetch_max(to.0, Ordering::AcqRel);
    }
}

/// Something stored that an invalidation can cover.
pub trait Stamped {
    /// Its as-of.
    fn stamp(&self) -> &Stamp;

    /// Its cache tags.
    fn tags(&self) -> &[CacheTag];
}

/// A stored response that an [`Index`] has found not to be covered. Only [`Index::check`] makes one.
#[derive(Debug)]
pub struct Proven<T>(Arc<T>);

impl<T> Proven<T> {
    /// The response, no longer proven.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }

    /// The response, shared.
    pub fn shared(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T> Clone for Proven<T> {
    fn clone(&self) -> Self {
        Proven(Arc::clone(&self.0))
    }
}

impl<T> Deref for Proven<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl Index {
    /// Whether `response` may be used: nothing that this index knows covers it.
    ///
    /// An as-of not below [`Index::applied`] answers with one comparison. Otherwise the index is asked, with the URLs that
    /// `names` gives, and passing raises the as-of of this very response
    /// to [`Index::applied`].
    ///
    /// # Errors
    /// The response itself, if it is covered.
    pub fn check<T: Stamped>(
        &self,
        distribution: &warmfront_model::DistributionId,
        response: Arc<T>,
        names: impl FnOnce() -> Names,
    ) -> Result<Proven<T>, Arc<T>> {
        let stamp = response.stamp();
        let as_of = stamp.as_of();
        if as_of.satisfies(self.applied()) {
            return Ok(Proven(response));
        }
        if as_of.incarnation != self.applied().incarnation {
            return Err(response);
        }
        let names = names();
        let required = self.required(
            distribution,
            Subject {
                names: &names,
                tags: response.tags(),
            },
        );
        if required > as_of.revision {
            return Err(response);
        }
        stamp.raise(self.applied().revision);
        Ok(Proven(response))
    }
}
