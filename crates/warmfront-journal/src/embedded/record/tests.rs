use super::*;

fn event(write: Write) -> Event {
    Event {
        revision: Revision(7),
        key: "é/k".to_owned(),
        write,
    }
}

#[test]
fn an_entry_is_its_revision_and_value() {
    let record = encode_entry(Revision(0x0102), b"v");
    assert_eq!(record, [2, 1, 0, 0, 0, 0, 0, 0, b'v']);
    assert_eq!(
        decode_entry("k", &record).unwrap(),
        (Revision(0x0102), Bytes::from_static(b"v"))
    );
}

#[test]
fn an_event_is_kind_key_and_value() {
    let put = event(Write::Put(Bytes::from_static(b"v")));
    assert_eq!(encode_event(&put), [1, 4, 0, 0xc3, 0xa9, b'/', b'k', b'v']);
    assert_eq!(decode_event(Revision(7), &encode_event(&put)).unwrap(), put);

    let delete = event(Write::Delete);
    assert_eq!(encode_event(&delete), [2, 4, 0, 0xc3, 0xa9, b'/', b'k']);
    assert_eq!(decode_event(Revision(7), &encode_event(&delete)).unwrap(), delete);
}

#[test]
fn an_empty_value_is_not_a_deletion() {
    let empty = event(Write::Put(Bytes::new()));
    assert_eq!(decode_event(Revision(7), &encode_event(&empty)).unwrap(), empty);
}

#[test]
fn damaged_records_are_refused() {
    assert!(decode_entry("k", &[0; 7]).is_err());
    for record in [
        &[][..],
        &[1, 4],
        &[1, 4, 0, b'k'],       // the key is cut off
        &[1, 1, 0, 0xff],       // not UTF-8
        &[2, 1, 0, b'k', b'v'], // a deletion with a value
        &[3, 1, 0, b'k'],       // unknown kind
    ] {
        assert!(decode_event(Revision(1), record).is_err(), "{record:?}");
    }
}
