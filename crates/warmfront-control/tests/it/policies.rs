use http::Method;

use crate::client::Server;
use crate::xml::{CACHING_OPTIMIZED, Config, cache_policy, origin_request_policy, response_headers_policy};

/// One kind of policy: its path, the rest of the path that lists its users, the word in its codes, a configuration with a
/// name, and one that AWS manages.
struct Kind {
    path: &'static str,
    users: &'static str,
    code: &'static str,
    config: fn(&str) -> String,
    /// The members of a behavior that names this policy.
    behavior: fn(&str) -> String,
    managed: (&'static str, &'static str),
    n_managed: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        path: "cache-policy",
        users: "distributionsByCachePolicyId",
        code: "CachePolicy",
        config: cache_policy,
        behavior: |id| format!("<CachePolicyId>{id}</CachePolicyId>"),
        managed: (CACHING_OPTIMIZED, "Managed-CachingOptimized"),
        n_managed: "7",
    },
    Kind {
        path: "origin-request-policy",
        users: "distributionsByOriginRequestPolicyId",
        code: "OriginRequestPolicy",
        config: origin_request_policy,
        behavior: |id| {
            format!(
                "<CachePolicyId>{CACHING_OPTIMIZED}</CachePolicyId><OriginRequestPolicyId>{id}</OriginRequestPolicyId>"
            )
        },
        managed: ("216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewer"),
        n_managed: "8",
    },
    Kind {
        path: "response-headers-policy",
        users: "distributionsByResponseHeadersPolicyId",
        code: "ResponseHeadersPolicy",
        config: response_headers_policy,
        behavior: |id| {
            format!(
                "<CachePolicyId>{CACHING_OPTIMIZED}</CachePolicyId><ResponseHeadersPolicyId>{id}</ResponseHeadersPolicyId>"
            )
        },
        managed: ("67f7725c-6f97-4210-82d7-5512b31e9d03", "Managed-SecurityHeadersPolicy"),
        n_managed: "5",
    },
];

impl Kind {
    fn code(&self, before: &str, after: &str) -> String {
        format!("{before}{}{after}", self.code)
    }

