//! Requests that carry the token of an invalidation, and so are answered with nothing older.

use std::time::Duration;

use warmfront_edge::{EdgeOptions, Hold};
use warmfront_journal::Journal;
use warmfront_model::{DistributionId, Epoch, Revision};
use warmfront_signing::{SecretKey, TokenKey};
use warmfront_testkit::{Answer, Ask, Origin, Reply, Site, Testbed, Tiers, applied, edge_options};

use crate::check;

fn tokens() -> TokenKey {
    TokenKey::derive(&SecretKey::new("secret"))
}

fn id() -> DistributionId {
    DistributionId::parse(Site::ID).unwrap()
}

/// What CreateInvalidation would give for this revision.
fn token(bed: &Testbed, revision: Revision) -> String {
    let epoch = Epoch {
        incarnation: bed.journal.incarnation(),
        revision,
    };
    tokens().issue(&id(), epoch)
}

fn with_token(target: &str, token: &str) -> Ask {
    Ask::get(target).header("x-warmfront-token", token)
}

/// A response is cached, and invalidations are applied after so long.
async fn cached(origin: &Origin, delay: Duration) -> Testbed {
    let mut options = EdgeOptions {
        tokens: Some(tokens()),
        propagation_delay: delay,
        n_cores: 1,
        ..edge_options()
    };
    options.limits.token_wait = Duration::from_secs(60);
    let bed = Testbed::start(options).await;
    bed.write(&Site::new(origin)).await;
    origin.replies(
        "/a",
        [
            Reply::ok("old").max_age(60_000),
            Reply::ok("new").max_age(60_000).header("etag", "\"2\""),
        ],
    );
    check(&bed.get("/a").await, 200, "Miss", "old");
    bed
}

#[tokio::test]
async fn who_has_the_token_reads_the_new_while_others_read_the_old() {
    let origin = Origin::start().await;
    let bed = cached(&origin, Duration::from_secs(3_600)).await;
    let revision = bed.commit_invalidation(&["/a"]).await;
    let token = token(&bed, revision);
    for n_requests in [2, 3] {
        check(&bed.ask(&with_token("/a", &token)).await, 200, "Miss", "new");
        assert_eq!(origin.n_requests(), n_requests, "nothing is kept of it");
        assert_eq!(origin.last_request().header("x-warmfront-token"), "");
        check(&bed.get("/a").await, 200, "Hit", "old");
    }
    assert!(bed.applied_now() < revision);
    bed.advance(3_600);
    bed.applied(revision).await;
    // Applied: the token asks for nothing more, and is no part of the key.
    check(&bed.ask(&with_token("/a", &token)).await, 200, "Miss", "new");
    check(&bed.ask(&with_token("/a", &token)).await, 200, "Hit", "new");
    check(&bed.get("/a").await, 200, "Hit", "new");
    assert_eq!(origin.n_requests(), 4);
}

