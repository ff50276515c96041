use std::fmt;

use zeroize::Zeroizing;

/// A secret access key or session token. It is wiped from memory when dropped, and its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Takes the secret over.
    pub fn new(secret: impl Into<String>) -> SecretKey {
        SecretKey(Zeroizing::new(secret.into()))
    }

    /// The secret itself, for whoever must write it to a file that only its owner can read.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(hidden)")
    }
}

/// What a signer needs to know about itself.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The public half, such as `AKIAIOSFODNN7EXAMPLE`.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: SecretKey,
    /// Sent as `x-amz-security-token` with temporary credentials.
    pub session_token: Option<SecretKey>,
}

/// What a signature is good for, beside its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Such as `us-east-1`, which is also CloudFront's one region.
    pub region: &'a str,
    /// The signing name, such as `s3` or `cloudfront`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// S3 alone encodes the path once, never normalises it, and lets the request say what was signed of the body.
    pub(crate) fn is_s3(&self) -> bool {
        self.service == "s3"
    }
}
