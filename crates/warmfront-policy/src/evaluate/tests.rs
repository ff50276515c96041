use super::*;
use crate::PolicyKind;

const OWNER: &str = "111122223333";
const OTHER: &str = "444455556666";
const OBJECT: &str = "arn:aws:s3:::examplebucket/photo.jpg";

const ANYONE: Principal<'_> = Principal::Anonymous;
const ROOT: Principal<'_> = Principal::Identity {
    arn: "arn:aws:iam::111122223333:root",
    account: OWNER,
};
const MARY: Principal<'_> = Principal::Identity {
    arn: "arn:aws:iam::111122223333:user/mary",
    account: OWNER,
};
const BOB: Principal<'_> = Principal::Identity {
    arn: "arn:aws:iam::444455556666:user/Bob",
    account: OTHER,
};
const ALICE: Principal<'_> = Principal::Identity {
    arn: "arn:aws:iam::444455556666:user/Alice",
    account: OTHER,
};
const OTHER_ROOT: Principal<'_> = Principal::Identity {
    arn: "arn:aws:iam::444455556666:root",
    account: OTHER,
};
const CLOUDFRONT: Principal<'_> = Principal::Service("cloudfront.amazonaws.com");

fn allow() -> Decision {
    Decision::Allow { sid: None }
}

fn allow_by(sid: &str) -> Decision {
    Decision::Allow {
        sid: Some(sid.to_owned()),
    }
}

fn deny_by(sid: &str) -> Decision {
    Decision::ExplicitDeny {
        sid: Some(sid.to_owned()),
    }
}

/// `identity` and `bucket` are statements, separated by commas; empty means no such policy.
struct Case<'a> {
    identity: &'a str,
    bucket: &'a str,
    principal: Principal<'a>,
    action: &'a str,
    resource: &'a str,
    keys: &'a [(&'a str, &'a str)],
}

impl Case<'_> {
    fn asked_by(principal: Principal<'_>) -> Case<'_> {
        Case {
            identity: "",
            bucket: "",
            principal,
            action: "s3:GetObject",
            resource: OBJECT,
            keys: &[],
        }
    }
}

#[track_caller]
fn check(case: &Case<'_>, decision: Decision) {
    let read = |statements: &str, kind| {
        let json = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        (!statements.is_empty()).then(|| Policy::parse(&json, kind).unwrap())
    };
    let identity = read(case.identity, PolicyKind::Identity);
    let bucket = read(case.bucket, PolicyKind::Bucket);
    let context = case
        .keys
        .iter()
        .fold(Context::of(case.principal), |context, (key, value)| {
            context.with(key, *value)
        });
    let request = Request {
        principal: case.principal,
        action: case.action,
        resource: case.resource,
        context: &context,
    };
    let given = evaluate(&identity.iter().collect::<Vec<_>>(), bucket.as_ref(), &request, OWNER);
    assert_eq!(
        given, decision,
        "{} on {} by {:?}",
        case.action, case.resource, case.principal
    );
}

#[test]
fn by_default_nobody_but_root_is_allowed() {
    for principal in [ANYONE, MARY, BOB, OTHER_ROOT, CLOUDFRONT] {
        check(&Case::asked_by(principal), Decision::ImplicitDeny);
    }
    check(&Case::asked_by(ROOT), allow());
}

/// Source: IAM User Guide, "Example identity-based and resource-based policy evaluation".
#[test]
fn within_an_account_either_policy_is_enough_and_a_deny_wins() {
    let own = r#"{"Sid":"own","Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::examplebucket/*"}"#;
    let of_bucket = r#"{"Sid":"of_bucket","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/mary"},
        "Action":"s3:GetObject","Resource":"arn:aws:s3:::examplebucket/*"}"#;
    let deny = r#"{"Sid":"no","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    let own_deny = r#"{"Sid":"own_no","Effect":"Deny","Action":"*","Resource":"*"}"#;
    check(
        &Case {
            identity: own,
            ..Case::asked_by(MARY)
        },
        allow_by("own"),
    );
    check(
        &Case {
            bucket: of_bucket,
            ..Case::asked_by(MARY)
        },
        allow_by("of_bucket"),
    );
    check(
        &Case {
            identity: own,
            bucket: deny,
            ..Case::asked_by(MARY)
        },
        deny_by("no"),
    );
    check(
        &Case {
            identity: own_deny,
            bucket: of_bucket,
            ..Case::asked_by(MARY)
        },
        deny_by("own_no"),
    );
    check(
        &Case {
            bucket: &format!("{of_bucket},{deny}"),
            ..Case::asked_by(MARY)
        },
        deny_by("no"),
    );
}

