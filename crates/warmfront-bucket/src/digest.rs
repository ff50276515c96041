//! The checksums that S3 verifies, stores and sends back.
//!
//! Source: S3 User Guide, "Checking object integrity in Amazon S3".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// An algorithm of the `x-amz-checksum-…` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Algorithm; 5] = [
        Algorithm::Crc32,
        Algorithm::Crc32c,
        Algorithm::Crc64Nvme,
        Algorithm::Sha1,
        Algorithm::Sha256,
    ];

    /// What S3 computes when the client names none.
    pub(crate) const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

    /// As in `x-amz-checksum-algorithm`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries its value.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Reads a name as clients send it, in any case.
    pub(crate) fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// How many bytes its value has.
    pub(crate) fn len(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }

    /// Whether a multipart object's checksum is one over its parts' checksums unless the client says otherwise, and
    /// whether it may be: only the CRCs of parts can be combined, and CRC64NVME is never composite.
    pub(crate) fn may_be_composite(self) -> bool {
        self != Algorithm::Crc64Nvme
    }

    pub(crate) fn may_be_full_object(self) -> bool {
        self.crc().is_some()
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }

    /// The checksum of `bytes`.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// Computes one checksum piece by piece.
pub(crate) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Hasher {
        match algorithm {
            Algorithm::Crc32 => Hasher::Crc32(Crc32::new()),
            Algorithm::Crc32c => Hasher::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Hasher::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Hasher::Sha1(Sha1::new()),
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Crc32(hasher) => hasher.update(bytes),
            Hasher::Crc32c(hasher) => hasher.update(bytes),
            Hasher::Crc64Nvme(hasher) => hasher.update(bytes),
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finalize(self) -> Vec<u8> {
        match self {
            Hasher::Crc32(hasher) => hasher.finalize().to_vec(),
            Hasher::Crc32c(hasher) => hasher.finalize().to_vec(),
            Hasher::Crc64Nvme(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha1(hasher) => hasher.finalize().to_vec(),
            Hasher::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

/// The MD5 of `bytes`.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::checksum(bytes)
}

/// The checksum of parts in order, each given by its own checksum and size, as S3 writes it.
///
/// Composite: the checksum of the parts' checksums, and `-N`. Full object: the CRC of all bytes, combined from the parts'.
/// `None` for a full-object checksum that is no CRC, or values of the wrong length.
pub(crate) fn of_parts(algorithm: Algorithm, composite: bool, parts: &[(&[u8], u64)]) -> Option<String> {
    if composite {
        let checksums: Vec<u8> = parts
            .iter()
            .flat_map(|(checksum, _)| checksum.iter().copied())
            .collect();
        return Some(format!("{}-{}", to_base64(&algorithm.of(&checksums)), parts.len()));
    }
    let crc = algorithm.crc()?;
    let mut whole: Option<u64> = None;
    for (checksum, size) in parts {
        let part = big_endian(checksum, algorithm.len())?;
        whole = Some(match whole {
            Some(before) => crc_fast::checksum_combine(crc, before, part, *size),
            None => part,
        });
    }
    let bytes = whole?.to_be_bytes();
    Some(to_base64(&bytes[bytes.len() - algorithm.len()..]))
}

/// The ETag of a multipart object: the MD5 of its parts' MD5s, and `-N`.
pub(crate) fn etag_of_parts(md5s: &[[u8; 16]]) -> String {
    format!("{}-{}", hex::encode(md5(md5s.as_flattened())), md5s.len())
}

fn big_endian(bytes: &[u8], len: usize) -> Option<u64> {
    (bytes.len() == len).then(|| bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// Standard base64, with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that `text` stands for; `None` if it is not standard base64.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
