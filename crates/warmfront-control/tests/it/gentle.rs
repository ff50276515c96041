use std::sync::Arc;

use warmfront_control::ControlOptions;
use warmfront_facts::{Fact, InvalidationRecord, decode_entry};
use warmfront_invalidation::InvalidationMode;
use warmfront_journal::Simulated;
use warmfront_model::DistributionId;
use warmfront_signing::{SecretKey, TokenKey};

use crate::client::{Answer, Server, Signing};
use crate::xml::{batch, tags};

async fn invalidate(server: &Server, id: &str, reference: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut parts = server.parts(http::Method::POST, &format!("distribution/{id}/invalidation"));
    for (name, value) in headers {
        parts.headers.insert(*name, value.parse().unwrap());
    }
    server
        .send_signed(parts, &batch(reference, &["/a"]), &Signing::default())
        .await
}

async fn record(server: &Server, reference: &str) -> InvalidationRecord {
    let entries = server.journal.snapshot("invalidation/").await.unwrap().entries;
    let records = entries.iter().filter_map(|entry| match decode_entry(entry) {
        Ok(Fact::Invalidation(record)) => Some(InvalidationRecord::clone(&record)),
        _ => None,
    });
    let mut found = records.filter(|record| record.caller_reference == reference);
    found.next().expect("an invalidation with this reference")
}

#[tokio::test]
async fn a_header_or_the_distributions_tag_says_how_covered_responses_are_treated() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    invalidate(&server, &id, "plain", &[]).await;
    assert_eq!(record(&server, "plain").await.mode, InvalidationMode::Refetch);
    invalidate(&server, &id, "header", &[("x-warmfront-mode", "revalidate")]).await;
    assert_eq!(record(&server, "header").await.mode, InvalidationMode::Revalidate);

    let resource = format!("arn%3Aaws%3Acloudfront%3A%3A123456789012%3Adistribution%2F{id}");
    let path = format!("tagging?Operation=Tag&Resource={resource}");
    server
        .post(&path, &tags(&[("warmfront:invalidation", "revalidate")]))
        .await;
    invalidate(&server, &id, "tag", &[]).await;
    assert_eq!(record(&server, "tag").await.mode, InvalidationMode::Revalidate);
    invalidate(&server, &id, "both", &[("x-warmfront-mode", "refetch")]).await;
    assert_eq!(record(&server, "both").await.mode, InvalidationMode::Refetch);
}

#[tokio::test]
async fn a_wrong_word_is_refused_with_the_right_ones() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    let message = invalidate(&server, &id, "r", &[("x-warmfront-mode", "soft")])
        .await
        .error(400, "InvalidArgument");
    assert!(
        message.contains("\"soft\"") && message.contains("refetch or revalidate"),
        "{message}"
    );
}

#[tokio::test]
async fn a_record_says_who_asked_for_it_from_where_and_why() {
    let server = Server::start().await;
    let (id, _) = server.distribution("1").await;
    invalidate(&server, &id, "r", &[("x-warmfront-reason", "new prices")]).await;
    let origin = record(&server, "r").await.origin;
    assert_eq!(origin.principal, "arn:aws:iam::123456789012:root");
    assert_eq!(origin.address, "127.0.0.1");
    assert_eq!(origin.reason, "new prices");
}

#[tokio::test]
async fn a_token_is_given_for_the_epoch_and_again_for_the_same_reference() {
    let tokens = TokenKey::derive(&SecretKey::new("secret"));
    let configure = |options: &mut ControlOptions| options.tokens = Some(tokens.clone());
    let server = Server::start_with(Arc::new(Simulated::new(1)), Vec::new(), configure).await;
    let (id, _) = server.distribution("1").await;
    let first = invalidate(&server, &id, "r", &[]).await.header("x-warmfront-token");
    let revision = record(&server, "r").await.revision;
    let epoch = tokens
        .read(&DistributionId::parse(&id).unwrap(), first.as_bytes())
        .unwrap();
    assert_eq!(
        (epoch.revision, epoch.incarnation),
        (revision, server.journal.incarnation())
    );
    invalidate(&server, &id, "other", &[]).await;
    assert_eq!(
        invalidate(&server, &id, "r", &[]).await.header("x-warmfront-token"),
        first
    );
    let plain = Server::start().await;
    let (id, _) = plain.distribution("1").await;
    assert!(
        !invalidate(&plain, &id, "r", &[])
            .await
            .headers
            .contains_key("x-warmfront-token")
    );
}
