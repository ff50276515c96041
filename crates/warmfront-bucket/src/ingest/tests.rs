use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use s3s::{S3Error, StdError};

use super::*;
use crate::store::Store;

fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
    given
        .iter()
        .map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect()
}

fn announced(given: &[(&'static str, &'static str)]) -> Result<Announced, IngestError> {
    Announced::from_headers(&headers(given), None)
}

async fn ingest_chunks(
    store: &Store,
    chunks: Vec<Result<&'static str, &'static str>>,
    announced: &Announced,
    bytes_max: u64,
) -> Result<u64, IngestError> {
    let chunks = chunks
        .into_iter()
        .map(|chunk| chunk.map(Bytes::from).map_err(std::io::Error::other));
    let body = StreamingBlob::wrap(stream::iter(chunks));
    let ingested = ingest(&store.files, body, announced, None, Algorithm::DEFAULT, bytes_max).await?;
    Ok(ingested.size)
}

#[test]
fn one_checksum_may_be_announced_in_a_header_or_a_trailer() {
    assert_eq!(announced(&[]).unwrap().algorithm(), None);
    let header = announced(&[
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ]);
    assert_eq!(header.unwrap().algorithm(), Some(Algorithm::Crc32));
    assert_eq!(
        announced(&[("x-amz-trailer", "x-amz-checksum-crc64nvme")])
            .unwrap()
            .algorithm(),
        Some(Algorithm::Crc64Nvme)
    );
    assert_eq!(
        announced(&[("x-amz-sdk-checksum-algorithm", "sha256")])
            .unwrap()
            .algorithm(),
        Some(Algorithm::Sha256)
    );
    let two = announced(&[
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-trailer", "x-amz-checksum-sha1"),
    ]);
    assert!(matches!(two, Err(IngestError::SeveralChecksums)));
    assert!(matches!(
        announced(&[("x-amz-checksum-crc32", "=")]),
        Err(IngestError::InvalidChecksum)
    ));
    assert!(matches!(
        announced(&[("content-md5", "NhCmhg==")]),
        Err(IngestError::InvalidDigest)
    ));
}

#[tokio::test]
async fn a_body_that_fails_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let nothing = Announced::default();
    assert_eq!(
        ingest_chunks(&store, vec![Ok("ab"), Ok(""), Ok("c")], &nothing, 3)
            .await
            .unwrap(),
        3
    );
    let too_large = ingest_chunks(&store, vec![Ok("ab"), Ok("cd")], &nothing, 3).await;
    assert!(matches!(too_large, Err(IngestError::TooLarge)));
    let broken = ingest_chunks(&store, vec![Ok("ab"), Err("reset")], &nothing, 3).await;
    assert!(matches!(broken, Err(IngestError::Incomplete)));
    let length = Announced {
        length: Some(3),
        ..Announced::default()
    };
    assert!(matches!(
        ingest_chunks(&store, vec![Ok("ab")], &length, 3).await,
        Err(IngestError::Incomplete)
    ));
    let trailer = announced(&[("x-amz-trailer", "x-amz-checksum-crc32")]).unwrap();
    assert!(matches!(
        ingest_chunks(&store, vec![Ok("ab")], &trailer, 3).await,
        Err(IngestError::TrailerMissing)
    ));
    let folders = std::fs::read_dir(dir.path().join("objects")).unwrap();
    let n_files: usize = folders
        .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
        .sum();
    assert_eq!(n_files, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pauses_too_long_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let body = StreamingBlob::wrap(stream::pending::<Result<Bytes, std::io::Error>>());
    let outcome = ingest(&store.files, body, &Announced::default(), None, Algorithm::DEFAULT, 3).await;
    assert!(matches!(outcome, Err(IngestError::Timeout)));
}

#[test]
fn a_full_disk_is_told_as_such() {
    let full = IngestError::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
    let error = S3Error::from(full);
    assert_eq!(
        (error.code().as_str(), error.status_code().unwrap().as_u16()),
        ("InsufficientStorage", 507)
    );
    let other = S3Error::from(IngestError::from(std::io::Error::other("secret path")));
    assert_eq!(other.code().as_str(), "InternalError");
    assert!(!other.message().unwrap_or_default().contains("secret"));
}

#[test]
fn the_protocol_layers_errors_are_told_apart() {
    let text = |error: &str| body_error(&StdError::from(error).to_string());
    assert!(matches!(
        text("UploadStreamError: Sha256Mismatch"),
        IngestError::Sha256Mismatch
    ));
    assert!(matches!(
        text("AwsChunkedStreamError: SignatureMismatch"),
        IngestError::ChunkSignature
    ));
    assert!(matches!(
        text("AwsChunkedStreamError: Incomplete"),
        IngestError::Incomplete
    ));
}
