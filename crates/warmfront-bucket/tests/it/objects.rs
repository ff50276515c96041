use std::sync::Arc;

use crate::server::{Answer, Key, Server};

/// MD5 of "hello", RFC 1321.
const ETAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";
const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

async fn with_object() -> Server {
    let server = Server::start().await;
    server.create_bucket("site").await;
    assert_eq!(server.root("PUT", "/site/a", "hello").await.status, 200);
    server
}

async fn get(server: &Server, headers: &[(&str, &str)]) -> Answer {
    server.send(Key::Root, "GET", "/site/a", headers, "").await
}

#[tokio::test]
async fn what_was_stored_with_an_object_comes_back() {
    let server = with_object().await;
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "public, max-age=60"),
        ("content-encoding", "aws-chunked,gzip"),
        ("content-disposition", "inline"),
        ("content-language", "de"),
        ("expires", "Mon, 07 Nov 1994 08:49:37 GMT"),
        ("x-amz-meta-cache-tag", "home,news"),
    ];
    assert_eq!(
        server
            .send(Key::Root, "PUT", "/site/a", &headers, "hello")
            .await
            .header("etag"),
        Some(ETAG)
    );
    for method in ["GET", "HEAD"] {
        let answer = server.send(Key::Root, method, "/site/a", &[], "").await;
        for (name, value) in headers {
            let expected = if name == "content-encoding" { "gzip" } else { value };
            assert_eq!(answer.header(name), Some(expected), "{method} {name}");
        }
        let expected = [
            ("etag", ETAG),
            ("last-modified", MODIFIED),
            ("content-length", "5"),
            ("accept-ranges", "bytes"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), Some(value), "{method} {name}");
        }
        assert_eq!(answer.body.len(), if method == "GET" { 5 } else { 0 });
    }
}

/// RFC 9110 sections 14 and 15.3.7, 15.5.17.
#[tokio::test]
async fn ranges_are_sent_or_refused() {
    let server = with_object().await;
    for (range, content_range, body) in [
        ("bytes=0-0", "bytes 0-0/5", "h"),
        ("bytes=1-3", "bytes 1-3/5", "ell"),
        ("bytes=3-", "bytes 3-4/5", "lo"),
        ("bytes=3-99", "bytes 3-4/5", "lo"),
        ("bytes=-2", "bytes 3-4/5", "lo"),
        ("bytes=-99", "bytes 0-4/5", "hello"),
    ] {
        let answer = get(&server, &[("range", range)]).await;
        let found = (answer.status.as_u16(), answer.header("content-range"), answer.text());
        assert_eq!(found, (206, Some(content_range), body), "{range}");
        assert_eq!(answer.header("content-length"), Some(body.len().to_string().as_str()));
        let head = server.send(Key::Root, "HEAD", "/site/a", &[("range", range)], "").await;
        assert_eq!(
            (head.status.as_u16(), head.header("content-range")),
            (206, Some(content_range)),
            "{range}"
        );
    }
    for range in ["bytes=5-", "bytes=9-10", "bytes=-0"] {
        let answer = get(&server, &[("range", range)]).await;
        answer.assert_error(416, "InvalidRange");
        assert_eq!(answer.header("content-range"), Some("bytes */5"), "{range}");
    }
    for range in ["bytes=0-1,3-4", "bytes=4-2", "items=0-1"] {
        let answer = get(&server, &[("range", range)]).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "hello"), "{range}");
    }
    server.root("PUT", "/site/empty", "").await;
    let answer = server
        .send(Key::Root, "GET", "/site/empty", &[("range", "bytes=-1")], "")
        .await;
    answer.assert_error(416, "InvalidRange");
}

#[tokio::test]
async fn conditional_reads_are_answered_without_a_body() {
    let server = with_object().await;
    for (name, value, status) in [
        ("if-none-match", ETAG, 304),
        ("if-none-match", "\"x\"", 200),
        ("if-modified-since", MODIFIED, 304),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT", 200),
        ("if-match", "\"x\"", 412),
        ("if-match", ETAG, 200),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:36 GMT", 412),
    ] {
        let answer = get(&server, &[(name, value)]).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        if status == 304 {
            let found = (answer.body.len(), answer.header("etag"), answer.header("last-modified"));
            assert_eq!(found, (0, Some(ETAG), Some(MODIFIED)));
        }
    }
}

