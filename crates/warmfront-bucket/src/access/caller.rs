use std::net::SocketAddr;

use http::HeaderMap;
use s3s::{S3Result, s3_error};
use warmfront_model::{AccountId, Timestamp};
use warmfront_policy::{Context, Principal};

use crate::bucket::BucketOptions;
use crate::{dates, errors};

/// The service for which the edge speaks.
const CLOUDFRONT: &str = "cloudfront.amazonaws.com";

/// The header in which the edge names its distribution.
const SOURCE_ARN: &str = "x-amz-source-arn";

/// Who a request is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The root user of the account that owns the buckets.
    Root,
    /// CloudFront, for the distribution in the condition key `aws:SourceArn` if there is one.
    CloudFront,
    /// Whoever does not sign.
    Anonymous,
}

/// A request's identity and condition keys.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub identity: Identity,
    pub context: Context,
    pub account: AccountId,
}

/// What a request is judged by. Its signature, if it has one, has been verified.
pub(crate) struct Circumstances<'a> {
    /// Whose key signed it.
    pub access_key_id: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// The query as it came.
    pub query: &'a str,
    pub peer: Option<SocketAddr>,
    pub now: Timestamp,
}

impl Circumstances<'_> {
    /// The values of a query parameter, decoded.
    fn query_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.query.split('&').filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key) == name).then(|| decoded(value))
        })
    }

    pub(crate) fn has_query(&self, name: &str) -> bool {
        self.query_values(name).next().is_some()
    }

    /// The names in the SignedHeaders of an Authorization header; `None` if the request was signed in another way.
    fn signed_headers(&self) -> Option<Vec<&str>> {
        if self.has_query("X-Amz-Signature") || self.has_query("Signature") {
            return None;
        }
        let authorization = self.headers.get("authorization")?.to_str().ok()?;
        let rest = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let mut fields = rest.split(',').map(str::trim);
        Some(
            fields
                .find_map(|field| field.strip_prefix("SignedHeaders="))?
                .split(';')
                .collect(),
        )
    }
}

impl Caller {
    /// Tells who a request is from, and under which circumstances it came.
    ///
    /// # Errors
    /// The edge must sign by Version 4 in the Authorization header, and must sign the distribution it names.
    pub(crate) fn identify(circumstances: &Circumstances<'_>, options: &BucketOptions) -> S3Result<Caller> {
        let identity = match circumstances.access_key_id {
            None => Identity::Anonymous,
            Some(id) if id == options.edge.access_key_id => Identity::CloudFront,
            Some(id) if id == options.root.access_key_id => Identity::Root,
            Some(_) => return Err(errors::access_denied()),
        };
        let signed_headers = circumstances.signed_headers();
        // boto3 still makes presigned URLs of Signature Version 2 in us-east-1; the edge always signs its headers.
        if identity == Identity::CloudFront && signed_headers.is_none() {
            return Err(s3_error!(
                InvalidRequest,
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
            ));
        }
        let root_arn = root_arn(&options.account);
        let mut context = Context::of(principal(identity, &root_arn, &options.account));
        if identity == Identity::CloudFront {
            if let Some(arn) = source_arn(circumstances, signed_headers.as_deref().unwrap_or_default())? {
                if let Some(account) = arn.split(':').nth(4).filter(|account| !account.is_empty()) {
                    context.insert("aws:SourceAccount", account);
                }
                context.insert("aws:SourceArn", arn);
            }
        } else if let Some(peer) = circumstances.peer {
            context.insert("aws:SourceIp", peer.ip().to_canonical().to_string());
        }
        insert_common(&mut context, circumstances);
        Ok(Caller {
            identity,
            context,
            account: options.account.clone(),
        })
    }

    /// The principal for the policy's evaluation; `root_arn` is [`Caller::root_arn`].
    pub(crate) fn principal<'a>(&'a self, root_arn: &'a str) -> Principal<'a> {
        principal(self.identity, root_arn, &self.account)
    }

    pub(crate) fn root_arn(&self) -> String {
        root_arn(&self.account)
    }

    /// Refuses a request that expects another owner. Source: S3 User Guide, "Verifying bucket ownership".
    pub(super) fn require_owner(&self, headers: &HeaderMap) -> S3Result<()> {
        let names = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];
        let expected = names.into_iter().flat_map(|name| headers.get_all(name));
        let mut others = expected.filter(|owner| owner.as_bytes() != self.account.as_str().as_bytes());
        if others.next().is_some() {
            Err(errors::access_denied())
        } else {
            Ok(())
        }
    }
}

fn root_arn(account: &AccountId) -> String {
    format!("arn:aws:iam::{account}:root")
}

fn principal<'a>(identity: Identity, root_arn: &'a str, account: &'a AccountId) -> Principal<'a> {
    match identity {
        Identity::Root => Principal::Identity {
            arn: root_arn,
            account: account.as_str(),
        },
        Identity::CloudFront => Principal::Service(CLOUDFRONT),
        Identity::Anonymous => Principal::Anonymous,
    }
}

/// The distribution for which the edge asks, believed only if the edge's signature covers it.
fn source_arn<'a>(circumstances: &'a Circumstances<'_>, signed_headers: &[&str]) -> S3Result<Option<&'a str>> {
    let mut given = circumstances.headers.get_all(SOURCE_ARN).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() || !signed_headers.contains(&SOURCE_ARN) {
        return Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed"
        ));
    }
    value.to_str().map(Some).map_err(|_| errors::access_denied())
}

/// The condition keys that do not depend on who asks.
///
/// Source: IAM User Guide, "AWS global condition context keys"; service authorization reference for Amazon S3.
fn insert_common(context: &mut Context, circumstances: &Circumstances<'_>) {
    // Nothing that comes over loopback crosses a network; of the edge in this process that holds as well.
    let is_secure = circumstances
        .peer
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    context.insert("aws:SecureTransport", if is_secure { "true" } else { "false" });
    context.insert("aws:EpochTime", circumstances.now.unix_secs().to_string());
    context.insert("aws:CurrentTime", dates::iso_date(circumstances.now.0));
    for (name, key) in [("referer", "aws:Referer"), ("user-agent", "aws:UserAgent")] {
        if let Some(value) = circumstances.headers.get(name).and_then(|value| value.to_str().ok()) {
            context.insert(key, value);
        }
    }
    for (name, key) in [
        ("prefix", "s3:prefix"),
        ("delimiter", "s3:delimiter"),
        ("max-keys", "s3:max-keys"),
    ] {
        for value in circumstances.query_values(name) {
            context.insert(key, value);
        }
    }
}

/// A query's text without its percent-encoding; `+` is a space, as the protocol layer reads it.
fn decoded(text: &str) -> String {
    let spaces = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaces)
        .decode_utf8_lossy()
        .into_owned()
}
