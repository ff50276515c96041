use super::*;

/// The check values of "123456789": CRC catalogue (CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME); FIPS 180 for "abc".
#[test]
fn checksums_are_the_published_ones() {
    assert_eq!(hex::encode(Algorithm::Crc32.of(b"123456789")), "cbf43926");
    assert_eq!(hex::encode(Algorithm::Crc32c.of(b"123456789")), "e3069283");
    assert_eq!(hex::encode(Algorithm::Crc64Nvme.of(b"123456789")), "ae8b14860a799888");
    assert_eq!(
        hex::encode(Algorithm::Sha1.of(b"abc")),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
    assert_eq!(
        hex::encode(Algorithm::Sha256.of(b"abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(hex::encode(md5(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
}

#[test]
fn a_full_object_crc_of_parts_is_that_of_all_bytes() {
    for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
        let (first, second, third) = (algorithm.of(b"1234"), algorithm.of(b"5"), algorithm.of(b"6789"));
        let parts = [(first.as_slice(), 4), (second.as_slice(), 1), (third.as_slice(), 4)];
        assert_eq!(
            of_parts(algorithm, false, &parts),
            Some(to_base64(&algorithm.of(b"123456789"))),
            "{algorithm:?}"
        );
    }
    assert_eq!(
        of_parts(Algorithm::Sha256, false, &[(&Algorithm::Sha256.of(b"1"), 1)]),
        None
    );
}

#[test]
fn a_composite_checksum_is_one_over_the_checksums() {
    let (first, second) = (Algorithm::Sha256.of(b"a"), Algorithm::Sha256.of(b"b"));
    let both = [first.as_slice(), second.as_slice()].concat();
    let expected = format!("{}-2", to_base64(&Algorithm::Sha256.of(&both)));
    assert_eq!(
        of_parts(Algorithm::Sha256, true, &[(&first, 1), (&second, 1)]),
        Some(expected)
    );
}

#[test]
fn a_multipart_etag_is_the_md5_of_md5s() {
    let both = [md5(b"a"), md5(b"b")].concat();
    assert_eq!(
        etag_of_parts(&[md5(b"a"), md5(b"b")]),
        format!("{}-2", hex::encode(md5(&both)))
    );
}
