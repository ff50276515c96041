use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use super::metadata::checksum_type;
use crate::dates;
use crate::digest;
use crate::store::{Listed, Listing, ListingQuery, ObjectRecord, StoreError, list_objects};

/// The most entries of one page, and how many without being asked. Source: S3 API reference, ListObjectsV2.
const KEYS_MAX: i32 = 1000;

/// What `encoding-type=url` leaves as it is.
const UNENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'/')
    .remove(b'*');

impl Operations {
    pub(super) async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let encoding = Encoding::parse(input.encoding_type.as_ref())?;
        let max_keys = page_size(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => read_token(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let query = ListingQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after,
            n_max: max_keys.unsigned_abs() as usize,
        };
        let listing = self.list(input.bucket.clone(), query).await?;
        let last = listing.entries.last().filter(|_| listing.is_truncated);
        let next_continuation_token = last.map(|last| digest::to_base64(last.name().as_bytes()));
        let is_truncated = listing.is_truncated;
        let owner = (input.fetch_owner == Some(true)).then(|| self.owner());
        let (contents, common_prefixes) = entries(listing, encoding, owner.as_ref());
        Ok(S3Response::new(ListObjectsV2Output {
            key_count: i32::try_from(contents.len() + common_prefixes.len()).ok(),
            name: Some(input.bucket),
            prefix: Some(encoding.apply(input.prefix.unwrap_or_default())),
            max_keys: Some(max_keys),
            continuation_token: input.continuation_token,
            is_truncated: Some(is_truncated),
            next_continuation_token,
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: input.delimiter.map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|start| encoding.apply(start)),
            request_charged: None,
        }))
    }

    pub(super) async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let encoding = Encoding::parse(input.encoding_type.as_ref())?;
        let max_keys = page_size(input.max_keys)?;
        let query = ListingQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().unwrap_or_default(),
            after: input.marker.clone().unwrap_or_default(),
            n_max: max_keys.unsigned_abs() as usize,
        };
        let has_delimiter = !query.delimiter.is_empty();
        let listing = self.list(input.bucket.clone(), query).await?;
        // Without a delimiter the last key is the marker of the next page. Source: S3 API reference, ListObjects.
        let last = listing.entries.last().filter(|_| listing.is_truncated && has_delimiter);
        let next_marker = last.map(|last| encoding.apply(last.name().to_owned()));
        let is_truncated = listing.is_truncated;
        let (contents, common_prefixes) = entries(listing, encoding, Some(&self.owner()));
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.apply(input.prefix.unwrap_or_default())),
            marker: Some(encoding.apply(input.marker.unwrap_or_default())),
            max_keys: Some(max_keys),
            is_truncated: Some(is_truncated),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            delimiter: input.delimiter.map(|delimiter| encoding.apply(delimiter)),
            next_marker,
            encoding_type: input.encoding_type,
            request_charged: None,
        }))
    }

    async fn list(&self, bucket: String, query: ListingQuery) -> Result<Listing, StoreError> {
        self.shared
            .blocking(move |store| {
                store
                    .database
                    .read(|transaction| list_objects(transaction, &bucket, &query))
            })
            .await
    }
}

fn entries(listing: Listing, encoding: Encoding, owner: Option<&Owner>) -> (Vec<Object>, Vec<CommonPrefix>) {
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for entry in listing.entries {
        match entry {
            Listed::Object(key, record) => contents.push(object(encoding.apply(key), &record, owner)),
            Listed::CommonPrefix(prefix) => {
                common_prefixes.push(CommonPrefix {
                    prefix: Some(encoding.apply(prefix)),
                });
            }
        }
    }
    (contents, common_prefixes)
}

fn object(key: String, record: &ObjectRecord, owner: Option<&Owner>) -> Object {
    let checksum = record.checksum.as_ref();
    Object {
        checksum_algorithm: checksum.map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.name())]),
        checksum_type: checksum.map(|checksum| checksum_type(checksum.composite)),
        e_tag: Some(ETag::Strong(record.etag.clone())),
        key: Some(key),
        last_modified: Some(dates::from_ms(record.modified_ms)),
        owner: owner.cloned(),
        restore_status: None,
        size: i64::try_from(record.size).ok(),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
    }
}

/// Whether names are percent-encoded in the answer, since XML cannot hold every character a name may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(super) fn parse(asked: Option<&EncodingType>) -> S3Result<Encoding> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Encoding::Plain),
            Some(EncodingType::URL) => Ok(Encoding::Url),
            Some(_) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request"
            )),
        }
    }

    pub(super) fn apply(self, name: String) -> String {
        match self {
            Encoding::Plain => name,
            Encoding::Url => utf8_percent_encode(&name, UNENCODED).to_string(),
        }
    }
}

/// How many entries a page may have.
pub(super) fn page_size(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        None => Ok(KEYS_MAX),
        Some(asked) if asked < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument maxKeys must be an integer between 0 and 2147483647"
        )),
        Some(asked) => Ok(asked.min(KEYS_MAX)),
    }
}

/// A continuation token is the last name of the page before, in base64.
fn read_token(token: &str) -> S3Result<String> {
    let name = digest::from_base64(token).and_then(|bytes| String::from_utf8(bytes).ok());
    name.filter(|name| !name.is_empty())
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}
