use std::fmt::Write;

use warmfront_model::DistributionId;
use warmfront_wire::convert::with_defaults;
use warmfront_wire::from_xml;
use warmfront_wire::types::DistributionConfig;

use crate::Origin;

/// A distribution to test with: one custom origin and a behavior that caches by path alone, until told otherwise.
#[derive(Clone, Debug)]
pub struct Site {
    id: DistributionId,
    aliases: Vec<String>,
    default_root_object: String,
    enabled: bool,
    origins: Vec<OriginSite>,
    default_behavior: Behavior,
    behaviors: Vec<(String, Behavior)>,
    error_caching: Vec<(u16, u64)>,
    cache_tag_header: Option<String>,
    logging: Option<(String, bool)>,
}

/// An origin of a [`Site`].
#[derive(Clone, Debug)]
pub struct OriginSite {
    id: String,
    domain_name: String,
    path: String,
    custom_headers: Vec<(String, String)>,
    attempts: u32,
    read_timeout_secs: u32,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Custom { port: u16 },
    Bucket { access_control: String },
}

/// A cache behavior of a [`Site`].
#[derive(Clone, Debug)]
pub struct Behavior {
    origin: String,
    viewer_protocol_policy: String,
    allowed_methods: Vec<&'static str>,
    cached_methods: Vec<&'static str>,
    caching: Caching,
    ttl: Option<(u64, u64, u64)>,
}

#[derive(Clone, Debug)]
enum Caching {
    Policy(String),
    Legacy {
        query_string: bool,
        headers: Vec<String>,
        cookies: Vec<String>,
    },
}

const GET_HEAD: [&str; 2] = ["GET", "HEAD"];
const ALL_METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];

impl Site {
    /// Id of the first distribution of most tests.
    pub const ID: &str = "E1U5RQF7T870K0";

    /// With [`Site::ID`] and `origin`, whose Id is `web`.
    pub fn new(origin: &Origin) -> Site {
        Site::with_origin(Site::ID, OriginSite::custom("web", origin.port()))
    }

    /// With this Id and this origin.
    ///
    /// # Panics
    /// If `id` is none.
    pub fn with_origin(id: &str, origin: OriginSite) -> Site {
        Site {
            id: DistributionId::parse(id).expect("a distribution Id"),
            aliases: Vec::new(),
            default_root_object: String::new(),
            enabled: true,
            default_behavior: Behavior::to(&origin.id),
            origins: vec![origin],
            behaviors: Vec::new(),
            error_caching: Vec::new(),
            cache_tag_header: None,
            logging: None,
        }
    }

    /// With an alternate domain name.
    pub fn alias(mut self, alias: &str) -> Site {
        self.aliases.push(alias.to_owned());
        self
    }

    /// With DefaultRootObject.
    pub fn default_root_object(mut self, object: &str) -> Site {
        object.clone_into(&mut self.default_root_object);
        self
    }

    /// Disabled.
    pub fn disabled(mut self) -> Site {
        self.enabled = false;
        self
    }

    /// With another origin.
    pub fn origin(mut self, origin: OriginSite) -> Site {
        self.origins.push(origin);
        self
    }

    /// With this default cache behavior.
    pub fn default_behavior(mut self, behavior: Behavior) -> Site {
        self.default_behavior = behavior;
        self
    }

    /// With another cache behavior, after those that are there.
    pub fn behavior(mut self, path_pattern: &str, behavior: Behavior) -> Site {
        self.behaviors.push((path_pattern.to_owned(), behavior));
        self
    }

    /// With ErrorCachingMinTTL for a status.
    pub fn error_caching(mut self, status: u16, min_ttl_secs: u64) -> Site {
        self.error_caching.push((status, min_ttl_secs));
        self
    }

    /// With CacheTagConfig.HeaderName.
    pub fn cache_tag_header(mut self, name: &str) -> Site {
        self.cache_tag_header = Some(name.to_owned());
        self
    }

    /// With Logging, its Prefix and IncludeCookies.
    pub fn logging(mut self, prefix: &str, include_cookies: bool) -> Site {
        self.logging = Some((prefix.to_owned(), include_cookies));
        self
    }

    /// The Id.
    pub fn id(&self) -> &DistributionId {
        &self.id
    }

    /// Under which name the distribution is asked for.
    pub fn domain_name(&self) -> String {
        format!("d{}.cloudfront.net", self.id.as_str().to_ascii_lowercase())
    }

