use std::borrow::Cow;
use std::net::IpAddr;

use http::header::{HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Version};
use warmfront_model::{Behavior, KeyPart};

/// What the edge itself knows of a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerFacts {
    /// The viewer's address, as the edge's socket sees it.
    pub ip: IpAddr,
    /// Whether the request came over TLS.
    pub is_https: bool,
    /// The version of HTTP that it was sent in.
    pub version: Version,
}

/// The `CloudFront-*` request headers that are generated. Those about a viewer's place, network, port, TLS parameters and
/// fingerprints are not: nothing here knows them.
pub(crate) const GENERATED: [&str; 8] = [
    "cloudfront-forwarded-proto",
    "cloudfront-is-android-viewer",
    "cloudfront-is-desktop-viewer",
    "cloudfront-is-ios-viewer",
    "cloudfront-is-mobile-viewer",
    "cloudfront-is-smarttv-viewer",
    "cloudfront-is-tablet-viewer",
    "cloudfront-viewer-http-version",
];

/// The value of a `CloudFront-*` request header; `None` for those that are not generated. `name` is in lower case.
///
/// Source: CloudFront Developer Guide, "Add CloudFront request headers".
pub(crate) fn generated_header(name: &str, viewer: &HeaderMap, facts: &ViewerFacts) -> Option<HeaderValue> {
    let device = || Device::of(viewer);
    let value = match name {
        "cloudfront-forwarded-proto" if facts.is_https => "https",
        "cloudfront-forwarded-proto" => "http",
        "cloudfront-viewer-http-version" => match facts.version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2.0",
            Version::HTTP_3 => "3.0",
            _ => "1.1",
        },
        "cloudfront-is-android-viewer" => truth(device().android),
        "cloudfront-is-ios-viewer" => truth(device().ios),
        "cloudfront-is-mobile-viewer" => truth(device().form == Form::Mobile),
        "cloudfront-is-tablet-viewer" => truth(device().form == Form::Tablet),
        "cloudfront-is-smarttv-viewer" => truth(device().form == Form::SmartTv),
        "cloudfront-is-desktop-viewer" => truth(device().form == Form::Desktop),
        _ => return None,
    };
    Some(HeaderValue::from_static(value))
}

/// The headers that a request's cache key is made from: the viewer's, with generated values in place of all `CloudFront-*`
/// headers that the key names, whatever the viewer sent under these names.
pub fn keyed_headers<'a>(viewer: &'a HeaderMap, behavior: &Behavior, facts: &ViewerFacts) -> Cow<'a, HeaderMap> {
    let KeyPart::Whitelist(names) = &behavior.headers else {
        return Cow::Borrowed(viewer);
    };
    let mut headers = Cow::Borrowed(viewer);
    for name in names.iter().filter(|name| name.starts_with("cloudfront-")) {
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            continue;
        };
        match generated_header(name, viewer, facts) {
            Some(value) => {
                headers.to_mut().insert(header, value);
            }
            None if viewer.contains_key(&header) => {
                headers.to_mut().remove(header);
            }
            None => {}
        }
    }
    headers
}

fn truth(holds: bool) -> &'static str {
    if holds { "true" } else { "false" }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Desktop,
    Mobile,
    SmartTv,
    Tablet,
}

/// What a User-Agent says of a device. CloudFront does not publish its rules; these go by the words that browsers use.
struct Device {
    form: Form,
    android: bool,
    ios: bool,
}

impl Device {
    fn of(viewer: &HeaderMap) -> Device {
        let agent = viewer
            .get(USER_AGENT)
            .map_or(&b""[..], HeaderValue::as_bytes)
            .to_ascii_lowercase();
        let says = |words: &[&str]| {
            words
                .iter()
                .any(|word| agent.windows(word.len()).any(|window| window == word.as_bytes()))
        };
        let (android, mobile) = (says(&["android"]), says(&["mobi", "iphone", "ipod"]));
        let form = if says(&[
            "smarttv", "smart-tv", "smart tv", "googletv", "appletv", "hbbtv", "netcast", "web0s", "roku",
        ]) {
            Form::SmartTv
        } else if says(&["ipad", "tablet", "kindle", "silk/"]) || (android && !mobile) {
            Form::Tablet
        } else if mobile {
            Form::Mobile
        } else {
            Form::Desktop
        };
        Device {
            form,
            android,
            ios: says(&["iphone", "ipad", "ipod"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::testing::{behavior, headers, only};

    const FACTS: ViewerFacts = ViewerFacts {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        is_https: true,
        version: Version::HTTP_11,
    };

    fn check(user_agent: &str, expected: &[&str]) {
        let viewer = headers(&format!("user-agent: {user_agent}"));
        let true_ones: Vec<&str> = GENERATED
            .into_iter()
            .filter(|name| generated_header(name, &viewer, &FACTS).is_some_and(|value| value == "true"))
            .filter_map(|name| name.strip_prefix("cloudfront-is-")?.strip_suffix("-viewer"))
            .collect();
        assert_eq!(true_ones, expected, "{user_agent}");
    }

    #[test]
    fn devices_are_told_by_the_words_of_their_browsers() {
        check(
            "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/144.0",
            &["desktop"],
        );
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1",
            &["ios", "mobile"],
        );
        check(
            "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148 Safari/604.1",
            &["ios", "tablet"],
        );
        check(
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile Safari/537.36",
            &["android", "mobile"],
        );
        check(
            "Mozilla/5.0 (Linux; Android 15; SM-X910) Chrome/140.0 Safari/537.36",
            &["android", "tablet"],
        );
        check("Mozilla/5.0 (SMART-TV; Linux; Tizen 8.0) Safari/537.36", &["smarttv"]);
        check("curl/8.5.0", &["desktop"]);
    }

    #[test]
    fn scheme_and_version_are_the_connections() {
        let value = |name, facts| generated_header(name, &HeaderMap::new(), &facts).unwrap();
        assert_eq!(value("cloudfront-forwarded-proto", FACTS), "https");
        assert_eq!(
            value(
                "cloudfront-forwarded-proto",
                ViewerFacts {
                    is_https: false,
                    ..FACTS
                }
            ),
            "http"
        );
        for (version, text) in [
            (Version::HTTP_10, "1.0"),
            (Version::HTTP_11, "1.1"),
            (Version::HTTP_2, "2.0"),
        ] {
            assert_eq!(
                value("cloudfront-viewer-http-version", ViewerFacts { version, ..FACTS }),
                text
            );
        }
        assert_eq!(
            generated_header("cloudfront-viewer-country", &HeaderMap::new(), &FACTS),
            None
        );
    }

    #[test]
    fn a_key_holds_generated_values_and_never_the_viewers() {
        let viewer = headers("cloudfront-forwarded-proto: gopher\ncloudfront-viewer-country: XX\nx-a: 1");
        let plain = keyed_headers(&viewer, &behavior(), &FACTS);
        assert!(matches!(plain, Cow::Borrowed(_)));
        let named = Behavior {
            headers: only(&["cloudfront-forwarded-proto", "cloudfront-viewer-country", "x-a"]),
            ..behavior()
        };
        let keyed = keyed_headers(&viewer, &named, &FACTS);
        assert_eq!(keyed["cloudfront-forwarded-proto"], "https");
        assert!(!keyed.contains_key("cloudfront-viewer-country"));
        assert_eq!(keyed["x-a"], "1");
    }
}
