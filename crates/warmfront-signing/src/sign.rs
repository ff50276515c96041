use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningInstructions, SigningSettings,
    UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use warmfront_model::Timestamp;

use crate::canonical::{PathForm, canonical_path};
use crate::{Credentials, Scope};

/// What the signature shall say of the body.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// Nothing (`UNSIGNED-PAYLOAD`). Only S3 takes it.
    Unsigned,
    /// That it is these bytes.
    Bytes(&'a [u8]),
    /// That this is its SHA-256, in lower-case hexadecimal.
    Sha256(&'a str),
}

/// Why a request cannot be signed. It is left with whatever signature headers were removed.
#[derive(Debug, Error)]
pub enum SignError {
    /// There is neither a `host` header nor an authority in the URI.
    #[error("the request names no host")]
    NoHost,
    /// A header that must be signed is not visible ASCII.
    #[error("the header {name} cannot be signed: its value is not visible ASCII")]
    HeaderNotText {
        /// The header.
        name: HeaderName,
    },
    /// `aws-sigv4` cannot canonicalise a query whose escapes are not UTF-8.
    #[error("the query cannot be signed: its escapes are not UTF-8")]
    QueryNotUtf8,
    /// A date before 1970 or beyond the year 9999.
    #[error("the time to sign at is out of range")]
    TimeOutOfRange,
    /// The signer refused for a reason of its own.
    #[error("signing failed")]
    Signer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Signs many requests with one set of credentials. Make it once per origin and keep it.
///
/// `aws-sigv4` derives the signing key anew for each request (four of its five HMACs) and takes no derived key, so it
/// is not cached. `docs/decisions/0003-sigv4-and-policies.md` has the cost.
#[derive(Debug)]
pub struct Signer {
    identity: Identity,
    region: String,
    service: String,
    settings: SigningSettings,
}

impl Signer {
    /// Copies what it needs from `credentials`; the copy is wiped when the signer is dropped.
    pub fn new(credentials: &Credentials, scope: Scope<'_>) -> Signer {
        let identity = AwsCredentials::new(
            &credentials.access_key_id,
            credentials.secret_access_key.expose(),
            credentials
                .session_token
                .as_ref()
                .map(|token| token.expose().to_owned()),
            None,
            "warmfront",
        );
        let mut settings = SigningSettings::default();
        if scope.is_s3() {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        Signer {
            identity: identity.into(),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
            settings,
        }
    }

    /// Replaces any signature in `parts` by ours: sets `authorization` and `x-amz-date`, for S3 also
    /// `x-amz-content-sha256`, with a session token `x-amz-security-token`. Signed are `host`, `content-type` and each
    /// `x-amz-*` header present; all others may change on their way.
    ///
    /// The path is signed in the spelling S3 computes from it (each byte escaped that must be, and no other), while the
    /// URI itself stays as it is.
    ///
    /// # Errors
    /// [`SignError`]; the request must then not be sent.
    pub fn sign(&self, parts: &mut Parts, payload: Payload<'_>, now: Timestamp) -> Result<(), SignError> {
        for name in [
            "authorization",
            "x-amz-date",
            "x-amz-content-sha256",
            "x-amz-security-token",
        ] {
            parts.headers.remove(name);
        }
        let signed = self.instructions(parts, payload, now)?;
        apply(signed, &mut parts.headers)
    }

    fn instructions(
        &self,
        parts: &Parts,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<SigningInstructions, SignError> {
        let request = SignableRequest::new(
            parts.method.as_str(),
            self.uri(parts)?,
            headers_to_sign(&parts.headers)?.into_iter(),
            match payload {
                Payload::Unsigned => SignableBody::UnsignedPayload,
                Payload::Bytes(bytes) => SignableBody::Bytes(bytes),
                Payload::Sha256(hex) => SignableBody::Precomputed(hex.to_owned()),
            },
        )
        .map_err(|error| SignError::Signer(error.into()))?;
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(&self.service)
            .time(system_time(now)?)
            .settings(self.settings.clone())
            .build()
            .map_err(|error| SignError::Signer(error.into()))?
            .into();
        let output =
            aws_sigv4::http_request::sign(request, &params).map_err(|error| SignError::Signer(error.into()))?;
        Ok(output.into_parts().0)
    }

    /// The URI as `aws-sigv4` shall see it.
    fn uri(&self, parts: &Parts) -> Result<String, SignError> {
        let mut uri = match (parts.uri.scheme_str(), parts.uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ if parts.headers.contains_key(HOST) => String::new(),
            // aws-sigv4 panics without a host.
            _ => return Err(SignError::NoHost),
        };
        match self.settings.percent_encoding_mode {
            PercentEncodingMode::Single => uri.push_str(&canonical_path(parts.uri.path(), PathForm::Once)),
            _ => uri.push_str(parts.uri.path()),
        }
        if let Some(query) = parts.uri.query() {
            percent_decode_str(query)
                .decode_utf8()
                .map_err(|_| SignError::QueryNotUtf8)?;
            uri.push('?');
            uri.push_str(query);
        }
        Ok(uri)
    }
}

/// As [`Signer::sign`], for a single request: sets Authorization, `x-amz-date` and, for S3, `x-amz-content-sha256`.
///
/// # Errors
/// [`SignError`]; the request must then not be sent.
pub fn sign(
    parts: &mut Parts,
    payload: Payload<'_>,
    credentials: &Credentials,
    scope: Scope<'_>,
    now: Timestamp,
) -> Result<(), SignError> {
    Signer::new(credentials, scope).sign(parts, payload, now)
}

fn headers_to_sign(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, SignError> {
    headers
        .iter()
        .filter(|(name, _)| *name == HOST || *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-"))
        .map(|(name, value)| match value.to_str() {
            Ok(text) => Ok((name.as_str(), text)),
            Err(_) => Err(SignError::HeaderNotText { name: name.clone() }),
        })
        .collect()
}

fn apply(signed: SigningInstructions, headers: &mut HeaderMap) -> Result<(), SignError> {
    for header in signed.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|error| SignError::Signer(error.into()))?;
        let name = HeaderName::from_static(header.name());
        value.set_sensitive(header.sensitive() || name == AUTHORIZATION);
        headers.insert(name, value);
    }
    Ok(())
}

fn system_time(moment: Timestamp) -> Result<SystemTime, SignError> {
    crate::moment::format_amz_date(moment).ok_or(SignError::TimeOutOfRange)?;
    let secs = u64::try_from(moment.unix_secs()).map_err(|_| SignError::TimeOutOfRange)?;
    UNIX_EPOCH
        .checked_add(Duration::from_secs(secs))
        .ok_or(SignError::TimeOutOfRange)
}
