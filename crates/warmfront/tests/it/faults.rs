//! Releases in bad hours: the server fails as `--faults` says, and takes its time.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::deploy::{Bench, FIRST, SECOND, build};
use crate::program::{check_refused, run};

const SCRIPT: &str = r#"
[[fault]]
call = "ListObjectsV2"
answer = "ServiceUnavailable"

[[fault]]
call = "PutObject"
answer = "SlowDown"
times = 2

[[fault]]
call = "CreateInvalidation"
answer = "ServiceUnavailable"
times = 2

[[fault]]
call = "CreateInvalidation"
answer = "Throttling"

[[fault]]
call = "CreateInvalidation"
answer = "TooManyInvalidationsInProgress"

[[fault]]
call = "CreateInvalidation"
answer = "Lost"

[[fault]]
call = "GetInvalidation"
delay = "50ms"
times = 3

[edge]
delay = "5ms"
"#;

/// A deploy that is watched: `on_line` sees each line on standard error. Gives all lines, and whether it ended well.
fn deploy(bench: &Bench, on_line: impl Fn(&str)) -> (Vec<String>, bool) {
    let mut child = bench
        .command("deploy", &[&bench.folder(), "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        on_line(&line);
        lines.push(line);
    }
    (lines, child.wait().unwrap().success())
}

#[test]
fn a_release_ends_well_in_bad_hours_and_says_what_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("faults.toml");
    std::fs::write(&script, SCRIPT).unwrap();
    let script = script.to_str().unwrap();
    let bench = Bench::new(&["--clock", "manual", "--propagation-delay", "20s", "--faults", script]);
    let data = bench.outer.path().join("data");
    let pass = |line: &str| {
        // Twenty seconds and the POP's own share pass when somebody waits for them.
        if line.contains("is in progress") {
            let passed = run(&["clock", "advance", "30s", "--data", data.to_str().unwrap()]);
            assert!(passed.status.success());
        }
    };
    build(std::path::Path::new(&bench.folder()), FIRST);
    let (lines, well) = deploy(&bench, pass);
    let all = lines.join("\n");
    assert!(well, "{all}");
    for word in [
        "ListBucket",
        "SlowDown",
        "ServiceUnavailable",
        "Rate exceeded",
        "others' invalidations must complete first",
        "is in progress",
        "Completed after",
        "finished in",
    ] {
        assert!(all.contains(word), "{word:?} is missing: {all}");
    }
    assert_eq!(bench.shown("/"), FIRST[1].1);
    // The next one meets no faults, but still waits until the edge knows.
    build(std::path::Path::new(&bench.folder()), SECOND);
    let (lines, well) = deploy(&bench, pass);
    assert!(well, "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("failed")), "{lines:?}");
    assert_eq!(bench.shown("/logo.svg"), SECOND[2].1);
    let releases = bench.done("releases", &["--json"]);
    let releases: serde_json::Value = serde_json::from_str(&releases).unwrap();
    assert_eq!(
        releases["finished"].as_array().unwrap().len(),
        2,
        "the lost answer made no third"
    );
    let (_, _, log) = bench.server.end("TERM");
    assert!(
        log.contains("FAILS ON PURPOSE") && log.contains("a fault, as the script says"),
        "{log}"
    );
}

#[test]
fn what_is_not_allowed_names_the_statement_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("faults.toml");
    let denied = |call: &str| format!("[[fault]]\ncall = '{call}'\nanswer = 'AccessDenied'\n");
    let calls = ["ListObjectsV2", "PutObject", "CreateInvalidation"];
    std::fs::write(&script, calls.map(denied).concat()).unwrap();
    let bench = Bench::new(&["--faults", script.to_str().unwrap()]);
    build(std::path::Path::new(&bench.folder()), FIRST);
    let distribution = &bench.website.distribution;
    // Each is denied once: so far the release comes each time.
    for (action, resource) in [
        ("s3:ListBucket", "arn:aws:s3:::the-site\"".to_owned()),
        ("s3:PutObject", "arn:aws:s3:::the-site/".to_owned()),
        (
            "cloudfront:CreateInvalidation",
            format!(":distribution/{distribution}\""),
        ),
    ] {
        let refused = bench.run("deploy", &[&bench.folder(), "--yes", "--parallel", "1"]);
        let action = format!("\"Action\":[\"{action}\"]");
        check_refused(
            &refused,
            1,
            &["AccessDenied", &action, "\"Effect\":\"Allow\"", &resource],
        );
    }
    bench.done("resume", &[]);
    assert_eq!(bench.shown("/"), FIRST[1].1);
}

#[test]
fn a_slow_pop_keeps_its_viewers_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("faults.toml"), "[edge]\npop = 'IAD12-P1'\ndelay = '300ms'\n").unwrap();
    let regions = "[[region]]\nname = 'us-east-1'\npop = [{ name = 'IAD89-P3' }, { name = 'IAD12-P1' }]\n";
    std::fs::write(at("topology.toml"), regions).unwrap();
    let bench = Bench::new(&["--topology", &at("topology.toml"), "--faults", &at("faults.toml")]);
    bench.deploy(FIRST);
    let ready: serde_json::Value = serde_json::from_str(bench.server.ready_line()).unwrap();
    let slow = &ready["pops"][1];
    assert_eq!(slow["name"], "IAD12-P1");
    let began = std::time::Instant::now();
    let address = slow["edge"].as_str().unwrap().trim_start_matches("http://");
    let shown = crate::origin::get(address, "/");
    assert!(began.elapsed() >= std::time::Duration::from_millis(300));
    assert_eq!(shown.body, FIRST[1].1);
    assert!(shown.head.contains("x-amz-cf-pop: iad12-p1"), "{}", shown.head);
}

#[test]
fn a_script_that_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("faults.toml");
    std::fs::write(&script, "[[fault]]\ncall = 'CreateInvalidation'\nanswer = 'Sleepy'").unwrap();
    let data = folder.path().join("data");
    let (script, data) = (script.to_str().unwrap(), data.to_str().unwrap());
    let refused = run(&["serve", "--data", data, "--faults", script]);
    check_refused(&refused, 2, &["--faults", "Sleepy", "SlowDown"]);
}
