//! Scenarios against any server, over sockets and in real time.

mod nginx;
mod process;
mod varnish;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;

use anyhow::{Result, bail};
use futures_util::FutureExt;
use futures_util::future::join_all;
use warmfront_clock::Clock;
use warmfront_testkit::{Origin, Site, Testbed, edge_options};

use crate::run::run;
use crate::scenario::{Level, Scenario};
use crate::subject::AnyServer;
use crate::{Case, Profile, Suite};

/// A server that is started here, in front of an origin on a port.
pub struct Foreign {
    /// Its name and version.
    pub name: String,
    /// Where it listens.
    pub server: SocketAddr,
    _process: process::Process,
}

impl Foreign {
    /// Starts `nginx` or `varnish` in front of the origin on this port of this machine.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start(name: &str, origin_port: u16) -> Result<Foreign> {
        match name {
            "nginx" => nginx::start(origin_port),
            "varnish" => varnish::start(origin_port),
            other => bail!("{other:?} cannot be started here: write nginx, varnish, aws or edge, or use --against"),
        }
    }
}

/// How a server did at one level.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Scenarios that went as written.
    pub passed: usize,
    /// Scenarios that were run.
    pub run: usize,
    /// Scenarios that ask for a configuration, an invalidation, or more time than there is.
    pub skipped: usize,
    /// Name and problem of each that went another way.
    pub failures: Vec<(String, String)>,
}

/// Whether a server that knows nothing of CloudFront can be asked for this, within so many seconds.
fn can_be_asked(scenario: &Scenario, secs_max: u64) -> bool {
    scenario.settings.is_empty() && !scenario.invalidates() && scenario.waits_secs() <= secs_max
}

/// Asks a server in front of `origin` everything at once, so that the whole takes as long as the longest scenario.
///
/// Gives what an RFC requires, and what it allows.
pub async fn ask_server(suite: &Suite, server: SocketAddr, origin: &Origin, secs_max: u64) -> [Tally; 2] {
    let asked = suite.cases.iter().enumerate().map(|(number, case)| async move {
        if !can_be_asked(&case.scenario, secs_max) {
            return None;
        }
        let subject = AnyServer::new(server, origin, number, &case.scenario);
        let running = AssertUnwindSafe(run(&case.scenario, None, &subject)).catch_unwind();
        Some(running.await.unwrap_or_else(|_| Err("no connection".to_owned())))
    });
    let outcomes = join_all(asked).await;
    [Level::Required, Level::Optional].map(|level| {
        let of_level = suite
            .cases
            .iter()
            .zip(&outcomes)
            .filter(|(case, _)| case.scenario.level == level);
        tally(of_level)
    })
}

fn tally<'a>(outcomes: impl Iterator<Item = (&'a Case, &'a Option<Result<(), String>>)>) -> Tally {
    let mut tally = Tally::default();
    for (case, outcome) in outcomes {
        tally.run += usize::from(outcome.is_some());
        match outcome {
            None => tally.skipped += 1,
            Some(Ok(())) => tally.passed += 1,
            Some(Err(problem)) => tally.failures.push((case.name.clone(), problem.clone())),
        }
    }
    tally
}

/// An edge of ours that goes by the system's clock, in front of `origin`, with the settings that scenarios begin with.
pub async fn in_process(profile: Profile, origin: &Origin) -> Result<Testbed> {
    let mut options = edge_options();
    options.clock = Clock::system();
    options.switches = profile.switches();
    let testbed = Testbed::start(options).await;
    let behavior = warmfront_testkit::Behavior::to("web")
        .all_methods()
        .forwards(true, &[], &[]);
    testbed.write(&Site::new(origin).default_behavior(behavior)).await;
    Ok(testbed)
}
