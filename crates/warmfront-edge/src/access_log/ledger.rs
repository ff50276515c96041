use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::{CipherSuite, ProtocolVersion, ServerConnection};

use crate::access_log::entry::{End, Entry, TlsFacts};
use crate::access_log::line::write_line;
use crate::access_log::writer::{AccessLog, Line};
use crate::core::Core;
use crate::counters::Counters;
use crate::node::Node;
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
    log: AccessLog,
    node: Arc<Node>,
    counters: Arc<Counters>,
    received_bytes: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    began: Option<Instant>,
    line: Option<(Entry, Arc<Site>)>,
    /// The line's body has ended, but not all of its bytes have left yet.
    is_due: bool,
}

impl Ledger {
    /// For a connection to `core`; `None` if nothing is logged.
    pub(crate) fn of(core: &Core, peer: Peer) -> Option<Ledger> {
        Some(Ledger {
            peer,
            log: core.node.access_log.clone()?,
            node: Arc::clone(&core.node),
            counters: Arc::clone(&core.counters),
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
        self.finish();
        self.open.lock().began = Some(Instant::now());
    }

    /// It is answered.
    pub(crate) fn answer(&self, site: &Arc<Site>, entry: Entry) {
        self.open.lock().line = Some((entry, Arc::clone(site)));
    }

    /// Whether a line is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open.lock().line.is_some()
    }

    /// So many bytes went to the viewer.
    pub(crate) fn sent(&self, n_bytes: usize) {
        let mut open = self.open.lock();
        let since = open.since_beginning();
        if let Some((entry, _)) = &mut open.line {
            if entry.sent_bytes == 0 {
                entry.first_byte = since;
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
        if self.open.lock().is_due {
            self.finish();
        }
    }

    fn finish(&self) {
        let (line, taken) = {
            let mut open = self.open.lock();
            open.is_due = false;
            (open.line.take(), open.since_beginning())
        };
        let Some((mut entry, site)) = line else { return };
        entry.at = self.node.clock.now();
        entry.taken = taken;
        entry.received_bytes = self.received_bytes.swap(0, Ordering::Relaxed);
        if entry.sent_bytes == 0 {
            entry.status = None;
        }
        let mut text = Vec::with_capacity(512);
        let pop = self.node.pop.to_str().unwrap_or("-");
        write_line(&mut text, &entry, pop, &site.distribution.domain_name);
        let lost = Arc::clone(&self.node.progress.log_lines_lost);
        let at = entry.at;
        if !self.log.push(Line { site, at, text, lost }) {
            self.counters.log_lines_dropped.add(1);
        }
    }
}

impl Drop for Ledger {
    /// What has not been flushed by now never was.
    fn drop(&mut self) {
        let open = self.open.get_mut();
        if let (true, Some((entry, _))) = (open.is_due, &mut open.line) {
            entry.end = End::ViewerLeft;
        }
        self.finish();
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Open {
    fn since_beginning(&self) -> Duration {
        self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }
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
