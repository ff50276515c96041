use std::sync::Arc;

use http::Method;
use tokio::sync::watch;
use warmfront_journal::Simulated;
use warmfront_model::Revision;

use crate::client::Server;
use crate::xml::{CACHING_OPTIMIZED, Config};

fn is_id(text: &str) -> bool {
    matches!(text.len(), 13 | 14)
        && text.starts_with('E')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[tokio::test]
async fn a_new_distribution_is_answered_with_what_cloudfront_fills_in() {
    let server = Server::start().await;
    let answer = server.post("distribution", &Config::new("ref-1").build()).await;
    assert_eq!(answer.status, 201);
    let (id, etag) = (answer.text("Id"), answer.header("etag"));
    assert!(is_id(&id) && is_id(&etag), "{id} {etag}");
    assert_eq!(
        answer.header("location"),
        format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{id}")
    );
    assert_eq!(answer.header("content-type"), "text/xml");
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    assert_eq!(answer.text("Status"), "InProgress");
    assert_eq!(
        answer.text("ARN"),
        format!("arn:aws:cloudfront::123456789012:distribution/{id}")
    );
    assert_eq!(answer.text("LastModifiedTime"), "2026-11-22T12:00:00.000Z");
    assert_eq!(answer.text("InProgressInvalidationBatches"), "0");
    assert_eq!(answer.text("PriceClass"), "PriceClass_All");
    assert_eq!(answer.text("HttpVersion"), "http2");
    let domain_name = answer.text("DomainName");
    let label = domain_name.strip_suffix(".cloudfront.net").unwrap();
    assert!(label.len() == 14 && label.starts_with('d'), "{domain_name}");

    let got = server.get(&format!("distribution/{id}")).await;
    assert_eq!(
        (got.status.as_u16(), got.header("etag"), got.text("Status")),
        (200, etag.clone(), "Deployed".to_owned())
    );
    let config = server.get(&format!("distribution/{id}/config")).await;
    assert_eq!((config.status.as_u16(), config.header("etag")), (200, etag));
    assert!(
        config
            .body
            .contains("<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">")
    );
    assert_eq!(config.text("CallerReference"), "ref-1");
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let server = Server::start().await;
    let (id, etag) = server.distribution("ref-1").await;
    let config = server.get(&format!("distribution/{id}/config")).await.body;
    let changed = config
        .replace("<Comment></Comment>", "<Comment>new</Comment>")
        .replace("<Comment/>", "<Comment>new</Comment>");
    let answer = server.put(&format!("distribution/{id}/config"), &etag, &changed).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text("Comment").as_str()),
        (200, "new"),
        "{}",
        answer.body
    );
    assert_ne!(answer.header("etag"), etag);
    assert_eq!(answer.text("Status"), "InProgress");
    assert_eq!(
        server.get(&format!("distribution/{id}")).await.header("etag"),
        answer.header("etag")
    );
}

#[tokio::test]
async fn a_caller_reference_makes_one_distribution() {
    let server = Server::start().await;
    let (id, _) = server.distribution("ref-1").await;
    let message = server
        .post("distribution", &Config::new("ref-1").build())
        .await
        .error(409, "DistributionAlreadyExists");
    assert_eq!(
        message,
        format!(
            "The caller reference that you are using to create a distribution is associated with another distribution. \
             Already exists: {id}"
        )
    );
}

#[tokio::test]
async fn fifty_at_once_with_one_reference_make_one_distribution() {
    let server = Arc::new(Server::start().await);
    let creates: Vec<_> = (0..50)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                server
                    .post("distribution", &Config::new("same").build())
                    .await
                    .status
                    .as_u16()
            })
        })
        .collect();
    let mut created = 0;
    for create in creates {
        match create.await.unwrap() {
            201 => created += 1,
            other => assert_eq!(other, 409),
        }
    }
    assert_eq!(created, 1);
    assert_eq!(server.get("distribution").await.text("Quantity"), "1");
}

#[tokio::test]
async fn an_alias_belongs_to_one_distribution() {
    let server = Server::start().await;
    let first = server
        .post("distribution", &Config::new("1").alias("www.example.com").build())
        .await;
    assert_eq!(first.status, 201, "{}", first.body);
    let taken = Config::new("2").alias("WWW.example.com").build();
    server
        .post("distribution", &taken)
        .await
        .error(409, "CNAMEAlreadyExists");
    let (id, etag) = server.distribution("3").await;
    let update = Config::new("3").alias("www.example.com").build_update();
    server
        .put(&format!("distribution/{id}/config"), &etag, &update)
        .await
        .error(409, "CNAMEAlreadyExists");
    let own = Config::new("1").alias("www.example.com").build_update();
    let again = server
        .put(
            &format!("distribution/{}/config", first.text("Id")),
            &first.header("etag"),
            &own,
        )
        .await;
    assert_eq!(again.status, 200, "{}", again.body);
}

