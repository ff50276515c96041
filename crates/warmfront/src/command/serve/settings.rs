use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use warmfront_caching::Switches;
use warmfront_edge::{DiskCache, ExplainToken, RefillLimits};
use warmfront_model::AccountId;

use super::{Args, ClockKind};
use crate::allow::Allowed;
use crate::config::{Config, OriginConfig, QuotaConfig};
use crate::data_folder;
use crate::disk::DiskArgument;
use crate::endpoints::{POP_DEFAULT, PORTS_DEFAULT};
use crate::faults::Script;
use crate::listen::{Address, Listen, Wire};
use crate::memory;
use crate::outcome::Complaint;
use crate::profile::Profile;
use crate::server::OriginUrl;
use crate::topology::Topology;

/// What the flags and the configuration file come to.
#[derive(Debug)]
pub struct Settings {
    /// Where state is.
    pub data: Data,
    /// The account that was asked for.
    pub account: Option<AccountId>,
    /// Where to listen.
    pub listeners: Listeners,
    /// Where metrics and health are shown.
    pub admin: Option<Listen>,
    /// What those know who may ask for explanations.
    pub explain_token: Option<ExplainToken>,
    /// Where requests are logged.
    pub access_log: Option<PathBuf>,
    /// Bytes of responses kept in memory.
    pub memory_bytes: u64,
    /// Where responses are kept on disk.
    pub disk: Option<DiskCache>,
    /// Which nodes there are, each POP with its addresses.
    pub topology: Topology,
    /// Whether nodes may be paused and killed on request.
    pub disturb_nodes: bool,
    /// Which defaults hold.
    pub profile: Profile,
    /// What the caching rules are, by the profile and what the file changes of it.
    pub switches: Switches,
    /// Quotas in place of those of the profile.
    pub quotas: QuotaConfig,
    /// Where time comes from.
    pub clock: ClockKind,
    /// How long an invalidation is held back.
    pub propagation_delay: Duration,
    /// What goes wrong on demand.
    pub faults: Option<Arc<Script>>,
    /// A web server to put a distribution in front of.
    pub origin: Option<OriginUrl>,
    /// Origins that are allowed although they are not public.
    pub origin_allow: Vec<Allowed>,
    /// How many fetches fill the cache from one origin at a time, and how many wait for that.
    pub refills: RefillLimits,
}

/// Where state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// All of it in this folder.
    Kept(PathBuf),
    /// Nowhere, but for identity, authority and addresses, which are in this folder, or in a temporary one.
    Ephemeral(Option<PathBuf>),
}

/// Where to listen.
#[derive(Clone, Copy, Debug)]
pub struct Listeners {
    /// The CloudFront API.
    pub control: Listen,
    /// Viewers over HTTP.
    pub edge: Listen,
    /// Viewers over TLS.
    pub edge_https: Listen,
    /// The S3 API.
    pub bucket: Listen,
}

impl Listeners {
    fn new([control, edge, edge_https, bucket]: [SocketAddr; 4]) -> Listeners {
        let listen = |flag, address, wire| Listen { flag, address, wire };
        Listeners {
            control: listen("--control", control, Wire::Plain),
            edge: listen("--edge", edge, Wire::Plain),
            edge_https: listen("--edge-https", edge_https, Wire::Tls),
            bucket: listen("--bucket", bucket, Wire::Plain),
        }
    }

    /// All four, in the order of the ready line.
    pub fn all(&self) -> [Listen; 4] {
        [self.control, self.edge, self.edge_https, self.bucket]
    }
}

impl Settings {
    /// Every address to listen on.
    pub fn listeners(&self) -> Vec<Listen> {
        self.listeners
            .all()
            .into_iter()
            .chain(self.topology.listeners())
            .collect()
    }

    /// Whether only this machine can connect to any of them.
    pub fn loopback_alone(&self) -> bool {
        self.listeners().iter().all(Listen::is_loopback)
    }

