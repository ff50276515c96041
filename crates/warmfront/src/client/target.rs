//! Which server a command talks to, and as whom.

use std::path::Path;

use warmfront_signing::{Credentials, SecretKey};

use crate::endpoints::Endpoints;
use crate::identity::Identity;
use crate::outcome::Complaint;

/// A control plane and the credentials for it.
#[derive(Clone, Debug)]
pub struct Target {
    /// `http://HOST:PORT`.
    pub control: String,
    /// Who signs.
    pub credentials: Credentials,
}

/// Finds the server. A data folder that was named comes first; else the environment, as `warmfront env` sets it; else the
/// default data folder. `environment` gives the value of a variable.
///
/// # Errors
/// Names what is missing and where it could come from.
pub fn discover(
    named_folder: Option<&Path>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Target, Complaint> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    if let Some(folder) = named_folder {
        return from_folder(folder);
    }
    let Some(control) = variable("AWS_ENDPOINT_URL_CLOUDFRONT") else {
        return from_folder(Path::new(crate::data_folder::DEFAULT));
    };
    if !control.starts_with("http://") {
        return Err(Complaint::usage(format!(
            "AWS_ENDPOINT_URL_CLOUDFRONT={control}: only http:// endpoints are supported"
        ))
        .hint("use: aws cloudfront create-invalidation"));
    }
    let (Some(access_key_id), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) else {
        return Err(Complaint::failed(
            "AWS_ENDPOINT_URL_CLOUDFRONT is set, but not AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
        .hint("eval \"$(warmfront env --data DIR)\" sets all three, or name the server's folder with --data DIR"));
    };
    let session_token = variable("AWS_SESSION_TOKEN").map(SecretKey::new);
    let credentials = Credentials {
        access_key_id,
        secret_access_key: SecretKey::new(secret),
        session_token,
    };
    Ok(Target { control, credentials })
}

fn from_folder(folder: &Path) -> Result<Target, Complaint> {
    let identity = Identity::load(folder).map_err(|error| crate::command::explain_identity(error, folder))?;
    let endpoints = Endpoints::load(folder).ok_or_else(|| {
        Complaint::failed(format!("--data {}: no server is running there", folder.display())).hint(format!(
            "start it with: warmfront serve --data {}",
            crate::shell::quote(&folder.display().to_string())
        ))
    })?;
    Ok(Target {
        control: endpoints.control,
        credentials: identity.root,
    })
}

#[cfg(test)]
mod tests {
    use warmfront_model::AccountId;

    use super::*;
    use crate::identity::ACCOUNT_DEFAULT;

    fn folder() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let account = AccountId::parse(ACCOUNT_DEFAULT).unwrap();
        let identity = Identity::load_or_create(folder.path(), &account).unwrap();
        let [control, bucket] = ["127.0.0.1:1", "127.0.0.1:4"].map(|address| address.parse().unwrap());
        Endpoints::new(control, &[], bucket, "/ca".into())
            .store(folder.path())
            .unwrap();
        (folder, identity.root.access_key_id)
    }

    fn full(name: &str) -> Option<String> {
        match name {
            "AWS_ENDPOINT_URL_CLOUDFRONT" => Some("http://192.0.2.1:9".into()),
            "AWS_ACCESS_KEY_ID" => Some("AKIAIOSFODNN7EXAMPLE".into()),
            "AWS_SECRET_ACCESS_KEY" => Some("secret".into()),
            _ => None,
        }
    }

    #[test]
    fn a_named_folder_comes_before_the_environment() {
        let (folder, access_key_id) = folder();
        let target = discover(Some(folder.path()), full).unwrap();
        assert_eq!(target.control, "http://127.0.0.1:1");
        assert_eq!(target.credentials.access_key_id, access_key_id);
    }

    #[test]
    fn the_environment_needs_endpoint_and_keys_together() {
        let target = discover(None, full).unwrap();
        assert_eq!(target.control, "http://192.0.2.1:9");
        assert_eq!(target.credentials.access_key_id, "AKIAIOSFODNN7EXAMPLE");
        let without_secret = |name: &str| full(name).filter(|_| name != "AWS_SECRET_ACCESS_KEY");
        let error = discover(None, without_secret).unwrap_err().to_string();
        assert!(error.contains("AWS_SECRET_ACCESS_KEY"), "{error}");
    }

    #[test]
    fn a_folder_without_a_running_server_is_named() {
        let (folder, _) = folder();
        Endpoints::remove(folder.path());
        let error = discover(Some(folder.path()), |_| None).unwrap_err().to_string();
        assert!(
            error.contains(folder.path().to_str().unwrap()) && error.contains("no server is running"),
            "{error}"
        );
        let empty = tempfile::tempdir().unwrap();
        assert!(
            discover(Some(empty.path()), full)
                .unwrap_err()
                .to_string()
                .contains("no server has run here")
        );
    }
}
