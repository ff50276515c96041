//! A release dies at every call that it makes, and viewers look on.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::deploy::{Bench, FIRST, SECOND, build};
use crate::gate::{Death, Fate, Gate};
use crate::program::{stderr, stdout, warmfront};
use crate::site::STATE_BUCKET;
use crate::watch::Watch;

/// A command about the site through the gate, in an environment as the AWS CLI has it; the state is in a bucket.
fn command(bench: &Bench, gate: &Gate, name: &str, more: &[&str]) -> Command {
    let mut command = warmfront(&[name]);
    let [cloudfront, s3] = gate.endpoints();
    let [id, secret] = bench.website.keys.clone();
    command.env("AWS_ENDPOINT_URL_CLOUDFRONT", cloudfront);
    command.env("AWS_ENDPOINT_URL_S3", s3);
    command.env("AWS_ACCESS_KEY_ID", id);
    command.env("AWS_SECRET_ACCESS_KEY", secret);
    command.env("WARMFRONT_EDGES", format!("http://{}", bench.server.address("edge")));
    command.args(["--bucket", &bench.website.bucket]);
    command.args(["--distribution", &bench.website.distribution]);
    command.args(["--state", &format!("s3://{STATE_BUCKET}/site"), "--parallel", "1"]);
    command.args(more);
    command
}

fn done(bench: &Bench, gate: &Gate, name: &str, more: &[&str]) -> String {
    let output = command(bench, gate, name, more).output().unwrap();
    assert!(output.status.success(), "{name}: {}", stderr(&output));
    stdout(&output).trim_end().to_owned()
}

/// Starts a deploy and kills it in its n-th call; says whether it came so far.
fn kill_at(bench: &Bench, gate: &Gate, n: usize, death: Death) -> bool {
    gate.hold(n, death);
    let mut child = command(bench, gate, "deploy", &[&bench.folder(), "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut output, ended) = (child.stdout.take().unwrap(), gate.ended());
    let reader = std::thread::spawn(move || {
        let _ = output.read_to_end(&mut Vec::new());
        ended();
    });
    let fate = gate.fate();
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    gate.let_pass();
    fate == Fate::Held
}

#[test]
fn a_deploy_that_is_killed_in_any_call_is_finished_by_the_next_run() {
    let bench = Bench::new(&[]);
    let gate = Gate::start(&bench.server);
    build(bench.folder().as_ref(), FIRST);
    done(&bench, &gate, "deploy", &[&bench.folder(), "--yes"]);
    let watch = Watch::start(bench.server.address("edge"), &["/", "/new.html", "/about/index.html"]);
    for round in 0.. {
        let (n, death) = match round % 2 {
            0 => (round / 2, Death::BeforeTheCall),
            _ => (round / 2, Death::AfterTheCall),
        };
        let files = if round % 2 == 0 { SECOND } else { FIRST };
        build(bench.folder().as_ref(), files);
        let was_held = kill_at(&bench, &gate, n, death);
        watch.look_once_more();
        // Every third time by resume, which needs no plan of its own; else by the same command again.
        if round % 3 == 0 {
            done(&bench, &gate, "resume", &[]);
        }
        done(&bench, &gate, "deploy", &[&bench.folder(), "--yes"]);
        watch.look_once_more();
        for (path, text) in files.iter().filter(|(path, _)| !path.contains(' ')) {
            assert_eq!(bench.shown(&format!("/{path}")), *text, "{death:?} {n}: {path}");
        }
        let status = done(&bench, &gate, "status", &[]);
        assert!(!status.contains("unfinished"), "{death:?} {n}: {status}");
        if !was_held {
            assert!(n > 25, "{n}");
            break;
        }
    }
    let seen = watch.end();
    assert_eq!(seen.broken, [""; 0]);
    assert!(seen.n_pages > 50 && seen.n_assets > 50, "{seen:?}");
}
