use std::collections::BTreeSet;

use url::Url;

use super::{REFERENCES_MAX, same_site};

/// The URLs on the same site that the JavaScript module at `path` names where anybody can see it: `import "…"`, `from "…"` and
/// `import("…")`, with a specifier that begins with `/`, `./` or `../`; comments do not count, nor does what other strings contain.
///
/// It reads no more of the language than that: a regular expression with a quote in it may hide what follows on its line.
/// Source: ECMAScript, "Imports" and "Exports"; HTML Living Standard, "Resolving module specifiers".
pub fn module_references(path: &str, script: &str) -> BTreeSet<String> {
    let Ok(module) = Url::parse("https://site.invalid").and_then(|site| site.join(path)) else {
        return BTreeSet::new();
    };
    let mut found = BTreeSet::new();
    let mut before = String::new();
    let mut rest = script;
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest[2..].split_once("*/").map_or("", |(_, after)| after);
        } else if matches!(char, '"' | '\'' | '`') {
            let length = string_length(after, char);
            let (specifier, end) = after.split_at(length);
            let is_path = ["/", "./", "../"].iter().any(|begin| specifier.starts_with(begin));
            if is_path && char != '`' && names_a_module(&before) && found.len() < REFERENCES_MAX {
                found.extend(module.join(specifier).ok().and_then(|url| same_site(&module, url)));
            }
            before.clear();
            rest = end.strip_prefix(char).unwrap_or(end);
        } else {
            remember(&mut before, char);
            rest = after;
        }
    }
    found
}

/// Keeps the last word, and an opening parenthesis after it.
fn remember(before: &mut String, char: char) {
    let in_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$' | '.');
    if char.is_whitespace() {
        if before.chars().next_back().is_some_and(in_word) {
            before.push(' ');
        }
        return;
    }
    if in_word(char) {
        if before.ends_with([' ', '(']) {
            before.clear();
        }
        before.push(char);
    } else if char == '(' && before.trim_end() == "import" {
        before.truncate("import".len());
        before.push('(');
    } else {
        before.clear();
    }
}

fn names_a_module(before: &str) -> bool {
    matches!(before.trim_end(), "import" | "from" | "import(")
}

/// How many bytes of `text` belong to a string literal that ends with `quote`, or at the end of its line unless it is a template.
fn string_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, char) in text.char_indices() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\n' if quote != '`' => return at,
            _ if char == quote => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_names_what_it_imports() {
        let script = r#"import "./side.js"; import a, { b } from '../lib/b.js?v=2'; export * from "/c.js";
            import{d}from"./min.js";const lazy = () => import( "./lazy.js" );import/* why */"./e.js"
            // import "./no1.js"
            /* from "./no2.js" */ const s = "import './no3.js'", t = `from "./no4.js"`, u = 'it\'s from "./no5.js"';
            import react from "react"; import("https://elsewhere.example/x.js"); reimport("./no6.js"); Array.from("./no7.js");
            require("./no8.js"); url("from", "./no9.js"); import(`./${name}.js`); const ünicode = "unended
            import "./last.js"#;
        let found = module_references("/js/main.js", script);
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            [
                "/c.js",
                "/js/e.js",
                "/js/last.js",
                "/js/lazy.js",
                "/js/min.js",
                "/js/side.js",
                "/lib/b.js?v=2"
            ]
        );
    }
}
