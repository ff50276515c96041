use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use warmfront_model::Distribution;

/// Which distribution a host name stands for. `T` is whatever the caller keeps of a distribution.
///
/// A distribution answers to its CloudFront domain name, to `ID.cloudfront.localhost` and to its aliases.
/// `*.example.com` stands for every name below `example.com`; the most specific name wins.
///
/// Source: CloudFront Developer Guide, "Use custom URLs by adding alternate domain names".
#[derive(Clone, Debug)]
pub struct HostTable<T> {
    exact: HashMap<Box<str>, Arc<T>, RandomState>,
    below: HashMap<Box<str>, Arc<T>, RandomState>,
    only: Only<T>,
}

#[derive(Clone, Debug)]
enum Only<T> {
    None,
    One(Arc<T>),
    Many,
}

impl<T> Default for HostTable<T> {
    fn default() -> Self {
        HostTable {
            exact: HashMap::default(),
            below: HashMap::default(),
            only: Only::None,
        }
    }
}

impl<T> HostTable<T> {
    /// Enters a distribution under all its names; it must be enabled for them to be answered, which is the caller's check.
    pub fn add(&mut self, distribution: &Distribution, value: Arc<T>) {
        self.exact
            .insert((*distribution.domain_name).into(), Arc::clone(&value));
        let local = format!("{}.cloudfront.localhost", distribution.id.as_str().to_ascii_lowercase());
        self.exact.insert(local.into(), Arc::clone(&value));
        for alias in &distribution.aliases {
            match alias.strip_prefix("*.") {
                Some(parent) => self.below.insert(parent.into(), Arc::clone(&value)),
                None => self.exact.insert((**alias).into(), Arc::clone(&value)),
            };
        }
        self.only = match self.only {
            Only::None => Only::One(value),
            Only::One(_) | Only::Many => Only::Many,
        };
    }

    /// The distribution that `host` (a name in lower case, see [`host_name`]) stands for.
    pub fn find(&self, host: &str) -> Option<&Arc<T>> {
        if let Some(found) = self.exact.get(host) {
            return Some(found);
        }
        let mut rest = host;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(found) = self.below.get(parent) {
                return Some(found);
            }
            rest = parent;
        }
        None
    }

    /// The only distribution there is, if there is exactly one.
    pub fn only(&self) -> Option<&Arc<T>> {
        match &self.only {
            Only::One(value) => Some(value),
            Only::None | Only::Many => None,
        }
    }
}

/// The host of a Host header or an authority: without its port, in lower case, without a trailing dot.
/// Borrowed where nothing changes.
pub fn host_name(authority: &str) -> std::borrow::Cow<'_, str> {
    let without_port = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    let name = without_port.strip_suffix('.').unwrap_or(without_port);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use warmfront_model::DistributionId;

    use super::*;

    fn distribution(id: &str, aliases: &[&str]) -> Distribution {
        Distribution {
            id: DistributionId::parse(id).unwrap(),
            domain_name: format!("d{}.cloudfront.net", id.to_ascii_lowercase()).into(),
            aliases: aliases.iter().map(|&alias| alias.into()).collect(),
            enabled: true,
            default_root_object: None,
            origins: Vec::new(),
            behaviors: Vec::new(),
            error_caching: Vec::new(),
            cache_tag_header: None,
            logging: None,
        }
    }

    fn table() -> HostTable<&'static str> {
        let mut table = HostTable::default();
        table.add(
            &distribution("E1U5RQF7T870K0", &["www.example.com", "*.example.com"]),
            Arc::new("first"),
        );
        table.add(
            &distribution("E2U5RQF7T870K0", &["*.img.example.com", "api.example.com"]),
            Arc::new("second"),
        );
        table
    }

    fn check(host: &str, expected: Option<&str>) {
        assert_eq!(table().find(&host_name(host)).map(|found| **found), expected, "{host}");
    }

    #[test]
    fn a_distribution_answers_to_all_its_names() {
        check("e1u5rqf7t870k0.cloudfront.localhost:8080", Some("first"));
        check("E1U5RQF7T870K0.CloudFront.localhost", Some("first"));
        check("de2u5rqf7t870k0.cloudfront.net", Some("second"));
        check("www.example.com.", Some("first"));
        check("api.example.com:443", Some("second"));
    }

    #[test]
    fn the_most_specific_alias_wins() {
        check("a.example.com", Some("first"));
        check("a.img.example.com", Some("second"));
        check("img.example.com", Some("first"));
        check("a.b.img.example.com", Some("second"));
    }

    #[test]
    fn unknown_hosts_stand_for_nothing() {
        for host in ["", "example.com", "localhost", "127.0.0.1:80", "[::1]:80", ":", "."] {
            check(host, None);
        }
    }

    #[test]
    fn an_ipv6_literal_keeps_its_colons() {
        assert_eq!(host_name("[::1]:8080"), "[::1]");
        assert_eq!(host_name("[::1]"), "[::1]");
    }

    #[test]
    fn only_one_is_the_only_one() {
        assert!(table().only().is_none());
        let mut table = HostTable::default();
        assert!(table.only().is_none());
        table.add(&distribution("E1U5RQF7T870K0", &[]), Arc::new("first"));
        assert_eq!(table.only().map(|only| **only), Some("first"));
    }
}
