use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use warmfront_control::Quotas;
use warmfront_journal::{Journal, Simulated};
use warmfront_model::Revision;

use crate::client::Server;
use crate::xml::batch;

/// A server with one node that has applied nothing yet, so everything stays in progress.
async fn held() -> (Server, watch::Sender<Revision>) {
    let applied = watch::Sender::new(Revision::ZERO);
    let server = Server::start_with(Arc::new(Simulated::new(1)), vec![applied.subscribe()], |_| {}).await;
    (server, applied)
}

#[tokio::test]
async fn a_new_invalidation_is_in_progress_and_echoes_its_batch() {
    let server = Server::start().await;
    let (id, _) = server.distribution("d").await;
    let answer = server
        .post(
            &format!("distribution/{id}/invalidation"),
            &batch("ref", &["/a.html", "#sku:1", "/b/*"]),
        )
        .await;
    assert_eq!(answer.status, 201);
    let invalidation = answer.text("Id");
    assert!(
        invalidation.len() == 25 && invalidation.starts_with('I'),
        "{invalidation}"
    );
    assert_eq!(
        answer.header("location"),
        format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{id}/invalidation/{invalidation}")
    );
    assert!(answer.headers.get("etag").is_none());
    assert_eq!(answer.text("Status"), "InProgress");
    assert_eq!(answer.text("CreateTime"), "2026-11-22T12:00:00.000Z");
    assert_eq!(answer.texts("Path"), ["/a.html", "#sku:1", "/b/*"]);
    assert_eq!(answer.text("CallerReference"), "ref");
    server
        .get(&format!("distribution/{id}/invalidation/IDFDVBD632BHDS5"))
        .await
        .error(404, "NoSuchInvalidation");
    server
        .get("distribution/EDFDVBD632BHDS/invalidation/I1")
        .await
        .error(404, "NoSuchDistribution");
    server
        .post("distribution/EDFDVBD632BHDS/invalidation", &batch("r", &["/a"]))
        .await
        .error(404, "NoSuchDistribution");
}

#[tokio::test]
async fn the_same_reference_and_paths_give_the_same_invalidation() {
    let (server, applied) = held().await;
    let (id, _) = server.distribution("d").await;
    let path = format!("distribution/{id}/invalidation");
    let first = server.post(&path, &batch("ref", &["/a", "/b"])).await;
    let head = server.head().await;
    server.clock.advance(Duration::from_secs(90)).unwrap();
    let second = server.post(&path, &batch("ref", &["/b", "/a"])).await;
    assert_eq!(second.status, 201);
    for element in ["Id", "Status", "CreateTime"] {
        assert_eq!(second.text(element), first.text(element));
    }
    assert_eq!(server.head().await, head, "nothing was written again");

    let message = server
        .post(&path, &batch("ref", &["/a"]))
        .await
        .error(400, "InvalidArgument");
    assert_eq!(
        message,
        "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution."
    );
    let (other, _) = server.distribution("other").await;
    assert_ne!(
        server.invalidation(&other, "ref", &["/a"]).await,
        first.text("Id"),
        "references belong to a distribution"
    );

    let before = server.head().await;
    applied.send_replace(before);
    server.watermark_written(before).await;
    assert_eq!(
        server.post(&path, &batch("ref", &["/a", "/b"])).await.text("Status"),
        "Completed"
    );
}

