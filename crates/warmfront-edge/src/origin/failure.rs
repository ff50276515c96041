use std::error::Error;
use std::net::IpAddr;

use http::StatusCode;
use thiserror::Error;

use crate::outcome::Reason;

/// Why an origin gave no answer, or only part of one.
#[derive(Debug, Error)]
pub(crate) enum FetchFailure {
    /// No connection.
    #[error("no connection to the origin: {0}")]
    Connect(#[from] ConnectFailure),
    /// Connected, and no answer within the read timeout.
    #[error("the origin did not answer in time")]
    NoAnswer,
    /// What it answered is no HTTP, or it closed before the head was whole.
    #[error("the origin's answer cannot be read: {0}")]
    Invalid(String),
    /// The body stopped before its end.
    #[error("the origin's answer broke off: {0}")]
    BrokeOff(String),
    /// The request cannot be put into HTTP, or cannot be signed.
    #[error("the request to the origin cannot be made: {0}")]
    Unsendable(String),
    /// Too many fetches are in flight.
    #[error("too many fetches are in flight")]
    Overload,
    /// Too many fetches wait for their turn at the origin, or this one has waited too long.
    #[error("too many fetches wait for the origin")]
    OriginBusy,
    /// The regional node that asked the origin got no answer.
    #[error("a regional node got no answer from the origin: {}", reason.as_str())]
    AtParent {
        /// Why.
        reason: Reason,
        /// The status for the viewer.
        status: StatusCode,
    },
    /// The fetch was given up: the edge is shutting down.
    #[error("the fetch was given up")]
    Abandoned,
}

/// Why there is no connection to an origin.
#[derive(Debug, Error)]
pub(crate) enum ConnectFailure {
    /// The name does not resolve.
    #[error("{host} cannot be resolved: {source}")]
    Dns {
        /// The name.
        host: String,
        /// Why.
        source: std::io::Error,
    },
    /// Every address is private, loopback or link-local, and not allowed.
    #[error("{host} is at {address}, which origin.allow does not list")]
    NotAllowed {
        /// The name.
        host: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// No address accepted a connection.
    #[error("{host}: {source}")]
    Refused {
        /// The name.
        host: String,
        /// What the last attempt said.
        source: std::io::Error,
    },
    /// No attempt connected within the connection timeout.
    #[error("{host} did not accept a connection in time")]
    TimedOut {
        /// The name.
        host: String,
    },
    /// TLS failed, or the certificate is not for this origin.
    #[error("{host}: TLS failed: {source}")]
    Tls {
        /// The name.
        host: String,
        /// Why.
        source: std::io::Error,
    },
}

impl FetchFailure {
    /// The status that the viewer gets.
    ///
    /// Source: CloudFront Developer Guide, "Troubleshoot error responses from your origin": 502 without a usable
    /// connection or answer, 504 when time runs out, 503 for lack of capacity.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            FetchFailure::Connect(ConnectFailure::TimedOut { .. }) | FetchFailure::NoAnswer => {
                StatusCode::GATEWAY_TIMEOUT
            }
            FetchFailure::Connect(_)
            | FetchFailure::Invalid(_)
            | FetchFailure::BrokeOff(_)
            | FetchFailure::Unsendable(_) => StatusCode::BAD_GATEWAY,
            FetchFailure::AtParent { status, .. } => *status,
            FetchFailure::Overload | FetchFailure::OriginBusy | FetchFailure::Abandoned => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Its word.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            FetchFailure::Connect(ConnectFailure::Dns { .. }) => Reason::OriginDns,
            FetchFailure::Connect(ConnectFailure::NotAllowed { .. }) => Reason::OriginNotAllowed,
            FetchFailure::Connect(ConnectFailure::Refused { .. }) => Reason::OriginConnect,
            FetchFailure::Connect(ConnectFailure::TimedOut { .. }) => Reason::OriginConnectTimeout,
            FetchFailure::Connect(ConnectFailure::Tls { .. }) => Reason::OriginTls,
            FetchFailure::NoAnswer => Reason::OriginTimeout,
            FetchFailure::Invalid(_) => Reason::OriginInvalid,
            FetchFailure::BrokeOff(_) => Reason::OriginBrokeOff,
            FetchFailure::AtParent { reason, .. } => *reason,
            FetchFailure::Unsendable(_) => Reason::Unsendable,
            FetchFailure::Overload => Reason::TooManyFetches,
            FetchFailure::OriginBusy => Reason::OriginBusy,
            FetchFailure::Abandoned => Reason::GivenUp,
        }
    }

    /// Whether the origin was not even asked, for there was no place for the fetch here. It may be tried again soon.
    pub(crate) fn is_for_lack_of_room(&self) -> bool {
        match self {
            FetchFailure::Overload | FetchFailure::OriginBusy => true,
            FetchFailure::AtParent { reason, .. } => *reason == Reason::OriginBusy,
            _ => false,
        }
    }

    /// What a regional node's word and status say about the origin. `None` if they are about the regional node alone, so
    /// that the origin may well answer.
    pub(crate) fn at_parent(word: &str, status: StatusCode) -> Option<FetchFailure> {
        const OF_THE_ORIGIN: [Reason; 9] = [
            Reason::OriginBusy,
            Reason::OriginDns,
            Reason::OriginNotAllowed,
            Reason::OriginConnect,
            Reason::OriginConnectTimeout,
            Reason::OriginTls,
            Reason::OriginTimeout,
            Reason::OriginInvalid,
            Reason::OriginBrokeOff,
        ];
        let reason = OF_THE_ORIGIN.into_iter().find(|known| known.as_str() == word)?;
        Some(FetchFailure::AtParent { reason, status })
    }

    /// Whether the connection ended before anything of an answer came.
    pub(crate) fn ended_without_answer(error: &hyper_util::client::legacy::Error) -> bool {
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(error) = cause.downcast_ref::<hyper::Error>()
                && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
            {
                return true;
            }
            // Connecting has attempts of its own.
            if cause.is::<ConnectFailure>() {
                return false;
            }
            if let Some(error) = cause.downcast_ref::<std::io::Error>() {
                use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
                return matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
            }
            source = cause.source();
        }
        false
    }

    /// What the client's error was, told by its sources.
    pub(crate) fn from_client(error: &hyper_util::client::legacy::Error) -> FetchFailure {
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(failure) = cause.downcast_ref::<ConnectFailure>() {
                return FetchFailure::Connect(failure.again());
            }
            source = cause.source();
        }
        FetchFailure::Invalid(describe(error))
    }
}

impl ConnectFailure {
    /// A copy; I/O errors keep their kind and words.
    fn again(&self) -> ConnectFailure {
        let copied = |source: &std::io::Error| std::io::Error::new(source.kind(), source.to_string());
        match self {
            ConnectFailure::Dns { host, source } => ConnectFailure::Dns {
                host: host.clone(),
                source: copied(source),
            },
            ConnectFailure::NotAllowed { host, address } => ConnectFailure::NotAllowed {
                host: host.clone(),
                address: *address,
            },
            ConnectFailure::Refused { host, source } => ConnectFailure::Refused {
                host: host.clone(),
                source: copied(source),
            },
            ConnectFailure::TimedOut { host } => ConnectFailure::TimedOut { host: host.clone() },
            ConnectFailure::Tls { host, source } => ConnectFailure::Tls {
                host: host.clone(),
                source: copied(source),
            },
        }
    }
}

/// An error and its sources in one line.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
