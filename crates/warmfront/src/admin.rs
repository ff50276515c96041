//! The listener for those who operate a server: its metrics, and whether it is up.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::server::Running;

/// What OpenMetrics is called; Prometheus reads it by default.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Watched {
    nodes: Running,
    is_draining: Box<dyn Fn() -> bool + Send + Sync>,
}

/// Serves `/metrics`, `/healthz` and `/readyz` until `ended`.
///
/// Viewers are to be sent here as long as the server is not on its way to the end, as `is_draining` says, and every node
/// that runs may answer from its cache.
pub async fn serve(
    listener: TcpListener,
    nodes: Running,
    is_draining: impl Fn() -> bool + Send + Sync + 'static,
    ended: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let watched = Arc::new(Watched {
        nodes,
        is_draining: Box::new(is_draining),
    });
    let router = Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(say_ready))
        .with_state(watched);
    axum::serve(listener, router).with_graceful_shutdown(ended).await
}

async fn show_metrics(State(watched): State<Arc<Watched>>) -> Response {
    // Nodes come and go.
    let mut registry = Registry::default();
    registry.register_collector(Box::new(watched.nodes.metrics()));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn say_ready(State(watched): State<Arc<Watched>>) -> Response {
    match readiness((watched.is_draining)(), &watched.nodes.fenced()) {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}

fn readiness(is_draining: bool, fenced: &[String]) -> Result<(), String> {
    match fenced {
        _ if is_draining => Err("draining".to_owned()),
        [] => Ok(()),
        fenced => Err(format!("without a lease: {}", fenced.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_server_on_its_way_to_the_end_is_alive_and_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let draining = Arc::new(AtomicBool::new(false));
        let is_draining = {
            let draining = Arc::clone(&draining);
            move || draining.load(Ordering::Relaxed)
        };
        tokio::spawn(serve(listener, Running::default(), is_draining, std::future::pending()));
        let status = async |path: &str| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer[9..12].to_owned()
        };
        assert_eq!(status("/readyz").await, "200");
        draining.store(true, Ordering::Relaxed);
        assert_eq!(
            (status("/readyz").await, status("/healthz").await),
            ("503".to_owned(), "200".to_owned())
        );
    }

    #[test]
    fn a_server_with_a_fenced_node_is_not_ready_and_says_which_it_is() {
        assert_eq!(readiness(false, &[]), Ok(()));
        let fenced = ["IAD89-P3".to_owned(), "IAD12-P1".to_owned()];
        assert_eq!(
            readiness(false, &fenced),
            Err("without a lease: IAD89-P3, IAD12-P1".to_owned())
        );
        assert_eq!(readiness(true, &fenced), Err("draining".to_owned()));
    }
}
