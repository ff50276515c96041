//! The one place that turns the wire's documents into records and back.

use std::sync::Arc;

use crate::stub::convert;
use crate::stub::types::{DistributionConfig, OriginAccessControlConfig};
use warmfront_model::{Distribution, DistributionId, OriginAccessControl};

use crate::RecordError;

pub(crate) fn distribution(
    id: &DistributionId,
    domain_name: &str,
    xml: &str,
) -> Result<(DistributionConfig, Arc<Distribution>), RecordError> {
    let config = DistributionConfig::from_xml(xml.as_bytes()).map_err(|error| RecordError::configuration(&error))?;
    let distribution =
        convert::distribution(id, domain_name, &config).map_err(|error| RecordError::configuration(&error))?;
    Ok((config, Arc::new(distribution)))
}

pub(crate) fn origin_access_control(
    id: &str,
    xml: &str,
) -> Result<(OriginAccessControlConfig, OriginAccessControl), RecordError> {
    let config =
        OriginAccessControlConfig::from_xml(xml.as_bytes()).map_err(|error| RecordError::configuration(&error))?;
    let control = convert::origin_access_control(id, &config).map_err(|error| RecordError::configuration(&error))?;
    Ok((config, control))
}
