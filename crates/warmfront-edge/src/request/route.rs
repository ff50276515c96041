use std::net::IpAddr;
use std::sync::Arc;

use http::StatusCode;
use warmfront_model::Behavior;
use warmfront_routing::host_name;

use crate::outcome::Reason;
use crate::request::accept::Accepted;
use crate::request::answer::EarlyAnswer;
use crate::snapshot::Site;

/// A request whose distribution and behavior are known.
#[derive(Clone, Copy)]
pub(crate) struct Routed<'a> {
    pub(crate) accepted: &'a Accepted,
    pub(crate) site: &'a Arc<Site>,
    pub(crate) behavior: &'a Behavior,
}

impl<'a> Routed<'a> {
    /// The distribution by the host, the behavior by the path.
    ///
    /// On a loopback listener, a request for `localhost` or an address goes to the only distribution, if there is one
    /// only. An unknown host gets 403, and so does a disabled distribution.
    ///
    /// Source: CloudFront Developer Guide, "Use custom URLs by adding alternate domain names".
    pub(crate) fn route(accepted: &'a Accepted) -> Result<Routed<'a>, EarlyAnswer> {
        let unknown = || {
            EarlyAnswer::Page(
                Reason::UnknownHost,
                StatusCode::FORBIDDEN,
                "Bad request. We can't connect to the server for this app or website at this time: \
                 no distribution answers to this host."
                    .into(),
            )
        };
        let site = find_site(accepted).ok_or_else(unknown)?;
        if !site.distribution.enabled {
            return Err(EarlyAnswer::Page(
                Reason::DistributionDisabled,
                StatusCode::FORBIDDEN,
                "Bad request. The distribution is disabled.".into(),
            ));
        }
        let behavior = site
            .distribution
            .behaviors
            .get(site.behaviors.select(accepted.path()))
            .ok_or_else(unknown)?;
        Ok(Routed {
            accepted,
            site,
            behavior,
        })
    }
}

/// The distribution that the host names; on a loopback listener, the only one answers to `localhost` and addresses, too.
pub(crate) fn find_site(accepted: &Accepted) -> Option<&Arc<Site>> {
    let host = host_name(accepted.authority().unwrap_or_default());
    let hosts = &accepted.snapshot.sites.hosts;
    let is_for_only = || accepted.viewer.listener_is_loopback && is_local(&host);
    hosts
        .find(&host)
        .or_else(|| is_for_only().then(|| hosts.only()).flatten())
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}
