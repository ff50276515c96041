//! AWS Signature Version 4: [`verify`] what comes in, [`sign`] what goes to an origin.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests" (the general rules); Amazon S3 API Reference,
//! "Authenticating Requests (AWS Signature Version 4)" (S3's exceptions: the path is encoded once and never normalised,
//! and `x-amz-content-sha256` says what was signed of the body).
//! Why the verifier is ours and the signer is `aws-sigv4`: `docs/decisions/0003-sigv4-and-policies.md`.
//!
//! Beside it stand the tokens of [`TokenKey`], which prove that an invalidation was created.
//!
//! Nothing here reads a clock or a socket. Not supported: SigV4A, Signature Version 2, POST form policies, and the
//! chunk signatures of `STREAMING-AWS4-HMAC-SHA256-*` bodies (reported to the caller, see [`PayloadClaim`]).

mod canonical;
mod claim;
mod credentials;
mod error;
mod key;
mod moment;
mod sign;
mod token;
mod verify;

pub use claim::IncompleteReason;
pub use credentials::{Credentials, Scope, SecretKey};
pub use error::VerifyError;
pub use sign::{Payload, SignError, Signer, sign};
pub use token::{InvalidToken, TokenKey};
pub use verify::{Incoming, MAX_SKEW_SECS, PayloadClaim, Verified, verify};
