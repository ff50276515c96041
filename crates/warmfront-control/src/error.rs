use thiserror::Error;
use warmfront_facts::PolicyKind;
use warmfront_invalidation::InvalidPath;
use warmfront_journal::{CommitError, JournalError};
use warmfront_signing::VerifyError;
use warmfront_wire::convert::ConfigError;
use warmfront_wire::{ErrorCode, XmlError};

/// Everything that an operation can answer instead of its result. The text is the message of the error document.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    #[error("{0}")]
    IncompleteSignature(String),
    #[error("The security token included in the request is invalid.")]
    InvalidClientTokenId,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details. ({0})"
    )]
    SignatureDoesNotMatch(String),
    #[error("Request has expired: {0}.")]
    RequestExpired(String),
    #[error("User: {identity} is not authorized to perform: {action} on resource: {resource} because {reason}")]
    AccessDenied {
        identity: String,
        action: String,
        resource: String,
        reason: String,
    },

    #[error("The body is larger than {bytes_max} bytes.")]
    BodyTooLarge { bytes_max: usize },
    #[error("The body did not arrive whole: {0}.")]
    BodyCutShort(String),
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error("The JSON in the body cannot be read: {0}.")]
    Json(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    InvalidArgument(String),
    #[error("Your request contains one or more invalid invalidation paths. {0}")]
    InvalidationPath(#[from] InvalidPath),
    #[error("The operation {0} is not implemented.")]
    NotImplemented(&'static str),
    #[error("There is no operation {method} {path}.")]
    UnknownOperation { method: String, path: String },

    #[error("The specified distribution does not exist.")]
    NoSuchDistribution,
    #[error("The specified invalidation does not exist.")]
    NoSuchInvalidation,
    #[error("The specified origin access control does not exist.")]
    NoSuchOriginAccessControl,
    #[error("The {} does not exist.", policy_words(*.0))]
    NoSuchPolicy(PolicyKind),
    #[error("The specified resource does not exist: {0}")]
    NoSuchResource(String),

    #[error("The If-Match version is missing or not valid for the resource.")]
    InvalidIfMatchVersion,
    #[error("The request failed because it didn't meet the preconditions in one or more request-header fields.")]
    PreconditionFailed,
    #[error("{0}")]
    IllegalUpdate(String),
    #[error(
        "The caller reference that you are using to create a distribution is associated with another distribution. \
         Already exists: {0}"
    )]
    DistributionAlreadyExists(String),
    #[error("One or more of the CNAMEs you provided are already associated with a different resource: {0}")]
    CnameAlreadyExists(String),
    #[error("The distribution you are trying to delete has not been disabled.")]
    DistributionNotDisabled,
    #[error("{0}")]
    InvalidOrigin(String),
    #[error("The specified origin access control does not exist or is not valid: {0}")]
    InvalidOriginAccessControl(String),
    #[error("An origin access control with this name already exists: {0}")]
    OriginAccessControlAlreadyExists(String),
    #[error("The origin access control is in use by one or more distributions: {0}")]
    OriginAccessControlInUse(String),
    #[error("A {} with this name already exists: {id}", policy_words(*.kind))]
    PolicyAlreadyExists { kind: PolicyKind, id: String },
    #[error(
        "Cannot delete the {} because it is attached to one or more cache behaviors in a distribution: {user}",
        policy_words(*.kind)
    )]
    PolicyInUse { kind: PolicyKind, user: String },
    #[error("You cannot delete a managed policy.")]
    IllegalDelete,
    #[error("{0}")]
    InvalidTagging(String),

    #[error(
        "Processing your request will cause you to exceed the maximum number of in-progress {kind}. ({quota} {max})"
    )]
    TooManyInvalidationsInProgress {
        kind: &'static str,
        quota: &'static str,
        max: usize,
    },
    #[error("Processing your request will cause you to exceed the maximum number of distributions allowed. ({0})")]
    TooManyDistributions(usize),
    #[error(
        "Processing your request will cause you to exceed the maximum number of origin access controls allowed. ({0})"
    )]
    TooManyOriginAccessControls(usize),
    #[error("You have reached the maximum number of this kind of policy, {}, for this AWS account. ({max})", policy_words(*.kind))]
    TooManyPolicies { kind: PolicyKind, max: usize },
    #[error("The {} {id} is in use by as many distributions as it may be ({max}).", policy_words(*.kind))]
    TooManyDistributionsAssociatedToPolicy { kind: PolicyKind, id: String, max: usize },
    #[error("The origin access control {id} is in use by as many distributions as it may be ({max}).")]
    TooManyDistributionsAssociatedToOriginAccessControl { id: String, max: usize },
    #[error("{0}")]
    BatchTooLarge(String),
    #[error("{0}")]
    EntityTooLarge(String),

    #[error("The clock is not turned by hand: start with --clock manual.")]
    ClockNotManual,
    #[error("Another dry run is under way. Please try again in a moment.")]
    DryRunUnderWay,
    #[error("CloudFront encountered an internal error. Please try again.")]
    Unavailable(#[source] Unavailable),
}

