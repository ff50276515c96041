//! S3 as Amazon runs it, as far as it differs from a bucket that always works: answers over a socket, by the S3 API reference.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::*;
use crate::target::aws::{Account, Server};

type Answer = Response<Full<Bytes>>;

/// A bucket on a port, answered by `answer`, which gets the method, the query and the body.
async fn bucket(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> S3Bucket {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    let query = head.uri.query().unwrap_or_default().to_owned();
                    let header = |name: &str| {
                        let value = head.headers.get(name)?;
                        Some(value.to_str().ok()?.to_owned())
                    };
                    Ok::<_, Infallible>(answer(Asked {
                        method: head.method.to_string(),
                        region: header("authorization")
                            .and_then(|signed| signed.split('/').nth(2).map(str::to_owned))
                            .unwrap_or_default(),
                        checksum: header("x-amz-checksum-sha256"),
                        if_none_match: header("if-none-match"),
                        query,
                        body,
                    }))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let server = Server {
        cloudfront: format!("http://{address}"),
        s3: format!("http://{address}"),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: "secret".into(),
    };
    Account::of_server(&server).await.bucket("site")
}

struct Asked {
    method: String,
    /// The region of the signature.
    region: String,
    query: String,
    checksum: Option<String>,
    if_none_match: Option<String>,
    body: Bytes,
}

impl Asked {
    fn parameter(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        { pairs }
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

fn answer(status: u16, body: &str) -> Answer {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    Response::builder()
        .status(status)
        .header("etag", "\"e1\"")
        .body(body)
        .unwrap()
}

fn refusal(status: u16, code: &str, more: &str) -> Answer {
    answer(
        status,
        &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code} said S3</Message>{more}</Error>"),
    )
}

/// ListObjectsV2 over `keys`, a thousand at a time.
fn page(asked: &Asked, keys: &[String]) -> Answer {
    let after = asked.parameter("continuation-token").or(asked.parameter("start-after"));
    let after = after.unwrap_or_default();
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let rest: Vec<&String> = keys
        .iter()
        .filter(|key| key.starts_with(&prefix) && **key > after)
        .collect();
    let shown = &rest[..rest.len().min(1_000)];
    let contents: String = shown
        .iter()
        .map(|key| format!("<Contents><Key>{key}</Key><Size>3</Size><ETag>&quot;{key}&quot;</ETag></Contents>"))
        .collect();
    let next = match shown.last() {
        Some(last) if rest.len() > shown.len() => {
            format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>")
        }
        _ => "<IsTruncated>false</IsTruncated>".to_owned(),
    };
    answer(200, &format!("<ListBucketResult>{contents}{next}</ListBucketResult>"))
}

#[tokio::test]
async fn a_listing_is_whole_wherever_it_is_cut() {
    let keys: Vec<String> = (0..2_500).map(|number| format!("p/{number:04}.html")).collect();
    let all = keys.clone();
    let bucket = bucket(move |asked| page(&asked, &all)).await;
    let cut = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for cuts in [
        cut(&[]),
        cut(&["p/0950.html", "p/1900.html"]),
        // Keys that are gone, one piece that is longer than an answer, and pieces with nothing in them.
        cut(&["a", "p/0000", "p/0001x", "p/2400.html", "p/9", "z"]),
    ] {
        let listed = bucket.list("p/", &cuts).await.unwrap();
        let found: Vec<&String> = listed.iter().map(|listed| &listed.key).collect();
        assert!(
            found.into_iter().eq(&keys),
            "{cuts:?}: {} of {}",
            listed.len(),
            keys.len()
        );
        assert_eq!(listed[7].etag, "p/0007.html", "without the quotes");
    }
}

#[tokio::test]
async fn refusals_are_told_apart_by_their_xml() {
    for (status, code, fault) in [
        (503, "SlowDown", Fault::Throttled),
        (503, "ServiceUnavailable", Fault::Unavailable),
        (500, "InternalError", Fault::Unavailable),
        (400, "RequestTimeout", Fault::Unavailable),
        (412, "PreconditionFailed", Fault::ConditionFailed),
        (409, "ConditionalRequestConflict", Fault::ConditionFailed),
        (403, "AccessDenied", Fault::Denied),
        (404, "NoSuchBucket", Fault::NotFound),
        (403, "RequestTimeTooSkewed", Fault::Refused),
        (403, "ExpiredToken", Fault::Unidentified),
        (301, "PermanentRedirect", Fault::Moved),
        (400, "AuthorizationHeaderMalformed", Fault::Moved),
    ] {
        let bucket = bucket(move |_| refusal(status, code, "<Region>eu-west-1</Region>")).await;
        let headers = StoredHeaders::default();
        let put = bucket.put("k", Body::Bytes(Bytes::from_static(b"x")), &headers, Condition::Absent);
        let error = put.await.unwrap_err();
        assert_eq!((error.fault, error.code.as_str()), (fault, code));
        assert_eq!(error.action, "s3:PutObject");
        assert_eq!(error.resource, "arn:aws:s3:::site/k");
    }
}

#[tokio::test]
async fn a_write_carries_its_checksum_and_its_condition() {
    let bucket = bucket(|asked| {
        let is_right = asked.checksum == Some(Digest::of(&asked.body).base64());
        let absent = asked.if_none_match.as_deref() == Some("*");
        answer(if is_right && absent { 200 } else { 400 }, "")
    })
    .await;
    let put = |condition| {
        let bucket = &bucket;
        async move {
            let headers = StoredHeaders::default();
            bucket
                .put("k", Body::Bytes(Bytes::from_static(b"x")), &headers, condition)
                .await
        }
    };
    assert_eq!(put(Condition::Absent).await.unwrap(), "e1");
    assert!(
        put(Condition::Any).await.is_err(),
        "no condition was asked for, none is sent"
    );
}

#[tokio::test]
async fn one_key_of_many_that_cannot_be_deleted_is_named() {
    let bucket = bucket(|_| {
        let error = "<Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error>";
        answer(200, &format!("<DeleteResult>{error}</DeleteResult>"))
    })
    .await;
    let error = bucket.delete(&["a".into(), "b".into()]).await.unwrap_err();
    assert_eq!(
        (error.fault, error.resource.as_str(), error.action),
        (Fault::Denied, "arn:aws:s3:::site/b", "s3:DeleteObject")
    );
}

/// What a multipart upload has come to: parts by number, and whether it was completed or aborted.
#[derive(Default)]
struct Upload {
    parts: BTreeMap<u32, Bytes>,
    whole: Option<Vec<u8>>,
    aborted: bool,
}

/// A bucket that takes parts; `fails` says whether a part's n-th try (from 1) fails.
async fn multipart(
    fails: impl Fn(u32, usize) -> Option<Answer> + Send + Sync + 'static,
) -> (S3Bucket, Arc<Mutex<Upload>>) {
    let upload: Arc<Mutex<Upload>> = Arc::default();
    let seen = upload.clone();
    let tries: [AtomicUsize; 8] = Default::default();
    let bucket = bucket(move |asked| {
        let mut upload = seen.lock().unwrap();
        let number = asked
            .parameter("partNumber")
            .and_then(|number| number.parse::<u32>().ok());
        match (asked.method.as_str(), number) {
            ("PUT", Some(number)) => {
                let attempt = tries[number as usize].fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(failure) = fails(number, attempt) {
                    return failure;
                }
                if asked.checksum != Some(Digest::of(&asked.body).base64()) {
                    return refusal(400, "BadDigest", "");
                }
                upload.parts.insert(number, asked.body);
                answer(200, "")
            }
            ("POST", _) if asked.query.contains("uploadId") => {
                upload.whole = Some(upload.parts.values().flat_map(|part| part.to_vec()).collect());
                answer(
                    200,
                    "<CompleteMultipartUploadResult><ETag>\"e-3\"</ETag></CompleteMultipartUploadResult>",
                )
            }
            ("POST", _) => answer(
                200,
                "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
            ),
            ("DELETE", _) => {
                upload.aborted = true;
                answer(204, "")
            }
            other => panic!("{other:?} {}", asked.query),
        }
    })
    .await;
    (bucket, upload)
}

/// A file of two whole parts and a short one, as `put` wants it.
fn large_file() -> (tempfile::NamedTempFile, Vec<u8>) {
    let bytes: Vec<u8> = (0..33 * 1024_u32).map(|at| (at / 251) as u8).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    (file, bytes)
}

/// Puts the file, which `bytes` says is so.
async fn put_file(bucket: &S3Bucket, file: &tempfile::NamedTempFile, bytes: &[u8]) -> Result<String, TargetError> {
    let body = Body::File {
        path: file.path().to_owned(),
        size: bytes.len() as u64,
        digest: Digest::of(bytes),
    };
    bucket.put("big", body, &StoredHeaders::default(), Condition::Any).await
}

#[tokio::test]
async fn a_part_that_fails_is_sent_again_alone() {
    let (bucket, upload) =
        multipart(|number, attempt| (number == 2 && attempt <= 2).then(|| refusal(503, "SlowDown", ""))).await;
    let (file, bytes) = large_file();
    let put = put_file(&bucket, &file, &bytes);
    assert_eq!(put.await.unwrap(), "e-3");
    let upload = upload.lock().unwrap();
    assert_eq!(upload.parts.len(), 3);
    assert!(upload.whole.as_ref() == Some(&bytes) && !upload.aborted);
}

#[tokio::test]
async fn an_upload_that_cannot_be_finished_is_aborted() {
    let (bucket, upload) = multipart(|number, _| (number == 3).then(|| refusal(403, "AccessDenied", ""))).await;
    let (file, bytes) = large_file();
    let put = put_file(&bucket, &file, &bytes);
    assert_eq!(put.await.unwrap_err().fault, Fault::Denied);
    let upload = upload.lock().unwrap();
    assert!(upload.aborted && upload.whole.is_none());
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_never_becomes_an_object() {
    let (bucket, upload) = multipart(|_, _| None).await;
    let (file, bytes) = large_file();
    let mut other = bytes.clone();
    other[20_000] ^= 1;
    let put = put_file(&bucket, &file, &other);
    assert!(put.await.unwrap_err().message.contains("changed since the plan"));
    let upload = upload.lock().unwrap();
    assert!(upload.aborted && upload.whole.is_none());
}

/// Amazon S3 User Guide, "Making requests": a bucket that lies elsewhere sends its clients there.
#[tokio::test]
async fn a_bucket_in_another_region_is_found_there() {
    let regions: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = regions.clone();
    let bucket = bucket(move |asked| {
        seen.lock().unwrap().push(asked.region.clone());
        if asked.region == "eu-west-1" {
            return page(&asked, &["a.html".to_owned()]);
        }
        let mut answer = refusal(301, "PermanentRedirect", "");
        let region = "eu-west-1".parse().unwrap();
        answer.headers_mut().insert("x-amz-bucket-region", region);
        answer
    })
    .await;
    assert_eq!(bucket.list("", &[]).await.unwrap_err().fault, Fault::Moved);
    assert_eq!(bucket.list("", &[]).await.unwrap().len(), 1);
    assert_eq!(*regions.lock().unwrap(), ["us-east-1", "eu-west-1"]);
    // Another call was on its way when the first one learned it; but a bucket that keeps sending clients to where they are is broken.
    assert_eq!(bucket.move_to("eu-west-1".into()), Some(Fault::Unavailable));
    assert_eq!(S3Bucket::new(bucket.client(), "b").move_to("eu-west-1".into()), None);
}
