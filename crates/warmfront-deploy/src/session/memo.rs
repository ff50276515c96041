use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{DeployError, Session};
use crate::month::Month;
use crate::site::Site;

/// What was read of a distribution is believed for so long: a release reads it more than once.
const SITE_AGE_MAX: Duration = Duration::from_secs(10);

/// What a run has seen and need not ask for again. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Memo(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    site: Option<(Instant, Arc<Site>)>,
    month: Option<Month>,
}

impl Memo {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn see_month(&self, month: Option<&Month>) {
        self.seen().month = month.cloned();
    }
}

impl Session {
    /// The distribution, as it was a few seconds ago at most.
    pub(crate) async fn look_at_site(&self) -> Result<Arc<Site>, DeployError> {
        let seen = self.memo.seen().site.clone();
        if let Some((when, site)) = seen
            && when.elapsed() < SITE_AGE_MAX
            && site.is_deployed
        {
            return Ok(site);
        }
        let site = Arc::new(self.patience.attempt(|| self.cdn.site(&self.distribution)).await?);
        self.memo.seen().site = Some((Instant::now(), site.clone()));
        Ok(site)
    }

    /// The month, if this run has looked.
    pub fn month_seen(&self) -> Option<Month> {
        self.memo.seen().month.clone()
    }
}
