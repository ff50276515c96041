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
    let mut on_site = vec!["s3:GetObject"];
    let mut on_distribution = vec!["cloudfront:GetDistribution", "cloudfront:ListInvalidations"];
    if !plan.uploads.is_empty() {
        on_site.push("s3:PutObject");
    }
    if plan.uploads.iter().any(|upload| plan.goes_in_parts(upload)) {
        on_site.push("s3:AbortMultipartUpload");
    }
    // Once there is an earlier release, its files may be collected.
    if !plan.removals.is_empty() || plan.base.is_some() {
        on_site.push("s3:DeleteObject");
    }
    if !plan.paths.is_empty() {
        on_distribution.extend(["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]);
    }
    let mut statements = vec![
        statement(&["s3:ListBucket"], &site),
        statement(&on_site, &format!("{site}/{}*", plan.prefix)),
        statement(&on_distribution, &distribution),
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
///
/// AWS's words name the action and the resource more exactly than the call: a copy may lack the right to read, an encrypted object
/// the right to a key. Source: IAM User Guide, "Troubleshoot access denied error messages".
pub fn missing_statement(error: &TargetError) -> Option<Value> {
    if error.fault != Fault::Denied || !error.action.contains(':') {
        return None;
    }
    let (action, resource) = denied(&error.message).unwrap_or((error.action, &error.resource));
    Some(statement(&[action], resource))
}

/// `… is not authorized to perform: ACTION on resource: ARN …`
fn denied(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let (action, rest) = rest.split_once(" on resource: ")?;
    let resource = rest.split_whitespace().next()?.trim_matches('"').trim_end_matches('.');
    (action.contains(':') && resource.starts_with("arn:")).then_some((action, resource))
}

fn statement(actions: &[&str], resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_denied_is_what_is_asked_for() {
        let error = |fault, message: &str| TargetError {
            fault,
            action: "s3:PutObject",
            resource: "arn:aws:s3:::site/index.html".into(),
            code: "AccessDenied".into(),
            message: message.into(),
        };
        let allow = |action, resource| Some(json!({"Effect": "Allow", "Action": [action], "Resource": resource}));
        for (message, action, resource) in [
            ("Access Denied", "s3:PutObject", "arn:aws:s3:::site/index.html"),
            // The forms that the IAM User Guide shows.
            (
                "User: arn:aws:iam::123456789012:user/JohnDoe is not authorized to perform: kms:GenerateDataKey on resource: \
                 arn:aws:kms:us-east-1:123456789012:key/k1 because no identity-based policy allows the kms:GenerateDataKey action",
                "kms:GenerateDataKey",
                "arn:aws:kms:us-east-1:123456789012:key/k1",
            ),
            (
                "User: arn:aws:sts::123456789012:assumed-role/ci/1 is not authorized to perform: s3:GetObject on resource: \
                 \"arn:aws:s3:::site/old.html\" because no identity-based policy allows the s3:GetObject action",
                "s3:GetObject",
                "arn:aws:s3:::site/old.html",
            ),
        ] {
            assert_eq!(
                missing_statement(&error(Fault::Denied, message)),
                allow(action, resource)
            );
        }
        assert_eq!(missing_statement(&error(Fault::Unavailable, "Access Denied")), None);
    }
}
