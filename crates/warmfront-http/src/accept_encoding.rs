use http::HeaderMap;
use http::header::ACCEPT_ENCODING;
use warmfront_model::AcceptEncoding;

use crate::list::{elements, name_and_argument};

/// Which of the encodings that the edge knows a viewer accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptedEncodings {
    /// Whether there is an Accept-Encoding field at all, whatever it says.
    pub present: bool,
    /// `gzip` (or `x-gzip`), with a weight above 0.
    pub gzip: bool,
    /// `br`, with a weight above 0.
    pub brotli: bool,
}

impl AcceptedEncodings {
    /// What stands for Accept-Encoding in the cache key of a behavior that distinguishes `policy`; `None`: nothing does.
    ///
    /// Source: CloudFront Developer Guide, "Understand cache policies", compressed object support.
    pub fn normalized(self, policy: AcceptEncoding) -> Option<&'static str> {
        match (self.brotli && policy.brotli, self.gzip && policy.gzip) {
            (true, true) => Some("br,gzip"),
            (true, false) => Some("br"),
            (false, true) => Some("gzip"),
            (false, false) => None,
        }
    }
}

/// Reads all Accept-Encoding field lines of a request as one list.
///
/// The first mention of a coding counts, `*` stands for every coding not mentioned, and a weight that cannot be read
/// is 0: a viewer gets no encoding that it has not clearly asked for.
///
/// Source: RFC 9110 sections 12.4.2 and 12.5.3.
pub fn accepted_encodings(request: &HeaderMap) -> AcceptedEncodings {
    let mut present = false;
    let (mut gzip, mut brotli, mut others) = (None, None, None);
    for line in request.get_all(ACCEPT_ENCODING) {
        present = true;
        for element in elements(line.as_bytes()) {
            let (coding, weight) = name_and_argument(element, b';');
            let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
            let accepted = Some(weight.is_none_or(is_above_zero));
            if is("gzip") || is("x-gzip") {
                gzip = gzip.or(accepted);
            } else if is("br") {
                brotli = brotli.or(accepted);
            } else if is("*") {
                others = others.or(accepted);
            }
        }
    }
    let accepted = |coding: Option<bool>| coding.or(others).unwrap_or(false);
    AcceptedEncodings {
        present,
        gzip: accepted(gzip),
        brotli: accepted(brotli),
    }
}

/// Whether a weight (`q=0.5`) is well formed and above 0.
fn is_above_zero(weight: &[u8]) -> bool {
    let (name, value) = name_and_argument(weight, b'=');
    let Some(value) = value.filter(|_| name.eq_ignore_ascii_case(b"q")) else {
        return false;
    };
    match value {
        [b'0', b'.', digits @ ..] if digits.len() <= 3 => {
            digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|&digit| digit != b'0')
        }
        [b'1'] => true,
        [b'1', b'.', zeros @ ..] if zeros.len() <= 3 => zeros.iter().all(|&digit| digit == b'0'),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
