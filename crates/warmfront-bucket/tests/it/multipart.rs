use crate::server::{Answer, Key, Server};

const PART_BYTES: usize = 5 << 20;

struct Upload<'a> {
    server: &'a Server,
    id: String,
}

impl Upload<'_> {
    async fn begin<'a>(server: &'a Server, headers: &[(&str, &str)]) -> Upload<'a> {
        let answer = server.send(Key::Root, "POST", "/site/m?uploads", headers, "").await;
        Upload {
            server,
            id: answer.element("UploadId").unwrap().to_owned(),
        }
    }

    /// Uploads a part and gives its ETag.
    async fn part(&self, number: u32, body: Vec<u8>) -> String {
        let path = format!("/site/m?partNumber={number}&uploadId={}", self.id);
        let answer = self.server.root("PUT", &path, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.header("etag").unwrap().to_owned()
    }

    async fn complete(&self, parts: &[(u32, &str)]) -> Answer {
        let parts: String = parts
            .iter()
            .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
            .collect();
        let xml = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.server
            .root("POST", &format!("/site/m?uploadId={}", self.id), xml)
            .await
    }
}

async fn server() -> Server {
    let server = Server::start().await;
    server.create_bucket("site").await;
    server
}

/// The ETags: MD5 of 5 MiB of zeros, of "end", and of both MD5s one after the other, by md5sum.
#[tokio::test]
async fn parts_become_one_object() {
    let server = server().await;
    let upload = Upload::begin(&server, &[("content-type", "text/x"), ("x-amz-meta-k", "v")]).await;
    let last = upload.part(7, b"end".to_vec()).await;
    let first = upload.part(2, vec![0; PART_BYTES]).await;
    upload.part(5, b"unused".to_vec()).await;
    assert_eq!(first, "\"5f363e0e58a95f06cbe9bbc662c5dfb6\"");
    assert_eq!(last, "\"7f021a1415b86f2d013b2618fb31ae53\"");
    server.root("GET", "/site/m", "").await.assert_error(404, "NoSuchKey");
    let listed = server.root("GET", &format!("/site/m?uploadId={}", upload.id), "").await;
    assert_eq!(listed.elements("PartNumber"), ["2", "5", "7"]);
    for _ in 0..2 {
        let answer = upload.complete(&[(2, &first), (7, &last)]).await;
        assert_eq!(
            answer.element("ETag").map(|etag| etag.replace("&quot;", "\"")),
            Some(ETAG.to_owned()),
            "{answer:?}"
        );
    }
    let answer = server.root("GET", "/site/m", "").await;
    assert_eq!((answer.body.len(), answer.header("etag")), (PART_BYTES + 3, Some(ETAG)));
    assert!(answer.body.ends_with(b"\0end"));
    assert_eq!(
        (answer.header("content-type"), answer.header("x-amz-meta-k")),
        (Some("text/x"), Some("v"))
    );
    let across = format!("bytes={}-{}", PART_BYTES - 1, PART_BYTES + 1);
    let answer = server
        .send(Key::Root, "GET", "/site/m", &[("range", &across)], "")
        .await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (206, &b"\0en"[..]));
    server
        .root("GET", &format!("/site/m?uploadId={}", upload.id), "")
        .await
        .assert_error(404, "NoSuchUpload");
    let dir = server.stop().await;
    assert_eq!(n_files(dir.path()), 2);
}

/// md5(md5(5 MiB of zeros) || md5("end")), by md5sum.
const ETAG: &str = "\"76b2438ee89d0d54dbb3eb6005874976-2\"";

fn n_files(dir: &std::path::Path) -> usize {
    let folders = std::fs::read_dir(dir.join("objects")).unwrap();
    folders
        .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
        .sum()
}

#[tokio::test]
async fn an_upload_that_does_not_add_up_is_refused_and_stays() {
    let server = server().await;
    let upload = Upload::begin(&server, &[]).await;
    let (first, second) = (upload.part(1, b"x".to_vec()).await, upload.part(2, b"y".to_vec()).await);
    upload
        .complete(&[(2, &second), (1, &first)])
        .await
        .assert_error(400, "InvalidPartOrder");
    upload.complete(&[(1, &second)]).await.assert_error(400, "InvalidPart");
    upload
        .complete(&[(1, &first), (3, &second)])
        .await
        .assert_error(400, "InvalidPart");
    upload
        .complete(&[(1, &first), (2, &second)])
        .await
        .assert_error(400, "EntityTooSmall");
    for number in ["0", "10001"] {
        let path = format!("/site/m?partNumber={number}&uploadId={}", upload.id);
        server
            .root("PUT", &path, "x")
            .await
            .assert_error(400, "InvalidArgument");
    }
    assert_eq!(upload.complete(&[(2, &second)]).await.status, 200);
    assert_eq!(server.root("GET", "/site/m", "").await.text(), "y");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let server = server().await;
    let upload = Upload::begin(&server, &[]).await;
    let etag = upload.part(1, b"x".to_vec()).await;
    let uploads = server.root("GET", "/site?uploads", "").await;
    assert_eq!(uploads.elements("UploadId"), [upload.id.as_str()]);
    let path = format!("/site/m?uploadId={}", upload.id);
    assert_eq!(server.root("DELETE", &path, "").await.status, 204);
    server.root("DELETE", &path, "").await.assert_error(404, "NoSuchUpload");
    upload.complete(&[(1, &etag)]).await.assert_error(404, "NoSuchUpload");
    server
        .root("PUT", &format!("{path}&partNumber=1"), "x")
        .await
        .assert_error(404, "NoSuchUpload");
    assert_eq!(n_files(server.stop().await.path()), 0);
}

#[tokio::test]
async fn a_part_can_be_copied_from_an_object() {
    let server = server().await;
    server.root("PUT", "/site/source", "0123456789").await;
    let upload = Upload::begin(&server, &[]).await;
    let path = format!("/site/m?partNumber=1&uploadId={}", upload.id);
    let copy = async |range: &str| {
        let headers = [("x-amz-copy-source", "site/source"), ("x-amz-copy-source-range", range)];
        server.send(Key::Root, "PUT", &path, &headers, "").await
    };
    copy("bytes=2-10").await.assert_error(400, "InvalidArgument");
    copy("bytes=-2").await.assert_error(400, "InvalidArgument");
    let etag = copy("bytes=2-4").await.element("ETag").unwrap().replace("&quot;", "\"");
    assert_eq!(upload.complete(&[(1, &etag)]).await.status, 200);
    assert_eq!(server.root("GET", "/site/m", "").await.text(), "234");
}
