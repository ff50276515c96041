use std::borrow::Cow;

/// A behavior's PathPattern: `*` stands for any number of characters, `?` for exactly one, both match `/` too.
/// The whole path must match; case matters; a leading slash may be left out.
///
/// Source: CloudFront Developer Guide, "Cache behavior settings", Path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Box<[u8]>);

impl PathPattern {
    /// A pattern as configured; validity of its characters is the configuration's matter.
    pub fn new(pattern: &str) -> PathPattern {
        PathPattern(pattern.strip_prefix('/').unwrap_or(pattern).as_bytes().into())
    }

    /// Whether a normalized path (see [`normalized`]), with its leading slash, matches.
    /// Takes time in pattern times path at the worst.
    pub fn matches(&self, path: &str) -> bool {
        let pattern = &*self.0;
        let path = path.strip_prefix('/').unwrap_or(path).as_bytes();
        let (mut at_pattern, mut at_path) = (0, 0);
        let mut last_star: Option<(usize, usize)> = None;
        while at_path < path.len() {
            match pattern.get(at_pattern) {
                Some(b'*') => {
                    last_star = Some((at_pattern, at_path));
                    at_pattern += 1;
                }
                Some(&expected) if expected == b'?' || expected == path[at_path] => {
                    at_pattern += 1;
                    at_path += 1;
                }
                _ => match &mut last_star {
                    Some((star, taken)) => {
                        *taken += 1;
                        at_pattern = *star + 1;
                        at_path = *taken;
                    }
                    None => return false,
                },
            }
        }
        pattern[at_pattern..].iter().all(|&byte| byte == b'*')
    }
}

/// The path as patterns see it: dot segments removed, repeated slashes one. Borrowed where nothing changes.
///
/// Source: RFC 3986 section 5.2.4; CloudFront Developer Guide, "Cache behavior settings", Path normalization.
pub(crate) fn normalized(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && !path.contains("/.") {
        return Cow::Borrowed(path);
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut is_directory = false;
    for segment in path.split('/') {
        is_directory = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    let mut normal = format!("/{}", segments.join("/"));
    if is_directory && normal.len() > 1 {
        normal.push('/');
    }
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(
            PathPattern::new(pattern).matches(&normalized(path)),
            expected,
            "{pattern} on {path}"
        );
    }

    #[test]
    fn a_star_matches_any_number_of_characters_even_slashes() {
        check("*", "/", true);
        check("*", "/a/b/c.html", true);
        check("/images/*", "/images/", true);
        check("images/*.jpg", "/images/a/b.jpg", true);
        check("*.jpg", "/a/b.jpg", true);
        check("/*.jpg", "/a/b.jpg", true);
        check("a*b*c", "/aXXbYYbZc", true);
        check("a*b*c", "/aXXbYYbZ", false);
    }

    #[test]
    fn a_question_mark_matches_exactly_one() {
        check("/a?c", "/abc", true);
        check("/a?c", "/a/c", true);
        check("/a?c", "/ac", false);
        check("/a??*", "/ab", false);
    }

    #[test]
    fn the_whole_path_must_match_and_case_matters() {
        check("images", "/images/x", false);
        check("/index.html", "/index.html", true);
        check("/index.html", "/Index.html", false);
        check("/index.html", "/index.html.bak", false);
    }

    #[test]
    fn the_path_is_normalized_before_it_is_matched() {
        check("/a*", "/a/b/..", true);
        check("/a", "/b/../a", true);
        check("/b/*", "/b/../a", false);
        check("/a/b", "//a///b", true);
        check("/a/", "/a/.", true);
        check("/", "/../..", true);
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = format!("{}b", "*a".repeat(100));
        check(&pattern, &format!("/{}", "a".repeat(8_000)), false);
    }
}
