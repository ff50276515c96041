use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A connection that may be cut for a while.
#[derive(Debug, Default)]
pub struct Cut {
    is_cut: AtomicBool,
    whole_again: Notify,
}

impl Cut {
    pub fn set(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
        self.whole_again.notify_waiters();
    }

    /// Returns at once, or when what was cut is whole again.
    pub async fn wait_until_whole(&self) {
        while self.is_cut.load(Ordering::Relaxed) {
            self.whole_again.notified().await;
        }
    }
}
