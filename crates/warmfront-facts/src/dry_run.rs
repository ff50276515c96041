use bytes::Bytes;
use serde::{Deserialize, Serialize};
use warmfront_invalidation::InvalidationItem;
use warmfront_model::DistributionId;

use crate::RecordError;
use crate::record::{decode, encode};

/// A question to every node: how much would an invalidation cover? As the journal keeps it: at `dry-run`, one key for all,
/// so that there is one at the most. It covers nothing, and who finds it there without having seen it written ignores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRunRecord {
    /// What it is about.
    pub distribution: DistributionId,
    /// The paths and `#tags` as sent.
    pub paths: Vec<String>,
    /// The same, read; one for each path.
    pub items: Vec<InvalidationItem>,
}

#[derive(Serialize, Deserialize)]
struct DryRunValue {
    distribution: String,
    paths: Vec<String>,
}

impl DryRunRecord {
    /// The value that says this.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&DryRunValue {
            distribution: self.distribution.to_string(),
            paths: self.paths.clone(),
        })
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, RecordError> {
        let value: DryRunValue = decode(value)?;
        let items = value.paths.iter().map(|path| InvalidationItem::parse(path));
        Ok(DryRunRecord {
            distribution: DistributionId::parse(&value.distribution)?,
            items: items.collect::<Result<_, _>>()?,
            paths: value.paths,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_read_as_it_was_written() {
        let record = DryRunRecord {
            distribution: DistributionId::parse("E1U5RQF7T870K0").unwrap(),
            paths: vec!["/*".to_owned(), "#tag".to_owned()],
            items: ["/*", "#tag"].map(|path| InvalidationItem::parse(path).unwrap()).into(),
        };
        assert_eq!(DryRunRecord::decode(&record.encode().unwrap()).unwrap(), record);
    }
}
