use std::fmt::Write as _;
use std::time::Duration;

use http::Version;
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
/// `pop` is the edge location, `domain_name` the distribution's own, whatever Host the viewer sent. The time is in UTC.
pub(super) fn write_line(line: &mut Vec<u8>, entry: &Entry, pop: &str, domain_name: &str) {
    let text = |which| entry.text(which);
    let (date, time) = date_and_time(entry.at);
    let mut fields = Fields { line, is_first: true };
    fields.plain(&date);
    fields.plain(&time);
    fields.plain(pop);
    fields.plain(&entry.sent_bytes.to_string());
    fields.plain(&entry.ip.to_string());
    fields.encoded(text(Text::Method));
    fields.plain(domain_name);
    fields.encoded(text(Text::Stem));
    fields.plain(
        &entry
            .status
            .map_or("000".to_owned(), |status| status.as_u16().to_string()),
    );
    fields.encoded(text(Text::Referer));
    fields.encoded(text(Text::UserAgent));
    fields.encoded(text(Text::Query));
    fields.encoded(text(Text::Cookie));
    fields.plain(entry.result_type().as_str());
    fields.encoded(text(Text::RequestId));
    fields.encoded(text(Text::Host));
    fields.plain(if entry.is_https { "https" } else { "http" });
    fields.plain(&entry.received_bytes.to_string());
    fields.plain(&secs(entry.taken));
    fields.encoded(text(Text::ForwardedFor));
    fields.plain(entry.tls.map_or("-", |tls| tls.protocol));
    fields.plain(entry.tls.map_or("-", |tls| tls.cipher));
    fields.plain(entry.response_result_type().as_str());
    fields.plain(protocol_version(entry.version));
    // Field-level encryption is not there.
    fields.plain("-");
    fields.plain("-");
    fields.plain(&entry.port.to_string());
    fields.plain(&secs(entry.first_byte));
    fields.plain(entry.detailed_result_type());
    fields.encoded(text(Text::ContentType));
    fields.encoded(text(Text::ContentLength));
    // No range is answered from the cache.
    fields.plain("-");
    fields.plain("-");
    line.push(b'\n');
}

struct Fields<'a> {
    line: &'a mut Vec<u8>,
    is_first: bool,
}

impl Fields<'_> {
    fn next(&mut self) {
        if !self.is_first {
            self.line.push(b'\t');
        }
        self.is_first = false;
    }

    fn plain(&mut self, text: &str) {
        self.next();
        self.line.extend_from_slice(text.as_bytes());
    }

    fn encoded(&mut self, text: Option<&[u8]>) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        self.next();
        let text = text.filter(|text| !text.is_empty()).unwrap_or(b"-");
        for &byte in text {
            if is_encoded(byte) {
                let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                self.line.extend_from_slice(&[b'%', HEX[high], HEX[low]]);
            } else {
                self.line.push(byte);
            }
        }
    }
}

/// Which bytes are percent-encoded in a value. `%` is not among them where it stands in a path or query: those are
/// encoded already, and CloudFront encodes the byte again, so that a reader decodes twice.
///
/// Source: CloudFront Developer Guide, "Standard logging reference": ASCII 0 to 32, 127 and above, and
/// `` < > " # % { } | \ ^ ~ [ ] ` ``.
fn is_encoded(byte: u8) -> bool {
    byte <= 32 || byte >= 127 || b"<>\"#%{}|\\^~[]`".contains(&byte)
}

fn secs(duration: Duration) -> String {
    let millis = duration.as_millis();
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

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

fn date_and_time(at: Timestamp) -> (String, String) {
    let at = utc(at);
    let (date, mut time) = (date(at), String::new());
    let _ = write!(time, "{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    (date, time)
}

fn date(at: OffsetDateTime) -> String {
    format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
}

/// The hour as file names have it: `YYYY-MM-DD-HH`, in UTC.
pub(super) fn hour(at: Timestamp) -> String {
    let at = utc(at);
    format!("{}-{:02}", date(at), at.hour())
}