#[tokio::test]
async fn if_match_is_demanded_and_compared() {
    let server = Server::start().await;
    let (id, etag) = server.distribution("1").await;
    let path = format!("distribution/{id}/config");
    let update = Config::new("1").build_update();
    server
        .send(Method::PUT, &path, None, &update)
        .await
        .error(400, "InvalidIfMatchVersion");
    server
        .put(&path, "nonsense", &update)
        .await
        .error(400, "InvalidIfMatchVersion");
    assert_eq!(server.put(&path, &etag, &update).await.status, 200);
    server.put(&path, &etag, &update).await.error(412, "PreconditionFailed");
    server
        .delete(&format!("distribution/{id}"), &etag)
        .await
        .error(412, "PreconditionFailed");
    server
        .send(Method::DELETE, &format!("distribution/{id}"), None, "")
        .await
        .error(400, "InvalidIfMatchVersion");
}

#[tokio::test]
async fn an_update_may_not_change_the_reference_nor_leave_out_what_creation_fills_in() {
    let server = Server::start().await;
    let (id, etag) = server.distribution("1").await;
    let path = format!("distribution/{id}/config");
    server
        .put(&path, &etag, &Config::new("2").build_update())
        .await
        .error(400, "IllegalUpdate");
    let message = server
        .put(&path, &etag, &Config::new("1").build())
        .await
        .error(400, "IllegalUpdate");
    assert_eq!(message, "CustomHeaders is required for updates.");
}

#[tokio::test]
async fn only_what_is_disabled_everywhere_can_be_deleted() {
    let applied = watch::Sender::new(Revision::ZERO);
    let server = Server::start_with(Arc::new(Simulated::new(1)), vec![applied.subscribe()], |_| {}).await;
    let (id, etag) = server.distribution("1").await;
    let path = format!("distribution/{id}");
    applied.send_replace(server.head().await);
    assert_eq!(server.get(&path).await.text("Status"), "Deployed");
    server.delete(&path, &etag).await.error(409, "DistributionNotDisabled");

    let disabled = server
        .put(
            &format!("{path}/config"),
            &etag,
            &Config::new("1").disabled().build_update(),
        )
        .await;
    assert_eq!(disabled.status, 200, "{}", disabled.body);
    let etag = disabled.header("etag");
    assert_eq!(server.get(&path).await.text("Status"), "InProgress");
    server.delete(&path, &etag).await.error(409, "DistributionNotDisabled");
    applied.send_replace(server.head().await);
    assert_eq!(
        server.get(&path).await.header("etag"),
        etag,
        "the status takes no part in the ETag"
    );
    let deleted = server.delete(&path, &etag).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));

    for gone in [path.clone(), format!("{path}/config"), format!("{path}/invalidation")] {
        server.get(&gone).await.error(404, "NoSuchDistribution");
    }
    server.delete(&path, &etag).await.error(404, "NoSuchDistribution");
    assert_eq!(
        server.distribution("1").await.0.len(),
        14,
        "the reference of what was deleted may be used again"
    );
}

#[tokio::test]
async fn what_is_no_id_is_no_distributions() {
    let server = Server::start().await;
    for id in ["EDFDVBD632BHDS5", "x", "E1U5RQF7T870K0%2F..%2Fa", "%00"] {
        server
            .get(&format!("distribution/{id}"))
            .await
            .error(404, "NoSuchDistribution");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let server = Server::start().await;
    assert!(!server.get("distribution").await.body.contains("<Items>"));
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(server.distribution(&number.to_string()).await.0);
    }
    ids.sort();
    let first = server.get("distribution?MaxItems=2").await;
    assert_eq!(first.texts("MaxItems"), ["2"]);
    assert_eq!(
        (first.text("IsTruncated"), first.text("Quantity")),
        ("true".to_owned(), "2".to_owned())
    );
    let mut seen = Vec::new();
    let mut marker = String::new();
    loop {
        let page = server.get(&format!("distribution?MaxItems=2&Marker={marker}")).await;
        assert_eq!(page.status, 200);
        seen.extend(
            page.body
                .split("<DistributionSummary>")
                .skip(1)
                .map(|summary| summary[4..18].to_owned()),
        );
        match page.texts("NextMarker").into_iter().next() {
            Some(next) => marker = next,
            None => break,
        }
    }
    assert_eq!(seen, ids);
    server
        .get("distribution?MaxItems=0")
        .await
        .error(400, "InvalidArgument");
    server
        .get("distribution?Marker=nonsense")
        .await
        .error(400, "InvalidArgument");
    assert_eq!(server.get("distribution?MaxItems=5000").await.text("MaxItems"), "100");
}

