//! A request's body on its way to a file: streamed, counted, hashed, verified, synced; never whole in memory.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http::HeaderMap;
use s3s::TrailingHeaders;
use s3s::crypto::{Checksum, Md5};
use s3s::dto::StreamingBlob;
use thiserror::Error;
use tokio::io::AsyncWriteExt;

use crate::digest::{self, Algorithm, Hasher};
use crate::store::{Files, StagedFile, StoreError};

#[cfg(test)]
mod tests;

/// How long a client may pause within a body before it gets S3's `RequestTimeout`.
const BODY_IDLE_MAX: Duration = Duration::from_secs(60);

/// How many bytes gather before the file is written to.
const WRITE_BYTES: usize = 1 << 20;

/// Why a body did not become a file.
#[derive(Debug, Error)]
pub(crate) enum IngestError {
    #[error("the Content-MD5 is not the base64 of 16 bytes")]
    InvalidDigest,
    #[error("the Content-MD5 is not that of the body")]
    Md5Mismatch,
    #[error("a checksum header has an unusable value")]
    InvalidChecksum,
    #[error("more than one checksum was given")]
    SeveralChecksums,
    #[error("the {} of the body is another", .0.name())]
    ChecksumMismatch(Algorithm),
    #[error("the trailer that was announced did not come")]
    TrailerMissing,
    #[error("the x-amz-content-sha256 is not that of the body")]
    Sha256Mismatch,
    #[error("a chunk's signature does not match")]
    ChunkSignature,
    #[error("the body has another length than was announced")]
    Incomplete,
    #[error("the body is larger than an object or a part may be")]
    TooLarge,
    #[error("the client paused too long")]
    Timeout,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<std::io::Error> for IngestError {
    fn from(error: std::io::Error) -> IngestError {
        IngestError::Store(error.into())
    }
}

/// What the client says about a body.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    /// The checksum to compute, and its value unless that comes as a trailer or not at all.
    checksum: Option<(Algorithm, Option<Vec<u8>>)>,
    trailer: bool,
    md5: Option<[u8; 16]>,
    length: Option<u64>,
}

impl Announced {
    /// Reads Content-MD5, `x-amz-checksum-…`, `x-amz-trailer` and `x-amz-sdk-checksum-algorithm`.
    ///
    /// `length` is the body's, without the framing of chunked uploads.
    pub(crate) fn from_headers(headers: &HeaderMap, length: Option<i64>) -> Result<Announced, IngestError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let md5 = match text("content-md5") {
            Some(value) => {
                let bytes = digest::from_base64(value).and_then(|bytes| bytes.try_into().ok());
                Some(bytes.ok_or(IngestError::InvalidDigest)?)
            }
            None => None,
        };
        let mut given = Vec::new();
        for algorithm in Algorithm::ALL {
            if let Some(value) = text(algorithm.header()) {
                given.push((algorithm, Some(parse_checksum(algorithm, value)?)));
            }
        }
        let announced = text("x-amz-trailer").into_iter().flat_map(|names| names.split(','));
        let trailers = announced.filter_map(|name| {
            Algorithm::ALL
                .into_iter()
                .find(|algorithm| name.trim().eq_ignore_ascii_case(algorithm.header()))
        });
        let trailers: Vec<Algorithm> = trailers.collect();
        given.extend(trailers.iter().map(|&algorithm| (algorithm, None)));
        if given.len() > 1 {
            return Err(IngestError::SeveralChecksums);
        }
        let named = text("x-amz-sdk-checksum-algorithm").and_then(Algorithm::parse);
        let checksum = given.pop().or(named.map(|algorithm| (algorithm, None)));
        let length = length.and_then(|length| u64::try_from(length).ok());
        Ok(Announced {
            checksum,
            trailer: !trailers.is_empty(),
            md5,
            length,
        })
    }

    /// The algorithm that the client chose.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.checksum.as_ref().map(|(algorithm, _)| *algorithm)
    }
}

