//! A distribution as a release sees it: which URLs lead to the bucket, how long they are cached, and by which key.

use warmfront_model::TtlBounds;

#[cfg(test)]
pub(crate) mod tests;

/// What a release needs to know of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its Id.
    pub distribution: String,
    /// Its ARN: `arn:aws:cloudfront::123456789012:distribution/E2QWRUHAPOMQZL`.
    pub arn: String,
    /// `d111111abcdef8.cloudfront.net`.
    pub domain_name: String,
    /// Whether its configuration has reached every edge: `Deployed`.
    pub is_deployed: bool,
    /// Whether it answers viewers.
    pub is_enabled: bool,
    /// DefaultRootObject; `None` if it is empty.
    pub default_root_object: Option<String>,
    /// The cache behaviors in order, each with its path pattern.
    pub views: Vec<(String, View)>,
    /// The default cache behavior.
    pub default_view: View,
    /// Every bucket that is an origin, with its OriginPath, whether a behavior uses it or not.
    pub buckets: Vec<(String, String)>,
    /// The custom error responses.
    pub error_pages: Vec<ErrorPage>,
    /// The header that carries cache tags, in lower case, if tags are switched on.
    pub tag_header: Option<String>,
}

/// What one behavior does with the requests it is chosen for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The bucket of its origin, if its origin is one.
    pub bucket: Option<String>,
    /// OriginPath, without a slash at its end.
    pub origin_path: String,
    /// Whether the origin is a web server (S3's website endpoint too), which may show an index page for a folder.
    pub is_website: bool,
    /// Whether a function may rewrite the URL.
    pub runs_functions: bool,
    /// How long responses are kept.
    pub ttl: TtlBounds,
    /// Whether query strings are part of the cache key.
    pub query_in_key: bool,
    /// Whether plain HTTP is refused or redirected.
    pub https_only: bool,
}

/// A custom error response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The origin's status.
    pub status: u16,
    /// The page shown instead, with its leading slash.
    pub page: Option<String>,
    /// ErrorCachingMinTTL in seconds.
    pub min_ttl_secs: u64,
}

/// ErrorCachingMinTTL where nothing is configured. Source: CloudFront Developer Guide, "Control how long CloudFront caches errors".
const ERROR_TTL_SECS_DEFAULT: u64 = 10;

impl Site {
    /// The behavior for a URL's path.
    pub fn view_of(&self, path: &str) -> &View {
        let matching = self.views.iter().find(|(pattern, _)| pattern_matches(pattern, path));
        matching.map_or(&self.default_view, |(_, view)| view)
    }

    /// All behaviors, the default one last.
    pub fn all_views(&self) -> impl Iterator<Item = &View> {
        self.views.iter().map(|(_, view)| view).chain([&self.default_view])
    }

    /// The prefix of keys below which the site lies in `bucket`: the origin path of the first behavior that leads there, the
    /// default one first. `None` if none does. Ends with `/` unless empty.
    pub fn prefix_in(&self, bucket: &str) -> Option<String> {
        let others = self.views.iter().map(|(_, view)| view);
        [&self.default_view]
            .into_iter()
            .chain(others)
            .find_map(|view| view.prefix_in(bucket))
    }

    /// The paths of all URLs that show the object under `key` of `bucket`, each with its behavior.
    ///
    /// A behavior may have an OriginPath of its own, so a URL belongs to a key only if its own behavior puts the two together.
    /// Source: CloudFront Developer Guide, "Origin settings", Origin path.
    pub fn urls_of(&self, bucket: &str, key: &str) -> Vec<(String, &View)> {
        let mut urls: Vec<(String, &View)> = Vec::new();
        for view in self.all_views() {
            let path = view.prefix_in(bucket).and_then(|prefix| key.strip_prefix(&*prefix));
            let Some(url) = path.map(|path| format!("/{path}")) else {
                continue;
            };
            if self.view_of(&url) == view && urls.iter().all(|(known, _)| *known != url) {
                urls.push((url, view));
            }
        }
        urls
    }

