use warmfront_model::Timestamp;

use super::*;
use crate::types::*;
use crate::{ErrorCode, from_xml, to_xml};

mod arbitrary;

/// Bodies as botocore 1.43 writes them.
const GUIDE: &[u8] = include_bytes!("../../tests/fixtures/guide-distribution.xml");
const CUSTOM: &[u8] = include_bytes!("../../tests/fixtures/custom-distribution.xml");
const WITH_TAGS: &[u8] = include_bytes!("../../tests/fixtures/distribution-with-tags.xml");
const INVALIDATION: &[u8] = include_bytes!("../../tests/fixtures/invalidation.xml");
const ORIGIN_ACCESS_CONTROL: &[u8] = include_bytes!("../../tests/fixtures/origin-access-control.xml");
/// Every member of every shape within it, two items in each list.
const EVERY_MEMBER: &[u8] = include_bytes!("../../tests/fixtures/every-member.xml");
const CACHE_POLICY: &[u8] = include_bytes!("../../tests/fixtures/cache-policy.xml");
const ORIGIN_REQUEST_POLICY: &[u8] = include_bytes!("../../tests/fixtures/origin-request-policy.xml");
const RESPONSE_HEADERS_POLICY: &[u8] = include_bytes!("../../tests/fixtures/response-headers-policy.xml");
const TAGS: &[u8] = include_bytes!("../../tests/fixtures/tags.xml");
const TAG_KEYS: &[u8] = include_bytes!("../../tests/fixtures/tag-keys.xml");

fn check_error<T: Document + std::fmt::Debug>(body: &str, code: ErrorCode, message: &str) {
    let error = from_xml::<T>(body.as_bytes()).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (code, message), "{body}");
}

fn check_malformed(body: &[u8]) {
    match from_xml::<InvalidationBatch>(body) {
        Err(XmlError::Malformed(_)) => {}
        other => panic!("{:?} gave {other:?}", String::from_utf8_lossy(body)),
    }
}

#[test]
fn an_invalidation_batch_of_botocore_is_read() {
    let batch: InvalidationBatch = from_xml(INVALIDATION).unwrap();
    assert_eq!(batch.caller_reference, "cli-1-2");
    assert_eq!(batch.paths.items, ["/index.html", "/a b/ü?x=1&y=<2>", "/*"]);
}

#[test]
fn a_distribution_of_botocore_is_read() {
    let config: DistributionConfig = from_xml(GUIDE).unwrap();
    assert_eq!(config.comment, "Static site & assets");
    assert!(config.enabled);
    assert_eq!(config.aliases, None);
    assert_eq!(
        config.origins.items[0].origin_access_control_id.as_deref(),
        Some("E327GJI25M56DG")
    );
    assert_eq!(
        config.origins.items[0]
            .s3_origin_config
            .as_ref()
            .unwrap()
            .origin_access_identity,
        ""
    );
    let behaviors = &config.cache_behaviors.as_ref().unwrap().items;
    assert_eq!(behaviors[1].path_pattern, "/index.html");
    assert_eq!(
        (behaviors[1].min_ttl, behaviors[1].default_ttl, behaviors[1].max_ttl),
        (Some(0), Some(60), Some(300))
    );
    assert_eq!(
        behaviors[1].viewer_protocol_policy,
        ViewerProtocolPolicy::RedirectToHttps
    );
    assert_eq!(behaviors[1].forwarded_values, None);
}

