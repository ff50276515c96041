use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::origin::{Origin, distribution_of, get};
use crate::program::{Server, check_refused, run, stderr, stdout, warmfront};

/// What a POSIX shell has in these variables after `eval "$(warmfront env)"`, beginning with ones that would mislead.
fn evaluate(data: &Path) -> Vec<String> {
    const SCRIPT: &str = r#"
        export AWS_SESSION_TOKEN=old AWS_PROFILE=other AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
        eval "$("$0" env --data "$1" 2>/dev/null)"
        for name in AWS_ENDPOINT_URL_CLOUDFRONT AWS_ENDPOINT_URL_S3 AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION \
            AWS_DEFAULT_REGION AWS_SESSION_TOKEN AWS_PROFILE AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
        do eval "printf '%s\n' \"\${$name-unset}\""; done"#;
    let shell = std::process::Command::new("sh")
        .args(["-euc", SCRIPT, env!("CARGO_BIN_EXE_warmfront")])
        .arg(data)
        .env_remove("WARMFRONT_DATA")
        .output()
        .unwrap();
    assert!(shell.status.success(), "{}", stderr(&shell));
    stdout(&shell).lines().map(str::to_owned).collect()
}

#[test]
fn env_is_what_a_shell_needs() {
    let outer = tempfile::tempdir().unwrap();
    let data = outer.path().join("it's here");
    let server = Server::start(&data, &[]);
    let identity: Value = serde_json::from_slice(&std::fs::read(data.join("identity.json")).unwrap()).unwrap();
    let expected = [
        &format!("http://{}", server.address("control")),
        &format!("http://{}", server.address("bucket")),
        identity["root"]["access_key_id"].as_str().unwrap(),
        identity["root"]["secret_access_key"].as_str().unwrap(),
        "us-east-1",
        "us-east-1",
        "unset",
        "unset",
        "unset",
    ];
    assert_eq!(evaluate(&data), expected);

    for signal in ["TERM", "KILL"] {
        let server = Server::start(&outer.path().join(signal), &[]);
        server.end(signal);
        let output = run(&["env", "--data", outer.path().join(signal).to_str().unwrap()]);
        assert!(stderr(&output).contains("no server is running"), "{}", stderr(&output));
        assert!(stdout(&output).contains("AWS_ENDPOINT_URL_CLOUDFRONT='http://127.0.0.1:4500'"));
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn env_warns_of_old_clients_and_of_a_folder_without_a_server() {
    let outer = tempfile::tempdir().unwrap();
    let empty = outer.path().join("none");
    let refused = run(&["env", "--data", empty.to_str().unwrap()]);
    check_refused(&refused, 1, &[empty.to_str().unwrap(), "hint:", "warmfront serve"]);
    let data = outer.path().join("data");
    let _server = Server::start(&data, &[]);
    let warned = stderr(&run(&["env", "--data", data.to_str().unwrap()]));
    for word in ["1.29", "2.13", "1.28", "--endpoint-url"] {
        assert!(warned.contains(word), "{warned}");
    }
}

fn invalidate(data: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["invalidate", "--data", data.to_str().unwrap()];
    arguments.extend_from_slice(more);
    run(&arguments)
}

#[test]
fn a_completed_invalidation_changes_what_viewers_get() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let server = Server::start(data.path(), &["--origin", &origin.url()]);
    let edge = server.address("edge");
    let first = get(&edge, "/page?a");
    assert!(first.is_miss() && first.body == "1", "{first:?}");
    let again = get(&edge, "/page?a");
    assert!(again.is_hit() && again.body == "1", "{again:?}");
    assert_eq!(get(&edge, "/page?b").body, "2", "the query string is part of the key");

    let unknown = ["--distribution", "E000000000000X", "/page"];
    check_refused(&invalidate(data.path(), &unknown), 1, &["E000000000000X", "hint:"]);

    let (_, _, log) = server.end("TERM");
    let distribution = distribution_of(&log);
    let server = Server::start(data.path(), &["--origin", &origin.url()]);
    let edge = server.address("edge");
    let before = origin.n_requests();
    get(&edge, "/page");
    assert!(get(&edge, "/page").is_hit());
    let done = invalidate(
        data.path(),
        &["--distribution", &distribution, "--wait", "--json", "/page*"],
    );
    let printed: Value = serde_json::from_str(&stdout(&done)).unwrap();
    assert_eq!(
        (&printed["Status"], &printed["Distribution"]),
        (&"Completed".into(), &distribution.as_str().into())
    );
    let fresh = get(&edge, "/page");
    assert!(fresh.is_miss() && fresh.body == (before + 2).to_string(), "{fresh:?}");
}

#[test]
fn the_same_caller_reference_invalidates_once() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let (_, _, log) = Server::start(data.path(), &["--origin", &origin.url()]).end("TERM");
    let distribution = distribution_of(&log);
    let _server = Server::start(data.path(), &[]);
    let ask = || {
        let more = [
            "--distribution",
            &distribution,
            "--caller-reference",
            "release-7",
            "/a",
            "#tag",
        ];
        let output = invalidate(data.path(), &more);
        stdout(&output).split(' ').next().unwrap().to_owned()
    };
    let first = ask();
    assert!(first.starts_with('I'), "{first}");
    assert_eq!(ask(), first);
}