    /// Whether some behavior could serve a key of `bucket` that begins with `prefix`, now or when it is pointed to another origin.
    pub fn reaches(&self, bucket: &str, prefix: &str) -> bool {
        let origins = self.buckets.iter().filter(|(name, _)| name == bucket);
        let served = origins.map(|(_, origin_path)| key_prefix(origin_path));
        let served = served.chain(self.all_views().filter_map(|view| view.prefix_in(bucket)));
        { served }.any(|served| prefix.starts_with(&served) || served.starts_with(prefix))
    }

    /// How long the absence of a page may be remembered at the edge, in seconds: the longer of 403 and 404, since S3 answers
    /// either for a key that is not there.
    pub fn absence_ttl_secs(&self, view: &View) -> u64 {
        if view.ttl.caching_disabled() {
            return 0;
        }
        [403, 404]
            .map(|status| self.error_ttl_secs(status))
            .into_iter()
            .max()
            .unwrap_or(0)
    }

    fn error_ttl_secs(&self, status: u16) -> u64 {
        let page = self.error_pages.iter().find(|page| page.status == status);
        page.map_or(ERROR_TTL_SECS_DEFAULT, |page| page.min_ttl_secs)
    }
}

impl View {
    /// The prefix of keys that it serves if its origin is `bucket`.
    pub fn prefix_in(&self, bucket: &str) -> Option<String> {
        let leads_there = self.bucket.as_deref() == Some(bucket);
        leads_there.then(|| key_prefix(&self.origin_path))
    }
}

/// The prefix of keys for an OriginPath.
fn key_prefix(origin_path: &str) -> String {
    match origin_path.trim_matches('/') {
        "" => String::new(),
        path => format!("{path}/"),
    }
}

/// A path pattern: `*` any characters, `?` one, both `/` too; the whole path, case-sensitively; the leading slash may be left out.
///
/// Source: CloudFront Developer Guide, "Cache behavior settings", Path pattern.
pub fn pattern_matches(pattern: &str, path: &str) -> bool {
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern).as_bytes();
    let path = path.strip_prefix('/').unwrap_or(path).as_bytes();
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for &wanted in pattern {
        if wanted == b'*' {
            let first = reached.iter().position(|&here| here).unwrap_or(reached.len());
            reached[first..].fill(true);
        } else {
            for at in (0..path.len()).rev() {
                reached[at + 1] = reached[at] && (wanted == b'?' || wanted == path[at]);
            }
            reached[0] = false;
        }
    }
    reached[path.len()]
}

/// How long the edge may show a response with this Cache-Control without asking the origin, in whole seconds.
///
/// Source: CloudFront Developer Guide, "Manage how long content stays in the cache (expiration)"; stale-while-revalidate lets a response be shown
/// that much longer.
pub fn edge_ttl_secs(cache_control: Option<&str>, ttl: TtlBounds) -> u64 {
    if ttl.caching_disabled() {
        return 0;
    }
    let directives: Vec<String> = cache_control
        .unwrap_or_default()
        .split(',')
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    let has = |name: &str| {
        directives
            .iter()
            .any(|directive| directive.split('=').next() == Some(name))
    };
    if has("no-cache") || has("no-store") || has("private") {
        return ttl.min_secs;
    }
    let seconds = |name: &str| {
        let value = directives
            .iter()
            .find_map(|directive| directive.strip_prefix(name)?.strip_prefix('='))?;
        value.trim_matches('"').parse::<u64>().ok()
    };
    let fresh = match seconds("s-maxage").or_else(|| seconds("max-age")) {
        Some(lifetime) => lifetime.clamp(ttl.min_secs, ttl.max_secs.max(ttl.min_secs)),
        None => ttl.default_secs.max(ttl.min_secs),
    };
    fresh.saturating_add(seconds("stale-while-revalidate").unwrap_or(0))
}
