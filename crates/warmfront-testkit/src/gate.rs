use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How long a test waits for something that should happen at once, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A barrier: whoever comes to it waits until the test opens it. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    n_arrived: usize,
    open: bool,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate(Arc::new(watch::Sender::new(State::default())))
    }

    /// Lets everyone through, those who come later too.
    pub fn open(&self) {
        self.0.send_modify(|state| state.open = true);
    }

    /// Comes to the gate and waits until it is open.
    pub async fn pass(&self) {
        self.0.send_modify(|state| state.n_arrived += 1);
        // The sender is this gate's own, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|state| state.open).await;
    }

    /// Returns once someone has come to the gate.
    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Returns once `n` have come to the gate, open or not.
    pub async fn reached_by(&self, n: usize) {
        let mut state = self.0.subscribe();
        let arrived = state.wait_for(|state| state.n_arrived >= n);
        let _ = within_patience("someone to come to a gate", arrived).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}

/// Waits for `future`, and fails the test if that takes longer than [`PATIENCE`].
///
/// # Panics
/// If it does; `what` says in the message what was waited for.
pub async fn within_patience<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}
