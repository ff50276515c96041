use warmfront_model::{OriginRequestHeaders, OriginRequestPolicy};

use super::ConfigError;
use super::error::ensure;
use super::names::{List, check_headers, check_name, check_total_length};
use crate::ErrorCode;
use crate::types::{OriginRequestPolicyConfig, OriginRequestPolicyHeaderBehavior};

/// Checks an origin request policy. That its name is used once is for the caller to check.
///
/// # Errors
/// CloudFront's code for the first rule that is broken, and a message naming what broke it.
///
/// Source: CloudFront API Reference, OriginRequestPolicyConfig and the errors of CreateOriginRequestPolicy; CloudFront
/// Developer Guide, "Understand origin request policies" and "Quotas".
pub fn origin_request_policy(config: &OriginRequestPolicyConfig, id: &str) -> Result<OriginRequestPolicy, ConfigError> {
    check_name(&config.name, config.comment.as_ref())?;
    let headers = List {
        behavior: ("HeaderBehavior", config.headers_config.header_behavior.as_str()),
        names: config
            .headers_config
            .headers
            .as_ref()
            .map_or(&[][..], |names| &names.items[..]),
        too_many: ErrorCode::TooManyHeadersInOriginRequestPolicy,
    };
    let cookies = List {
        behavior: ("CookieBehavior", config.cookies_config.cookie_behavior.as_str()),
        names: config
            .cookies_config
            .cookies
            .as_ref()
            .map_or(&[][..], |names| &names.items[..]),
        too_many: ErrorCode::TooManyCookiesInOriginRequestPolicy,
    };
    let query_strings = List {
        behavior: (
            "QueryStringBehavior",
            config.query_strings_config.query_string_behavior.as_str(),
        ),
        names: config
            .query_strings_config
            .query_strings
            .as_ref()
            .map_or(&[][..], |names| &names.items[..]),
        too_many: ErrorCode::TooManyQueryStringsInOriginRequestPolicy,
    };
    check_total_length(&[headers.names, cookies.names, query_strings.names])?;
    Ok(OriginRequestPolicy {
        id: id.into(),
        name: config.name.as_str().into(),
        headers: header_part(&headers, config.headers_config.header_behavior)?,
        cookies: cookies.key_part()?,
        query_strings: query_strings.key_part()?,
    })
}

/// Authorization and Accept-Encoding can be named in a cache policy alone.
///
/// Source: CloudFront Developer Guide, "Understand origin request policies".
fn header_part(
    list: &List<'_>,
    behavior: OriginRequestPolicyHeaderBehavior,
) -> Result<OriginRequestHeaders, ConfigError> {
    let names = list.headers()?;
    Ok(match behavior {
        OriginRequestPolicyHeaderBehavior::None => OriginRequestHeaders::None,
        OriginRequestPolicyHeaderBehavior::AllViewer => OriginRequestHeaders::AllViewer,
        OriginRequestPolicyHeaderBehavior::AllExcept => OriginRequestHeaders::AllExcept(names),
        OriginRequestPolicyHeaderBehavior::Whitelist => {
            check_headers(&names, &["authorization", "accept-encoding"])?;
            OriginRequestHeaders::Whitelist(names)
        }
        OriginRequestPolicyHeaderBehavior::AllViewerAndWhitelistCloudFront => {
            ensure(names.iter().all(|name| name.starts_with("cloudfront-")), || {
                ConfigError::argument(
                    "The parameter Headers can name CloudFront headers only, with the HeaderBehavior \
                     allViewerAndWhitelistCloudFront.",
                )
            })?;
            OriginRequestHeaders::AllViewerAndWhitelistCloudFront(names)
        }
    })
}

#[cfg(test)]
mod tests {
    use warmfront_model::KeyPart;

    use super::*;
    use crate::from_xml;

    const FIXTURE: &[u8] = include_bytes!("../../tests/fixtures/origin-request-policy.xml");

    fn changed(change: impl FnOnce(&mut OriginRequestPolicyConfig)) -> OriginRequestPolicyConfig {
        let mut config = from_xml(FIXTURE).unwrap();
        change(&mut config);
        config
    }

    #[track_caller]
    fn refused(config: &OriginRequestPolicyConfig, code: ErrorCode, message: &str) {
        let error = origin_request_policy(config, "id").unwrap_err();
        assert_eq!(error.code, code, "{}", error.message);
        assert!(error.message.contains(message), "{}", error.message);
    }

    #[test]
    fn what_a_client_sends_is_the_policy() {
        let policy = origin_request_policy(&from_xml(FIXTURE).unwrap(), "id").unwrap();
        let names = ["referer".into(), "cloudfront-forwarded-proto".into()];
        assert_eq!((&*policy.id, &*policy.name), ("id", "referer-and-proto"));
        assert_eq!(policy.headers, OriginRequestHeaders::Whitelist(names.into()));
        assert_eq!(policy.cookies, KeyPart::AllExcept(vec!["session".into()]));
        assert_eq!(policy.query_strings, KeyPart::All);
    }

    #[test]
    fn each_header_behavior_has_its_value() {
        let with = |behavior, names: &[&str]| {
            let config = changed(|config| {
                config.headers_config.header_behavior = behavior;
                let headers = config.headers_config.headers.as_mut().unwrap();
                headers.items = names.iter().map(|&name| name.to_owned()).collect();
            });
            origin_request_policy(&config, "id").map(|policy| policy.headers)
        };
        use OriginRequestPolicyHeaderBehavior::{AllExcept, AllViewer, AllViewerAndWhitelistCloudFront, None};
        assert_eq!(with(None, &[]), Ok(OriginRequestHeaders::None));
        assert_eq!(with(AllViewer, &[]), Ok(OriginRequestHeaders::AllViewer));
        assert_eq!(
            with(AllExcept, &["Host"]),
            Ok(OriginRequestHeaders::AllExcept(vec!["host".into()]))
        );
        let country = vec!["cloudfront-viewer-country".into()];
        assert_eq!(
            with(AllViewerAndWhitelistCloudFront, &["CloudFront-Viewer-Country"]),
            Ok(OriginRequestHeaders::AllViewerAndWhitelistCloudFront(country))
        );
        for (behavior, names) in [
            (AllViewer, &["Host"][..]),
            (AllExcept, &[]),
            (AllViewerAndWhitelistCloudFront, &["Host"]),
        ] {
            assert_eq!(
                with(behavior, names).unwrap_err().code,
                ErrorCode::InvalidArgument,
                "{behavior:?}"
            );
        }
    }

    #[test]
    fn some_headers_belong_to_a_cache_policy() {
        for name in ["Authorization", "Accept-Encoding", "Connection"] {
            let config =
                changed(|config| config.headers_config.headers.as_mut().unwrap().items = vec![name.to_owned()]);
            refused(&config, ErrorCode::InvalidArgument, &name.to_ascii_lowercase());
        }
    }

    #[test]
    fn lists_have_ten_names_at_most() {
        let eleven: Vec<String> = (0..11).map(|number| format!("n{number}")).collect();
        let headers = changed(|config| config.headers_config.headers.as_mut().unwrap().items = eleven.clone());
        refused(&headers, ErrorCode::TooManyHeadersInOriginRequestPolicy, "10");
        let cookies = changed(|config| config.cookies_config.cookies.as_mut().unwrap().items = eleven.clone());
        refused(&cookies, ErrorCode::TooManyCookiesInOriginRequestPolicy, "10");
        refused(
            &changed(|config| config.name = "a b".to_owned()),
            ErrorCode::InvalidArgument,
            "Name",
        );
    }
}
