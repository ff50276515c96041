//! The caches in the race, each set up by its own documentation.

mod naive;
mod nginx;
pub mod process;
pub mod varnish;
mod warmfront;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};

use warmfront::By::{Path as ByPath, Tag as ByTag};

/// A running cache.
pub trait Cache: Sync {
    /// Where readers connect; they spread over all of these.
    fn addresses(&self) -> Vec<SocketAddr>;

    /// Which host they ask for.
    fn host(&self) -> &str {
        "race.test"
    }

    /// Invalidates an object, and returns once the cache has acknowledged it.
    ///
    /// # Errors
    /// When it does not.
    fn invalidate(&self, path: &str) -> Result<()>;

    /// Kills it and starts it again on what it has on disk.
    ///
    /// # Errors
    /// When it does not start, or is not made for that here.
    fn restart(&self) -> Result<()> {
        bail!("this cache is not restarted")
    }

    /// Tells the node that answers at the second address to pause, resume, kill or start.
    ///
    /// # Errors
    /// When it does not obey, or is not made for that here.
    fn disturb(&self, word: &str) -> Result<()> {
        bail!("this cache has no node that can be told to {word}")
    }
}

/// How a cache is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Alone.
    OneTier,
    /// Ours: two POPs under a regional node; others: two of the same kind, one behind the other.
    TwoTiers,
    /// Alone, on a folder that outlives it, with its cache in memory.
    Restarted,
    /// The same, with its cache on disk too.
    RestartedOnDisk,
    /// As [`Setup::TwoTiers`], with nodes that can be paused and killed.
    Disturbed,
}

/// A contestant: a product and a way of invalidating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// We, by path.
    Warmfront,
    /// We, by cache tag.
    WarmfrontTag,
    /// `return (purge)`.
    VarnishPurge,
    /// `ban()`.
    VarnishBan,
    /// `xkey.purge()`, of varnish-modules.
    VarnishXkey,
    /// ngx_cache_purge.
    NginxPurge,
    /// A map, and a purge that removes from it: broken on purpose, so that the race is seen to find what it looks for.
    Naive,
}

impl Contestant {
    /// All, in the order of the table.
    pub const ALL: [Contestant; 7] = [
        Contestant::Warmfront,
        Contestant::WarmfrontTag,
        Contestant::VarnishPurge,
        Contestant::VarnishBan,
        Contestant::VarnishXkey,
        Contestant::NginxPurge,
        Contestant::Naive,
    ];

    /// As it stands in the table.
    pub fn name(self) -> &'static str {
        match self {
            Contestant::Warmfront => "warmfront, path",
            Contestant::WarmfrontTag => "warmfront, tag",
            Contestant::VarnishPurge => "varnish, purge",
            Contestant::VarnishBan => "varnish, ban",
            Contestant::VarnishXkey => "varnish, xkey",
            Contestant::NginxPurge => "nginx, cache_purge",
            Contestant::Naive => "naive",
        }
    }

    /// What is missing on this machine; `None`: it can run.
    pub fn missing(self) -> Option<&'static str> {
        let there = |path: &str| Path::new(path).exists();
        match self {
            Contestant::Warmfront | Contestant::WarmfrontTag | Contestant::Naive => None,
            Contestant::VarnishPurge | Contestant::VarnishBan => {
                (!there(varnish::PROGRAM)).then_some("apt install varnish")
            }
            Contestant::VarnishXkey => {
                (!there(varnish::PROGRAM) || !there(varnish::XKEY)).then_some("apt install varnish varnish-modules")
            }
            Contestant::NginxPurge => (!there(nginx::PROGRAM) || !there(nginx::MODULE))
                .then_some("apt install nginx libnginx-mod-http-cache-purge"),
        }
    }

    /// Whether it invalidates by tag.
    pub fn by_tag(self) -> bool {
        matches!(self, Contestant::WarmfrontTag | Contestant::VarnishXkey)
    }

    /// Whether it is ours.
    pub fn is_ours(self) -> bool {
        matches!(self, Contestant::Warmfront | Contestant::WarmfrontTag)
    }

    /// Starts it in front of `origin`. `warmfront` is our program. `None`: it cannot be set up so.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(self, setup: Setup, origin: SocketAddr, warmfront: &Path) -> Result<Option<Box<dyn Cache>>> {
        let by = if self.by_tag() { ByTag } else { ByPath };
        Ok(match setup {
            _ if self.is_ours() => Some(Box::new(warmfront::Warmfront::start(origin, warmfront, by, setup)?)),
            Setup::OneTier => Some(self.start_one(origin)?),
            Setup::TwoTiers => {
                let parent = self.start_one(origin)?;
                let address = *parent.addresses().first().context("the parent has no address")?;
                let child = self.start_one(address)?;
                Some(Box::new(Tiers { child, parent }))
            }
            Setup::Restarted | Setup::RestartedOnDisk | Setup::Disturbed => None,
        })
    }

    fn start_one(self, origin: SocketAddr) -> Result<Box<dyn Cache>> {
        Ok(match self {
            Contestant::Warmfront | Contestant::WarmfrontTag => bail!("{} is started otherwise", self.name()),
            Contestant::VarnishPurge => Box::new(varnish::Varnish::start(origin, varnish::By::Purge)?),
            Contestant::VarnishBan => Box::new(varnish::Varnish::start(origin, varnish::By::Ban)?),
            Contestant::VarnishXkey => Box::new(varnish::Varnish::start(origin, varnish::By::Xkey)?),
            Contestant::NginxPurge => Box::new(nginx::Nginx::start(origin)?),
            Contestant::Naive => Box::new(naive::Naive::start(origin)?),
        })
    }
}

/// Two of the same kind: readers ask the child, the child asks the parent.
struct Tiers {
    child: Box<dyn Cache>,
    parent: Box<dyn Cache>,
}

impl Cache for Tiers {
    fn addresses(&self) -> Vec<SocketAddr> {
        self.child.addresses()
    }

    /// The parent first, so that the child does not fill itself anew from what the parent still has.
    fn invalidate(&self, path: &str) -> Result<()> {
        self.parent.invalidate(path)?;
        self.child.invalidate(path)
    }
}
