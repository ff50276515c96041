use http::HeaderMap;

use super::*;
use crate::IncompleteReason;

const NOW: i64 = 1_440_938_160;
const S3: Scope<'_> = Scope {
    region: "us-east-1",
    service: "s3",
};
const SERVICE: Scope<'_> = Scope {
    region: "us-east-1",
    service: "service",
};
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SIGNATURE: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

/// The Authorization header of the published case get-vanilla.
fn authorization() -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
    )
}

/// Verifies get-vanilla with these headers beside `host`.
fn verify_with(
    query: &str,
    headers: &[(&'static str, &str)],
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<Verified, VerifyError> {
    let mut map = HeaderMap::new();
    map.insert("host", "example.amazonaws.com".parse().unwrap());
    for (name, value) in headers {
        map.append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let incoming = Incoming {
        method: "GET",
        path: "/",
        query,
        headers: &map,
        body_sha256: EMPTY_SHA256,
    };
    let secret_of =
        |id: &str| (id == "AKIDEXAMPLE").then(|| SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    verify(&incoming, scope, secret_of, now)
}

#[track_caller]
fn check(authorization: &str, error: Option<VerifyError>) {
    let headers = [("authorization", authorization), ("x-amz-date", "20150830T123600Z")];
    assert_eq!(
        verify_with("", &headers, SERVICE, Timestamp::from_unix_secs(NOW)).err(),
        error,
        "{authorization}"
    );
}

#[track_caller]
fn check_incomplete(authorization: &str, what: IncompleteReason) {
    check(authorization, Some(VerifyError::IncompleteSignature { what }));
}

#[test]
fn each_part_of_the_header_must_be_there_once_and_well_formed() {
    let good = authorization();
    check(&good, None);
    check(&good.replace(", ", ","), None);
    check_incomplete("", IncompleteReason::Algorithm);
    check_incomplete("Basic dTpw", IncompleteReason::Algorithm);
    check_incomplete(&good.replace("SHA256 C", "SHA512 C"), IncompleteReason::Algorithm);
    check_incomplete("AWS4-HMAC-SHA256 ", IncompleteReason::Algorithm);
    check_incomplete("AWS4-HMAC-SHA256 =,=,", IncompleteReason::Credential);
    for bad in [
        "",
        "AKIDEXAMPLE",
        "/20150830/us-east-1/service/aws4_request",
        "A/20150830/us-east-1/service/aws5_request",
    ] {
        let header = good.replace("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", bad);
        check_incomplete(&header, IncompleteReason::Credential);
    }
    check_incomplete(
        &good.replace("aws4_request,", "aws4_request/x,"),
        IncompleteReason::Credential,
    );
    check_incomplete(&format!("{good}, Credential=x"), IncompleteReason::Credential);
    for bad in [
        "",
        "Host;x-amz-date",
        "x-amz-date;host",
        "host;host",
        "host;;x-amz-date",
        "host x-amz-date",
        "h\u{e9}",
    ] {
        check_incomplete(&good.replace("host;x-amz-date", bad), IncompleteReason::SignedHeaders);
    }
    for bad in [
        "",
        "00",
        &SIGNATURE.to_uppercase(),
        &format!("{SIGNATURE}0"),
        &"x".repeat(64),
    ] {
        check_incomplete(&good.replace(SIGNATURE, bad), IncompleteReason::Signature);
    }
}

#[test]
fn scope_and_key() {
    let good = authorization();
    let wrong = |part, expected: &str, given: &str| {
        Some(VerifyError::WrongScope {
            part,
            expected: expected.to_owned(),
            given: given.to_owned(),
        })
    };
    check(
        &good.replace("20150830/", "20150831/"),
        wrong("date", "20150830", "20150831"),
    );
    check(
        &good.replace("us-east-1", "eu-west-1"),
        wrong("region", "us-east-1", "eu-west-1"),
    );
    check(&good.replace("/service", "/s3"), wrong("service", "service", "s3"));
    check(
        &good.replace("AKIDEXAMPLE", "AKIDOTHER"),
        Some(VerifyError::UnknownKey {
            access_key_id: "AKIDOTHER".to_owned(),
        }),
    );
    check(
        &good.replace("Signature=5", "Signature=6"),
        Some(VerifyError::SignatureDoesNotMatch),
    );
    check(
        &good.replace(";x-amz-date", ""),
        Some(VerifyError::HeaderNotSigned {
            name: "x-amz-date".to_owned(),
        }),
    );
    check(
        &good.replace("host;", ""),
        Some(VerifyError::HeaderNotSigned {
            name: "host".to_owned(),
        }),
    );
}

#[test]
fn fifteen_minutes_either_way() {
    let signed_at = Timestamp::from_unix_secs(NOW);
    let authorization = authorization();
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-amz-date", "20150830T123600Z"),
    ];
    for (offset_ms, error) in [
        (900_000, None),
        (-900_000, None),
        (900_001, Some(VerifyError::Skewed { signed_at })),
        (-900_001, Some(VerifyError::Skewed { signed_at })),
        (1_200_000, Some(VerifyError::Skewed { signed_at })),
    ] {
        let now = Timestamp(NOW * 1000 + offset_ms);
        assert_eq!(verify_with("", &headers, SERVICE, now).err(), error, "{offset_ms} ms");
    }
    for now in [Timestamp(i64::MIN), Timestamp(i64::MAX)] {
        assert!(verify_with("", &headers, SERVICE, now).is_err());
    }
}

/// The query form of the published case get-vanilla, good for an hour.
#[test]
fn a_presigned_url_lasts_as_long_as_it_says() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request\
                 &X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600\
                 &X-Amz-Signature=e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d";
    let at = |offset_secs| Timestamp::from_unix_secs(NOW + offset_secs);
    assert!(verify_with(query, &[], SERVICE, at(0)).unwrap().presigned);
    assert!(verify_with(query, &[], SERVICE, at(3600)).is_ok());
    assert_eq!(
        verify_with(query, &[], SERVICE, at(3601)),
        Err(VerifyError::Expired { expired_at: at(3600) })
    );
    assert_eq!(
        verify_with(query, &[], SERVICE, at(-901)),
        Err(VerifyError::Skewed { signed_at: at(0) })
    );
    for (from, to, what) in [
        ("Expires=3600", "Expires=604801", IncompleteReason::Expires),
        ("Expires=3600", "Expires=0", IncompleteReason::Expires),
        ("&X-Amz-Expires=3600", "", IncompleteReason::Expires),
        (
            "AWS4-HMAC-SHA256",
            "AWS4-ECDSA-P256-SHA256",
            IncompleteReason::Algorithm,
        ),
        ("&X-Amz-Date=20150830T123600Z", "", IncompleteReason::Date),
        ("X-Amz-Credential", "X-Credential", IncompleteReason::Credential),
        (
            "SignedHeaders=host",
            "SignedHeaders=host&X-Amz-SignedHeaders=host",
            IncompleteReason::SignedHeaders,
        ),
        ("X-Amz-Signature=e", "X-Amz-Signature=%ff", IncompleteReason::Signature),
    ] {
        let error = verify_with(&query.replace(from, to), &[], SERVICE, at(0)).unwrap_err();
        assert_eq!(error, VerifyError::IncompleteSignature { what }, "{to}");
    }
    let both = [("authorization", "x")];
    let error = verify_with(query, &both, SERVICE, at(0)).unwrap_err();
    assert_eq!(
        error,
        VerifyError::IncompleteSignature {
            what: IncompleteReason::MoreThanOne
        }
    );
}

#[test]
fn unsigned_and_undated() {
    let now = Timestamp::from_unix_secs(NOW);
    assert_eq!(
        verify_with("a=b", &[], SERVICE, now),
        Err(VerifyError::MissingAuthenticationToken)
    );
    let authorization = authorization();
    let twice = [
        ("authorization", authorization.as_str()),
        ("authorization", "x"),
        ("x-amz-date", "20150830T123600Z"),
    ];
    let more_than_one = VerifyError::IncompleteSignature {
        what: IncompleteReason::MoreThanOne,
    };
    assert_eq!(verify_with("", &twice, SERVICE, now), Err(more_than_one));
    for dates in [
        &[][..],
        &[("x-amz-date", "today")],
        &[("x-amz-date", "20150830T123600Z"), ("x-amz-date", "20150830T123600Z")],
    ] {
        let headers: Vec<_> = std::iter::once(("authorization", authorization.as_str()))
            .chain(dates.iter().copied())
            .collect();
        let error = verify_with("", &headers, SERVICE, now).unwrap_err();
        assert_eq!(
            error,
            VerifyError::IncompleteSignature {
                what: IncompleteReason::Date
            }
        );
    }
}

#[test]
fn s3_wants_to_know_what_was_signed_of_the_body() {
    let authorization = authorization()
        .replace("/service", "/s3")
        .replace("host;", "host;x-amz-content-sha256;");
    let with = |value: &'static str| {
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("x-amz-date", "20150830T123600Z"),
        ];
        headers.extend((!value.is_empty()).then_some(("x-amz-content-sha256", value)));
        verify_with("", &headers, S3, Timestamp::from_unix_secs(NOW)).unwrap_err()
    };
    assert_eq!(with(""), VerifyError::MissingContentSha256);
    assert_eq!(with("signed"), VerifyError::InvalidContentSha256);
    assert_eq!(with("STREAMING-SOMETHING"), VerifyError::InvalidContentSha256);
    assert_eq!(with("é"), VerifyError::InvalidContentSha256);
    assert_eq!(with(EMPTY_SHA256), VerifyError::SignatureDoesNotMatch);
}

#[test]
fn large_requests_are_refused_before_any_work() {
    let now = Timestamp::from_unix_secs(NOW);
    let query = "a".repeat(QUERY_BYTES_MAX + 1);
    assert!(matches!(
        verify_with(&query, &[], SERVICE, now),
        Err(VerifyError::TooLarge { what: "query", .. })
    ));
    let long = "a".repeat(HEADER_BYTES_MAX);
    assert!(matches!(
        verify_with("", &[("x-a", &long)], SERVICE, now),
        Err(VerifyError::TooLarge { what: "headers", .. })
    ));
    let many = [("x-a", ""); HEADERS_MAX];
    let error = verify_with("", &many, SERVICE, now).unwrap_err();
    assert!(matches!(
        error,
        VerifyError::TooLarge {
            what: "number of headers",
            ..
        }
    ));
}

/// Cheap noise with a fixed seed, shaped like a signature so that it gets past the first checks.
#[test]
fn no_bytes_make_it_panic() {
    let mut state: u32 = 1;
    let mut noise = |len: usize| -> String {
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from_u32(state >> 24)
                    .filter(|sign| !sign.is_control())
                    .unwrap_or('%')
            })
            .collect()
    };
    for round in 0..500 {
        let good = authorization();
        let mut cut = good.clone();
        cut.truncate(round % good.len());
        for authorization in [
            cut,
            noise(40),
            format!("AWS4-HMAC-SHA256 {}", noise(80)),
            good.replace("host", &noise(4)),
        ] {
            let date = if round % 2 == 0 {
                "20150830T123600Z".to_owned()
            } else {
                noise(16)
            };
            let headers = [("authorization", authorization.as_str()), ("x-amz-date", date.as_str())];
            let query = noise(round % 50);
            let _ = verify_with(&query, &headers, SERVICE, Timestamp::from_unix_secs(NOW));
            let query = format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={}&{query}", noise(16));
            let _ = verify_with(&query, &[], SERVICE, Timestamp::from_unix_secs(NOW));
        }
    }
}
