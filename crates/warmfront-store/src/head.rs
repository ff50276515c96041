use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_model::Timestamp;

mod known;
mod ready;

pub use known::abbreviate;
pub use ready::Ready;

/// Everything of a response but its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: StatusCode,
    /// The fields that every viewer gets; what differs by viewer (Age, X-Cache) is added on the way.
    pub headers: HeaderMap,
    /// How long it may be used.
    pub lifetime: Lifetime,
    /// When it was received, or last confirmed by a 304.
    pub response_time: Timestamp,
}

/// A [`Head`] in as little memory as it takes. Cloning it copies no field.
#[derive(Clone)]
pub struct StoredHead {
    /// Of its lifetime, in the order of the struct.
    secs: [u32; 4],
    rule: FreshnessRule,
    /// When it was received, or last confirmed by a 304.
    pub response_time: Timestamp,
    /// The status.
    pub status: StatusCode,
    n_fields: u16,
    fields: Bytes,
}

/// What a field begins with: the number of a known name, [`known::PAIRS_FROM`] and the number of a known field, or this,
/// before a name that is written out.
const WRITTEN_OUT: u8 = u8::MAX;

impl StoredHead {
    /// How long it may be used. No time in it is longer than 2^32 - 1 seconds, which are 136 years.
    pub fn lifetime(&self) -> Lifetime {
        let [fresh, stale_while_revalidate, stale_if_error, initial_age] = self.secs.map(u64::from);
        Lifetime {
            fresh_secs: fresh,
            rule: self.rule,
            stale_while_revalidate_secs: stale_while_revalidate,
            stale_if_error_secs: stale_if_error,
            initial_age_secs: initial_age,
        }
    }

    /// The same head, in memory of its own: sharing it takes another allocation, to count who does.
    pub(crate) fn unshared(&self) -> StoredHead {
        StoredHead {
            secs: self.secs,
            rule: self.rule,
            response_time: self.response_time,
            status: self.status,
            n_fields: self.n_fields,
            fields: Bytes::copy_from_slice(&self.fields),
        }
    }

    /// The fields as a map.
    pub fn headers(&self) -> HeaderMap {
        thread_local! {
            static MAPS: RefCell<Ready<HeaderMap>> = const { RefCell::new(Ready::new()) };
        }
        Ready::with(&MAPS, self, StoredHead::map, HeaderMap::clone)
    }

    /// Makes the map of the fields. It shares their memory.
    fn map(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(usize::from(self.n_fields));
        let fields = &self.fields;
        let mut rest = &fields[..];
        while let Some((name, value)) = next_field(&mut rest) {
            let value = match value {
                Value::Known(value) => Ok(value.clone()),
                Value::Bytes(value) => HeaderValue::from_maybe_shared(fields.slice_ref(value)),
            };
            let name = match name {
                Name::Known(name) => Ok(name.clone()),
                Name::Bytes(name) => HeaderName::from_lowercase(name),
            };
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        headers
    }

    /// How many fields there are.
    pub(crate) fn n_fields(&self) -> usize {
        usize::from(self.n_fields)
    }

    /// Names, in lower case, and values, in the order of the map.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &self.fields[..];
        std::iter::from_fn(move || {
            let (name, value) = next_field(&mut rest)?;
            let name = match name {
                Name::Known(name) => name.as_str().as_bytes(),
                Name::Bytes(name) => name,
            };
            let value = match value {
                Value::Known(value) => value.as_bytes(),
                Value::Bytes(value) => value,
            };
            Some((name, value))
        })
    }

    /// The values of the field `name`, given in lower case.
    pub(crate) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields()
            .filter(move |(field, _)| *field == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// How many bytes the fields take.
    pub(crate) fn fields_bytes(&self) -> usize {
        self.fields.len()
    }
}

impl From<Head> for StoredHead {
    /// Keeps at most [`FIELDS_MAX`] fields.
    fn from(head: Head) -> StoredHead {
        let mut fields = FieldsBuilder::default();
        for (name, value) in &head.headers {
            fields.push(name, value);
        }
        fields.finish(head.status, head.lifetime, head.response_time)
    }
}

impl fmt::Debug for StoredHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredHead")
            .field("status", &self.status)
            .field("headers", &self.headers())
            .field("lifetime", &self.lifetime())
            .field("response_time", &self.response_time)
            .finish()
    }
}

/// More fields than any connection lets through; `http`'s map ends at 24,576.
pub(crate) const FIELDS_MAX: u16 = 4_096;

/// Makes a [`StoredHead`] field by field.
#[derive(Debug, Default)]
pub(crate) struct FieldsBuilder {
    bytes: Vec<u8>,
    n_fields: u16,
}

impl FieldsBuilder {
    /// Adds a field. False: there are [`FIELDS_MAX`] already.
    pub(crate) fn push(&mut self, name: &HeaderName, value: &HeaderValue) -> bool {
        if self.n_fields >= FIELDS_MAX {
            return false;
        }
        self.n_fields += 1;
        if let Some(number) = known::pair_number(name, value) {
            self.bytes.push(known::PAIRS_FROM + number);
            return true;
        }
        match known::name_number(name) {
            Some(number) => self.bytes.push(number),
            None => {
                self.bytes.push(WRITTEN_OUT);
                push_bytes(&mut self.bytes, name.as_str().as_bytes());
            }
        }
        push_bytes(&mut self.bytes, value.as_bytes());
        true
    }

    pub(crate) fn finish(self, status: StatusCode, lifetime: Lifetime, response_time: Timestamp) -> StoredHead {
        let secs = [
            lifetime.fresh_secs,
            lifetime.stale_while_revalidate_secs,
            lifetime.stale_if_error_secs,
            lifetime.initial_age_secs,
        ];
        StoredHead {
            secs: secs.map(|secs| u32::try_from(secs).unwrap_or(u32::MAX)),
            rule: lifetime.rule,
            response_time,
            status,
            n_fields: self.n_fields,
            fields: Bytes::from(self.bytes.into_boxed_slice()),
        }
    }
}

enum Name<'a> {
    Known(&'static HeaderName),
    Bytes(&'a [u8]),
}

enum Value<'a> {
    Known(&'static HeaderValue),
    Bytes(&'a [u8]),
}

fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(Name<'a>, Value<'a>)> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    if first == WRITTEN_OUT {
        return Some((Name::Bytes(take_bytes(rest)?), Value::Bytes(take_bytes(rest)?)));
    }
    if let Some(pair) = first.checked_sub(known::PAIRS_FROM) {
        let (name, value) = known::pair(pair)?;
        return Some((Name::Known(name), Value::Known(value)));
    }
    let name = known::NAMES.get(usize::from(first))?;
    Some((Name::Known(name), Value::Bytes(take_bytes(rest)?)))
}

/// Appends a length, seven bits in a byte and the lowest first, and the bytes.
fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    const MORE: u8 = 0x80;
    let mut length = bytes.len();
    while length >= usize::from(MORE) {
        out.push(u8::try_from(length % usize::from(MORE)).unwrap_or(0) | MORE);
        length /= usize::from(MORE);
    }
    out.push(u8::try_from(length).unwrap_or(0));
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (mut length, mut shift) = (0_usize, 0_u32);
    loop {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests;
