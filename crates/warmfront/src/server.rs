//! Control plane, edge and bucket in one process.

use anyhow::Context;
use tempfile::TempDir;
use warmfront_clock::Clock;
use warmfront_model::AccountId;

use crate::client::{ApiError, CloudFront, Http};
use crate::command::serve::{ClockKind, Data, Settings};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::endpoints::Endpoints;
use crate::identity::{ACCOUNT_DEFAULT, Identity};
use crate::outcome::Complaint;
use crate::private_file;

mod fleet;
mod fronts;
mod origin_url;
mod planes;
mod upkeep;

pub use fleet::{PopAddresses, Running};
pub use origin_url::OriginUrl;

/// A running server. [`Server::stop`] it; dropping it cuts requests off.
pub struct Server {
    folder: DataFolder,
    identity: Identity,
    planes: planes::Planes,
    // Bytes of an ephemeral server's bucket; they go away with this value.
    _ephemeral: Option<TempDir>,
}

impl Server {
    /// Starts everything; requests are answered when this returns.
    ///
    /// # Errors
    /// Names the flag and the way out where a flag can help.
    pub async fn start(settings: Settings) -> anyhow::Result<Server> {
        let folder = open_folder(&settings.data)?;
        let identity = identity(&folder, settings.account.as_ref())?;
        let ephemeral = match &settings.data {
            Data::Kept(_) => None,
            Data::Ephemeral(_) => Some(private_file::temporary_folder("warmfront-bucket-")?),
        };
        let (journal, bucket) = match &ephemeral {
            None => (Some(folder.path().join("journal")), folder.path().join("bucket")),
            Some(bucket) => (None, bucket.path().to_owned()),
        };
        let start = planes::Start {
            settings: &settings,
            identity: &identity,
            data: folder.path(),
            journal,
            bucket,
            clock: clock(settings.clock),
        };
        let planes = planes::Planes::start(start).await?;
        Ok(Server {
            folder,
            identity,
            planes,
            _ephemeral: ephemeral,
        })
    }

    /// Where it listens.
    pub fn endpoints(&self) -> &Endpoints {
        self.planes.endpoints()
    }

    /// Whose it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where its state, or at least its identity, is.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Makes the distribution in front of `origin`, or finds the one made at an earlier start; gives its Id.
    pub async fn ensure_origin(&self, origin: &OriginUrl) -> anyhow::Result<String> {
        let cloudfront = CloudFront::new(Http::new(), &self.endpoints().control, &self.identity.root);
        let made = cloudfront.ensure_origin(&origin.spec()).await;
        made.map_err(|error| match error.downcast_ref::<ApiError>() {
            Some(api) if api.code == "InvalidOrigin" => {
                Complaint::failed(format!("--origin {origin}: {}", api.message))
                    .hint("if origins may be there: --origin-allow ADDRESS (or a network, or localhost)")
                    .into()
            }
            _ => error.context(format!("--origin {origin}")),
        })
    }

    /// Lets the other commands find it.
    pub fn announce(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        self.endpoints()
            .store(folder)
            .with_context(|| format!("{}: the addresses cannot be written", folder.display()))
    }

    /// Returns, with what happened, when a plane has ended by itself. Cancel-safe.
    pub async fn failed(&mut self) -> anyhow::Error {
        self.planes.failed().await
    }

    /// Takes no more requests, lets those in progress finish, and writes down what is left to write.
    pub async fn stop(self) -> anyhow::Result<()> {
        Endpoints::remove(self.folder.path());
        self.planes.stop().await
    }
}

fn open_folder(data: &Data) -> Result<DataFolder, Complaint> {
    let opened = match data {
        Data::Kept(path) | Data::Ephemeral(Some(path)) => DataFolder::open(path),
        Data::Ephemeral(None) => DataFolder::temporary(),
    };
    let folder = opened.map_err(|error| match error {
        DataFolderError::InUse { .. } => Complaint::failed(format!("--data: {error}"))
            .hint("end that process, or give this one a folder of its own with --data DIR"),
        DataFolderError::Io { .. } => {
            Complaint::failed(format!("--data: {error}")).hint("choose a folder that can be written with --data DIR")
        }
    })?;
    if matches!(data, Data::Ephemeral(None)) {
        eprintln!(
            "warmfront: identity and addresses are in {}, until the end",
            folder.path().display()
        );
    }
    Ok(folder)
}

fn identity(folder: &DataFolder, asked: Option<&AccountId>) -> anyhow::Result<Identity> {
    let account = match asked {
        Some(account) => account.clone(),
        None => AccountId::parse(ACCOUNT_DEFAULT)?,
    };
    let identity = Identity::load_or_create(folder.path(), &account)?;
    if let Some(asked) = asked.filter(|asked| **asked != identity.account) {
        let message = format!(
            "--account {asked}: {} belongs to account {}",
            folder.path().display(),
            identity.account
        );
        return Err(Complaint::failed(message)
            .hint("leave --account out, or use another folder with --data DIR")
            .into());
    }
    Ok(identity)
}

fn clock(kind: ClockKind) -> Clock {
    match kind {
        ClockKind::System => Clock::system(),
        ClockKind::Manual => Clock::manual(Clock::system().now()),
    }
}
