use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Cache;
use super::process::{Folder, Process};
use crate::machine::output;
use crate::race::origin::tag_of;

/// How it is invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By path.
    Path,
    /// By cache tag.
    Tag,
}

/// `warmfront serve`, with one distribution in front of the origin.
pub struct Warmfront {
    process: Process,
    program: PathBuf,
    pops: Vec<SocketAddr>,
    distribution: String,
    by: By,
}

/// Two POPs under one regional node.
const TOPOLOGY: &str = "[[region]]
name = \"us-east-1\"
regional_nodes = 1
pop = [{ name = \"IAD89-P3\" }, { name = \"IAD12-P1\" }]
";

impl Warmfront {
    /// Starts it on ports of its own: one POP, or, with tiers, two POPs under a regional node.
    pub fn start(origin: SocketAddr, program: &Path, by: By, has_tiers: bool) -> Result<Warmfront> {
        let folder = Folder::new("warmfront")?;
        let log = folder.path().join("log");
        let mut command = Command::new(program);
        command.args(["serve", "--ephemeral", "--data"]).arg(folder.path());
        for listener in ["--control", "--edge", "--edge-https", "--bucket"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.args(["--origin", &format!("http://{origin}")]);
        if has_tiers {
            let topology = folder.path().join("topology.toml");
            fs::write(&topology, TOPOLOGY)?;
            command.arg("--topology").arg(topology);
        }
        command.stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut process = Process::start(folder, &mut command)?;
        let stdout = process.child().stdout.take().context("warmfront has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let log = fs::read_to_string(log)?;
        let ready: Value =
            serde_json::from_str(&line).with_context(|| format!("warmfront did not become ready: {log}"))?;
        let pops = ready["pops"].as_array().context("the ready line names no POPs")?;
        let address = |pop: &Value| pop["edge"].as_str()?.trim_start_matches("http://").parse().ok();
        let pops: Option<Vec<SocketAddr>> = pops.iter().map(address).collect();
        let named = log
            .split_once("warmfront: distribution ")
            .context("no distribution was named")?;
        let warmfront = Warmfront {
            process,
            program: program.to_owned(),
            pops: pops.context("the ready line names no POPs")?,
            distribution: named.1.split(' ').next().unwrap_or_default().to_owned(),
            by,
        };
        if by == By::Tag {
            let control = ready["control"].as_str().context("the ready line names no API")?;
            warmfront.read_tags(control)?;
        }
        Ok(warmfront)
    }

    /// UpdateDistribution: cache tags are in the header `Cache-Tag` from now on.
    fn read_tags(&self, control: &str) -> Result<()> {
        const TAGS: &str = "<CacheTagConfig><HeaderName>Cache-Tag</HeaderName></CacheTagConfig></DistributionConfig>";
        let url = format!("{control}/2020-05-31/distribution/{}", self.distribution);
        let got = output(self.curl()?.args(["-i", &format!("{url}/config")]))?;
        let (head, config) = got.split_once("\r\n\r\n").context("no configuration came")?;
        let etag = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().starts_with("etag:").then(|| line[5..].trim()))
            .context("the configuration has no ETag")?;
        let config = config.replace("</DistributionConfig>", TAGS);
        let mut update = self.curl()?;
        update.args([
            "-X",
            "PUT",
            "-H",
            &format!("If-Match: {etag}"),
            "-H",
            "Content-Type: text/xml",
        ]);
        output(update.args(["--data-binary", &config, &format!("{url}/config")]))?;
        while !output(self.curl()?.arg(&url))?.contains("<Status>Deployed</Status>") {}
        Ok(())
    }

    /// curl that signs for the root identity, and fails when it is refused.
    fn curl(&self) -> Result<Command> {
        let printed = output(
            Command::new(&self.program)
                .args(["env", "--data"])
                .arg(self.process.folder()),
        )?;
        let variable = |name: &str| {
            let line = printed.lines().find_map(|line| line.split_once(&format!("{name}=")));
            line.map(|(_, value)| value.trim_matches(['\'', '"', ';', ' ']).to_owned())
                .with_context(|| format!("warmfront env does not set {name}"))
        };
        let user = format!(
            "{}:{}",
            variable("AWS_ACCESS_KEY_ID")?,
            variable("AWS_SECRET_ACCESS_KEY")?
        );
        let mut curl = Command::new("curl");
        curl.args([
            "-q",
            "-s",
            "-S",
            "--fail-with-body",
            "--aws-sigv4",
            "aws:amz:us-east-1:cloudfront",
        ]);
        curl.args(["--user", &user]);
        Ok(curl)
    }
}

impl Cache for Warmfront {
    fn addresses(&self) -> Vec<SocketAddr> {
        self.pops.clone()
    }

    fn host(&self) -> &str {
        "localhost"
    }

    /// CreateInvalidation, then GetInvalidation until it reads Completed.
    fn invalidate(&self, path: &str) -> Result<()> {
        let item = match self.by {
            By::Path => path.to_owned(),
            By::Tag => format!("#{}", tag_of(path)),
        };
        let mut command = Command::new(&self.program);
        command
            .args(["invalidate", "--wait", "--json", "--data"])
            .arg(self.process.folder());
        command.args(["--distribution", &self.distribution, &item]);
        let said = output(&mut command)?;
        let status: Value = serde_json::from_str(&said).with_context(|| format!("invalidate says {said:?}"))?;
        if status["Status"] != "Completed" {
            bail!("warmfront invalidate --wait says {said:?}");
        }
        Ok(())
    }
}
