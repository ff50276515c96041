use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::collection::vec;
use proptest::prelude::*;
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_model::{Epoch, Incarnation, Revision, Timestamp};

use super::directory::Place;
use super::footer::{Line, TRAILER_BYTES, push_line, read_lines, read_trailer, trailer};
use super::meta::{SlicePlace, decode, encode, restamp};
use super::record::{
    Kind, NotASegment, RECORD_HEADER_BYTES, RecordHeader, SegmentId, append, read_segment_header, segment_header,
};
use super::tag_field::TagField;
use crate::{Head, StoredHead};

const ID: SegmentId = SegmentId { number: 3, salt: 99 };

fn epoch(revision: u64) -> Epoch {
    Epoch {
        incarnation: Incarnation(7),
        revision: Revision(revision),
    }
}

fn head(fields: &[(String, Vec<u8>)]) -> StoredHead {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value).unwrap(),
        );
    }
    Head {
        status: StatusCode::NOT_FOUND,
        headers,
        lifetime: Lifetime {
            fresh_secs: 1,
            rule: FreshnessRule::ErrorCachingMinTtl,
            stale_while_revalidate_secs: 2,
            stale_if_error_secs: u64::MAX,
            initial_age_secs: 4,
        },
        response_time: Timestamp(-5),
    }
    .into()
}

fn fields() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    vec(("[a-z][a-z0-9-]{0,20}", vec(32..127_u8, 0..40)), 0..12)
}

proptest! {
    #[test]
    fn a_meta_part_is_read_as_it_was_written(
        key in vec(any::<u8>(), 0..300),
        fields in fields(),
        tag_header in proptest::option::of("[a-z-]{1,30}"),
        slices in vec((1..9_u32, any::<u32>(), any::<u32>()), 0..5),
    ) {
        let head = head(&fields);
        let tag_header = tag_header.map(std::sync::Arc::from);
        let slices: Vec<SlicePlace> = slices
            .iter()
            .map(|&(segment, offset, bytes)| SlicePlace { segment, offset, bytes })
            .collect();
        let mut written = encode(&key, epoch(8), &head, tag_header.as_ref(), 77, &slices).unwrap();
        restamp(&mut written, epoch(9));
        let read = decode(&written.into()).unwrap();
        prop_assert_eq!(&read.key[..], &key[..]);
        prop_assert_eq!(read.as_of, epoch(9));
        prop_assert_eq!(read.head.headers(), head.headers());
        prop_assert_eq!(read.head.lifetime(), head.lifetime());
        prop_assert_eq!((read.head.status, read.head.response_time), (head.status, head.response_time));
        prop_assert_eq!(read.tag_header, tag_header);
        prop_assert_eq!((read.body_bytes, read.slices), (77, slices));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = decode(&Bytes::from(bytes.clone()));
        let _ = read_lines(&bytes, 3);
        let _ = read_trailer(&bytes, ID);
        let _ = RecordHeader::read(&bytes);
        let _ = read_segment_header(&bytes);
    }

    #[test]
    fn a_damaged_meta_part_is_read_without_a_panic(fields in fields(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut written = encode(b"/page", epoch(8), &head(&fields), None, 77, &[]).unwrap();
        let at = at.index(written.len());
        written[at] ^= 1 << bit;
        let _ = decode(&written.into());
    }

    #[test]
    fn a_changed_bit_of_a_record_is_noticed(meta in vec(any::<u8>(), 0..80), body in vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut record = Vec::new();
        append(&mut record, Kind::Response, ID, &meta, &[&body]).unwrap();
        prop_assert!(is_right(&record, meta.len(), ID));
        prop_assert!(!is_right(&record, meta.len(), SegmentId { salt: 98, ..ID }), "another segment's record");
        prop_assert!(!is_right(&record, meta.len(), SegmentId { number: 4, ..ID }), "of another number");
        let at = at.index(record.len());
        record[at] ^= 1 << bit;
        prop_assert!(!is_right(&record, meta.len(), ID), "byte {}", at);
    }

    #[test]
    fn a_list_is_read_as_it_was_written(keys in vec((vec(any::<u8>(), 0..60), any::<bool>(), any::<u64>()), 0..20)) {
        let lines: Vec<Line> = keys.into_iter().map(|(key, is_removal, number)| line(key, is_removal, number)).collect();
        let mut list = Vec::new();
        lines.iter().for_each(|line| push_line(&mut list, line).unwrap());
        prop_assert_eq!(read_lines(&list, 3), Some(lines));
        let end = trailer(ID, 1_000, &list).unwrap();
        prop_assert_eq!(end.len(), TRAILER_BYTES);
        let read = read_trailer(&end, ID).unwrap();
        prop_assert_eq!((read.list_offset, read.list_bytes as usize), (1_000, list.len()));
        prop_assert!(read.covers(&list, ID));
        list.push(0);
        prop_assert!(!read.covers(&list, ID));
    }
}

fn is_right(record: &[u8], meta_bytes: usize, id: SegmentId) -> bool {
    let head_bytes = RECORD_HEADER_BYTES + meta_bytes;
    RecordHeader::read(record).is_some_and(|header| {
        header.covers(&record[..head_bytes], id)
            && header.covers_body(&[&record[head_bytes..]], id)
            && header.kind == Kind::Response
    })
}

fn line(key: Vec<u8>, is_removal: bool, number: u64) -> Line {
    if is_removal {
        return Line::Removal(key.into());
    }
    Line::Response {
        key: key.into(),
        as_of: epoch(number),
        tags: number.is_multiple_of(2).then(|| {
            Box::new(TagField {
                header: "cache-tag".into(),
                value: (*b"a, b").into(),
            })
        }),
        body_bytes: number,
        place: Place {
            segment: 3,
            offset: 32,
            meta_bytes: 5,
            body_bytes: 6,
            oldest_segment: 2,
        },
    }
}

#[test]
fn a_segments_first_bytes_tell_its_number_and_format() {
    let mut header = segment_header(ID);
    assert_eq!(header.len(), 32, "as docs/store-format.md says");
    assert_eq!(read_segment_header(&header), Ok(ID));
    header[20] ^= 1;
    assert_eq!(read_segment_header(&header), Err(NotASegment::Damaged));
    header[8] = 2;
    assert_eq!(read_segment_header(&header), Err(NotASegment::Format(2)));
    assert_eq!(read_segment_header(&header[..31]), Err(NotASegment::Damaged));
}
