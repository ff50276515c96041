use std::borrow::Cow;

use warmfront_model::Distribution;

use crate::path_pattern::{PathPattern, normalized};

/// The compiled path patterns of one distribution's behaviors.
#[derive(Clone, Debug)]
pub struct Behaviors(Vec<PathPattern>);

impl Behaviors {
    /// Compiles the patterns of `distribution.behaviors`, in order.
    pub fn new(distribution: &Distribution) -> Behaviors {
        Behaviors(
            distribution
                .behaviors
                .iter()
                .map(|behavior| PathPattern::new(&behavior.path_pattern))
                .collect(),
        )
    }

    /// The position in `distribution.behaviors` of the first whose pattern matches `path` (raw, without the query string);
    /// the last one, the default cache behavior, if no other does.
    ///
    /// Source: CloudFront Developer Guide, "Cache behavior settings", Path pattern (the order of behaviors decides).
    pub fn select(&self, path: &str) -> usize {
        let last = self.0.len().saturating_sub(1);
        if last == 0 {
            return 0;
        }
        let path = normalized(path);
        self.0[..last]
            .iter()
            .position(|pattern| pattern.matches(&path))
            .unwrap_or(last)
    }
}

/// The path that a request for `path` is answered from: the default root object for `/`, else `path` itself.
///
/// Source: CloudFront Developer Guide, "Specify a default root object" (for the root alone, not for directories).
pub fn request_path<'a>(distribution: &Distribution, path: &'a str) -> Cow<'a, str> {
    match &distribution.default_root_object {
        Some(object) if path == "/" => Cow::Owned(format!("/{object}")),
        _ => Cow::Borrowed(path),
    }
}
