use serde_json::Value;

use crate::origin::{Origin, get};
use crate::program::{Server, check_refused, run};

#[test]
fn metrics_and_health_are_shown_where_asked() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let url = origin.url();
    let server = Server::start(data.path(), &["--admin", "0", "--origin", &url, "--log-format", "json"]);
    let (admin, edge) = (server.address("admin"), server.address("edge"));
    assert_eq!(get(&admin, "/healthz").body, "ok\n");
    assert!(get(&admin, "/readyz").head.starts_with("http/1.1 200 "));
    assert!(get(&admin, "/else").head.starts_with("http/1.1 404 "));
    get(&edge, "/");
    let metrics = get(&admin, "/metrics");
    assert!(
        metrics.head.contains("application/openmetrics-text; version=1.0.0"),
        "{}",
        metrics.head
    );
    let counted = "warmfront_requests_total{pop=\"LOC50-P1\",reason=\"fetched\"";
    assert!(metrics.body.contains(counted), "{}", metrics.body);
    assert!(metrics.body.ends_with("# EOF\n"), "{}", metrics.body);

    let (status, _, log) = server.end("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    let stopping = log
        .lines()
        .find(|line| line.contains("\"message\":\"stopping"))
        .unwrap();
    let stopping: Value = serde_json::from_str(stopping).unwrap();
    assert_eq!(stopping["level"], "INFO");
}

#[test]
fn metrics_beyond_this_machine_need_a_word_of_consent() {
    let data = tempfile::tempdir().unwrap();
    let refused = run(&["serve", "--data", data.path().to_str().unwrap(), "--admin", "0.0.0.0:0"]);
    check_refused(&refused, 2, &["--admin 0.0.0.0:0", "--allow-plain-http"]);
}

#[test]
fn a_token_that_could_be_guessed_is_refused() {
    let refused = run(&["serve", "--explain-token", "secret"]);
    check_refused(&refused, 2, &["--explain-token", "16 characters"]);
}
