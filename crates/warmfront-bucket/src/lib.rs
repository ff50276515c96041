//! The embedded S3: buckets and objects in one folder, for those who have no S3 of their own, and for tests.
//!
//! The protocol and the signatures are `s3s`'s; what is here is what S3 does behind them: names and metadata in redb,
//! bytes in files whose names are random, and every request judged by the bucket's policy.
//! `docs/decisions/0004-bucket-on-s3s.md` says why it is built so, and where it differs from AWS.

mod access;
mod answer;
mod body;
mod bucket;
mod condition;
mod dates;
mod digest;
mod errors;
mod host;
mod ingest;
mod lenient;
mod operations;
mod serve;
mod store;

pub use bucket::{Bucket, BucketOptions, OpenError};
