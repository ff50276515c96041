//! Releases against a running server: the real program, a real bucket, a real edge.

use std::path::Path;
use std::process::{Command, Output};

use aws_sdk_cloudfront::types::ViewerProtocolPolicy;
use serde_json::Value;

use crate::program::{Server, check_refused, run, stderr, stdout, warmfront};
use crate::site::Website;

pub const FIRST: &[(&str, &str)] = &[
    ("app.11111111aa.js", "console.log(1)"),
    (
        "index.html",
        "<!doctype html><script src=/app.11111111aa.js></script><img src=/logo.svg>",
    ),
    ("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ("about/index.html", "<!doctype html><title>About</title>"),
    ("old page.html", "<!doctype html><title>Old</title>"),
];

pub const SECOND: &[(&str, &str)] = &[
    ("app.22222222bb.js", "console.log(2)"),
    (
        "index.html",
        "<!doctype html><script src=/app.22222222bb.js></script><img src=/logo.svg>",
    ),
    ("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'><g/></svg>"),
    ("about/index.html", "<!doctype html><title>About</title>"),
    ("new.html", "<!doctype html><title>New</title>"),
];

/// Makes `folder` hold exactly these files.
pub fn build(folder: &Path, files: &[(&str, &str)]) {
    let _ = std::fs::remove_dir_all(folder);
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A server with a site, and a folder to publish from.
pub struct Bench {
    pub outer: tempfile::TempDir,
    pub server: Server,
    pub website: Website,
}

impl Bench {
    pub fn new(more: &[&str]) -> Bench {
        Bench::shown_over(ViewerProtocolPolicy::AllowAll, more)
    }

    pub fn shown_over(protocol: ViewerProtocolPolicy, more: &[&str]) -> Bench {
        let outer = tempfile::tempdir().unwrap();
        let data = outer.path().join("data");
        let server = Server::start(&data, more);
        let website = Website::make(&data, &server, protocol);
        Bench { outer, server, website }
    }

    /// A command about the site, that can be started.
    pub fn command(&self, command: &str, more: &[&str]) -> Command {
        let at = |name: &str| self.outer.path().join(name);
        let mut started = warmfront(&[command]);
        started.arg("--data").arg(at("data")).arg("--state").arg(at("state"));
        started.args(["--bucket", &self.website.bucket]);
        started.args(["--distribution", &self.website.distribution]);
        started.args(more);
        started
    }

    pub fn run(&self, command: &str, more: &[&str]) -> Output {
        self.command(command, more).output().unwrap()
    }

    pub fn done(&self, command: &str, more: &[&str]) -> String {
        let output = self.run(command, more);
        assert!(output.status.success(), "{command} {more:?}: {}", stderr(&output));
        stdout(&output).trim_end().to_owned()
    }

    pub fn folder(&self) -> String {
        self.outer.path().join("dist").to_str().unwrap().to_owned()
    }

    pub fn deploy(&self, files: &[(&str, &str)]) -> String {
        build(Path::new(&self.folder()), files);
        self.done("deploy", &[&self.folder(), "--yes"])
    }

    pub fn shown(&self, path: &str) -> String {
        crate::origin::get(&self.server.address("edge"), path).body
    }
}

#[test]
fn a_site_is_published_changed_and_rolled_back() {
    let bench = Bench::new(&[]);
    let first = bench.deploy(FIRST);
    assert_eq!(bench.shown("/"), FIRST[1].1);
    assert_eq!(bench.shown("/logo.svg"), FIRST[2].1);
    let second = bench.deploy(SECOND);
    assert_eq!(bench.shown("/"), SECOND[1].1);
    assert_eq!(bench.shown("/logo.svg"), SECOND[2].1);
    assert_eq!(bench.shown("/new.html"), SECOND[4].1);
    assert_eq!(
        bench.shown("/app.11111111aa.js"),
        FIRST[0].1,
        "tabs that are open still find it"
    );
    assert!(!bench.shown("/old%20page.html").contains("Old"));

    let listed = bench.done("releases", &[]);
    assert!(listed.starts_with(&second) && listed.contains(&first), "{listed}");
    bench.done("verify", &[]);
    std::fs::remove_dir_all(bench.folder()).unwrap();
    bench.done("rollback", &["--yes"]);
    assert_eq!(bench.shown("/"), FIRST[1].1);
    assert_eq!(bench.shown("/logo.svg"), FIRST[2].1);
    assert_eq!(bench.shown("/old%20page.html"), FIRST[4].1);
    let back = bench.done("releases", &[]);
    assert!(back.contains(&format!("back to {first}")), "{back}");
    assert_eq!(bench.done("resume", &[]), "nothing is unfinished");
}

#[test]
fn a_plan_is_what_is_carried_out_and_grows_old() {
    let bench = Bench::new(&[]);
    bench.deploy(FIRST);
    build(Path::new(&bench.folder()), SECOND);
    let file = bench.outer.path().join("plan.json");
    let shown = bench.done("plan", &[&bench.folder(), "-o", file.to_str().unwrap()]);
    for line in [
        "+ app.22222222bb.js",
        "~ index.html",
        "- old page.html",
        "/logo.svg",
        "free paths",
        "0.00 USD",
    ] {
        assert!(shown.contains(line), "{line:?} is missing: {shown}");
    }
    assert_eq!(bench.shown("/"), FIRST[1].1, "a plan changes nothing");
    bench.done("apply", &[file.to_str().unwrap()]);
    assert_eq!(bench.shown("/"), SECOND[1].1);
    check_refused(
        &bench.run("apply", &[file.to_str().unwrap()]),
        1,
        &["another release has happened", "hint:"],
    );
    let cost: Value = serde_json::from_str(&bench.done("cost", &["--json"])).unwrap();
    assert_eq!(
        (&cost["price"], &cost["whole_account"]),
        (&"0.00 USD".into(), &true.into())
    );
    assert!(cost["n_paths"].as_u64().unwrap() >= 1, "{cost}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_changes() {
    let bench = Bench::new(&[]);
    build(Path::new(&bench.folder()), FIRST);
    let folder = bench.folder();
    check_refused(&bench.run("deploy", &[&folder]), 2, &["--yes"]);
    let public = format!("s3://{}/state", bench.website.bucket);
    let data = bench.outer.path().join("data");
    let refused = run(&[
        "deploy",
        &folder,
        "--yes",
        "--data",
        data.to_str().unwrap(),
        "--bucket",
        &bench.website.bucket,
        "--distribution",
        &bench.website.distribution,
        "--state",
        &public,
    ]);
    check_refused(&refused, 1, &["--state", &public, "hint:"]);
    let inside = format!("{folder}/releases");
    let refused = run(&[
        "plan",
        &folder,
        "--data",
        data.to_str().unwrap(),
        "--bucket",
        &bench.website.bucket,
        "--distribution",
        &bench.website.distribution,
        "--state",
        &inside,
    ]);
    check_refused(&refused, 1, &["--state", &inside, "hint:"]);
    bench.deploy(FIRST);
    build(Path::new(&folder), &FIRST[..1]);
    check_refused(
        &bench.run("deploy", &[&folder, "--yes"]),
        1,
        &["delete_ratio_max", "--allow-deletions"],
    );
    assert_eq!(bench.shown("/"), FIRST[1].1);
}

#[test]
fn waiting_is_explained_and_can_be_left_to_resume() {
    let bench = Bench::new(&["--propagation-delay", "2s"]);
    bench.deploy(FIRST);
    build(Path::new(&bench.folder()), SECOND);
    let output = bench.run("deploy", &[&bench.folder(), "--yes", "--no-wait"]);
    assert!(stdout(&output).contains("warmfront resume"), "{}", stderr(&output));
    assert!(bench.done("status", &[]).contains("next step: wait"));
    let output = bench.run("resume", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("is in progress"), "{}", stderr(&output));
    assert_eq!(bench.shown("/logo.svg"), SECOND[2].1);
}

#[test]
fn apply_refuses_once_another_tool_has_written() {
    let bench = Bench::new(&[]);
    bench.deploy(FIRST);
    build(Path::new(&bench.folder()), SECOND);
    let file = bench.outer.path().join("plan.json");
    let file = file.to_str().unwrap();
    bench.done("plan", &[&bench.folder(), "-o", file]);
    bench.website.put("index.html", "somebody else's");
    check_refused(
        &bench.run("apply", &[file]),
        1,
        &[
            "the bucket has changed since the plan was made",
            "hint: make a new plan",
        ],
    );
    // Whoever looks first sees it, and puts it right. The plan knows what it is for.
    bench.done("plan", &[&bench.folder(), "-o", file]);
    let data = bench.outer.path().join("data");
    let applied = run(&["apply", file, "--data", data.to_str().unwrap()]);
    assert!(applied.status.success(), "{}", stderr(&applied));
    assert_eq!(bench.shown("/index.html"), SECOND[1].1);
}

#[test]
fn every_pop_is_asked_over_https_where_plain_http_is_not_shown() {
    let outer = tempfile::tempdir().unwrap();
    let topology = outer.path().join("topology.toml");
    let regions = "[[region]]\nname = 'us-east-1'\npop = [{ name = 'IAD89-P3' }, { name = 'IAD12-P1' }]\n";
    std::fs::write(&topology, regions).unwrap();
    let more = ["--topology", topology.to_str().unwrap()];
    let bench = Bench::shown_over(ViewerProtocolPolicy::HttpsOnly, &more);
    bench.deploy(FIRST);
    let shown = bench.done("verify", &[]);
    for pop in ["(IAD89-P3)", "(IAD12-P1)"] {
        let line = shown
            .lines()
            .find(|line| line.contains(pop))
            .unwrap_or_else(|| panic!("{shown}"));
        assert!(line.contains("all as they should be"), "{line}");
    }
    // Named by hand, an edge is asked as it was named, and the way out is said.
    let edge = format!("http://{}", bench.server.address("edge"));
    let refused = bench.run("verify", &["--edge", &edge]);
    check_refused(&refused, 1, &["wants https", "https://HOST:PORT"]);
}

#[test]
fn events_are_json_lines() {
    let bench = Bench::new(&[]);
    build(Path::new(&bench.folder()), FIRST);
    let lines = bench.done("deploy", &[&bench.folder(), "--yes", "--json"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let n_uploaded = lines.iter().filter(|line| line["event"] == "object").count();
    assert_eq!(n_uploaded, FIRST.len());
    assert_eq!(lines[0]["event"], "began");
    assert_eq!(lines.last().unwrap()["is_finished"], true);
}

#[test]
fn a_dry_run_is_the_plan_and_a_job_on_github_gets_a_summary() {
    let bench = Bench::new(&[]);
    build(Path::new(&bench.folder()), FIRST);
    let planned = bench.done("deploy", &[&bench.folder(), "--dry-run", "--yes"]);
    assert!(planned.contains("+ index.html"), "{planned}");
    assert_eq!(bench.done("releases", &[]), "", "nothing was begun");
    let summary = bench.outer.path().join("summary.md");
    let mut command = bench.command("deploy", &[&bench.folder(), "--yes"]);
    let output = command.env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let summary = std::fs::read_to_string(summary).unwrap();
    let release = stdout(&output);
    let heading = format!("### Release {} is live\n", release.trim_end());
    assert!(
        summary.starts_with(&heading) && summary.contains("| 5 | 0 | 0 | 1 |"),
        "{summary}"
    );
}

#[test]
fn shells_and_man_know_every_command() {
    let script = stdout(&run(&["completions", "bash"]));
    let folder = tempfile::tempdir().unwrap();
    let written = run(&["man", folder.path().to_str().unwrap()]);
    assert!(written.status.success(), "{}", stderr(&written));
    for command in ["deploy", "rollback", "cost"] {
        assert!(script.contains(command), "{command}");
        assert!(
            folder.path().join(format!("warmfront-{command}.1")).exists(),
            "{command}"
        );
    }
}

#[test]
fn nothing_is_called_verified_that_nobody_looked_at() {
    let endpoint = ["AWS_ENDPOINT_URL_CLOUDFRONT", "AWS_ENDPOINT_URL"];
    for variable in endpoint {
        let mut command = warmfront(&["verify", "--bucket", "b", "--distribution", "E2QWRUHAPOMQZL"]);
        let refused = command.env(variable, "http://127.0.0.1:9").output().unwrap();
        check_refused(&refused, 2, &["no edge is named", "hint: give one with --edge"]);
    }
}

/// A profile that is named comes before keys in the environment, as with the AWS CLI, and must be there.
#[test]
fn a_profile_that_is_named_is_the_one_that_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = warmfront(&["cost", "--bucket", "b", "--distribution", "E2QWRUHAPOMQZL"]);
    command.args(["--aws-profile", "nobody"]).env("HOME", folder.path());
    command
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    let refused = command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").output().unwrap();
    check_refused(&refused, 1, &["NoCredentials", "hint: log in"]);
}

#[test]
fn a_file_is_explained_by_the_settings_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("other.toml");
    std::fs::write(&settings, "[[rule]]\nmatch = '*.pdf'\ncache_control = 'max-age=5'\n").unwrap();
    let explained = run(&[
        "deploy",
        "dist",
        "--explain",
        "a/b.pdf",
        "--settings",
        settings.to_str().unwrap(),
    ]);
    let text = stdout(&explained);
    for words in ["Cache-Control: max-age=5", "Content-Type: application/pdf", "rule 1"] {
        assert!(text.contains(words), "{words:?} is missing: {text}");
    }
}
