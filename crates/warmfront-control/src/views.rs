use std::pin::pin;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use warmfront_facts::View;
use warmfront_model::Revision;

/// The newest view, and those who wait for a newer one.
///
/// They wake in the order in which they came: with tokio's watch, which wakes them by chance, no simulation could be
/// repeated.
pub(crate) struct Views {
    newest: Mutex<Arc<View>>,
    moved: Notify,
}

impl Views {
    pub(crate) fn new(view: View) -> Views {
        Views {
            newest: Mutex::new(Arc::new(view)),
            moved: Notify::new(),
        }
    }

    /// The newest view.
    pub(crate) fn newest(&self) -> Arc<View> {
        Arc::clone(&self.newest.lock())
    }

    /// Puts `view` in the place of the newest.
    pub(crate) fn publish(&self, view: View) {
        *self.newest.lock() = Arc::new(view);
        self.moved.notify_waiters();
    }

    /// Waits for a view at `revision` or later.
    pub(crate) async fn at(&self, revision: Revision) -> Arc<View> {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            let newest = self.newest();
            if newest.revision() >= revision {
                return newest;
            }
            moved.await;
        }
    }

    /// Waits for a view that is newer than `view`.
    pub(crate) async fn after(&self, view: &View) -> Arc<View> {
        self.at(Revision(view.revision().0 + 1)).await
    }
}

#[cfg(test)]
mod tests {
    use warmfront_facts::Fact;

    use super::*;

    fn view(revision: u64) -> View {
        let mut view = View::default();
        view.apply(Revision(revision), Fact::Other);
        view
    }

    #[tokio::test]
    async fn who_waits_gets_the_view_that_comes_and_what_is_there_comes_at_once() {
        let views = Arc::new(Views::new(view(3)));
        assert_eq!(views.at(Revision(2)).await.revision(), Revision(3));
        let waiting = tokio::spawn({
            let views = Arc::clone(&views);
            async move { views.after(&views.newest()).await.revision() }
        });
        tokio::task::yield_now().await;
        views.publish(view(5));
        assert_eq!(waiting.await.unwrap(), Revision(5));
        assert_eq!(views.newest().revision(), Revision(5));
    }
}
