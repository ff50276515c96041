//! One field of a message.

use http::HeaderName;
use http::header::{AGE, DATE, ETAG, IF_NONE_MATCH};
use warmfront_caching::{FreshnessRule, Lifetime, copy_for_request};
use warmfront_http::{
    CacheControl, Comparison, DELTA_SECONDS_MAX, EntityTag, RequestDirectives, Vary, accepted_encodings, age_field,
    any_tag_matches, connection_options, date_field, format_http_date, is_hop_by_hop, parse_http_date,
    remove_hop_by_hop, targeted_directives,
};
use warmfront_model::{AcceptEncoding, Timestamp};

use crate::input::{field, halves, head};

pub(super) fn accept_encoding(data: &[u8]) {
    let headers = field("accept-encoding", data);
    let accepted = accepted_encodings(&headers);
    assert_eq!(accepted.present, !headers.is_empty());
    for (gzip, brotli) in [(false, false), (false, true), (true, false), (true, true)] {
        let Some(normal) = accepted.normalized(AcceptEncoding { gzip, brotli }) else {
            continue;
        };
        // The normal form means what it was made from.
        let again = accepted_encodings(&field("accept-encoding", normal.as_bytes()));
        assert_eq!(
            (again.gzip, again.brotli),
            (accepted.gzip && gzip, accepted.brotli && brotli)
        );
    }
}

pub(super) fn age(data: &[u8]) {
    let headers = field("age", data);
    if let Some(secs) = age_field(&headers) {
        assert!(secs <= DELTA_SECONDS_MAX);
        assert!(headers.contains_key(AGE));
    }
}

pub(super) fn cache_control(data: &[u8]) {
    let headers = field("cache-control", data);
    let directives = CacheControl::parse(&headers);
    assert_eq!(directives.present, !headers.is_empty());
    assert_bounded(&directives);
}

fn assert_bounded(directives: &CacheControl) {
    let seconds = [
        directives.max_age_secs,
        directives.s_maxage_secs,
        directives.stale_while_revalidate_secs,
        directives.stale_if_error_secs,
    ];
    assert!(seconds.into_iter().flatten().all(|secs| secs <= DELTA_SECONDS_MAX));
}

/// Cache-Control of a request, and Pragma behind an empty line.
pub(super) fn request_directives(data: &[u8]) {
    let (cache_control, pragma) = halves(data);
    let mut headers = field("cache-control", cache_control);
    headers.extend(field("pragma", pragma));
    if let Some(directives) = RequestDirectives::of(&headers) {
        assert!(directives.max_age_secs.is_none_or(|secs| secs <= DELTA_SECONDS_MAX));
        // What asks for more than there is, is nothing to count with.
        for fresh_secs in [0, 60, u64::MAX] {
            let lifetime = Lifetime {
                fresh_secs,
                rule: FreshnessRule::MaxAge,
                stale_while_revalidate_secs: 0,
                stale_if_error_secs: 0,
                initial_age_secs: fresh_secs,
            };
            let times = (Timestamp(0), Timestamp(i64::MAX));
            let _ = copy_for_request(&lifetime, Some(&directives), times);
        }
    }
}

/// CDN-Cache-Control: a structured dictionary.
pub(super) fn targeted(data: &[u8]) {
    let name = HeaderName::from_static("cdn-cache-control");
    if let Some(directives) = targeted_directives(&field("cdn-cache-control", data), &name) {
        assert!(directives.present);
        assert_bounded(&directives);
    }
}

pub(super) fn connection(data: &[u8]) {
    let mut headers = head(data);
    let named: Vec<_> = connection_options(&headers).collect();
    remove_hop_by_hop(&mut headers);
    assert!(headers.keys().all(|name| !is_hop_by_hop(name) && !named.contains(name)));
}

pub(super) fn entity_tags(data: &[u8]) {
    for tag in warmfront_http::entity_tags(data) {
        assert!(
            tag.opaque
                .iter()
                .all(|&byte| byte > b' ' && byte != b'"' && byte != 0x7f)
        );
        let prefix = if tag.weak { &b"W/\""[..] } else { b"\"" };
        let written = [prefix, tag.opaque, b"\""].concat();
        assert_eq!(EntityTag::parse(&written), Some(tag));
        assert!(tag.matches(tag, Comparison::Weak));
        assert_eq!(tag.matches(tag, Comparison::Strong), !tag.weak);
    }
    let response = field("etag", data);
    let request = field("if-none-match", data);
    let current = EntityTag::of(&response);
    assert!(current.is_none() || response.contains_key(ETAG));
    let weak = any_tag_matches(&request, IF_NONE_MATCH, current, Comparison::Weak);
    let strong = any_tag_matches(&request, IF_NONE_MATCH, current, Comparison::Strong);
    assert_eq!(weak.is_none(), request.is_empty());
    assert!(weak == Some(true) || strong != Some(true));
}

pub(super) fn http_date(data: &[u8]) {
    if let Some(moment) = parse_http_date(data) {
        let written = format_http_date(moment);
        assert_eq!(parse_http_date(written.as_bytes()), Some(moment));
    }
    let headers = field("date", data);
    assert_eq!(date_field(&headers, DATE).is_none(), headers.is_empty());
}

pub(super) fn vary(data: &[u8]) {
    if let Vary::Fields(names) = Vary::parse(&field("vary", data)) {
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name) && name.as_str() != "*");
        }
    }
}
