use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, COOKIE};
use warmfront_http::accepted_encodings;
use warmfront_model::{Behavior, DistributionId, KeyPart};

/// Methods that share cache entries.
///
/// Source: CloudFront Developer Guide, "Cache behavior settings", Allowed HTTP methods (GET and HEAD share; OPTIONS has
/// its own).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodClass {
    /// GET and HEAD.
    GetHead,
    /// OPTIONS.
    Options,
}

/// A cache key: what two requests must agree on to share a stored response.
///
/// Laid out as: length of the distribution's Id, the Id, method class, encodings, length of the path, length of the URL
/// (both 32 bits, big-endian), the URL, then headers and cookies. So a stored key can be read back, see [`CacheKey::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheKey<'a> {
    bytes: &'a [u8],
    distribution: &'a str,
    path: &'a [u8],
    url: &'a [u8],
}

impl<'a> CacheKey<'a> {
    /// Reads the bytes of a key back; `None` if they are no key.
    pub fn read(bytes: &'a [u8]) -> Option<CacheKey<'a>> {
        let (&id_length, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(id_length))?;
        let (_classes, rest) = rest.split_at_checked(2)?;
        let (path_length, rest) = rest.split_first_chunk::<4>()?;
        let (url_length, rest) = rest.split_first_chunk::<4>()?;
        let url = rest.get(..usize::try_from(u32::from_be_bytes(*url_length)).ok()?)?;
        let path = url.get(..usize::try_from(u32::from_be_bytes(*path_length)).ok()?)?;
        Some(CacheKey {
            bytes,
            distribution: std::str::from_utf8(id).ok()?,
            path,
            url,
        })
    }

    /// The whole key.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The distribution's Id.
    pub fn distribution(self) -> &'a str {
        self.distribution
    }

    /// The raw path, and `?` and the query string where the key has one: what an invalidation path is compared with.
    pub fn url(self) -> &'a [u8] {
        self.url
    }

    /// The raw path alone.
    pub fn path(self) -> &'a [u8] {
        self.path
    }
}

/// What a cache key is made from.
#[derive(Clone, Copy, Debug)]
pub struct KeyedRequest<'a> {
    /// The distribution that answers.
    pub distribution: &'a DistributionId,
    /// The behavior that its path matches.
    pub behavior: &'a Behavior,
    /// Which methods share the response.
    pub method: MethodClass,
    /// The raw path, with the default root object in place of `/`.
    pub path: &'a str,
    /// The query string without its `?`.
    pub query: Option<&'a str>,
    /// The viewer's headers.
    pub headers: &'a HeaderMap,
}

/// Writes the cache key of a request into `buffer`, which is cleared first.
///
/// Distribution, method class and URL are always part of the key; headers, cookies and encodings as the behavior says.
/// Parts are length-prefixed, so that no header value can look like another, and headers are named, so that after a change of
/// policy none is taken for another.
///
/// Source: CloudFront Developer Guide, "Understand the cache key".
pub fn write_cache_key<'b>(request: KeyedRequest<'_>, buffer: &'b mut Vec<u8>) -> CacheKey<'b> {
    let KeyedRequest {
        distribution,
        behavior,
        method,
        path,
        query,
        headers,
    } = request;
    let id = distribution.as_str();
    buffer.clear();
    buffer.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
    buffer.extend_from_slice(id.as_bytes());
    buffer.push(match method {
        MethodClass::GetHead => b'G',
        MethodClass::Options => b'O',
    });
    buffer.push(encoding_class(behavior, headers));
    let lengths_start = buffer.len();
    buffer.extend_from_slice(&[0; 8]);
    let url_start = buffer.len();
    buffer.extend_from_slice(path.as_bytes());
    let path_end = buffer.len();
    if let Some(query) = query {
        write_query(&behavior.query_strings, query, buffer);
    }
    let url_end = buffer.len();
    buffer[lengths_start..lengths_start + 4].copy_from_slice(&length(path_end - url_start));
    buffer[lengths_start + 4..url_start].copy_from_slice(&length(url_end - url_start));
    if let KeyPart::Whitelist(names) = &behavior.headers {
        for name in names {
            let values = headers.get_all(&**name).iter().map(http::HeaderValue::as_bytes);
            write_part(buffer, b'h', std::iter::once(name.as_bytes()).chain(values));
        }
    }
    if behavior.cookies != KeyPart::None {
        let mut cookies: Vec<(&[u8], &[u8])> = kept_cookies(&behavior.cookies, headers).collect();
        cookies.sort_unstable();
        for (name, value) in cookies {
            write_part(buffer, b'c', [name, value].into_iter());
        }
    }
    CacheKey {
        bytes: buffer,
        distribution: std::str::from_utf8(&buffer[1..=id.len()]).unwrap_or_default(),
        path: &buffer[url_start..path_end],
        url: &buffer[url_start..url_end],
    }
}

