use crate::server::{Key, Server};

/// Percent-encodes every byte but slashes, so that nothing is normalised on its way.
fn encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| {
            if byte == b'/' {
                "/".to_owned()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[tokio::test]
async fn no_name_stands_in_anothers_way_or_leaves_the_folder() {
    let server = Server::start().await;
    server.create_bucket("names").await;
    let longest = "é".repeat(512);
    let names = [
        "a",
        "a/b",
        "a/b/c",
        "a/",
        "../x",
        "../../../../etc/passwd",
        ".",
        "..",
        "/",
        "//",
        "/etc/passwd",
        "a//b",
        "objects/00",
        "bucket.redb",
        "%2e%2e%2fx",
        "a b",
        "a+b",
        "*?[]",
        "con",
        "C:\\x",
        "\u{202e}x",
        "日本/語",
        "tab\tand\nline",
        longest.as_str(),
    ];
    for name in names {
        let path = format!("/names/{}", encoded(name));
        assert_eq!(server.root("PUT", &path, name.to_owned()).await.status, 200, "{name:?}");
    }
    for name in names {
        let answer = server.root("GET", &format!("/names/{}", encoded(name)), "").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, name));
    }
    let listed = server.root("GET", "/names?list-type=2&encoding-type=url", "").await;
    assert_eq!(listed.element("KeyCount"), Some(names.len().to_string().as_str()));
    assert_eq!(server.root("DELETE", "/names/a", "").await.status, 204);
    assert_eq!(server.root("GET", "/names/a/b", "").await.text(), "a/b");
    let dir = server.stop().await;
    let mut beside: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    beside.sort();
    assert_eq!(beside, ["bucket.redb", "objects"]);
}

/// S3 User Guide, "Naming Amazon S3 objects": at most 1,024 bytes of UTF-8.
#[tokio::test]
async fn a_key_has_at_most_1024_bytes() {
    let server = Server::start().await;
    server.create_bucket("names").await;
    let (longest, too_long) = ("k".repeat(1024), "k".repeat(1025));
    assert_eq!(server.root("PUT", &format!("/names/{longest}"), "x").await.status, 200);
    server
        .root("PUT", &format!("/names/{too_long}"), "x")
        .await
        .assert_error(400, "KeyTooLongError");
    server
        .root("GET", &format!("/names/{too_long}"), "")
        .await
        .assert_error(400, "KeyTooLongError");
}

#[tokio::test]
async fn a_key_that_is_not_utf8_is_refused() {
    let server = Server::start().await;
    server.create_bucket("names").await;
    for path in ["/names/%FF%FE", "/names/a%C3", "/names/%ED%A0%80"] {
        server
            .send(Key::Nobody, "GET", path, &[], "")
            .await
            .assert_error(400, "InvalidURI");
    }
}

/// S3 User Guide, "General purpose bucket naming rules".
#[tokio::test]
async fn bucket_names_follow_s3s_rules() {
    let server = Server::start().await;
    let too_long = "b".repeat(64);
    let wrong = [
        "ab",
        &too_long,
        "Upper",
        "under_score",
        "-start",
        "end-",
        ".start",
        "two..dots",
        "192.168.5.4",
        "xn--bucket",
        "sthree-x",
        "bucket-s3alias",
        "bucket--ol-s3",
        "%2e%2e",
        "a%2f..%2fb",
    ];
    for name in wrong {
        let answer = server.root("PUT", &format!("/{name}"), "").await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    for name in ["abc", "www.example.com", "1-2-3", &"b".repeat(63)] {
        assert_eq!(server.root("PUT", &format!("/{name}"), "").await.status, 200, "{name}");
        server
            .root("PUT", &format!("/{name}"), "")
            .await
            .assert_error(409, "BucketAlreadyOwnedByYou");
    }
    assert_eq!(server.root("GET", "/", "").await.elements("Name").len(), 4);
}

#[tokio::test]
async fn a_bucket_is_reached_by_host_as_well() {
    let server = Server::start().await;
    server.create_bucket("www.example.com").await;
    server.root("PUT", "/www.example.com/a/b", "hello").await;
    for host in [
        "www.example.com.s3.amazonaws.com",
        "www.example.com.s3.eu-west-1.amazonaws.com",
        "www.example.com.s3.localhost:80",
    ] {
        let answer = server.send(Key::Root, "GET", "/a/b", &[("host", host)], "").await;
        assert_eq!(answer.text(), "hello", "{host}");
    }
    let answer = server
        .send(Key::Root, "GET", "/www.example.com/a/b", &[("host", "localhost")], "")
        .await;
    assert_eq!(answer.text(), "hello");
}
