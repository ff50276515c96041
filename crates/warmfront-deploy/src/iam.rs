//! The permissions that a plan needs, and the statement that was missing.

use serde_json::{Value, json};

use crate::plan::Plan;
use crate::target::{Fault, TargetError};

/// The least that carrying out `plan` needs, with the state in `state` (`s3://BUCKET/PREFIX`, or a folder).
pub fn policy(plan: &Plan, state: &str) -> Value {
    let site = format!("arn:aws:s3:::{}", plan.bucket);
    let distribution = match plan.distribution_arn.as_str() {
        "" => format!("arn:aws:cloudfront::*:distribution/{}", plan.distribution),
        arn => arn.to_owned(),
    };
    let mut statements = vec![
        statement(&["s3:ListBucket"], &site),
        statement(
            &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            &format!("{site}/{}*", plan.prefix),
        ),
        statement(
            &[
                "cloudfront:GetDistribution",
                "cloudfront:CreateInvalidation",
                "cloudfront:GetInvalidation",
                "cloudfront:ListInvalidations",
            ],
            &distribution,
        ),
        statement(&["cloudfront:GetCachePolicy"], "*"),
    ];
    if let Some((bucket, prefix)) = state
        .strip_prefix("s3://")
        .map(|name| name.split_once('/').unwrap_or((name, "")))
    {
        let arn = format!("arn:aws:s3:::{bucket}");
        statements.push(statement(&["s3:ListBucket"], &arn));
        statements.push(statement(
            &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            &format!("{arn}/{prefix}*"),
        ));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The statement that would have allowed what was denied; `None` if nothing was.
pub fn missing_statement(error: &TargetError) -> Option<Value> {
    (error.fault == Fault::Denied && error.action.contains(':')).then(|| statement(&[error.action], &error.resource))
}

fn statement(actions: &[&str], resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_denied_is_what_is_asked_for() {
        let error = |fault| TargetError {
            fault,
            action: "s3:PutObject",
            resource: "arn:aws:s3:::site/index.html".into(),
            code: "AccessDenied".into(),
            message: "Access Denied".into(),
        };
        let expected =
            json!({"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::site/index.html"});
        assert_eq!(missing_statement(&error(Fault::Denied)), Some(expected));
        assert_eq!(missing_statement(&error(Fault::Unavailable)), None);
    }
}
