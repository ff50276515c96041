use std::ops::Bound;

use redb::ReadTransaction;

use super::database::OBJECTS;
use super::record::decode;
use super::{ObjectRecord, StoreError};

/// What a listing asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListingQuery {
    pub prefix: String,
    /// Keys that share what stands before its first occurrence behind the prefix are rolled up; empty for none.
    pub delimiter: String,
    /// Only what is greater; a common prefix stands for everything below it.
    pub after: String,
    /// How many keys and common prefixes together at most.
    pub n_max: usize,
}

/// An object, or many rolled up under a common prefix.
#[derive(Debug)]
pub(crate) enum Listed {
    Object(String, Box<ObjectRecord>),
    CommonPrefix(String),
}

impl Listed {
    /// The key or the prefix.
    pub(crate) fn name(&self) -> &str {
        match self {
            Listed::Object(name, _) | Listed::CommonPrefix(name) => name,
        }
    }
}

/// One page, in the order of the names' UTF-8 bytes.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub entries: Vec<Listed>,
    /// Whether more would come after the last entry.
    pub is_truncated: bool,
}

/// One page of a bucket's objects.
///
/// Source: S3 API reference, ListObjectsV2 and ListObjects.
pub(crate) fn list_objects(
    transaction: &ReadTransaction,
    bucket: &str,
    query: &ListingQuery,
) -> Result<Listing, StoreError> {
    let objects = transaction.open_table(OBJECTS)?;
    let mut listing = Listing::default();
    let mut from = start(query);
    while let Some(bound) = from.take() {
        let lower = match &bound {
            Bound::Included(key) => Bound::Included((bucket, key.as_str())),
            Bound::Excluded(key) => Bound::Excluded((bucket, key.as_str())),
            Bound::Unbounded => Bound::Included((bucket, "")),
        };
        for entry in objects.range::<(&str, &str)>((lower, Bound::Unbounded))? {
            let (name, record) = entry?;
            let (found_in, key) = name.value();
            if found_in != bucket || !key.starts_with(&query.prefix) || query.n_max == 0 {
                return Ok(listing);
            }
            if listing.entries.len() == query.n_max {
                listing.is_truncated = true;
                return Ok(listing);
            }
            match common_prefix(key, query) {
                Some(common) => {
                    listing.entries.push(Listed::CommonPrefix(common.to_owned()));
                    from = behind(common).map(Bound::Included);
                    break;
                }
                None => listing
                    .entries
                    .push(Listed::Object(key.to_owned(), Box::new(decode(record.value())?))),
            }
        }
    }
    Ok(listing)
}

fn start(query: &ListingQuery) -> Option<Bound<String>> {
    if query.after.as_str() < query.prefix.as_str() {
        return Some(Bound::Included(query.prefix.clone()));
    }
    // A page that ended with a common prefix goes on behind everything below it.
    match common_prefix(&query.after, query) {
        Some(common) if common == query.after => behind(common).map(Bound::Included),
        _ if query.after.is_empty() => Some(Bound::Included(String::new())),
        _ => Some(Bound::Excluded(query.after.clone())),
    }
}

/// The name under which `key` is rolled up, if it is.
fn common_prefix<'a>(key: &'a str, query: &ListingQuery) -> Option<&'a str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(query.prefix.as_str())?;
    let at = rest.find(&query.delimiter)?;
    Some(&key[..query.prefix.len() + at + query.delimiter.len()])
}

/// The smallest string greater than everything that begins with `prefix`; `None` if there is none.
pub(super) fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            _ => char::from_u32(last as u32 + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}
