use std::io::Read;

use bytes::Bytes;

use crate::RecordError;

/// The version of the records that this program writes, and the newest it reads.
pub(crate) const VERSION: u8 = 1;

/// JSON beyond this size is compressed.
const PLAIN_BYTES_MAX: usize = 4 * 1024;

/// The largest record after decompression. 3,000 paths of 4,000 characters come to 12 MB.
const RECORD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// zstd's default: good on repetitive paths, and fast enough to be done while a caller waits.
const COMPRESSION_LEVEL: i32 = 3;

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

/// A journal value: a version byte, a byte that says whether the rest is compressed, and the JSON.
pub(crate) fn seal(json: Vec<u8>) -> Result<Bytes, RecordError> {
    if json.len() > RECORD_BYTES_MAX {
        return Err(RecordError::TooLarge(RECORD_BYTES_MAX));
    }
    let (encoding, body) = if json.len() <= PLAIN_BYTES_MAX {
        (PLAIN, json)
    } else {
        (
            ZSTD,
            zstd::bulk::compress(&json, COMPRESSION_LEVEL).map_err(RecordError::Compression)?,
        )
    };
    let mut value = Vec::with_capacity(body.len() + 2);
    value.extend_from_slice(&[VERSION, encoding]);
    value.extend_from_slice(&body);
    Ok(value.into())
}

/// The JSON in a journal value. At most [`RECORD_BYTES_MAX`] bytes are decompressed.
pub(crate) fn open(value: &[u8]) -> Result<Vec<u8>, RecordError> {
    let [version, encoding, body @ ..] = value else {
        return Err(RecordError::Truncated);
    };
    if *version != VERSION {
        return Err(RecordError::Version {
            found: *version,
            supported: VERSION,
        });
    }
    let mut json = Vec::new();
    match *encoding {
        PLAIN => json.extend_from_slice(body),
        ZSTD => {
            let decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(RecordError::Compression)?;
            let limit = RECORD_BYTES_MAX as u64 + 1;
            decoder
                .take(limit)
                .read_to_end(&mut json)
                .map_err(RecordError::Compression)?;
        }
        encoding => return Err(RecordError::Encoding(encoding)),
    }
    if json.len() > RECORD_BYTES_MAX {
        Err(RecordError::TooLarge(RECORD_BYTES_MAX))
    } else {
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_values_stay_readable_and_large_ones_shrink() {
        assert_eq!(&seal(b"{}".to_vec()).unwrap()[..], b"\x01\x00{}");
        let large = vec![b'/'; 100_000];
        let sealed = seal(large.clone()).unwrap();
        assert!(sealed.len() < 1_000, "{}", sealed.len());
        assert_eq!(open(&sealed).unwrap(), large);
    }

    #[test]
    fn a_value_that_expands_without_end_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; RECORD_BYTES_MAX + 1], 3).unwrap();
        let value = [&[VERSION, ZSTD][..], &bomb].concat();
        assert!(matches!(open(&value), Err(RecordError::TooLarge(_))));
    }

    #[test]
    fn values_of_a_newer_program_are_told_apart() {
        assert!(matches!(
            open(&[2, 0, b'{']),
            Err(RecordError::Version { found: 2, supported: 1 })
        ));
        assert!(matches!(open(&[1, 9, b'{']), Err(RecordError::Encoding(9))));
        assert!(matches!(open(&[1]), Err(RecordError::Truncated)));
    }

    proptest! {
        #[test]
        fn any_bytes_give_json_or_an_error(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = open(&value);
            let _ = open(&[&[VERSION, ZSTD][..], &value].concat());
        }
    }
}
