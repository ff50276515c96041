use super::*;

const GOOD: &str = r#"{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"a","Effect":"Allow","Principal":"*",
    "Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;

/// A bucket policy of one statement, whose members beside Effect, Principal, Action and Resource are given.
fn with_members(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{members}}}]}}"#)
}

#[track_caller]
fn check(json: &str, error: &str) {
    let given = Policy::parse(json, PolicyKind::Bucket)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(given.contains(error), "{json}\nsays: {given}\nnot:  {error}");
}

#[test]
fn keeps_its_text() {
    let policy = Policy::parse(GOOD, PolicyKind::Bucket).unwrap();
    assert_eq!(policy.to_json(), GOOD);
    assert_eq!(policy.resources().collect::<Vec<_>>(), ["arn:aws:s3:::b/*"]);
    assert_eq!(policy.actions().collect::<Vec<_>>(), ["s3:GetObject"]);
}

#[test]
fn nothing_unknown_is_ignored() {
    check(
        &GOOD.replace("\"Id\"", "\"ID\""),
        "the policy has an unknown member \"ID\"; it may have Version, Id and Statement",
    );
    check(&GOOD.replace("\"Sid\"", "\"Comment\""), "unknown member \"Comment\"");
    check(&GOOD.replace("\"Sid\"", "\"and\""), "unknown member \"and\"");
    check(
        &GOOD.replace("\"*\"", r#"{"Aws":"*"}"#),
        "Principal has an unknown member \"Aws\"",
    );
    check(&GOOD.replace("2012-10-17", "2012-10-18"), "2012-10-17 or 2008-10-17");
    check(&GOOD.replace("Allow", "allow"), "Allow or Deny");
}

#[test]
fn conditions_are_read_strictly() {
    let with_condition = |condition: &str| {
        with_members(&format!(
            r#""Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{condition}"#
        ))
    };
    for operator in [
        "StringEqual",
        "StringEqualsIfExist",
        "NullIfExists",
        "ForAnyValue:Null",
        "ForSome:Bool",
        "NumericLike",
        "Date",
    ] {
        check(
            &with_condition(&format!(r#"{{"{operator}":{{"a":"1"}}}}"#)),
            &format!("the condition operator {operator:?} is unknown"),
        );
    }
    for (operator, value) in [
        ("NumericLessThan", "ten"),
        ("NumericEquals", "inf"),
        ("DateLessThan", "yesterday"),
        ("DateLessThan", "2024-02-30"),
        ("Bool", "yes"),
        ("IpAddress", "10.0.0.0/33"),
        ("IpAddress", "10.0.0"),
        ("Null", "maybe"),
    ] {
        check(
            &with_condition(&format!(r#"{{"{operator}":{{"a":"{value}"}}}}"#)),
            "is no value for the condition operator",
        );
    }
    check(
        &with_condition(r#"{"Bool":{"a":"true","a":"false"}}"#),
        "not valid JSON",
    );
    check(&with_condition(r#"{"Bool":"true"}"#), "Bool must be an object");
    check(
        &with_condition(r#"{"StringEquals":{"a":[]}}"#),
        "a must be a list that is not empty",
    );
    check(
        &with_condition(r#"{"StringEquals":{"a":{}}}"#),
        "a must be a string, number or boolean",
    );
}

#[test]
fn members_that_must_and_must_not_be_there() {
    check("{}", "the policy must have Statement");
    check(r#"{"Statement":[]}"#, "at least one statement");
    check(r#"{"Statement":[{}]}"#, "Action or NotAction");
    check(
        &GOOD.replace("\"Effect\":\"Allow\",", ""),
        "each statement must have Effect",
    );
    check(&GOOD.replace("\"Principal\":\"*\",", ""), "Principal or NotPrincipal");
    check(
        &GOOD.replace("\"Sid\":\"a\"", "\"NotAction\":\"s3:*\""),
        "both Action and NotAction",
    );
    check(
        &GOOD.replace("\"s3:GetObject\"", "[]"),
        "Action must be a list that is not empty",
    );
    check(
        &GOOD.replace("s3:GetObject", "GetObject"),
        "the action \"GetObject\" is invalid",
    );
    check(
        &GOOD.replace("arn:aws:s3:::b/*", "b/*"),
        "the resource \"b/*\" is invalid",
    );
    check(&GOOD.replace("arn:aws:s3:::b/*", "arn:aws:s3:::${a"), "policy variable");
    let twice = r#""Sid":"a","Principal":"*","Action":"s3:*","Resource":"*""#;
    check(
        &format!(r#"{{"Statement":[{{"Effect":"Deny",{twice}}},{{"Effect":"Deny",{twice}}}]}}"#),
        "Sid \"a\" is used twice",
    );
    assert!(matches!(
        Policy::parse(GOOD, PolicyKind::Identity),
        Err(PolicyError::PrincipalNotAllowed)
    ));
}

/// Source: IAM User Guide, "AWS JSON policy elements: Principal": no wildcard may match part of a name or ARN.
#[test]
fn principals() {
    for bad in [
        r#""123""#,
        r#"{"AWS":"arn:aws:iam::123456789012:user/*"}"#,
        r#"{"AWS":"arn:aws:iam::*:root"}"#,
        r#"{"AWS":"arn:aws:s3:::b"}"#,
        r#"{"AWS":"12345678901"}"#,
        r#"{"Service":"*"}"#,
        r#"{"Service":"cloudfront"}"#,
    ] {
        check(
            &GOOD.replace("\"Principal\":\"*\"", &format!("\"Principal\":{bad}")),
            "is invalid",
        );
    }
    for good in [
        r#"{"AWS":["123456789012","arn:aws:iam::123456789012:root","arn:aws:iam::123456789012:user/a/b"]}"#,
        r#"{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC"}"#,
        r#"{"AWS":"*","Service":["cloudfront.amazonaws.com"],"CanonicalUser":"79a5","Federated":"graph.facebook.com"}"#,
    ] {
        let json = GOOD.replace("\"Principal\":\"*\"", &format!("\"Principal\":{good}"));
        assert!(Policy::parse(&json, PolicyKind::Bucket).is_ok(), "{good}");
    }
}

#[test]
fn sizes() {
    let padded = |size: usize| format!("{GOOD}{}", " ".repeat(size - GOOD.len()));
    assert!(Policy::parse(&padded(20_480), PolicyKind::Bucket).is_ok());
    check(&padded(20_481), "larger than 20480");
    let identity = |name_len: usize| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"s3:{}",    "Resource":"*"}}}}"#,
            "a".repeat(name_len)
        )
    };
    let fixed = identity(0).replace(' ', "").len();
    assert!(Policy::parse(&identity(6_144 - fixed), PolicyKind::Identity).is_ok());
    let error = Policy::parse(&identity(6_145 - fixed), PolicyKind::Identity)
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, PolicyError::TooLarge { size_max: 6_144 }));
    check(&"[".repeat(20_000), "not valid JSON");
}
