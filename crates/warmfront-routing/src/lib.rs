//! From a request to what answers it: the host names a distribution, the path a cache behavior, both together a cache key.

mod behavior;
mod cache_key;
mod host;
mod path_pattern;

pub use behavior::{Behaviors, request_path};
pub use cache_key::{CacheKey, KeyedRequest, MethodClass, forwarded_query, kept_query, write_cache_key};
pub use host::{HostTable, host_name};
pub use path_pattern::PathPattern;
