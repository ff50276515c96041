//! How much invalidations cover, as `warmfront invalidate` tells.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::origin::{Origin, distribution_of, get, get_with};
use crate::program::{Server, check_refused, run, stderr, stdout};

fn invalidate(data: &Path, distribution: &str, more: &[&str]) -> Output {
    let mut arguments = vec![
        "invalidate",
        "--data",
        data.to_str().unwrap(),
        "--distribution",
        distribution,
    ];
    arguments.extend_from_slice(more);
    run(&arguments)
}

fn in_json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_str(&stdout(output)).unwrap()
}

/// A server with these flags in front of an origin, and its distribution.
fn start(data: &Path, origin: &Origin, flags: &[&str]) -> (Server, String) {
    let (_, _, log) = Server::start(data, &["--origin", &origin.url()]).end("TERM");
    (Server::start(data, flags), distribution_of(&log))
}

#[test]
fn waiting_tells_how_much_was_covered_and_warns_where_nothing_was() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let (server, distribution) = start(data.path(), &origin, &[]);
    let edge = server.address("edge");
    for path in ["/a", "/b", "/Case"] {
        get(&edge, path);
    }
    let some = invalidate(data.path(), &distribution, &["--wait", "--json", "/a", "/b"]);
    let printed = in_json(&some);
    // Bodies are the origin's numbers, of one digit.
    assert_eq!((&printed["Responses"], &printed["Bytes"]), (&json!(2), &json!(2)));
    assert_eq!(printed["Nodes"].as_object().unwrap().len(), 1, "{printed}");
    assert!(!stderr(&some).contains("warning"), "{}", stderr(&some));

    let quick = invalidate(data.path(), &distribution, &["--wait", "--no-count", "--json", "/*"]);
    let printed = in_json(&quick);
    assert_eq!(printed["Status"], "Completed");
    assert!(
        printed.get("Responses").is_none() && stderr(&quick).is_empty(),
        "{printed}"
    );

    let none = invalidate(data.path(), &distribution, &["--wait", "/case"]);
    assert!(stdout(&none).ends_with(" Completed\n"), "{}", stdout(&none));
    for word in ["covered 0 responses", "warning: nothing", "'/page*'", "--distribution"] {
        assert!(stderr(&none).contains(word), "{word}: {}", stderr(&none));
    }
}

#[test]
fn a_dry_run_counts_and_clears_nothing() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let (server, distribution) = start(data.path(), &origin, &[]);
    let edge = server.address("edge");
    for path in ["/a", "/b", "/c"] {
        get(&edge, path);
    }
    let counted = invalidate(data.path(), &distribution, &["--dry-run", "--json", "/a*", "/b"]);
    let printed = in_json(&counted);
    assert_eq!((&printed["Responses"], &printed["DryRun"]), (&json!(2), &json!(true)));
    let text = invalidate(data.path(), &distribution, &["--dry-run", "/*"]);
    assert!(
        stdout(&text).ends_with("total: 3 responses, 3 bytes\n"),
        "{}",
        stdout(&text)
    );
    for path in ["/a", "/b", "/c"] {
        assert!(get(&edge, path).is_hit(), "{path}");
    }
    let nothing = invalidate(data.path(), &distribution, &["--dry-run", "/none"]);
    assert!(stderr(&nothing).contains("warning: nothing"), "{}", stderr(&nothing));
    check_refused(
        &invalidate(data.path(), "E000000000000X", &["--dry-run", "/a"]),
        1,
        &["E000000000000X", "hint:"],
    );
    check_refused(
        &invalidate(data.path(), &distribution, &["--dry-run", "--wait", "/a"]),
        2,
        &["--dry-run", "--wait"],
    );
}

/// It asks what is, whatever is held back.
#[test]
fn a_dry_run_does_not_wait_for_the_propagation_delay() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let (server, distribution) = start(data.path(), &origin, &["--propagation-delay", "1h"]);
    get(&server.address("edge"), "/a");
    let counted = invalidate(data.path(), &distribution, &["--dry-run", "--json", "/*"]);
    assert_eq!(in_json(&counted)["Responses"], json!(1));
}

#[test]
fn a_token_reads_the_new_while_the_invalidation_is_in_progress() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let (server, distribution) = start(data.path(), &origin, &["--propagation-delay", "1h"]);
    let edge = server.address("edge");
    assert_eq!(get(&edge, "/a").body, "1");
    let created = in_json(&invalidate(data.path(), &distribution, &["--json", "/a"]));
    assert_eq!(created["Status"], "InProgress");
    let token = created["Token"].as_str().unwrap();
    let new = get_with(&edge, "/a", &[("x-warmfront-token", token)]);
    assert!(new.is_miss() && new.body == "2", "{new:?}");
    let old = get(&edge, "/a");
    assert!(old.is_hit() && old.body == "1", "{old:?}");
}
