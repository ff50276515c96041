use warmfront_invalidation::InvalidationMode;
use warmfront_journal::{Event, Write};
use warmfront_model::Timestamp;
use warmfront_wire::types::{DistributionConfig, OriginAccessControlConfig};
use warmfront_wire::{convert, from_xml};

use super::*;
use crate::{CompletedRecord, InvalidationOrigin, Key, decode};

const NOVEMBER_MS: i64 = 1_763_769_600_000;

/// Writes records as the control plane does, and takes them in as a watch reports them.
#[derive(Default)]
struct Written {
    view: View,
    revision: u64,
}

impl Written {
    fn put(&mut self, key: &Key, value: bytes::Bytes) -> Revision {
        self.event(key, Write::Put(value))
    }

    fn event(&mut self, key: &Key, write: Write) -> Revision {
        self.revision += 1;
        let revision = Revision(self.revision);
        let fact = decode(&Event {
            revision,
            key: key.to_string(),
            write,
        })
        .unwrap();
        self.view.apply(revision, fact);
        revision
    }

    fn distribution(&mut self, id: &str, reference: &str, alias: Option<&str>, control: &str) -> DistributionId {
        let id = DistributionId::parse(id).unwrap();
        let config: DistributionConfig = from_xml(config(reference, alias, control).as_bytes()).unwrap();
        let config = convert::with_defaults(config);
        let distribution = convert::distribution(&config, id.clone(), "d1234567890abc.cloudfront.net").unwrap();
        let record = DistributionRecord {
            id: id.clone(),
            domain_name: "d1234567890abc.cloudfront.net".into(),
            created: Timestamp(NOVEMBER_MS),
            last_modified: Timestamp(NOVEMBER_MS + 1),
            revision: Revision::ZERO,
            config: config.clone(),
            distribution: Arc::new(distribution.clone()),
        };
        let revision = self.put(&Key::Distribution(id.clone()), record.encode().unwrap());
        let read = self.view.distribution(&id).unwrap();
        assert_eq!(
            (read.revision, &read.config, &*read.distribution),
            (revision, &config, &distribution)
        );
        assert_eq!(
            (read.created, read.last_modified),
            (record.created, record.last_modified)
        );
        id
    }

    fn invalidation(&mut self, distribution: &DistributionId, reference: &str, paths: &[&str]) -> Revision {
        let record = InvalidationRecord {
            mode: InvalidationMode::Refetch,
            origin: InvalidationOrigin::default(),
            id: String::new(),
            distribution: distribution.clone(),
            created: Timestamp(NOVEMBER_MS),
            revision: Revision::ZERO,
            caller_reference: reference.to_owned(),
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            items: Vec::new(),
        };
        self.put(&Key::invalidation(distribution, reference), record.encode().unwrap())
    }

    fn complete(&mut self, through: Revision) {
        self.put(&Key::Completed, CompletedRecord { through }.encode().unwrap());
    }
}

fn config(reference: &str, alias: Option<&str>, control: &str) -> String {
    let aliases = alias.map_or_else(String::new, |alias| {
        format!(
            "<Aliases><Quantity>1</Quantity><Items><CNAME>{alias}</CNAME></Items></Aliases>\
             <ViewerCertificate><IAMCertificateId>c</IAMCertificateId><SSLSupportMethod>sni-only</SSLSupportMethod>\
             <MinimumProtocolVersion>TLSv1.2_2021</MinimumProtocolVersion></ViewerCertificate>"
        )
    });
    format!(
        "<DistributionConfig><CallerReference>{reference}</CallerReference>{aliases}<Origins><Quantity>1</Quantity><Items>\
         <Origin><Id>o</Id><DomainName>b.s3.amazonaws.com</DomainName><S3OriginConfig><OriginAccessIdentity/></S3OriginConfig>\
         <OriginAccessControlId>{control}</OriginAccessControlId></Origin></Items></Origins><DefaultCacheBehavior>\
         <TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
         <CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></DefaultCacheBehavior><Comment/>\
         <Enabled>true</Enabled></DistributionConfig>"
    )
}

const ONE: &str = "E1U5RQF7T870K0";
const TWO: &str = "EDFDVBD632BHDS";

#[test]
fn a_distribution_is_found_by_each_of_its_names_until_they_change() {
    let mut written = Written::default();
    let one = written.distribution(ONE, "ref-1", Some("www.example.com"), "");
    assert_eq!(written.view.distribution_by_caller_reference("ref-1"), Some(&one));
    assert_eq!(written.view.distribution_by_alias("www.example.com"), Some(&one));

    written.distribution(ONE, "ref-1", Some("new.example.com"), "");
    assert_eq!(written.view.distribution_by_alias("www.example.com"), None);
    assert_eq!(written.view.distribution_by_alias("new.example.com"), Some(&one));
    assert_eq!(written.view.distribution_by_caller_reference("ref-1"), Some(&one));
    assert_eq!(written.view.n_distributions(), 1);

    written.event(&Key::Distribution(one.clone()), Write::Delete);
    assert_eq!(written.view.distribution_by_alias("new.example.com"), None);
    assert_eq!(written.view.distribution_by_caller_reference("ref-1"), None);
    assert!(written.view.distribution(&one).is_none());
    assert_eq!(written.view.revision(), Revision(3));
}

