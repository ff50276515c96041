use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::Foreign;
use super::process::{Process, folder_in_memory, free_port, version, wait_for_port};

/// Varnish with its built-in rules, without the ten seconds of grace in which it sends what is stale, and with an hour in
/// which what is stale can be confirmed.
pub(super) fn start(origin_port: u16) -> Result<Foreign> {
    let folder = folder_in_memory("varnish")?;
    let port = free_port()?;
    let rules = folder.join("default.vcl");
    let text = format!("vcl 4.1;\nbackend default {{ .host = \"127.0.0.1\"; .port = \"{origin_port}\"; }}\n");
    fs::write(&rules, text)?;
    let mut command = Command::new("varnishd");
    command
        .arg("-F")
        .arg("-j")
        .arg("none")
        .arg("-n")
        .arg(folder.join("work"))
        .arg("-f")
        .arg(&rules);
    command
        .arg("-a")
        .arg(format!("127.0.0.1:{port}"))
        .args(["-s", "malloc,64m"]);
    command.args(["-p", "default_grace=0", "-p", "default_keep=3600"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = Process {
        child: child.context("cannot start varnishd")?,
        folder,
    };
    wait_for_port(port)?;
    Ok(Foreign {
        name: version("varnishd", "-V")?,
        server: SocketAddr::from(([127, 0, 0, 1], port)),
        _process: process,
    })
}
