//! What a scenario's settings make of a distribution: one origin, legacy settings that send on all query strings, and
//! nothing else in the key, until told otherwise.

use warmfront_model::managed_cache_policies;
use warmfront_wire::convert::{managed_origin_request_policies, managed_response_headers_policies};

use crate::scenario::Setting;

/// What is written into the journal.
pub(crate) struct Configured {
    /// A DistributionConfig.
    pub(crate) xml: String,
    /// A custom cache policy: its Id and its CachePolicyConfig.
    pub(crate) cache_policy: Option<(String, String)>,
    /// Whether the origin is a bucket.
    pub(crate) has_bucket: bool,
}

const CUSTOM_POLICY: &str = "11111111-2222-4333-8444-555555555555";

struct Settings<'a>(&'a [(Setting, String)]);

impl<'a> Settings<'a> {
    fn get(&self, wanted: Setting) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(setting, _)| *setting == wanted)
            .map(|(_, value)| value.as_str())
    }

    fn words(&self, wanted: Setting) -> Option<Vec<&'a str>> {
        self.get(wanted).map(|value| value.split_whitespace().collect())
    }
}

/// The configuration that these settings describe.
///
/// # Errors
/// A setting whose value cannot be read, and what to write.
pub(crate) fn configured(settings: &[(Setting, String)], origin_port: u16) -> Result<Configured, String> {
    let settings = Settings(settings);
    let has_bucket = settings.get(Setting::Origin) == Some("bucket");
    let (caching, cache_policy) = caching(&settings)?;
    let behavior = behavior(&settings, &caching)?;
    let uncached = match settings.get(Setting::Uncached) {
        Some(pattern) => list("CacheBehaviors", &[element("CacheBehavior", &[uncached(pattern)])]),
        None => list("CacheBehaviors", &[]),
    };
    let errors = settings
        .words(Setting::ErrorTtl)
        .map_or(Ok(String::new()), |words| match words[..] {
            [status, secs] => {
                let inside = [element("ErrorCode", &[status]), element("ErrorCachingMinTTL", &[secs])];
                Ok(list("CustomErrorResponses", &[element("CustomErrorResponse", &inside)]))
            }
            _ => Err("error-ttl: write a status and seconds, such as 404 60".to_owned()),
        })?;
    let inside = [
        element("CallerReference", &["scenario"]),
        element("Comment", &[""]),
        element("Enabled", &["true"]),
        list("Origins", &[origin(origin_port, has_bucket)]),
        uncached,
        element("DefaultCacheBehavior", &[behavior]),
        errors,
    ];
    Ok(Configured {
        xml: element("DistributionConfig", &inside),
        cache_policy,
        has_bucket,
    })
}

fn origin(port: u16, is_bucket: bool) -> String {
    let (domain_name, kind) = if is_bucket {
        let inside = [element("OriginAccessIdentity", &[""])];
        ("bucket.s3.us-east-1.amazonaws.com", element("S3OriginConfig", &inside))
    } else {
        let inside = [
            element("HTTPPort", &[port.to_string()]),
            element("HTTPSPort", &["443"]),
            element("OriginProtocolPolicy", &["http-only"]),
        ];
        ("127.0.0.1", element("CustomOriginConfig", &inside))
    };
    let inside = [
        element("Id", &["origin"]),
        element("DomainName", &[domain_name]),
        kind,
        element("ConnectionAttempts", &["1"]),
    ];
    element("Origin", &inside)
}

fn uncached(pattern: &str) -> String {
    const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
    [
        element("PathPattern", &[pattern]),
        element("TargetOriginId", &["origin"]),
        element("ViewerProtocolPolicy", &["allow-all"]),
        element("CachePolicyId", &[CACHING_DISABLED]),
    ]
    .concat()
}

fn behavior(settings: &Settings<'_>, caching: &str) -> Result<String, String> {
    let methods = |setting, otherwise: &str| -> Vec<String> {
        let named = match settings.get(setting).unwrap_or(otherwise) {
            "all" => "GET HEAD OPTIONS PUT POST PATCH DELETE",
            named => named,
        };
        named
            .split_whitespace()
            .map(|method| element("Method", &[method]))
            .collect()
    };
    let cached = list("CachedMethods", &methods(Setting::CachedMethods, "GET HEAD"));
    let protocols = settings.get(Setting::ViewerProtocolPolicy).unwrap_or("allow-all");
    let mut inside = vec![
        element("TargetOriginId", &["origin"]),
        element("ViewerProtocolPolicy", &[protocols]),
        list_and("AllowedMethods", &methods(Setting::Methods, "all"), &cached),
        element(
            "Compress",
            &[(settings.get(Setting::Compress) == Some("yes")).to_string()],
        ),
        caching.to_owned(),
    ];
    if let Some(name) = settings.get(Setting::OriginRequestPolicy) {
        let found = managed_origin_request_policies()
            .iter()
            .find(|managed| is_named(&managed.config.name, name));
        let found = found.ok_or_else(|| format!("AWS manages no origin request policy {name:?}"))?;
        inside.push(element("OriginRequestPolicyId", &[&*found.policy.id]));
    }
    if let Some(name) = settings.get(Setting::ResponseHeadersPolicy) {
        let found = managed_response_headers_policies()
            .iter()
            .find(|managed| is_named(&managed.config.name, name));
        let found = found.ok_or_else(|| format!("AWS manages no response headers policy {name:?}"))?;
        inside.push(element("ResponseHeadersPolicyId", &[&*found.policy.id]));
    }
    Ok(inside.concat())
}

