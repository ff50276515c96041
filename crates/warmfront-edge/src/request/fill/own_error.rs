//! What the edge says itself when an origin gives no answer, kept for a while.

use std::sync::Arc;

use http::StatusCode;
use http::header::DATE;
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_http::format_http_date;
use warmfront_model::Timestamp;
use warmfront_store::{Body, Head, StoredResponse};

use super::Filling;
use crate::error_page::{error_page_head, error_page_html};
use crate::identifiers::request_id;
use crate::origin::FetchFailure;
use crate::request::answer::{failure_message, prepare};

impl Filling {
    /// Keeps the page for a failing origin for ErrorCachingMinTTL, stamped like the answer that did not come, so that an
    /// invalidation clears it. Not where an expired copy stands in, and not for what is no fault of the origin's.
    ///
    /// Source: CloudFront Developer Guide, "How CloudFront processes and caches HTTP 4xx and 5xx status codes" (codes that
    /// CloudFront returns itself count as the origin's).
    pub(super) fn keep_own_error(&self, failure: &FetchFailure, asked: Timestamp) {
        let status = failure.status();
        let is_origins = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
            && !matches!(failure, FetchFailure::Unsendable(_));
        let rules = self.rules(status);
        let fresh_secs = rules.error_caching_min_ttl_secs.min(rules.ttl.max_secs);
        if !rules.switches.own_errors_cached || !is_origins || fresh_secs == 0 || self.plan.expired.is_some() {
            return;
        }
        let mut headers = error_page_head();
        headers.insert(DATE, format_http_date(asked));
        prepare(&self.core.node, &mut headers);
        let head = Head {
            status,
            headers,
            lifetime: Lifetime {
                fresh_secs,
                rule: FreshnessRule::ErrorCachingMinTtl,
                stale_while_revalidate_secs: 0,
                stale_if_error_secs: 0,
                initial_age_secs: 0,
            },
            response_time: asked,
        };
        let html = error_page_html(status, failure_message(failure), &request_id());
        let body = Body::whole(vec![html.into()]);
        let response = StoredResponse::new(head, self.landing.flight.stamp().as_of(), self.tag_header(), body);
        self.store(Arc::new(response), None);
    }
}
