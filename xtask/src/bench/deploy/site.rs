use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine::{run, target, update_package_lists};
use crate::test::install_python_docs;

/// The large site's second half: the C++ reference, four and a half thousand pages, in the version that Debian 12 has.
const CPP_PACKAGE: &str = "cppreference-doc-en-html=20170409-2";

/// Files of the small site.
const SMALL_FILES: usize = 500;

/// A built site.
pub struct Site {
    /// Where it is.
    pub folder: PathBuf,
    /// How many files it has.
    pub n_files: usize,
    /// Their length together.
    pub n_bytes: u64,
}

impl Site {
    /// Half of the Python documentation.
    pub fn small(place: &Path) -> Result<Site> {
        fs::create_dir_all(place)?;
        let docs = python_docs()?;
        Site::copy(place.join("small"), &[(&docs, "")], SMALL_FILES)
    }

    /// The documentation of Python and that of C++, beside each other.
    pub fn large(place: &Path) -> Result<Site> {
        fs::create_dir_all(place)?;
        let (python, cpp) = (python_docs()?, install_cpp_docs(place)?);
        Site::copy(place.join("large"), &[(&python, ""), (&cpp, "cpp")], usize::MAX)
    }

    /// The page that changes.
    pub fn page(&self) -> PathBuf {
        self.folder.join("index.html")
    }

    fn copy(folder: PathBuf, sources: &[(&Path, &str)], files_max: usize) -> Result<Site> {
        let _ = fs::remove_dir_all(&folder);
        let mut site = Site {
            folder,
            n_files: 0,
            n_bytes: 0,
        };
        for (source, below) in sources {
            let mut files = Vec::new();
            collect(source, &mut files)?;
            // The start page comes first: it is what changes.
            files.sort_by_key(|file| (file.file_name() != Some("index.html".as_ref()), file.clone()));
            files.sort_by_key(|file| *file != source.join("index.html"));
            for file in files {
                if site.n_files == files_max {
                    return Ok(site);
                }
                let to = site.folder.join(below).join(file.strip_prefix(source)?);
                fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
                site.n_bytes += fs::copy(&file, &to)?;
                site.n_files += 1;
            }
        }
        Ok(site)
    }
}

fn python_docs() -> Result<PathBuf> {
    let place = target().join("guide");
    fs::create_dir_all(&place)?;
    install_python_docs(&place)
}

/// Regular files, also those that links lead to.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => collect(&path, into)?,
            Ok(_) => into.push(path),
            // Debian replaces a few files by links into packages that are not unpacked here.
            Err(_) => {}
        }
    }
    Ok(())
}

fn install_cpp_docs(place: &Path) -> Result<PathBuf> {
    let unpacked = place.join("cpp-docs");
    let html = unpacked.join("usr/share/cppreference/doc/html");
    if html.is_dir() {
        return Ok(html);
    }
    let packages = place.join("cpp-package");
    fs::create_dir_all(&packages)?;
    let download = || {
        run(Command::new("apt-get")
            .current_dir(&packages)
            .args(["download", "-qq", CPP_PACKAGE]))
    };
    if download().is_err() {
        update_package_lists()?;
        download()?;
    }
    let package = fs::read_dir(&packages)?
        .next()
        .context("apt-get download left no package")??;
    run(Command::new("dpkg-deb").arg("-x").arg(package.path()).arg(&unpacked))?;
    fs::remove_dir_all(&packages)?;
    Ok(html)
}