#[test]
fn invalidations_are_listed_newest_first_for_each_distribution() {
    let mut written = Written::default();
    let (one, two) = (
        written.distribution(ONE, "1", None, ""),
        written.distribution(TWO, "2", None, ""),
    );
    let first = written.invalidation(&one, "a", &["/a"]);
    written.invalidation(&two, "a", &["/x"]);
    let last = written.invalidation(&one, "b", &["/b"]);
    let listed = |before| {
        written
            .view
            .invalidations(&one, before)
            .map(|record| record.revision)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(None), [last, first]);
    assert_eq!(listed(Some(last)), [first]);
    let id = invalidation_id(&one, "a");
    assert_eq!(written.view.invalidation(&one, &id).unwrap().paths, ["/a"]);
    assert_eq!(written.view.invalidation_by_caller_reference(&one, "a").unwrap().id, id);
    assert!(written.view.invalidation(&two, &id).is_none());
}

#[test]
fn what_the_watermark_has_passed_is_no_longer_in_progress() {
    let mut written = Written::default();
    let one = written.distribution(ONE, "1", None, "");
    let first = written.invalidation(&one, "a", &["/a", "/b/*", "#tag"]);
    let second = written.invalidation(&one, "b", &["/*"]);
    assert_eq!(
        written.view.in_progress(&one),
        InProgress {
            batches: 2,
            wildcards: 2,
            files: 2
        }
    );
    assert_eq!(written.view.newest_in_progress(first), Some(first));
    assert_eq!(written.view.newest_in_progress(Revision(100)), Some(second));

    written.complete(first);
    assert_eq!(
        written.view.in_progress(&one),
        InProgress {
            batches: 1,
            wildcards: 1,
            files: 0
        }
    );
    assert_eq!(written.view.newest_in_progress(first), None);
    written.complete(Revision::ZERO);
    assert_eq!(written.view.completed(), first, "it is never taken back");
}

#[test]
fn paths_are_counted_by_month_also_when_their_distribution_has_gone() {
    let mut written = Written::default();
    let one = written.distribution(ONE, "1", None, "");
    written.invalidation(&one, "a", &["/a", "/b"]);
    written.event(&Key::Distribution(one.clone()), Write::Delete);
    written.invalidation(&one, "b", &["/c"]);
    let months: Vec<_> = written
        .view
        .paths_by_month()
        .map(|(month, paths)| (month.to_string(), paths))
        .collect();
    assert_eq!(months, [("2025-11".to_owned(), 3)]);
    assert_eq!(written.view.invalidations(&one, None).count(), 0);
}

#[test]
fn users_of_an_origin_access_control_are_known() {
    let mut written = Written::default();
    let config = "<OriginAccessControlConfig><Name>n</Name><SigningProtocol>sigv4</SigningProtocol><SigningBehavior>always\
                  </SigningBehavior><OriginAccessControlOriginType>s3</OriginAccessControlOriginType>\
                  </OriginAccessControlConfig>";
    let config: OriginAccessControlConfig = from_xml(config.as_bytes()).unwrap();
    let record = OriginAccessControlRecord {
        id: "E327GJI25M56DG".to_owned(),
        created: Timestamp(5),
        revision: Revision::ZERO,
        control: convert::origin_access_control(&config, "E327GJI25M56DG").unwrap(),
        config,
    };
    written.put(&Key::OriginAccessControl(record.id.clone()), record.encode().unwrap());
    assert_eq!(
        written.view.origin_access_control("E327GJI25M56DG").unwrap().control,
        record.control
    );
    assert_eq!(written.view.users_of_origin_access_control("E327GJI25M56DG").count(), 0);
    let one = written.distribution(ONE, "1", None, "E327GJI25M56DG");
    let users: Vec<_> = written
        .view
        .users_of_origin_access_control("E327GJI25M56DG")
        .map(|user| &user.id)
        .collect();
    assert_eq!(users, [&one]);
}

#[test]
fn damaged_values_are_errors() {
    let key = Key::Distribution(DistributionId::parse(ONE).unwrap()).to_string();
    for value in [
        &b""[..],
        b"\x01",
        b"\x02\x00{}",
        b"\x01\x00{}",
        b"\x01\x00[]",
        b"\x01\x01zz",
        b"\x01\x00{\"through\":-1}",
    ] {
        for key in [
            key.as_str(),
            "completed",
            "tags/a",
            "origin-access-control/E",
            "invalidation/E1U5RQF7T870K0/00",
        ] {
            let write = Write::Put(bytes::Bytes::copy_from_slice(value));
            assert!(
                decode(&Event {
                    revision: Revision(1),
                    key: key.to_owned(),
                    write
                })
                .is_err(),
                "{key} {value:?}"
            );
        }
    }
}
