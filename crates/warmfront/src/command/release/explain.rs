use warmfront_deploy::iam::missing_statement;
use warmfront_deploy::session::DeployError;
use warmfront_deploy::state::{LockError, StateError};
use warmfront_deploy::target::TargetError;

use crate::outcome::Complaint;

/// An error with the way out of it.
pub fn explain(error: DeployError) -> anyhow::Error {
    let complaint = Complaint::failed(error.to_string());
    if let Some(statement) = target_error(&error).and_then(missing_statement) {
        return complaint
            .hint(format!(
                "this statement in the identity's policy allows it: {statement}"
            ))
            .into();
    }
    let hint = match &error {
        DeployError::TooManyDeletions(_) => "if that is meant, add --allow-deletions",
        DeployError::StateIsPublic(_) => {
            "name another bucket or a folder, or a prefix outside the distribution's origin path"
        }
        DeployError::BucketChanged | DeployError::PlanIsOld => "make a new plan, and look at what it does",
        DeployError::NotItsBucket { .. } => {
            "check --bucket and --distribution; the origin must be BUCKET.s3.REGION.amazonaws.com"
        }
        DeployError::Lock(LockError::Held(_)) => {
            "wait for it; a run that died gives the lock up two minutes after it last renewed it"
        }
        DeployError::TimedOut(_) => "nothing is lost: go on with `warmfront resume`, for longer with --timeout",
        DeployError::NotVerified { .. } => "look with `warmfront verify`; go back with `warmfront rollback`",
        DeployError::NoSuchRelease(_) => "list them: warmfront releases",
        DeployError::Target(_) | DeployError::NotAsSent { .. } => "nothing is lost: go on with `warmfront resume`",
        _ => return complaint.into(),
    };
    complaint.hint(hint).into()
}

fn target_error(error: &DeployError) -> Option<&TargetError> {
    match error {
        DeployError::Target(error)
        | DeployError::State(StateError::Target(error))
        | DeployError::Lock(LockError::State(StateError::Target(error))) => Some(error),
        _ => None,
    }
}
