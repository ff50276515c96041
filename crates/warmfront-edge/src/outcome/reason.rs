use super::ResultType;

super::words! {
    /// Why a request was answered as it was.
    Reason {
        /// A stored copy within its lifetime.
        Fresh = "fresh",
        /// An expired copy, while it is refreshed in the background.
        StaleWhileRevalidate = "stale-while-revalidate",
        /// An expired copy, as its origin failed lately and is left alone.
        OriginLeftAlone = "origin-left-alone",
        /// An expired copy, which the viewer accepts by `max-stale`.
        MaxStale = "max-stale",
        /// A response that another request had fetched, all but the end of its body.
        Arriving = "arriving",
        /// A response that a regional node had in its cache.
        RegionalHit = "regional-hit",
        /// An expired copy that the origin confirmed.
        Revalidated = "revalidated",
        /// An expired copy in place of the origin's failure.
        StaleIfError = "stale-if-error",
        /// The origin's answer.
        Fetched = "fetched",
        /// The origin's answer to another request, which this one waited for.
        Joined = "joined",
        /// The origin's answer, past the cache.
        Passed = "passed",
        /// Sent to https, as ViewerProtocolPolicy asks.
        RedirectToHttps = "redirect-to-https",
        /// A POP and a regional node go by different configurations; viewers never see it.
        OtherConfiguration = "other-configuration",
        /// A regional node lags behind what a POP needs; viewers never see it.
        Behind = "behind",
        /// The request has been through this edge too often.
        RequestLoop = "request-loop",
        /// The URL is longer than allowed.
        UrlTooLong = "url-too-long",
        /// The header fields are larger than allowed.
        HeadersTooLarge = "headers-too-large",
        /// The request names no path.
        NoPath = "no-path",
        /// A GET or HEAD with a body.
        UnexpectedBody = "unexpected-body",
        /// The request has no Host.
        NoHost = "no-host",
        /// The request has several Hosts.
        SeveralHosts = "several-hosts",
        /// The token in X-Warmfront-Token is not one of this distribution's.
        BadToken = "bad-token",
        /// No distribution answers to the Host.
        UnknownHost = "unknown-host",
        /// The distribution is disabled.
        DistributionDisabled = "distribution-disabled",
        /// The behavior does not allow the method.
        MethodNotAllowed = "method-not-allowed",
        /// The behavior asks for https, and the request cannot be redirected.
        HttpsRequired = "https-required",
        /// The viewer accepts only what is stored, and nothing is.
        OnlyIfCached = "only-if-cached",
        /// The origin's name does not resolve.
        OriginDns = "origin-dns",
        /// The origin is at an address that origins may not have.
        OriginNotAllowed = "origin-not-allowed",
        /// The origin accepts no connection.
        OriginConnect = "origin-connect",
        /// The origin accepted no connection in time.
        OriginConnectTimeout = "origin-connect-timeout",
        /// TLS to the origin failed.
        OriginTls = "origin-tls",
        /// The origin did not answer in time.
        OriginTimeout = "origin-timeout",
        /// The origin's answer is no HTTP, or its head is not whole.
        OriginInvalid = "origin-invalid",
        /// The origin's answer broke off.
        OriginBrokeOff = "origin-broke-off",
        /// The request cannot be put into HTTP for the origin.
        Unsendable = "unsendable",
        /// Too many fetches are in flight.
        TooManyFetches = "too-many-fetches",
        /// Too many fetches wait for their turn at the origin.
        OriginBusy = "origin-busy",
        /// The fetch was given up, as the edge shuts down.
        GivenUp = "given-up",
        /// The viewer left before it was answered.
        ViewerLeft = "viewer-left",
    }
}

super::words! {
    /// Why an origin was asked.
    FetchReason {
        /// The cache has nothing under the key.
        Absent = "absent",
        /// What it has is covered by an invalidation.
        Covered = "covered",
        /// What it has is expired, or must be asked about each time.
        Expired = "expired",
        /// The viewer asks for the origin's word.
        Unwanted = "unwanted",
        /// The node has no lease, so nothing that it has may answer.
        Fenced = "fenced",
        /// The cache may not answer such requests.
        Uncached = "uncached",
        /// The node has not applied the invalidation that the request's token is of.
        Behind = "behind",
    }
}

