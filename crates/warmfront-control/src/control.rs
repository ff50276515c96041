use std::future::Future;
use std::sync::Arc;

use axum::Router;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, RwLock};
use tokio::task::JoinSet;
use warmfront_journal::Journal;

use crate::follower::FollowError;
use crate::nodes::Nodes;
use crate::state::State;
use crate::views::Views;
use crate::{ControlOptions, audit, completion, follower, members, router, server};

/// The journal holds something that cannot be read.
#[derive(Debug, Error)]
#[error("the journal cannot be read: {0}")]
pub struct StartError(#[source] FollowError);

/// A running control plane. Its tasks end when it is dropped.
pub struct Control {
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

impl Control {
    /// Reads the journal and begins to follow it.
    ///
    /// `nodes` is where nodes report how far they have applied the journal; an invalidation is Completed, and a
    /// distribution Deployed, when all that count have. Its tasks run on the runtime this is called on.
    ///
    /// # Errors
    /// [`StartError`] if the journal cannot be read.
    pub async fn new(journal: Arc<dyn Journal>, options: ControlOptions, nodes: Nodes) -> Result<Control, StartError> {
        let view = follower::load(&*journal).await.map_err(StartError)?;
        let views = Arc::new(Views::new(view));
        let state = Arc::new(State {
            journal: Arc::clone(&journal),
            options,
            nodes,
            views: Arc::clone(&views),
            turn: RwLock::new(()),
            dry_run: Mutex::new(()),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(follower::follow(journal, views));
        tasks.spawn(completion::complete(Arc::clone(&state)));
        tasks.spawn(members::drop_silent(Arc::clone(&state)));
        tasks.spawn(audit::follow_invalidations(Arc::clone(&state)));
        Ok(Control { state, _tasks: tasks })
    }

    /// CloudFront's API, and Warmfront's own under `/warmfront/`.
    pub fn router(&self) -> Router {
        router::router(Arc::clone(&self.state))
    }

    /// Serves [`Control::router`] over HTTP/1.1 until `shutdown`, then lets running requests end, for
    /// [`DRAIN_SECS_MAX`](crate::DRAIN_SECS_MAX) at most. Beyond [`CONNECTIONS_MAX`](crate::CONNECTIONS_MAX) connections
    /// new ones wait.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        server::serve(self.router(), listener, shutdown).await;
    }
}
