use std::fmt;

use warmfront_model::Revision;

/// A fetch as the origin knows it.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// What was asked for.
    pub path: &'static str,
    /// Which version of it the origin had then.
    pub version: u64,
    /// Which cache tags it sent along.
    pub tags: &'static [&'static str],
    /// The journal's newest revision when the request reached the origin. The fetch began then or earlier.
    pub head: Revision,
}

/// An invalidation that was created.
#[derive(Clone, Debug)]
pub struct Invalidation {
    /// Its epoch.
    pub revision: Revision,
    /// What it covers.
    pub item: String,
}

/// An answer that breaks the sentence, or that no fetch explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Invalidation {
    /// Whether it covers a response to `path` that carries `tags`.
    ///
    /// Written anew and as simply as can be: the edge's own index is what is being checked.
    pub fn covers(&self, path: &str, tags: &[&str]) -> bool {
        if let Some(tag) = self.item.strip_prefix('#') {
            return tags.iter().any(|carried| carried.eq_ignore_ascii_case(tag));
        }
        match self.item.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == self.item,
        }
    }
}

/// The tags of an object's version: they come and go from one version to the next.
pub fn tags_of(object: usize, version: u64) -> &'static [&'static str] {
    const TAGS: [&[&str]; 4] = [&["Red"], &[], &["red", "blue"], &["Blue"]];
    TAGS[usize::try_from(version).unwrap_or(0).wrapping_add(object) % TAGS.len()]
}

/// The one rule: an invalidation that read Completed when the request arrived (`completed`), that covers the response, and
/// that was created after the origin fetch which the answer rests on.
pub fn broken<'a>(invalidations: &'a [Invalidation], completed: Revision, fetch: &Fetch) -> Option<&'a Invalidation> {
    invalidations.iter().find(|invalidation| {
        let is_completed = invalidation.revision <= completed;
        let is_later = invalidation.revision > fetch.head;
        is_completed && is_later && invalidation.covers(fetch.path, fetch.tags)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(item: &str, created: u64, completed: u64, path: &'static str, head: u64) -> bool {
        let invalidation = Invalidation {
            revision: Revision(created),
            item: item.to_owned(),
        };
        let fetch = Fetch {
            path,
            version: 1,
            tags: &["Red"],
            head: Revision(head),
        };
        broken(&[invalidation], Revision(completed), &fetch).is_some()
    }

    #[test]
    fn an_older_fetch_that_a_completed_invalidation_covers_breaks_the_rule() {
        assert!(breaks("/a", 7, 7, "/a", 6));
        assert!(breaks("/dir/*", 7, 9, "/dir/a", 3));
        assert!(breaks("/*", 7, 7, "/", 6));
        assert!(breaks("#red", 7, 7, "/", 6));
    }

    #[test]
    fn an_invalidation_in_progress_an_older_one_and_another_path_do_not() {
        assert!(!breaks("/a", 7, 6, "/a", 6));
        assert!(!breaks("/a", 7, 7, "/a", 7));
        assert!(!breaks("/a", 7, 7, "/", 6));
        assert!(!breaks("#blue", 7, 7, "/", 6));
        assert!(!breaks("/dir/*", 7, 7, "/dir", 6));
    }
}
