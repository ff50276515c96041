use warmfront_model::Distribution;

use super::*;
use crate::convert::{distribution, samples};
use crate::types::{
    OriginGroup, OriginGroupFailoverCriteria, OriginGroupMember, OriginGroupMembers, OriginGroups, StatusCodes,
    VpcOriginConfig,
};

fn s3() -> types::Origin {
    samples::config().origins.items.remove(0)
}

fn custom() -> types::Origin {
    samples::custom_config().origins.items.remove(0)
}

fn check(mut wire: types::Origin, change: impl FnOnce(&mut types::Origin), code: ErrorCode, part: &str) {
    assert!(origin(&wire).is_ok());
    change(&mut wire);
    let error = origin(&wire).unwrap_err();
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.contains(part), "{}", error.message);
}

fn check_custom(change: impl FnOnce(&mut CustomOriginConfig), code: ErrorCode, part: &str) {
    check(
        custom(),
        |origin| change(origin.custom_origin_config.as_mut().unwrap()),
        code,
        part,
    );
}

#[test]
fn a_custom_origin_has_ports_policy_and_default_timeouts() {
    let found = origin(&custom()).unwrap();
    assert_eq!(
        found.kind,
        OriginKind::Custom(CustomOrigin {
            http_port: 8080,
            https_port: 443,
            protocol_policy: OriginProtocolPolicy::HttpOnly
        })
    );
    assert_eq!((found.connection_attempts, found.connection_timeout_secs), (3, 10));
    assert_eq!((found.read_timeout_secs, found.keepalive_timeout_secs), (30, 5));
    assert_eq!((&*found.path, found.access_control_id), ("", None));
}

#[test]
fn a_domain_name_is_no_url() {
    let message = "The parameter origin name must be a domain name";
    for wrong in [
        "",
        "http://a.example",
        "a.example/",
        "a.example:80",
        "a..example",
        "-a.example",
        "a b",
        "é.example",
    ] {
        check(
            custom(),
            |origin| origin.domain_name = wrong.to_owned(),
            ErrorCode::InvalidArgument,
            message,
        );
    }
    for right in [
        "a.example",
        "localhost",
        "127.0.0.1",
        "::1",
        "[::1]",
        "under_score.example",
    ] {
        assert!(
            origin(&types::Origin {
                domain_name: right.to_owned(),
                ..custom()
            })
            .is_ok(),
            "{right}"
        );
    }
}

#[test]
fn an_s3_origin_has_a_buckets_domain_name() {
    let message = "The parameter Origin DomainName does not refer to a valid S3 bucket.";
    for wrong in [
        "a.example",
        "my-site.s3-website-us-east-1.amazonaws.com",
        "my-site.s3-website.eu-central-1.amazonaws.com",
    ] {
        check(
            s3(),
            |origin| origin.domain_name = wrong.to_owned(),
            ErrorCode::InvalidArgument,
            message,
        );
    }
    let website = "my-site.s3-website-us-east-1.amazonaws.com".to_owned();
    assert!(
        origin(&types::Origin {
            domain_name: website,
            ..custom()
        })
        .is_ok()
    );
    let id = Some("E327GJI25M56DG".to_owned());
    check(
        custom(),
        |origin| origin.origin_access_control_id = id,
        ErrorCode::InvalidArgument,
        message,
    );
}

#[test]
fn an_origin_has_exactly_one_kind() {
    let message = "The specified origin server does not exist or is not valid.";
    check(
        s3(),
        |origin| origin.s3_origin_config = None,
        ErrorCode::InvalidOrigin,
        message,
    );
    let other = custom().custom_origin_config;
    check(
        s3(),
        |origin| origin.custom_origin_config = other,
        ErrorCode::InvalidOrigin,
        message,
    );
    let vpc = VpcOriginConfig {
        vpc_origin_id: "vo_1".to_owned(),
        ..VpcOriginConfig::default()
    };
    check(
        custom(),
        |origin| (origin.custom_origin_config, origin.vpc_origin_config) = (None, Some(vpc)),
        ErrorCode::EntityNotFound,
        "vo_1",
    );
}

#[test]
fn an_access_identity_does_not_exist_and_excludes_an_access_control() {
    let identity = "origin-access-identity/cloudfront/E127EXAMPLE51Z";
    let set = |origin: &mut types::Origin| {
        origin.s3_origin_config.as_mut().unwrap().origin_access_identity = identity.to_owned();
    };
    check(s3(), set, ErrorCode::IllegalOriginAccessConfiguration, "S3-my-site");
    let without_control = types::Origin {
        origin_access_control_id: None,
        ..s3()
    };
    check(without_control, set, ErrorCode::InvalidOriginAccessIdentity, identity);
}

