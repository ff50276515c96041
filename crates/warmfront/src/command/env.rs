use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::command::DataArg;
use crate::endpoints::Endpoints;
use crate::identity::{Identity, IdentityError};
use crate::outcome::Complaint;
use crate::shell::quote;
use crate::stdout;

/// Warmfront answers for every region; tools want to be told one.
pub const REGION: &str = "us-east-1";

/// How long `env` waits to find out whether the server is there.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: DataArg,
}

/// Prints the lines for a shell; what a person should know goes to standard error.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let folder = &args.data.folder;
    let identity = Identity::load(folder).map_err(|error| explain(error, folder))?;
    let running = Endpoints::load(folder).filter(|endpoints| answers(&endpoints.control));
    if running.is_none() {
        eprintln!(
            "warmfront: no server is running on {}; these are the default addresses. Start one: warmfront serve --data {}",
            folder.display(),
            quote(&folder.display().to_string())
        );
    }
    let endpoints = running.unwrap_or_else(|| Endpoints::default_of(folder));
    eprintln!(
        "warmfront: AWS CLI before 1.29 or 2.13 and boto3 before 1.28 ignore these endpoint variables and would talk to \
         AWS itself; pass them --endpoint-url."
    );
    stdout::print(&lines(&endpoints, &identity))?;
    Ok(())
}

/// Why there is no identity, and the way out.
pub fn explain(error: IdentityError, folder: &std::path::Path) -> Complaint {
    match error {
        IdentityError::Absent(_) => Complaint::failed(format!("--data {}: no server has run here", folder.display()))
            .hint(format!(
                "start one with: warmfront serve --data {}",
                quote(&folder.display().to_string())
            )),
        error => Complaint::failed(error.to_string()),
    }
}

/// The lines that `eval "$(warmfront env)"` takes in.
pub fn lines(endpoints: &Endpoints, identity: &Identity) -> String {
    let exports = [
        ("AWS_ENDPOINT_URL_CLOUDFRONT", endpoints.control.as_str()),
        ("AWS_ENDPOINT_URL_S3", &endpoints.bucket),
        ("AWS_ACCESS_KEY_ID", &identity.root.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", identity.root.secret_access_key.expose()),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
    ];
    let unsets = [
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    ];
    let mut lines = String::new();
    for (name, value) in exports {
        lines.push_str(&format!("export {name}={}\n", quote(value)));
    }
    for name in unsets {
        lines.push_str(&format!("unset {name}\n"));
    }
    lines
}

/// Whether something listens there. A file left behind by a killed server names an address where nothing does.
fn answers(url: &str) -> bool {
    let address = url
        .strip_prefix("http://")
        .and_then(|address| address.parse::<SocketAddr>().ok());
    address.is_some_and(|address| TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok())
}
