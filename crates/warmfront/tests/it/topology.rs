//! Several nodes in one process, as a topology file asks for.

use std::path::Path;

use serde_json::Value;

use crate::origin::{Origin, distribution_of, get};
use crate::program::{Server, check_refused, run, stderr};

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
