use warmfront_model::{Distribution, ErrorCaching};

use super::ConfigError;
use super::error::{ensure, given};
use super::ttl::secs;
use crate::ErrorCode;
use crate::types::{CustomErrorResponse, DistributionConfig};

/// Statuses that can have a custom error response.
///
/// Source: CloudFront Developer Guide, "Generate custom error responses".
const ERROR_CODES: &[u16] = &[400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/// Checks the custom error responses, and gives how long errors are kept at least.
pub(super) fn error_caching(config: &DistributionConfig) -> Result<Vec<ErrorCaching>, ConfigError> {
    let mut checked: Vec<ErrorCaching> = Vec::new();
    for response in config
        .custom_error_responses
        .iter()
        .flat_map(|responses| &responses.items)
    {
        let caching = check(response)?;
        ensure(checked.iter().all(|other| other.status != caching.status), || {
            ConfigError::argument(format!(
                "The parameter ErrorCode contains {} more than once.",
                caching.status
            ))
        })?;
        checked.push(caching);
    }
    Ok(checked)
}

fn check(response: &CustomErrorResponse) -> Result<ErrorCaching, ConfigError> {
    let status = u16::try_from(response.error_code)
        .ok()
        .filter(|status| ERROR_CODES.contains(status));
    let status = status.ok_or_else(|| {
        let message = format!(
            "The parameter ErrorCode must be one of {ERROR_CODES:?}, not {}.",
            response.error_code
        );
        ConfigError::new(ErrorCode::InvalidErrorCode, message)
    })?;
    let page = given(response.response_page_path.as_ref());
    let code = given(response.response_code.as_ref());
    ensure(page.is_some() == code.is_some(), || {
        ConfigError::argument(
            "Your request must specify both ResponsePagePath and ResponseCode together or none of them.",
        )
    })?;
    ensure(page.is_none_or(|page| page.starts_with('/')), || {
        let message = format!(
            "The parameter ResponsePagePath must begin with /: {:?}.",
            page.unwrap_or_default()
        );
        ConfigError::new(ErrorCode::InvalidRelativePath, message)
    })?;
    let is_allowed = |code: &str| {
        code.parse()
            .is_ok_and(|code: u16| code == 200 || ERROR_CODES.contains(&code))
    };
    ensure(code.is_none_or(is_allowed), || {
        let code = code.unwrap_or_default();
        let message = format!("The parameter ResponseCode must be 200 or one of {ERROR_CODES:?}, not {code:?}.");
        ConfigError::new(ErrorCode::InvalidResponseCode, message)
    })?;
    let min_ttl_secs = match response.error_caching_min_ttl {
        Some(ttl) => secs("ErrorCachingMinTTL", ttl)?,
        None => Distribution::ERROR_CACHING_MIN_TTL_SECS_DEFAULT,
    };
    Ok(ErrorCaching { status, min_ttl_secs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(error_code: i32, page: Option<&str>, code: Option<&str>, ttl: Option<i64>) -> CustomErrorResponse {
        CustomErrorResponse {
            error_code,
            response_page_path: page.map(str::to_owned),
            response_code: code.map(str::to_owned),
            error_caching_min_ttl: ttl,
        }
    }

    #[test]
    fn an_error_may_have_a_page_or_only_a_ttl() {
        assert_eq!(
            check(&response(404, Some("/404.html"), Some("200"), Some(0))),
            Ok(ErrorCaching {
                status: 404,
                min_ttl_secs: 0
            })
        );
        assert_eq!(
            check(&response(503, Some(""), Some(""), None)),
            Ok(ErrorCaching {
                status: 503,
                min_ttl_secs: 10
            })
        );
    }

    #[test]
    fn each_rule_has_its_code() {
        for (response, code) in [
            (response(401, None, None, None), ErrorCode::InvalidErrorCode),
            (response(200, None, None, None), ErrorCode::InvalidErrorCode),
            (response(-1, None, None, None), ErrorCode::InvalidErrorCode),
            (response(404, Some("/404.html"), None, None), ErrorCode::InvalidArgument),
            (response(404, None, Some("200"), None), ErrorCode::InvalidArgument),
            (
                response(404, Some("404.html"), Some("200"), None),
                ErrorCode::InvalidRelativePath,
            ),
            (
                response(404, Some("/404.html"), Some("301"), None),
                ErrorCode::InvalidResponseCode,
            ),
            (
                response(404, Some("/404.html"), Some("ok"), None),
                ErrorCode::InvalidResponseCode,
            ),
            (response(404, None, None, Some(-1)), ErrorCode::InvalidArgument),
        ] {
            assert_eq!(check(&response).unwrap_err().code, code, "{response:?}");
        }
    }
}
