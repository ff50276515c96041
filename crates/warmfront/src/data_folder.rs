//! The folder that holds a server's state, used by one process at a time.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

use crate::private_file;

/// The data folder when neither `--data` nor `WARMFRONT_DATA` names one.
pub const DEFAULT: &str = "./warmfront-data";

const LOCK_FILE_NAME: &str = "lock";

/// An open data folder. Nobody else can open it while this value lives; a killed process lets go of it by itself.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    // Closing the file releases the lock.
    _lock: File,
    _temporary: Option<TempDir>,
}

/// The folder cannot be used.
#[derive(Debug, Error)]
pub enum DataFolderError {
    /// Another process uses it.
    #[error("the data folder {path} is in use by another warmfront process{}", holder(*.pid))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, if it has said so.
        pid: Option<u32>,
    },
    /// Creating or reading it failed.
    #[error("the data folder {path} cannot be used: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or(String::new(), |pid| format!(" (pid {pid})"))
}

impl DataFolder {
    /// Opens the folder, making it if there is none. A folder that was made now, or was empty, is the owner's alone
    /// afterwards (mode 0700); one with other things in it keeps its mode.
    ///
    /// # Errors
    /// [`DataFolderError::InUse`] while another process has it open.
    pub fn open(path: &Path) -> Result<DataFolder, DataFolderError> {
        let failed = |source| DataFolderError::Io {
            path: path.to_owned(),
            source,
        };
        private_file::create_folder(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        if path.to_str().is_none() {
            // The ready line names it in JSON.
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "its path is not UTF-8",
            )));
        }
        if path.read_dir().map_err(failed)?.next().is_none() {
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        let lock = lock(&path)?;
        Ok(DataFolder {
            path,
            _lock: lock,
            _temporary: None,
        })
    }

    /// A new folder that goes away with this value.
    pub fn temporary() -> Result<DataFolder, DataFolderError> {
        let temporary = private_file::temporary_folder("warmfront-").map_err(|source| DataFolderError::Io {
            path: std::env::temp_dir(),
            source,
        })?;
        let folder = DataFolder::open(temporary.path())?;
        Ok(DataFolder {
            _temporary: Some(temporary),
            ..folder
        })
    }

    /// Where it is: absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn lock(path: &Path) -> Result<File, DataFolderError> {
    let failed = |source| DataFolderError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.join(LOCK_FILE_NAME))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The holder is named if it can be read; the refusal stands either way.
            let _ = (&mut file).take(16).read_to_string(&mut text);
            return Err(DataFolderError::InUse {
                path: path.to_owned(),
                pid: text.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let mut write = || {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{}", std::process::id())
    };
    write().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_opener_at_a_time_and_the_refusal_names_the_holder() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/data");
        let held = DataFolder::open(&path).unwrap();
        let refusal = DataFolder::open(&path).unwrap_err();
        let expected = format!("in use by another warmfront process (pid {})", std::process::id());
        assert!(refusal.to_string().contains(&expected), "{refusal}");
        assert!(refusal.to_string().contains(held.path().to_str().unwrap()), "{refusal}");
        drop(held);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_new_or_empty_folder_becomes_the_owners_alone() {
        let outer = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let make = |name: &str| {
            let path = outer.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            path
        };
        let (empty, shared) = (make("empty"), make("shared"));
        std::fs::write(shared.join("other"), "").unwrap();
        for (path, expected) in [(outer.path().join("new"), 0o700), (empty, 0o700), (shared, 0o755)] {
            DataFolder::open(&path).unwrap();
            assert_eq!(mode(&path), expected, "{}", path.display());
        }
    }

    #[test]
    fn a_temporary_folder_goes_away() {
        let folder = DataFolder::temporary().unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_json_cannot_hold_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let outer = tempfile::tempdir().unwrap();
        let error = DataFolder::open(&outer.path().join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap_err();
        assert!(error.to_string().contains("UTF-8"), "{error}");
    }

    #[test]
    fn a_file_in_its_place_is_an_error_that_names_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = DataFolder::open(file.path()).unwrap_err();
        assert!(error.to_string().contains(file.path().to_str().unwrap()), "{error}");
    }
}