#[tokio::test]
async fn wrong_configurations_get_cloudfronts_codes() {
    let server = Server::start().await;
    let check = async |body: &str, status: u16, code: &str| server.post("distribution", body).await.error(status, code);
    check("", 400, "MissingBody").await;
    check("<DistributionConfig>", 400, "MalformedXML").await;
    check("<DistributionConfig></DistributionConfig>", 400, "MalformedXML").await;
    let config = Config::new("1").build();
    check(
        &config.replace("<Quantity>1</Quantity>", "<Quantity>2</Quantity>"),
        400,
        "InconsistentQuantities",
    )
    .await;
    check(
        &config.replace("<TargetOriginId>o<", "<TargetOriginId>p<"),
        404,
        "NoSuchOrigin",
    )
    .await;
    check(
        &config.replace(CACHING_OPTIMIZED, "00000000-0000-0000-0000-000000000000"),
        404,
        "NoSuchCachePolicy",
    )
    .await;
    let both = format!(
        "<CachePolicyId>{CACHING_OPTIMIZED}</CachePolicyId><ForwardedValues><QueryString>false</QueryString><Cookies>\
         <Forward>none</Forward></Cookies></ForwardedValues><MinTTL>0</MinTTL>"
    );
    let message = check(&Config::new("1").behavior(&both).build(), 400, "InvalidArgument").await;
    assert_eq!(
        message,
        "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior."
    );
    check(
        &Config::new("1").access_control("E327GJI25M56DG").build(),
        400,
        "InvalidOriginAccessControl",
    )
    .await;
    assert_eq!(
        server.get("distribution").await.text("Quantity"),
        "0",
        "nothing was created on the way"
    );
}

#[tokio::test]
async fn an_origin_inside_is_refused_unless_it_is_allowed() {
    let server = Server::start().await;
    for (number, inside) in ["169.254.169.254", "10.0.0.1", "0.0.0.0"].iter().enumerate() {
        let config = Config::new(&number.to_string()).custom_origin(inside).build();
        let message = server.post("distribution", &config).await.error(400, "InvalidOrigin");
        assert!(message.contains("origin.allow"), "{message}");
    }
    for (number, allowed) in ["127.0.0.1", "localhost", "example.com"].iter().enumerate() {
        let config = Config::new(&format!("allowed-{number}")).custom_origin(allowed).build();
        let answer = server.post("distribution", &config).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
}

#[tokio::test]
async fn the_account_has_a_quota_of_distributions() {
    let server = Server::start_with(Arc::new(Simulated::new(1)), Vec::new(), |options| {
        options.quotas.distributions_max = Some(1);
    })
    .await;
    server.distribution("1").await;
    server
        .post("distribution", &Config::new("2").build())
        .await
        .error(400, "TooManyDistributions");
}

#[tokio::test]
async fn managed_cache_policies_are_listed_and_found() {
    let server = Server::start().await;
    let list = server.get("cache-policy?Type=managed").await;
    assert_eq!(list.status, 200);
    assert!(list.body.contains(CACHING_OPTIMIZED) && !list.body.contains("IsTruncated"));
    assert_eq!(server.get("cache-policy?Type=custom").await.text("Quantity"), "0");
    server
        .get("cache-policy?Type=other")
        .await
        .error(400, "InvalidArgument");
    let policy = server.get(&format!("cache-policy/{CACHING_OPTIMIZED}")).await;
    assert_eq!(
        (policy.text("Id").as_str(), policy.text("MinTTL").as_str()),
        (CACHING_OPTIMIZED, "1")
    );
    assert!(is_id(&policy.header("etag")));
    assert_eq!(
        server
            .get(&format!("cache-policy/{CACHING_OPTIMIZED}/config"))
            .await
            .text("MaxTTL"),
        "31536000"
    );
    server
        .get("cache-policy/00000000-0000-0000-0000-000000000000")
        .await
        .error(404, "NoSuchCachePolicy");
    let first = server.get("cache-policy?MaxItems=1").await.text("NextMarker");
    let rest = server.get(&format!("cache-policy?Marker={first}")).await;
    assert!(!rest.body.contains(&format!("<Id>{first}</Id>")));
    server.get("cache-policy?Marker=x").await.error(400, "InvalidArgument");
}
