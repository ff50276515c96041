//! What `cargo xtask codegen` makes of the service model. Only this file is written by hand.
#![allow(
    missing_docs,
    reason = "the members' meaning is documented by AWS, under the same names"
)]

mod cache_policy;
mod distribution;
mod error_code;
mod invalidation;
pub(crate) mod operation;
mod origin_access_control;
mod origin_request_policy;
mod response_headers_policy;
mod tagging;

use std::fmt;

use warmfront_model::Timestamp;

use crate::xml::{
    Document, Double, Element, Enumeration, Hidden, Members, Place, Value, Writer, XmlError, enumeration_value,
};

pub use error_code::ErrorCode;

/// CloudFront's shapes under AWS's names: one struct per structure, one enum per list of values.
/// Required members are plain, optional ones an `Option`, lists a `Vec`.
pub mod types {
    pub use super::cache_policy::*;
    pub use super::distribution::*;
    pub use super::invalidation::*;
    pub use super::origin_access_control::*;
    pub use super::origin_request_policy::*;
    pub use super::response_headers_policy::*;
    pub use super::tagging::*;
}

// The generated files refer to each other's shapes through this module.
use types::*;
