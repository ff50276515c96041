use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use warmfront_facts::{RecordError, View, decode};
use warmfront_journal::{Journal, JournalError};

use crate::views::Views;

/// How long to wait before the journal is read anew after it could not be.
const RETRY_SECS: Duration = Duration::from_secs(1);

/// Why the view cannot be brought forward.
#[derive(Debug, Error)]
pub(crate) enum FollowError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{key}: {source}")]
    Record { key: String, source: RecordError },
}

/// Everything the journal holds now.
pub(crate) async fn load(journal: &dyn Journal) -> Result<View, FollowError> {
    let snapshot = journal.snapshot("").await?;
    View::load(&snapshot).map_err(|(key, source)| FollowError::Record { key, source })
}

/// Brings the view forward with each commit. When the journal goes away, reads it anew as soon as it is back.
///
/// A record that cannot be read stops the view where it is: nothing is answered from a view that misses something.
pub(crate) async fn follow(journal: Arc<dyn Journal>, views: Arc<Views>) {
    loop {
        match follow_watch(&*journal, &views).await {
            Ok(()) | Err(FollowError::Journal(JournalError::Closed)) => tracing::debug!("the journal is closed"),
            Err(error) => tracing::error!(%error, "the journal cannot be followed; trying again"),
        }
        tokio::time::sleep(RETRY_SECS).await;
        match load(&*journal).await {
            Ok(view) => {
                views.publish(view);
            }
            Err(FollowError::Journal(JournalError::Closed)) => {}
            Err(error) => tracing::error!(%error, "the journal cannot be read; trying again"),
        }
    }
}

async fn follow_watch(journal: &dyn Journal, views: &Views) -> Result<(), FollowError> {
    let mut view = View::clone(&views.newest());
    let mut watch = journal.watch(view.revision()).await?;
    while let Some(event) = watch.next().await? {
        let fact = decode(&event).map_err(|source| FollowError::Record {
            key: event.key.clone(),
            source,
        })?;
        view.apply(event.revision, fact);
        views.publish(view.clone());
    }
    Ok(())
}
