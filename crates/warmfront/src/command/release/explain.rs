use warmfront_deploy::iam::missing_statement;
use warmfront_deploy::session::DeployError;
use warmfront_deploy::state::{LockError, StateError};
use warmfront_deploy::target::{Fault, TargetError};

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
        DeployError::StateInFolder(_) => "name a folder elsewhere, or leave it out with exclude in warmfront.toml",
        DeployError::BucketChanged | DeployError::PlanIsOld => "make a new plan, and look at what it does",
        DeployError::NotItsBucket { .. } => {
            "check --bucket and --distribution; the origin must be BUCKET.s3.REGION.amazonaws.com"
        }
        DeployError::Lock(LockError::Held(_)) => {
            "wait for it; a run that died gives the lock up two minutes after it last renewed it"
        }
        DeployError::TimedOut(_) => "nothing is lost: go on with `warmfront resume`, for longer with --timeout",
        DeployError::NotVerified { .. } => {
            "look with `warmfront verify`; go on with `warmfront resume`, or back with `warmfront rollback`"
        }
        DeployError::NoSuchRelease(_) => "list them: warmfront releases",
        DeployError::NotAsSent { .. } => "nothing is lost: go on with `warmfront resume`",
        _ => match target_error(&error) {
            Some(error) => way_out(error),
            None => return complaint.into(),
        },
    };
    complaint.hint(hint).into()
}

/// What helps when a call fails.
fn way_out(error: &TargetError) -> &'static str {
    match error.fault {
        Fault::Unidentified => "log in, or name credentials as for the AWS CLI (--aws-profile); nothing is lost",
        Fault::NotFound if error.code == "NoSuchKey" => {
            "another tool has changed the bucket meanwhile: plan and deploy again"
        }
        Fault::NotFound => "check --bucket, --distribution and --state, and whose account and region are asked",
        Fault::Refused if error.action == "read" => "publish what is there now: warmfront deploy",
        Fault::Refused if error.code == "RequestTimeTooSkewed" => "set this machine's clock; nothing is lost",
        _ => "nothing is lost: run it again, or go on with `warmfront resume`",
    }
}

fn target_error(error: &DeployError) -> Option<&TargetError> {
    match error {
        DeployError::Target(error)
        | DeployError::State(StateError::Target(error))
        | DeployError::Lock(LockError::State(StateError::Target(error))) => Some(error),
        _ => None,
    }
}
