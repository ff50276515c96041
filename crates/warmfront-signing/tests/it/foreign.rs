use warmfront_signing::{PayloadClaim, Scope, VerifyError};

use crate::fixture::Signed;

const AWS_SUITE_AT: i64 = 1_440_938_160;
const BOTOCORE_AT: i64 = 1_768_473_000;

fn aws_suite() -> Vec<Signed> {
    Signed::read_all(include_str!("aws_suite.txt"))
}

fn botocore() -> Vec<Signed> {
    Signed::read_all(include_str!("botocore.txt"))
}

fn scope_of(signed: &Signed) -> Scope<'_> {
    let service = match signed.name.split_once(' ').unwrap().1 {
        "header" | "query" => "service",
        service => service,
    };
    Scope {
        region: "us-east-1",
        service,
    }
}

fn signed_at(signed: &Signed) -> i64 {
    if scope_of(signed).service == "service" {
        AWS_SUITE_AT
    } else {
        BOTOCORE_AT
    }
}

#[track_caller]
fn check_accepted(signed: &Signed) {
    let verified = signed.verify(scope_of(signed), signed_at(signed));
    let verified = verified.unwrap_or_else(|error| panic!("{}: {error}", signed.name));
    assert_eq!(verified.access_key_id, "AKIDEXAMPLE", "{}", signed.name);
    assert_eq!(verified.signed_at.unix_secs(), signed_at(signed), "{}", signed.name);
}

#[track_caller]
fn check_refused(signed: &Signed, what: &str) {
    assert!(
        signed.verify(scope_of(signed), signed_at(signed)).is_err(),
        "{} with {what} is refused",
        signed.name
    );
}

#[test]
fn accepts_the_published_signatures() {
    let suite = aws_suite();
    assert_eq!(suite.len(), 60, "all cases are read");
    suite.iter().for_each(check_accepted);
}

#[test]
fn accepts_what_botocore_signs() {
    let requests = botocore();
    assert_eq!(requests.len(), 12, "all requests are read");
    requests.iter().for_each(check_accepted);
}

/// Each part of each request counts: with one bit of it changed the signature is worth nothing.
#[test]
fn refuses_a_request_that_was_changed() {
    for signed in aws_suite().into_iter().chain(botocore()) {
        check_refused(
            &Signed {
                method: "PATCH".to_owned(),
                ..signed.clone()
            },
            "another method",
        );
        check_refused(
            &Signed {
                path: format!("{}x", signed.path),
                ..signed.clone()
            },
            "another path",
        );
        check_refused(
            &Signed {
                query: format!("{}&x=y", signed.query),
                ..signed.clone()
            },
            "another query",
        );
        let mut other_host = signed.clone();
        other_host.headers.insert("host", "example.com".parse().unwrap());
        check_refused(&other_host, "another host");
        let mut more_headers = signed.clone();
        more_headers
            .headers
            .insert("x-amz-copy-source", "/secret/file".parse().unwrap());
        check_refused(&more_headers, "an unsigned x-amz header");
    }
}

#[test]
fn says_what_is_known_of_the_body() {
    for mut signed in botocore() {
        let expected = match signed.name.as_str() {
            "presigned-get s3" => PayloadClaim::Unsigned,
            "put-object-https s3" => PayloadClaim::Streaming("STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned()),
            _ => PayloadClaim::Verified,
        };
        let scope = scope_of(&signed).service.to_owned();
        let scope = Scope {
            region: "us-east-1",
            service: &scope,
        };
        assert_eq!(
            signed.verify(scope, BOTOCORE_AT).unwrap().payload,
            expected,
            "{}",
            signed.name
        );
        signed.body.push(b'!');
        let with_other_body = signed.verify(scope, BOTOCORE_AT).map(|verified| verified.payload);
        match (scope.service, &expected) {
            ("s3", PayloadClaim::Verified) => assert_eq!(with_other_body, Err(VerifyError::PayloadMismatch)),
            ("s3", _) => assert_eq!(with_other_body, Ok(expected)),
            _ => assert_eq!(with_other_body, Err(VerifyError::SignatureDoesNotMatch)),
        }
    }
}

/// A proxy may change the case of escapes and what is escaped without need; S3's canonical form is the same.
#[test]
fn the_spelling_of_an_s3_path_does_not_matter() {
    let mut signed = botocore()
        .into_iter()
        .find(|signed| signed.name == "get-object s3")
        .unwrap();
    assert_eq!(signed.path, "/site/a%20b/../c//~d%27%281%29%2A%2B%C3%A4.html");
    signed.path = "/site/a%20b/../c//%7ed'(1)*%2b%c3%a4.html".to_owned();
    check_accepted(&signed);
    signed.path = "/site/c//~d%27%281%29%2A%2B%C3%A4.html".to_owned();
    check_refused(&signed, "dot segments removed");
}
