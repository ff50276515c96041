use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};
use warmfront_model::Timestamp;

use crate::VerifyError;
use crate::canonical::decode_query_part;
use crate::moment::{format_amz_date, parse_amz_date, parse_date_header};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Seven days. Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", `X-Amz-Expires`.
const EXPIRES_SECS_MAX: u64 = 604_800;

/// Which part of a signature is missing, written twice or unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each says it")]
pub enum IncompleteReason {
    #[error("the algorithm must be AWS4-HMAC-SHA256")]
    Algorithm,
    #[error("Credential must be given once, as ACCESS_KEY_ID/YYYYMMDD/REGION/SERVICE/aws4_request")]
    Credential,
    #[error("SignedHeaders must be given once, in lower case, sorted, separated by semicolons")]
    SignedHeaders,
    #[error("Signature must be given once, as 64 lower-case hexadecimal digits")]
    Signature,
    #[error("X-Amz-Date (or Date) must be given once; X-Amz-Date as YYYYMMDDTHHMMSSZ")]
    Date,
    #[error("X-Amz-Expires must be given once, between 1 and 604800 seconds")]
    Expires,
    #[error("only one signature is allowed: one Authorization header or the X-Amz-* query parameters")]
    MoreThanOne,
}

/// What a request says of its own signature; nothing of it is believed yet.
pub(crate) struct Claim {
    pub access_key_id: String,
    pub day: String,
    pub region: String,
    pub service: String,
    pub signed_headers: String,
    pub signature: [u8; 32],
    /// As in the string to sign.
    pub amz_date: String,
    pub signed_at: Timestamp,
    /// Given in query parameters, and so valid for this long.
    pub presigned_secs: Option<u64>,
}

impl Claim {
    /// Finds the signature in the Authorization header or, failing that, in the query.
    pub(crate) fn read(query: &str, headers: &HeaderMap) -> Result<Claim, VerifyError> {
        let mut authorization = headers.get_all(AUTHORIZATION).iter();
        let presigned = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"]
            .into_iter()
            .any(|name| query_values(query, name).next().is_some());
        match (authorization.next(), authorization.next(), presigned) {
            (None, _, false) => Err(VerifyError::MissingAuthenticationToken),
            (None, _, true) => Ok(Claim::from_query(query)?),
            (Some(value), None, false) => Ok(Claim::from_authorization(value.as_bytes(), headers)?),
            (Some(_), _, _) => Err(IncompleteReason::MoreThanOne.into()),
        }
    }

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; blanks after the commas are optional.
    fn from_authorization(value: &[u8], headers: &HeaderMap) -> Result<Claim, IncompleteReason> {
        let text = str::from_utf8(value).map_err(|_| IncompleteReason::Algorithm)?;
        let (algorithm, rest) = text.trim().split_once(' ').ok_or(IncompleteReason::Algorithm)?;
        if algorithm != ALGORITHM {
            return Err(IncompleteReason::Algorithm);
        }
        let member = |name: &str| {
            let mut values = rest
                .split(',')
                .filter_map(|part| part.trim().split_once('='))
                .filter(|part| part.0 == name);
            values
                .next()
                .filter(|_| values.next().is_none())
                .map(|(_, value)| value)
        };
        let (amz_date, signed_at) = date_from_headers(headers).ok_or(IncompleteReason::Date)?;
        Claim::assemble(
            member("Credential").ok_or(IncompleteReason::Credential)?,
            member("SignedHeaders").ok_or(IncompleteReason::SignedHeaders)?,
            member("Signature").ok_or(IncompleteReason::Signature)?,
            (amz_date, signed_at, None),
        )
    }

    fn from_query(query: &str) -> Result<Claim, IncompleteReason> {
        let member = |name: &str| {
            let mut values = query_values(query, name);
            values
                .next()
                .filter(|_| values.next().is_none())
                .and_then(|value| String::from_utf8(value).ok())
        };
        if member("X-Amz-Algorithm").as_deref() != Some(ALGORITHM) {
            return Err(IncompleteReason::Algorithm);
        }
        let amz_date = member("X-Amz-Date").ok_or(IncompleteReason::Date)?;
        let signed_at = parse_amz_date(&amz_date).ok_or(IncompleteReason::Date)?;
        let expires_secs = member("X-Amz-Expires")
            .and_then(|digits| digits.parse().ok())
            .filter(|secs| (1..=EXPIRES_SECS_MAX).contains(secs))
            .ok_or(IncompleteReason::Expires)?;
        Claim::assemble(
            &member("X-Amz-Credential").ok_or(IncompleteReason::Credential)?,
            &member("X-Amz-SignedHeaders").ok_or(IncompleteReason::SignedHeaders)?,
            &member("X-Amz-Signature").ok_or(IncompleteReason::Signature)?,
            (amz_date, signed_at, Some(expires_secs)),
        )
    }

    fn assemble(
        credential: &str,
        signed_headers: &str,
        signature_hex: &str,
        (amz_date, signed_at, presigned_secs): (String, Timestamp, Option<u64>),
    ) -> Result<Claim, IncompleteReason> {
        let parts: Vec<&str> = credential.splitn(6, '/').collect();
        let &[access_key_id, day, region, service, "aws4_request"] = parts.as_slice() else {
            return Err(IncompleteReason::Credential);
        };
        if access_key_id.is_empty() {
            return Err(IncompleteReason::Credential);
        }
        let mut signature = [0; 32];
        let lower_case = !signature_hex.bytes().any(|byte| byte.is_ascii_uppercase());
        if !lower_case || hex::decode_to_slice(signature_hex, &mut signature).is_err() {
            return Err(IncompleteReason::Signature);
        }
        if !is_sorted_header_list(signed_headers) {
            return Err(IncompleteReason::SignedHeaders);
        }
        Ok(Claim {
            access_key_id: access_key_id.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: signed_headers.to_owned(),
            signature,
            amz_date,
            signed_at,
            presigned_secs,
        })
    }
}

/// Each value of the query parameter `name`, decoded.
fn query_values(query: &str, name: &str) -> impl Iterator<Item = Vec<u8>> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(move |(candidate, _)| decode_query_part(candidate) == name.as_bytes())
        .map(|(_, value)| decode_query_part(value))
}

fn date_from_headers(headers: &HeaderMap) -> Option<(String, Timestamp)> {
    let once = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    if headers.contains_key("x-amz-date") {
        let amz_date = once("x-amz-date")?.trim();
        return Some((amz_date.to_owned(), parse_amz_date(amz_date)?));
    }
    let signed_at = parse_date_header(once(DATE.as_str())?.trim())?;
    Some((format_amz_date(signed_at)?, signed_at))
}

fn is_sorted_header_list(text: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    text.split(';').all(is_name)
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text
            .split(';')
            .zip(text.split(';').skip(1))
            .all(|(earlier, later)| earlier < later)
}
