use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::Foreign;
use super::process::{Process, folder_in_memory, free_port, version, wait_for_port};

/// nginx with what brings `proxy_cache` closest to RFC 9111: conditions to the origin, stale answers where the response
/// allows them, the whole URL in the key.
pub(super) fn start(origin_port: u16) -> Result<Foreign> {
    let folder = folder_in_memory("nginx")?;
    let port = free_port()?;
    let configuration = folder.join("nginx.conf");
    let text = CONFIGURATION
        .replace("FOLDER", &folder.display().to_string())
        .replace("LISTEN", &port.to_string())
        .replace("ORIGIN", &origin_port.to_string());
    fs::write(&configuration, text)?;
    let mut command = Command::new("nginx");
    command
        .arg("-e")
        .arg(folder.join("error.log"))
        .arg("-p")
        .arg(&folder)
        .arg("-c")
        .arg(&configuration);
    let child = command.stdout(Stdio::null()).spawn().context("cannot start nginx")?;
    let process = Process { child, folder };
    wait_for_port(port)?;
    Ok(Foreign {
        name: version("nginx", "-v")?,
        server: SocketAddr::from(([127, 0, 0, 1], port)),
        _process: process,
    })
}

const CONFIGURATION: &str = "daemon off;
worker_processes 1;
user root;
pid FOLDER/nginx.pid;
error_log FOLDER/error.log crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path FOLDER/body;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  proxy_temp_path FOLDER/proxy;
  proxy_cache_path FOLDER/cache levels=1:2 keys_zone=scenarios:16m inactive=1h max_size=256m use_temp_path=off;
  server {
    listen 127.0.0.1:LISTEN;
    location / {
      proxy_pass http://127.0.0.1:ORIGIN;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_cache scenarios;
      proxy_cache_key $request_uri;
      proxy_cache_revalidate on;
      proxy_cache_background_update on;
    }
  }
}
";
