//! Who the data folder belongs to: the account, its root access key, and the key of the edge itself.

use std::io;
use std::path::{Path, PathBuf};

use rand::RngExt;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use warmfront_model::{AccountId, InvalidAccountId};
use warmfront_signing::{Credentials, SecretKey};

use crate::private_file::{self, Readers};

/// The account when none is named.
pub const ACCOUNT_DEFAULT: &str = "000000000000";

const FILE_NAME: &str = "identity.json";
const FORMAT: u32 = 1;

/// What `identity.json` says.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The account that everything belongs to.
    pub account: AccountId,
    /// May do everything.
    pub root: Credentials,
    /// What the edge signs with towards the embedded bucket.
    pub edge: Credentials,
}

/// The identity cannot be read or made.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// There is none yet.
    #[error("{0} does not exist")]
    Absent(PathBuf),
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} is damaged: {source}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        source: serde_json::Error,
    },
    /// A newer program wrote the file.
    #[error("{path} has format {found}; this program reads format {FORMAT}: use the newer program")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file names no account.
    #[error("{path}: {source}")]
    Account {
        /// The file.
        path: PathBuf,
        /// What an account looks like.
        source: InvalidAccountId,
    },
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    account_id: String,
    root: StoredKey,
    edge: StoredKey,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    access_key_id: String,
    secret_access_key: String,
}

impl Identity {
    /// Reads the identity of the data folder `folder`.
    pub fn load(folder: &Path) -> Result<Identity, IdentityError> {
        let path = folder.join(FILE_NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IdentityError::Absent(path)),
            Err(source) => return Err(IdentityError::Io { path, source }),
        };
        let stored: Stored = match serde_json::from_slice(&bytes) {
            Ok(stored) => stored,
            Err(source) => return Err(IdentityError::Damaged { path, source }),
        };
        if stored.format != FORMAT {
            return Err(IdentityError::Format {
                path,
                found: stored.format,
            });
        }
        let account = AccountId::parse(&stored.account_id).map_err(|source| IdentityError::Account { path, source })?;
        Ok(Identity {
            account,
            root: stored.root.into(),
            edge: stored.edge.into(),
        })
    }

    /// Reads the identity of `folder`, or makes one for `account` at the first start.
    pub fn load_or_create(folder: &Path, account: &AccountId) -> Result<Identity, IdentityError> {
        match Identity::load(folder) {
            Err(IdentityError::Absent(path)) => {
                let identity = Identity {
                    account: account.clone(),
                    root: random_key(),
                    edge: random_key(),
                };
                identity
                    .store(&path)
                    .map_err(|source| IdentityError::Io { path, source })?;
                Ok(identity)
            }
            loaded => loaded,
        }
    }

    fn store(&self, path: &Path) -> io::Result<()> {
        let stored = Stored {
            format: FORMAT,
            account_id: self.account.as_str().to_owned(),
            root: (&self.root).into(),
            edge: (&self.edge).into(),
        };
        let mut bytes = serde_json::to_vec_pretty(&stored)?;
        bytes.push(b'\n');
        private_file::replace(path, &bytes, Readers::Owner)
    }
}

impl From<StoredKey> for Credentials {
    fn from(stored: StoredKey) -> Credentials {
        Credentials {
            access_key_id: stored.access_key_id,
            secret_access_key: SecretKey::new(stored.secret_access_key),
            session_token: None,
        }
    }
}

impl From<&Credentials> for StoredKey {
    fn from(key: &Credentials) -> StoredKey {
        StoredKey {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret_access_key.expose().to_owned(),
        }
    }
}

/// A new access key from the thread's cryptographic generator: `AKIA` and 80 bits, and a secret of 240 bits.
///
/// Source: IAM User Guide, "Manage access keys for IAM users" (the prefix; 20 and 40 characters).
fn random_key() -> Credentials {
    const ID: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const SECRET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rng = rand::rng();
    let mut pick = |alphabet: &[u8], n_characters: usize| -> String {
        (0..n_characters)
            .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
            .collect()
    };
    Credentials {
        access_key_id: format!("AKIA{}", pick(ID, 16)),
        secret_access_key: SecretKey::new(pick(SECRET, 40)),
        session_token: None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn account() -> AccountId {
        AccountId::parse("123456789012").unwrap()
    }

    #[test]
    fn the_identity_of_the_first_start_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = Identity::load_or_create(folder.path(), &account()).unwrap();
        let again = Identity::load_or_create(folder.path(), &AccountId::parse(ACCOUNT_DEFAULT).unwrap()).unwrap();
        assert_eq!(again.account, account());
        assert_eq!(
            again.root.secret_access_key.expose(),
            first.root.secret_access_key.expose()
        );
        assert_eq!(again.edge.access_key_id, first.edge.access_key_id);
        let mode = std::fs::metadata(folder.path().join(FILE_NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn keys_look_like_awss_and_differ() {
        let (one, other) = (random_key(), random_key());
        assert_eq!(
            (one.access_key_id.len(), one.secret_access_key.expose().len()),
            (20, 40)
        );
        assert!(one.access_key_id.starts_with("AKIA"));
        assert_ne!(one.access_key_id, other.access_key_id);
        assert_ne!(one.secret_access_key.expose(), other.secret_access_key.expose());
    }

    #[test]
    fn a_damaged_identity_is_an_error_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for damaged in ["", "{", "{}", r#"{"format":1,"account_id":"1","root":{},"edge":{}}"#] {
            std::fs::write(&path, damaged).unwrap();
            let error = Identity::load_or_create(folder.path(), &account()).unwrap_err();
            assert!(matches!(error, IdentityError::Damaged { .. }), "{damaged}: {error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[test]
    fn a_newer_format_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        Identity::load_or_create(folder.path(), &account()).unwrap();
        let path = folder.path().join(FILE_NAME);
        let newer = std::fs::read_to_string(&path)
            .unwrap()
            .replace("\"format\": 1", "\"format\": 2");
        std::fs::write(&path, newer).unwrap();
        assert!(matches!(
            Identity::load(folder.path()),
            Err(IdentityError::Format { found: 2, .. })
        ));
    }
}
