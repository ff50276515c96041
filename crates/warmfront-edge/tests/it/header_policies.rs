//! Custom policies of the three kinds, which the distributions that use them follow.

use std::sync::Arc;

use bytes::Bytes;
use warmfront_facts::{Key, Policy, PolicyRecord};
use warmfront_model::{CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy, Revision};
use warmfront_testkit::{Ask, Behavior, Origin, Reply, START, Site, Testbed, edge_options};
use warmfront_wire::from_xml;

use crate::check;

const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const SIMPLE_CORS: &str = "60669652-455b-4ae9-85a4-c4c02393f86c";
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";

/// The policies that the default behavior names, by Id; an empty Id names none.
struct Named<'a> {
    cache: &'a str,
    origin_request: &'a str,
    response_headers: &'a str,
}

const NONE: Named<'_> = Named {
    cache: CACHING_OPTIMIZED,
    origin_request: "",
    response_headers: "",
};

/// An edge with one distribution, before an origin that answers `/a`.
async fn with(named: &Named<'_>) -> (Origin, Testbed) {
    let origin = Origin::start().await;
    let reply = Reply::ok("one").max_age(60).header("x-frame-options", "SAMEORIGIN");
    origin.reply("/a", reply.header("x-powered-by", "php"));
    let bed = Testbed::start(edge_options()).await;
    let site = Site::new(&origin).default_behavior(Behavior::to("web").cache_policy(CACHING_OPTIMIZED).all_methods());
    let mut config = site.config();
    let behavior = &mut config.default_cache_behavior;
    behavior.cache_policy_id = Some(named.cache.to_owned());
    behavior.origin_request_policy_id = Some(named.origin_request.to_owned());
    behavior.response_headers_policy_id = Some(named.response_headers.to_owned());
    bed.write_config(&site, config).await;
    (origin, bed)
}

async fn commit(bed: &Testbed, key: &Key, value: Bytes) {
    let revision = bed.commit(&key.to_string(), value).await;
    bed.applied(revision).await;
}

/// Writes a policy as the control plane does, and waits until the edge has it.
async fn write<P: Policy>(bed: &Testbed, id: &str, xml: &str) {
    let config: P::Config = from_xml(xml.as_bytes()).unwrap();
    let record = PolicyRecord::<P> {
        id: id.to_owned(),
        last_modified: START,
        revision: Revision::ZERO,
        policy: Arc::new(P::validated(&config, id).unwrap()),
        config,
    };
    commit(bed, &Key::Policy(P::KIND, id.to_owned()), record.encode().unwrap()).await;
}

fn response_headers(frame: &str, rest: &str) -> String {
    format!(
        "<ResponseHeadersPolicyConfig><Name>p</Name><SecurityHeadersConfig><FrameOptions><Override>true</Override>\
         <FrameOption>{frame}</FrameOption></FrameOptions></SecurityHeadersConfig>{rest}</ResponseHeadersPolicyConfig>"
    )
}

const REMOVE_POWERED_BY: &str = "<RemoveHeadersConfig><Quantity>1</Quantity><Items><ResponseHeadersPolicyRemoveHeader>\
    <Header>X-Powered-By</Header></ResponseHeadersPolicyRemoveHeader></Items></RemoveHeadersConfig>";

