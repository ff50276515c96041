use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::{CipherSuite, ProtocolVersion, ServerConnection};

use crate::access_log::batch::CoreLog;
use crate::access_log::entry::{AnsweredHead, End, Entry, TlsFacts};
use crate::core::Core;
use crate::outcome::Outcome;
use crate::request::Accepted;
use crate::snapshot::Site;

/// What the log says of a connection's other end, besides its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsFacts>,
}

/// The request of one connection whose line is not in the log yet: it is finished when the last byte of its answer has
/// left, or the connection ends.
pub(crate) struct Ledger {
    pub(crate) peer: Peer,
    log: Arc<CoreLog>,
    received_bytes: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    began: Option<Instant>,
    line: Option<(Entry, Arc<Site>)>,
    /// The line's body has ended, but not all of its bytes have left yet.
    is_due: bool,
    /// The memory of an earlier line's texts.
    spare: Vec<u8>,
}

/// An idle connection holds at most so much for its next line.
const SPARE_BYTES_MAX: usize = 4 * 1024;

impl Ledger {
    /// For a connection to `core`; `None` if nothing is logged.
    pub(crate) fn of(core: &Core, peer: Peer) -> Option<Ledger> {
        Some(Ledger {
            peer,
            log: core.log.clone()?,
            received_bytes: AtomicU64::new(0),
            open: Mutex::default(),
        })
    }

    /// So many bytes came from the viewer.
    pub(crate) fn received(&self, n_bytes: usize) {
        self.received_bytes.fetch_add(n_bytes as u64, Ordering::Relaxed);
    }

    /// A request's head is here, so the answer before it is out.
    pub(crate) fn begin(&self) {
        let mut open = self.open.lock();
        self.finish(&mut open);
        open.began = Some(Instant::now());
    }

    /// It is answered with this status and head; `None`: its viewer left before.
    pub(crate) fn answer(
        &self,
        site: &Arc<Site>,
        accepted: &Accepted,
        outcome: Outcome,
        answered: Option<AnsweredHead<'_>>,
    ) {
        let mut open = self.open.lock();
        let logging = site.distribution.logging.as_ref();
        let with_cookies = logging.is_some_and(|logging| logging.include_cookies);
        let spare = std::mem::take(&mut open.spare);
        let entry = Entry::of(accepted, self.peer, outcome, answered, with_cookies, spare);
        open.line = Some((entry, Arc::clone(site)));
    }

    /// Whether a line is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open.lock().line.is_some()
    }

    /// So many bytes went to the viewer.
    pub(crate) fn sent(&self, n_bytes: usize) {
        let Open { began, line, .. } = &mut *self.open.lock();
        if let Some((entry, _)) = line {
            if entry.sent_bytes == 0 {
                entry.first_byte = since(*began);
            }
            entry.sent_bytes += n_bytes as u64;
        }
    }

    /// The answer's body has ended.
    pub(crate) fn end_body(&self, end: End) {
        let mut open = self.open.lock();
        open.is_due = end == End::Whole;
        if let Some((entry, _)) = &mut open.line {
            entry.end = end;
        }
    }

    /// Everything that was written has left.
    pub(crate) fn flushed(&self) {
        let mut open = self.open.lock();
        if open.is_due {
            self.finish(&mut open);
        }
    }

    fn finish(&self, open: &mut Open) {
        open.is_due = false;
        let Some((mut entry, site)) = open.line.take() else {
            return;
        };
        entry.at = self.log.now();
        entry.taken = since(open.began);
        entry.received_bytes = self.received_bytes.swap(0, Ordering::Relaxed);
        if entry.sent_bytes == 0 {
            entry.status = None;
        }
        self.log.add(&site, &entry);
        let spare = entry.into_memory();
        if spare.capacity() <= SPARE_BYTES_MAX {
            open.spare = spare;
        }
    }
}

impl Drop for Ledger {
    /// What has not been flushed by now never was.
    fn drop(&mut self) {
        let mut open = std::mem::take(self.open.get_mut());
        if let (true, Some((entry, _))) = (open.is_due, &mut open.line) {
            entry.end = End::ViewerLeft;
        }
        self.finish(&mut open);
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ledger").finish_non_exhaustive()
    }
}

fn since(began: Option<Instant>) -> Duration {
    began.map_or(Duration::ZERO, |began| began.elapsed())
}

impl TlsFacts {
    /// What was agreed upon with the viewer.
    ///
    /// Source: CloudFront Developer Guide, "Supported protocols and ciphers between viewers and CloudFront".
    pub(crate) fn of(connection: &ServerConnection) -> Option<TlsFacts> {
        let protocol = match connection.protocol_version()? {
            ProtocolVersion::TLSv1_3 => "TLSv1.3",
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            _ => return None,
        };
        let cipher = match connection.negotiated_cipher_suite()?.suite() {
            CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
            CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
            _ => return None,
        };
        Some(TlsFacts { protocol, cipher })
    }
}
