use std::fs;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::race::reader::{Reader, head};
use crate::race::servers::process::{Folder, Process, free_address};
use crate::race::servers::varnish::PROGRAM;

const BODY_BYTES: usize = 1024;

/// What it says of itself.
pub fn version() -> Result<String> {
    let version = Command::new(PROGRAM).arg("-V").output()?;
    let text = String::from_utf8_lossy(&version.stderr).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// How many bytes Varnish, with its defaults and memory enough, takes for each of `n_responses` of 1 KB beyond their bodies:
/// what its worker grows by in the system's eyes while it caches them.
pub fn bookkeeping_bytes(n_responses: u64) -> Result<f64> {
    /// So that no thread, buffer or table is taken for bookkeeping.
    const N_FIRST: u64 = 2_000;
    let varnish = Varnish::start(origin()?)?;
    varnish.fetch(0..N_FIRST)?;
    let before = varnish.resident_bytes()?;
    varnish.fetch(N_FIRST..N_FIRST + n_responses)?;
    let more = varnish.resident_bytes()?.saturating_sub(before);
    varnish.hits(N_FIRST)?;
    Ok(more as f64 / n_responses.max(1) as f64 - BODY_BYTES as f64)
}

struct Varnish {
    _process: Process,
    manager: u32,
    address: SocketAddr,
}

impl Varnish {
    fn start(origin: SocketAddr) -> Result<Varnish> {
        let folder = Folder::new("varnish-memory")?;
        let address = free_address()?;
        let mut command = Command::new(PROGRAM);
        command
            .args(["-F", "-j", "none", "-T", "none", "-s", "malloc,16g", "-n"])
            .arg(folder.path());
        command.args(["-a", &address.to_string(), "-b", &origin.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::start(folder, &mut command)?;
        process.wait_for(address)?;
        Ok(Varnish {
            manager: process.child().id(),
            _process: process,
            address,
        })
    }

    fn fetch(&self, numbers: std::ops::Range<u64>) -> Result<()> {
        let mut reader = Reader::new(self.address, "store.test");
        for number in numbers {
            let answer = reader.get(&path(number))?;
            if answer.status != 200 || answer.body.len() != BODY_BYTES {
                bail!("varnish answers {} with {} bytes", answer.status, answer.body.len());
            }
        }
        Ok(())
    }

    /// An object that was cached is still there: nothing had to make room.
    fn hits(&self, number: u64) -> Result<()> {
        let answer = Reader::new(self.address, "store.test").get(&path(number))?;
        // X-Varnish names a second transaction if the answer is a hit (man page vsl, "X-Varnish").
        if answer.header("x-varnish").split(' ').count() != 2 {
            bail!("varnish has not kept what it cached");
        }
        Ok(())
    }

    /// VmRSS of the worker, the one child of the process that was started.
    fn resident_bytes(&self) -> Result<u64> {
        let manager = self.manager;
        let children = fs::read_to_string(format!("/proc/{manager}/task/{manager}/children"))?;
        let worker = children.split_whitespace().next().context("varnish has no worker")?;
        let status = fs::read_to_string(format!("/proc/{worker}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("no VmRSS")?.parse::<u64>()? * 1024)
    }
}

/// The paths of our own workload.
fn path(number: u64) -> String {
    format!("/assets/shop/products/{number:08}/overview.html")
}

/// A web server whose answers have the origin's fields of our own workload. It lasts as long as this process.
fn origin() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A client that goes away is its own affair.
            std::thread::spawn(move || drop(answer_all(connection)));
        }
    });
    Ok(address)
}

fn answer_all(connection: TcpStream) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {BODY_BYTES}\r\n\
         ETag: \"5eb63bbbe01eeed093cb22bb8f5acdc3\"\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n\
         Cache-Control: public, max-age=86400\r\nDate: Sun, 22 Nov 2026 10:00:01 GMT\r\nServer: AmazonS3\r\n\r\n"
    )
    .into_bytes();
    answer.resize(answer.len() + BODY_BYTES, b'x');
    let mut requests = BufReader::new(connection);
    loop {
        head(&mut requests)?;
        requests.get_mut().write_all(&answer)?;
    }
}
