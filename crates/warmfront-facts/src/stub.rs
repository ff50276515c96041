//! Stands in for the wire crate's types until they are there.
#![allow(missing_docs)]

pub mod types {
    #[derive(Clone, Debug)]
    pub struct DistributionConfig {
        pub caller_reference: String,
    }
    impl DistributionConfig {
        pub fn from_xml(_: &[u8]) -> Result<Self, String> {
            Err("not there yet".into())
        }
        pub fn to_xml(&self) -> String {
            String::new()
        }
    }
    #[derive(Clone, Debug)]
    pub struct OriginAccessControlConfig {}
    impl OriginAccessControlConfig {
        pub fn from_xml(_: &[u8]) -> Result<Self, String> {
            Err("not there yet".into())
        }
        pub fn to_xml(&self) -> String {
            String::new()
        }
    }
}

pub mod convert {
    use warmfront_model::{Distribution, DistributionId, OriginAccessControl};

    use super::types::{DistributionConfig, OriginAccessControlConfig};

    pub fn distribution(_: &DistributionId, _: &str, _: &DistributionConfig) -> Result<Distribution, String> {
        Err("not there yet".into())
    }
    pub fn origin_access_control(_: &str, _: &OriginAccessControlConfig) -> Result<OriginAccessControl, String> {
        Err("not there yet".into())
    }
}