impl Reason {
    /// CloudFront's word for it, before the status is known: an answer of 400 and above is an error as well.
    pub fn result_type(self) -> ResultType {
        match self {
            Reason::Fresh
            | Reason::StaleWhileRevalidate
            | Reason::OriginLeftAlone
            | Reason::MaxStale
            | Reason::Arriving
            | Reason::RegionalHit => ResultType::Hit,
            Reason::Revalidated | Reason::StaleIfError => ResultType::RefreshHit,
            Reason::Fetched | Reason::Joined | Reason::Passed => ResultType::Miss,
            Reason::RedirectToHttps => ResultType::Redirect,
            Reason::TooManyFetches | Reason::OriginBusy => ResultType::LimitExceeded,
            Reason::OtherConfiguration
            | Reason::Behind
            | Reason::RequestLoop
            | Reason::UrlTooLong
            | Reason::HeadersTooLarge
            | Reason::NoPath
            | Reason::UnexpectedBody
            | Reason::NoHost
            | Reason::SeveralHosts
            | Reason::BadToken
            | Reason::UnknownHost
            | Reason::DistributionDisabled
            | Reason::MethodNotAllowed
            | Reason::HttpsRequired
            | Reason::OnlyIfCached
            | Reason::OriginDns
            | Reason::OriginNotAllowed
            | Reason::OriginConnect
            | Reason::OriginConnectTimeout
            | Reason::OriginTls
            | Reason::OriginTimeout
            | Reason::OriginInvalid
            | Reason::OriginBrokeOff
            | Reason::Unsendable
            | Reason::GivenUp
            | Reason::ViewerLeft => ResultType::Error,
        }
    }

    /// The same for a status class: 4 and 5 are errors.
    pub(crate) fn result_type_of_class(self, class: usize) -> ResultType {
        match self.result_type() {
            ResultType::LimitExceeded => ResultType::LimitExceeded,
            _ if class >= 4 => ResultType::Error,
            other => other,
        }
    }

    /// CloudFront's word for what exactly went wrong; `None` where it has none but the result type.
    ///
    /// Source: CloudFront Developer Guide, "Standard logging reference", x-edge-detailed-result-type.
    pub fn detailed_error(self) -> Option<&'static str> {
        match self {
            Reason::OriginDns => Some("OriginDnsError"),
            Reason::OriginNotAllowed | Reason::OriginConnect | Reason::OriginConnectTimeout | Reason::OriginTls => {
                Some("OriginConnectError")
            }
            Reason::OriginTimeout => Some("OriginReadError"),
            Reason::OriginInvalid => Some("OriginInvalidResponseError"),
            Reason::OriginBrokeOff => Some("OriginCommError"),
            Reason::GivenUp => Some("AbortedOrigin"),
            Reason::ViewerLeft => Some("ClientHungUpRequest"),
            Reason::MethodNotAllowed => Some("InvalidRequestMethod"),
            Reason::HeadersTooLarge | Reason::NoHost | Reason::SeveralHosts | Reason::BadToken => {
                Some("InvalidRequestHeader")
            }
            Reason::RequestLoop
            | Reason::UrlTooLong
            | Reason::NoPath
            | Reason::UnexpectedBody
            | Reason::UnknownHost
            | Reason::DistributionDisabled
            | Reason::HttpsRequired
            | Reason::Unsendable => Some("InvalidRequest"),
            Reason::OtherConfiguration
            | Reason::Behind
            | Reason::RegionalHit
            | Reason::Fresh
            | Reason::StaleWhileRevalidate
            | Reason::OriginLeftAlone
            | Reason::MaxStale
            | Reason::OnlyIfCached
            | Reason::Arriving
            | Reason::Revalidated
            | Reason::StaleIfError
            | Reason::Fetched
            | Reason::Joined
            | Reason::Passed
            | Reason::RedirectToHttps
            | Reason::TooManyFetches
            | Reason::OriginBusy => None,
        }
    }
}
