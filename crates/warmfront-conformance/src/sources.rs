use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// What scenarios have to cover, from `conformance/sources.txt`: one line for each section or row, below headings.
#[derive(Clone, Debug)]
pub struct Sources {
    /// In the file's order.
    pub all: Vec<Source>,
}

/// A section of an RFC, or a row of what CloudFront documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The heading it stands below.
    pub heading: String,
    /// What scenarios name it by.
    pub key: String,
    /// What it is about.
    pub title: String,
    /// A test that covers what no scenario can: `PATH::NAME`.
    pub test: Option<String>,
}

impl Sources {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, or a line has no title.
    pub fn read(path: &Path) -> Result<Sources> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut heading = String::new();
        let mut all = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if let Some(title) = line.strip_prefix("## ") {
                title.trim().clone_into(&mut heading);
                continue;
            }
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut parts = line.split('|').map(|part| part.trim().to_owned());
            let (Some(key), Some(title)) = (parts.next(), parts.next()) else {
                bail!(
                    "{}:{}: write KEY | TITLE, and | PATH::TEST where no scenario can",
                    path.display(),
                    number + 1
                );
            };
            let test = parts.next();
            all.push(Source {
                heading: heading.clone(),
                key,
                title,
                test,
            });
        }
        Ok(Sources { all })
    }
}