#[test]
fn numbers_have_documented_ranges() {
    for wrong in [0, 4, -1] {
        check(
            s3(),
            |it| it.connection_attempts = Some(wrong),
            ErrorCode::InvalidArgument,
            "ConnectionAttempts",
        );
    }
    for wrong in [0, 11] {
        check(
            s3(),
            |it| it.connection_timeout = Some(wrong),
            ErrorCode::InvalidArgument,
            "ConnectionTimeout",
        );
    }
    for wrong in [-1, 0, 79, 81, 1023, 65_536] {
        check_custom(
            |custom| custom.http_port = wrong,
            ErrorCode::InvalidArgument,
            "HTTPPort",
        );
        check_custom(
            |custom| custom.https_port = wrong,
            ErrorCode::InvalidArgument,
            "HTTPSPort",
        );
    }
    for wrong in [0, 121] {
        let code = ErrorCode::InvalidOriginReadTimeout;
        check_custom(
            |custom| custom.origin_read_timeout = Some(wrong),
            code,
            "OriginReadTimeout",
        );
        let set = |it: &mut types::Origin| it.s3_origin_config.as_mut().unwrap().origin_read_timeout = Some(wrong);
        check(s3(), set, code, "OriginReadTimeout");
    }
    for wrong in [0, 301] {
        let code = ErrorCode::InvalidOriginKeepaliveTimeout;
        check_custom(
            |custom| custom.origin_keepalive_timeout = Some(wrong),
            code,
            "OriginKeepaliveTimeout",
        );
    }
    check(
        s3(),
        |it| it.response_completion_timeout = Some(29),
        ErrorCode::InvalidArgument,
        "29 is below 30",
    );
}

#[test]
fn a_path_begins_with_a_slash_and_does_not_end_in_one() {
    for wrong in ["a", "/", "/a/", &format!("/{}", "a".repeat(255))] {
        check(
            s3(),
            |it| it.origin_path = Some(wrong.to_owned()),
            ErrorCode::InvalidRelativePath,
            "OriginPath",
        );
    }
    let wire = types::Origin {
        origin_path: Some("/site/v1".to_owned()),
        ..s3()
    };
    assert_eq!(&*origin(&wire).unwrap().path, "/site/v1");
}

#[test]
fn an_id_is_there_and_is_used_once() {
    check(
        s3(),
        |origin| origin.id.clear(),
        ErrorCode::InvalidArgument,
        "origin Id",
    );
    check(
        s3(),
        |origin| origin.id = "i".repeat(129),
        ErrorCode::InvalidArgument,
        "origin Id",
    );
    let mut config = samples::config();
    config.origins.items.push(s3());
    assert_eq!(convert(&config).unwrap_err().code, ErrorCode::InvalidArgument);
}

fn convert(config: &DistributionConfig) -> Result<Distribution, ConfigError> {
    let id = warmfront_model::DistributionId::parse("E1U5RQF7T870K0").unwrap();
    distribution(config, id, "d111111abcdef8.cloudfront.net")
}

fn group(id: &str, members: &[&str], codes: &[i32]) -> OriginGroup {
    OriginGroup {
        id: id.to_owned(),
        failover_criteria: OriginGroupFailoverCriteria {
            status_codes: StatusCodes {
                quantity: i32::try_from(codes.len()).unwrap(),
                items: codes.to_vec(),
            },
        },
        members: OriginGroupMembers {
            quantity: i32::try_from(members.len()).unwrap(),
            items: members
                .iter()
                .map(|id| OriginGroupMember {
                    origin_id: (*id).to_owned(),
                })
                .collect(),
        },
        selection_criteria: None,
    }
}

fn with_groups(groups: Vec<OriginGroup>) -> DistributionConfig {
    let mut config = samples::config();
    config.origins.items.push(types::Origin {
        id: "second".to_owned(),
        ..s3()
    });
    config.origin_groups = Some(OriginGroups {
        quantity: i32::try_from(groups.len()).unwrap(),
        items: groups,
    });
    config
}

#[test]
fn a_group_stands_for_its_first_member() {
    let mut config = with_groups(vec![group("both", &["second", "S3-my-site"], &[500, 503])]);
    config.default_cache_behavior.target_origin_id = "both".to_owned();
    assert_eq!(convert(&config).unwrap().behaviors.last().unwrap().origin, 1);
}

#[test]
fn groups_keep_to_their_rules() {
    let both = ["second", "S3-my-site"];
    let many = (0..11)
        .map(|number| group(&format!("g{number}"), &both, &[500]))
        .collect();
    for (groups, code) in [
        (vec![group("g", &["second", "third"], &[500])], ErrorCode::NoSuchOrigin),
        (vec![group("g", &["second"], &[500])], ErrorCode::InvalidArgument),
        (vec![group("g", &both, &[])], ErrorCode::InvalidArgument),
        (vec![group("g", &both, &[200])], ErrorCode::InvalidArgument),
        (vec![group("second", &both, &[500])], ErrorCode::InvalidArgument),
        (many, ErrorCode::TooManyOriginGroupsPerDistribution),
    ] {
        assert_eq!(convert(&with_groups(groups)).unwrap_err().code, code);
    }
}
