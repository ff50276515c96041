//! What scenarios are run against.

mod edge;
mod rules;
mod socket;

use std::future::Future;

use warmfront_model::Timestamp;
use warmfront_testkit::Answer;

pub(crate) use edge::EdgeInMemory;
pub(crate) use rules::RulesAlone;
pub(crate) use socket::AnyServer;

use crate::scenario::Request;
use crate::script::Script;

/// A cache, with an origin behind it that obeys a script.
pub(crate) trait Subject: Send {
    /// What its origin says and has seen.
    fn script(&self) -> &Script;

    /// What time it is there.
    fn now(&self) -> Timestamp;

    /// Lets so many seconds pass.
    fn wait(&self, secs: u64) -> impl Future<Output = ()> + Send;

    /// Asks, and gives the answer, or says why there is none.
    fn ask(&self, request: &Request) -> impl Future<Output = Result<Answer, String>> + Send;

    /// Invalidates a path of the distribution.
    fn invalidate(&self, path: &str) -> impl Future<Output = Result<(), String>> + Send;

    /// By how many seconds an age may be larger than it should be.
    fn slack_secs(&self) -> u64;

    /// The part of an origin's target that is the scenario's own.
    fn target_at_origin<'a>(&self, target: &'a str) -> &'a str;
}
