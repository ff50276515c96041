//! The edge between scripted origins and small viewers, with a journal and a clock that obey the test.

mod access_log;
mod audit;
mod buckets;
mod collapsing;
mod conditions;
mod connections;
mod direct;
mod errors;
mod faults;
mod gentle;
mod header_policies;
mod hits;
mod in_flight;
mod invalidation;
mod journal;
mod keys;
mod leases;
mod outcomes;
mod passing;
mod policies;
mod refills;
mod restart;
mod revalidation;
mod rfc;
mod routing;
mod tags;
mod tiers;
mod token;

use warmfront_testkit::{Answer, Ask, Origin, Testbed, Viewer};

/// An origin whose `/a` says how often it was asked, for a day.
async fn counting() -> Origin {
    let origin = Origin::start().await;
    origin.counts("/a", 86_400);
    origin
}

/// Status, outcome and body, all at once.
#[track_caller]
fn check(answer: &Answer, status: u16, x_cache: &str, body: &str) {
    let (status, x_cache, body) = (status, x_cache.to_owned(), body.to_owned());
    assert_eq!(answer.summary(), (status, x_cache, body), "{:?}", answer.headers);
    assert!(!answer.truncated, "{:?}", answer.headers);
}

/// A viewer that has asked for `target`, and waits.
async fn asked(bed: &Testbed, target: &str) -> Viewer {
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get(target)).await;
    viewer
}
