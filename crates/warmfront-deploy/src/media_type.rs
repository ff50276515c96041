/// Extensions for which `mime_guess` is wrong, outdated or silent about the character set.
///
/// Source: RFC 9239 (JavaScript), the WHATWG MIME Sniffing and HTML standards, W3C Web App Manifest, AVIF, WOFF.
const OVERRIDES: &[(&str, &str)] = &[
    ("atom", "application/atom+xml; charset=utf-8"),
    ("avif", "image/avif"),
    ("cjs", "text/javascript; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("rss", "application/rss+xml; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml; charset=utf-8"),
];

/// The Content-Type of the file with this path: by its extension, text with `charset=utf-8`, and
/// `application/octet-stream` for what nobody knows.
pub fn content_type(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let Some(extension) = extension else {
        return well_known(name).to_owned();
    };
    if let Ok(found) = OVERRIDES.binary_search_by(|(candidate, _)| candidate.cmp(&extension.as_str())) {
        return OVERRIDES[found].1.to_owned();
    }
    let Some(guess) = mime_guess::from_ext(&extension).first_raw() else {
        return "application/octet-stream".to_owned();
    };
    if guess.starts_with("text/") {
        format!("{guess}; charset=utf-8")
    } else {
        guess.to_owned()
    }
}

/// Names without an extension that a server must not offer for download.
fn well_known(name: &str) -> &'static str {
    match name {
        "apple-app-site-association" => "application/json",
        "CNAME" | "LICENSE" | "README" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_sorted_for_the_search() {
        assert!(OVERRIDES.is_sorted());
    }

    #[test]
    fn types_are_those_of_the_standards() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("INDEX.HTML", "text/html; charset=utf-8"),
            ("a/app.js", "text/javascript; charset=utf-8"),
            ("a/app.mjs", "text/javascript; charset=utf-8"),
            ("a/app.js.map", "application/json"),
            ("site.css", "text/css; charset=utf-8"),
            ("site.webmanifest", "application/manifest+json"),
            ("logo.png", "image/png"),
            ("photo.avif", "image/avif"),
            ("mod.wasm", "application/wasm"),
            ("font.woff2", "font/woff2"),
            (".well-known/apple-app-site-association", "application/json"),
            ("data.unheard-of", "application/octet-stream"),
            ("no-extension", "application/octet-stream"),
        ] {
            assert_eq!(content_type(path), expected, "{path}");
        }
    }
}
