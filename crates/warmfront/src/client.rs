//! Small clients of the three faces: the CloudFront API, the S3 API, and the edge as a viewer sees it.

mod cloudfront;
mod coverage;
mod http;
mod s3;
mod target;
mod viewer;

pub use cloudfront::{CloudFront, InvalidationState, OriginSpec, SiteSpec, Wishes};
pub use coverage::{Audit, Coverage, DryRun};
pub use http::{ApiError, Http};
pub use s3::S3;
pub use target::{Target, discover};
pub use viewer::{Page, Viewer};