#[tokio::test]
async fn conditional_writes_happen_only_when_they_may() {
    let server = with_object().await;
    let put =
        async |path: &str, name: &str, value: &str| server.send(Key::Root, "PUT", path, &[(name, value)], "new").await;
    put("/site/a", "if-none-match", "*")
        .await
        .assert_error(412, "PreconditionFailed");
    put("/site/a", "if-match", "\"x\"")
        .await
        .assert_error(412, "PreconditionFailed");
    put("/site/b", "if-match", ETAG).await.assert_error(404, "NoSuchKey");
    assert_eq!(get(&server, &[]).await.text(), "hello");
    assert_eq!(put("/site/b", "if-none-match", "*").await.status, 200);
    assert_eq!(put("/site/a", "if-match", ETAG).await.status, 200);
    assert_eq!(get(&server, &[]).await.text(), "new");
}

/// CRC-32 of "hello" by RFC 1952's algorithm is 3610a686; MD5 by RFC 1321 as above.
#[tokio::test]
async fn checksums_are_verified_and_told_on_demand() {
    let server = with_object().await;
    let put = async |name: &str, value: &str| {
        server
            .send(Key::Root, "PUT", "/site/c", &[(name, value)], "hello")
            .await
    };
    put("x-amz-checksum-crc32", "AAAAAA==")
        .await
        .assert_error(400, "BadDigest");
    put("x-amz-checksum-crc32", "AAAA")
        .await
        .assert_error(400, "InvalidRequest");
    put("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")
        .await
        .assert_error(400, "BadDigest");
    put("content-md5", "AAAA").await.assert_error(400, "InvalidDigest");
    server.root("GET", "/site/c", "").await.assert_error(404, "NoSuchKey");
    assert_eq!(put("content-md5", "XUFAKrxLKna5cZ2REBfFkg==").await.status, 200);
    assert_eq!(put("x-amz-checksum-crc32", "NhCmhg==").await.status, 200);
    let enabled = [("x-amz-checksum-mode", "ENABLED")];
    let answer = server.send(Key::Root, "GET", "/site/c", &enabled, "").await;
    assert_eq!(answer.header("x-amz-checksum-crc32"), Some("NhCmhg=="));
    assert_eq!(answer.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    assert_eq!(
        server.root("GET", "/site/c", "").await.header("x-amz-checksum-crc32"),
        None
    );
    let answer = server.send(Key::Root, "GET", "/site/a", &enabled, "").await;
    assert!(answer.header("x-amz-checksum-crc64nvme").is_some(), "{answer:?}");
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_what_is_told_about_the_bytes() {
    let server = with_object().await;
    server
        .send(
            Key::Root,
            "PUT",
            "/site/a",
            &[("cache-control", "max-age=60"), ("x-amz-meta-k", "v")],
            "hello",
        )
        .await;
    let copy = async |path: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("x-amz-copy-source", "site/a")]
            .iter()
            .chain(headers)
            .copied()
            .collect();
        server.send(Key::Root, "PUT", path, &headers, "").await
    };
    assert_eq!(copy("/site/b", &[]).await.status, 200);
    let answer = server.root("GET", "/site/b", "").await;
    assert_eq!(
        (answer.text(), answer.header("cache-control")),
        ("hello", Some("max-age=60"))
    );
    assert_eq!(answer.header("x-amz-meta-k"), Some("v"));

    copy("/site/a", &[]).await.assert_error(400, "InvalidRequest");
    let replace = [("x-amz-metadata-directive", "REPLACE"), ("cache-control", "no-store")];
    assert_eq!(copy("/site/a", &replace).await.status, 200);
    let answer = server.root("GET", "/site/a", "").await;
    assert_eq!(
        (answer.text(), answer.header("cache-control")),
        ("hello", Some("no-store"))
    );
    assert_eq!(answer.header("x-amz-meta-k"), None);

    copy("/site/b", &[("x-amz-copy-source-if-match", "\"x\"")])
        .await
        .assert_error(412, "PreconditionFailed");
    copy("/site/b", &[("x-amz-copy-source-if-none-match", ETAG)])
        .await
        .assert_error(412, "PreconditionFailed");
    let missing = [("x-amz-copy-source", "site/missing")];
    server
        .send(Key::Root, "PUT", "/site/b", &missing, "")
        .await
        .assert_error(404, "NoSuchKey");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let server = with_object().await;
    let long = "x".repeat(2048);
    for (name, value, status, code) in [
        ("x-amz-acl", "public-read", 400, "AccessControlListNotSupported"),
        ("x-amz-tagging", "a=b", 501, "NotImplemented"),
        ("x-amz-server-side-encryption", "aws:kms", 501, "NotImplemented"),
        ("x-amz-meta-k", &long, 400, "MetadataTooLarge"),
    ] {
        server
            .send(Key::Root, "PUT", "/site/x", &[(name, value)], "x")
            .await
            .assert_error(status, code);
    }
    server
        .root("PUT", "/site/a?tagging", "<Tagging><TagSet/></Tagging>")
        .await
        .assert_error(501, "NotImplemented");
    server
        .root("GET", "/site/a?versionId=3", "")
        .await
        .assert_error(400, "InvalidArgument");
}

