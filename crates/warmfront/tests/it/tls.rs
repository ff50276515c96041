use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::origin::{Origin, distribution_of};
use crate::program::Server;

/// What a client that trusts `authority` alone gets for `/` from `host` at `address`.
pub fn get(address: &str, host: &str, authority: &Path) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(address)?);
    write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8(answer).unwrap())
}

#[test]
fn viewers_connect_over_tls_by_whatever_name_the_edge_answers_at() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let serve = || Server::start(data.path(), &["--origin", &origin.url()]);
    let (_, _, log) = serve().end("TERM");
    let name = format!("{}.cloudfront.localhost", distribution_of(&log).to_ascii_lowercase());

    // The authority of the first start is still the one to trust at the second.
    let server = serve();
    let authority = data.path().join("ca/cert.pem");
    for host in [&name, "localhost", "127.0.0.1"] {
        let answer = get(&server.address("edge_https"), host, &authority).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n1"),
            "{host}: {answer}"
        );
    }
    assert_eq!(origin.n_requests(), 1);
}

/// CloudFront Developer Guide, "Understand the cache key": the scheme is no part of it.
#[test]
fn http_and_https_share_what_is_stored() {
    let data = tempfile::tempdir().unwrap();
    let origin = Origin::start();
    let server = Server::start(data.path(), &["--origin", &origin.url()]);
    let mut plain = TcpStream::connect(server.address("edge")).unwrap();
    write!(plain, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = Vec::new();
    plain.read_to_end(&mut first).unwrap();
    let second = get(
        &server.address("edge_https"),
        "localhost",
        &data.path().join("ca/cert.pem"),
    )
    .unwrap();
    assert!(
        String::from_utf8(first)
            .unwrap()
            .contains("x-cache: Miss from cloudfront")
    );
    assert!(second.contains("x-cache: Hit from cloudfront"), "{second}");
    assert_eq!(origin.n_requests(), 1);
}

#[test]
fn another_servers_authority_does_not_vouch_for_this_one() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(data.path(), &[]);
    Server::start(other.path(), &[]).end("TERM");
    let refused = get(
        &server.address("edge_https"),
        "localhost",
        &other.path().join("ca/cert.pem"),
    );
    assert!(refused.is_err(), "{refused:?}");
}
