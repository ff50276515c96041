use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::origin::Origin;

/// A cache in front of the origin.
pub trait Server {
    /// As it stands in the table.
    fn name(&self) -> &'static str;

    /// Where it answers, without a trailing slash.
    fn url(&self) -> &str;

    /// Processor time of all its processes so far, in hundredths of a second.
    fn cpu_ticks(&self) -> Result<u64>;
}

/// A process that ends with its owner, and the folder in memory it worked in.
struct Process {
    child: Child,
    folder: PathBuf,
}

/// We ourselves, `serve --origin`.
pub struct Warmfront {
    name: &'static str,
    process: Process,
    url: String,
}

/// nginx with `proxy_cache` in a file system in memory.
pub struct Nginx {
    name: &'static str,
    process: Process,
    url: String,
}

impl Warmfront {
    /// Starts `program` on one core, on ports of its own.
    pub fn start(name: &'static str, program: &Path, origin: &Origin, core: &str) -> Result<Warmfront> {
        Warmfront::start_with(name, program, origin, core, |_| Vec::new())
    }

    /// The same with an access log, in a folder in memory, and metrics.
    pub fn start_logging(name: &'static str, program: &Path, origin: &Origin, core: &str) -> Result<Warmfront> {
        Warmfront::start_with(name, program, origin, core, |folder| {
            let log = folder.join("log").into_os_string();
            vec!["--admin".into(), "127.0.0.1:0".into(), "--access-log".into(), log]
        })
    }

    fn start_with(
        name: &'static str,
        program: &Path,
        origin: &Origin,
        core: &str,
        options: impl FnOnce(&Path) -> Vec<OsString>,
    ) -> Result<Warmfront> {
        let folder = folder_in_memory(name)?;
        let mut command = on_core(core, program);
        command
            .args(["serve", "--ephemeral", "--data"])
            .arg(folder.join("data"))
            .args(options(&folder));
        for listener in ["--control", "--edge", "--edge-https", "--bucket"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.args(["--origin", &format!("http://{}", origin.authority())]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start warmfront")?;
        let stdout = child.stdout.take().context("warmfront has no output")?;
        let process = Process { child, folder };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: serde_json::Value = serde_json::from_str(&line).context("warmfront did not become ready")?;
        let url = ready["edge"]
            .as_str()
            .context("the ready line names no edge")?
            .to_owned();
        Ok(Warmfront { name, process, url })
    }
}

impl Server for Warmfront {
    fn name(&self) -> &'static str {
        self.name
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn cpu_ticks(&self) -> Result<u64> {
        cpu_ticks(self.process.child.id())
    }
}

impl Nginx {
    /// Starts on one core, with one worker, on a port of its own, and logs like an edge if it is to.
    pub fn start(name: &'static str, origin: &Origin, core: &str, logs: bool) -> Result<Nginx> {
        let folder = folder_in_memory(name)?;
        // nginx cannot pick a port itself and tell which.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let configuration = folder.join("nginx.conf");
        fs::write(
            &configuration,
            nginx_configuration(&folder, port, &origin.authority(), logs),
        )?;
        let mut command = on_core(core, Path::new("nginx"));
        command
            .arg("-e")
            .arg(folder.join("error.log"))
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&configuration);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .context("cannot start nginx")?;
        let nginx = Nginx {
            name,
            process: Process { child, folder },
            url: format!("http://127.0.0.1:{port}"),
        };
        wait_for_port(port)?;
        Ok(nginx)
    }
}

impl Server for Nginx {
    fn name(&self) -> &'static str {
        self.name
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn cpu_ticks(&self) -> Result<u64> {
        let master = self.process.child.id();
        let workers = fs::read_to_string(format!("/proc/{master}/task/{master}/children"))?;
        std::iter::once(Ok(master))
            .chain(workers.split_whitespace().map(str::parse))
            .map(|process| cpu_ticks(process?))
            .sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both servers end properly on SIGTERM, and nginx takes its worker along; std only knows SIGKILL.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a careful operator sets for a cache of small objects: one worker for one core, long-lived connections, descriptors
/// of cached files kept open, hits sent from the file system's pages in memory; a log, if any, with what CloudFront's has
/// and nginx knows, buffered and compressed as ours is.
fn nginx_configuration(folder: &Path, port: u16, origin: &str, logs: bool) -> String {
    let folder = folder.display();
    let access_log = if logs {
        format!("access_log {folder}/log.gz cloudfront gzip=1 buffer=32k flush=1s;")
    } else {
        "access_log off;".to_owned()
    };
    format!(
        "daemon off;
worker_processes 1;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; use epoll; multi_accept on; }}
http {{
  log_format cloudfront '$time_iso8601\\t$hostname\\t$bytes_sent\\t$remote_addr\\t$request_method\\t$server_name\\t$uri\\t$status'
    '\\t$http_referer\\t$http_user_agent\\t$args\\t$upstream_cache_status\\t$request_id\\t$host\\t$scheme\\t$request_length'
    '\\t$request_time\\t$http_x_forwarded_for\\t$ssl_protocol\\t$ssl_cipher\\t$server_protocol\\t$remote_port'
    '\\t$sent_http_content_type\\t$sent_http_content_length';
  {access_log}
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  open_file_cache max=10000 inactive=600s;
  open_file_cache_valid 600s;
  open_file_cache_min_uses 1;
  client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_temp_path {folder}/proxy;
  proxy_cache_path {folder}/cache levels=1:2 keys_zone=hits:16m inactive=1h max_size=256m use_temp_path=off;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://{origin};
      proxy_cache hits;
      proxy_cache_key $uri;
    }}
  }}
}}
"
    )
}

fn on_core(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

fn folder_in_memory(name: &str) -> Result<PathBuf> {
    let folder = PathBuf::from(format!(
        "/dev/shm/warmfront-bench-{}-{}",
        std::process::id(),
        name.replace([' ', ','], "-")
    ));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

const START_MAX: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "nginx does not say when it is ready")]
fn wait_for_port(port: u16) -> Result<()> {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if began.elapsed() > START_MAX {
            bail!("nothing listens on port {port} after {START_MAX:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// utime and stime of a process with all its threads: fields 14 and 15 of `/proc/PID/stat` (proc(5)).
/// The second field, the program's name, may hold spaces, so counting begins behind its bracket.
fn cpu_ticks(process: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit_once(") ")
        .context("no process has this shape")?
        .1
        .split(' ')
        .collect();
    let field = |number: usize| -> Result<u64> {
        Ok(fields
            .get(number - 3)
            .with_context(|| format!("stat has no field {number}"))?
            .parse()?)
    };
    Ok(field(14)? + field(15)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_costs_processor_time() {
        let process = std::process::id();
        let before = cpu_ticks(process).unwrap();
        let began = Instant::now();
        while cpu_ticks(process).unwrap() <= before {
            assert!(began.elapsed() < START_MAX, "the count stands still");
        }
    }
}
