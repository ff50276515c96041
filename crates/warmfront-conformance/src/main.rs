//! `warmfront-conformance --table`, `--server NAME` or `--against URL --origin-port PORT`: see `conformance/README.md`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use warmfront_conformance::{
    Foreign, Profile, Sources, Suite, Tally, Verdict, ask_server, in_process, readme_with_table, results,
};
use warmfront_testkit::Origin;

const USAGE: &str = "write --table to bring the table in conformance/README.md up to date, \
     --server nginx|varnish|aws|edge to start a server and ask it, \
     or --against URL --origin-port PORT to ask one whose origin is that port of this machine; \
     --seconds N leaves out what takes longer than N seconds (15), --failures says what went another way";

struct Arguments {
    table: bool,
    servers: Vec<String>,
    against: Option<String>,
    origin_port: Option<u16>,
    secs_max: u64,
    failures: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = arguments(std::env::args().skip(1))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let suite = Suite::read(&folder)?;
    if arguments.table {
        return write_table(&folder, &suite).await;
    }
    println!("| server | required | optional | skipped |\n| --- | --- | --- | --- |");
    for name in &arguments.servers {
        let origin = Origin::start().await;
        let tallies = match Profile::ALL.into_iter().find(|profile| profile.as_str() == name) {
            Some(profile) => {
                let edge = in_process(profile, &origin).await?;
                let tallies = ask_server(&suite, edge.http(), &origin, arguments.secs_max).await;
                print_row(&format!("Warmfront, profile {name}"), &tallies, arguments.failures);
                edge.shutdown().await;
                continue;
            }
            None => {
                let foreign = Foreign::start(name, origin.port())?;
                let tallies = ask_server(&suite, foreign.server, &origin, arguments.secs_max).await;
                (foreign.name.clone(), tallies)
            }
        };
        print_row(&tallies.0, &tallies.1, arguments.failures);
    }
    if let Some(url) = &arguments.against {
        let port = arguments
            .origin_port
            .context("--against needs --origin-port, the port that the server asks")?;
        let origin = Origin::start_on(port).await;
        let tallies = ask_server(&suite, address(url)?, &origin, arguments.secs_max).await;
        print_row(url, &tallies, arguments.failures);
    }
    Ok(())
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut arguments = Arguments {
        table: false,
        servers: Vec::new(),
        against: None,
        origin_port: None,
        secs_max: 15,
        failures: false,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value: {USAGE}"));
        match word.as_str() {
            "--table" => arguments.table = true,
            "--failures" => arguments.failures = true,
            "--server" => arguments.servers.push(value()?),
            "--against" => arguments.against = Some(value()?),
            "--origin-port" => arguments.origin_port = Some(value()?.parse().context("--origin-port")?),
            "--seconds" => arguments.secs_max = value()?.parse().context("--seconds")?,
            other => bail!("{other:?} is no option: {USAGE}"),
        }
    }
    if !arguments.table && arguments.servers.is_empty() && arguments.against.is_none() {
        bail!("{USAGE}");
    }
    Ok(arguments)
}

async fn write_table(folder: &Path, suite: &Suite) -> Result<()> {
    let path: PathBuf = folder.join("README.md");
    let readme = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let results = results(suite).await;
    let mut n_failed = 0;
    for (case, verdicts) in suite.cases.iter().zip(&results) {
        for (profile, verdict) in Profile::ALL.iter().zip(verdicts) {
            if let Verdict::Failed(problem) = verdict {
                eprintln!("{} with {}: {problem}", case.name, profile.as_str());
                n_failed += 1;
            }
        }
    }
    if n_failed > 0 {
        bail!("{n_failed} scenarios went another way than written");
    }
    let sources = Sources::read(&folder.join("sources.txt"))?;
    std::fs::write(&path, readme_with_table(&readme, suite, &sources, &results)?)?;
    Ok(())
}

fn print_row(name: &str, [required, optional]: &[Tally; 2], failures: bool) {
    println!(
        "| {name} | {} of {} | {} of {} | {} |",
        required.passed,
        required.run,
        optional.passed,
        optional.run,
        required.skipped + optional.skipped
    );
    if failures {
        for (name, problem) in required.failures.iter().chain(&optional.failures) {
            eprintln!("{name}: {problem}");
        }
    }
}

fn address(url: &str) -> Result<SocketAddr> {
    let authority = url
        .strip_prefix("http://")
        .context("--against takes a URL that begins with http://")?;
    let authority = authority.trim_end_matches('/');
    let found = authority
        .to_socket_addrs()
        .with_context(|| format!("{authority} is no host and port"))?
        .next();
    found.with_context(|| format!("{authority} has no address"))
}
