use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use warmfront_model::{DistributionId, Epoch, Incarnation, Revision};

use crate::covering::Covering;
use crate::{Index, InvalidationMode, Names};

/// A stored response's as-of: no invalidation at or below it makes the response stale.
#[derive(Debug)]
pub struct Stamp {
    incarnation: Incarnation,
    revision: AtomicU64,
    /// No invalidation up to here, and above the as-of, wants the response to be fetched anew.
    gentle_through: AtomicU64,
}

impl Stamp {
    /// A stamp of `as_of`: the epoch of the snapshot that the fetch was planned with.
    pub fn new(as_of: Epoch) -> Stamp {
        Stamp {
            incarnation: as_of.incarnation,
            revision: AtomicU64::new(as_of.revision.0),
            gentle_through: AtomicU64::new(0),
        }
    }

    /// The as-of now; it may only have risen since it was last read.
    pub fn as_of(&self) -> Epoch {
        Epoch {
            incarnation: self.incarnation,
            revision: Revision(self.revision.load(Ordering::Acquire)),
        }
    }

    /// The invalidations up to here have been dealt with for the response: it is not covered by them, or [`Covered::settle`]
    /// was called.
    pub fn settled(&self) -> Revision {
        let gentle_through = Revision(self.gentle_through.load(Ordering::Acquire));
        self.as_of().revision.max(gentle_through)
    }

    fn raise(&self, to: Revision) {
        self.revision.fetch_max(to.0, Ordering::AcqRel);
    }
}

/// Something stored that an invalidation can cover.
pub trait Stamped {
    /// Its as-of.
    fn stamp(&self) -> &Stamp;

    /// The values of its header field `name`, given in lower case. `None`: they are not known here.
    fn field_values<'a>(&'a self, name: &str) -> Option<impl Iterator<Item = &'a [u8]>>;
}

/// A stored response that an [`Index`] has found to be covered. It must not be used as it is.
#[derive(Debug)]
pub struct Covered<T> {
    response: Arc<T>,
    mode: InvalidationMode,
    through: Revision,
}

impl<T> Covered<T> {
    /// The response.
    pub fn response(&self) -> &Arc<T> {
        &self.response
    }

    /// What every invalidation that covers it allows: it may be asked for with its validators only if all do.
    pub fn mode(&self) -> InvalidationMode {
        self.mode
    }
}

impl<T: Stamped> Covered<T> {
    /// The response stays where it is, for its origin to confirm it: so it will still be covered, and as gently, when the
    /// index that found this has forgotten why. For a sweep; without effect on what is to be fetched anew.
    pub fn settle(&self) {
        if self.mode == InvalidationMode::Revalidate {
            let gentle_through = &self.response.stamp().gentle_through;
            gentle_through.fetch_max(self.through.0, Ordering::AcqRel);
        }
    }
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
    /// An as-of not below the newest of all entries answers with one comparison, whatever else the journal has had since.
    /// Otherwise the index is asked, with the URLs and the tag header that `names` gives, and passing raises the as-of of
    /// this very response to [`Index::applied`].
    ///
    /// # Errors
    /// The response itself, if it is covered.
    pub fn check<'n, T: Stamped>(
        &self,
        distribution: &DistributionId,
        response: Arc<T>,
        names: impl FnOnce() -> Names<'n>,
    ) -> Result<Proven<T>, Covered<T>> {
        match self.judge(distribution, &*response, names) {
            Ok(()) => Ok(Proven(response)),
            Err(mode) => Err(Covered {
                response,
                mode,
                through: self.applied().revision,
            }),
        }
    }

    /// Whether a fetch stamped `stamp`, whose answer is not here yet, is new enough for whoever knows this index: nothing
    /// covers its URL. What its tags will be is not known; where none of them can be covered, passing raises the stamp.
    pub fn check_unanswered<'n>(
        &self,
        distribution: &DistributionId,
        stamp: &Stamp,
        names: impl FnOnce() -> Names<'n>,
    ) -> bool {
        let as_of = stamp.as_of();
        if as_of.incarnation != self.applied().incarnation {
            return false;
        }
        if as_of.revision >= self.newest() {
            return true;
        }
        let (names, known) = (names(), self.of(distribution));
        if known.by_url(&names, as_of.revision).newest.max(self.floor()) > as_of.revision {
            return false;
        }
        if names.tag_header.is_none() || known.newest_tag() <= as_of.revision {
            stamp.raise(self.applied().revision);
        }
        stamp.as_of().revision >= self.demanded()
    }

    fn judge<'n, T: Stamped>(
        &self,
        distribution: &DistributionId,
        response: &T,
        names: impl FnOnce() -> Names<'n>,
    ) -> Result<(), InvalidationMode> {
        let stamp = response.stamp();
        let as_of = stamp.as_of();
        if as_of.incarnation != self.applied().incarnation {
            return Err(InvalidationMode::Refetch);
        }
        if as_of.revision >= self.newest() {
            return Ok(());
        }
        let known = self.of(distribution);
        let covering = if known.newest() > as_of.revision {
            known.covering(&names(), response, as_of.revision)
        } else {
            Covering::NEVER
        };
        if covering.newest.max(self.floor()) <= as_of.revision {
            stamp.raise(self.applied().revision);
            let is_new_enough = stamp.as_of().revision >= self.demanded();
            return is_new_enough.then_some(()).ok_or(InvalidationMode::Refetch);
        }
        let forgotten = self.floor() > as_of.revision && self.floor().0 > stamp.gentle_through.load(Ordering::Acquire);
        if forgotten || covering.refetch > as_of.revision {
            return Err(InvalidationMode::Refetch);
        }
        Err(InvalidationMode::Revalidate)
    }
}
