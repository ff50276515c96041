//! What a URL, a Host and cookies are made into.

use std::str;
use std::sync::Arc;

use warmfront_caching::forwarded_cookies;
use warmfront_invalidation::{InvalidationItem, NormalUrl, TAGS_MAX, cache_tags};
use warmfront_model::{CacheTag, DistributionId, KeyPart};
use warmfront_routing::{CacheKey, KeyedRequest, MethodClass, PathPattern, host_name, kept_query, write_cache_key};

use crate::input::{choice, field, halves, head};
use crate::targets::heads::behaviors;

fn some(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|&name| Arc::from(name)).collect()
}

fn parts() -> [KeyPart; 4] {
    [
        KeyPart::None,
        KeyPart::Whitelist(some(&["a", "b", ""])),
        KeyPart::AllExcept(some(&["a", ""])),
        KeyPart::All,
    ]
}

pub(super) fn cache_key(data: &[u8]) {
    let (which, rest) = choice(data);
    let (target, fields) = halves(rest);
    let Ok(target) = str::from_utf8(target) else { return };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let behaviors = behaviors();
    let headers = head(fields);
    let distribution = DistributionId::parse("E1U5RQF7T870K0").expect("an Id");
    let mut buffer = Vec::new();
    let key = write_cache_key(
        KeyedRequest {
            distribution: &distribution,
            behavior: &behaviors[usize::from(which) % behaviors.len()],
            method: MethodClass::GetHead,
            path,
            query,
            headers: &headers,
        },
        &mut buffer,
    );
    assert_eq!(key.path(), path.as_bytes());
    assert_eq!(CacheKey::read(key.bytes()), Some(key));
    // What is on disk may be anything.
    if let Some(read) = CacheKey::read(rest) {
        assert!(read.url().starts_with(read.path()));
    }
}

pub(super) fn cache_tag(data: &[u8]) {
    let values = data.split(|&byte| byte == b'\n');
    let tags: Vec<&str> = cache_tags(values).collect();
    assert!(tags.len() <= TAGS_MAX);
    for tag in tags {
        assert!((1..=CacheTag::LENGTH_MAX).contains(&tag.len()));
        assert!(tag.bytes().all(|byte| (33..=126).contains(&byte) && byte != b','));
        assert!(CacheTag::parse(tag).is_some());
    }
}

pub(super) fn cookies(data: &[u8]) {
    let viewer = field("cookie", data);
    for part in parts() {
        let Some(sent) = forwarded_cookies(&viewer, &part) else {
            continue;
        };
        // What the origin is sent is what it would be sent for it.
        let again = field("cookie", sent.as_bytes());
        assert_eq!(forwarded_cookies(&again, &part), Some(sent));
    }
}

pub(super) fn host(data: &[u8]) {
    let Ok(authority) = str::from_utf8(data) else { return };
    let name = host_name(authority);
    assert!(name.len() <= authority.len());
    assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()));
}

pub(super) fn invalidation_path(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match InvalidationItem::parse(text) {
        Ok(InvalidationItem::Exact(url)) => assert_eq!(url, NormalUrl::new(data)),
        Ok(InvalidationItem::Prefix(url)) => assert_eq!(url, NormalUrl::new(&data[..data.len() - 1])),
        Ok(InvalidationItem::Everything) => assert_eq!(text, "/*"),
        Ok(InvalidationItem::Tag(_)) => assert!(text.starts_with('#')),
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
}

pub(super) fn normal_url(data: &[u8]) {
    let normal = NormalUrl::new(data);
    assert!(normal.as_bytes().iter().all(u8::is_ascii_graphic));
    assert_eq!(NormalUrl::new(normal.as_bytes()), normal);
}

pub(super) fn path_pattern(data: &[u8]) {
    let (pattern, path) = halves(data);
    let (Ok(pattern), Ok(path)) = (str::from_utf8(pattern), str::from_utf8(path)) else {
        return;
    };
    let matches = PathPattern::new(pattern).matches(path);
    assert!(PathPattern::new("*").matches(path));
    // More wildcards match no less.
    if matches {
        assert!(PathPattern::new(&format!("{pattern}*")).matches(path));
    }
}

pub(super) fn query(data: &[u8]) {
    let Ok(query) = str::from_utf8(data) else { return };
    for part in parts() {
        let Some(kept) = kept_query(&part, query) else { continue };
        assert!(kept.len() <= query.len());
        assert_eq!(kept_query(&part, &kept), Some(kept.clone()), "{part:?}");
    }
}
