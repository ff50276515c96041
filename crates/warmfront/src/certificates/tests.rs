use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

use super::*;

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp(1_767_225_600_000);

#[derive(Debug)]
struct FixedTime(Timestamp);

impl rustls::time_provider::TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            self.0.unix_secs().unsigned_abs(),
        )))
    }
}

fn server(folder: &Path, clock: &Clock, addresses: &[IpAddr]) -> Arc<ServerConfig> {
    Authority::load_or_create(folder, clock.now())
        .unwrap()
        .server_config(clock.clone(), addresses)
        .unwrap()
}

/// Whether a client that trusts the folder's authority alone takes the server for `name`, at the clock's time.
fn handshake(folder: &Path, server: &Arc<ServerConfig>, name: &str, clock: &Clock) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate_path(folder)).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(FixedTime(clock.now())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut Cursor::new(bytes)).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut Cursor::new(bytes)).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn any_name_and_the_loopback_addresses_get_a_certificate_that_clients_accept() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let server = server(folder.path(), &clock, &["192.0.2.7".parse().unwrap()]);
    let long = format!("{0}.{0}.example.com", "x".repeat(60));
    for name in [
        "e1u5rqf7t870k0.cloudfront.localhost",
        "www.example.com",
        "WWW.Example.com",
        "localhost",
        "127.0.0.1",
        "::1",
        "192.0.2.7",
        "under_score.example.com",
        &long,
    ] {
        assert_eq!(handshake(folder.path(), &server, name, &clock), Ok(()), "{name}");
    }
    assert!(handshake(folder.path(), &server, "192.0.2.8", &clock).is_err());
}

#[test]
fn the_authority_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    server(folder.path(), &clock, &[]);
    let certificate = std::fs::read(certificate_path(folder.path())).unwrap();
    let restarted = server(folder.path(), &clock, &[]);
    assert_eq!(std::fs::read(certificate_path(folder.path())).unwrap(), certificate);
    assert_eq!(handshake(folder.path(), &restarted, "localhost", &clock), Ok(()));
    let mode = std::fs::metadata(folder.path().join("ca/key.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn certificates_are_renewed_while_the_process_runs() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let server = server(folder.path(), &clock, &[]);
    for _half_year in 0..18 {
        assert_eq!(handshake(folder.path(), &server, "www.example.com", &clock), Ok(()));
        clock.advance(DAY * 182).unwrap();
    }
}

#[test]
fn the_names_at_hand_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let authority = Authority::load_or_create(folder.path(), START).unwrap();
    let issuer = LeafIssuer::new(authority, &rustls::crypto::ring::default_provider(), clock, &[]).unwrap();
    for number in 0..=NAMES_MAX {
        assert!(issuer.certificate_for(&format!("{number}.example.com")).is_some());
    }
    assert_eq!(issuer.issued.lock().unwrap().len(), 1);
}

#[test]
fn a_damaged_authority_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    Authority::load_or_create(folder.path(), START).unwrap();
    std::fs::write(folder.path().join("ca/key.pem"), "nonsense").unwrap();
    let Err(error) = Authority::load_or_create(folder.path(), START) else {
        panic!("accepted")
    };
    assert!(error.to_string().contains("ca/key.pem"), "{error}");
}
