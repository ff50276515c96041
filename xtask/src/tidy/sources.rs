use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The repository's text files, by path from its root with `/` between the parts, in order.
pub struct Sources {
    files: Vec<(String, String)>,
}

/// What holds sources; everything else in the root is read file by file.
const FOLDERS: &[&str] = &["crates", "xtask", "tests", "conformance", "docs"];
const EXTENSIONS: &[&str] = &["rs", "py", "sh", "toml", "md", "txt", "ini"];

impl Sources {
    /// Reads the sources below `root`.
    pub fn read(root: &Path) -> Result<Sources> {
        let mut files = Vec::new();
        for folder in FOLDERS.iter().filter(|folder| root.join(folder).is_dir()) {
            read_folder(&root.join(folder), folder, &mut files)?;
        }
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            if path.is_file() {
                read_file(&path, "", &mut files)?;
            }
        }
        files.sort();
        Ok(Sources { files })
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Sources {
        Sources {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        }
    }

    /// One file's text.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn text(&self, path: &str) -> Result<&str> {
        self.find(path).with_context(|| format!("{path} is missing"))
    }

    /// One file's text, if there is such a file.
    pub fn find(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|(name, _)| name == path)
            .map(|(_, text)| text.as_str())
    }

    /// Every file with its text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The names of the folders in `crates/`, with the text of each manifest.
    pub fn crates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter_map(|(path, text)| {
            let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!name.contains('/')).then_some((name, text))
        })
    }
}

fn read_folder(folder: &Path, name: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let file_name = entry.file_name();
        let file_name = file_name.to_string_lossy();
        if path.is_dir() {
            if !file_name.starts_with('.') && file_name != "__pycache__" && file_name != "target" {
                read_folder(&path, &format!("{name}/{file_name}"), files)?;
            }
        } else {
            read_file(&path, name, files)?;
        }
    }
    Ok(())
}

fn read_file(path: &Path, folder: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    let known = path
        .extension()
        .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
    if !known {
        return Ok(());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = if folder.is_empty() {
        file_name.into_owned()
    } else {
        format!("{folder}/{file_name}")
    };
    files.push((name, text));
    Ok(())
}
