use http::{HeaderValue, StatusCode};

super::words! {
    /// CloudFront's word for how a request ended: X-Cache says it, and the access log.
    ///
    /// Source: CloudFront Developer Guide, "Standard logging reference", x-edge-result-type.
    ResultType {
        /// Answered from the cache.
        Hit = "Hit",
        /// The origin confirmed an expired copy, which answered; or it failed, and the copy stood in.
        RefreshHit = "RefreshHit",
        /// Answered by the origin.
        Miss = "Miss",
        /// Refused, as a limit is reached.
        LimitExceeded = "LimitExceeded",
        /// An error, from the origin, the cache, or the edge itself.
        Error = "Error",
        /// Sent to https.
        Redirect = "Redirect",
    }
}

impl ResultType {
    /// X-Cache. A limit shows as an error there.
    pub(crate) fn x_cache(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            ResultType::Hit => "Hit from cloudfront",
            ResultType::RefreshHit => "RefreshHit from cloudfront",
            ResultType::Miss => "Miss from cloudfront",
            ResultType::LimitExceeded | ResultType::Error => "Error from cloudfront",
            ResultType::Redirect => "Redirect from cloudfront",
        })
    }

    /// An error is an error wherever it came from.
    pub(crate) fn for_status(self, status: StatusCode) -> ResultType {
        match self {
            ResultType::LimitExceeded => self,
            _ if status.as_u16() >= 400 => ResultType::Error,
            _ => self,
        }
    }
}
