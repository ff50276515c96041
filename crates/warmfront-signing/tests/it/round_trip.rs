use http::Request;
use http::header::{AUTHORIZATION, COOKIE, HOST, RANGE};
use http::request::Parts;
use warmfront_model::Timestamp;
use warmfront_signing::{Credentials, Payload, PayloadClaim, Scope, SecretKey, SignError, Signer, sign};

use crate::fixture::{SECRET, Signed, sha256_hex};

const AT: i64 = 1_440_938_160;
const S3: Scope<'_> = Scope {
    region: "eu-central-1",
    service: "s3",
};
const CLOUDFRONT: Scope<'_> = Scope {
    region: "us-east-1",
    service: "cloudfront",
};

fn credentials() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretKey::new(SECRET),
        session_token: None,
    }
}

fn parts(uri: &str) -> Parts {
    let request = Request::get(uri)
        .header(HOST, "bucket.s3.eu-central-1.amazonaws.com")
        .body(());
    request.unwrap().into_parts().0
}

/// What a server gets of it.
fn sent(parts: &Parts, body: &[u8]) -> Signed {
    Signed {
        name: parts.uri.to_string(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.clone(),
        body: body.to_vec(),
    }
}

/// `aws-sigv4` signs and our own canonicaliser verifies: two implementations agree.
#[test]
fn what_is_signed_verifies() {
    let uris = [
        "/",
        "/index.html",
        "/a%20b/../c//d%2Fe",
        "/it's-(1)*@:+,;=!$&~.html",
        "/%c3%a4?list-type=2&prefix=a%2Fb+c&acl",
        "/x?b=2&a=1&a=0&A=%3d",
        "http://bucket.s3.eu-central-1.amazonaws.com/absolute?q",
    ];
    let hash = sha256_hex(b"body");
    for uri in uris {
        for scope in [S3, CLOUDFRONT] {
            for payload in [Payload::Bytes(b"body"), Payload::Sha256(&hash), Payload::Unsigned] {
                if matches!(payload, Payload::Unsigned) && scope == CLOUDFRONT {
                    continue;
                }
                let mut parts = parts(uri);
                sign(
                    &mut parts,
                    payload,
                    &credentials(),
                    scope,
                    Timestamp::from_unix_secs(AT),
                )
                .unwrap();
                let verified = sent(&parts, b"body").verify(scope, AT);
                let verified = verified.unwrap_or_else(|error| panic!("{uri} {scope:?}: {error}"));
                let expected = if matches!(payload, Payload::Unsigned) {
                    PayloadClaim::Unsigned
                } else {
                    PayloadClaim::Verified
                };
                assert_eq!(verified.payload, expected, "{uri} {scope:?}");
            }
        }
    }
}

/// Source: the suite's get-vanilla-with-session-token, post-header-key-sort and get-vanilla-query-order-key-case, by the
/// signatures published for them.
#[test]
fn signs_as_the_published_suite() {
    let scope = Scope {
        region: "us-east-1",
        service: "service",
    };
    let signature = |uri: &str, token: Option<&str>| {
        let mut parts = Request::get(uri)
            .header(HOST, "example.amazonaws.com")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        let credentials = Credentials {
            session_token: token.map(SecretKey::new),
            ..credentials()
        };
        sign(
            &mut parts,
            Payload::Bytes(b""),
            &credentials,
            scope,
            Timestamp::from_unix_secs(AT),
        )
        .unwrap();
        let authorization = parts.headers[AUTHORIZATION].to_str().unwrap();
        authorization.rsplit_once("Signature=").unwrap().1.to_owned()
    };
    assert_eq!(
        signature("/", None),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
    assert_eq!(
        signature("/?Param2=value2&Param1=value1", None),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    );
    assert_eq!(
        signature(
            "/",
            Some("6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267")
        ),
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
    );
}

#[test]
fn replaces_a_signature_and_signs_what_does_not_change_on_its_way() {
    let mut parts = parts("/a");
    for (name, value) in [
        ("authorization", "Bearer of-the-viewer"),
        ("x-amz-date", "20000101T000000Z"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-security-token", "of-the-viewer"),
        ("x-amz-meta-note", "two  blanks"),
        ("range", "bytes=0-9"),
        ("cookie", "a=b"),
    ] {
        parts.headers.insert(name, value.parse().unwrap());
    }
    let signer = Signer::new(&credentials(), S3);
    signer
        .sign(&mut parts, Payload::Unsigned, Timestamp::from_unix_secs(AT))
        .unwrap();
    assert_eq!(parts.headers["x-amz-date"], "20150830T123600Z");
    assert!(!parts.headers.contains_key("x-amz-security-token"));
    assert!(parts.headers[AUTHORIZATION].is_sensitive());
    let verified = sent(&parts, b"").verify(S3, AT).unwrap();
    assert_eq!(
        verified.signed_headers,
        ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-meta-note"]
    );
    parts.headers.remove(RANGE);
    parts.headers.remove(COOKIE);
    assert!(sent(&parts, b"").verify(S3, AT).is_ok());
}

#[test]
fn what_cannot_be_signed() {
    let now = Timestamp::from_unix_secs(AT);
    let signer = Signer::new(&credentials(), S3);
    for uri in ["/a", "example.com:443", "*"] {
        let mut no_host = Request::get(uri).body(()).unwrap().into_parts().0;
        assert!(
            matches!(
                signer.sign(&mut no_host, Payload::Unsigned, now),
                Err(SignError::NoHost)
            ),
            "{uri}"
        );
    }
    assert!(matches!(
        signer.sign(&mut parts("*"), Payload::Unsigned, now),
        Err(SignError::Signer(_))
    ));
    let mut not_text = parts("/a");
    not_text
        .headers
        .insert("x-amz-meta-a", http::HeaderValue::from_bytes(b"\xff").unwrap());
    assert!(matches!(
        signer.sign(&mut not_text, Payload::Unsigned, now),
        Err(SignError::HeaderNotText { .. })
    ));
    let mut bad_query = parts("/a?b=%ff");
    assert!(matches!(
        signer.sign(&mut bad_query, Payload::Unsigned, now),
        Err(SignError::QueryNotUtf8)
    ));
    for moment in [Timestamp(i64::MAX), Timestamp(i64::MIN), Timestamp(-1)] {
        assert!(matches!(
            signer.sign(&mut parts("/a"), Payload::Unsigned, moment),
            Err(SignError::TimeOutOfRange)
        ));
    }
}

#[test]
fn secrets_stay_hidden() {
    let credentials = Credentials {
        session_token: Some(SecretKey::new("TOKEN-abc")),
        ..credentials()
    };
    for shown in [
        format!("{credentials:?}"),
        format!("{:?}", Signer::new(&credentials, S3)),
    ] {
        assert!(!shown.contains(SECRET) && !shown.contains("TOKEN-abc"), "{shown}");
    }
}
