//! RFC 9111 section 4.3.5: a HEAD goes to the origin as it is, and tells what has become of what is stored.

use warmfront_testkit::{Ask, Origin, Reply};

use super::bed;
use crate::check;

fn reply(version: u32, body: &str, secs: u64) -> Reply {
    Reply::ok(body.to_owned())
        .max_age(secs)
        .header("etag", &format!("\"{version}\""))
}

#[tokio::test]
async fn a_head_that_finds_nothing_stores_nothing() {
    let origin = Origin::start().await;
    origin.reply("/a", reply(1, "one", 60));
    let bed = bed(&origin).await;
    let answer = bed.ask(&Ask::head("/a")).await;
    check(&answer, 200, "Miss", "");
    assert_eq!(answer.header("content-length"), "3");
    assert_eq!(origin.only_request().method, "HEAD");
    check(&bed.get("/a").await, 200, "Miss", "one");
    check(&bed.ask(&Ask::head("/a")).await, 200, "Hit", "");
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn a_matching_head_makes_an_expired_copy_fresh_again() {
    let origin = Origin::start().await;
    origin.replies(
        "/a",
        [
            reply(1, "one", 10).header("x-a", "1").header("x-b", "1"),
            reply(1, "two", 60).header("x-a", "2"),
        ],
    );
    let bed = bed(&origin).await;
    bed.get("/a").await;
    bed.advance(20);
    check(&bed.ask(&Ask::head("/a")).await, 200, "Miss", "");
    bed.advance(59);
    let updated = bed.get("/a").await;
    check(&updated, 200, "Hit", "one");
    assert_eq!(
        (updated.header("x-a"), updated.header("x-b"), updated.header("age")),
        ("2", "1", "59")
    );
    assert_eq!(origin.n_requests(), 2);
}

#[tokio::test]
async fn a_head_that_does_not_match_removes_the_copy() {
    for outdated in [reply(2, "two", 60), reply(1, "longer", 60)] {
        let origin = Origin::start().await;
        origin.replies("/a", [reply(1, "one", 10), outdated, reply(3, "three", 60)]);
        let bed = bed(&origin).await;
        bed.get("/a").await;
        bed.advance(20);
        bed.ask(&Ask::head("/a")).await;
        check(&bed.get("/a").await, 200, "Miss", "three");
        assert_eq!(origin.last_request().header("if-none-match"), "");
    }
}

#[tokio::test]
async fn a_head_confirms_nothing_that_is_covered() {
    let origin = Origin::start().await;
    origin.replies("/a", [reply(1, "one", 60), reply(1, "two", 60), reply(1, "new", 60)]);
    let bed = bed(&origin).await;
    bed.get("/a").await;
    bed.invalidate(&["/a"]).await;
    check(&bed.ask(&Ask::head("/a")).await, 200, "Miss", "");
    check(&bed.get("/a").await, 200, "Miss", "new");
    assert_eq!(origin.n_requests(), 3);
}

#[tokio::test]
async fn an_expired_copy_stands_in_when_there_is_no_answer() {
    let origin = Origin::start().await;
    origin.replies("/a", [reply(1, "one", 10), Reply::hang_up()]);
    let bed = bed(&origin).await;
    bed.get("/a").await;
    bed.advance(20);
    check(&bed.ask(&Ask::head("/a")).await, 200, "RefreshHit", "");
}

#[tokio::test]
async fn an_error_to_a_head_changes_nothing_that_is_stored() {
    let origin = Origin::start().await;
    origin.replies("/a", [reply(1, "one", 10), Reply::status(404), Reply::status(304)]);
    let bed = bed(&origin).await;
    bed.get("/a").await;
    bed.advance(20);
    check(&bed.ask(&Ask::head("/a")).await, 404, "Error", "");
    check(&bed.get("/a").await, 200, "RefreshHit", "one");
    assert_eq!(origin.last_request().header("if-none-match"), "\"1\"");
}
