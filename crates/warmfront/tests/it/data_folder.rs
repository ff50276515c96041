use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::origin::{Origin, distribution_of, get};
use crate::program::{Server, check_refused, run, stderr, stdout};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn one_process_at_a_time_uses_a_folder() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let path = data.path().to_str().unwrap();
    let refused = run(&[
        "serve",
        "--data",
        path,
        "--control",
        "0",
        "--edge",
        "0",
        "--edge-https",
        "0",
        "--bucket",
        "0",
    ]);
    check_refused(
        &refused,
        1,
        &[path, &format!("pid {}", server.pid()), "hint:", "--data"],
    );
    server.end("KILL");
    Server::start(data.path(), &[]).end("TERM");
}

#[test]
fn one_process_at_a_time_caches_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let disk = format!("{}:64MiB", path("cache"));
    let server = Server::start(&folder.path().join("first"), &["--disk", &disk]);
    let mut arguments = vec!["serve", "--disk", &disk];
    let data = path("second");
    arguments.extend(["--data", &data]);
    for flag in ["--control", "--edge", "--edge-https", "--bucket"] {
        arguments.extend([flag, "0"]);
    }
    check_refused(
        &run(&arguments),
        1,
        &["--disk", &path("cache"), "another process", "hint:"],
    );
    server.end("TERM");
}

#[test]
fn secrets_are_the_owners_alone_and_not_in_the_log() {
    let outer = tempfile::tempdir().unwrap();
    let data = outer.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(&data, &[]);
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("identity.json")), 0o600);
    assert_eq!(mode(&data.join("ca/key.pem")), 0o600);
    let identity: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data.join("identity.json")).unwrap()).unwrap();
    let (_, _, log) = server.end("TERM");
    for who in ["root", "edge"] {
        assert!(
            !log.contains(identity[who]["secret_access_key"].as_str().unwrap()),
            "{who}: {log}"
        );
    }
}

#[test]
fn state_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let serve = || Server::start(data.path(), &["--origin", &origin.url()]);

    let before = serve();
    assert_eq!(get(&before.address("edge"), "/page").body, "1");
    let (_, _, log) = before.end("KILL");
    let distribution = distribution_of(&log);
    let identity = std::fs::read(data.path().join("identity.json")).unwrap();
    let authority = std::fs::read(data.path().join("ca/cert.pem")).unwrap();

    let after = serve();
    assert_eq!(get(&after.address("edge"), "/page").body, "2");
    let path = data.path().to_str().unwrap();
    let invalidated = run(&[
        "invalidate",
        "--data",
        path,
        "--distribution",
        &distribution,
        "--wait",
        "/page",
    ]);
    assert!(
        stdout(&invalidated).ends_with(" Completed\n"),
        "{}",
        stderr(&invalidated)
    );
    let (_, _, log) = after.end("TERM");
    assert_eq!(distribution_of(&log), distribution);
    assert_eq!(std::fs::read(data.path().join("identity.json")).unwrap(), identity);
    assert_eq!(std::fs::read(data.path().join("ca/cert.pem")).unwrap(), authority);
}

#[test]
fn ephemeral_keeps_who_it_is_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    Server::start(data.path(), &["--ephemeral", "--origin", &origin.url()]).end("TERM");
    let mut kept: Vec<_> = data
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["ca", "identity.json", "lock"]);
}

#[test]
fn ephemeral_without_a_folder_leaves_nothing_behind() {
    let server = Server::start_anywhere(&["--ephemeral"]);
    let ready: serde_json::Value = serde_json::from_str(server.ready_line()).unwrap();
    let authority = Path::new(ready["ca"].as_str().unwrap()).to_owned();
    let folder = authority.parent().unwrap().parent().unwrap();
    assert!(folder.join("identity.json").exists());
    let (status, _, log) = server.end("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains(folder.to_str().unwrap()), "{log}");
    assert!(!folder.exists());
}

#[test]
fn an_account_is_chosen_once() {
    let data = tempfile::tempdir().unwrap();
    Server::start(data.path(), &["--account", "123456789012"]).end("TERM");
    let path = data.path().to_str().unwrap();
    let refused = run(&["serve", "--data", path, "--account", "210987654321"]);
    check_refused(&refused, 1, &["--account 210987654321", "123456789012", "hint:"]);
}
