//! What a server does now and then.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use warmfront_journal::{Embedded, Journal, JournalError};
use warmfront_model::Revision;

/// How many events the journal keeps for watches that lag. Each lease is renewed by one every few seconds.
const EVENTS_KEPT: u64 = 100_000;

/// How often the rest is forgotten.
const PAUSE: Duration = Duration::from_secs(15 * 60);

/// Forgets events of the journal that nobody needs, until `end`: what the keys hold stays, and who lags further behind reads
/// that anew.
pub(super) async fn trim_journal(journal: Arc<Embedded>, end: impl Future<Output = ()>) {
    let trimming = async {
        loop {
            if let Err(error) = trim(&journal, EVENTS_KEPT).await {
                tracing::warn!(%error, "the journal's old events stay for now");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = trimming => {}
        () = end => {}
    }
}

async fn trim(journal: &Embedded, n_kept: u64) -> Result<(), JournalError> {
    let head = journal.head().await?;
    match head.0.checked_sub(n_kept) {
        Some(through) if through > 0 => journal.trim(Revision(through)).await,
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use warmfront_journal::{Expected, Write};

    use super::*;

    #[tokio::test]
    async fn only_the_newest_events_are_kept_and_every_key() {
        let journal = Embedded::in_memory().unwrap();
        let put = |key: &'static str| journal.commit(key, Write::Put("x".into()), Expected::Any);
        for key in ["first", "again", "again"] {
            put(key).await.unwrap();
        }
        trim(&journal, 3).await.unwrap();
        assert!(journal.watch(Revision(0)).await.is_ok(), "nothing is forgotten yet");
        put("again").await.unwrap();
        trim(&journal, 3).await.unwrap();
        let lagging = journal.watch(Revision(0)).await;
        assert!(matches!(lagging, Err(JournalError::Compacted { .. })));
        assert!(journal.watch(Revision(1)).await.is_ok());
        assert_eq!(journal.snapshot("first").await.unwrap().entries.len(), 1);
    }
}