/// The part of a behavior that says what is cached and for how long, and the custom policy that it names.
fn caching(settings: &Settings<'_>) -> Result<(String, Option<(String, String)>), String> {
    let Some(policy) = settings.get(Setting::CachePolicy) else {
        return Ok((forwarded_values(settings)? + &ttl(settings)?, None));
    };
    if let Some(managed) = managed_cache_policies()
        .iter()
        .find(|managed| is_named(&managed.name, policy))
    {
        return Ok((element("CachePolicyId", &[&*managed.id]), None));
    }
    let encodings: Vec<&str> = policy.split_whitespace().collect();
    if let Some(unknown) = encodings
        .iter()
        .find(|word| !["custom", "gzip", "brotli"].contains(*word))
    {
        return Err(format!(
            "cache-policy: {unknown:?} is no managed policy: write its name, or custom [gzip] [brotli]"
        ));
    }
    let on = |name: &str| encodings.contains(&name).to_string();
    let key = [
        element("EnableAcceptEncodingGzip", &[on("gzip")]),
        element("EnableAcceptEncodingBrotli", &[on("brotli")]),
        part(
            settings.words(Setting::Headers),
            "HeadersConfig",
            "HeaderBehavior",
            "Headers",
        ),
        part(
            settings.words(Setting::Cookies),
            "CookiesConfig",
            "CookieBehavior",
            "Cookies",
        ),
        part(
            settings.words(Setting::QueryStrings),
            "QueryStringsConfig",
            "QueryStringBehavior",
            "QueryStrings",
        ),
    ];
    let inside = [
        element("Name", &["scenario"]),
        ttl(settings)?,
        element("ParametersInCacheKeyAndForwardedToOrigin", &key),
    ];
    let xml = element("CachePolicyConfig", &inside);
    let caching = element("CachePolicyId", &[CUSTOM_POLICY]);
    Ok((caching, Some((CUSTOM_POLICY.to_owned(), xml))))
}

/// `none`, `all`, names, or `except` and names.
fn part(words: Option<Vec<&str>>, config: &str, behavior: &str, items: &str) -> String {
    let words = words.unwrap_or_default();
    let (word, names) = match words[..] {
        [] | ["none"] => ("none", &[][..]),
        ["all"] => ("all", &[][..]),
        ["except", ref names @ ..] => ("allExcept", names),
        ref names => ("whitelist", names),
    };
    let mut inside = element(behavior, &[word]);
    if !names.is_empty() {
        inside += &named(items, names);
    }
    element(config, &[inside])
}

/// AWS's own policies are called `Managed-` and what everybody calls them.
fn is_named(managed: &str, name: &str) -> bool {
    managed.strip_prefix("Managed-").unwrap_or(managed) == name
}

fn ttl(settings: &Settings<'_>) -> Result<String, String> {
    let Some(words) = settings.words(Setting::Ttl) else {
        return Ok(element("MinTTL", &["0"]));
    };
    let names = ["MinTTL", "DefaultTTL", "MaxTTL"];
    if words.is_empty() || words.len() > names.len() {
        return Err("ttl: write MinTTL, DefaultTTL and MaxTTL in seconds; the last ones can be left out".to_owned());
    }
    Ok(names
        .iter()
        .zip(words)
        .map(|(name, secs)| element(name, &[secs]))
        .collect())
}

fn forwarded_values(settings: &Settings<'_>) -> Result<String, String> {
    let (query, keys) = match settings.words(Setting::QueryStrings).unwrap_or_else(|| vec!["all"])[..] {
        ["none"] => ("false", Vec::new()),
        ["all"] => ("true", Vec::new()),
        ref keys => ("true", keys.to_vec()),
    };
    let cookies = match settings.words(Setting::Cookies).unwrap_or_else(|| vec!["none"])[..] {
        ["none"] => element("Forward", &["none"]),
        ["all"] => element("Forward", &["all"]),
        ref names => element("Forward", &["whitelist"]) + &named("WhitelistedNames", names),
    };
    let headers = settings.words(Setting::Headers).unwrap_or_default();
    let inside = [
        element("QueryString", &[query]),
        element("Cookies", &[cookies]),
        named("Headers", &headers),
        named("QueryStringCacheKeys", &keys),
    ];
    Ok(element("ForwardedValues", &inside))
}

fn named(list_name: &str, names: &[&str]) -> String {
    let items: Vec<String> = names.iter().map(|name| element("Name", &[name])).collect();
    list(list_name, &items)
}

fn element(name: &str, inside: &[impl AsRef<str>]) -> String {
    let inside: Vec<&str> = inside.iter().map(AsRef::as_ref).collect();
    format!("<{name}>{}</{name}>", inside.concat())
}

/// A list in CloudFront's form: its Quantity and its Items.
fn list(name: &str, items: &[String]) -> String {
    list_and(name, items, "")
}

fn list_and(name: &str, items: &[String], more: &str) -> String {
    let quantity = element("Quantity", &[items.len().to_string()]);
    element(name, &[quantity, element("Items", &[items.concat()]), more.to_owned()])
}