#[tokio::test]
async fn deleting_is_idempotent_and_a_full_bucket_stays() {
    let server = with_object().await;
    server
        .root("DELETE", "/site", "")
        .await
        .assert_error(409, "BucketNotEmpty");
    for _ in 0..2 {
        assert_eq!(server.root("DELETE", "/site/a", "").await.status, 204);
    }
    server.root("PUT", "/site/b", "x").await;
    let delete = "<Delete><Object><Key>b</Key></Object><Object><Key>missing</Key></Object></Delete>";
    let answer = server.root("POST", "/site?delete", delete).await;
    assert_eq!(answer.elements("Key"), ["b", "missing"]);
    assert_eq!(server.root("DELETE", "/site", "").await.status, 204);
    server
        .root("GET", "/site/b", "")
        .await
        .assert_error(404, "NoSuchBucket");
    assert_eq!(server.root("HEAD", "/site", "").await.status, 404);
}

/// A reader gets one version whole, never parts of two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_overwrites_are_read_whole() {
    let server = Arc::new(with_object().await);
    let version = |digit: usize| vec![b'0' + digit as u8; 300_000 + digit];
    server.root("PUT", "/site/a", version(0)).await;
    let writers: Vec<_> = (0..4usize)
        .map(|digit| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                for _ in 0..8 {
                    assert_eq!(server.root("PUT", "/site/a", version(digit)).await.status, 200);
                }
            })
        })
        .collect();
    for _ in 0..40 {
        let answer = server.root("GET", "/site/a", "").await;
        assert_eq!(answer.status, 200);
        let digit = usize::from(answer.body[0] - b'0');
        assert!(answer.body == version(digit), "{digit}: {} bytes", answer.body.len());
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let server = with_object().await;
    let policy = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::site/*"}}"#;
    assert_eq!(server.root("PUT", "/site?policy", policy).await.status, 204);
    let server = Server::start_in(server.stop().await).await;
    assert_eq!(get(&server, &[]).await.text(), "hello");
    server
        .root("DELETE", "/site/a", "")
        .await
        .assert_error(403, "AccessDenied");
    assert_eq!(get(&server, &[]).await.header("last-modified"), Some(MODIFIED));
}

/// What botocore makes of it otherwise: it reads the next answer on the connection as if it were headers.
#[tokio::test]
async fn a_final_answer_where_a_100_was_expected_ends_the_connection() {
    let server = with_object().await;
    let expect = [("expect", "100-continue")];
    let answer = server.send(Key::Root, "PUT", "/site/empty", &expect, "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("connection")),
        (200, Some("close"))
    );
    let answer = server.send(Key::Nobody, "PUT", "/site/refused", &expect, "body").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("connection")),
        (403, Some("close"))
    );
}
