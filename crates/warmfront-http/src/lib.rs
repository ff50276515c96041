//! The grammar of the header fields that a cache reads: Cache-Control, CDN-Cache-Control, Age, dates, ETag, Vary, Accept-Encoding, Connection.
//!
//! Fields come from strangers: no sequence of bytes makes anything here panic, and what cannot be read is read as the
//! more careful of its possible meanings. What a rule concludes from a field stands in `warmfront-caching`.

mod accept_encoding;
mod cache_control;
mod date;
mod delta_seconds;
mod etag;
mod hop_by_hop;
mod list;
mod normal_list;
mod request_directives;
mod targeted;
mod vary;

pub use accept_encoding::{AcceptedEncodings, accepted_encodings};
pub use cache_control::{CacheControl, Scope};
pub use date::{date_field, format_http_date, parse_http_date};
pub use delta_seconds::{DELTA_SECONDS_MAX, age_field};
pub use etag::{Comparison, EntityTag, any_tag_matches, entity_tags};
pub use hop_by_hop::{connection_options, is_hop_by_hop, remove_hop_by_hop};
pub use normal_list::{ranked_list, spaceless_list};
pub use request_directives::RequestDirectives;
pub use targeted::targeted_directives;
pub use vary::Vary;
