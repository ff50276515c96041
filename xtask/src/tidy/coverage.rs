use anyhow::Result;

use super::sources::Sources;

const TABLE: &str = "tests/guide/coverage.md";

/// Rows of the table of the guide's statements whose last column names neither a test that exists, nor later work,
/// nor says that the statement asks nothing of us.
pub fn problems(sources: &Sources) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut rows = 0;
    for (number, line) in sources.text(TABLE)?.lines().enumerate() {
        let Some(proof) = proof(line) else { continue };
        rows += 1;
        let place = format!("{TABLE}:{}", number + 1);
        let tests: Vec<&str> = proof
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.contains("::"))
            .collect();
        if tests.is_empty() && !proof.starts_with("later: ") && !proof.starts_with("advice") {
            problems.push(format!("{place}: name a test, or begin with \"later: \" or \"advice\""));
        }
        problems.extend(
            tests
                .iter()
                .filter(|test| !exists(sources, test))
                .map(|test| format!("{place}: there is no test {test}")),
        );
    }
    if rows == 0 {
        problems.push(format!("{TABLE} has no rows"));
    }
    Ok(problems)
}

/// The last column of a row; `None` for other lines, the table's head included.
fn proof(line: &str) -> Option<&str> {
    let row = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let last = row.rsplit(" | ").next()?.trim();
    let head = last.starts_with("---") || last == "proof";
    (!head).then_some(last)
}

/// Whether `FILE::NAME` is a test: a function of a guide script, or of a Rust file given by its path from the root.
fn exists(sources: &Sources, test: &str) -> bool {
    let Some((file, name)) = test.split_once("::") else {
        return false;
    };
    let (path, keyword) = if file.ends_with(".py") {
        (format!("tests/guide/{file}"), "def")
    } else {
        (file.to_owned(), "fn")
    };
    let function = format!("{keyword} {name}(");
    sources
        .find(&path)
        .is_some_and(|text| text.lines().any(|line| line.trim_start().contains(&function)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &str) -> Vec<String> {
        let table = format!("| statement | proof |\n| --- | --- |\n{row}\n");
        problems(&Sources::of(&[
            (TABLE, &table),
            ("tests/guide/test_a.py", "def test_one(cli):\n    pass\n"),
            ("crates/a/src/lib.rs", "    #[test]\n    fn two() {}\n"),
        ]))
        .unwrap()
    }

    #[test]
    fn rows_with_a_test_or_a_reason_pass() {
        assert!(check("| it works | `test_a.py::test_one`, `crates/a/src/lib.rs::two` |").is_empty());
        assert!(check("| it costs | later: the price of a plan |").is_empty());
        assert!(check("| others do it so | advice |").is_empty());
    }

    #[test]
    fn tests_that_do_not_exist_and_rows_without_any_are_problems() {
        assert_eq!(check("| it works | `test_a.py::test_none` |").len(), 1);
        assert_eq!(check("| it works | `test_b.py::test_one` |").len(), 1);
        assert_eq!(check("| it works | surely |").len(), 1);
        assert_eq!(check("no row at all").len(), 1);
    }
}