/// Source: IAM User Guide, "Cross-account policy evaluation logic".
#[test]
fn across_accounts_both_must_allow() {
    let own = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let to_account =
        r#"{"Sid":"account","Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:*","Resource":"*"}"#;
    let to_bob = r#"{"Sid":"bob","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/Bob"},
        "Action":"s3:*","Resource":"*"}"#;
    check(
        &Case {
            identity: own,
            ..Case::asked_by(BOB)
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            bucket: to_bob,
            ..Case::asked_by(BOB)
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            identity: own,
            bucket: to_bob,
            ..Case::asked_by(BOB)
        },
        allow_by("bob"),
    );
    check(
        &Case {
            identity: own,
            bucket: to_account,
            ..Case::asked_by(BOB)
        },
        allow_by("account"),
    );
    check(
        &Case {
            identity: own,
            bucket: to_bob,
            ..Case::asked_by(ALICE)
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            bucket: to_account,
            ..Case::asked_by(OTHER_ROOT)
        },
        allow_by("account"),
    );
}

/// Source: IAM User Guide, "AWS JSON policy elements: Principal", "AWS account principals".
#[test]
fn an_account_hands_permissions_on_and_takes_denials_whole() {
    for name in ["111122223333", "arn:aws:iam::111122223333:root"] {
        let statement = |effect: &str| {
            format!(
                r#"{{"Sid":"a","Effect":"{effect}","Principal":{{"AWS":"{name}"}},"Action":"s3:*","Resource":"*"}}"#
            )
        };
        check(
            &Case {
                bucket: &statement("Allow"),
                ..Case::asked_by(MARY)
            },
            Decision::ImplicitDeny,
        );
        let own = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        check(
            &Case {
                identity: own,
                bucket: &statement("Deny"),
                ..Case::asked_by(MARY)
            },
            deny_by("a"),
        );
        check(
            &Case {
                bucket: &statement("Deny"),
                ..Case::asked_by(ROOT)
            },
            deny_by("a"),
        );
    }
}

/// Source: Amazon S3 API Reference, PutBucketPolicy.
#[test]
fn root_cannot_lock_itself_out() {
    let bucket = r#"{"Sid":"no","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    for action in ["s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucketPolicy"] {
        let case = Case {
            bucket,
            action,
            resource: "arn:aws:s3:::examplebucket",
            ..Case::asked_by(ROOT)
        };
        check(&case, allow());
        check(
            &Case {
                principal: MARY,
                ..case
            },
            deny_by("no"),
        );
        check(
            &Case {
                principal: OTHER_ROOT,
                ..case
            },
            deny_by("no"),
        );
    }
    check(
        &Case {
            bucket,
            ..Case::asked_by(ROOT)
        },
        deny_by("no"),
    );
}

/// The policy of CloudFront's guide for origin access control.
#[test]
fn a_distribution_reads_its_bucket() {
    let bucket = r#"{"Sid":"AllowCloudFrontServicePrincipalReadOnly","Effect":"Allow",
        "Principal":{"Service":"cloudfront.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::examplebucket/*",
        "Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::111122223333:distribution/EDFDVBD6EXAMPLE"}}}"#;
    let keys = &[(
        "aws:SourceArn",
        "arn:aws:cloudfront::111122223333:distribution/EDFDVBD6EXAMPLE",
    )];
    let case = Case {
        bucket,
        keys,
        ..Case::asked_by(CLOUDFRONT)
    };
    check(&case, allow_by("AllowCloudFrontServicePrincipalReadOnly"));
    let others = &[("aws:SourceArn", "arn:aws:cloudfront::111122223333:distribution/EOTHER")];
    check(&Case { keys: others, ..case }, Decision::ImplicitDeny);
    check(&Case { keys: &[], ..case }, Decision::ImplicitDeny);
    check(
        &Case {
            principal: ANYONE,
            ..case
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            principal: MARY,
            ..case
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            principal: Principal::Service("s3.amazonaws.com"),
            ..case
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            action: "s3:PutObject",
            ..case
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            resource: "arn:aws:s3:::examplebucket",
            ..case
        },
        Decision::ImplicitDeny,
    );
    check(
        &Case {
            resource: "arn:aws:s3:::EXAMPLEBUCKET/a",
            ..case
        },
        Decision::ImplicitDeny,
    );
    let own = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    check(
        &Case {
            identity: own,
            keys: &[],
            ..case
        },
        Decision::ImplicitDeny,
    );
}

