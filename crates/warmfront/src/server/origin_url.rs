use std::fmt;

use thiserror::Error;
use url::{Host, Url};

use crate::client::OriginSpec;

/// The URL of a web server that a distribution can stand in front of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginUrl {
    url: Url,
    host: String,
}

/// What was given is no such URL.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum OriginUrlError {
    /// Something else than HTTP.
    #[error("{0}: the URL of a web server begins with http:// or https://")]
    Scheme(Url),
    /// It names no host.
    #[error("{0}: the URL names no host")]
    Host(Url),
    /// A part that an origin cannot have.
    #[error("{0}: leave out user name, password, query and fragment: an origin is a scheme, a host, a port and a path")]
    Part(Url),
}

impl TryFrom<Url> for OriginUrl {
    type Error = OriginUrlError;

    fn try_from(url: Url) -> Result<OriginUrl, OriginUrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OriginUrlError::Scheme(url));
        }
        let has_more =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        if has_more {
            // The URL in a message must not show a password.
            let mut shown = url;
            let _ = shown.set_username("");
            let _ = shown.set_password(None);
            return Err(OriginUrlError::Part(shown));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            None => return Err(OriginUrlError::Host(url)),
        };
        Ok(OriginUrl { url, host })
    }
}

impl OriginUrl {
    /// The distribution for it. The caller reference follows from the URL alone, so that the next start finds the
    /// distribution of this one.
    pub fn spec(&self) -> OriginSpec {
        let https = self.url.scheme() == "https";
        OriginSpec {
            host: self.host.clone(),
            port: self.url.port_or_known_default().unwrap_or(if https { 443 } else { 80 }),
            https,
            path: self.url.path().trim_end_matches('/').to_owned(),
            caller_reference: format!("warmfront serve --origin {}", self.url),
            comment: format!("warmfront serve --origin {}", self.url)
                .chars()
                .take(128)
                .collect(),
        }
    }
}

impl fmt::Display for OriginUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OriginUrl, OriginUrlError> {
        OriginUrl::try_from(Url::parse(text).unwrap())
    }

    fn check(text: &str, host: &str, port: u16, https: bool, path: &str) {
        let spec = parse(text).unwrap().spec();
        assert_eq!(
            (&*spec.host, spec.port, spec.https, &*spec.path),
            (host, port, https, path),
            "{text}"
        );
    }

    #[test]
    fn scheme_host_port_and_path_are_taken_apart() {
        check("http://localhost:3000", "localhost", 3000, false, "");
        check("http://127.0.0.1:3000/", "127.0.0.1", 3000, false, "");
        check("https://example.com/app/", "example.com", 443, true, "/app");
        check("http://example.com", "example.com", 80, false, "");
        check("http://[::1]:3000/", "::1", 3000, false, "");
    }

    #[test]
    fn the_same_server_has_the_same_caller_reference_however_it_is_written() {
        let reference = |text: &str| parse(text).unwrap().spec().caller_reference;
        assert_eq!(reference("http://Example.com:80"), reference("http://example.com/"));
        assert_ne!(reference("http://example.com:81"), reference("http://example.com"));
    }

    #[test]
    fn what_an_origin_cannot_have_is_refused_without_showing_a_password() {
        assert!(matches!(parse("ftp://example.com"), Err(OriginUrlError::Scheme(_))));
        assert!(matches!(parse("http://example.com/?a"), Err(OriginUrlError::Part(_))));
        assert!(matches!(parse("http://example.com/#a"), Err(OriginUrlError::Part(_))));
        let error = parse("http://me:hunter2@example.com/").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
