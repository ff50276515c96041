use http::HeaderValue;

/// What became of a request: one word, the same in X-Cache, log and metric.
///
/// Source: CloudFront Developer Guide, "Standard logging reference", x-edge-result-type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered from the cache.
    Hit,
    /// The origin confirmed an expired copy, which answered; or it failed, and the copy stood in.
    RefreshHit,
    /// Answered by the origin.
    Miss,
    /// An error, from the origin, the cache, or the edge itself.
    Error,
    /// Sent to https.
    Redirect,
}

impl Outcome {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Hit => "Hit",
            Outcome::RefreshHit => "RefreshHit",
            Outcome::Miss => "Miss",
            Outcome::Error => "Error",
            Outcome::Redirect => "Redirect",
        }
    }

    /// X-Cache.
    pub(crate) fn x_cache(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Outcome::Hit => "Hit from cloudfront",
            Outcome::RefreshHit => "RefreshHit from cloudfront",
            Outcome::Miss => "Miss from cloudfront",
            Outcome::Error => "Error from cloudfront",
            Outcome::Redirect => "Redirect from cloudfront",
        })
    }

    /// An error is an error wherever it came from.
    pub(crate) fn for_status(self, status: http::StatusCode) -> Outcome {
        if status.as_u16() >= 400 { Outcome::Error } else { self }
    }
}