    /// Puts flags before the file, and the file before the defaults.
    ///
    /// # Errors
    /// Names the flag that makes no sense, or the two that contradict each other.
    pub fn resolve(args: Args, config: Config) -> Result<Settings, Complaint> {
        let chosen = [
            args.control.or(config.listen.control),
            args.edge.or(config.listen.edge),
            args.edge_https.or(config.listen.edge_https),
            args.bucket.or(config.listen.bucket),
        ];
        let mut addresses = PORTS_DEFAULT.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        for (address, chosen) in addresses.iter_mut().zip(chosen) {
            if let Some(Address(chosen)) = chosen {
                *address = chosen;
            }
        }
        let listeners = Listeners::new(addresses);
        let allow_plain_http = args.allow_plain_http || config.listen.allow_plain_http;
        for listen in listeners.all() {
            listen.check_exposure(allow_plain_http)?;
        }
        let pop = args.pop.or(config.pop);
        if pop.is_some() && config.topology.is_some() {
            return Err(Complaint::usage("--pop: a topology names its POPs itself").hint("leave one of the two out"));
        }
        let topology = config
            .topology
            .unwrap_or_else(|| Topology::one(pop.as_deref().unwrap_or(POP_DEFAULT)));
        for listen in topology.listeners() {
            listen.check_exposure(allow_plain_http)?;
        }
        let topology = topology.with_addresses(listeners.edge.address, listeners.edge_https.address);
        let admin = args.admin.or(config.listen.admin).map(|Address(address)| Listen {
            flag: "--admin",
            address,
            wire: Wire::Plain,
        });
        if let Some(admin) = &admin {
            admin.check_exposure(allow_plain_http)?;
        }
        let memory_bytes = memory::resolve(args.memory.or(config.memory), memory::machine_bytes())?;
        let disk = args.disk.or(config.disk);
        if disk.is_some() && args.ephemeral {
            return Err(
                Complaint::usage("--disk: what an --ephemeral server stores is of no use to the next one")
                    .hint("leave one of the two out"),
            );
        }
        let profile = args.profile.or(config.profile.base).unwrap_or_default();
        let refills = refills(args.origin_fetches, &config.origin);
        let origin = args.origin.or(config.origin.url).map(OriginUrl::try_from).transpose();
        Ok(Settings {
            data: match (args.ephemeral, args.data) {
                (true, folder) => Data::Ephemeral(folder),
                (false, folder) => Data::Kept(folder.unwrap_or_else(|| data_folder::DEFAULT.into())),
            },
            account: args.account.or(config.account),
            listeners,
            admin,
            explain_token: args.explain_token.or(config.explain_token),
            access_log: args.access_log,
            memory_bytes,
            disk: disk.map(DiskArgument::resolve).transpose()?,
            topology,
            disturb_nodes: args.disturb_nodes,
            profile,
            switches: config.profile.switches(profile),
            quotas: config.quotas,
            clock: args.clock,
            propagation_delay: args.propagation_delay.or(config.propagation_delay).unwrap_or_default(),
            faults: args.faults.as_deref().map(Script::load).transpose()?.map(Arc::new),
            origin: origin.map_err(|error| Complaint::usage(format!("--origin {error}")))?,
            refills,
            origin_allow: [args.origin_allow, config.origin.allow].concat(),
        })
    }
}

fn refills(fetches: Option<NonZeroU32>, config: &OriginConfig) -> RefillLimits {
    let default = RefillLimits::default();
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let fetches = fetches.or(config.fetches_max);
    RefillLimits {
        fetches_max: fetches.map_or(default.fetches_max, |fetches| count(fetches.get())),
        queue_max: config.queue_max.map_or(default.queue_max, count),
        wait_max: config.queue_wait.unwrap_or(default.wait_max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<Address> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_the_defaults() {
        let mut config = Config::default();
        config.listen.control = address("127.0.0.1:1");
        config.listen.edge = address("127.0.0.1:2");
        config.memory = Some(memory::BYTES_MIN);
        config.profile.base = Some(Profile::Edge);
        let args = Args {
            control: address("127.0.0.1:11"),
            profile: Some(Profile::Aws),
            ..Args::default()
        };
        let settings = Settings::resolve(args, config).unwrap();
        let ports = settings.listeners.all().map(|listen| listen.address.port());
        assert_eq!(ports, [11, 2, 8443, 4566]);
        assert_eq!(settings.memory_bytes, memory::BYTES_MIN);
        assert_eq!(settings.profile, Profile::Aws);
        assert_eq!(settings.data, Data::Kept("./warmfront-data".into()));
    }

    #[test]
    fn plain_http_beyond_this_machine_is_refused_by_the_flag_that_asks_for_it() {
        for (args, flag) in [
            (
                Args {
                    control: address("0.0.0.0:0"),
                    ..Args::default()
                },
                "--control",
            ),
            (
                Args {
                    edge: address("[::]:0"),
                    ..Args::default()
                },
                "--edge ",
            ),
            (
                Args {
                    bucket: address("192.0.2.1:0"),
                    ..Args::default()
                },
                "--bucket",
            ),
            (
                Args {
                    admin: address("0.0.0.0:0"),
                    ..Args::default()
                },
                "--admin",
            ),
        ] {
            let error = Settings::resolve(args, Config::default()).unwrap_err().to_string();
            assert!(error.starts_with(flag), "{error}");
        }
        let args = Args {
            edge: address("0.0.0.0:0"),
            allow_plain_http: true,
            ..Args::default()
        };
        let settings = Settings::resolve(args, Config::default()).unwrap();
        assert!(!settings.loopback_alone());
        let args = Args {
            edge_https: address("0.0.0.0:0"),
            ..Args::default()
        };
        assert!(Settings::resolve(args, Config::default()).is_ok());
    }

    #[test]
    fn ephemeral_uses_a_named_folder_for_what_others_must_find() {
        let args = |data: Option<&str>| Args {
            ephemeral: true,
            data: data.map(Into::into),
            ..Args::default()
        };
        let data = |args| Settings::resolve(args, Config::default()).unwrap().data;
        assert_eq!(data(args(None)), Data::Ephemeral(None));
        assert_eq!(data(args(Some("d"))), Data::Ephemeral(Some("d".into())));
    }

    #[test]
    fn a_disk_for_a_server_that_keeps_nothing_is_refused() {
        let args = Args {
            ephemeral: true,
            disk: Some("cache:64MiB".parse().unwrap()),
            ..Args::default()
        };
        let error = Settings::resolve(args, Config::default()).unwrap_err().to_string();
        assert!(error.contains("--disk") && error.contains("--ephemeral"), "{error}");
    }
}
