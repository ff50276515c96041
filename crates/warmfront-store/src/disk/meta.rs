//! The meta part of a response's record: everything but its body.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_model::{Epoch, Incarnation, Revision, Timestamp};

use super::fields::{Fields, push_long, push_short};
use super::tag_field::{push_tag_header, read_tag_header};
use crate::StoredHead;
use crate::head::FieldsBuilder;

/// Where a slice's record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlicePlace {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) bytes: u32,
}

/// A response without its body.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    pub(super) key: Bytes,
    pub(super) as_of: Epoch,
    pub(super) head: StoredHead,
    pub(super) tag_header: Option<Arc<str>>,
    pub(super) body_bytes: u64,
    pub(super) slices: Vec<SlicePlace>,
}

/// The meta part; `None` if something is longer than its length field can say.
pub(super) fn encode(
    key: &[u8],
    as_of: Epoch,
    head: &StoredHead,
    tag_header: Option<&Arc<str>>,
    body_bytes: u64,
    slices: &[SlicePlace],
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(512);
    for number in [as_of.incarnation.0, as_of.revision.0] {
        out.extend(number.to_le_bytes());
    }
    out.extend(head.response_time.0.to_le_bytes());
    let lifetime = head.lifetime();
    for secs in [
        lifetime.fresh_secs,
        lifetime.stale_while_revalidate_secs,
        lifetime.stale_if_error_secs,
        lifetime.initial_age_secs,
    ] {
        out.extend(secs.to_le_bytes());
    }
    out.push(rule_number(lifetime.rule));
    out.extend(head.status.as_u16().to_le_bytes());
    out.extend(body_bytes.to_le_bytes());
    push_long(&mut out, key)?;
    push_tag_header(&mut out, tag_header)?;
    out.extend(u32::try_from(slices.len()).ok()?.to_le_bytes());
    for slice in slices {
        for number in [slice.segment, slice.offset, slice.bytes] {
            out.extend(number.to_le_bytes());
        }
    }
    out.extend(u16::try_from(head.n_fields()).ok()?.to_le_bytes());
    for (name, value) in head.fields() {
        push_short(&mut out, name)?;
        push_long(&mut out, value)?;
    }
    Some(out)
}

/// Puts another as-of into a meta part: it comes first.
pub(super) fn restamp(meta: &mut [u8], as_of: Epoch) {
    let numbers = [as_of.incarnation.0.to_le_bytes(), as_of.revision.0.to_le_bytes()].concat();
    if let Some(place) = meta.get_mut(..numbers.len()) {
        place.copy_from_slice(&numbers);
    }
}

/// Reads a meta part back; `None` if it is none. The key shares the memory of `bytes`.
pub(super) fn decode(bytes: &Bytes) -> Option<Meta> {
    let mut fields = Fields(bytes);
    let as_of = read_epoch(&mut fields)?;
    let response_time = Timestamp(fields.i64()?);
    let (fresh_secs, stale_while_revalidate_secs) = (fields.u64()?, fields.u64()?);
    let (stale_if_error_secs, initial_age_secs) = (fields.u64()?, fields.u64()?);
    let lifetime = Lifetime {
        fresh_secs,
        rule: rule(fields.u8()?)?,
        stale_while_revalidate_secs,
        stale_if_error_secs,
        initial_age_secs,
    };
    let status = StatusCode::from_u16(fields.u16()?).ok()?;
    let body_bytes = fields.u64()?;
    let key = bytes.slice_ref(fields.long()?);
    let tag_header = read_tag_header(&mut fields)?;
    let slices = read_slices(&mut fields)?;
    let mut head_fields = FieldsBuilder::default();
    for _ in 0..fields.u16()? {
        let name = HeaderName::from_bytes(fields.short()?).ok()?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(fields.long()?)).ok()?;
        head_fields.push(&name, &value).then_some(())?;
    }
    let head = head_fields.finish(status, lifetime, response_time);
    fields.0.is_empty().then_some(Meta {
        key,
        as_of,
        head,
        tag_header,
        body_bytes,
        slices,
    })
}

pub(super) fn read_epoch(fields: &mut Fields<'_>) -> Option<Epoch> {
    Some(Epoch {
        incarnation: Incarnation(fields.u64()?),
        revision: Revision(fields.u64()?),
    })
}

fn read_slices(fields: &mut Fields<'_>) -> Option<Vec<SlicePlace>> {
    const SLICE_PLACE_BYTES: usize = 12;
    let n_slices = usize::try_from(fields.u32()?).ok()?;
    let mut places = Fields(fields.bytes(n_slices.checked_mul(SLICE_PLACE_BYTES)?)?);
    (0..n_slices)
        .map(|_| {
            Some(SlicePlace {
                segment: places.u32()?,
                offset: places.u32()?,
                bytes: places.u32()?,
            })
        })
        .collect()
}

const RULES: [FreshnessRule; 9] = [
    FreshnessRule::SMaxage,
    FreshnessRule::MaxAge,
    FreshnessRule::Expires,
    FreshnessRule::NoCache,
    FreshnessRule::DefaultTtl,
    FreshnessRule::MinTtl,
    FreshnessRule::MaxTtl,
    FreshnessRule::ErrorCachingMinTtl,
    FreshnessRule::Heuristic,
];

fn rule(number: u8) -> Option<FreshnessRule> {
    RULES.get(usize::from(number)).copied()
}

/// The numbers on disk: never used again for another rule.
fn rule_number(rule: FreshnessRule) -> u8 {
    match rule {
        FreshnessRule::SMaxage => 0,
        FreshnessRule::MaxAge => 1,
        FreshnessRule::Expires => 2,
        FreshnessRule::NoCache => 3,
        FreshnessRule::DefaultTtl => 4,
        FreshnessRule::MinTtl => 5,
        FreshnessRule::MaxTtl => 6,
        FreshnessRule::ErrorCachingMinTtl => 7,
        FreshnessRule::Heuristic => 8,
    }
}