/// URLs and header values are far below 4 GiB: the listener bounds both.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

/// The query string as the cache key keeps it: only what `part` names, in the request's order. `None` if nothing is left.
pub fn kept_query(part: &KeyPart, query: &str) -> Option<String> {
    let mut kept = Vec::new();
    write_query(part, query, &mut kept);
    let kept = String::from_utf8(kept).ok()?;
    kept.strip_prefix('?').map(str::to_owned)
}

/// The query string as the origin sees it: the parameters that are in the key, or that the behavior's origin request policy
/// takes in, in the request's order; all of it where legacy settings say so. `None` if nothing is left.
///
/// Source: CloudFront Developer Guide, "Understand how origin request policies and cache policies work together".
pub fn forwarded_query(behavior: &Behavior, query: &str) -> Option<String> {
    let key = &behavior.query_strings;
    let more = behavior
        .origin_request_policy
        .as_ref()
        .map_or(&KeyPart::None, |policy| &policy.query_strings);
    if behavior.forward_whole_query {
        return Some(query.to_owned());
    }
    if *more == KeyPart::None {
        return kept_query(key, query);
    }
    if *key == KeyPart::All || *more == KeyPart::All {
        return kept_query(&KeyPart::All, query);
    }
    let is_kept = |parameter: &&str| {
        let name = parameter
            .split_once('=')
            .map_or(*parameter, |(name, _)| name)
            .as_bytes();
        !parameter.is_empty() && (names(key, name) || names(more, name))
    };
    let kept: Vec<&str> = query.split('&').filter(is_kept).collect();
    (!query.is_empty() && !kept.is_empty()).then(|| kept.join("&"))
}

/// Source: CloudFront Developer Guide, "Cache content based on query string parameters" (`&` alone separates; names and
/// values are case-sensitive; order matters). Nothing between two of them is no parameter.
fn write_query(part: &KeyPart, query: &str, buffer: &mut Vec<u8>) {
    if query.is_empty() || *part == KeyPart::None {
        return;
    }
    if *part == KeyPart::All {
        buffer.push(b'?');
        buffer.extend_from_slice(query.as_bytes());
        return;
    }
    let mut separator = b'?';
    for parameter in query.split('&') {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        if !parameter.is_empty() && names(part, name.as_bytes()) {
            buffer.push(separator);
            buffer.extend_from_slice(parameter.as_bytes());
            separator = b'&';
        }
    }
}

fn kept_cookies<'a>(part: &'a KeyPart, headers: &'a HeaderMap) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|cookie| !cookie.is_empty())
        .map(|cookie| match cookie.iter().position(|&byte| byte == b'=') {
            Some(at) => (&cookie[..at], &cookie[at + 1..]),
            None => (cookie, &b""[..]),
        })
        .filter(|(name, _)| names(part, name))
}

fn names(part: &KeyPart, name: &[u8]) -> bool {
    match part {
        KeyPart::None => false,
        KeyPart::All => true,
        KeyPart::Whitelist(listed) => listed.iter().any(|listed| listed.as_bytes() == name),
        KeyPart::AllExcept(listed) => !listed.iter().any(|listed| listed.as_bytes() == name),
    }
}

/// Which of the distinguished encodings the viewer accepts.
///
/// Source: CloudFront Developer Guide, "Serve compressed files", cache policy settings.
fn encoding_class(behavior: &Behavior, headers: &HeaderMap) -> u8 {
    let distinguished = behavior.accept_encoding;
    if !distinguished.gzip && !distinguished.brotli || !headers.contains_key(ACCEPT_ENCODING) {
        return b'0';
    }
    let accepted = accepted_encodings(headers);
    b'0' + u8::from(distinguished.gzip && accepted.gzip) + 2 * u8::from(distinguished.brotli && accepted.brotli)
}

fn write_part<'a>(buffer: &mut Vec<u8>, kind: u8, values: impl Iterator<Item = &'a [u8]>) {
    buffer.push(kind);
    for value in values {
        buffer.extend_from_slice(&length(value.len()));
        buffer.extend_from_slice(value);
    }
    buffer.extend_from_slice(&u32::MAX.to_be_bytes());
}

#[cfg(test)]
mod tests;