/// The usual case: the journal is a few milliseconds ahead of the node.
#[tokio::test]
async fn a_node_that_catches_up_meanwhile_answers_as_always() {
    let origin = Origin::start().await;
    let bed = cached(&origin, Duration::ZERO).await;
    bed.journal.hold_watches();
    let revision = bed.commit_invalidation(&["/a"]).await;
    let token = token(&bed, revision);
    let mut viewer = bed.viewer().await;
    viewer.send(&with_token("/a", &token)).await;
    // The one core there is has come to it when it has answered others that came later.
    for _ in 0..20 {
        check(&bed.get("/a").await, 200, "Hit", "old");
    }
    assert_eq!(origin.n_requests(), 1, "it waits");
    bed.journal.release_watches();
    check(&viewer.answer().await, 200, "Miss", "new");
    check(&bed.get("/a").await, 200, "Hit", "new");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn a_node_that_does_not_catch_up_goes_past_its_cache() {
    let origin = Origin::start().await;
    let mut options = EdgeOptions {
        tokens: Some(tokens()),
        ..edge_options()
    };
    options.limits.token_wait = Duration::from_millis(1);
    let bed = Testbed::start(options).await;
    bed.write(&Site::new(&origin)).await;
    origin.replies("/a", [Reply::ok("old").max_age(60), Reply::ok("new").max_age(60)]);
    bed.get("/a").await;
    bed.journal.hold_watches();
    let revision = bed.commit_invalidation(&["/b"]).await;
    let token = token(&bed, revision);
    // Whether the invalidation covers it, the node does not know.
    check(&bed.ask(&with_token("/a", &token)).await, 200, "Miss", "new");
    check(&bed.get("/a").await, 200, "Hit", "old");
    bed.journal.release_watches();
    bed.applied(revision).await;
    check(&bed.ask(&with_token("/a", &token)).await, 200, "Hit", "old");
}

#[tokio::test]
async fn a_token_that_is_not_this_distributions_is_refused_with_the_reason() {
    let origin = Origin::start().await;
    let bed = cached(&origin, Duration::ZERO).await;
    let revision = bed.invalidate(&["/b"]).await;
    let good = token(&bed, revision);
    let other_journal = tokens().issue(
        &id(),
        Epoch {
            incarnation: warmfront_model::Incarnation(1),
            revision,
        },
    );
    let other_site = {
        let epoch = Epoch {
            incarnation: bed.journal.incarnation(),
            revision,
        };
        tokens().issue(&DistributionId::parse("EDFDVBD632BHDS").unwrap(), epoch)
    };
    for (token, why) in [
        ("", "no token"),
        ("x", "no token"),
        (&good[..good.len() - 2], "not made by this server for this distribution"),
        (&other_site, "not made by this server for this distribution"),
        (&other_journal, "another journal"),
    ] {
        let answer: Answer = bed.ask(&with_token("/a", token)).await;
        assert_eq!(answer.status, 400, "{token}");
        assert!(answer.text().contains(why), "{token}: {}", answer.text());
        assert!(!answer.text().contains(good.split('.').next_back().unwrap()));
    }
    check(&bed.ask(&with_token("/a", &good)).await, 200, "Hit", "old");

    let bed = Testbed::with(&Site::new(&origin)).await;
    let answer = bed.ask(&with_token("/a", &good)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("knows no tokens"), "{}", answer.text());
}

/// The regional node has the old response as well, and learns of the invalidation last.
#[tokio::test]
async fn a_regional_node_that_lags_gives_nothing_older_either() {
    let origin = Origin::start().await;
    let tiers = Tiers::start_with(1, 1, |options| EdgeOptions {
        tokens: Some(tokens()),
        ..options
    })
    .await;
    tiers.write(&Site::new(&origin)).await;
    origin.replies("/a", [Reply::ok("old").max_age(60), Reply::ok("new").max_age(60)]);
    check(&tiers.get(0, "/a").await, 200, "Miss", "old");
    let hold = |paused| Hold {
        paused,
        ..Hold::default()
    };
    tiers.pops[0].handle().hold(hold(true));
    tiers.regionals[0].handle().hold(hold(true));
    let revision = tiers.commit_invalidation(&["/a"]).await;
    let epoch = Epoch {
        incarnation: tiers.journal.incarnation(),
        revision,
    };
    let ask = with_token("/a", &tokens().issue(&id(), epoch));
    check(&tiers.viewer(0).await.ask(&ask).await, 200, "Miss", "new");
    check(&tiers.get(0, "/a").await, 200, "Hit", "old");

    tiers.pops[0].handle().hold(hold(false));
    applied(&tiers.pops[0], revision).await;
    check(&tiers.viewer(0).await.ask(&ask).await, 200, "Miss", "new");
    check(&tiers.get(0, "/a").await, 200, "Hit", "new");
    assert_eq!(origin.n_requests(), 3);
}
