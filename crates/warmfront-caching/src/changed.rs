use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// The paths, with their query strings, whose stored responses an answered request makes invalid: its own, and those that
/// Location and Content-Location name on the same host.
///
/// None for a safe method, and for an answer that is an error. Methods whose safety is not known count as unsafe.
/// `host` is the viewer's Host, `target` path and query string as the viewer sent them.
///
/// Source: RFC 9111 section 4.4; RFC 9110 section 9.2.1.
pub fn changed_urls(
    method: &Method,
    status: StatusCode,
    (host, target): (&str, &str),
    response: &HeaderMap,
) -> Vec<String> {
    let is_safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if is_safe || !(status.is_success() || status.is_redirection()) {
        return Vec::new();
    }
    let mut changed = vec![target.to_owned()];
    let Ok(base) = Url::parse(&format!("http://{host}{target}")) else {
        return changed;
    };
    for name in [LOCATION, CONTENT_LOCATION] {
        for reference in response.get_all(name).iter().filter_map(|value| value.to_str().ok()) {
            changed.extend(on_the_same_host(&base, reference));
        }
    }
    changed
}

/// The scheme aside: both lead to the same stored responses.
fn on_the_same_host(base: &Url, reference: &str) -> Option<String> {
    let mut url = base.join(reference).ok()?;
    if url.scheme() == "https" && url.port().is_none() && base.port().is_none() {
        url.set_scheme("http").ok()?;
    }
    let same = url.host_str() == base.host_str() && url.port() == base.port() && url.scheme() == "http";
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    same.then(|| format!("{}{query}", url.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::headers;

    fn check(method: &Method, status: u16, response: &str, expected: &[&str]) {
        let status = StatusCode::from_u16(status).unwrap();
        let request = ("www.example.com:8080", "/a/b?c=1");
        assert_eq!(
            changed_urls(method, status, request, &headers(response)),
            expected,
            "{method} {status} {response}"
        );
    }

    #[test]
    fn an_unsafe_method_that_succeeds_changes_its_url() {
        let search = Method::from_bytes(b"M-SEARCH").unwrap();
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, search] {
            check(&method, 200, "", &["/a/b?c=1"]);
            check(&method, 303, "", &["/a/b?c=1"]);
            check(&method, 404, "", &[]);
            check(&method, 500, "", &[]);
        }
    }

    #[test]
    fn a_safe_method_changes_nothing() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            check(&method, 200, "location: /x", &[]);
        }
    }

    #[test]
    fn location_and_content_location_are_changed_on_the_same_host() {
        let post = |response: &str, expected: &[&str]| {
            let expected = [&["/a/b?c=1"], expected].concat();
            check(&Method::POST, 201, response, &expected);
        };
        post("location: /x?y=1", &["/x?y=1"]);
        post("location: x", &["/a/x"]);
        post("location: ../x", &["/x"]);
        post("content-location: http://www.example.com:8080/x", &["/x"]);
        post("content-location: //WWW.example.com:8080/x", &["/x"]);
        post("location: /x\ncontent-location: /y", &["/x", "/y"]);
        post("location: http://www.example.com/x", &[]);
        post("location: http://other.example.com:8080/x", &[]);
        post("location: ftp://www.example.com:8080/x", &[]);
        post("location: http://[", &[]);
    }
}
