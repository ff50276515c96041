//! Stands in for the wire crate's conversions until they are there.
#![allow(missing_docs)]

pub mod convert {
    use warmfront_model::{Distribution, DistributionId, OriginAccessControl};
    use warmfront_wire::types::{DistributionConfig, OriginAccessControlConfig};

    pub fn distribution(_: &DistributionId, _: &str, _: &DistributionConfig) -> Result<Distribution, String> {
        Err("not there yet".into())
    }
    pub fn origin_access_control(_: &str, _: &OriginAccessControlConfig) -> Result<OriginAccessControl, String> {
        Err("not there yet".into())
    }
}