/// Both ways to commit: at the head, where quotas are counted, and to an absent key, where they are not.
#[tokio::test]
async fn fifty_at_once_with_one_reference_make_one_invalidation() {
    for quotas in [Quotas::aws(), Quotas::unlimited()] {
        let applied = watch::Sender::new(Revision::ZERO);
        let server = Server::start_with(Arc::new(Simulated::new(1)), vec![applied.subscribe()], |o| {
            o.quotas = quotas
        })
        .await;
        let server = Arc::new(server);
        let (id, _) = server.distribution("d").await;
        let before = server.head().await;
        let creates: Vec<_> = (0..50)
            .map(|_| {
                let (server, id) = (Arc::clone(&server), id.clone());
                tokio::spawn(async move { server.invalidation(&id, "same", &["/a"]).await })
            })
            .collect();
        let mut ids = Vec::new();
        for create in creates {
            ids.push(create.await.unwrap());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(server.head().await, Revision(before.0 + 1));
        let list = server.get(&format!("distribution/{id}/invalidation")).await;
        assert_eq!(list.text("Quantity"), "1");
        let distribution = server.get(&format!("distribution/{id}")).await;
        assert_eq!(distribution.text("InProgressInvalidationBatches"), "1");
    }
}

/// Both see room for one more and both try to commit; the one that comes second must look again.
#[tokio::test]
async fn two_control_planes_over_one_journal_keep_one_quota() {
    let journal = Arc::new(Simulated::new(1));
    let applied = watch::Sender::new(Revision::ZERO);
    let start = || {
        Server::start_with(
            Arc::clone(&journal) as Arc<dyn Journal>,
            vec![applied.subscribe()],
            |options| {
                options.quotas.batches_in_progress_max = Some(1);
            },
        )
    };
    let servers = [Arc::new(start().await), Arc::new(start().await)];
    let (id, _) = servers[0].distribution("d").await;
    let path = format!("distribution/{id}/invalidation");

    journal.hold_commits();
    let creates: Vec<_> = servers
        .iter()
        .enumerate()
        .map(|(number, server)| {
            let (server, path) = (Arc::clone(server), path.clone());
            tokio::spawn(async move { server.post(&path, &batch(&number.to_string(), &["/a"])).await })
        })
        .collect();
    for server in &servers {
        server.let_others_proceed().await;
    }
    journal.release_commits();
    let mut created = 0;
    for create in creates {
        let answer = create.await.unwrap();
        if answer.status == 201 {
            created += 1;
        } else {
            answer.error(400, "TooManyInvalidationsInProgress");
        }
    }
    assert_eq!(created, 1);
}

#[tokio::test]
async fn nothing_is_answered_from_a_view_behind_the_head() {
    let journal = Arc::new(Simulated::new(1));
    let server = Arc::new(Server::start_with(Arc::clone(&journal) as Arc<dyn Journal>, Vec::new(), |_| {}).await);
    server.distribution("before").await;
    assert_eq!(server.get("distribution").await.text("Quantity"), "1");

    journal.hold_watches();
    let (id, _) = server.distribution("after").await;
    let get = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.get(&format!("distribution/{id}")).await }
    });
    server.let_others_proceed().await;
    assert!(!get.is_finished());
    journal.release_watches();
    assert_eq!(get.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_journal_that_fails_is_answered_with_503_and_the_retry_succeeds() {
    let journal = Arc::new(Simulated::new(1));
    let server = Server::start_with(Arc::clone(&journal) as Arc<dyn Journal>, Vec::new(), |_| {}).await;
    let (id, _) = server.distribution("d").await;
    let path = format!("distribution/{id}/invalidation");
    journal.fail_next_write();
    let message = server
        .post(&path, &batch("r", &["/a"]))
        .await
        .error(503, "ServiceUnavailable");
    assert_eq!(message, "CloudFront encountered an internal error. Please try again.");
    assert_eq!(server.get(&path).await.text("Quantity"), "0");
    assert_eq!(server.post(&path, &batch("r", &["/a"])).await.status, 201);
}

#[tokio::test]
async fn many_writers_at_once_all_get_through() {
    let server = Arc::new(
        Server::start_with(Arc::new(Simulated::new(1)), Vec::new(), |o| {
            o.quotas = Quotas::unlimited()
        })
        .await,
    );
    let (id, _) = server.distribution("d").await;
    let creates: Vec<_> = (0..60)
        .map(|number| {
            let (server, id) = (Arc::clone(&server), id.clone());
            tokio::spawn(async move {
                if number % 2 == 0 {
                    server.invalidation(&id, &number.to_string(), &["/a"]).await
                } else {
                    server.distribution(&number.to_string()).await.0
                }
            })
        })
        .collect();
    for create in creates {
        create.await.unwrap();
    }
    assert_eq!(
        server
            .get(&format!("distribution/{id}/invalidation"))
            .await
            .text("Quantity"),
        "30"
    );
    assert_eq!(server.get("distribution").await.text("Quantity"), "31");
}

#[tokio::test]
async fn the_sixteenth_in_progress_is_refused_until_one_is_completed() {
    let (server, applied) = held().await;
    let (id, _) = server.distribution("d").await;
    let path = format!("distribution/{id}/invalidation");
    for number in 0..15 {
        server.invalidation(&id, &number.to_string(), &["/a"]).await;
    }
    let message = server
        .post(&path, &batch("15", &["/a"]))
        .await
        .error(400, "TooManyInvalidationsInProgress");
    assert_eq!(
        message,
        "Processing your request will cause you to exceed the maximum number of in-progress invalidations. \
         (batches_in_progress_max 15)"
    );
    assert_eq!(
        server.post(&path, &batch("3", &["/a"])).await.status,
        201,
        "a repetition counts nothing"
    );
    let before = server.head().await;
    applied.send_replace(before);
    server.watermark_written(before).await;
    server.invalidation(&id, "15", &["/a"]).await;
}

#[tokio::test]
async fn wildcards_and_files_have_quotas_of_their_own() {
    let (server, _applied) = held().await;
    let (id, _) = server.distribution("d").await;
    let path = format!("distribution/{id}/invalidation");
    let wildcards: Vec<String> = (0..16).map(|number| format!("/{number}/*")).collect();
    let wildcards: Vec<&str> = wildcards.iter().map(String::as_str).collect();
    let message = server
        .post(&path, &batch("w", &wildcards))
        .await
        .error(400, "TooManyInvalidationsInProgress");
    assert!(message.contains("in-progress wildcard invalidations") && message.contains("wildcards_in_progress_max 15"));
    assert_eq!(server.post(&path, &batch("w", &wildcards[..15])).await.status, 201);
    let files: Vec<String> = (0..3_001).map(|number| format!("/{number}")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    server
        .post(&path, &batch("f", &files))
        .await
        .error(413, "BatchTooLarge");
    assert_eq!(server.post(&path, &batch("f", &files[..3_000])).await.status, 201);
    let message = server
        .post(&path, &batch("one more", &["/x"]))
        .await
        .error(400, "TooManyInvalidationsInProgress");
    assert!(message.contains("files_in_progress_max 3000"), "{message}");
}

#[tokio::test]
async fn a_batch_that_the_journal_cannot_keep_is_too_large() {
    let server = Server::start().await;
    let (id, _) = server.distribution("d").await;
    let mut noise = 1_u64;
    let paths: Vec<String> = (0..3_000)
        .map(|_| {
            let letters = (0..900).map(|_| {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                char::from(b'A' + (noise >> 59) as u8)
            });
            std::iter::once('/')
                .chain(letters.map(|letter| if letter.is_ascii_alphabetic() { letter } else { 'z' }))
                .collect()
        })
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let answer = server
        .post(&format!("distribution/{id}/invalidation"), &batch("r", &paths))
        .await;
    answer.error(413, "BatchTooLarge");
}

#[tokio::test]
async fn wrong_batches_are_refused_with_the_reason() {
    let server = Server::start().await;
    let (id, _) = server.distribution("d").await;
    let path = format!("distribution/{id}/invalidation");
    let check = async |body: &str, status: u16, code: &str| server.post(&path, body).await.error(status, code);
    check("", 400, "MissingBody").await;
    check("<InvalidationBatch", 400, "MalformedXML").await;
    let message = check("<InvalidationBatch></InvalidationBatch>", 400, "MalformedXML").await;
    assert!(message.contains("Member must not be null"), "{message}");
    let no_reference =
        "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths></InvalidationBatch>";
    check(no_reference, 400, "MalformedXML").await;
    check(&batch("", &["/a"]), 400, "InvalidArgument").await;
    check(&batch("r", &[]), 400, "InvalidArgument").await;
    let inconsistent = batch("r", &["/a"]).replace("<Quantity>1<", "<Quantity>2<");
    check(&inconsistent, 400, "InconsistentQuantities").await;
    let message = check(&batch("r", &["/assets/app.*.js"]), 400, "InvalidArgument").await;
    assert!(message.contains("only as the last character"), "{message}");
    let message = check(&batch("r", &["index.html"]), 400, "InvalidArgument").await;
    assert!(
        message.starts_with("Your request contains one or more invalid invalidation paths."),
        "{message}"
    );
    check(
        &batch("r", &[&format!("/{}", "a".repeat(4_000))]),
        400,
        "InvalidArgument",
    )
    .await;
    assert_eq!(server.get(&path).await.text("Quantity"), "0");
}

#[tokio::test]
async fn invalidations_are_listed_newest_first_in_pages() {
    let server = Server::start().await;
    let (id, _) = server.distribution("d").await;
    let path = format!("distribution/{id}/invalidation");
    let empty = server.get(&path).await;
    assert!(
        empty.body.contains("<Marker></Marker>") || empty.body.contains("<Marker/>"),
        "{}",
        empty.body
    );
    assert!(empty.body.contains("<Items></Items>") && !empty.body.contains("NextMarker"));
    let mut ids = Vec::new();
    for number in 0..5 {
        let before = server.head().await;
        ids.push(server.invalidation(&id, &number.to_string(), &["/a"]).await);
        server.watermark_written(before).await;
    }
    ids.reverse();
    let first = server.get(&format!("{path}?MaxItems=2")).await;
    assert_eq!(first.texts("Id"), ids[..2]);
    assert_eq!(first.texts("Status"), ["Completed", "Completed"]);
    assert_eq!(
        (first.text("IsTruncated").as_str(), first.text("NextMarker")),
        ("true", ids[1].clone())
    );
    let second = server.get(&format!("{path}?MaxItems=2&Marker={}", ids[1])).await;
    assert_eq!(second.texts("Id"), ids[2..4]);
    assert_eq!(second.text("Marker"), ids[1]);
    let last = server.get(&format!("{path}?MaxItems=2&Marker={}", ids[3])).await;
    assert_eq!(
        (last.texts("Id"), last.text("IsTruncated")),
        (vec![ids[4].clone()], "false".to_owned())
    );
    server
        .get(&format!("{path}?Marker=nothing"))
        .await
        .error(400, "InvalidArgument");
    server
        .get(&format!("{path}?MaxItems=x"))
        .await
        .error(400, "InvalidArgument");
}