    /// The configuration as a client would send it, with CloudFront's defaults.
    ///
    /// # Panics
    /// If what was asked for is no configuration.
    pub fn config(&self) -> DistributionConfig {
        with_defaults(from_xml(self.xml().as_bytes()).expect("a DistributionConfig"))
    }

    fn xml(&self) -> String {
        let aliases: Vec<String> = self.aliases.iter().map(|alias| element("CNAME", alias)).collect();
        let origins: Vec<String> = self.origins.iter().map(OriginSite::xml).collect();
        let behaviors: Vec<String> = self
            .behaviors
            .iter()
            .map(|(pattern, behavior)| {
                let body = element("PathPattern", pattern) + &behavior.xml();
                element_around("CacheBehavior", &body)
            })
            .collect();
        let errors: Vec<String> = self
            .error_caching
            .iter()
            .map(|(status, secs)| {
                let body = element("ErrorCode", status) + &element("ErrorCachingMinTTL", secs);
                element_around("CustomErrorResponse", &body)
            })
            .collect();
        let body = [
            element("CallerReference", "test"),
            element("Comment", ""),
            element("Enabled", self.enabled),
            element("DefaultRootObject", &self.default_root_object),
            list("Aliases", &aliases),
            list("Origins", &origins),
            list("CacheBehaviors", &behaviors),
            element_around("DefaultCacheBehavior", &self.default_behavior.xml()),
            list("CustomErrorResponses", &errors),
            self.cache_tag_header.as_ref().map_or_else(String::new, |name| {
                element_around("CacheTagConfig", &element("HeaderName", name))
            }),
            self.logging.as_ref().map_or_else(String::new, |(prefix, cookies)| {
                let body = [
                    element("Enabled", true),
                    element("IncludeCookies", cookies),
                    element("Bucket", "logs.s3.amazonaws.com"),
                    element("Prefix", prefix),
                ];
                element_around("Logging", &body.concat())
            }),
        ];
        element_around("DistributionConfig", &body.concat())
    }
}

impl OriginSite {
    /// A custom origin on a port of this machine, asked over HTTP, once, with 30 s to answer.
    pub fn custom(id: &str, port: u16) -> OriginSite {
        OriginSite {
            id: id.to_owned(),
            domain_name: "127.0.0.1".to_owned(),
            path: String::new(),
            custom_headers: Vec::new(),
            attempts: 1,
            read_timeout_secs: 30,
            kind: Kind::Custom { port },
        }
    }

    /// A bucket, with an origin access control or (empty) without.
    pub fn bucket(id: &str, bucket: &str, access_control: &str) -> OriginSite {
        OriginSite {
            domain_name: format!("{bucket}.s3.eu-central-1.amazonaws.com"),
            kind: Kind::Bucket {
                access_control: access_control.to_owned(),
            },
            ..OriginSite::custom(id, 0)
        }
    }

    /// With OriginPath.
    pub fn path(mut self, path: &str) -> OriginSite {
        path.clone_into(&mut self.path);
        self
    }

    /// With a custom header.
    pub fn custom_header(mut self, name: &str, value: &str) -> OriginSite {
        self.custom_headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With ConnectionAttempts.
    pub fn attempts(mut self, attempts: u32) -> OriginSite {
        self.attempts = attempts;
        self
    }

    /// With OriginReadTimeout.
    pub fn read_timeout_secs(mut self, secs: u32) -> OriginSite {
        self.read_timeout_secs = secs;
        self
    }

    fn xml(&self) -> String {
        let headers: Vec<String> = self
            .custom_headers
            .iter()
            .map(|(name, value)| {
                let body = element("HeaderName", name) + &element("HeaderValue", value);
                element_around("OriginCustomHeader", &body)
            })
            .collect();
        let timeout = element("OriginReadTimeout", self.read_timeout_secs);
        let kind = match &self.kind {
            Kind::Custom { port } => {
                let body = [
                    element("HTTPPort", port),
                    element("HTTPSPort", 443),
                    element("OriginProtocolPolicy", "http-only"),
                    timeout,
                ];
                element_around("CustomOriginConfig", &body.concat())
            }
            Kind::Bucket { access_control } => {
                let config = element("OriginAccessIdentity", "") + &timeout;
                element_around("S3OriginConfig", &config) + &element("OriginAccessControlId", access_control)
            }
        };
        let body = [
            element("Id", &self.id),
            element("DomainName", &self.domain_name),
            element("OriginPath", &self.path),
            list("CustomHeaders", &headers),
            kind,
            element("ConnectionAttempts", self.attempts),
            element("ConnectionTimeout", 10),
        ];
        element_around("Origin", &body.concat())
    }
}

impl Behavior {
    /// Sends to the origin with this Id; GET and HEAD, over HTTP and HTTPS, caches by path alone.
    pub fn to(origin: &str) -> Behavior {
        Behavior {
            origin: origin.to_owned(),
            viewer_protocol_policy: "allow-all".to_owned(),
            allowed_methods: GET_HEAD.to_vec(),
            cached_methods: GET_HEAD.to_vec(),
            caching: Caching::Legacy {
                query_string: false,
                headers: Vec::new(),
                cookies: Vec::new(),
            },
            ttl: Some((0, 86_400, 31_536_000)),
        }
    }

