use crate::client::Server;
use crate::xml::{Config, tags};

fn resource(id: &str) -> String {
    format!("arn%3Aaws%3Acloudfront%3A%3A123456789012%3Adistribution%2F{id}")
}

#[tokio::test]
async fn tags_are_put_listed_and_removed() {
    let server = Server::start().await;
    let (id, etag) = server.distribution("1").await;
    let resource = resource(&id);
    let tagged = server
        .post(
            &format!("tagging?Operation=Tag&Resource={resource}"),
            &tags(&[("b", "2"), ("a", "1")]),
        )
        .await;
    assert_eq!((tagged.status.as_u16(), tagged.body.as_str()), (204, ""));
    server
        .post(
            &format!("tagging?Operation=Tag&Resource={resource}"),
            &tags(&[("a", "3")]),
        )
        .await;
    let list = server.get(&format!("tagging?Resource={resource}")).await;
    assert_eq!(
        (list.texts("Key"), list.texts("Value")),
        (vec!["a".into(), "b".into()], vec!["3".into(), "2".into()])
    );
    let keys = "<TagKeys><Items><Key>a</Key><Key>never</Key></Items></TagKeys>";
    assert_eq!(
        server
            .post(&format!("tagging?Operation=Untag&Resource={resource}"), keys)
            .await
            .status,
        204
    );
    assert_eq!(
        server.get(&format!("tagging?Resource={resource}")).await.texts("Key"),
        ["b"]
    );
    assert_eq!(
        server.get(&format!("distribution/{id}")).await.header("etag"),
        etag,
        "tags are no configuration"
    );
}

#[tokio::test]
async fn a_distribution_can_be_created_with_tags() {
    let server = Server::start().await;
    let config = Config::new("1").build();
    let config = config.replace(" xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"", "");
    let body = |tags: &[(&str, &str)]| {
        let tags = crate::xml::tags(tags).replace(" xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"", "");
        format!("<DistributionConfigWithTags>{config}{tags}</DistributionConfigWithTags>")
    };
    server
        .post("distribution?WithTags", &body(&[("aws:a", "1")]))
        .await
        .error(400, "InvalidTagging");
    let created = server.post("distribution?WithTags", &body(&[("team", "web")])).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let list = server
        .get(&format!("tagging?Resource={}", resource(&created.text("Id"))))
        .await;
    assert_eq!(
        (list.text("Key").as_str(), list.text("Value").as_str()),
        ("team", "web")
    );
    server
        .post("distribution?WithTags", &body(&[("team", "web")]))
        .await
        .error(409, "DistributionAlreadyExists");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_tagged() {
    let server = Server::start().await;
    let gone = resource("EDFDVBD632BHDS");
    server
        .get(&format!("tagging?Resource={gone}"))
        .await
        .error(404, "NoSuchResource");
    server
        .post(&format!("tagging?Operation=Tag&Resource={gone}"), &tags(&[("a", "1")]))
        .await
        .error(404, "NoSuchResource");
    server
        .get("tagging?Resource=nonsense")
        .await
        .error(400, "InvalidArgument");
    server.get("tagging").await.error(400, "InvalidArgument");
    let (id, _) = server.distribution("1").await;
    let foreign = resource(&id).replace("123456789012", "210987654321");
    server
        .get(&format!("tagging?Resource={foreign}"))
        .await
        .error(404, "NoSuchResource");
}

#[tokio::test]
async fn a_resource_has_fifty_tags_at_most() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    let path = format!("tagging?Operation=Tag&Resource={}", resource(&id));
    let keys: Vec<String> = (0..50).map(|number| format!("key{number}")).collect();
    let fifty: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    assert_eq!(server.post(&path, &tags(&fifty)).await.status, 204);
    server
        .post(&path, &tags(&[("one more", "v")]))
        .await
        .error(400, "InvalidTagging");
    assert_eq!(server.post(&path, &tags(&[("key7", "w")])).await.status, 204);
}