    /// The Id and ETag of a new policy.
    async fn create(&self, server: &Server, name: &str) -> (String, String) {
        let created = server.post(self.path, &(self.config)(name)).await;
        assert_eq!(created.status, 201, "{}", created.body);
        (created.text("Id"), created.header("etag"))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[tokio::test]
async fn a_policy_lives_from_creation_to_deletion() {
    for kind in KINDS {
        let server = Server::start().await;
        let created = server.post(kind.path, &(kind.config)("one")).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let (id, etag) = (created.text("Id"), created.header("etag"));
        assert!(is_uuid(&id), "{id}");
        let path = format!("{}/{id}", kind.path);
        assert_eq!(
            created.header("location"),
            format!("https://cloudfront.amazonaws.com/2020-05-31/{path}")
        );
        assert_eq!(created.text("LastModifiedTime"), "2026-11-22T12:00:00.000Z");
        let got = server.get(&path).await;
        assert_eq!((got.header("etag"), got.body), (etag.clone(), created.body));
        let config = server.get(&format!("{path}/config")).await;
        assert_eq!(
            (config.text("Name"), config.header("etag")),
            ("one".to_owned(), etag.clone())
        );

        let update = config.body.replace("<Name>one</Name>", "<Name>two</Name>");
        let without_version = server.send(Method::PUT, &path, None, &update).await;
        without_version.error(400, "InvalidIfMatchVersion");
        let updated = server.put(&path, &etag, &update).await;
        assert_eq!(
            (updated.status.as_u16(), updated.text("Name").as_str()),
            (200, "two"),
            "{}",
            updated.body
        );
        server.put(&path, &etag, &update).await.error(412, "PreconditionFailed");
        assert_eq!(server.get(&path).await.header("etag"), updated.header("etag"));

        server.delete(&path, &etag).await.error(412, "PreconditionFailed");
        assert_eq!(server.delete(&path, &updated.header("etag")).await.status, 204);
        let code = kind.code("NoSuch", "");
        server.get(&path).await.error(404, &code);
        server.get(&format!("{path}/config")).await.error(404, &code);
        server.put(&path, &etag, &update).await.error(404, &code);
        server.delete(&path, &etag).await.error(404, &code);
        server.get(&format!("{}/{id}", kind.users)).await.error(404, &code);
    }
}

#[tokio::test]
async fn policies_are_listed_by_type_in_pages() {
    for kind in KINDS {
        let server = Server::start().await;
        let (one, _) = kind.create(&server, "one").await;
        let (two, _) = kind.create(&server, "two").await;
        let mut custom = vec![one, two];
        custom.sort();
        let managed = server.get(&format!("{}?Type=managed", kind.path)).await;
        assert_eq!(managed.text("Quantity"), kind.n_managed);
        assert!(
            managed.texts("Id").contains(&kind.managed.0.to_owned()),
            "{}",
            managed.body
        );
        assert!(
            managed.texts("Name").contains(&kind.managed.1.to_owned()),
            "{}",
            managed.body
        );
        let listed = server.get(&format!("{}?Type=custom", kind.path)).await;
        assert_eq!(
            (listed.texts("Id"), listed.texts("Type")),
            (custom.clone(), vec!["custom".to_owned(); 2])
        );
        for absent in ["<Marker>", "<IsTruncated>", "<NextMarker>"] {
            assert!(!listed.body.contains(absent), "{}", listed.body);
        }

        let mut paged = Vec::new();
        let mut query = "?MaxItems=3".to_owned();
        loop {
            let page = server.get(&format!("{}{query}", kind.path)).await;
            assert_eq!((page.status.as_u16(), page.text("MaxItems").as_str()), (200, "3"));
            paged.extend(page.texts("Id"));
            match page.texts("NextMarker").pop() {
                Some(next) => query = format!("?MaxItems=3&Marker={next}"),
                None => break,
            }
        }
        assert_eq!(paged, [managed.texts("Id"), custom].concat());
        for wrong in ["?Type=other", "?Marker=nothing", "?MaxItems=0"] {
            server
                .get(&format!("{}{wrong}", kind.path))
                .await
                .error(400, "InvalidArgument");
        }
    }
}

#[tokio::test]
async fn a_name_is_used_once_in_each_kind() {
    let server = Server::start().await;
    for kind in KINDS {
        let (id, etag) = kind.create(&server, "same").await;
        let already = kind.code("", "AlreadyExists");
        server
            .post(kind.path, &(kind.config)("same"))
            .await
            .error(409, &already);
        server
            .post(kind.path, &(kind.config)(kind.managed.1))
            .await
            .error(409, &already);
        kind.create(&server, "other").await;
        let path = format!("{}/{id}", kind.path);
        server
            .put(&path, &etag, &(kind.config)("other"))
            .await
            .error(409, &already);
        assert_eq!(server.put(&path, &etag, &(kind.config)("same")).await.status, 200);
    }
}

#[tokio::test]
async fn what_aws_manages_stays_as_it_is() {
    let server = Server::start().await;
    for kind in KINDS {
        let path = format!("{}/{}", kind.path, kind.managed.0);
        let got = server.get(&path).await;
        assert_eq!((got.status.as_u16(), got.text("Name").as_str()), (200, kind.managed.1));
        let etag = got.header("etag");
        server
            .put(&path, &etag, &(kind.config)("mine"))
            .await
            .error(400, "IllegalUpdate");
        server.delete(&path, &etag).await.error(400, "IllegalDelete");
        let users = server.get(&format!("{}/{}", kind.users, kind.managed.0)).await;
        assert_eq!((users.status.as_u16(), users.text("Quantity").as_str()), (200, "0"));
    }
}

#[tokio::test]
async fn what_a_behavior_names_exists_and_stays() {
    for kind in KINDS {
        let server = Server::start().await;
        let unknown = "00000000-0000-4000-8000-000000000000";
        server
            .post(
                "distribution",
                &Config::new("0").behavior(&(kind.behavior)(unknown)).build(),
            )
            .await
            .error(404, &kind.code("NoSuch", ""));
        let (id, etag) = kind.create(&server, "one").await;
        let behavior = (kind.behavior)(&id);
        let distribution = server
            .post("distribution", &Config::new("1").behavior(&behavior).build())
            .await;
        assert_eq!(distribution.status, 201, "{}", distribution.body);
        assert!(distribution.body.contains(&id));
        server.distribution("unrelated").await;
        let users = server.get(&format!("{}/{id}?MaxItems=10", kind.users)).await;
        assert_eq!(users.texts("DistributionId"), [distribution.text("Id")]);
        assert_eq!(
            (users.text("IsTruncated").as_str(), users.text("MaxItems").as_str()),
            ("false", "10")
        );

        let path = format!("{}/{id}", kind.path);
        let message = server.delete(&path, &etag).await.error(409, &kind.code("", "InUse"));
        assert!(message.contains(&distribution.text("Id")), "{message}");
        let config = format!("distribution/{}/config", distribution.text("Id"));
        let update = Config::new("1").behavior(&(kind.behavior)(unknown)).build_update();
        server
            .put(&config, &distribution.header("etag"), &update)
            .await
            .error(404, &kind.code("NoSuch", ""));
        let detached = server
            .put(&config, &distribution.header("etag"), &Config::new("1").build_update())
            .await;
        assert_eq!(detached.status, 200, "{}", detached.body);
        assert_eq!(server.delete(&path, &etag).await.status, 204);
    }
}

#[tokio::test]
async fn there_are_quotas_of_policies_and_of_their_users() {
    for kind in KINDS {
        let server = Server::start_with(
            std::sync::Arc::new(warmfront_journal::Simulated::new(1)),
            Vec::new(),
            |options| {
                options.quotas.policies_max = Some(2);
                options.quotas.distributions_per_policy_max = Some(1);
            },
        )
        .await;
        let (id, _) = kind.create(&server, "one").await;
        kind.create(&server, "two").await;
        let too_many = match kind.path {
            "cache-policy" => "TooManyCachePolicies",
            "origin-request-policy" => "TooManyOriginRequestPolicies",
            _ => "TooManyResponseHeadersPolicies",
        };
        server
            .post(kind.path, &(kind.config)("three"))
            .await
            .error(400, too_many);

        let behavior = (kind.behavior)(&id);
        let first = server
            .post("distribution", &Config::new("1").behavior(&behavior).build())
            .await;
        assert_eq!(first.status, 201, "{}", first.body);
        server
            .post("distribution", &Config::new("2").behavior(&behavior).build())
            .await
            .error(400, &kind.code("TooManyDistributionsAssociatedTo", ""));
        let again = server
            .put(
                &format!("distribution/{}/config", first.text("Id")),
                &first.header("etag"),
                &Config::new("1").behavior(&behavior).build_update(),
            )
            .await;
        assert_eq!(again.status, 200, "its own use does not count: {}", again.body);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_policy_has_cloudfronts_code() {
    let server = Server::start().await;
    let wrong_order = cache_policy("a").replace("<MinTTL>1</MinTTL>", "<DefaultTTL>5</DefaultTTL><MinTTL>6</MinTTL>");
    server
        .post("cache-policy", &wrong_order)
        .await
        .error(400, "InvalidArgument");
    let miscounted = cache_policy("a").replace("<Quantity>1</Quantity>", "<Quantity>2</Quantity>");
    server
        .post("cache-policy", &miscounted)
        .await
        .error(400, "InconsistentQuantities");
    server.post("cache-policy", "").await.error(400, "MissingBody");
    let names: String = (0..11).map(|number| format!("<Name>h{number}</Name>")).collect();
    let many = origin_request_policy("a")
        .replace("<Quantity>1</Quantity>", "<Quantity>11</Quantity>")
        .replace("<Name>Referer</Name>", &names);
    server
        .post("origin-request-policy", &many)
        .await
        .error(400, "TooManyHeadersInOriginRequestPolicy");
    let long = response_headers_policy("a").replace("default-src", &"x".repeat(1_800));
    server
        .post("response-headers-policy", &long)
        .await
        .error(400, "TooLongCSPInResponseHeadersPolicy");
}

#[tokio::test]
async fn an_origin_request_policy_needs_a_cache_policy() {
    let server = Server::start().await;
    let legacy = "<OriginRequestPolicyId>216adef6-5c7f-47e4-b989-5492eafa07d3</OriginRequestPolicyId><ForwardedValues>\
                  <QueryString>false</QueryString><Cookies><Forward>none</Forward></Cookies></ForwardedValues>\
                  <MinTTL>0</MinTTL>";
    server
        .post("distribution", &Config::new("1").behavior(legacy).build())
        .await
        .error(400, "InvalidArgument");
    let with_response_headers = legacy.replace("OriginRequestPolicyId", "ResponseHeadersPolicyId");
    let with_response_headers = with_response_headers.replace(
        "216adef6-5c7f-47e4-b989-5492eafa07d3",
        "67f7725c-6f97-4210-82d7-5512b31e9d03",
    );
    let accepted = server
        .post(
            "distribution",
            &Config::new("2").behavior(&with_response_headers).build(),
        )
        .await;
    assert_eq!(accepted.status, 201, "{}", accepted.body);
}