    /// With a managed cache policy in place of ForwardedValues and TTLs.
    pub fn cache_policy(mut self, id: &str) -> Behavior {
        self.caching = Caching::Policy(id.to_owned());
        self.ttl = None;
        self
    }

    /// With ForwardedValues: whether the query string counts, and which headers and cookies do.
    pub fn forwards(mut self, query_string: bool, headers: &[&str], cookies: &[&str]) -> Behavior {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.caching = Caching::Legacy {
            query_string,
            headers: owned(headers),
            cookies: owned(cookies),
        };
        self
    }

    /// With MinTTL, DefaultTTL and MaxTTL in seconds.
    pub fn ttl(mut self, min: u64, default: u64, max: u64) -> Behavior {
        self.ttl = Some((min, default, max));
        self
    }

    /// With ViewerProtocolPolicy.
    pub fn viewer_protocol_policy(mut self, policy: &str) -> Behavior {
        policy.clone_into(&mut self.viewer_protocol_policy);
        self
    }

    /// All seven methods are allowed.
    pub fn all_methods(mut self) -> Behavior {
        self.allowed_methods = ALL_METHODS.to_vec();
        self
    }

    fn xml(&self) -> String {
        let method = |methods: &[&str]| -> Vec<String> { methods.iter().map(|it| element("Method", it)).collect() };
        let caching = match &self.caching {
            Caching::Policy(id) => element("CachePolicyId", id),
            Caching::Legacy {
                query_string,
                headers,
                cookies,
            } => forwarded_values(*query_string, headers, cookies),
        };
        let ttl = self.ttl.map_or(String::new(), |(min, default, max)| {
            element("MinTTL", min) + &element("DefaultTTL", default) + &element("MaxTTL", max)
        });
        let cached = list("CachedMethods", &method(&self.cached_methods));
        let body = [
            element("TargetOriginId", &self.origin),
            element("ViewerProtocolPolicy", &self.viewer_protocol_policy),
            list_and("AllowedMethods", &method(&self.allowed_methods), &cached),
            caching,
            ttl,
        ];
        body.concat()
    }
}

fn forwarded_values(query_string: bool, headers: &[String], cookies: &[String]) -> String {
    let named = |names: &[String]| -> Vec<String> { names.iter().map(|name| element("Name", name)).collect() };
    let cookies = match cookies {
        [] => element("Forward", "none"),
        [all] if all == "*" => element("Forward", "all"),
        some => element("Forward", "whitelist") + &list("WhitelistedNames", &named(some)),
    };
    let body = [
        element("QueryString", query_string),
        element_around("Cookies", &cookies),
        list("Headers", &named(headers)),
    ];
    element_around("ForwardedValues", &body.concat())
}

fn element(name: &str, text: impl ToString) -> String {
    let text = text.to_string().replace('&', "&amp;").replace('<', "&lt;");
    element_around(name, &text)
}

fn element_around(name: &str, inside: &str) -> String {
    format!("<{name}>{inside}</{name}>")
}

fn list(name: &str, items: &[String]) -> String {
    list_and(name, items, "")
}

/// A list in CloudFront's form: its Quantity, its Items, and `more`.
fn list_and(name: &str, items: &[String], more: &str) -> String {
    let mut inside = element("Quantity", items.len());
    let _ = write!(inside, "<Items>{}</Items>{more}", items.concat());
    element_around(name, &inside)
}