fn parse_checksum(algorithm: Algorithm, value: &str) -> Result<Vec<u8>, IngestError> {
    let bytes = digest::from_base64(value).filter(|bytes| bytes.len() == algorithm.len());
    bytes.ok_or(IngestError::InvalidChecksum)
}

/// A body that is safely on disk, in a file that no record names yet.
pub(crate) struct Ingested {
    pub staged: StagedFile,
    pub size: u64,
    pub md5: [u8; 16],
    /// By the algorithm asked for, raw.
    pub checksum: Vec<u8>,
}

/// Writes a body to a new file, verifies all that was announced, and makes it durable.
///
/// `keep` is the algorithm whose value the caller wants; what was announced is verified whether or not it is the same.
pub(crate) async fn ingest(
    files: &Arc<Files>,
    mut body: StreamingBlob,
    announced: &Announced,
    trailers: Option<&TrailingHeaders>,
    keep: Algorithm,
    bytes_max: u64,
) -> Result<Ingested, IngestError> {
    if announced.length.is_some_and(|length| length > bytes_max) {
        return Err(IngestError::TooLarge);
    }
    let creating = Arc::clone(files);
    let (staged, file) = blocking(move || creating.create()).await?;
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(WRITE_BYTES);
    let mut md5 = Md5::new();
    let mut kept = Hasher::new(keep);
    let mut verified = announced
        .algorithm()
        .filter(|&algorithm| algorithm != keep)
        .map(Hasher::new);
    let mut size = 0u64;
    while let Some(chunk) = tokio::time::timeout(BODY_IDLE_MAX, body.next())
        .await
        .map_err(|_| IngestError::Timeout)?
    {
        let chunk = chunk.map_err(|error| body_error(&error.to_string()))?;
        size += chunk.len() as u64;
        if size > bytes_max {
            return Err(IngestError::TooLarge);
        }
        md5.update(&chunk);
        kept.update(&chunk);
        if let Some(hasher) = &mut verified {
            hasher.update(&chunk);
        }
        file.write_all(&chunk).await?;
    }
    if announced.length.is_some_and(|length| length != size) {
        return Err(IngestError::Incomplete);
    }
    let md5 = md5.finalize();
    let checksum = kept.finalize();
    verify(
        announced,
        trailers,
        &md5,
        &verified.map_or_else(|| checksum.clone(), Hasher::finalize),
    )?;
    file.flush().await?;
    let (file, syncing) = (file.into_std().await, Arc::clone(files));
    let id = staged.id();
    blocking(move || syncing.sync(id, &file)).await?;
    Ok(Ingested {
        staged,
        size,
        md5,
        checksum,
    })
}

fn verify(
    announced: &Announced,
    trailers: Option<&TrailingHeaders>,
    md5: &[u8; 16],
    checksum: &[u8],
) -> Result<(), IngestError> {
    if announced.md5.is_some_and(|announced| announced != *md5) {
        return Err(IngestError::Md5Mismatch);
    }
    let Some((algorithm, value)) = &announced.checksum else {
        return Ok(());
    };
    let trailing = if announced.trailer {
        let value = trailers.and_then(|trailers| trailers.read(|headers| headers.get(algorithm.header()).cloned()));
        let value = value.flatten().ok_or(IngestError::TrailerMissing)?;
        let value = value.to_str().map_err(|_| IngestError::InvalidChecksum)?;
        Some(parse_checksum(*algorithm, value.trim())?)
    } else {
        None
    };
    match value.as_ref().or(trailing.as_ref()) {
        Some(value) if value != checksum => Err(IngestError::ChecksumMismatch(*algorithm)),
        _ => Ok(()),
    }
}

/// What went wrong within the body. The protocol layer's error types are private to it; their names are in their text.
fn body_error(text: &str) -> IngestError {
    if text.contains("Sha256Mismatch") {
        IngestError::Sha256Mismatch
    } else if text.contains("SignatureMismatch") {
        IngestError::ChunkSignature
    } else {
        IngestError::Incomplete
    }
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, IngestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(StoreError::Interrupted.into()),
    }
}
