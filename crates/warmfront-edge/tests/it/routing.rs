//! Which distribution, behavior and origin a request goes to, and which requests go nowhere.

use warmfront_testkit::{Ask, Behavior, Origin, OriginSite, Reply, Site, Testbed};

use crate::check;

async fn two_sites() -> (Origin, Testbed) {
    let origin = Origin::start().await;
    origin.on("/a", |request| {
        Reply::ok(request.header("x-site").to_owned()).max_age(60)
    });
    let site = |id: &str, name: &str| {
        let web = OriginSite::custom("web", origin.port()).custom_header("x-site", name);
        Site::with_origin(id, web).alias(&format!("{name}.example.com"))
    };
    let bed = Testbed::with(&site(Site::ID, "one").alias("*.example.com")).await;
    bed.write(&site("E2U5RQF7T870K0", "two").alias("*.img.example.com"))
        .await;
    (origin, bed)
}

#[tokio::test]
async fn the_host_chooses_the_distribution() {
    let (_origin, bed) = two_sites().await;
    for (host, site) in [
        ("one.example.com", "one"),
        ("two.example.com", "two"),
        ("TWO.example.com:8080", "two"),
        ("any.example.com", "one"),
        ("any.img.example.com", "two"),
        ("de2u5rqf7t870k0.cloudfront.net", "two"),
        ("e2u5rqf7t870k0.cloudfront.localhost:8080", "two"),
    ] {
        assert_eq!(bed.ask(&Ask::get("/a").host(host)).await.text(), site, "{host}");
    }
}

#[tokio::test]
async fn an_unknown_host_is_403() {
    let (origin, bed) = two_sites().await;
    for host in ["example.com", "unknown.example.org", "127.0.0.1", "localhost", ""] {
        let answer = bed.ask(&Ask::get("/a").host(host)).await;
        assert_eq!((answer.status, answer.x_cache()), (403, "Error"), "{host}");
    }
    assert_eq!(origin.n_requests(), 0);
}

#[tokio::test]
async fn the_target_names_the_host_if_it_is_absolute() {
    let (_origin, bed) = two_sites().await;
    let ask = Ask::get("http://two.example.com/a").host("one.example.com");
    assert_eq!(bed.ask(&ask).await.text(), "two");
}

/// Two names of one distribution whose key has the Host: the target's counts for the key as well, so that nobody can put
/// the one site's page under the other's name.
#[tokio::test]
async fn an_absolute_target_cannot_store_under_another_hosts_key() {
    let origin = Origin::start().await;
    origin.on("/a", |request| Reply::ok(request.header("host").to_owned()).max_age(60));
    let behavior = Behavior::to("web").forwards(false, &["Host"], &[]);
    let site = Site::new(&origin).alias("one.example.com").alias("two.example.com");
    let bed = Testbed::with(&site.default_behavior(behavior)).await;
    let forged = Ask::get("http://two.example.com/a").host("one.example.com");
    check(&bed.ask(&forged).await, 200, "Miss", "two.example.com");
    let honest = Ask::get("/a").host("one.example.com");
    check(&bed.ask(&honest).await, 200, "Miss", "one.example.com");
    check(&bed.ask(&forged).await, 200, "Hit", "two.example.com");
}

#[tokio::test]
async fn a_request_without_a_host_or_with_two_is_400() {
    let (origin, bed) = two_sites().await;
    assert_eq!(bed.ask(&Ask::get("/a").no_host()).await.status, 400);
    let twice = Ask::get("/a").host("one.example.com").header("Host", "two.example.com");
    assert_eq!(bed.ask(&twice).await.status, 400);
    assert_eq!(origin.n_requests(), 0);
}

#[tokio::test]
async fn a_target_that_is_no_path_is_400() {
    let (origin, bed) = two_sites().await;
    for (method, target) in [("OPTIONS", "*"), ("CONNECT", "one.example.com:80")] {
        let answer = bed.ask(&Ask::with_method(method, target).host("one.example.com")).await;
        assert_eq!(answer.status, 400, "{method} {target}");
    }
    assert_eq!(origin.n_requests(), 0);
}

#[tokio::test]
async fn a_disabled_distribution_is_403_although_its_objects_are_stored() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Miss", "one");
    bed.write(&Site::new(&origin).disabled()).await;
    assert_eq!(bed.get("/a").await.status, 403);
    bed.write(&Site::new(&origin)).await;
    check(&bed.get("/a").await, 200, "Hit", "one");
}

#[tokio::test]
async fn the_path_chooses_the_behavior_and_so_the_origin() {
    let (web, images) = (Origin::start().await, Origin::start().await);
    for path in ["/a", "/images/a.jpg", "/images/a.html"] {
        web.reply(path, Reply::ok("web"));
    }
    images.reply("/bucket/images/a.jpg", Reply::ok("images"));
    images.reply("/bucket/images/a.html", Reply::ok("never"));
    let site = Site::new(&web)
        .origin(OriginSite::custom("images", images.port()).path("/bucket"))
        .behavior("/images/*.html", Behavior::to("web"))
        .behavior("/images/*", Behavior::to("images"));
    let bed = Testbed::with(&site).await;
    for (path, expected) in [("/a", "web"), ("/images/a.jpg", "images"), ("/images/a.html", "web")] {
        assert_eq!(bed.get(path).await.text(), expected, "{path}");
    }
}

#[tokio::test]
async fn the_root_is_answered_from_the_default_root_object() {
    let origin = Origin::start().await;
    origin.reply("/site/index.html", Reply::ok("index").max_age(60));
    let web = OriginSite::custom("web", origin.port()).path("/site");
    let bed = Testbed::with(&Site::with_origin(Site::ID, web).default_root_object("index.html")).await;
    check(&bed.get("/").await, 200, "Miss", "index");
    check(&bed.get("/index.html").await, 200, "Hit", "index");
    // For the root alone, not for directories.
    bed.get("/directory/").await;
    assert_eq!(origin.last_request().target, "/site/directory/");
}

#[tokio::test]
async fn what_is_too_large_is_refused_by_its_limit() {
    let origin = Origin::start().await;
    origin.on("/", |_| Reply::ok("one"));
    let path = format!("/{}", "a".repeat(8_191));
    origin.reply(&path, Reply::ok("one"));
    let bed = Testbed::with(&Site::new(&origin)).await;
    assert_eq!(bed.get(&path).await.status, 200);
    assert_eq!(bed.get(&format!("{path}b")).await.status, 414);
    assert_eq!(bed.get(&format!("/?{}", "a".repeat(8_191))).await.status, 414);
    // Names and values count; this leaves room for Host and what else a request has.
    let header = |bytes: usize| Ask::get("/").header("x-long", &"a".repeat(bytes));
    assert_eq!(bed.ask(&header(32_000)).await.status, 200);
    let mut viewer = bed.viewer().await;
    let answer = viewer.ask(&header(33_000)).await;
    assert_eq!((answer.status, answer.x_cache()), (494, "Error"));
    assert!(viewer.is_closed().await);
}
