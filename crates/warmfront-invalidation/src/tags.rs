use warmfront_model::CacheTag;

/// How many tags of a response count; those that come after are ignored.
///
/// Source: CloudFront Developer Guide, "Invalidate by cache tag".
pub const TAGS_MAX: usize = 50;

/// The cache tags in the `values` of the field that carries them: lists with commas between, as they are written there,
/// spaces around them taken away. What can be no tag, and so cannot be named in an invalidation, is left out.
///
/// Source: CloudFront Developer Guide, "Invalidate by cache tag".
pub fn cache_tags<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a str> {
    values
        .flat_map(|value| value.split(|&byte| byte == b','))
        .filter_map(|tag| std::str::from_utf8(tag.trim_ascii()).ok())
        .filter(|tag| CacheTag::is_tag(tag))
        .take(TAGS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], expected: &[&str]) {
        let tags: Vec<&str> = cache_tags(values.iter().map(|value| value.as_bytes())).collect();
        assert_eq!(tags, expected);
    }

    #[test]
    fn tags_stand_in_a_list_with_commas() {
        check(&["a,b"], &["a", "b"]);
        check(&["  Product:1 ,sku-7", "c"], &["Product:1", "sku-7", "c"]);
        check(&["", " , ,"], &[]);
    }

    #[test]
    fn what_no_invalidation_can_name_is_no_tag() {
        let (longest, too_long) = ("x".repeat(256), "x".repeat(257));
        check(&["a b,c,grün", &longest, &too_long], &["c", &longest]);
    }

    #[test]
    fn the_fifty_first_tag_is_ignored() {
        let tags: Vec<String> = (1..=51).map(|number| format!("t{number}")).collect();
        let counted = tags[..50].to_vec();
        let (one, two) = tags.split_at(20);
        let values = [one.join(", "), two.join(",")];
        let found: Vec<&str> = cache_tags(values.iter().map(|value| value.as_bytes())).collect();
        assert_eq!(found, counted);
    }
}
