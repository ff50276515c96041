use warmfront_clock::Clock;
use warmfront_signing::{Payload, Scope, sign};

use crate::server::{Answer, Key, Server, credentials};

/// Uploads `hello` in two chunks as current AWS clients do, with `trailer` behind the last chunk.
async fn upload(server: &Server, announced: &str, trailer: &str) -> Answer {
    let body = format!("2\r\nhe\r\n3\r\nllo\r\n0\r\n{trailer}\r\n");
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", announced),
    ];
    let (mut parts, body) = server.request("PUT", "/site/a", &headers, body);
    let scope = Scope {
        region: "us-east-1",
        service: "s3",
    };
    let payload = Payload::Sha256("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    sign(&mut parts, payload, &credentials("root"), scope, Clock::system().now()).unwrap();
    server.send_as_is(parts, body).await
}

/// The CRC-32 of "hello" is 3610a686 (the algorithm of RFC 1952), in base64 NhCmhg==.
#[tokio::test]
async fn a_checksum_in_a_trailer_is_verified_and_kept() {
    let server = Server::start().await;
    server.create_bucket("site").await;
    let crc32 = "x-amz-checksum-crc32";
    for (trailer, status, code) in [
        ("x-amz-checksum-crc32:AAAAAA==\r\n", 400, "BadDigest"),
        ("x-amz-checksum-crc32:AAAA\r\n", 400, "InvalidRequest"),
        (
            "x-amz-checksum-sha1:qvTGHdzF6KLavt4PO0gs2a6pQ00=\r\n",
            400,
            "MalformedTrailerError",
        ),
    ] {
        upload(&server, crc32, trailer).await.assert_error(status, code);
    }
    server.root("GET", "/site/a", "").await.assert_error(404, "NoSuchKey");

    assert_eq!(
        upload(&server, crc32, "x-amz-checksum-crc32:NhCmhg==\r\n").await.status,
        200
    );
    let answer = server
        .send(Key::Root, "GET", "/site/a", &[("x-amz-checksum-mode", "ENABLED")], "")
        .await;
    assert_eq!((answer.text(), answer.header(crc32)), ("hello", Some("NhCmhg==")));
    assert_eq!(answer.header("content-encoding"), None);
}
