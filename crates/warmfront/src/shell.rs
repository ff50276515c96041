/// `text` as one word of a POSIX shell, in single quotes; a single quote within is written `'\''`.
///
/// Source: POSIX.1-2024, Shell Command Language, 2.2.2 "Single-Quotes".
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inside_is_special() {
        assert_eq!(quote("http://127.0.0.1:4500"), "'http://127.0.0.1:4500'");
        assert_eq!(quote("a b$c`d\\e"), "'a b$c`d\\e'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }
}
