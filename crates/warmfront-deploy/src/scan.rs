//! The folder of a built site: its files and their digests.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

#[cfg(test)]
mod tests;

/// Names that no site wants to publish. The state lies in `.warmfront` unless the settings say otherwise.
const NEVER: &[&str] = &[
    ".DS_Store",
    ".git",
    ".warmfront",
    "Thumbs.db",
    crate::settings::FILE_NAME,
];

/// A file changed less than this before it was read is not remembered: it could change again within the file system's
/// resolution of time. The same care as git takes with its index.
const SETTLED_NS: i128 = 2_000_000_000;

/// One file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    /// Its content.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// The folder cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Something cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A link leads back to a folder that it lies in: there would be no end.
    #[error("{}: the link leads to a folder that it lies in", .0.display())]
    Endless(PathBuf),
    /// It is a socket, a pipe or a device.
    #[error("{}: this is neither a file nor a folder", .0.display())]
    Special(PathBuf),
    /// A name is not UTF-8: it has no URL.
    #[error("{}: the name is not UTF-8 and has no URL", .0.display())]
    NotUtf8(PathBuf),
    /// There is nothing in it.
    #[error("{}: there are no files; was the site built?", .0.display())]
    Empty(PathBuf),
}

/// What is remembered of a file: as long as all of it is the same, so is the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    inode: u64,
    size: u64,
    mtime_ns: i128,
    ctime_ns: i128,
    digest: Digest,
}

/// Digests from the last time, by path.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DigestCache {
    files: BTreeMap<String, Seen>,
}

impl DigestCache {
    /// What the file says; nothing if it cannot be read.
    pub fn load(path: &Path) -> DigestCache {
        let bytes = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Writes it; whether that works only decides how fast the next time is.
    pub fn store(&self, path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let staged = path.with_extension(format!("{:08x}.part", rand::random::<u32>()));
        std::fs::write(&staged, serde_json::to_vec(self)?)?;
        std::fs::rename(&staged, path)
    }
}

/// The site's files by their path below `folder`, with `/`. `cache` is used, and then holds what was found.
///
/// # Errors
/// If something cannot be read, or if there is nothing.
pub fn scan(
    folder: &Path,
    exclude: &[globset::GlobMatcher],
    cache: &mut DigestCache,
    now_unix_ns: i128,
) -> Result<BTreeMap<String, LocalFile>, ScanError> {
    let mut paths = Vec::new();
    walk(folder, String::new(), exclude, &mut Vec::new(), &mut paths)?;
    if paths.is_empty() {
        return Err(ScanError::Empty(folder.into()));
    }
    let n_workers = std::thread::available_parallelism().map_or(2, usize::from);
    let chunk = paths.len().div_ceil(n_workers);
    let known = &cache.files;
    let found: Vec<Result<Vec<(String, Seen)>, ScanError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = paths
            .chunks(chunk)
            .map(|paths| scope.spawn(move || paths.iter().map(|path| see(folder, path, known)).collect()))
            .collect();
        workers
            .into_iter()
            // Whatever it is: files that nobody has seen must not count as removed.
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut files = BTreeMap::new();
    let mut fresh = DigestCache::default();
    for (path, seen) in found.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        files.insert(
            path.clone(),
            LocalFile {
                digest: seen.digest,
                size: seen.size,
            },
        );
        if seen.ctime_ns.max(seen.mtime_ns) + SETTLED_NS < now_unix_ns {
            fresh.files.insert(path, seen);
        }
    }
    *cache = fresh;
    Ok(files)
}

/// Whether the file at this path below the folder is no part of the site, since it or a folder above it is left out.
pub fn is_left_out(path: &str, exclude: &[globset::GlobMatcher]) -> bool {
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.chain([path]).any(|path| is_named_out(path, exclude))
}

fn is_named_out(path: &str, exclude: &[globset::GlobMatcher]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    NEVER.contains(&name) || exclude.iter().any(|glob| glob.is_match(path))
}

fn see(folder: &Path, path: &str, known: &BTreeMap<String, Seen>) -> Result<(String, Seen), ScanError> {
    let full = folder.join(path);
    let unreadable = |source| ScanError::Unreadable {
        path: full.clone(),
        source,
    };
    let metadata = std::fs::metadata(&full).map_err(unreadable)?;
    let mut seen = Seen {
        inode: metadata.ino(),
        size: metadata.size(),
        mtime_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        ctime_ns: i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec()),
        digest: Digest::from_bytes([0; 32]),
    };
    if let Some(before) = known.get(path) {
        seen.digest = before.digest;
        if seen == *before {
            return Ok((path.to_owned(), seen));
        }
    }
    (seen.digest, seen.size) = digest_of(&full).map_err(unreadable)?;
    Ok((path.to_owned(), seen))
}

/// A file's digest and length.
pub(crate) fn digest_of(path: &Path) -> io::Result<(Digest, u64)> {
    let mut hash = sha2::Sha256::default();
    let mut file = std::fs::File::open(path)?;
    let size = io::copy(&mut file, &mut Hashing(&mut hash))?;
    Ok((Digest::from_bytes(sha2::Digest::finalize(hash).into()), size))
}

struct Hashing<'a>(&'a mut sha2::Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        sha2::Digest::update(self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `above` are the folders that this one lies in, by device and inode.
fn walk(
    folder: &Path,
    below: String,
    exclude: &[globset::GlobMatcher],
    above: &mut Vec<(u64, u64)>,
    into: &mut Vec<String>,
) -> Result<(), ScanError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| ScanError::Unreadable { path, source }
    };
    let here = folder.join(&below);
    let metadata = std::fs::metadata(&here).map_err(unreadable(&here))?;
    let identity = (metadata.dev(), metadata.ino());
    if above.contains(&identity) {
        return Err(ScanError::Endless(here));
    }
    above.push(identity);
    for entry in std::fs::read_dir(&here).map_err(unreadable(&here))? {
        let entry = entry.map_err(unreadable(&here))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| ScanError::NotUtf8(entry.path()))?;
        let path = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        if is_named_out(&path, exclude) {
            continue;
        }
        // Links are followed: what is published is what they lead to.
        let metadata = std::fs::metadata(entry.path()).map_err(unreadable(&entry.path()))?;
        if metadata.is_dir() {
            walk(folder, path, exclude, above, into)?;
        } else if metadata.is_file() {
            into.push(path);
        } else {
            return Err(ScanError::Special(entry.path()));
        }
    }
    above.pop();
    Ok(())
}
