use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// `E` and 12 or 13 upper-case letters or digits, as CloudFront writes a distribution's Id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistributionId(Arc<str>);

/// What was given is no distribution Id.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("a distribution Id is E and 12 or 13 upper-case letters or digits, not {0:?}")]
pub struct InvalidDistributionId(pub String);

impl DistributionId {
    /// Reads an Id as CloudFront writes it.
    ///
    /// # Errors
    /// [`InvalidDistributionId`] if it does not have that form.
    pub fn parse(text: &str) -> Result<DistributionId, InvalidDistributionId> {
        let well_formed = matches!(text.len(), 13 | 14)
            && text.starts_with('E')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if well_formed {
            Ok(DistributionId(text.into()))
        } else {
            Err(InvalidDistributionId(text.to_owned()))
        }
    }

    /// The Id as CloudFront writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DistributionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Twelve decimal digits, as AWS numbers accounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountId(Arc<str>);

/// What was given is no account number.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("an account is twelve decimal digits, not {0:?}")]
pub struct InvalidAccountId(pub String);

impl AccountId {
    /// Reads twelve decimal digits.
    ///
    /// # Errors
    /// [`InvalidAccountId`] for anything else.
    pub fn parse(text: &str) -> Result<AccountId, InvalidAccountId> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(AccountId(text.into()))
        } else {
            Err(InvalidAccountId(text.to_owned()))
        }
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `arn:aws:cloudfront::ACCOUNT:KIND/ID`, the name of a CloudFront resource. The region is always empty.
///
/// Source: IAM service authorization reference, "Resource types defined by Amazon CloudFront".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResourceArn(String);

impl ResourceArn {
    /// The ARN of a distribution; its invalidations have no ARN of their own.
    pub fn distribution(account: &AccountId, id: &DistributionId) -> ResourceArn {
        ResourceArn(format!("arn:aws:cloudfront::{account}:distribution/{id}"))
    }

    /// The ARN of an origin access control.
    pub fn origin_access_control(account: &AccountId, id: &str) -> ResourceArn {
        ResourceArn(format!("arn:aws:cloudfront::{account}:origin-access-control/{id}"))
    }

    /// The ARN of a cache policy.
    pub fn cache_policy(account: &AccountId, id: &str) -> ResourceArn {
        ResourceArn(format!("arn:aws:cloudfront::{account}:cache-policy/{id}"))
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A cache tag in lower case: 1 to 256 printable ASCII characters, no comma, no space.
///
/// Source: CloudFront Developer Guide, "Invalidate by cache tag" (tags are compared without regard to case).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheTag(Arc<str>);

impl CacheTag {
    /// The longest tag, in characters.
    pub const LENGTH_MAX: usize = 256;

    /// Reads a tag without its `#`; `None` if a character or the length is not allowed.
    pub fn parse(text: &str) -> Option<CacheTag> {
        Self::is_tag(text).then(|| CacheTag(text.to_ascii_lowercase().into()))
    }

    /// Whether `text`, without `#`, is a tag in whatever case.
    pub fn is_tag(text: &str) -> bool {
        !text.is_empty()
            && text.len() <= Self::LENGTH_MAX
            && text.bytes().all(|byte| (33..=126).contains(&byte) && byte != b',')
    }

    /// The tag in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Looked up by its text in lower case.
impl Borrow<str> for CacheTag {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distribution_ids_have_cloudfronts_form() {
        assert!(DistributionId::parse("E1U5RQF7T870K0").is_ok());
        assert!(DistributionId::parse("EDFDVBD632BHDS").is_ok());
        assert!(DistributionId::parse("EDFDVBD632BHD").is_ok());
        for wrong in [
            "",
            "E",
            "e1u5rqf7t870k0",
            "A1U5RQF7T870K0",
            "E1U5RQF7T870K01",
            "E1U5RQF7T8/0K0",
            "E1U5RQF7T8é0K",
        ] {
            assert!(DistributionId::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn arns_leave_the_region_empty() {
        let account = AccountId::parse("123456789012").unwrap();
        let id = DistributionId::parse("E1U5RQF7T870K0").unwrap();
        assert_eq!(
            ResourceArn::distribution(&account, &id).as_str(),
            "arn:aws:cloudfront::123456789012:distribution/E1U5RQF7T870K0"
        );
        assert!(AccountId::parse("12345678901x").is_err());
    }

    #[test]
    fn tags_are_compared_without_regard_to_case() {
        assert_eq!(CacheTag::parse("Product:1"), CacheTag::parse("pRODUCT:1"));
        for wrong in ["", "a b", "a,b", "é", "\u{7f}", &"x".repeat(257)] {
            assert_eq!(CacheTag::parse(wrong), None, "{wrong:?}");
        }
    }
}
