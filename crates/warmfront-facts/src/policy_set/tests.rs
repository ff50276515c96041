use warmfront_journal::{Event, Write};
use warmfront_model::{DistributionId, Revision, Timestamp};
use warmfront_wire::types::{CachePolicyConfig, DistributionConfig};
use warmfront_wire::{convert, from_xml};

use super::*;
use crate::{Fact, Key, decode};

const ID: &str = "5a6bd5c6-2c5e-4c4c-8a1f-2b7d3b0f9a10";

/// The fact as a watch reports what the control plane writes.
fn written(max_ttl: i64) -> PolicyFact {
    let config = CachePolicyConfig {
        name: "p".to_owned(),
        min_ttl: 1,
        default_ttl: Some(max_ttl),
        max_ttl: Some(max_ttl),
        ..CachePolicyConfig::default()
    };
    let record = PolicyRecord {
        id: ID.to_owned(),
        last_modified: Timestamp(1),
        revision: Revision::ZERO,
        policy: Arc::new(convert::cache_policy(&config, ID).unwrap()),
        config,
    };
    fact(Write::Put(record.encode().unwrap()))
}

fn fact(write: Write) -> PolicyFact {
    let key = Key::Policy(PolicyKind::Cache, ID.to_owned()).to_string();
    match decode(&Event {
        revision: Revision(7),
        key,
        write,
    })
    .unwrap()
    {
        Fact::Policy(fact) => fact,
        other => panic!("{other:?}"),
    }
}

/// A distribution whose default behavior has this cache policy, as it is read from the journal.
fn distribution(cache_policy: &str) -> Arc<DistributionRecord> {
    let config = format!(
        "<DistributionConfig><CallerReference>r</CallerReference><Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id>\
         <DomainName>site.s3.amazonaws.com</DomainName><S3OriginConfig><OriginAccessIdentity/></S3OriginConfig></Origin>\
         </Items></Origins><DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>\
         <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy><CachePolicyId>{cache_policy}</CachePolicyId>\
         </DefaultCacheBehavior><Comment/><Enabled>true</Enabled></DistributionConfig>"
    );
    let config: DistributionConfig = from_xml(config.as_bytes()).unwrap();
    let managed = config_with(&config, "658327ea-f89d-4fab-a63d-7e88639e58f6");
    let id = DistributionId::parse("E1U5RQF7T870K0").unwrap();
    let record = DistributionRecord {
        id: id.clone(),
        domain_name: "d1.cloudfront.net".into(),
        created: Timestamp(0),
        last_modified: Timestamp(0),
        revision: Revision::ZERO,
        distribution: Arc::new(convert::distribution(&managed, id.clone(), "d1.cloudfront.net").unwrap()),
        config,
    };
    let write = Write::Put(record.encode().unwrap());
    let key = Key::Distribution(id).to_string();
    match decode(&Event {
        revision: Revision(8),
        key,
        write,
    })
    .unwrap()
    {
        Fact::Distribution(_, Some(record)) => record,
        other => panic!("{other:?}"),
    }
}

fn config_with(config: &DistributionConfig, cache_policy: &str) -> DistributionConfig {
    let mut config = config.clone();
    config.default_cache_behavior.cache_policy_id = Some(cache_policy.to_owned());
    config
}

fn max_ttl(distribution: &Distribution) -> u64 {
    distribution.behaviors[0].ttl.max_secs
}

#[test]
fn a_distribution_follows_its_policy() {
    let record = distribution(ID);
    let mut policies = PolicySet::default();
    assert_eq!(
        max_ttl(&policies.resolve(&record)),
        0,
        "a policy that is not there caches nothing"
    );
    policies.apply(&written(60));
    assert_eq!(max_ttl(&policies.resolve(&record)), 60);
    policies.apply(&written(120));
    assert_eq!(max_ttl(&policies.resolve(&record)), 120);
    policies.apply(&fact(Write::Delete));
    assert_eq!(max_ttl(&policies.resolve(&record)), 0);
    assert!(CachePolicy::custom(&policies).is_empty());
}

#[test]
fn a_distribution_with_managed_policies_needs_nothing() {
    let record = distribution("658327ea-f89d-4fab-a63d-7e88639e58f6");
    let resolved = PolicySet::default().resolve(&record);
    assert!(Arc::ptr_eq(&resolved, &record.distribution));
    assert_eq!(max_ttl(&resolved), 31_536_000);
}

#[test]
fn a_record_says_where_and_when_it_was_written() {
    let PolicyFact::Cache(id, Some(record)) = written(60) else {
        panic!("no record");
    };
    assert_eq!(
        (id.as_str(), record.revision, record.last_modified),
        (ID, Revision(7), Timestamp(1))
    );
    assert_eq!((record.config.max_ttl, record.policy.ttl.max_secs), (Some(60), 60));
}
