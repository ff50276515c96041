//! The one place that turns the wire's documents into records and back.

use std::sync::Arc;

use warmfront_model::{Distribution, DistributionId, OriginAccessControl};
use warmfront_wire::convert;
use warmfront_wire::types::{DistributionConfig, OriginAccessControlConfig};
use warmfront_wire::{Document, from_xml, to_xml};

use crate::policy_set::OrInert;
use crate::{PolicySet, RecordError};

pub(crate) fn document<T: Document>(config: &T) -> String {
    String::from_utf8_lossy(&to_xml(config)).into_owned()
}

pub(crate) fn distribution(
    id: &DistributionId,
    domain_name: &str,
    xml: &str,
) -> Result<(DistributionConfig, Arc<Distribution>), RecordError> {
    let config: DistributionConfig = from_xml(xml.as_bytes())?;
    let distribution = convert::distribution_with(&config, id.clone(), domain_name, &OrInert(&PolicySet::default()))?;
    Ok((config, Arc::new(distribution)))
}

pub(crate) fn origin_access_control(
    id: &str,
    xml: &str,
) -> Result<(OriginAccessControlConfig, OriginAccessControl), RecordError> {
    let config: OriginAccessControlConfig = from_xml(xml.as_bytes())?;
    let control = convert::origin_access_control(&config, id)?;
    Ok((config, control))
}
