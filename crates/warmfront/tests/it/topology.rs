//! Several nodes in one process, as a topology file asks for.

use std::net::TcpStream;
use std::path::Path;

use serde_json::Value;

use crate::origin::{Origin, distribution_of, get};
use crate::program::{Server, check_refused, run, stderr};
use crate::signed::Root;

const TWO_REGIONS: &str = r#"
    [[region]]
    name = "us-east-1"
    pop = [{ name = "IAD89-P3" }, { name = "IAD12-P1" }]

    [[region]]
    name = "eu-central-1"
    regional_nodes = 2
    pop = [{ name = "FRA56-P4" }]
"#;

fn topology(folder: &Path, text: &str) -> String {
    let path = folder.join("topology.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The POPs of the ready line: name and `HOST:PORT`.
fn pops(server: &Server) -> Vec<(String, String)> {
    let ready: Value = serde_json::from_str(server.ready_line()).unwrap();
    let of = |pop: &Value| {
        let url = pop["edge"].as_str().unwrap().to_owned();
        let address = url.split_once("://").unwrap().1.to_owned();
        (pop["name"].as_str().unwrap().to_owned(), address)
    };
    ready["pops"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn pops_of_a_region_share_what_its_regional_node_has_and_an_invalidation_is_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (origin, file) = (Origin::start(), topology(folder.path(), TWO_REGIONS));
    let (_, _, log) = Server::start(&data, &["--origin", &origin.url()]).end("TERM");
    let server = Server::start(&data, &["--topology", &file]);
    let pops = pops(&server);
    let names: Vec<&str> = pops.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["IAD89-P3", "IAD12-P1", "FRA56-P4"]);
    assert_eq!(pops[0].1, server.address("edge"));

    let check = |pop: usize, hit: bool, body: &str| {
        let answer = get(&pops[pop].1, "/");
        assert_eq!((answer.is_hit(), answer.body.as_str()), (hit, body), "{}", answer.head);
        let named = format!("x-amz-cf-pop: {}", pops[pop].0.to_lowercase());
        assert!(answer.head.contains(&named), "{}", answer.head);
    };
    check(0, false, "1");
    check(1, true, "1");
    // Another region has an origin fetch of its own.
    check(2, false, "2");

    let invalidated = run(&[
        "invalidate",
        "--data",
        data.to_str().unwrap(),
        "--wait",
        "--distribution",
        &distribution_of(&log),
        "/*",
    ]);
    assert!(invalidated.status.success(), "{}", stderr(&invalidated));
    check(1, false, "3");
    check(0, true, "3");
    check(2, false, "4");
    assert_eq!(origin.n_requests(), 4);
    assert!(server.end("TERM").0.success());
}

/// A node as `GET /warmfront/nodes` lists it.
fn listed(root: &Root, name: &str) -> Value {
    let (status, listing) = root.ask("GET", "/warmfront/nodes");
    assert_eq!(status, 200, "{listing}");
    let nodes = listing["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["name"] == name).cloned().unwrap()
}

fn tell(root: &Root, name: &str, word: &str) -> u16 {
    root.ask("POST", &format!("/warmfront/nodes/{name}/{word}")).0
}

fn invalidate_everything(data: &Path, distribution: &str, more: &[&str]) -> Value {
    let data = data.to_str().unwrap();
    let mut arguments = vec!["invalidate", "--data", data, "--distribution", distribution, "--json"];
    arguments.extend_from_slice(more);
    arguments.push("/*");
    let output = run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Renewals are late on a machine that is busy with other tests: a POP that has lost its lease asks the origin, whose answers
/// count up. So what is compared is what must not be older, and nothing else.
#[test]
fn a_pop_that_is_paused_holds_completed_back_and_one_that_is_killed_until_its_lease_is_over() {
    const TOPOLOGY: &str = "lease = '3s'\n[[region]]\nname = 'a'\npop = [{ name = 'ONE' }, { name = 'TWO' }]";
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (origin, file) = (Origin::start(), topology(folder.path(), TOPOLOGY));
    let (_, _, log) = Server::start(&data, &["--origin", &origin.url()]).end("TERM");
    let distribution = distribution_of(&log);
    let server = Server::start(&data, &["--topology", &file, "--disturb-nodes", "--admin", "0"]);
    let (root, admin) = (Root::of(&data, &server.address("control")), server.address("admin"));
    let pops = pops(&server);
    let number_at = |pop: usize| -> u32 { get(&pops[pop].1, "/").body.parse().unwrap() };
    let is_measured = || get(&admin, "/metrics").body.contains("pop=\"TWO\"");

    for name in ["ONE", "TWO"] {
        assert_eq!(listed(&root, name)["member"], true);
        assert_eq!(listed(&root, name)["tier"], "pop");
    }
    assert_eq!(listed(&root, "a-R1")["member"], false);
    let old = [number_at(0), number_at(1)];
    assert!(is_measured());

    assert_eq!(tell(&root, "TWO", "pause"), 200);
    assert_eq!(listed(&root, "TWO")["paused"], true);
    let created = origin.n_requests();
    assert_eq!(invalidate_everything(&data, &distribution, &[])["Status"], "InProgress");
    assert_eq!(tell(&root, "TWO", "resume"), 200);
    let done = invalidate_everything(&data, &distribution, &["--wait"]);
    assert_eq!(done["Status"], "Completed");
    for (pop, old) in old.into_iter().enumerate() {
        let number = number_at(pop);
        assert!(number > created.max(old), "{number} at {pop}, {created} before");
    }

    assert_eq!(tell(&root, "TWO", "pause"), 200);
    assert_eq!(tell(&root, "TWO", "kill"), 200);
    assert_eq!(tell(&root, "TWO", "kill"), 400, "it is not running");
    assert!(TcpStream::connect(&pops[1].1).is_err());
    assert!(!is_measured());
    let created = origin.n_requests();
    let done = invalidate_everything(&data, &distribution, &["--wait"]);
    assert_eq!(done["Status"], "Completed");
    assert!(number_at(0) > created);

    assert_eq!(tell(&root, "TWO", "start"), 200);
    assert!(number_at(1) > created);
    assert!(is_measured());
    let becomes_ready = (0..100_000).any(|_| get(&admin, "/readyz").body.starts_with("ready"));
    assert!(becomes_ready, "{}", listed(&root, "TWO"));
    assert_eq!(tell(&root, "NOBODY", "pause"), 400);
    assert!(server.end("TERM").0.success());
}

#[test]
fn what_is_wrong_with_a_topology_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = topology(folder.path(), "[[region]]\nname = 'a'\npop = []");
    check_refused(
        &run(&["serve", "--topology", &file]),
        2,
        &["--topology", &file, "no POP"],
    );
    check_refused(&run(&["serve", "--topology", "/nowhere"]), 2, &["--topology /nowhere"]);
    let file = topology(folder.path(), TWO_REGIONS);
    check_refused(&run(&["serve", "--topology", &file, "--pop", "X"]), 2, &["--pop"]);
}