#[tokio::test]
async fn a_response_headers_policy_that_changes_shows_on_the_next_hit() {
    let (origin, bed) = with(&Named {
        response_headers: "p",
        ..NONE
    })
    .await;
    write::<ResponseHeadersPolicy>(&bed, "p", &response_headers("DENY", REMOVE_POWERED_BY)).await;
    for outcome in ["Miss", "Hit"] {
        let answer = bed.get("/a").await;
        check(&answer, 200, outcome, "one");
        assert_eq!(
            (answer.header("x-frame-options"), answer.header("x-powered-by")),
            ("DENY", "")
        );
    }
    write::<ResponseHeadersPolicy>(&bed, "p", &response_headers("SAMEORIGIN", "")).await;
    let answer = bed.get("/a").await;
    check(&answer, 200, "Hit", "one");
    assert_eq!(
        (answer.header("x-frame-options"), answer.header("x-powered-by")),
        ("SAMEORIGIN", "php")
    );
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn what_passes_the_cache_gets_its_headers_too() {
    let (_origin, bed) = with(&Named {
        cache: CACHING_DISABLED,
        response_headers: "p",
        ..NONE
    })
    .await;
    write::<ResponseHeadersPolicy>(&bed, "p", &response_headers("DENY", REMOVE_POWERED_BY)).await;
    let answer = bed.get("/a").await;
    check(&answer, 200, "Miss", "one");
    assert_eq!(
        (answer.header("x-frame-options"), answer.header("x-powered-by")),
        ("DENY", "")
    );
}

#[tokio::test]
async fn one_stored_copy_answers_with_and_without_cors() {
    let (origin, bed) = with(&Named {
        response_headers: SIMPLE_CORS,
        ..NONE
    })
    .await;
    let cors = Ask::get("/a").header("origin", "https://a.test");
    assert_eq!(bed.get("/a").await.header("access-control-allow-origin"), "");
    assert_eq!(bed.ask(&cors).await.header("access-control-allow-origin"), "*");
    assert_eq!(bed.get("/a").await.header("access-control-allow-origin"), "");
    assert_eq!(origin.n_requests(), 1);
}

#[tokio::test]
async fn server_timing_tells_a_hit_from_a_miss() {
    let timing = "<ServerTimingHeadersConfig><Enabled>true</Enabled><SamplingRate>100</SamplingRate>\
                  </ServerTimingHeadersConfig>";
    let (_origin, bed) = with(&Named {
        response_headers: "p",
        ..NONE
    })
    .await;
    write::<ResponseHeadersPolicy>(&bed, "p", &response_headers("DENY", timing)).await;
    for (metric, is_timed) in [("cdn-cache-miss", true), ("cdn-cache-hit", false)] {
        let answer = bed.get("/a").await;
        let value = answer.header("server-timing");
        let (pop, id) = (answer.header("x-amz-cf-pop"), answer.header("x-amz-cf-id"));
        let expected = format!("{metric},cdn-pop;desc=\"{pop}\",cdn-rid;desc=\"{id}\"");
        assert!(value.contains(&expected), "{value}");
        for name in [
            "cdn-upstream-dns",
            "cdn-upstream-connect",
            "cdn-upstream-fbl",
            "cdn-downstream-fbl",
        ] {
            let duration = value
                .split(',')
                .find_map(|metric| metric.strip_prefix(name)?.strip_prefix(";dur="));
            assert_eq!(
                duration.is_some_and(|ms| ms.parse::<u64>().is_ok()),
                is_timed,
                "{name}: {value}"
            );
        }
    }
}

#[tokio::test]
async fn a_cache_policy_that_changes_changes_the_key() {
    let (origin, bed) = with(&Named { cache: "p", ..NONE }).await;
    let policy = |behavior: &str| {
        format!(
            "<CachePolicyConfig><Name>p</Name><MinTTL>0</MinTTL><ParametersInCacheKeyAndForwardedToOrigin>\
             <EnableAcceptEncodingGzip>false</EnableAcceptEncodingGzip><HeadersConfig><HeaderBehavior>none</HeaderBehavior>\
             </HeadersConfig><CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig><QueryStringsConfig>\
             <QueryStringBehavior>{behavior}</QueryStringBehavior></QueryStringsConfig>\
             </ParametersInCacheKeyAndForwardedToOrigin></CachePolicyConfig>"
        )
    };
    check(&bed.get("/a?x=1").await, 200, "Miss", "one");
    check(&bed.get("/a?x=1").await, 200, "Miss", "one");
    write::<CachePolicy>(&bed, "p", &policy("all")).await;
    check(&bed.get("/a?x=1").await, 200, "Miss", "one");
    check(&bed.get("/a?x=1").await, 200, "Hit", "one");
    check(&bed.get("/a?x=2").await, 200, "Miss", "one");
    assert_eq!(origin.last_request().target, "/a?x=2");
    write::<CachePolicy>(&bed, "p", &policy("none")).await;
    check(&bed.get("/a?x=3").await, 200, "Miss", "one");
    check(&bed.get("/a?x=4").await, 200, "Hit", "one");
    assert_eq!(origin.last_request().target, "/a");
}

#[tokio::test]
async fn an_origin_request_policy_sends_what_is_not_in_the_key() {
    let (origin, bed) = with(&Named {
        origin_request: "p",
        ..NONE
    })
    .await;
    let policy = "<OriginRequestPolicyConfig><Name>p</Name><HeadersConfig><HeaderBehavior>whitelist</HeaderBehavior><Headers>\
                  <Quantity>2</Quantity><Items><Name>Referer</Name><Name>CloudFront-Forwarded-Proto</Name></Items></Headers>\
                  </HeadersConfig><CookiesConfig><CookieBehavior>all</CookieBehavior></CookiesConfig><QueryStringsConfig>\
                  <QueryStringBehavior>whitelist</QueryStringBehavior><QueryStrings><Quantity>1</Quantity><Items><Name>v</Name>\
                  </Items></QueryStrings></QueryStringsConfig></OriginRequestPolicyConfig>";
    write::<OriginRequestPolicy>(&bed, "p", policy).await;
    let ask = Ask::get("/a?v=1&w=2")
        .header("referer", "/b")
        .header("cookie", "b=2; a=1")
        .header("x-a", "1");
    check(&bed.ask(&ask).await, 200, "Miss", "one");
    let seen = origin.only_request();
    assert_eq!(
        (seen.target.as_str(), seen.header("referer"), seen.header("cookie")),
        ("/a?v=1", "/b", "a=1; b=2")
    );
    assert_eq!(
        (seen.header("cloudfront-forwarded-proto"), seen.header("x-a")),
        ("http", "")
    );
    check(&bed.get("/a?v=2").await, 200, "Hit", "one");
}

#[tokio::test]
async fn all_viewer_sends_host_to_a_custom_origin() {
    let (origin, bed) = with(&Named {
        origin_request: ALL_VIEWER,
        ..NONE
    })
    .await;
    let host = "de1u5rqf7t870k0.cloudfront.net";
    check(
        &bed.ask(&Ask::get("/a").host(host).header("user-agent", "curl/8")).await,
        200,
        "Miss",
        "one",
    );
    let seen = origin.only_request();
    assert_eq!((seen.header("host"), seen.header("user-agent")), (host, "curl/8"));
}
