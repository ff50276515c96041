//! Releases of a static site that cannot break half-way.
//!
//! The rules are pure: what a file's headers are, what changed, which URLs that concerns, what it costs, what a release
//! does next. Around them lies a thin rim: a bucket, a distribution, viewers.

mod affected;
pub mod cost;
mod cover;
mod diff;
mod digest;
pub mod event;
mod fingerprint;
mod headers;
mod hurry;
pub mod iam;
mod manifest;
mod media_type;
pub mod month;
pub mod patience;
pub mod plan;
pub mod price;
pub mod record;
mod references;
mod retention;
mod scan;
pub mod session;
mod settings;
mod site;
pub mod state;
pub mod target;
mod urls;
pub mod verify;

pub use cover::{FILES_MAX, Limits, WILDCARDS_MAX, cover};
pub use digest::{Digest, InvalidDigest};
pub use fingerprint::fingerprint;
pub use headers::{Class, Decision, Headers, InvalidRule, RuleConfig, Rules};
pub use manifest::{Entry, Manifest};
pub use scan::{DigestCache, LocalFile, ScanError, scan};
pub use settings::{FILE_NAME, IndexUrls, Settings, SettingsError, SettingsFile};
pub use site::{ErrorPage, Site, View};
