use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::Cache;
use super::process::{Folder, Process};
use crate::machine::output;

/// `warmfront serve`, with one distribution in front of the origin.
pub struct Warmfront {
    process: Process,
    program: PathBuf,
    address: SocketAddr,
    distribution: String,
}

impl Warmfront {
    /// Starts it on ports of its own.
    pub fn start(origin: SocketAddr, program: &Path) -> Result<Warmfront> {
        let folder = Folder::new("warmfront")?;
        let log = folder.path().join("log");
        let mut command = Command::new(program);
        command.args(["serve", "--ephemeral", "--data"]).arg(folder.path());
        for listener in ["--control", "--edge", "--edge-https", "--bucket"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.args(["--origin", &format!("http://{origin}")]);
        command.stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut process = Process::start(folder, &mut command)?;
        let stdout = process.child().stdout.take().context("warmfront has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let log = fs::read_to_string(log)?;
        let ready: serde_json::Value =
            serde_json::from_str(&line).with_context(|| format!("warmfront did not become ready: {log}"))?;
        let edge = ready["edge"].as_str().context("the ready line names no edge")?;
        let address = edge.trim_start_matches("http://").parse()?;
        let named = log
            .split_once("warmfront: distribution ")
            .context("no distribution was named")?;
        let distribution = named.1.split(' ').next().unwrap_or_default().to_owned();
        Ok(Warmfront {
            process,
            program: program.to_owned(),
            address,
            distribution,
        })
    }
}

impl Cache for Warmfront {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn host(&self) -> &str {
        "localhost"
    }

    /// CreateInvalidation, then GetInvalidation until it reads Completed.
    fn invalidate(&self, path: &str) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(["invalidate", "--wait", "--data"])
            .arg(self.process.folder());
        command.args(["--distribution", &self.distribution, path]);
        let said = output(&mut command)?;
        if !said.trim_end().ends_with(" Completed") {
            bail!("warmfront invalidate --wait says {said:?}");
        }
        Ok(())
    }
}
