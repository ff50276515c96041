use anyhow::Result;

use super::sources::Sources;

/// What must not stand in a source file, each written in two parts so that this file passes its own check.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it"),
    (concat!("unimplemented", "!("), "finish it"),
    (concat!("dbg", "!("), "log with tracing"),
    (concat!("#[", "ignore"), "a test that does not run protects nothing"),
    (
        concat!("pytest.mark.", "skip"),
        "a test that does not run protects nothing",
    ),
    (concat!("pytest.", "skip("), "a test that does not run protects nothing"),
    (
        concat!("pytest.mark.", "xfail"),
        "a known failure is a bug: mend it, or write down the difference",
    ),
    (
        concat!("FIX", "ME"),
        "mend it, or say in a full sentence what is missing",
    ),
];

/// Every place where a forbidden word stands.
pub fn problems(sources: &Sources) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for (path, text) in sources
        .iter()
        .filter(|(path, _)| path.ends_with(".rs") || path.ends_with(".py"))
    {
        for (number, line) in text.lines().enumerate() {
            for (word, instead) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
                problems.push(format!("{path}:{}: {word}: {instead}", number + 1));
            }
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found_with_their_line() {
        let text = format!("fn f() {{\n    {}\n}}", concat!("todo", "!()"));
        let sources = Sources::of(&[("crates/a/src/lib.rs", &text), ("README.md", concat!("FIX", "ME"))]);
        let problems = problems(&sources).unwrap();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("crates/a/src/lib.rs:2: "), "{problems:?}");
    }
}
