use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Cache;
use super::process::{Folder, Process, free_address};
use crate::race::reader::Reader;

/// Where Debian puts it.
pub const PROGRAM: &str = "/usr/sbin/nginx";

/// ngx_cache_purge.
pub const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_cache_purge_module.so";

/// nginx with `proxy_cache` and ngx_cache_purge.
pub struct Nginx {
    _process: Process,
    address: SocketAddr,
}

impl Nginx {
    /// Starts it on a port of its own.
    pub fn start(origin: SocketAddr) -> Result<Nginx> {
        let folder = Folder::new("nginx")?;
        let address = free_address()?;
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, configuration_of(folder.path(), address, origin))?;
        let mut command = Command::new(PROGRAM);
        command
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .arg("-p")
            .arg(folder.path());
        command.arg("-c").arg(&configuration).stdout(Stdio::null());
        let mut process = Process::start(folder, &mut command)?;
        process.wait_for(address)?;
        Ok(Nginx {
            _process: process,
            address,
        })
    }
}

impl Cache for Nginx {
    fn addresses(&self) -> Vec<SocketAddr> {
        vec![self.address]
    }

    /// 200 says that something was removed, 404 that nothing is there to remove: the module has no other answer while a
    /// fetch is in flight, so both acknowledge.
    fn invalidate(&self, path: &str) -> Result<()> {
        let answer = Reader::new(self.address, self.host()).get(&format!("/purge{path}"))?;
        if !matches!(answer.status, 200 | 404) {
            bail!("nginx answers {} to a purge", answer.status);
        }
        Ok(())
    }
}

/// One request for an object at a time, expired copies revalidated, `stale-while-revalidate` obeyed.
///
/// Source: nginx documentation, ngx_http_proxy_module; ngx_cache_purge's README, "Sample configuration (separate location
/// syntax)".
fn configuration_of(folder: &Path, address: SocketAddr, origin: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "load_module {MODULE};
daemon off;
worker_processes 2;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_temp_path {folder}/proxy;
  proxy_cache_path {folder}/cache levels=1:2 keys_zone=race:16m inactive=1h max_size=256m use_temp_path=off;
  server {{
    listen {address};
    location / {{
      proxy_pass http://{origin};
      proxy_set_header Host $host;
      proxy_cache race;
      proxy_cache_key $uri$is_args$args;
      proxy_cache_lock on;
      proxy_cache_revalidate on;
      proxy_cache_use_stale updating;
      proxy_cache_background_update on;
    }}
    location ~ /purge(/.*) {{
      allow 127.0.0.1;
      deny all;
      proxy_cache_purge race $1$is_args$args;
    }}
  }}
}}
"
    )
}
