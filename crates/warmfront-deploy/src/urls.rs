//! From files to the URLs that viewers use for them, spelt as an invalidation wants them.

use crate::site::{Site, View};

#[cfg(test)]
mod tests;

/// The paths of URLs under which viewers may have been shown what is at `url` (`/docs/index.html`), spelt for an invalidation.
/// Where the cache key holds query strings, each ends in `*`.
pub fn url_forms(site: &Site, url: &str, rewrites_index: bool) -> Vec<String> {
    let path = url.trim_start_matches('/');
    let mut forms = vec![url.to_owned()];
    let root_object = site.default_root_object.as_deref();
    if root_object.is_some_and(|root| root.trim_start_matches('/') == path) {
        forms.push("/".into());
    }
    if rewrites_index {
        if path == "index.html" {
            forms.push("/".into());
        } else if let Some(folder) = path.strip_suffix("/index.html") {
            forms.push(format!("/{folder}/"));
            forms.push(format!("/{folder}"));
        } else if let Some(stem) = path.strip_suffix(".html") {
            forms.push(format!("/{stem}"));
        }
    }
    forms.sort();
    forms.dedup();
    forms
        .iter()
        .map(|form| invalidation_path(form, site.view_of(form).query_in_key))
        .collect()
}

/// Spells a URL's path for an invalidation.
///
/// Only what RFC 1738 calls unsafe, what is not ASCII, and `?` is percent-encoded: CloudFront takes any other encoding for
/// another path and clears nothing. It cannot invalidate a path with `~`, nor tell a `*` in a name from a wildcard, so there the path
/// ends early, in a wildcard.
///
/// Source: CloudFront Developer Guide, "What you need to know when invalidating files".
pub fn invalidation_path(path: &str, any_query: bool) -> String {
    let mut spelt = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'~' | b'*' => {
                spelt.push('*');
                return spelt;
            }
            _ => push_encoded(&mut spelt, byte),
        }
    }
    if any_query {
        spelt.push('*');
    }
    spelt
}

/// The URL path for a viewer's request: like the invalidation's, but whole.
pub fn request_path(path: &str) -> String {
    let mut spelt = String::with_capacity(path.len());
    path.bytes().for_each(|byte| push_encoded(&mut spelt, byte));
    spelt
}

fn push_encoded(spelt: &mut String, byte: u8) {
    let unsafe_ascii = b" <>\"#%{}|\\^[]`?";
    if byte.is_ascii_graphic() && !unsafe_ascii.contains(&byte) {
        spelt.push(char::from(byte));
    } else {
        spelt.push_str(&format!("%{byte:02X}"));
    }
}

/// Whether a behavior may show `x/index.html` for `/x` and `/x/`.
pub fn may_rewrite_index(view: &View, wish: crate::settings::IndexUrls) -> bool {
    match wish {
        crate::settings::IndexUrls::Always => true,
        crate::settings::IndexUrls::Never => false,
        crate::settings::IndexUrls::Auto => view.runs_functions || view.is_website,
    }
}
