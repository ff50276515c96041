use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use super::{Asked, Page};
use crate::references::{css_references, module_references};

/// Assets that pages refer to, looked at per edge at most.
const ASSETS_MAX: usize = 1_000;

/// What an edge showed of the assets that pages refer to.
#[derive(Debug, Default)]
pub struct Assets {
    /// How many were looked at.
    pub n_asked: usize,
    /// The path of each that is not there, and what is wrong.
    pub problems: Vec<(String, String)>,
}

impl Assets {
    /// Looks at what pages refer to, and at what that refers to itself: style sheets and scripts load images, fonts, and others of
    /// their kind. `referenced` has the path of a page for each path.
    pub async fn follow(asked: &Asked<'_>, mut referenced: BTreeMap<String, String>, n_parallel: usize) -> Assets {
        let mut problems = Vec::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        while !referenced.is_empty() && known.len() < ASSETS_MAX {
            let wave: Vec<(String, String)> = std::mem::take(&mut referenced).into_iter().collect();
            known.extend(wave.iter().map(|(path, _)| path.clone()));
            let looks = stream::iter(wave).map(|(path, page)| look(asked, path, page));
            let looks: Vec<Seen> = looks.buffered(n_parallel).collect().await;
            for seen in looks {
                for path in seen.references.into_iter().filter(|path| !known.contains(path)) {
                    referenced.entry(path).or_insert_with(|| seen.path.clone());
                }
                problems.extend(seen.problem.map(|problem| (seen.path, problem)));
            }
        }
        Assets {
            n_asked: known.len(),
            problems,
        }
    }
}

/// What an edge showed of one asset.
struct Seen {
    path: String,
    problem: Option<String>,
    references: BTreeSet<String>,
}

/// Looks at what `page` refers to.
async fn look(asked: &Asked<'_>, path: String, page: String) -> Seen {
    let (url, found) = asked.get(&path).await;
    let (problem, references) = match found {
        Ok(found) if found.status == 200 => (None, references(&path, &found)),
        Ok(found) => (Some(format!("status {}", found.status)), BTreeSet::new()),
        Err(error) => (Some(error), BTreeSet::new()),
    };
    Seen {
        problem: problem.map(|problem| format!("{url}: {problem}; {page} refers to it")),
        path,
        references,
    }
}

/// What a style sheet or a script loads itself.
fn references(path: &str, asset: &Page) -> BTreeSet<String> {
    let essence = asset.content_type.split(';').next().unwrap_or_default().trim();
    match essence {
        "text/css" => css_references(path, &String::from_utf8_lossy(&asset.body)),
        "text/javascript" | "application/javascript" => module_references(path, &String::from_utf8_lossy(&asset.body)),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::check::tests::page;

    #[test]
    fn scripts_and_style_sheets_load_more() {
        let asset = |content_type: &str, body: &str| Page {
            content_type: content_type.into(),
            ..page(200, body)
        };
        let script = asset("text/javascript; charset=utf-8", "import './b.js'");
        assert_eq!(references("/js/a.js", &script), BTreeSet::from(["/js/b.js".into()]));
        let sheet = asset("text/css", "@import 'b.css'");
        assert_eq!(references("/a.css", &sheet), BTreeSet::from(["/b.css".into()]));
        let text = asset("text/plain", "import './b.js'");
        assert_eq!(references("/a.txt", &text), BTreeSet::new());
    }
}
