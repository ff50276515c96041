use thiserror::Error;

/// Why a text is no policy. The message says where and what would do, for S3's `MalformedPolicy`.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// Larger than AWS allows.
    #[error("the policy is larger than {size_max}")]
    TooLarge {
        /// Bytes for a bucket policy; characters without white space for an identity policy.
        size_max: usize,
    },
    /// Not JSON, or an object names a member twice.
    #[error("the policy is not valid JSON")]
    NotJson(#[source] serde_json::Error),
    /// A member that no policy has.
    #[error("{place} has an unknown member {name:?}; it may have {allowed}")]
    UnknownMember {
        /// Where.
        place: &'static str,
        /// The member.
        name: String,
        /// What is allowed there.
        allowed: &'static str,
    },
    /// A member that must be there is not.
    #[error("{place} must have {member}")]
    MissingMember {
        /// Where.
        place: &'static str,
        /// Which.
        member: &'static str,
    },
    /// `Action` and `NotAction` together, or likewise.
    #[error("a statement must not have both {0} and Not{0}")]
    BothMembers(&'static str),
    /// A value of another type than the member wants.
    #[error("{member} must be {wanted}")]
    WrongType {
        /// The member.
        member: String,
        /// The type.
        wanted: &'static str,
    },
    /// Neither of the two versions.
    #[error("Version must be 2012-10-17 or 2008-10-17, not {0:?}")]
    UnknownVersion(String),
    /// Neither of the two effects.
    #[error("Effect must be Allow or Deny, not {0:?}")]
    UnknownEffect(String),
    /// Two statements with one Sid. An empty one does not count.
    #[error("Sid {0:?} is used twice")]
    DuplicateSid(String),
    /// A principal in an identity policy, which speaks of its owner alone.
    #[error("an identity policy must not have Principal or NotPrincipal")]
    PrincipalNotAllowed,
    /// A principal that is no account, ARN, service or `*`.
    #[error(
        "the principal {0:?} is invalid; use \"*\", or AWS with an account id or a full ARN without wildcards, \
         or Service with a service's name"
    )]
    InvalidPrincipal(String),
    /// An action that is neither `*` nor `service:Name`.
    #[error("the action {0:?} is invalid; use \"*\" or service:Action, such as s3:GetObject")]
    InvalidAction(String),
    /// A resource that is neither `*` nor an ARN.
    #[error("the resource {0:?} is invalid; use \"*\" or an ARN, such as arn:aws:s3:::bucket/*")]
    InvalidResource(String),
    /// `${` without `}`, or a default that is not in single quotes.
    #[error("the policy variable in {0:?} is invalid; use ${{key}} or ${{key, 'default'}}")]
    InvalidVariable(String),
    /// A condition operator that AWS does not have, or not in this form.
    #[error("the condition operator {0:?} is unknown")]
    UnknownOperator(String),
    /// A value that the operator cannot compare with.
    #[error("{value:?} is no value for the condition operator {operator}")]
    InvalidOperand {
        /// The operator as written.
        operator: String,
        /// The value.
        value: String,
    },
}
