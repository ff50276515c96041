use super::*;

const ALL: Signs = Signs {
    wildcards: true,
    variables: true,
};

fn context() -> Context {
    Context::new()
        .with("aws:username", "mary")
        .with("many", "a")
        .with("many", "b")
        .with("star", "*")
}

#[track_caller]
fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let parsed = Pattern::parse(pattern, ALL).unwrap();
    for text in matching {
        assert!(
            parsed.matches(text, Case::Sensitive, &context()),
            "{pattern} must match {text}"
        );
    }
    for text in others {
        assert!(
            !parsed.matches(text, Case::Sensitive, &context()),
            "{pattern} must not match {text}"
        );
    }
}

#[track_caller]
fn check_arn(pattern: &str, matching: &[&str], others: &[&str]) {
    let parsed = ArnPattern::parse(pattern, true).unwrap().unwrap();
    for arn in matching {
        assert!(parsed.matches(arn, &context()), "{pattern} must match {arn}");
    }
    for arn in others {
        assert!(!parsed.matches(arn, &context()), "{pattern} must not match {arn}");
    }
}

#[test]
fn wildcards() {
    check("", &[""], &["a"]);
    check("*", &["", "a", "a/b"], &[]);
    check("a?c", &["abc", "a?c", "aéc"], &["ac", "abbc"]);
    check(
        "s3:Get*Acl",
        &["s3:GetAcl", "s3:GetObjectAcl", "s3:GetAclAcl"],
        &["s3:GetObject", "s3:GetObjectAclx"],
    );
    check("*a*b", &["ab", "xaxb", "abab"], &["a", "ba"]);
    check("**?", &["a"], &[""]);
}

#[test]
fn variables() {
    check(
        "home/${aws:username}/*",
        &["home/mary/x"],
        &["home/bob/x", "home//x", "home/${aws:username}/x"],
    );
    check("${AWS:UserName}", &["mary"], &["Mary"]);
    check("a${*}b${?}c${$}", &["a*b?c$"], &["aXb?c$", "a*bXc$"]);
    check(
        "${team, 'all'}/${aws:username,'none'}",
        &["all/mary"],
        &["/mary", "all/none"],
    );
    check("${absent}", &[], &["", "${absent}"]);
    check("${many}", &[], &["a", "b", "a,b"]);
}

/// A user who could choose the name `*` would otherwise see every home folder.
#[test]
fn the_value_of_a_variable_is_no_pattern() {
    check("home/${star}/x", &["home/*/x"], &["home/mary/x"]);
}

#[test]
fn variables_are_well_formed() {
    for bad in ["${", "${aws:username", "${}", "${a, b}", "${a, 'b}", "${${a}}", "${a*}"] {
        assert!(
            matches!(Pattern::parse(bad, ALL), Err(PolicyError::InvalidVariable(_))),
            "{bad}"
        );
    }
    let plain = Pattern::parse(
        "${a",
        Signs {
            wildcards: true,
            variables: false,
        },
    )
    .unwrap();
    assert!(plain.matches("${a", Case::Sensitive, &context()));
}

#[test]
fn each_part_of_an_arn_matches_on_its_own() {
    check_arn("*", &["arn:aws:s3:::b", "anything"], &[]);
    check_arn(
        "arn:aws:s3:::b/*",
        &["arn:aws:s3:::b/", "arn:aws:s3:::b/x/y:z"],
        &["arn:aws:s3:::b", "arn:aws:s3:::B/x"],
    );
    check_arn("arn:aws:s3:::*", &["arn:aws:s3:::b/x"], &["arn:aws:sqs:::b"]);
    check_arn(
        "arn:aws:cloudfront::*:distribution/E1",
        &["arn:aws:cloudfront::123456789012:distribution/E1"],
        &[
            "arn:aws:cloudfront::1:2:distribution/E1",
            "arn:aws:cloudfront::123456789012:distribution/E12",
            "E1",
        ],
    );
    check_arn(
        "arn:aws:s3:::b/${aws:username}/*",
        &["arn:aws:s3:::b/mary/x"],
        &["arn:aws:s3:::b/bob/x"],
    );
}

/// A matcher that tries all splits would take 2^40 steps on the first, and 300^20 on the second.
#[test]
fn adversarial_patterns_end() {
    check(&format!("{}b", "a*".repeat(40)), &[], &[&"a".repeat(2_000)]);
    check(&format!("{}x", "*a".repeat(20)), &[], &[&"a".repeat(300)]);
    check(&"*".repeat(20_000), &[&"a".repeat(1_024)], &[]);
    check(&format!("{}z", "*?".repeat(5_000)), &[], &[&"a".repeat(6_000)]);
}
