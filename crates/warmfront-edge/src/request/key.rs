use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use http::Method;
use warmfront_caching::{Rules, keyed_headers, write_variant};
use warmfront_invalidation::{Names, NormalUrl};
use warmfront_model::{Distribution, OriginKind};
use warmfront_routing::{CacheKey, KeyedRequest, MethodClass, kept_query, request_path, write_cache_key};

use crate::node::Node;
use crate::request::admit::Admitted;
use crate::request::plan::selecting_headers;
use crate::request::route::Routed;
use crate::variants::Variant;

/// What stands in a key before the generation of a URL that was changed: no part of a key begins so.
const GENERATION: u8 = b'g';

/// A request that the cache may answer, with its key.
pub(crate) struct Keyed<'a> {
    pub(crate) routed: Routed<'a>,
    /// Whether an unsafe method changed the URL, in this edge alone: other nodes may have what was there before.
    pub(crate) changed_here: bool,
    buffer: KeyBuffer,
    /// How much of it is the key without a variant.
    primary_bytes: usize,
}

impl<'a> Keyed<'a> {
    /// The key of a request whose method is cached; `None`: it goes to the origin whatever the cache holds.
    pub(crate) fn key(node: &Node, Admitted(routed): Admitted<'a>) -> Option<Keyed<'a>> {
        let head = &routed.accepted.head;
        if !rules(&routed, 0).may_answer_from_cache(&head.method) {
            return None;
        }
        let mut buffer = KeyBuffer::take();
        let path = origin_path(&routed);
        let method = if head.method == Method::OPTIONS {
            MethodClass::Options
        } else {
            MethodClass::GetHead
        };
        let headers = keyed_headers(&head.headers, routed.behavior, &routed.accepted.facts());
        let key = write_cache_key(
            KeyedRequest {
                distribution: &routed.site.distribution.id,
                behavior: routed.behavior,
                method,
                path: &path,
                query: routed.accepted.query(),
                headers: &headers,
            },
            &mut buffer.0,
        );
        let generation = node.changes.generation(&routed.site.distribution.id, key.url());
        if let Some(generation) = generation {
            buffer.0.push(GENERATION);
            buffer.0.extend_from_slice(&generation.to_bytes());
        }
        Some(Keyed {
            routed,
            changed_here: generation.is_some(),
            primary_bytes: buffer.0.len(),
            buffer,
        })
    }

    /// The key's bytes, with the variant that has been selected.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer.0
    }

    /// The key's bytes without a variant.
    pub(crate) fn primary(&self) -> &[u8] {
        self.buffer.0.get(..self.primary_bytes).unwrap_or_default()
    }

    /// Makes the key that of the request's variant, if responses under it are known to vary. False: they are not.
    pub(crate) fn select_variant(&mut self, node: &Node) -> bool {
        let names = self
            .routed
            .accepted
            .switches
            .vary_selects
            .then(|| node.variants.names(self.primary()));
        let Some(names) = names.flatten() else {
            return false;
        };
        let sent = selecting_headers(&self.routed);
        self.buffer.0.truncate(self.primary_bytes);
        write_variant(&names, &sent, &mut self.buffer.0);
        true
    }

    /// Whether the request belongs to the variant `other`.
    pub(crate) fn is_of(&self, other: &Variant) -> bool {
        let sent = selecting_headers(&self.routed);
        Variant::of(self.primary(), Arc::clone(&other.names), &sent).key == other.key
    }

    /// The URLs that an invalidation can name what is stored under this key by.
    pub(crate) fn names(&self) -> Names<'_> {
        names_of_key(&self.buffer.0, &self.routed.site.distribution)
    }
}

/// What an invalidation can name the response stored under `key` by: the path, with its query string where the key has
/// one; for the default root object the distribution's root likewise; the tags in the field that is configured now.
pub(crate) fn names_of_key<'a>(key: &'a [u8], distribution: &'a Distribution) -> Names<'a> {
    let (path, url) = CacheKey::read(key).map_or((&b""[..], &b""[..]), |key| (key.path(), key.url()));
    let names = Names::new(url).or_tags_in(distribution.cache_tag_header.as_deref());
    if is_default_root(distribution, path) {
        names.or_root(url.get(path.len()..).unwrap_or_default())
    } else {
        names
    }
}

/// Whether `/` is answered from `path`, however that is spelled.
fn is_default_root(distribution: &Distribution, path: &[u8]) -> bool {
    let object = distribution.default_root_object.as_deref();
    object
        .zip(path.strip_prefix(b"/"))
        .is_some_and(|(object, path)| NormalUrl::is_same(path, object.as_bytes()))
}

/// The URL that the keys of `url` (path and query string, as a viewer would send it) have in a routed request's
/// distribution.
pub(crate) fn url_in_keys(routed: &Routed<'_>, url: &str) -> String {
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query)));
    let site = routed.site;
    let path = request_path(&site.distribution, path);
    let behavior = site.distribution.behaviors.get(site.behaviors.select(&path));
    let kept = behavior
        .zip(query)
        .and_then(|(behavior, query)| kept_query(&behavior.query_strings, query));
    kept.map_or_else(|| path.to_string(), |query| format!("{path}?{query}"))
}

/// The path at the origin: the default root object for `/`.
pub(crate) fn origin_path<'a>(routed: &Routed<'a>) -> Cow<'a, str> {
    request_path(&routed.site.distribution, routed.accepted.path())
}

/// The caching rules of a request's behavior, for a response with `status`.
pub(crate) fn rules<'a>(routed: &Routed<'a>, status: u16) -> Rules<'a> {
    let distribution = &routed.site.distribution;
    let is_bucket = distribution
        .origins
        .get(routed.behavior.origin)
        .is_some_and(|origin| matches!(origin.kind, OriginKind::S3(_)));
    Rules::new(
        routed.behavior,
        is_bucket,
        distribution.error_caching_min_ttl_secs(status),
        routed.accepted.switches,
    )
}

/// A buffer that is used again by the next request on this thread.
struct KeyBuffer(Vec<u8>);

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl KeyBuffer {
    fn take() -> KeyBuffer {
        KeyBuffer(SPARE.take())
    }
}

impl Drop for KeyBuffer {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.0));
    }
}
