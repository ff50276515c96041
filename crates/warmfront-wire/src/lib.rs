//! CloudFront's REST-XML of API 2020-05-31, both ways: bodies, error documents and routes.
//!
//! The types in [`types`], the codes in [`ErrorCode`] and the routes behind [`route`] are generated from CloudFront's
//! published service model by `cargo xtask codegen`; [`convert`] turns them into validated values and back.

pub mod convert;
mod error_document;
mod generated;
pub mod operation;
mod xml;

pub use error_document::error_document;
pub use generated::{ErrorCode, types};
pub use operation::{Operation, Routed, query_parameter, route};
pub use xml::{BODY_BYTES_MAX, DEPTH_MAX, Document, Double, ELEMENTS_MAX, NAMESPACE, XmlError, from_xml, to_xml};
