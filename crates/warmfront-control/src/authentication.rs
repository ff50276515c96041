use std::sync::Arc;

use sha2::{Digest, Sha256};
use warmfront_signing::{Incoming, Scope, verify};

use crate::call::Call;
use crate::error::ApiError;
use crate::{ControlOptions, Identity};

/// The signing name of CloudFront.
const SERVICE: &str = "cloudfront";

/// Who signed the request, body and all, within the last 15 minutes.
pub(crate) fn authenticate(call: &Call, options: &ControlOptions) -> Result<Arc<Identity>, ApiError> {
    let body_sha256 = hex::encode(Sha256::digest(&call.body));
    let incoming = Incoming {
        method: &call.method,
        path: &call.path,
        query: &call.query,
        headers: &call.headers,
        body_sha256: &body_sha256,
    };
    let scope = Scope {
        region: &options.region,
        service: SERVICE,
    };
    let secret_of = |key: &str| options.identities.find(key).map(|identity| identity.secret.clone());
    let verified = verify(&incoming, scope, secret_of, options.signing_clock.now())?;
    options
        .identities
        .find(&verified.access_key_id)
        .cloned()
        .ok_or(ApiError::InvalidClientTokenId)
}
