use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Cache;
use super::process::{Folder, Process, free_address};
use crate::race::origin::tag_of;
use crate::race::reader::Reader;

/// Where Debian puts it.
pub const PROGRAM: &str = "/usr/sbin/varnishd";

/// The xkey module of varnish-modules.
pub const XKEY: &str = "/usr/lib/x86_64-linux-gnu/varnish/vmods/libvmod_xkey.so";

/// How it is invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `return (purge)`: removes the object and its variants.
    Purge,
    /// `std.ban()`: hides what matches.
    Ban,
    /// `xkey.purge()`: removes all objects with a tag.
    Xkey,
}

/// Varnish with its defaults, and the VCL that its documentation gives for invalidation.
pub struct Varnish {
    _process: Process,
    address: SocketAddr,
    by: By,
}

impl Varnish {
    /// Starts it on a port of its own.
    pub fn start(origin: SocketAddr, by: By) -> Result<Varnish> {
        let folder = Folder::new("varnish")?;
        let address = free_address()?;
        let vcl = folder.path().join("race.vcl");
        fs::write(&vcl, vcl_of(origin, by))?;
        let mut command = Command::new(PROGRAM);
        command
            .args(["-F", "-j", "none", "-T", "none", "-s", "malloc,64m", "-n"])
            .arg(folder.path());
        command.args(["-a", &address.to_string(), "-f"]).arg(&vcl);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::start(folder, &mut command)?;
        process.wait_for(address)?;
        Ok(Varnish {
            _process: process,
            address,
            by,
        })
    }
}

impl Cache for Varnish {
    fn addresses(&self) -> Vec<SocketAddr> {
        vec![self.address]
    }

    fn invalidate(&self, path: &str) -> Result<()> {
        let mut reader = Reader::new(self.address, self.host());
        let answer = match self.by {
            By::Purge => reader.ask("PURGE", path, &[])?,
            By::Ban => reader.ask("BAN", path, &[])?,
            By::Xkey => reader.ask("PURGE", path, &[("xkey-purge", &tag_of(path))])?,
        };
        if answer.status != 200 {
            bail!("varnish answers {} to an invalidation", answer.status);
        }
        Ok(())
    }
}

/// Source: Varnish Users Guide, "Purging and banning"; the man page vmod_xkey, "Example".
fn vcl_of(origin: SocketAddr, by: By) -> String {
    let (import, purge) = match by {
        By::Xkey => (
            "import xkey;",
            "set req.http.n-gone = xkey.purge(req.http.xkey-purge);
    return (synth(200, \"Invalidated \" + req.http.n-gone + \" objects\"));",
        ),
        By::Purge | By::Ban => ("", "return (purge);"),
    };
    format!(
        "vcl 4.1;
import std;
{import}
backend default {{ .host = \"{}\"; .port = \"{}\"; }}
acl purge {{ \"127.0.0.1\"; }}
sub vcl_recv {{
  if (req.method == \"PURGE\") {{
    if (client.ip !~ purge) {{ return (synth(405, \"Not allowed.\")); }}
    {purge}
  }}
  if (req.method == \"BAN\") {{
    if (client.ip !~ purge) {{ return (synth(403, \"Not allowed.\")); }}
    if (std.ban(\"req.http.host == \" + req.http.host + \" && req.url == \" + req.url)) {{
      return (synth(200, \"Ban added\"));
    }}
    return (synth(400, std.ban_error()));
  }}
}}
",
        origin.ip(),
        origin.port()
    )
}