#[test]
fn other_bodies_of_botocore_are_read() {
    let access: OriginAccessControlConfig = from_xml(ORIGIN_ACCESS_CONTROL).unwrap();
    assert_eq!(access.signing_behavior, OriginAccessControlSigningBehaviors::Always);
    let with_tags: DistributionConfigWithTags = from_xml(WITH_TAGS).unwrap();
    let tag = |key: &str, value: Option<&str>| Tag {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    assert_eq!(with_tags.tags.items, [tag("team", Some("web")), tag("bare", None)]);
    assert_eq!(with_tags.distribution_config, from_xml(CUSTOM).unwrap());
    assert_eq!(from_xml::<Tags>(TAGS).unwrap().items, [tag("team", Some("web"))]);
    assert_eq!(from_xml::<TagKeys>(TAG_KEYS).unwrap().items, ["team", "bare"]);
}

#[test]
fn what_is_written_reads_back_the_same() {
    fn check<T: Document + PartialEq + std::fmt::Debug>(body: &[u8]) {
        let value: T = from_xml(body).unwrap();
        assert_eq!(from_xml::<T>(&to_xml(&value)).unwrap(), value);
    }
    check::<DistributionConfig>(GUIDE);
    check::<DistributionConfig>(CUSTOM);
    check::<DistributionConfigWithTags>(WITH_TAGS);
    check::<InvalidationBatch>(INVALIDATION);
    check::<OriginAccessControlConfig>(ORIGIN_ACCESS_CONTROL);
    check::<CachePolicyConfig>(CACHE_POLICY);
    check::<OriginRequestPolicyConfig>(ORIGIN_REQUEST_POLICY);
    check::<ResponseHeadersPolicyConfig>(RESPONSE_HEADERS_POLICY);
    check::<Tags>(TAGS);
    check::<TagKeys>(TAG_KEYS);
}

#[test]
fn no_member_is_lost() {
    fn sorted(mut element: Element) -> Element {
        element.children = element.children.into_iter().map(sorted).collect();
        element.children.sort_by(|one, other| one.name.cmp(&other.name));
        element
    }
    let config: DistributionConfigWithTags = from_xml(EVERY_MEMBER).unwrap();
    let written = Element::parse(&to_xml(&config)).unwrap();
    assert_eq!(sorted(written), sorted(Element::parse(EVERY_MEMBER).unwrap()));
}

#[test]
fn an_invalidation_is_written_as_cloudfront_documents_it() {
    let invalidation = Invalidation {
        id: "I2JGL2F1ZAA426PGG0YLLKABC".to_owned(),
        status: "InProgress".to_owned(),
        create_time: Timestamp(1_441_055_752_042),
        invalidation_batch: InvalidationBatch {
            paths: Paths {
                quantity: 1,
                items: vec!["/a&b".to_owned()],
            },
            caller_reference: "my-ref-1".to_owned(),
        },
    };
    assert_eq!(
        String::from_utf8(to_xml(&invalidation)).unwrap(),
        "<?xml version=\"1.0\"?>\n<Invalidation xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
         <Id>I2JGL2F1ZAA426PGG0YLLKABC</Id><Status>InProgress</Status><CreateTime>2015-08-31T21:15:52.042Z</CreateTime>\
         <InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a&amp;b</Path></Items></Paths>\
         <CallerReference>my-ref-1</CallerReference></InvalidationBatch></Invalidation>"
    );
}

#[test]
fn an_empty_list_is_left_out_unless_nothing_else_says_that_it_is_empty() {
    let list = DistributionList {
        max_items: 100,
        ..DistributionList::default()
    };
    let xml = String::from_utf8(to_xml(&list)).unwrap();
    assert!(xml.ends_with(
        "<Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></DistributionList>"
    ));
    let xml = String::from_utf8(to_xml(&InvalidationList::default())).unwrap();
    assert!(
        xml.ends_with("<Quantity>0</Quantity><Items></Items></InvalidationList>"),
        "length(Items) is 0"
    );
    let xml = String::from_utf8(to_xml(&Tags::default())).unwrap();
    assert!(xml.ends_with("/\"><Items></Items></Tags>"));
}

#[test]
fn order_namespaces_unknown_elements_comments_and_space_do_not_matter() {
    let batch: InvalidationBatch = from_xml(
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><!-- a --><c:InvalidationBatch xmlns:c='http://x/'>\
          <c:CallerReference><![CDATA[a<b]]>&#x63;&amp;</c:CallerReference><Unknown><Deep/></Unknown>
          <c:Paths> <c:Items> <c:Path>/a</c:Path> </c:Items> <c:Quantity> 1 </c:Quantity> </c:Paths> </c:InvalidationBatch>\n",
    )
    .unwrap();
    assert_eq!(batch.caller_reference, "a<bc&");
    assert_eq!(
        batch.paths,
        Paths {
            quantity: 1,
            items: vec!["/a".to_owned()]
        }
    );
}

#[test]
fn a_missing_body_has_its_own_code() {
    for body in ["", " \r\n", "\u{feff}"] {
        assert_eq!(
            from_xml::<InvalidationBatch>(body.as_bytes()),
            Err(XmlError::MissingBody)
        );
    }
    assert_eq!(XmlError::MissingBody.code(), ErrorCode::MissingBody);
}

#[test]
fn a_missing_member_is_named_as_cloudfront_names_it() {
    let missing = |at: &str| {
        format!(
            "1 validation error detected: Value null at '{at}' failed to satisfy constraint: Member must not be null"
        )
    };
    let code = ErrorCode::MalformedXML;
    check_error::<InvalidationBatch>("<Other/>", code, &missing("invalidationBatch"));
    check_error::<InvalidationBatch>("<InvalidationBatch/>", code, &missing("invalidationBatch.paths"));
    check_error::<InvalidationBatch>(
        "<InvalidationBatch><Paths/></InvalidationBatch>",
        code,
        &missing("invalidationBatch.paths.quantity"),
    );
    let config = String::from_utf8(GUIDE.to_vec()).unwrap();
    check_error::<DistributionConfig>(
        &config.replace("<PathPattern>/index.html</PathPattern>", ""),
        code,
        &missing("distributionConfig.cacheBehaviors.items.2.member.pathPattern"),
    );
    check_error::<DistributionConfig>(
        &config.replace("<OriginAccessIdentity />", ""),
        code,
        &missing("distributionConfig.origins.items.1.member.s3OriginConfig.originAccessIdentity"),
    );
}

#[test]
fn a_value_that_cannot_be_is_named_with_its_member() {
    let config = String::from_utf8(GUIDE.to_vec()).unwrap();
    let invalid = |value: &str, at: &str, constraint: &str| {
        format!("1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {constraint}")
    };
    let code = ErrorCode::MalformedXML;
    check_error::<DistributionConfig>(
        &config.replace("<Enabled>true", "<Enabled>True"),
        code,
        &invalid("True", "distributionConfig.enabled", "Member must be true or false"),
    );
    check_error::<DistributionConfig>(
        &config.replacen("<Quantity>1</Quantity>", "<Quantity>2147483648</Quantity>", 1),
        code,
        &invalid(
            "2147483648",
            "distributionConfig.origins.quantity",
            "Member must be an integer of 32 bits",
        ),
    );
    check_error::<DistributionConfig>(
        &config.replace("<DefaultTTL>86400</DefaultTTL>", "<DefaultTTL/>"),
        code,
        &invalid(
            "",
            "distributionConfig.defaultCacheBehavior.defaultTTL",
            "Member must be an integer of 64 bits",
        ),
    );
    check_error::<DistributionConfig>(
        &config.replace(
            "</DistributionConfig>",
            "<HttpVersion>http4</HttpVersion></DistributionConfig>",
        ),
        code,
        &invalid(
            "http4",
            "distributionConfig.httpVersion",
            "Member must satisfy enum value set: [http1.1, http2, http3, http2and3]",
        ),
    );
}

#[test]
fn quantity_must_be_the_number_of_items() {
    let batch = |quantity: i32| {
        format!(
            "<InvalidationBatch><CallerReference>a</CallerReference><Paths><Quantity>{quantity}</Quantity>\
             <Items><Path>/a</Path><Path>/b</Path></Items></Paths></InvalidationBatch>"
        )
    };
    assert!(from_xml::<InvalidationBatch>(batch(2).as_bytes()).is_ok());
    for quantity in [-2, 0, 1, 3] {
        check_error::<InvalidationBatch>(
            &batch(quantity),
            ErrorCode::InconsistentQuantities,
            &format!("The value of Quantity at 'invalidationBatch.paths' is {quantity}, but 2 items were sent."),
        );
    }
    check_error::<DistributionConfig>(
        &String::from_utf8(GUIDE.to_vec())
            .unwrap()
            .replace("<Quantity>2</Quantity>", "<Quantity>3</Quantity>"),
        ErrorCode::InconsistentQuantities,
        "The value of Quantity at 'distributionConfig.cacheBehaviors' is 3, but 2 items were sent.",
    );
}

#[test]
fn what_is_no_xml_is_malformed() {
    for body in [
        &b"InvalidationBatch"[..],
        b"{\"Paths\":[]}",
        b"<InvalidationBatch>",
        b"<InvalidationBatch></Other>",
        b"</InvalidationBatch>",
        b"<InvalidationBatch",
        b"<InvalidationBatch/><InvalidationBatch/>",
        b"<InvalidationBatch/>text",
        b"<InvalidationBatch>\xff</InvalidationBatch>",
        b"<InvalidationBatch>\x0e</InvalidationBatch>",
        b"<InvalidationBatch>\xef\xbf\xbe</InvalidationBatch>",
        b"<InvalidationBatch>&unknown;</InvalidationBatch>",
        b"<InvalidationBatch>&#0;</InvalidationBatch>",
        b"<InvalidationBatch>&#xD800;</InvalidationBatch>",
        b"<InvalidationBatch>&#1;</InvalidationBatch>",
        b"<InvalidationBatch><Paths/><Paths/></InvalidationBatch>",
    ] {
        check_malformed(body);
    }
}

#[test]
fn document_types_and_their_entities_are_refused() {
    check_malformed(
        b"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><InvalidationBatch>&x;</InvalidationBatch>",
    );
    check_malformed(b"<!DOCTYPE InvalidationBatch><InvalidationBatch/>");
}

#[test]
fn depth_elements_and_bytes_are_limited() {
    check_malformed("<InvalidationBatch>".repeat(1_000_000 / 20).as_bytes());
    let deep = |levels: usize| {
        format!(
            "<InvalidationBatch>{}{}</InvalidationBatch>",
            "<a>".repeat(levels),
            "</a>".repeat(levels)
        )
    };
    check_malformed(deep(DEPTH_MAX).as_bytes());
    assert!(matches!(
        from_xml::<InvalidationBatch>(deep(DEPTH_MAX - 1).as_bytes()),
        Err(XmlError::MissingMember { .. })
    ));
    check_malformed(format!("<InvalidationBatch>{}</InvalidationBatch>", "<a/>".repeat(ELEMENTS_MAX)).as_bytes());
    let error = from_xml::<InvalidationBatch>(&vec![b' '; BODY_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::EntityTooLarge);
}

#[test]
fn a_batch_larger_than_any_quota_is_still_read_so_that_it_can_be_refused_by_name() {
    let items = "<Path>/a</Path>".repeat(3_001);
    let body = format!(
        "<InvalidationBatch><CallerReference>a</CallerReference><Paths><Quantity>3001</Quantity>\
         <Items>{items}</Items></Paths></InvalidationBatch>"
    );
    assert_eq!(
        from_xml::<InvalidationBatch>(body.as_bytes())
            .unwrap()
            .paths
            .items
            .len(),
        3_001
    );
}

#[test]
fn times_are_utc_with_milliseconds() {
    let policy = |time: i64| {
        let invalidation = InvalidationSummary {
            create_time: Timestamp(time),
            ..InvalidationSummary::default()
        };
        let list = InvalidationList {
            quantity: 1,
            items: vec![invalidation],
            ..InvalidationList::default()
        };
        let xml = to_xml(&list);
        assert_eq!(from_xml::<InvalidationList>(&xml).unwrap(), list);
        let xml = String::from_utf8(xml).unwrap();
        xml.split_once("<CreateTime>")
            .unwrap()
            .1
            .split_once('<')
            .unwrap()
            .0
            .to_owned()
    };
    assert_eq!(policy(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(policy(951_782_400_000), "2000-02-29T00:00:00.000Z");
    assert_eq!(policy(-1), "1969-12-31T23:59:59.999Z");
}

#[test]
fn a_moment_beyond_the_calendar_is_written_all_the_same() {
    for time in [i64::MIN, i64::MAX] {
        let invalidation = Invalidation {
            create_time: Timestamp(time),
            ..Invalidation::default()
        };
        assert!(from_xml::<Invalidation>(&to_xml(&invalidation)).is_ok());
    }
}

#[test]
fn sensitive_members_are_hidden_from_debugging_output() {
    let header = OriginCustomHeader {
        header_name: "x-key".to_owned(),
        header_value: "hunter2".to_owned(),
    };
    assert_eq!(
        format!("{header:?}"),
        "OriginCustomHeader { header_name: \"x-key\", header_value: (hidden) }"
    );
}
