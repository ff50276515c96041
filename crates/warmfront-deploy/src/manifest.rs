use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::headers::{Class, Headers};

/// What a release consists of: for every key of the bucket, its content and its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// By key in the bucket.
    pub files: BTreeMap<String, Entry>,
}

/// One file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its content.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Its class.
    pub class: Class,
    /// The headers it is stored with.
    pub headers: Headers,
    /// The ETag that the bucket listed once the release was live: not a digest, but a sign that nobody has written since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its name looks fingerprinted, but stood for other bytes before: never again `immutable`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distrusted: bool,
}

impl Entry {
    /// Whether the other has the same bytes under the same headers.
    pub fn same_as(&self, other: &Entry) -> bool {
        self.digest == other.digest && self.headers == other.headers
    }
}

impl Manifest {
    /// The digest of the whole: equal exactly when all files have equal content and headers.
    pub fn digest(&self) -> Digest {
        let mut text = String::new();
        for (key, entry) in &self.files {
            let Headers {
                content_type,
                cache_control,
                tags,
            } = &entry.headers;
            text.push_str(&format!(
                "{key}\0{}\0{content_type}\0{cache_control}\0{}\n",
                entry.digest,
                tags.join(",")
            ));
        }
        Digest::of(text.as_bytes())
    }
}
