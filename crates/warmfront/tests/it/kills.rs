//! A release dies at every call that it makes, and viewers look on.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::deploy::{Bench, build};
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

/// The site of a round: what its pages load has names that no round had before, so whatever is missing is missed.
fn site(round: usize) -> Vec<(String, String)> {
    let (script, picture) = (format!("app.{round:08x}a1.js"), format!("picture {round}.svg"));
    let index =
        format!("<!doctype html><script src=/{script}></script><img src=/picture%20{round}.svg><img src=/logo.svg>");
    let file = |path: &str, text: String| (path.to_owned(), text);
    let mut files = vec![
        file("about/index.html", "<!doctype html><title>About</title>".into()),
        file("index.html", index),
        file(
            "logo.svg",
            format!("<svg xmlns='http://www.w3.org/2000/svg' id='l{round}'/>"),
        ),
        file(
            &picture,
            format!("<svg xmlns='http://www.w3.org/2000/svg' id='p{round}'/>"),
        ),
        file(&script, format!("console.log({round})")),
    ];
    if round % 4 < 2 {
        files.push(file(
            "often.html",
            format!("<!doctype html><script src=/{script}></script>"),
        ));
    }
    files
}

#[test]
fn a_deploy_that_is_killed_in_any_call_is_finished_by_the_next_run() {
    let bench = Bench::new(&[]);
    let gate = Gate::start(&bench.server);
    let publish = |round: usize| {
        let files = site(round);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
        build(bench.folder().as_ref(), &files);
    };
    publish(0);
    done(&bench, &gate, "deploy", &[&bench.folder(), "--yes"]);
    let watch = Watch::start(bench.server.address("edge"), &["/", "/often.html", "/about/index.html"]);
    for round in 1_usize.. {
        let n = (round - 1) / 2;
        let death = if round.is_multiple_of(2) {
            Death::BeforeTheCall
        } else {
            Death::AfterTheCall
        };
        publish(round);
        let was_held = kill_at(&bench, &gate, n, death);
        watch.look_once_more();
        // Every third time by resume, which needs no plan of its own; else by the same command again.
        if round.is_multiple_of(3) {
            done(&bench, &gate, "resume", &[]);
        }
        done(&bench, &gate, "deploy", &[&bench.folder(), "--yes"]);
        watch.look_once_more();
        for (path, text) in site(round) {
            let url = format!("/{}", path.replace(' ', "%20"));
            assert_eq!(bench.shown(&url), text, "{death:?} {n}: {path}");
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
