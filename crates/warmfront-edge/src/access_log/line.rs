use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use http::{StatusCode, Version};
use time::OffsetDateTime;
use warmfront_model::Timestamp;

use crate::access_log::entry::{Entry, Text};

/// The lines that a file begins with.
///
/// Source: CloudFront Developer Guide, "Standard logging reference".
pub(super) const HEADER: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) \
    cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id \
    x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type \
    cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type \
    sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// Appends one line: 33 fields, separated by tabs, `-` for what is not there.
///
/// `pop` is the edge location, `domain_name` the distribution's own, whatever Host the viewer sent. The time is in UTC;
/// `second` remembers what it looks like.
pub(super) fn write_line(line: &mut Vec<u8>, second: &mut Second, entry: &Entry, pop: &str, domain_name: &str) {
    let text = |which| entry.text(which);
    line.extend_from_slice(second.date_and_time(entry.at).as_bytes());
    let mut fields = Fields(line);
    fields.plain(pop);
    fields.number(entry.sent_bytes);
    fields.ip(entry.ip);
    fields.encoded(text(Text::Method));
    fields.plain(domain_name);
    fields.encoded(text(Text::Stem));
    fields.plain(entry.status.as_ref().map_or("000", StatusCode::as_str));
    fields.encoded(text(Text::Referer));
    fields.encoded(text(Text::UserAgent));
    fields.encoded(text(Text::Query));
    fields.encoded(text(Text::Cookie));
    fields.plain(entry.result_type().as_str());
    fields.id(text(Text::RequestId));
    fields.encoded(text(Text::Host));
    fields.plain(if entry.is_https { "https" } else { "http" });
    fields.number(entry.received_bytes);
    fields.secs(entry.taken);
    fields.encoded(text(Text::ForwardedFor));
    fields.plain(entry.tls.map_or("-", |tls| tls.protocol));
    fields.plain(entry.tls.map_or("-", |tls| tls.cipher));
    fields.plain(entry.response_result_type().as_str());
    fields.plain(protocol_version(entry.version));
    // Field-level encryption is not there.
    fields.plain("-");
    fields.plain("-");
    fields.number(entry.port.into());
    fields.secs(entry.first_byte);
    fields.plain(entry.detailed_result_type());
    fields.encoded(text(Text::ContentType));
    fields.encoded(text(Text::ContentLength));
    // No range is answered from the cache.
    fields.plain("-");
    fields.plain("-");
    line.push(b'\n');
}

/// The fields that follow the first ones.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn plain(&mut self, text: &str) {
        self.0.push(b'\t');
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A request id has no byte that is to be encoded.
    fn id(&mut self, id: &[u8]) {
        self.0.push(b'\t');
        self.0.extend_from_slice(if id.is_empty() { b"-" } else { id });
    }

    fn number(&mut self, number: u64) {
        self.plain(itoa::Buffer::new().format(number));
    }

    fn ip(&mut self, ip: IpAddr) {
        let v4 = match ip {
            IpAddr::V4(v4) => v4,
            IpAddr::V6(v6) => {
                self.0.push(b'\t');
                // Writing to memory does not fail.
                let _ = write!(self.0, "{v6}");
                return;
            }
        };
        let mut before = b'\t';
        for octet in v4.octets() {
            self.0.push(before);
            self.0.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
            before = b'.';
        }
    }

    /// In seconds, with three places.
    fn secs(&mut self, duration: Duration) {
        self.number(duration.as_secs());
        // The thousand is there for its zeros, and is overwritten.
        let dot_at = self.0.len();
        let millis = 1000 + duration.subsec_millis();
        self.0.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes());
        self.0[dot_at] = b'.';
    }

    fn encoded(&mut self, text: &[u8]) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        self.0.push(b'\t');
        if text.is_empty() {
            self.0.push(b'-');
        }
        let mut rest = text;
        while let Some(at) = rest.iter().position(|&byte| IS_ENCODED[usize::from(byte)]) {
            let (plain, from) = rest.split_at(at);
            let byte = from[0];
            self.0.extend_from_slice(plain);
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            self.0.extend_from_slice(&[b'%', HEX[high], HEX[low]]);
            rest = &from[1..];
        }
        self.0.extend_from_slice(rest);
    }
}

/// Which bytes are percent-encoded in a value. `%` is among them, also where it stands in a path or query: those are
/// encoded already, and CloudFront encodes the byte again, so that a reader decodes twice.
///
/// Source: CloudFront Developer Guide, "Standard logging reference": ASCII 0 to 32, 127 and above, and
/// `` < > " # % { } | \ ^ ~ [ ] ` ``.
const IS_ENCODED: [bool; 256] = {
    let mut is_encoded = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_encoded[byte] = byte <= 32 || byte >= 127;
        byte += 1;
    }
    let others = b"<>\"#%{}|\\^~[]`";
    let mut at = 0;
    while at < others.len() {
        is_encoded[others[at] as usize] = true;
        at += 1;
    }
    is_encoded
};

fn protocol_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn utc(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.unix_secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The last second of which a line was written, as date and time.
#[derive(Debug, Default)]
pub(super) struct Second {
    unix_secs: i64,
    text: String,
}

impl Second {
    /// Date and time, with the tab between them.
    fn date_and_time(&mut self, at: Timestamp) -> &str {
        if self.text.is_empty() || self.unix_secs != at.unix_secs() {
            self.unix_secs = at.unix_secs();
            let at = utc(at);
            self.text = format!("{}\t{:02}:{:02}:{:02}", date(at), at.hour(), at.minute(), at.second());
        }
        &self.text
    }
}

fn date(at: OffsetDateTime) -> String {
    format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
}

/// The hour as file names have it: `YYYY-MM-DD-HH`, in UTC.
pub(super) fn hour(at: Timestamp) -> String {
    let at = utc(at);
    format!("{}-{:02}", date(at), at.hour())
}
