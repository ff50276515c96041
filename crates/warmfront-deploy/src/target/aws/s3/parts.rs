//! Large files, in parts that are sent at the same time.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{S3Bucket, local, unquoted, with_headers};
use crate::digest::Digest;
use crate::patience::jittered;
use crate::target::{Fault, PART_BYTES, StoredHeaders, TargetError};

/// Parts of one file that are in memory and on their way at once.
const PARTS_AT_ONCE: usize = 4;

/// A part that fails is sent again alone, so often; then the file begins anew.
const PART_TRIES: u32 = 4;

/// The pause before a part's second try, at most; it doubles with each.
const PART_PAUSE: Duration = Duration::from_millis(200);

impl S3Bucket {
    /// Each part with its own SHA-256, which S3 compares. What cannot be finished is aborted: S3 charges for parts that lie about.
    pub(super) async fn put_in_parts(
        &self,
        key: &str,
        path: &Path,
        size: u64,
        digest: Digest,
        headers: &StoredHeaders,
    ) -> Result<String, TargetError> {
        let request = self.client().create_multipart_upload().bucket(&self.bucket).key(key);
        let request = with_headers!(request, headers).checksum_algorithm(ChecksumAlgorithm::Sha256);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.explain("s3:PutObject", self.arn(key), error))?;
        let upload = answer.upload_id().unwrap_or_default().to_owned();
        let sent = self.send_parts(key, path, size, digest, &upload).await;
        if sent.is_err() {
            let abort = self.client().abort_multipart_upload();
            let abort = abort.bucket(&self.bucket).key(key).upload_id(&upload);
            // The upload failed already; a bucket's lifecycle rule removes what this could not.
            let _ = abort.send().await;
        }
        sent
    }

    async fn send_parts(
        &self,
        key: &str,
        path: &Path,
        size: u64,
        digest: Digest,
        upload: &str,
    ) -> Result<String, TargetError> {
        let ranges = (0..size.div_ceil(PART_BYTES)).map(|index| (index, PART_BYTES.min(size - index * PART_BYTES)));
        let work = stream::iter(ranges).map(|(index, length)| async move {
            let part = read_part(path, index * PART_BYTES, length).await?;
            let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
            self.send_part(key, upload, number, part).await
        });
        let parts = work.buffered(PARTS_AT_ONCE).try_collect::<Vec<CompletedPart>>().await?;
        // The parts were read one by one: only the whole says that they belong together.
        let file = path.to_owned();
        let whole = tokio::task::spawn_blocking(move || crate::scan::digest_of(&file));
        let whole = whole.await.unwrap_or_else(|panic| Err(panic.into()));
        let (whole, _) = whole.map_err(|error| local(path, &error.to_string()))?;
        if whole != digest {
            return Err(local(path, "changed since the plan was made"));
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client().complete_multipart_upload().bucket(&self.bucket).key(key);
        let answer = request.upload_id(upload).multipart_upload(parts).send().await;
        let answer = answer.map_err(|error| self.explain("s3:PutObject", self.arn(key), error))?;
        Ok(unquoted(answer.e_tag()))
    }

    async fn send_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        part: Vec<u8>,
    ) -> Result<CompletedPart, TargetError> {
        let checksum = Digest::of(&part).base64();
        let bytes = bytes::Bytes::from(part);
        let mut attempt = 1;
        loop {
            let request = self.client().upload_part().bucket(&self.bucket).key(key);
            let request = request.upload_id(upload).part_number(number).checksum_sha256(&checksum);
            let error = match request.body(ByteStream::from(bytes.clone())).send().await {
                Ok(answer) => {
                    let done = CompletedPart::builder().part_number(number).checksum_sha256(checksum);
                    return Ok(done.set_e_tag(answer.e_tag().map(str::to_owned)).build());
                }
                Err(error) => self.explain("s3:PutObject", self.arn(key), error),
            };
            if attempt == PART_TRIES || !matches!(error.fault, Fault::Throttled | Fault::Unavailable) {
                return Err(error);
            }
            let pause = PART_PAUSE * 2_u32.pow(attempt - 1);
            tokio::time::sleep(jittered(pause, rand::random())).await;
            attempt += 1;
        }
    }
}

async fn read_part(path: &Path, at: u64, length: u64) -> Result<Vec<u8>, TargetError> {
    let read = async {
        let mut file = tokio::fs::File::open(path).await?;
        file.seek(std::io::SeekFrom::Start(at)).await?;
        let mut part = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        file.take(length).read_to_end(&mut part).await?;
        Ok::<_, std::io::Error>(part)
    };
    let part = read.await.map_err(|error| local(path, &error.to_string()))?;
    if part.len() as u64 != length {
        return Err(local(path, "changed since the plan was made"));
    }
    Ok(part)
}
