//! A certificate authority of our own, and certificates for the edge, issued when a name is first asked for.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;
use warmfront_clock::Clock;
use warmfront_model::Timestamp;

use crate::private_file::{self, Readers};

const DAY: Duration = Duration::from_secs(86_400);

/// The authority lasts ten years.
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3_652);

/// A certificate of the edge lasts 397 days: browsers refuse more than 398.
const LEAF_LIFETIME: Duration = DAY.saturating_mul(397);

/// A certificate is issued anew once it is this old, well before its end.
const LEAF_RENEWAL: Duration = DAY.saturating_mul(200);

/// Certificates begin this much before they are issued, for clients whose clock is slow.
const BACKDATE: Duration = DAY;

/// Names with a certificate at hand. When there are more, all are forgotten and issued again as they are asked for,
/// which costs one signature each.
const NAMES_MAX: usize = 1_024;

/// Names in every certificate, so that clients which send no name (because they connect to an address) find theirs.
const NAMES_ALWAYS: [&str; 4] = ["localhost", "*.cloudfront.localhost", "127.0.0.1", "::1"];

/// The authority cannot be read or made.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds something else, or a certificate cannot be made.
    #[error("{path}: {source}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rcgen::Error,
    },
    /// The key of the edge's certificates is not usable.
    #[error("a key for the edge's certificates cannot be made: {0}")]
    Key(#[from] rustls::Error),
}

/// Where the authority's certificate is, in the data folder `folder`.
pub fn certificate_path(folder: &Path) -> PathBuf {
    folder.join("ca").join("cert.pem")
}

/// The authority of one data folder.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_path: PathBuf,
}

impl Authority {
    /// Reads the authority of the data folder `folder`, or makes one. The key is the owner's alone to read.
    pub fn load_or_create(folder: &Path, now: Timestamp) -> Result<Authority, AuthorityError> {
        let certificate_path = certificate_path(folder);
        let key_path = folder.join("ca").join("key.pem");
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| AuthorityError::Io { path, source }
        };
        let invalid = |path: &Path| {
            let path = path.to_owned();
            move |source| AuthorityError::Certificate { path, source }
        };
        private_file::create_folder(&folder.join("ca")).map_err(io(&folder.join("ca")))?;

        let key = match read(&key_path).map_err(io(&key_path))? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(invalid(&key_path))?,
            None => {
                let key = KeyPair::generate().map_err(invalid(&key_path))?;
                private_file::replace(&key_path, key.serialize_pem().as_bytes(), Readers::Owner)
                    .map_err(io(&key_path))?;
                key
            }
        };
        let pem = match read(&certificate_path).map_err(io(&certificate_path))? {
            Some(pem) => pem,
            None => {
                let params = authority_params(now);
                let pem = params.self_signed(&key).map_err(invalid(&certificate_path))?.pem();
                private_file::replace(&certificate_path, pem.as_bytes(), Readers::Everyone)
                    .map_err(io(&certificate_path))?;
                pem
            }
        };
        let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(invalid(&certificate_path))?;
        Ok(Authority {
            issuer,
            certificate_path,
        })
    }

    /// What the edge needs for TLS: 1.2 and 1.3, HTTP/1.1, and a certificate for whatever name is asked for.
    /// `addresses` are in every certificate besides loopback.
    pub fn server_config(self, clock: Clock, addresses: &[IpAddr]) -> Result<Arc<ServerConfig>, AuthorityError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let issuer = LeafIssuer::new(self, &provider, clock, addresses)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(issuer));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn authority_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Two authorities on one machine are told apart by this number.
    let name = format!("Warmfront local CA {:08x}", rand::random::<u32>());
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Warmfront");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    set_lifetime(&mut params, now, AUTHORITY_LIFETIME);
    params
}

fn set_lifetime(params: &mut CertificateParams, now: Timestamp, lifetime: Duration) {
    let now = time::OffsetDateTime::from_unix_timestamp(now.unix_secs()).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    params.not_before = now - BACKDATE;
    params.not_after = now + lifetime - BACKDATE;
}

/// Issues a certificate for the name a client asks for; all share one key, made anew at every start.
struct LeafIssuer {
    authority: Authority,
    key: KeyPair,
    signing_key: Arc<dyn rustls::sign::SigningKey>,
    names_always: Vec<String>,
    clock: Clock,
    issued: Mutex<HashMap<String, Issued>>,
}

#[derive(Clone)]
struct Issued {
    at: Timestamp,
    certificate: Arc<CertifiedKey>,
}

impl LeafIssuer {
    fn new(
        authority: Authority,
        provider: &CryptoProvider,
        clock: Clock,
        addresses: &[IpAddr],
    ) -> Result<LeafIssuer, AuthorityError> {
        let key = KeyPair::generate().map_err(|source| AuthorityError::Certificate {
            path: authority.certificate_path.clone(),
            source,
        })?;
        let key_der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing_key = provider.key_provider.load_private_key(key_der)?;
        let mut names_always: Vec<String> = NAMES_ALWAYS.map(str::to_owned).into();
        for address in addresses
            .iter()
            .filter(|address| !address.is_loopback() && !address.is_unspecified())
        {
            names_always.push(address.to_string());
        }
        Ok(LeafIssuer {
            authority,
            key,
            signing_key,
            names_always,
            clock,
            issued: Mutex::default(),
        })
    }

    /// The certificate for `name`; the empty name stands for clients that send none.
    fn certificate_for(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let now = self.clock.now();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = issued.get(name).filter(|found| now < found.at.plus(LEAF_RENEWAL)) {
            return Some(found.certificate.clone());
        }
        let certificate = match self.issue(name, now) {
            Ok(certificate) => certificate,
            Err(error) => {
                tracing::warn!(name, %error, "no certificate for this name");
                return None;
            }
        };
        if issued.len() >= NAMES_MAX {
            issued.clear();
        }
        issued.insert(
            name.to_owned(),
            Issued {
                at: now,
                certificate: certificate.clone(),
            },
        );
        Some(certificate)
    }

    fn issue(&self, name: &str, now: Timestamp) -> Result<Arc<CertifiedKey>, rcgen::Error> {
        let mut names = self.names_always.clone();
        if !name.is_empty() && !names.iter().any(|always| always == name) {
            names.insert(0, name.to_owned());
        }
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        // A common name has at most 64 characters (X.520); the names that count are the alternative ones.
        params.distinguished_name.push(DnType::CommonName, "Warmfront edge");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_lifetime(&mut params, now, LEAF_LIFETIME);
        let certificate = params.signed_by(&self.key, &self.authority.issuer)?;
        Ok(Arc::new(CertifiedKey::new(
            vec![certificate.into()],
            self.signing_key.clone(),
        )))
    }
}

impl ResolvesServerCert for LeafIssuer {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        self.certificate_for(&name).or_else(|| self.certificate_for(""))
    }
}

impl std::fmt::Debug for LeafIssuer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LeafIssuer")
    }
}

#[cfg(test)]
mod tests;