/// Why nothing can be answered for now. For the log; a client gets a fixed text.
#[derive(Debug, Error)]
pub(crate) enum Unavailable {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error("the view did not reach the journal's head in time")]
    ViewBehind,
    #[error("the journal moved on during each of {0} attempts")]
    Contended(usize),
    #[error("a record cannot be written: {0}")]
    Record(#[from] warmfront_facts::RecordError),
}

impl ApiError {
    pub(crate) fn argument(message: impl Into<String>) -> ApiError {
        ApiError::InvalidArgument(message.into())
    }

    /// CloudFront's code, which has a status.
    ///
    /// Source: CloudFront API Reference, the Errors of each operation, and "Common Errors".
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            ApiError::MissingAuthenticationToken => ErrorCode::MissingAuthenticationToken,
            ApiError::IncompleteSignature(_) => ErrorCode::IncompleteSignature,
            ApiError::InvalidClientTokenId => ErrorCode::InvalidClientTokenId,
            ApiError::SignatureDoesNotMatch(_) => ErrorCode::SignatureDoesNotMatch,
            ApiError::RequestExpired(_) => ErrorCode::RequestExpired,
            ApiError::AccessDenied { .. } => ErrorCode::AccessDenied,
            ApiError::BodyTooLarge { .. } | ApiError::EntityTooLarge(_) => ErrorCode::EntityTooLarge,
            ApiError::Xml(error) => error.code(),
            ApiError::Config(error) => error.code,
            ApiError::BodyCutShort(_)
            | ApiError::Json(_)
            | ApiError::InvalidArgument(_)
            | ApiError::InvalidationPath(_) => ErrorCode::InvalidArgument,
            ApiError::NotImplemented(_) => ErrorCode::NotImplemented,
            ApiError::UnknownOperation { .. } => ErrorCode::UnknownOperationException,
            ApiError::NoSuchDistribution => ErrorCode::NoSuchDistribution,
            ApiError::NoSuchInvalidation => ErrorCode::NoSuchInvalidation,
            ApiError::NoSuchOriginAccessControl => ErrorCode::NoSuchOriginAccessControl,
            ApiError::NoSuchPolicy(kind) => match kind {
                PolicyKind::Cache => ErrorCode::NoSuchCachePolicy,
                PolicyKind::OriginRequest => ErrorCode::NoSuchOriginRequestPolicy,
                PolicyKind::ResponseHeaders => ErrorCode::NoSuchResponseHeadersPolicy,
            },
            ApiError::PolicyAlreadyExists { kind, .. } => match kind {
                PolicyKind::Cache => ErrorCode::CachePolicyAlreadyExists,
                PolicyKind::OriginRequest => ErrorCode::OriginRequestPolicyAlreadyExists,
                PolicyKind::ResponseHeaders => ErrorCode::ResponseHeadersPolicyAlreadyExists,
            },
            ApiError::PolicyInUse { kind, .. } => match kind {
                PolicyKind::Cache => ErrorCode::CachePolicyInUse,
                PolicyKind::OriginRequest => ErrorCode::OriginRequestPolicyInUse,
                PolicyKind::ResponseHeaders => ErrorCode::ResponseHeadersPolicyInUse,
            },
            ApiError::TooManyPolicies { kind, .. } => match kind {
                PolicyKind::Cache => ErrorCode::TooManyCachePolicies,
                PolicyKind::OriginRequest => ErrorCode::TooManyOriginRequestPolicies,
                PolicyKind::ResponseHeaders => ErrorCode::TooManyResponseHeadersPolicies,
            },
            ApiError::TooManyDistributionsAssociatedToPolicy { kind, .. } => match kind {
                PolicyKind::Cache => ErrorCode::TooManyDistributionsAssociatedToCachePolicy,
                PolicyKind::OriginRequest => ErrorCode::TooManyDistributionsAssociatedToOriginRequestPolicy,
                PolicyKind::ResponseHeaders => ErrorCode::TooManyDistributionsAssociatedToResponseHeadersPolicy,
            },
            ApiError::IllegalDelete => ErrorCode::IllegalDelete,
            ApiError::NoSuchResource(_) => ErrorCode::NoSuchResource,
            ApiError::InvalidIfMatchVersion => ErrorCode::InvalidIfMatchVersion,
            ApiError::PreconditionFailed => ErrorCode::PreconditionFailed,
            ApiError::IllegalUpdate(_) => ErrorCode::IllegalUpdate,
            ApiError::DistributionAlreadyExists(_) => ErrorCode::DistributionAlreadyExists,
            ApiError::CnameAlreadyExists(_) => ErrorCode::CNAMEAlreadyExists,
            ApiError::DistributionNotDisabled => ErrorCode::DistributionNotDisabled,
            ApiError::InvalidOrigin(_) => ErrorCode::InvalidOrigin,
            ApiError::InvalidOriginAccessControl(_) => ErrorCode::InvalidOriginAccessControl,
            ApiError::OriginAccessControlAlreadyExists(_) => ErrorCode::OriginAccessControlAlreadyExists,
            ApiError::OriginAccessControlInUse(_) => ErrorCode::OriginAccessControlInUse,
            ApiError::InvalidTagging(_) => ErrorCode::InvalidTagging,
            ApiError::TooManyInvalidationsInProgress { .. } => ErrorCode::TooManyInvalidationsInProgress,
            ApiError::TooManyDistributions(_) => ErrorCode::TooManyDistributions,
            ApiError::TooManyOriginAccessControls(_) => ErrorCode::TooManyOriginAccessControls,
            ApiError::TooManyDistributionsAssociatedToOriginAccessControl { .. } => {
                ErrorCode::TooManyDistributionsAssociatedToOriginAccessControl
            }
            ApiError::BatchTooLarge(_) => ErrorCode::BatchTooLarge,
            // CloudFront has neither clock nor dry runs; Warmfront's own API says so in its own words.
            ApiError::ClockNotManual | ApiError::DryRunUnderWay => ErrorCode::UnsupportedOperation,
            ApiError::Unavailable(_) => ErrorCode::ServiceUnavailable,
        }
    }
}

