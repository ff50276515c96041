//! CloudFront's standard access log: one line for each request, in files of one distribution and hour.
//!
//! A core that serves writes its lines into a batch, and puts it into the queue of one writer thread when it is full; what is
//! not full is fetched by the writer each second. The queue holds so many bytes; when the writer is so far behind that it is
//! full, lines are dropped and counted.

mod batch;
mod entry;
mod files;
mod ledger;
mod line;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use batch::CoreLog;
pub(crate) use entry::{AnsweredHead, End, TlsFacts};
pub(crate) use ledger::{HitLine, Ledger, Peer};
pub use writer::{AccessLog, AccessLogOptions};
