use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    /// Whether there is a line in `open`, so that a hit need not lock.
    has_line: AtomicBool,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    began: Option<Instant>,
    line: Option<(Entry, Arc<Site>)>,
    /// The line's body has ended, but not all of its bytes have left yet.
    is_due: bool,
}

/// The line of an answer from memory.
pub(crate) struct HitLine {
    entry: Entry,
    site: Arc<Site>,
    began: Instant,
}

thread_local! {
    /// The memory of an earlier line's texts.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Ledger {
    /// For a connection to `core`; `None` if nothing is logged.
    pub(crate) fn of(core: &Core, peer: Peer) -> Option<Ledger> {
        Some(Ledger {
            peer,
            log: core.log.clone()?,
            received_bytes: AtomicU64::new(0),
            has_line: AtomicBool::new(false),
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
        let entry = Entry::of(accepted, self.peer, outcome, answered, with_cookies, SPARE.take());
        open.line = Some((entry, Arc::clone(site)));
        self.has_line.store(true, Ordering::Relaxed);
    }

    /// The line of a request that is answered from memory, and whose head was here at `began`.
    pub(crate) fn hit(
        &self,
        site: &Arc<Site>,
        accepted: &Accepted,
        outcome: Outcome,
        answered: AnsweredHead<'_>,
        began: Instant,
    ) -> HitLine {
        if self.is_open() {
            self.finish(&mut self.open.lock());
        }
        let logging = site.distribution.logging.as_ref();
        let with_cookies = logging.is_some_and(|logging| logging.include_cookies);
        HitLine {
            entry: Entry::of(accepted, self.peer, outcome, Some(answered), with_cookies, SPARE.take()),
            site: Arc::clone(site),
            began,
        }
    }

    /// The viewer has taken `n_bytes` of that answer at once: all of it, or the rest will follow.
    pub(crate) fn hit_sent(&self, hit: HitLine, n_bytes: usize, is_all: bool) {
        let HitLine { mut entry, site, began } = hit;
        entry.sent_bytes = n_bytes as u64;
        entry.taken = began.elapsed();
        entry.first_byte = entry.taken;
        if is_all {
            entry.end = End::Whole;
            entry.received_bytes = self.received_bytes.swap(0, Ordering::Relaxed);
            self.log.add(&site, &entry);
            SPARE.set(entry.into_memory());
            return;
        }
        let mut open = self.open.lock();
        open.began = Some(began);
        open.line = Some((entry, site));
        self.has_line.store(true, Ordering::Relaxed);
    }

    /// Whether a line is open.
    pub(crate) fn is_open(&self) -> bool {
        self.has_line.load(Ordering::Relaxed)
    }

    /// So many bytes went to the viewer.
    pub(crate) fn sent(&self, n_bytes: usize) {
        if !self.is_open() {
            return;
        }
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
        if !self.is_open() {
            return;
        }
        let mut open = self.open.lock();
        if open.is_due {
            self.finish(&mut open);
        }
    }

    fn finish(&self, open: &mut Open) {
        open.is_due = false;
        self.has_line.store(false, Ordering::Relaxed);
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
        SPARE.set(entry.into_memory());
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
