use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::process::{Folder, Process};
use super::{Cache, Setup};
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
    program: PathBuf,
    setup: Setup,
    distribution: String,
    by: By,
    running: Mutex<Running>,
}

struct Running {
    process: Process,
    ready: Ready,
}

/// Where it listens.
struct Ready {
    control: String,
    /// Name and address.
    pops: Vec<(String, SocketAddr)>,
}

/// Two POPs under one regional node. Who is dropped is dropped soon.
const TOPOLOGY: &str = "lease = \"1s\"
[[region]]
name = \"us-east-1\"
regional_nodes = 1
pop = [{ name = \"IAD89-P3\" }, { name = \"IAD12-P1\" }]
";

impl Warmfront {
    /// Starts it on ports of its own.
    pub fn start(origin: SocketAddr, program: &Path, by: By, setup: Setup) -> Result<Warmfront> {
        let folder = Folder::new("warmfront")?;
        let log = folder.path().join("log");
        let mut command = serve(program, folder.path(), setup)?;
        command.args(["--origin", &format!("http://{origin}")]);
        let mut process = Process::start(folder, &mut command)?;
        let ready = Ready::read(&mut process)?;
        let log = fs::read_to_string(log)?;
        let named = log
            .split_once("warmfront: distribution ")
            .context("no distribution was named")?;
        let warmfront = Warmfront {
            program: program.to_owned(),
            setup,
            distribution: named.1.split(' ').next().unwrap_or_default().to_owned(),
            by,
            running: Mutex::new(Running { process, ready }),
        };
        if by == By::Tag {
            warmfront.read_tags()?;
        }
        Ok(warmfront)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> PathBuf {
        self.running().process.folder().to_owned()
    }

    fn control(&self) -> String {
        self.running().ready.control.clone()
    }

    /// UpdateDistribution: cache tags are in the header `Cache-Tag` from now on.
    fn read_tags(&self) -> Result<()> {
        const TAGS: &str = "<CacheTagConfig><HeaderName>Cache-Tag</HeaderName></CacheTagConfig></DistributionConfig>";
        let url = format!("{}/2020-05-31/distribution/{}", self.control(), self.distribution);
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
        let printed = output(Command::new(&self.program).args(["env", "--data"]).arg(self.folder()))?;
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
        self.running().ready.pops.iter().map(|(_, address)| *address).collect()
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
            .args(["invalidate", "--wait", "--no-count", "--json", "--data"])
            .arg(self.folder());
        command.args(["--distribution", &self.distribution, &item]);
        let said = output(&mut command)?;
        let status: Value = serde_json::from_str(&said).with_context(|| format!("invalidate says {said:?}"))?;
        if status["Status"] != "Completed" {
            bail!("warmfront invalidate --wait says {said:?}");
        }
        Ok(())
    }

    fn restart(&self) -> Result<()> {
        let mut running = self.running();
        let mut command = serve(&self.program, running.process.folder(), self.setup)?;
        running.process.replace(&mut command)?;
        running.ready = Ready::read(&mut running.process)?;
        Ok(())
    }

    fn disturb(&self, word: &str) -> Result<()> {
        let node = {
            let running = self.running();
            let (name, _) = running.ready.pops.get(1).context("there is no second POP")?;
            format!("{}/warmfront/nodes/{name}/{word}", running.ready.control)
        };
        output(self.curl()?.args(["-X", "POST", &node]))?;
        Ok(())
    }
}

/// The command that serves from `folder`.
fn serve(program: &Path, folder: &Path, setup: Setup) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(["serve", "--data"]).arg(folder);
    for listener in ["--control", "--edge", "--edge-https", "--bucket"] {
        command.args([listener, "127.0.0.1:0"]);
    }
    match setup {
        Setup::Restarted => {}
        Setup::RestartedOnDisk => {
            let disk = format!("{}:256MiB", folder.join("cache").display());
            command.args(["--disk", &disk]);
        }
        Setup::OneTier => {
            command.arg("--ephemeral");
        }
        Setup::TwoTiers | Setup::Disturbed => {
            let topology = folder.join("topology.toml");
            fs::write(&topology, TOPOLOGY)?;
            command.args(["--ephemeral", "--topology"]).arg(topology);
        }
    }
    if setup == Setup::Disturbed {
        command.arg("--disturb-nodes");
    }
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    command.stdout(Stdio::piped()).stderr(log);
    Ok(command)
}

impl Ready {
    /// Waits for the ready line.
    fn read(process: &mut Process) -> Result<Ready> {
        let stdout = process.child().stdout.take().context("warmfront has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).with_context(|| {
            let log = fs::read_to_string(process.folder().join("log")).unwrap_or_default();
            format!("warmfront did not become ready: {log}")
        })?;
        let pop = |pop: &Value| {
            let address = pop["edge"].as_str()?.trim_start_matches("http://").parse().ok()?;
            Some((pop["name"].as_str()?.to_owned(), address))
        };
        let pops = ready["pops"].as_array().and_then(|pops| pops.iter().map(pop).collect());
        Ok(Ready {
            control: ready["control"]
                .as_str()
                .context("the ready line names no API")?
                .to_owned(),
            pops: pops.context("the ready line names no POPs")?,
        })
    }
}
