//! XML of the control plane, JSON of policies, signatures of requests, tokens of invalidations.

use std::fmt::Debug;
use std::str;

use warmfront_model::{DistributionId, Timestamp};
use warmfront_policy::{Policy, PolicyKind, is_public};
use warmfront_signing::{Incoming, Scope, SecretKey, TokenKey, verify};
use warmfront_wire::types::{
    CachePolicyConfig, DistributionConfig, InvalidationBatch, OriginAccessControlConfig, OriginRequestPolicyConfig,
    ResponseHeadersPolicyConfig,
};
use warmfront_wire::{Document, convert, from_xml, to_xml};

use crate::input::{choice, halves, head};

pub(super) fn control_xml(data: &[u8]) {
    let (which, body) = choice(data);
    match which % 6 {
        0 => distribution(body),
        1 => both_ways::<InvalidationBatch>(body),
        2 => both_ways::<CachePolicyConfig>(body),
        3 => both_ways::<OriginRequestPolicyConfig>(body),
        4 => both_ways::<ResponseHeadersPolicyConfig>(body),
        _ => both_ways::<OriginAccessControlConfig>(body),
    }
}

/// What was read can be written, and reads as the same.
fn both_ways<T: Document + PartialEq + Debug>(body: &[u8]) {
    if let Ok(read) = from_xml::<T>(body) {
        let written = to_xml(&read);
        assert_eq!(from_xml::<T>(written.as_ref()).as_ref(), Ok(&read));
    }
}

fn distribution(body: &[u8]) {
    both_ways::<DistributionConfig>(body);
    if let Ok(config) = from_xml::<DistributionConfig>(body) {
        let id = DistributionId::parse("E1U5RQF7T870K0").expect("an Id");
        if let Ok(distribution) = convert::distribution(&convert::with_defaults(config), id, "d.cloudfront.net") {
            assert!(!distribution.behaviors.is_empty());
        }
    }
}

pub(super) fn policy_json(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for kind in [PolicyKind::Bucket, PolicyKind::Identity] {
        if let Ok(policy) = Policy::parse(text, kind) {
            let _ = is_public(&policy);
            assert!(Policy::parse(policy.to_json(), kind).is_ok());
        }
    }
}

/// Method, path and query in the first line, the head below it.
pub(super) fn signature(data: &[u8]) {
    let (which, rest) = choice(data);
    let (target, fields) = halves(rest);
    let Ok(target) = str::from_utf8(target) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = head(fields);
    let incoming = Incoming {
        method: "GET",
        path,
        query,
        headers: &headers,
        body_sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };
    let scope = Scope {
        region: "us-east-1",
        service: if which % 2 == 0 { "s3" } else { "cloudfront" },
    };
    let secret = |_: &str| Some(SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    // 2013-05-24T00:00:00Z, the day of Amazon's examples.
    let verified = verify(&incoming, scope, secret, Timestamp(1_369_353_600_000));
    if let Err(refused) = verified {
        assert!(!refused.to_string().is_empty());
    }
}

/// What a viewer says in a field. Nobody can make one without the key.
pub(super) fn invalidation_token(data: &[u8]) {
    let key = TokenKey::derive(&SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    let id = DistributionId::parse("E1U5RQF7T870K0").expect("an Id");
    if let Ok(epoch) = key.read(&id, data) {
        assert_eq!(key.read(&id, key.issue(&id, epoch).as_bytes()), Ok(epoch));
    }
}
