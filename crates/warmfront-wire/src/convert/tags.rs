use super::ConfigError;
use super::error::{ensure, repeated};
use crate::ErrorCode;
use crate::types::Tags;

const TAGS_MAX: usize = 50;
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

/// Checks tags: keys and values, in the order given. A value that was left out is empty.
/// That a resource has at most 50 of them in all is for the caller to check when it adds some.
///
/// # Errors
/// `InvalidTagging` naming the rule: at most 50, keys of 1 to 128 characters that do not begin with `aws:`, values of at
/// most 256, no key twice; letters, digits, spaces and `_ . : / = + - @`.
///
/// Source: CloudFront API Reference, Tag; CloudFront Developer Guide, "Tag a distribution".
pub fn tags(tags: &Tags) -> Result<Vec<(String, String)>, ConfigError> {
    ensure(tags.items.len() <= TAGS_MAX, || {
        invalid(format!(
            "A resource has at most {TAGS_MAX} tags, not {}.",
            tags.items.len()
        ))
    })?;
    if let Some(key) = repeated(tags.items.iter().map(|tag| tag.key.as_str())) {
        return Err(invalid(format!("The tag key {key} is given more than once.")));
    }
    tags.items
        .iter()
        .map(|tag| {
            let value = tag.value.clone().unwrap_or_default();
            check_key(&tag.key)?;
            ensure(
                value.chars().count() <= VALUE_CHARACTERS_MAX && value.chars().all(is_allowed),
                || invalid(format!("The value of the tag {} is not valid.", tag.key)),
            )?;
            Ok((tag.key.clone(), value))
        })
        .collect()
}

fn check_key(key: &str) -> Result<(), ConfigError> {
    let characters = key.chars().count();
    ensure(
        (1..=KEY_CHARACTERS_MAX).contains(&characters) && key.chars().all(is_allowed),
        || invalid(format!("The tag key {key:?} is not valid.")),
    )?;
    let reserved = key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    ensure(!reserved, || {
        invalid(format!("The tag key {key} begins with aws:, which is reserved."))
    })
}

/// The model's pattern: letters, separators, numbers and a few marks.
fn is_allowed(letter: char) -> bool {
    letter.is_alphabetic() || letter.is_numeric() || letter == ' ' || "_.:/=+-@".contains(letter)
}

fn invalid(message: String) -> ConfigError {
    ConfigError::new(ErrorCode::InvalidTagging, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Tag;

    fn check(items: &[(&str, Option<&str>)], valid: bool) {
        let items = items
            .iter()
            .map(|(key, value)| Tag {
                key: (*key).to_owned(),
                value: value.map(str::to_owned),
            })
            .collect();
        match tags(&Tags { items }) {
            Ok(_) => assert!(valid),
            Err(error) => assert_eq!((error.code, valid), (ErrorCode::InvalidTagging, false)),
        }
    }

    #[test]
    fn keys_and_values_keep_to_the_models_pattern() {
        check(
            &[("Team", Some("web")), ("größe", Some("a b_.:/=+-@1")), ("empty", None)],
            true,
        );
        check(&[("", Some("a"))], false);
        check(&[("a", Some("<"))], false);
        check(&[("a;b", None)], false);
        check(&[("aws:created", None)], false);
        check(&[("a", None), ("a", Some("1"))], false);
        check(&[(&"k".repeat(128), Some(&"v".repeat(256)))], true);
        check(&[(&"k".repeat(129), None)], false);
        check(&[("k", Some(&"v".repeat(257)))], false);
    }

    #[test]
    fn at_most_fifty_tags() {
        let keys: Vec<String> = (0..51).map(|number| format!("key{number}")).collect();
        let items: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
        check(&items[..50], true);
        check(&items, false);
    }
}