impl From<VerifyError> for ApiError {
    /// Source: IAM and STS answer the same faults so; CloudFront API Reference, "Common Errors", RequestExpired.
    fn from(error: VerifyError) -> ApiError {
        match error {
            VerifyError::MissingAuthenticationToken => ApiError::MissingAuthenticationToken,
            VerifyError::IncompleteSignature { .. } => ApiError::IncompleteSignature(error.to_string()),
            VerifyError::UnknownKey { .. } => ApiError::InvalidClientTokenId,
            VerifyError::Skewed { .. } | VerifyError::Expired { .. } => ApiError::RequestExpired(error.to_string()),
            VerifyError::WrongScope { .. }
            | VerifyError::HeaderNotSigned { .. }
            | VerifyError::MissingContentSha256
            | VerifyError::InvalidContentSha256
            | VerifyError::SignatureDoesNotMatch
            | VerifyError::PayloadMismatch => ApiError::SignatureDoesNotMatch(error.to_string()),
            VerifyError::TooLarge { .. } => ApiError::EntityTooLarge(error.to_string()),
        }
    }
}

impl From<JournalError> for ApiError {
    fn from(error: JournalError) -> ApiError {
        ApiError::Unavailable(error.into())
    }
}

impl From<warmfront_facts::RecordError> for ApiError {
    fn from(error: warmfront_facts::RecordError) -> ApiError {
        ApiError::Unavailable(error.into())
    }
}

/// A kind of policy as a message names it.
fn policy_words(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Cache => "cache policy",
        PolicyKind::OriginRequest => "origin request policy",
        PolicyKind::ResponseHeaders => "response headers policy",
    }
}
