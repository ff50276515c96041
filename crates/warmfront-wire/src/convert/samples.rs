//! Configurations that tests start from, read from XML as a client sends it.

use crate::from_xml;
use crate::types::DistributionConfig;

/// The guide's distribution: an S3 origin, two ordered behaviors with a cache policy and TTLs.
pub(super) fn config() -> DistributionConfig {
    from_xml(include_bytes!("../../tests/fixtures/guide-distribution.xml")).unwrap()
}

/// The fewest members that a custom origin with legacy settings can have.
pub(super) fn custom_config() -> DistributionConfig {
    from_xml(include_bytes!("../../tests/fixtures/custom-distribution.xml")).unwrap()
}
