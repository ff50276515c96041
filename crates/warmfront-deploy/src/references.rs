//! What a page loads: every script, style sheet, image, font and manifest that its HTML names on the same site.

use std::cell::RefCell;
use std::collections::BTreeSet;

use lol_html::html_content::Element;
use lol_html::{HtmlRewriter, Settings, element};
use url::Url;

mod modules;

pub use modules::module_references;

/// Which `rel` of a link makes browsers load it. Source: HTML Living Standard, "Link types".
const LOADED_RELS: &[&str] = &[
    "stylesheet",
    "icon",
    "manifest",
    "preload",
    "modulepreload",
    "apple-touch-icon",
    "mask-icon",
];

/// A page that names more than this is not read further.
const REFERENCES_MAX: usize = 1_000;

/// The URLs (path and query) on the same site that the page at `path` loads, as a browser would resolve them.
///
/// HTML that cannot be parsed gives what was found until then.
pub fn references(path: &str, html: &[u8]) -> BTreeSet<String> {
    let Ok(page) = Url::parse("https://site.invalid").and_then(|site| site.join(path)) else {
        return BTreeSet::new();
    };
    let found: RefCell<Vec<String>> = RefCell::default();
    let base: RefCell<Option<String>> = RefCell::default();
    let take = |element: &Element<'_, '_>, name: &str| {
        if let Some(value) = element.get_attribute(name) {
            found.borrow_mut().push(value);
        }
    };
    let take_set = |element: &Element<'_, '_>, name: &str| {
        let value = element.get_attribute(name).unwrap_or_default();
        found.borrow_mut().extend(candidates(&value));
    };
    let handlers = vec![
        element!("base[href]", |element| {
            base.borrow_mut()
                .get_or_insert(element.get_attribute("href").unwrap_or_default());
            Ok(())
        }),
        element!(
            "script[src], img, iframe[src], embed[src], audio[src], track[src], input[type=image]",
            |element| {
                take(element, "src");
                take_set(element, "srcset");
                Ok(())
            }
        ),
        element!("source, video", |element| {
            take(element, "src");
            take(element, "poster");
            take_set(element, "srcset");
            Ok(())
        }),
        element!("object[data]", |element| {
            take(element, "data");
            Ok(())
        }),
        element!("link[href]", |element| {
            let rels = element.get_attribute("rel").unwrap_or_default().to_ascii_lowercase();
            if rels.split_ascii_whitespace().any(|rel| LOADED_RELS.contains(&rel)) {
                take(element, "href");
            }
            Ok(())
        }),
    ];
    let settings = handlers
        .into_iter()
        .fold(Settings::new(), Settings::append_element_content_handler);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // What was found before an error still counts.
    let _ = rewriter.write(html).and_then(|()| rewriter.end());
    let base = base
        .take()
        .and_then(|href| page.join(&href).ok())
        .unwrap_or_else(|| page.clone());
    let resolved = found
        .take()
        .into_iter()
        .filter_map(|reference| same_site(&page, base.join(reference.trim()).ok()?));
    resolved.take(REFERENCES_MAX).collect()
}

/// The URLs on the same site that the style sheet at `path` loads: `url(…)` and `@import`, but not those in comments.
///
/// Source: CSS Syntax Module Level 3, "The URL token", and CSS Cascading and Inheritance, "@import".
pub fn css_references(path: &str, css: &str) -> BTreeSet<String> {
    let Ok(sheet) = Url::parse("https://site.invalid").and_then(|site| site.join(path)) else {
        return BTreeSet::new();
    };
    let mut found = Vec::new();
    let mut rest = css;
    while let Some(at) = rest.find(['u', 'U', '@', '/']) {
        rest = &rest[at..];
        let begins = |word: &str| {
            rest.get(..word.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        };
        if begins("/*") {
            rest = rest[2..].split_once("*/").map_or("", |(_, after)| after);
        } else if begins("url(") {
            let inner = &rest[4..];
            let end = inner.find(')').unwrap_or(inner.len());
            found.push(inner[..end].trim().trim_matches(['"', '\'']));
            rest = &inner[end..];
        } else if begins("@import") {
            rest = rest[7..].trim_start();
            if let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) {
                let inner = &rest[1..];
                found.push(&inner[..inner.find(quote).unwrap_or(inner.len())]);
            }
        } else {
            rest = &rest[1..];
        }
    }
    let own = |reference: &&str| !reference.is_empty() && !reference.starts_with('#');
    let found = found.into_iter().filter(own).take(REFERENCES_MAX);
    found
        .filter_map(|reference| same_site(&sheet, sheet.join(reference).ok()?))
        .collect()
}

fn same_site(page: &Url, mut url: Url) -> Option<String> {
    url.set_fragment(None);
    let is_same = url.host_str() == page.host_str() && matches!(url.scheme(), "https" | "http");
    is_same.then(|| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

/// The URLs of a `srcset`. Source: HTML Living Standard, "Parsing a srcset attribute".
fn candidates(srcset: &str) -> Vec<String> {
    let mut rest = srcset;
    let mut urls = Vec::new();
    loop {
        rest = rest.trim_start_matches(|char: char| char.is_ascii_whitespace() || char == ',');
        if rest.is_empty() {
            return urls;
        }
        let end = rest.find(|char: char| char.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        let without_commas = url.trim_end_matches(',');
        urls.push(without_commas.to_owned());
        rest = if without_commas.len() < url.len() {
            after
        } else {
            after.split_once(',').map_or("", |(_, rest)| rest)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, html: &str, expected: &[&str]) {
        assert_eq!(
            references(path, html.as_bytes()).iter().collect::<Vec<_>>(),
            expected,
            "{html}"
        );
    }

    #[test]
    fn everything_that_a_page_loads_is_found() {
        check(
            "/docs/a.html",
            r#"<link rel="Stylesheet preload" href=../a.css><link rel=canonical href=/no>
               <script src="/b.js?v=2#x"></script><script>var x = "<img src=no.png>"</script>
               <img src=c.png srcset="c1.png 1x,c2.png 2x, /c,3.png 3x"><video poster=d.jpg><source src=e.webm></video>
               <a href=no.html>no</a><object data=f.svg></object><!-- <img src=no.png> -->"#,
            &[
                "/a.css",
                "/b.js?v=2",
                "/c,3.png",
                "/docs/c.png",
                "/docs/c1.png",
                "/docs/c2.png",
                "/docs/d.jpg",
                "/docs/e.webm",
                "/docs/f.svg",
            ],
        );
    }

    #[test]
    fn other_sites_and_inline_data_are_not_ours() {
        check(
            "/",
            r#"<img src="https://elsewhere.example/a.png"><img src="data:image/png;base64,xx"><img src="//cdn.example/b">"#,
            &[],
        );
    }

    #[test]
    fn a_style_sheet_names_what_it_loads() {
        let css = "@import 'base.css'; @IMPORT url(\"print.css\") print; /* url(no.png) */ a{background:URL( ../i/a.png )} \
                   b{src:url('/f/b.woff2?v=1') format('woff2'),url(data:font/woff2;base64,xx)} \
                   c{fill:url(#g)} d{background:url(https://elsewhere.example/c.png)} ünicode{} e{background:url(";
        let found = css_references("/css/site.css", css);
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            ["/css/base.css", "/css/print.css", "/f/b.woff2?v=1", "/i/a.png"]
        );
    }

    #[test]
    fn the_base_element_counts() {
        check(
            "/docs/",
            r#"<base href="/app/"><script src=a.js></script>"#,
            &["/app/a.js"],
        );
    }
}
