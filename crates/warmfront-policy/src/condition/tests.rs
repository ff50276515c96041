use super::*;

/// Whether `condition`, a Condition element, holds for a request with these keys.
#[track_caller]
fn check(condition: &str, keys: &[(&str, &str)], holds: bool) {
    let json: Json = serde_json::from_str(condition).unwrap();
    let conditions = Condition::parse_all(json, true).unwrap();
    let context = keys
        .iter()
        .fold(Context::new(), |context, (key, value)| context.with(key, *value));
    assert_eq!(
        conditions.iter().all(|one| one.holds(&context)),
        holds,
        "{condition} for {keys:?}"
    );
}

#[test]
fn strings() {
    let equals = r#"{"StringEquals":{"aws:PrincipalTag/job":["iamuser-admin","Other"]}}"#;
    check(equals, &[("AWS:principaltag/JOB", "Other")], true);
    check(equals, &[("aws:PrincipalTag/job", "other")], false);
    check(r#"{"StringEqualsIgnoreCase":{"k":"ÄBc"}}"#, &[("k", "äbC")], true);
    check(r#"{"StringNotEqualsIgnoreCase":{"k":"abc"}}"#, &[("k", "ABC")], false);
    check(
        r#"{"StringEquals":{"s3:prefix":["","home/"]}}"#,
        &[("s3:prefix", "")],
        true,
    );
    check(r#"{"StringEquals":{"k":"a*"}}"#, &[("k", "ab")], false);
    check(r#"{"StringLike":{"k":"a*"}}"#, &[("k", "ab")], true);
    check(r#"{"StringLike":{"k":"a${*}"}}"#, &[("k", "ab")], false);
    check(r#"{"StringLike":{"k":"A*"}}"#, &[("k", "ab")], false);
    check(r#"{"StringNotLike":{"k":["a*","b*"]}}"#, &[("k", "bc")], false);
    check(
        r#"{"StringEquals":{"k":"${aws:username}"}}"#,
        &[("k", "mary"), ("aws:username", "mary")],
        true,
    );
    check(r#"{"StringEquals":{"k":"${aws:username}"}}"#, &[("k", "")], false);
}

/// Both keys, and both operators, must hold.
#[test]
fn all_conditions_must_hold() {
    let both = r#"{"StringEquals":{"a":"1","b":"2"},"Bool":{"c":true}}"#;
    check(both, &[("a", "1"), ("b", "2"), ("c", "true")], true);
    check(both, &[("a", "1"), ("b", "2"), ("c", "false")], false);
    check(both, &[("a", "1"), ("c", "true")], false);
}

/// Source: IAM User Guide, "Condition operators": an absent key fails what asks for a value, and passes what only forbids
/// one and what has IfExists.
#[test]
fn absent_keys() {
    for (operator, value) in [
        ("StringEquals", "a"),
        ("StringLike", "*"),
        ("ArnLike", "*"),
        ("NumericLessThan", "1"),
        ("DateGreaterThan", "2020-01-01"),
        ("Bool", "false"),
        ("IpAddress", "0.0.0.0/0"),
    ] {
        check(&format!(r#"{{"{operator}":{{"k":"{value}"}}}}"#), &[], false);
        check(&format!(r#"{{"{operator}IfExists":{{"k":"{value}"}}}}"#), &[], true);
    }
    for (operator, value) in [
        ("StringNotEquals", "a"),
        ("StringNotLike", "*"),
        ("ArnNotEquals", "*"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "2020-01-01"),
        ("NotIpAddress", "0.0.0.0/0"),
    ] {
        check(&format!(r#"{{"{operator}":{{"k":"{value}"}}}}"#), &[], true);
    }
    check(
        r#"{"StringLikeIfExists":{"ec2:InstanceType":["t1.*","m3.*"]}}"#,
        &[("ec2:InstanceType", "c5.x")],
        false,
    );
    check(r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, &[], true);
    check(
        r#"{"Null":{"aws:TokenIssueTime":true}}"#,
        &[("aws:TokenIssueTime", "x")],
        false,
    );
    check(
        r#"{"Null":{"aws:TokenIssueTime":"false"}}"#,
        &[("aws:TokenIssueTime", "x")],
        true,
    );
}

/// Source: IAM User Guide, "Set operators for multivalued context keys".
#[test]
fn several_values_of_one_key() {
    let two = [("aws:TagKeys", "environment"), ("aws:TagKeys", "webserver")];
    let three = [two[0], two[1], ("aws:TagKeys", "cost")];
    let all = r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["environment","webserver"]}}"#;
    check(all, &two, true);
    check(all, &two[..1], true);
    check(all, &three, false);
    check(all, &[], true);
    let any = r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","other"]}}"#;
    check(any, &three, true);
    check(any, &two[1..], false);
    check(any, &[], false);
    check(
        r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":"cost"}}"#,
        &three,
        false,
    );
    check(r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":"cost"}}"#, &two, true);
    check(
        r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"cost"}}"#,
        &three,
        true,
    );
    check(r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"cost"}}"#, &[], false);
    check(
        r#"{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"cost"}}"#,
        &[],
        true,
    );
}

#[test]
fn arns() {
    let source = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE";
    for operator in ["ArnEquals", "ArnLike"] {
        let condition =
            format!(r#"{{"{operator}":{{"AWS:SourceArn":"arn:aws:cloudfront::123456789012:distribution/*"}}}}"#);
        check(&condition, &[("aws:SourceArn", source)], true);
        check(
            &condition,
            &[("aws:SourceArn", "arn:aws:cloudfront::999999999999:distribution/E1")],
            false,
        );
    }
    check(
        r#"{"ArnNotLike":{"k":"arn:aws:sns:*:123456789012:*"}}"#,
        &[("k", "arn:aws:sns:us-east-1:123456789012:t")],
        false,
    );
    check(
        r#"{"ArnLike":{"k":"arn:aws:s*"}}"#,
        &[("k", "arn:aws:sns:us-east-1:123456789012:t")],
        false,
    );
    check(
        r#"{"ArnLike":{"k":"arn:aws:*:t"}}"#,
        &[("k", "arn:aws:sns:us-east-1:123456789012:t")],
        false,
    );
}

#[test]
fn numbers_dates_booleans() {
    check(
        r#"{"NumericLessThanEquals":{"s3:max-keys":"10"}}"#,
        &[("s3:max-keys", "10")],
        true,
    );
    check(
        r#"{"NumericLessThanEquals":{"s3:max-keys":10}}"#,
        &[("s3:max-keys", "11")],
        false,
    );
    check(r#"{"NumericGreaterThan":{"k":"9"}}"#, &[("k", "10")], true);
    check(r#"{"NumericEquals":{"k":"1.50"}}"#, &[("k", "1.5")], true);
    check(r#"{"NumericLessThan":{"k":"9"}}"#, &[("k", "one")], false);
    let before = r#"{"DateLessThan":{"aws:CurrentTime":"2020-04-01T00:00:00Z"}}"#;
    check(before, &[("aws:CurrentTime", "2020-03-31T23:59:59.999Z")], true);
    check(before, &[("aws:CurrentTime", "2020-04-01T01:00:00+02:00")], true);
    check(before, &[("aws:CurrentTime", "2020-04-01")], false);
    check(
        before,
        &[("aws:EpochTime", "1585699199"), ("aws:CurrentTime", "1585699199")],
        true,
    );
    check(
        r#"{"Bool":{"aws:SecureTransport":"false"}}"#,
        &[("aws:SecureTransport", "False")],
        true,
    );
    check(
        r#"{"Bool":{"aws:SecureTransport":false}}"#,
        &[("aws:SecureTransport", "true")],
        false,
    );
}

#[test]
fn addresses() {
    let allowed = r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:DB8:1234:5678::/64","198.51.100.7"]}}"#;
    for (address, holds) in [
        ("203.0.113.255", true),
        ("203.0.114.0", false),
        ("2001:db8:1234:5678:ffff::1", true),
        ("2001:db8:1234:5679::1", false),
        ("198.51.100.7", true),
        ("198.51.100.8", false),
        ("::ffff:203.0.113.9", true),
        ("not an address", false),
    ] {
        check(allowed, &[("aws:SourceIp", address)], holds);
        check(
            &allowed.replace("IpAddress", "NotIpAddress"),
            &[("aws:SourceIp", address)],
            !holds,
        );
    }
    check(
        r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#,
        &[("aws:SourceIp", "255.255.255.255")],
        true,
    );
    check(
        r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#,
        &[("aws:SourceIp", "1.2.3.4")],
        false,
    );
}
