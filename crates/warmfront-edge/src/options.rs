use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use subtle::ConstantTimeEq;
use warmfront_caching::Switches;
use warmfront_clock::Clock;
use warmfront_facts::OriginAllow;
use warmfront_model::AccountId;
use warmfront_signing::{Credentials, TokenKey};

use crate::access_log::AccessLog;
use crate::lease::Tenure;
use crate::origin::RefillLimits;
use crate::tier::Tier;

/// What an edge is to be.
#[derive(Clone)]
pub struct EdgeOptions {
    /// The account in the ARNs that origins see.
    pub account: AccountId,
    /// What `x-amz-cf-pop` says, such as `IAD89-P3`.
    pub pop: String,
    /// How many threads serve, each with a listener and a runtime of its own; at least 1.
    pub n_cores: usize,
    /// Where viewers connect over HTTP. Port 0 picks a free one.
    pub http: SocketAddr,
    /// Where viewers connect over TLS, and with which certificates. Port 0 picks a free one.
    pub https: Option<(SocketAddr, Arc<ServerConfig>)>,
    /// How much memory the cache may take, in bytes.
    pub memory_bytes: u64,
    /// Where the cache is kept on disk, so that a restart finds it; `None`: in memory alone.
    pub disk: Option<DiskCache>,
    /// The time.
    pub clock: Clock,
    /// Which private addresses origins may have.
    pub origin_allow: OriginAllow,
    /// How buckets are reached.
    pub buckets: BucketAccess,
    /// Certificates that origins' certificates may be issued by, besides those the system trusts.
    pub origin_roots: Vec<CertificateDer<'static>>,
    /// Whom it faces, and whom it asks. A regional node listens for POPs at `http`, and has no `https`.
    pub tier: Tier,
    /// How a POP knows that it still counts. A regional node needs to know nothing: POPs check what it gives.
    pub tenure: Tenure,
    /// How long after its creation an invalidation is applied; zero: at once.
    pub propagation_delay: Duration,
    /// Which of CloudFront's and the RFCs' ways are taken where they part.
    pub switches: Switches,
    /// What a request's `X-Warmfront-Explain` must say to be answered; `None`: such requests from loopback alone are.
    pub explain_token: Option<ExplainToken>,
    /// What the tokens are read with that CreateInvalidation gives; `None`: requests that carry one are refused.
    pub tokens: Option<TokenKey>,
    /// Where requests of all distributions are logged; `None`: nowhere.
    pub access_log: Option<AccessLog>,
    /// What may grow, and how far.
    pub limits: Limits,
}

/// What those know who may ask why a request was answered as it was. A secret: it is compared in constant time, and not
/// shown.
#[derive(Clone)]
pub struct ExplainToken(Arc<str>);

impl ExplainToken {
    /// The shortest token, in bytes.
    pub const BYTES_MIN: usize = 16;

    /// `None` if `text` is shorter than [`ExplainToken::BYTES_MIN`], or no value for a header field.
    pub fn new(text: &str) -> Option<ExplainToken> {
        let fits = text.len() >= Self::BYTES_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| ExplainToken(text.into()))
    }

    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(presented).into()
    }
}

impl fmt::Debug for ExplainToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ExplainToken(..)")
    }
}

/// The part of the cache that is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskCache {
    /// Its folder, for this process alone; made if it is not there.
    pub folder: PathBuf,
    /// How many bytes it may take; at least [`warmfront_store::DISK_BYTES_MIN`].
    pub bytes: u64,
}

/// How the edge reaches origins that are S3 buckets.
#[derive(Clone)]
pub struct BucketAccess {
    /// Scheme, host and port of an S3 service, such as `http://127.0.0.1:4566`, where buckets are the first part of the
    /// path; `None`: AWS, at the origin's own domain name.
    pub endpoint: Option<String>,
    /// What requests are signed with where an origin access control asks for it.
    pub credentials: Option<Credentials>,
    /// The region of buckets whose domain name has none.
    pub region: String,
    /// Whether the distribution's ARN goes along in `x-amz-source-arn`: for a bucket of ours, which knows the edge's key.
    pub source_arn: bool,
}

/// What may grow, and how far. At each limit there is a documented answer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Path and query string of a request, in bytes; beyond: 414.
    pub url_bytes_max: usize,
    /// All header fields of a request, in bytes; beyond: 494, and the connection is closed.
    pub header_bytes_max: usize,
    /// Connections from viewers, on each core; beyond: they wait in the listener's backlog.
    pub connections_max: usize,
    /// How long a viewer may take to send a request's head, or stay idle between two requests.
    pub head_timeout: Duration,
    /// How long a request waits for its origin after its viewer has closed its sending side, and so may be gone or may just
    /// have nothing more to say; beyond: it counts as gone.
    pub half_closed: Duration,
    /// Fetches in flight, on the whole node; beyond: 503.
    pub fetches_max: usize,
    /// How many of them fill the cache from one origin at a time, and how many wait for that.
    pub refills: RefillLimits,
    /// How long a regional node that lags behind what a POP needs tries to catch up, before it says so.
    pub catch_up: Duration,
    /// How long a request whose token is of an invalidation that the node has not applied waits for that; beyond, it goes past
    /// the cache.
    pub token_wait: Duration,
    /// How long requests may still run after shutdown was asked for.
    pub drain: Duration,
}

impl Default for Limits {
    /// URL and header sizes are CloudFront's (Developer Guide, "Quotas").
    fn default() -> Self {
        Limits {
            url_bytes_max: 8_192,
            header_bytes_max: 32_768,
            connections_max: 16_384,
            head_timeout: Duration::from_secs(60),
            half_closed: Duration::from_secs(5),
            fetches_max: 8_192,
            refills: RefillLimits::default(),
            catch_up: Duration::from_millis(500),
            token_wait: Duration::from_secs(1),
            drain: Duration::from_secs(10),
        }
    }
}