#[test]
fn waiting_has_an_end() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let delayed = ["--origin", &origin.url(), "--propagation-delay", "1h"];
    let (_, _, log) = Server::start(data.path(), &delayed).end("TERM");
    let _server = Server::start(data.path(), &delayed);
    let wait = [
        "--distribution",
        &distribution_of(&log),
        "--wait",
        "--timeout",
        "100ms",
        "/a",
    ];
    check_refused(&invalidate(data.path(), &wait), 1, &["--timeout", "InProgress"]);
}

#[test]
fn a_manual_clock_turns_and_the_systems_does_not() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().to_str().unwrap();
    let origin = Origin::start();
    let server = Server::start(data.path(), &["--clock", "manual", "--origin", &origin.url()]);
    let edge = server.address("edge");
    assert_eq!(get(&edge, "/page").body, "1");
    let advance = |by: &str| {
        let output = run(&["clock", "advance", by, "--data", path]);
        assert!(output.status.success(), "{}", stderr(&output));
    };
    advance("59m59s");
    assert!(get(&edge, "/page").is_hit());
    advance("2s");
    assert_eq!(get(&edge, "/page").body, "2");
    server.end("TERM");

    let _server = Server::start(data.path(), &[]);
    check_refused(
        &run(&["clock", "advance", "60s", "--data", path]),
        1,
        &["--clock manual"],
    );
}

#[test]
fn a_server_that_was_killed_is_said_to_be_gone() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let control = server.address("control");
    server.end("KILL");
    let output = invalidate(data.path(), &["--distribution", "E1U5RQF7T870K0", "/a"]);
    check_refused(&output, 1, &[&control, "nobody answers", "hint:", "warmfront serve"]);
}

#[test]
fn commands_find_the_server_through_the_environment() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--clock", "manual"]);
    let values = evaluate(data.path());
    let mut command = warmfront(&["clock", "advance", "1s"]);
    command.env("AWS_ENDPOINT_URL_CLOUDFRONT", &values[0]);
    command.env("AWS_ACCESS_KEY_ID", &values[2]);
    let refused = command.output().unwrap();
    check_refused(&refused, 1, &["AWS_SECRET_ACCESS_KEY", "hint:"]);
    command.env("AWS_SECRET_ACCESS_KEY", &values[3]);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    command.env("AWS_SECRET_ACCESS_KEY", "wrong");
    check_refused(&command.output().unwrap(), 1, &["SignatureDoesNotMatch"]);
    drop(server);
}
