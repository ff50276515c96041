//! The folder that cached responses are kept in: `DIR:SIZE`.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;
use warmfront_edge::{DISK_BYTES_MIN, DiskCache};

use crate::outcome::Complaint;
use crate::size;

/// What was said about the disk, not yet compared with the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskArgument {
    folder: PathBuf,
    bytes: Option<u64>,
}

/// What was given is no `DIR:SIZE`.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidDisk {
    /// It names no folder.
    #[error("write a folder and a size, like /var/cache/warmfront:20GiB")]
    Folder,
    /// What follows the last colon is no size.
    #[error("after the folder's colon, {0}")]
    Size(#[from] size::InvalidSize),
    /// Too small to be of use.
    #[error("give the cache on disk {} MiB or more", DISK_BYTES_MIN >> 20)]
    TooSmall,
}

/// Without a size, the cache takes a quarter of what is free or its own already, and no more than this.
const BYTES_DEFAULT_MAX: u64 = 64 << 30;

impl FromStr for DiskArgument {
    type Err = InvalidDisk;

    /// Reads `DIR:SIZE`, or `DIR` alone. A folder whose name has a colon needs its size said.
    fn from_str(text: &str) -> Result<DiskArgument, InvalidDisk> {
        let (folder, bytes) = match text.rsplit_once(':') {
            Some((folder, bytes)) => (folder, Some(size::parse(bytes)?)),
            None => (text, None),
        };
        if folder.is_empty() {
            return Err(InvalidDisk::Folder);
        }
        if bytes.is_some_and(|bytes| bytes < DISK_BYTES_MIN) {
            return Err(InvalidDisk::TooSmall);
        }
        Ok(DiskArgument {
            folder: folder.into(),
            bytes,
        })
    }
}

impl DiskArgument {
    /// What it comes to on this machine.
    ///
    /// # Errors
    /// If the file system has no room for the size that was asked for, or for the smallest cache.
    pub fn resolve(self) -> Result<DiskCache, Complaint> {
        // What the cache holds already does not count against it.
        let room_bytes = free_bytes(&self.folder).map(|free_bytes| free_bytes + cached_bytes(&self.folder));
        let bytes = match (self.bytes, room_bytes) {
            (Some(bytes), Some(room_bytes)) if bytes > room_bytes => {
                let folder = self.folder.display();
                let message = format!("--disk: {bytes} bytes are more than is free for {folder} ({room_bytes})");
                return Err(Complaint::usage(message).hint("give it less, or another file system"));
            }
            (Some(bytes), _) => bytes,
            (None, Some(room_bytes)) if room_bytes / 4 >= DISK_BYTES_MIN => (room_bytes / 4).min(BYTES_DEFAULT_MAX),
            (None, _) => {
                let folder = self.folder.display();
                return Err(Complaint::usage(format!(
                    "--disk: there is no room to speak of around {folder}; say how much it may take, like {folder}:1GiB"
                )));
            }
        };
        Ok(DiskCache {
            folder: self.folder,
            bytes,
        })
    }
}

/// What is free in the file system of `folder`, or of the nearest folder above it that is there; `None` if the system does
/// not say.
fn free_bytes(folder: &Path) -> Option<u64> {
    let above = folder.ancestors().map(|path| {
        if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        }
    });
    let found = above
        .filter(|path| path.exists())
        .find_map(|path| rustix::fs::statvfs(path).ok())?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// What the cache in `folder` takes already: its segments, or those in the folders of its nodes.
fn cached_bytes(folder: &Path) -> u64 {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let nodes = entries(folder).filter(|entry| entry.path().is_dir());
    let nodes = nodes.flat_map(|node| entries(&node.path()));
    let segments = entries(folder)
        .chain(nodes)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("segment-"));
    segments
        .filter_map(|segment| segment.metadata().ok())
        .map(|segment| segment.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(PathBuf, Option<u64>), InvalidDisk> {
        text.parse::<DiskArgument>().map(|disk| (disk.folder, disk.bytes))
    }

    #[test]
    fn a_folder_and_a_size_are_read() {
        assert_eq!(parse("/var/cache:20GiB"), Ok(("/var/cache".into(), Some(20 << 30))));
        assert_eq!(parse("a:b:64MiB"), Ok(("a:b".into(), Some(64 << 20))));
        assert_eq!(parse("cache"), Ok(("cache".into(), None)));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(parse(""), Err(InvalidDisk::Folder));
        assert_eq!(parse(":1GiB"), Err(InvalidDisk::Folder));
        assert_eq!(parse("d:63MiB"), Err(InvalidDisk::TooSmall));
        assert_eq!(parse("d:"), Err(InvalidDisk::Size(size::InvalidSize::Form)));
        assert_eq!(parse("d:lots"), Err(InvalidDisk::Size(size::InvalidSize::Form)));
    }

    #[test]
    fn more_than_is_free_is_refused_and_a_quarter_of_that_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let argument = |bytes| DiskArgument {
            folder: folder.path().join("not/there/yet"),
            bytes,
        };
        let error = argument(Some(1 << 62)).resolve().unwrap_err().to_string();
        assert!(error.contains("--disk") && error.contains("not/there/yet"), "{error}");
        let free_bytes = free_bytes(folder.path()).unwrap();
        if let Ok(disk) = argument(None).resolve() {
            assert!(disk.bytes >= DISK_BYTES_MIN && disk.bytes < free_bytes);
        }
        assert_eq!(argument(Some(1 << 27)).resolve().unwrap().bytes, 1 << 27);
    }

    #[test]
    fn what_the_cache_has_on_disk_already_counts_for_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(cached_bytes(&folder.path().join("not/there/yet")), 0);
        fs::create_dir(folder.path().join("IAD89-P3")).unwrap();
        for (name, bytes) in [
            ("segment-00000001", 100),
            ("IAD89-P3/segment-00000007", 20),
            ("journal", 3),
        ] {
            fs::write(folder.path().join(name), vec![0; bytes]).unwrap();
        }
        assert_eq!(cached_bytes(folder.path()), 120);
    }
}
