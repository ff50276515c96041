use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A process that ends with its owner, and the folder it worked in.
pub(super) struct Process {
    pub(super) child: Child,
    pub(super) folder: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        // They end properly on SIGTERM, and take their workers along; std only knows SIGKILL.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder of its own in memory.
pub(super) fn folder_in_memory(name: &str) -> Result<PathBuf> {
    let folder = PathBuf::from(format!("/dev/shm/warmfront-conformance-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// A port that is free now.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

const TRIES_MAX: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// Returns once somebody listens there.
#[expect(clippy::disallowed_methods, reason = "other servers do not say when they are ready")]
pub(super) fn wait_for_port(port: u16) -> Result<()> {
    for _ in 0..TRIES_MAX {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    bail!("nothing listens on port {port}")
}

/// The first line that `program -V` or the like says.
pub(super) fn version(program: &str, argument: &str) -> Result<String> {
    let output = Command::new(program).arg(argument).output();
    let output = output.with_context(|| format!("{program} is not installed"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .next()
        .unwrap_or(program)
        .to_owned())
}
