use std::sync::Arc;

use super::fields::{Fields, push_long, push_short};
use crate::StoredHead;
use crate::memory::allocated;

/// The header field that a response's cache tags are in, as far as it was known when the response came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TagField {
    /// Its name in lower case.
    pub(super) header: Arc<str>,
    /// Its values in one list; empty if the response does not have it.
    pub(super) value: Box<[u8]>,
}

impl TagField {
    /// The field `header` of a response with this head.
    pub(super) fn of(head: &StoredHead, header: Arc<str>) -> TagField {
        let values: Vec<&[u8]> = head.values(&header).collect();
        let value = values.join(&b',').into();
        TagField { header, value }
    }

    /// How many bytes of memory it takes, the shared name left out.
    pub(super) fn memory_bytes(&self) -> u64 {
        allocated(size_of::<TagField>()) + allocated(self.value.len())
    }
}

/// Appends a field, or that there is none; `None` if it is too long.
pub(super) fn push_tag_field(out: &mut Vec<u8>, field: Option<&TagField>) -> Option<()> {
    push_tag_header(out, field.map(|field| &field.header))?;
    field.map_or(Some(()), |field| push_long(out, &field.value))
}

pub(super) fn read_tag_field(fields: &mut Fields<'_>) -> Option<Option<Box<TagField>>> {
    let Some(header) = read_tag_header(fields)? else {
        return Some(None);
    };
    let value = fields.long()?.into();
    Some(Some(Box::new(TagField { header, value })))
}

/// Appends the name alone, for where the head is beside it.
pub(super) fn push_tag_header(out: &mut Vec<u8>, header: Option<&Arc<str>>) -> Option<()> {
    push_short(out, header.map_or(&b""[..], |header| header.as_bytes()))
}

pub(super) fn read_tag_header(fields: &mut Fields<'_>) -> Option<Option<Arc<str>>> {
    let header = std::str::from_utf8(fields.short()?).ok()?;
    Some((!header.is_empty()).then(|| header.into()))
}
