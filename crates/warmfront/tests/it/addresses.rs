use std::net::TcpListener;

use serde_json::Value;

use crate::origin::{Origin, get};
use crate::program::{Server, check_refused, run};

#[test]
fn the_ready_line_is_one_json_object_and_nothing_follows_it() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let ready: Value = serde_json::from_str(server.ready_line()).unwrap();
    let keys: Vec<&String> = ready.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6, "{ready}");
    assert_eq!(ready["pops"][0]["edge"], ready["edge"]);
    for (key, scheme) in [
        ("control", "http"),
        ("edge", "http"),
        ("edge_https", "https"),
        ("bucket", "http"),
    ] {
        let port = ready[key]
            .as_str()
            .unwrap()
            .strip_prefix(&format!("{scheme}://127.0.0.1:"))
            .unwrap()
            .to_owned();
        assert_ne!(port.parse::<u16>().unwrap(), 0);
    }
    let authority = std::fs::read_to_string(ready["ca"].as_str().unwrap()).unwrap();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));

    let (status, rest, log) = server.end("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(rest, "");
}

#[test]
fn an_interrupt_is_a_proper_end_too() {
    let data = tempfile::tempdir().unwrap();
    let (status, ..) = Server::start(data.path(), &[]).end("INT");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_port_in_use_names_the_flag_the_address_and_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let flags = ["--control", "--edge", "--edge-https", "--bucket"];
    for flag in flags {
        let data = tempfile::tempdir().unwrap();
        let mut arguments = vec!["serve", "--data", data.path().to_str().unwrap()];
        for other in flags {
            arguments.extend([other, if other == flag { &address } else { "0" }]);
        }
        let refused = run(&arguments);
        check_refused(&refused, 1, &[&format!("{flag} {address}"), "hint:", "port 0"]);
    }
}

#[test]
fn a_running_server_keeps_a_second_one_off_its_ports() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &[]);
    for (flag, listener) in [("--edge", "edge"), ("--edge-https", "edge_https")] {
        let address = server.address(listener);
        let mut arguments = vec![
            "serve",
            "--data",
            other.path().to_str().unwrap(),
            "--control",
            "0",
            "--bucket",
            "0",
        ];
        arguments.extend([
            if flag == "--edge" { "--edge-https" } else { "--edge" },
            "0",
            flag,
            &address,
        ]);
        check_refused(&run(&arguments), 1, &[flag, &address]);
    }
}

#[test]
fn plain_http_beyond_this_machine_must_be_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let refused = run(&[
        "serve",
        "--data",
        data.path().to_str().unwrap(),
        "--bucket",
        "0.0.0.0:0",
    ]);
    check_refused(&refused, 2, &["--bucket 0.0.0.0:0", "--allow-plain-http"]);
}

#[test]
fn a_server_for_others_reaches_into_this_machine_only_when_told() {
    let origin = Origin::start();
    let data = tempfile::tempdir().unwrap();
    let url = origin.url();
    let mut arguments = vec![
        "serve",
        "--data",
        data.path().to_str().unwrap(),
        "--control",
        "0",
        "--bucket",
        "0",
    ];
    arguments.extend(["--edge", "0", "--edge-https", "0.0.0.0:0", "--origin", &url]);
    check_refused(
        &run(&arguments),
        1,
        &["--origin http://127.0.0.1:", "loopback", "hint:", "--origin-allow"],
    );

    let open = [
        "--edge-https",
        "0.0.0.0:0",
        "--origin",
        &url,
        "--origin-allow",
        "localhost",
    ];
    let server = Server::start(data.path(), &open);
    assert_eq!(get(&server.address("edge"), "/").body, "1");
}
