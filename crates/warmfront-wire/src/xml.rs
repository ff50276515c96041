//! Bodies: bytes to elements to generated types, and back.

mod double;
mod element;
mod error;
mod read;
mod write;

pub use double::Double;
pub(crate) use element::Element;
pub use element::{BODY_BYTES_MAX, DEPTH_MAX, ELEMENTS_MAX};
pub(crate) use error::Place;
pub use error::XmlError;
pub use read::from_xml;
pub(crate) use read::{Enumeration, Members, Value, enumeration_value, read_enumeration};
pub use write::to_xml;
pub(crate) use write::{Hidden, Writer};

/// The namespace of every document, of requests and responses alike.
pub const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// A shape that is a whole body of a request or a response.
#[expect(private_bounds, reason = "only generated types are documents")]
pub trait Document: Value {
    /// The name of the root element.
    const ROOT: &'static str;
}

#[cfg(test)]
mod tests;
