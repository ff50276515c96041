//! CloudFront's standard access log: one line for each request, in files of one distribution and hour.
//!
//! A core that serves writes a line and puts it into the queue of one writer thread. The queue holds so many bytes; when the
//! writer is so far behind that it is full, lines are dropped and counted.

mod body;
mod entry;
mod files;
mod ledger;
mod line;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use body::LoggedBody;
pub(crate) use entry::{Entry, TlsFacts};
pub(crate) use ledger::{Ledger, Peer};
pub use writer::{AccessLog, AccessLogOptions};
