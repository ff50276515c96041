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
use warmfront_edge::EdgeMetrics;

/// What OpenMetrics is called; Prometheus reads it by default.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Watched {
    registry: Registry,
    is_ready: Box<dyn Fn() -> bool + Send + Sync>,
}

/// Serves `/metrics`, `/healthz` and `/readyz` until `ended`.
///
/// `is_ready` says whether viewers are to be sent here: the journal is applied, every listener is up, and the server is not
/// on its way to the end.
pub async fn serve(
    listener: TcpListener,
    metrics: EdgeMetrics,
    is_ready: impl Fn() -> bool + Send + Sync + 'static,
    ended: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics));
    let watched = Arc::new(Watched {
        registry,
        is_ready: Box::new(is_ready),
    });
    let router = Router::new()
        .route("/metrics", get(show_metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(say_ready))
        .with_state(watched);
    axum::serve(listener, router).with_graceful_shutdown(ended).await
}

async fn show_metrics(State(watched): State<Arc<Watched>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &watched.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn say_ready(State(watched): State<Arc<Watched>>) -> Response {
    if (watched.is_ready)() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
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
        let ready = Arc::new(AtomicBool::new(true));
        let is_ready = {
            let ready = Arc::clone(&ready);
            move || ready.load(Ordering::Relaxed)
        };
        tokio::spawn(serve(
            listener,
            EdgeMetrics::default(),
            is_ready,
            std::future::pending(),
        ));
        let status = async |path: &str| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer[9..12].to_owned()
        };
        assert_eq!(status("/readyz").await, "200");
        ready.store(false, Ordering::Relaxed);
        assert_eq!(
            (status("/readyz").await, status("/healthz").await),
            ("503".to_owned(), "200".to_owned())
        );
    }
}
