use super::*;
use crate::settings::IndexUrls;
use crate::site::tests::{site, view};

#[test]
fn all_forms_of_an_index_page() {
    let site = site();
    for (path, rewrites, expected) in [
        ("/index.html", false, &["/", "/index.html"][..]),
        ("/index.html", true, &["/", "/index.html"]),
        ("/x/index.html", false, &["/x/index.html"]),
        ("/x/index.html", true, &["/x", "/x/", "/x/index.html"]),
        ("/x/about.html", true, &["/x/about", "/x/about.html"]),
        ("/x/about.html", false, &["/x/about.html"]),
        ("/logo.png", true, &["/logo.png"]),
    ] {
        assert_eq!(url_forms(&site, path, rewrites), expected, "{path}");
    }
}

#[test]
fn without_a_default_root_object_the_root_is_no_page() {
    let site = Site {
        default_root_object: None,
        ..site()
    };
    assert_eq!(url_forms(&site, "/index.html", false), ["/index.html"]);
}

#[test]
fn query_strings_in_the_key_need_a_wildcard() {
    let mut site = site();
    site.default_view.query_in_key = true;
    assert_eq!(url_forms(&site, "/about.html", false), ["/about.html*"]);
}

#[test]
fn spelling_is_as_cloudfront_wants_it() {
    for (path, expected) in [
        ("/a b.html", "/a%20b.html"),
        ("/caf\u{e9}.html", "/caf%C3%A9.html"),
        ("/it's(1)+,;=:@&$!.html", "/it's(1)+,;=:@&$!.html"),
        ("/100%.html", "/100%25.html"),
        ("/what?.html", "/what%3F.html"),
        ("/[id].html", "/%5Bid%5D.html"),
        ("/chunks~main.js", "/chunks*"),
        ("/a*b.html", "/a*"),
    ] {
        assert_eq!(invalidation_path(path, false), expected);
    }
    assert_eq!(request_path("/a~b c*.js"), "/a~b%20c*.js");
}

#[test]
fn functions_and_websites_may_rewrite() {
    assert!(!may_rewrite_index(&view(), IndexUrls::Auto));
    assert!(may_rewrite_index(
        &View {
            runs_functions: true,
            ..view()
        },
        IndexUrls::Auto
    ));
    assert!(may_rewrite_index(
        &View {
            is_website: true,
            ..view()
        },
        IndexUrls::Auto
    ));
    assert!(may_rewrite_index(&view(), IndexUrls::Always));
    assert!(!may_rewrite_index(
        &View {
            is_website: true,
            ..view()
        },
        IndexUrls::Never
    ));
}
