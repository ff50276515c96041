use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Scope, SecretKey};

/// The key that signs for one secret, day, region and service.
pub(crate) struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// `day` is eight digits, `20150830`.
    ///
    /// Source: IAM User Guide, "Create a signed AWS API request", "Calculate the signature".
    pub(crate) fn derive(secret: &SecretKey, day: &str, scope: Scope<'_>) -> SigningKey {
        let start = Zeroizing::new(format!("AWS4{}", secret.expose()));
        let mut key = hmac_sha256(start.as_bytes(), day.as_bytes());
        for part in [scope.region, scope.service, "aws4_request"] {
            key = hmac_sha256(key.as_slice(), part.as_bytes());
        }
        SigningKey(key)
    }

    /// The signature itself, not yet in hexadecimal.
    pub(crate) fn sign(&self, string_to_sign: &[u8]) -> [u8; 32] {
        *hmac_sha256(self.0.as_slice(), string_to_sign)
    }
}

/// `AWS4-HMAC-SHA256`, the moment, the scope and the hash of the canonical request, one per line.
///
/// Source: IAM User Guide, "Create a signed AWS API request", "Create a string to sign".
pub(crate) fn string_to_sign(amz_date: &str, day: &str, scope: Scope<'_>, canonical_request: &[u8]) -> String {
    let hash = sha256_hex(canonical_request);
    format!(
        "AWS4-HMAC-SHA256\n{amz_date}\n{day}/{}/{}/aws4_request\n{hash}",
        scope.region, scope.service
    )
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    // HMAC hashes or pads its key, so no length is refused.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
