use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A process that ends with its owner, and the folder it works in.
pub struct Process {
    child: Child,
    folder: Folder,
}

/// A folder in memory that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    pub fn new(name: &str) -> Result<Folder> {
        static N_FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let number = N_FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(format!(
            "/dev/shm/warmfront-race-{}-{number}-{name}",
            std::process::id()
        ));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Folder(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Process {
    /// Starts it.
    pub fn start(folder: Folder, command: &mut Command) -> Result<Process> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        Ok(Process { child, folder })
    }

    /// Kills it, as nothing but the machine's end would, and starts another in its folder.
    pub fn replace(&mut self, command: &mut Command) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        let program = command.get_program().to_string_lossy().into_owned();
        self.child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        Ok(())
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Returns once something listens there.
    #[expect(clippy::disallowed_methods, reason = "these programs do not say when they are ready")]
    pub fn wait_for(&mut self, address: SocketAddr) -> Result<()> {
        const START_MAX: Duration = Duration::from_secs(20);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}");
            }
            if began.elapsed() > START_MAX {
                bail!("nothing listens on {address} after {START_MAX:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // All of them end properly on SIGTERM, and take their workers along; std only knows SIGKILL.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago, for programs that cannot pick one and tell which.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