#[test]
fn everyone_means_everyone() {
    for principal in [r#""*""#, r#"{"AWS":"*"}"#] {
        let bucket = format!(
            r#"{{"Sid":"all","Effect":"Allow","Principal":{principal},"Action":"S3:getobject","Resource":"*"}}"#
        );
        for asking in [ANYONE, MARY, CLOUDFRONT] {
            check(
                &Case {
                    bucket: &bucket,
                    ..Case::asked_by(asking)
                },
                allow_by("all"),
            );
        }
    }
}

/// Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal": everyone but Bob and his account is denied.
#[test]
fn not_principal() {
    let bucket = r#"{"Sid":"not_bob","Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::444455556666:user/Bob",
        "arn:aws:iam::444455556666:root"]},"Action":"s3:*","Resource":["arn:aws:s3:::examplebucket","arn:aws:s3:::examplebucket/*"]},
        {"Sid":"ok","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::examplebucket/*"}"#;
    let identity = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    check(
        &Case {
            bucket,
            identity,
            ..Case::asked_by(BOB)
        },
        allow_by("ok"),
    );
    check(
        &Case {
            bucket,
            identity,
            ..Case::asked_by(OTHER_ROOT)
        },
        allow_by("ok"),
    );
    for denied in [ALICE, MARY, ANYONE, CLOUDFRONT, ROOT] {
        check(
            &Case {
                bucket,
                identity,
                ..Case::asked_by(denied)
            },
            deny_by("not_bob"),
        );
    }
}

/// Sources: IAM User Guide, "IAM JSON policy elements: NotAction" and "… NotResource".
#[test]
fn not_action_and_not_resource() {
    let identity = r#"{"Sid":"but_delete","Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"arn:aws:s3:::*"}"#;
    check(
        &Case {
            identity,
            ..Case::asked_by(MARY)
        },
        allow_by("but_delete"),
    );
    check(
        &Case {
            identity,
            action: "s3:deletebucket",
            ..Case::asked_by(MARY)
        },
        Decision::ImplicitDeny,
    );
    let elsewhere = "arn:aws:cloudfront::111122223333:distribution/E1";
    check(
        &Case {
            identity,
            resource: elsewhere,
            ..Case::asked_by(MARY)
        },
        Decision::ImplicitDeny,
    );
    let identity = r#"{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},
        {"Sid":"only_hr","Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::HRBucket/Payroll","arn:aws:s3:::HRBucket/Payroll/*"]}"#;
    check(
        &Case {
            identity,
            resource: "arn:aws:s3:::HRBucket/Payroll/a",
            ..Case::asked_by(MARY)
        },
        allow_by("a"),
    );
    check(
        &Case {
            identity,
            resource: "arn:aws:s3:::HRBucket/Other",
            ..Case::asked_by(MARY)
        },
        deny_by("only_hr"),
    );
}

/// Source: IAM User Guide, "IAM policy elements: Variables and tags".
#[test]
fn users_have_their_own_folder() {
    let identity =
        r#"{"Sid":"home","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::mybucket/${aws:username}/*"}"#;
    check(
        &Case {
            identity,
            resource: "arn:aws:s3:::mybucket/mary/a",
            ..Case::asked_by(MARY)
        },
        allow_by("home"),
    );
    check(
        &Case {
            identity,
            resource: "arn:aws:s3:::mybucket/bob/a",
            ..Case::asked_by(MARY)
        },
        Decision::ImplicitDeny,
    );
}

/// A policy without a version is of 2008, which takes `${…}` to the letter.
#[test]
fn the_old_version_has_no_variables() {
    let json = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}}"#;
    let policy = Policy::parse(json, PolicyKind::Identity).unwrap();
    let context = Context::of(MARY);
    for (resource, decision) in [
        ("arn:aws:s3:::b/mary/a", Decision::ImplicitDeny),
        ("arn:aws:s3:::b/${aws:username}/a", allow()),
    ] {
        let request = Request {
            principal: MARY,
            action: "s3:GetObject",
            resource,
            context: &context,
        };
        assert_eq!(evaluate(&[&policy], None, &request, OWNER), decision, "{resource}");
    }
}
