use http::header::{CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName};

use crate::list::elements;

/// Whether `name` belongs to one connection and is never sent on, whatever Connection says.
///
/// Source: RFC 9110 section 7.6.1; RFC 9111 section 3.1 for the Proxy fields; CloudFront removes Trailer too.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    const KNOWN: [HeaderName; 7] = [
        CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    KNOWN.contains(name)
        || matches!(
            name.as_str(),
            "keep-alive" | "proxy-connection" | "proxy-authentication-info"
        )
}

/// The fields that Connection names (and options such as `close` that are no field), what is no name left out.
///
/// Source: RFC 9110 section 7.6.1.
pub fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let lines = headers.get_all(CONNECTION).iter();
    lines
        .flat_map(|line| elements(line.as_bytes()))
        .filter_map(|name| HeaderName::from_bytes(name).ok())
}

/// Removes the fields of [`is_hop_by_hop`] and those that Connection names.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = connection_options(headers).collect();
    let known = headers.keys().filter(|name| is_hop_by_hop(name)).cloned();
    let all: Vec<HeaderName> = known.chain(named).collect();
    for name in all {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
