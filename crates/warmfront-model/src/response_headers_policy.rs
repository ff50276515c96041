use std::sync::Arc;

/// A response headers policy: what is removed from and added to each response before a viewer gets it.
///
/// It acts on answers alone, never on what is stored, so a change shows on the next hit.
///
/// Source: CloudFront Developer Guide, "Understand response headers policies".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeadersPolicy {
    /// The policy's Id.
    pub id: Arc<str>,
    /// The policy's name, unique in the account.
    pub name: Arc<str>,
    /// Header names in lower case that are removed, before anything is added.
    pub remove: Vec<Arc<str>>,
    /// CORS headers, for requests with an Origin.
    pub cors: Option<Cors>,
    /// Security headers, ready to be sent, then custom headers.
    pub headers: Vec<PolicyHeader>,
    /// For how many responses in a hundred Server-Timing is added; `None`: for none.
    pub server_timing: Option<SamplingRate>,
}

/// One header that a policy adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyHeader {
    /// The name in lower case.
    pub name: Arc<str>,
    /// The value.
    pub value: Arc<str>,
    /// Whether it replaces the origin's, which stays otherwise.
    pub r#override: bool,
}

/// CORS headers.
///
/// Source: CloudFront API Reference, ResponseHeadersPolicyCorsConfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// At least one: `*` alone, or origins as they are compared with the header Origin; `*.` may stand before a domain.
    pub allow_origins: Vec<Arc<str>>,
    /// The value of Access-Control-Allow-Headers.
    pub allow_headers: Arc<str>,
    /// The value of Access-Control-Allow-Methods.
    pub allow_methods: Arc<str>,
    /// Whether Access-Control-Allow-Credentials is sent.
    pub allow_credentials: bool,
    /// The value of Access-Control-Expose-Headers, if there is one.
    pub expose_headers: Option<Arc<str>>,
    /// The value of Access-Control-Max-Age in seconds, if there is one.
    pub max_age_secs: Option<u32>,
    /// Whether these replace the origin's CORS headers, which stay otherwise.
    pub origin_override: bool,
}

/// What Access-Control-Allow-Origin says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`.
    Any,
    /// The request's own.
    Echo,
    /// Nothing: it is not allowed.
    None,
}

impl Cors {
    /// Whether a request with this Origin is allowed. `*.` stands for one or more labels before the rest. An origin that is
    /// listed without scheme is allowed with `http` and `https`.
    ///
    /// Source: CloudFront Developer Guide, "Understand response headers policies", Access-Control-Allow-Origin.
    pub fn allows(&self, origin: &str) -> AllowedOrigin {
        if self.allow_origins.iter().any(|allowed| &**allowed == "*") {
            return AllowedOrigin::Any;
        }
        let matches = self.allow_origins.iter().any(|allowed| is_origin(allowed, origin));
        if matches {
            AllowedOrigin::Echo
        } else {
            AllowedOrigin::None
        }
    }
}

/// Schemes and host names are compared without regard to case.
fn is_origin(allowed: &str, origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else {
        return allowed.eq_ignore_ascii_case(origin);
    };
    let host_allowed = match allowed.split_once("://") {
        Some((allowed_scheme, _)) if !allowed_scheme.eq_ignore_ascii_case(scheme) => return false,
        Some((_, host_allowed)) => host_allowed,
        None if matches!(scheme, "http" | "https") => allowed,
        None => return false,
    };
    match host_allowed.strip_prefix('*') {
        Some(suffix) => {
            let labels = host.len().checked_sub(suffix.len()).filter(|&length| length > 0);
            labels
                .and_then(|at| host.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        }
        None => host_allowed.eq_ignore_ascii_case(host),
    }
}

/// A percentage from 0 to 100 with up to four decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SamplingRate(u32);

impl SamplingRate {
    const PARTS: u32 = 1_000_000;

    /// Reads a percentage; `None` if it is not from 0 to 100.
    pub fn from_percent(percent: f64) -> Option<SamplingRate> {
        let in_range = (0.0..=100.0).contains(&percent);
        // In range, so at most a million.
        in_range.then_some(SamplingRate((percent * 10_000.0).round() as u32))
    }

    /// Whether a response is sampled, for a `random` value that is evenly distributed over all of its range.
    pub fn takes(self, random: u32) -> bool {
        (u64::from(random) * u64::from(Self::PARTS)) >> 32 < u64::from(self.0)
    }

    /// Whether nothing is ever sampled.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(allow_origins: &[&str]) -> Cors {
        Cors {
            allow_origins: allow_origins.iter().map(|&origin| origin.into()).collect(),
            allow_headers: "*".into(),
            allow_methods: "GET".into(),
            allow_credentials: false,
            expose_headers: None,
            max_age_secs: None,
            origin_override: false,
        }
    }

    #[test]
    fn origins_match_by_scheme_host_and_port() {
        let some = cors(&[
            "https://example.com",
            "*.example.org",
            "http://*.example.net:8080",
            "localhost:3000",
        ]);
        for allowed in [
            "https://example.com",
            "https://EXAMPLE.com",
            "http://a.example.org",
            "https://a.b.example.org",
            "http://a.example.net:8080",
            "http://localhost:3000",
        ] {
            assert_eq!(some.allows(allowed), AllowedOrigin::Echo, "{allowed}");
        }
        for refused in [
            "http://example.com",
            "https://example.com:8443",
            "https://example.org",
            "https://.example.org.evil.test",
            "https://evilexample.org",
            "https://a.example.net:8080",
            "http://a.example.net",
            "null",
            "",
            "ftp://a.example.org",
            "http://é",
        ] {
            assert_eq!(some.allows(refused), AllowedOrigin::None, "{refused}");
        }
        assert_eq!(cors(&["*"]).allows("null"), AllowedOrigin::Any);
    }

    #[test]
    fn a_rate_takes_its_share() {
        let rate = |percent| SamplingRate::from_percent(percent).unwrap();
        for random in [0, 1, u32::MAX / 2, u32::MAX] {
            assert!(rate(100.0).takes(random));
            assert!(!rate(0.0).takes(random));
        }
        assert!(rate(50.0).takes(u32::MAX / 2) && !rate(50.0).takes(u32::MAX / 2 + 1));
        assert!(rate(0.0001).takes(0) && !rate(0.0001).takes(u32::MAX / 1_000_000 + 1));
        for wrong in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert_eq!(SamplingRate::from_percent(wrong), None, "{wrong}");
        }
    }
}
