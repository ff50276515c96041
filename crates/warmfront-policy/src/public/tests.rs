use super::*;
use crate::PolicyKind;

/// One statement with Effect Allow, given its principal and its condition (empty for none).
#[track_caller]
fn check(principal: &str, condition: &str, public: bool) {
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(r#","Condition":{condition}"#)
    };
    let json = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{principal},"Action":"s3:GetObject","Resource":"*"{condition}}}}}"#
    );
    let policy = Policy::parse(&json, PolicyKind::Bucket).unwrap();
    assert_eq!(is_public(&policy), public, "{json}");
}

const ALL: &str = r#""Principal":"*""#;

#[test]
fn principals() {
    check(ALL, "", true);
    check(r#""Principal":{"AWS":"*"}"#, "", true);
    check(r#""Principal":{"AWS":["111122223333","*"]}"#, "", true);
    check(r#""NotPrincipal":{"AWS":"111122223333"}"#, "", true);
    check(r#""Principal":{"Federated":"graph.facebook.com"}"#, "", true);
    check(
        r#""Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:user/a"]}"#,
        "",
        false,
    );
    check(r#""Principal":{"Service":"cloudfront.amazonaws.com"}"#, "", false);
}

/// The examples of the documentation.
#[test]
fn fixed_values() {
    check(ALL, r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true);
    check(ALL, r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#, false);
    check(ALL, r#"{"StringLike":{"aws:SourceVpc":"vpc-91237329"}}"#, false);
    check(ALL, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#, false);
    check(
        ALL,
        r#"{"ArnLike":{"AWS:SourceArn":"arn:aws:cloudfront::111122223333:distribution/E1"}}"#,
        false,
    );
    check(
        ALL,
        r#"{"ArnLike":{"AWS:SourceArn":"arn:aws:cloudfront::111122223333:distribution/*"}}"#,
        true,
    );
    check(
        ALL,
        r#"{"ArnEquals":{"AWS:SourceArn":"arn:aws:cloudfront::${aws:PrincipalAccount}:distribution/E1"}}"#,
        true,
    );
    check(ALL, r#"{"StringLike":{"aws:userid":"AROLEID:*"}}"#, true);
    check(
        ALL,
        r#"{"StringEquals":{"aws:userid":["AIDAEXAMPLE","${aws:userid}"]}}"#,
        true,
    );
    for operator in ["ArnLike", "StringLike"] {
        let arn = |account: &str| {
            format!(r#"{{"{operator}":{{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:{account}:accesspoint/*"}}}}"#)
        };
        check(ALL, &arn("123456789012"), false);
        check(ALL, &arn("*"), true);
    }
}

#[test]
fn networks() {
    for (network, public) in [
        ("203.0.113.0/24", false),
        ("10.0.0.0/8", false),
        ("0.0.0.0/1", true),
        ("2001:db8::/32", false),
        ("2000::/3", true),
    ] {
        check(
            ALL,
            &format!(r#"{{"IpAddress":{{"aws:SourceIp":"{network}"}}}}"#),
            public,
        );
    }
    check(
        ALL,
        r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}"#,
        true,
    );
}

#[test]
fn what_does_not_narrow() {
    check(ALL, r#"{"Bool":{"aws:SecureTransport":"true"}}"#, true);
    check(ALL, r#"{"StringEquals":{"aws:Referer":"example.com"}}"#, true);
    check(ALL, r#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#, true);
    check(ALL, r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, true);
    check(ALL, r#"{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"}}"#, true);
    check(ALL, r#"{"ForAllValues:StringEquals":{"aws:SourceVpc":"vpc-1"}}"#, true);
    check(ALL, r#"{"Null":{"aws:SourceVpc":"false"}}"#, true);
}

#[test]
fn one_public_statement_makes_the_policy_public_and_denies_do_not_count() {
    let json = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"},
        {"Effect":"EFFECT","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    for (effect, public) in [("Allow", true), ("Deny", false)] {
        let policy = Policy::parse(&json.replace("EFFECT", effect), PolicyKind::Bucket).unwrap();
        assert_eq!(is_public(&policy), public, "{effect}");
    }
}
