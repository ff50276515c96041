use http::Method;

use crate::client::Server;
use crate::xml::{Config, access_control};

#[tokio::test]
async fn an_origin_access_control_lives_from_creation_to_deletion() {
    let server = Server::start().await;
    let created = server.post("origin-access-control", &access_control("one")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let (id, etag) = (created.text("Id"), created.header("etag"));
    assert_eq!(
        created.header("location"),
        format!("https://cloudfront.amazonaws.com/2020-05-31/origin-access-control/{id}")
    );
    let path = format!("origin-access-control/{id}");
    assert_eq!(server.get(&path).await.header("etag"), etag);
    assert_eq!(server.get(&format!("{path}/config")).await.text("Name"), "one");

    let update = access_control("two");
    server
        .send(Method::PUT, &format!("{path}/config"), None, &update)
        .await
        .error(400, "InvalidIfMatchVersion");
    let updated = server.put(&format!("{path}/config"), &etag, &update).await;
    assert_eq!((updated.status.as_u16(), updated.text("Name").as_str()), (200, "two"));
    server
        .put(&format!("{path}/config"), &etag, &update)
        .await
        .error(412, "PreconditionFailed");
    let list = server.get("origin-access-control").await;
    assert_eq!((list.texts("Id"), list.text("Name").as_str()), (vec![id], "two"));

    server.delete(&path, &etag).await.error(412, "PreconditionFailed");
    assert_eq!(server.delete(&path, &updated.header("etag")).await.status, 204);
    server.get(&path).await.error(404, "NoSuchOriginAccessControl");
    server
        .delete(&path, &etag)
        .await
        .error(404, "NoSuchOriginAccessControl");
    server
        .put(&format!("{path}/config"), &etag, &update)
        .await
        .error(404, "NoSuchOriginAccessControl");
}

#[tokio::test]
async fn a_name_is_used_once() {
    let server = Server::start().await;
    let one = server.post("origin-access-control", &access_control("one")).await;
    server
        .post("origin-access-control", &access_control("one"))
        .await
        .error(409, "OriginAccessControlAlreadyExists");
    server.post("origin-access-control", &access_control("two")).await;
    let path = format!("origin-access-control/{}/config", one.text("Id"));
    let rename = server.put(&path, &one.header("etag"), &access_control("two")).await;
    rename.error(409, "OriginAccessControlAlreadyExists");
    server
        .post("origin-access-control", &access_control(&"x".repeat(65)))
        .await
        .error(400, "InvalidArgument");
}

#[tokio::test]
async fn what_a_distribution_uses_cannot_be_deleted() {
    let server = Server::start().await;
    let control = server.post("origin-access-control", &access_control("one")).await;
    let (id, etag) = (control.text("Id"), control.header("etag"));
    let distribution = server
        .post("distribution", &Config::new("1").access_control(&id).build())
        .await;
    assert_eq!(distribution.status, 201, "{}", distribution.body);
    let message = server
        .delete(&format!("origin-access-control/{id}"), &etag)
        .await
        .error(409, "OriginAccessControlInUse");
    assert!(message.contains(&distribution.text("Id")), "{message}");

    let config = format!("distribution/{}/config", distribution.text("Id"));
    let detached = server
        .put(&config, &distribution.header("etag"), &Config::new("1").build_update())
        .await;
    assert_eq!(detached.status, 200, "{}", detached.body);
    assert_eq!(
        server
            .delete(&format!("origin-access-control/{id}"), &etag)
            .await
            .status,
        204
    );
}
