use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::RngExt;
use warmfront_model::{Distribution, DistributionId, Timestamp};

use crate::access_log::AccessLogOptions;
use crate::access_log::line::{HEADER, hour};

/// More distributions than this are not written to at the same time: the file of another is closed.
const OPEN_MAX: usize = 256;
/// The ending of a file that is being written.
const UNFINISHED: &str = "part";

/// Folders within folders are looked into so deep.
const DEPTH_MAX: usize = 16;

/// The files of the log: one open for each distribution, named `PREFIX/DISTRIBUTIONID.YYYY-MM-DD-HH.UNIQUE.gz` once it is
/// closed.
pub(super) struct Files {
    options: AccessLogOptions,
    /// By distribution and hour: lines come from several cores, and not in order.
    open: HashMap<(DistributionId, i64), Open>,
}

struct Open {
    prefix: Option<Arc<str>>,
    path: PathBuf,
    encoder: GzEncoder<BufWriter<File>>,
    n_bytes: u64,
}

impl Files {
    /// Makes the folder if it is not there. What a crash left unfinished gets its name: all but its end can be read.
    pub(super) fn open(options: AccessLogOptions) -> io::Result<Files> {
        fs::create_dir_all(&options.folder)?;
        for (path, _) in logs_in(&options.folder)? {
            if is_log(&path, UNFINISHED) {
                fs::rename(&path, path.with_extension(""))?;
            }
        }
        let files = Files {
            options,
            open: HashMap::new(),
        };
        files.remove_oldest()?;
        Ok(files)
    }

    /// Adds lines of `distribution` that ended in the hour of `at`.
    pub(super) fn write(&mut self, distribution: &Distribution, at: Timestamp, lines: &[u8]) -> io::Result<()> {
        let place = (distribution.id.clone(), hour_number(at));
        let prefix = distribution.logging.as_ref().map(|logging| &logging.prefix);
        let is_done = |open: &Open| {
            let is_full = open.n_bytes + lines.len() as u64 > self.options.file_bytes_max;
            is_full || open.prefix.as_ref() != prefix
        };
        if self.open.get(&place).is_some_and(is_done) {
            self.close(&place)?;
        }
        if !self.open.contains_key(&place) {
            if self.open.len() >= OPEN_MAX
                && let Some(other) = self.open.keys().next().cloned()
            {
                self.close(&other)?;
            }
            let open = Open::create(&self.options.folder, &place.0, prefix, at)?;
            self.open.insert(place.clone(), open);
        }
        let Some(open) = self.open.get_mut(&place) else {
            return Ok(());
        };
        let written = open.encoder.write_all(lines);
        open.n_bytes += lines.len() as u64;
        if written.is_err() {
            self.open.remove(&place);
        }
        written
    }

    /// Closes the files of other hours than that of `now`.
    pub(super) fn close_past(&mut self, now: Timestamp) -> io::Result<()> {
        self.close_where(|hour| hour != hour_number(now))
    }

    /// Closes all of them.
    pub(super) fn close_all(&mut self) -> io::Result<()> {
        self.close_where(|_| true)
    }

    fn close_where(&mut self, is_over: impl Fn(i64) -> bool) -> io::Result<()> {
        let over: Vec<_> = self.open.keys().filter(|(_, hour)| is_over(*hour)).cloned().collect();
        over.iter().try_for_each(|place| self.close(place))
    }

    fn close(&mut self, place: &(DistributionId, i64)) -> io::Result<()> {
        if let Some(open) = self.open.remove(place) {
            open.encoder
                .finish()?
                .into_inner()
                .map_err(|error| error.into_error())?;
            fs::rename(&open.path, open.path.with_extension(""))?;
        }
        self.remove_oldest()
    }

    /// Removes the oldest closed files until all of them, with those that are open, are within the limit. Other files in the
    /// folder are left alone.
    fn remove_oldest(&self) -> io::Result<()> {
        let mut closed: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
        let mut n_bytes = 0;
        for (path, facts) in logs_in(&self.options.folder)? {
            n_bytes += facts.len();
            if is_log(&path, "gz") {
                closed.push((facts.modified()?, path, facts.len()));
            }
        }
        closed.sort();
        for (_, path, bytes) in closed {
            if n_bytes <= self.options.folder_bytes_max {
                break;
            }
            fs::remove_file(path)?;
            n_bytes -= bytes;
        }
        Ok(())
    }
}

impl Open {
    fn create(folder: &Path, id: &DistributionId, prefix: Option<&Arc<str>>, at: Timestamp) -> io::Result<Open> {
        let folder = prefix.map_or_else(|| folder.to_owned(), |prefix| folder.join(prefix_folder(prefix)));
        fs::create_dir_all(&folder)?;
        let unique = rand::rng().random::<u32>();
        let hour = hour(at);
        let path = folder.join(format!("{}.{hour}.{unique:08x}.gz.{UNFINISHED}", id.as_str()));
        let file = BufWriter::new(File::create_new(&path)?);
        let mut encoder = GzEncoder::new(file, Compression::fast());
        encoder.write_all(HEADER.as_bytes())?;
        Ok(Open {
            prefix: prefix.cloned(),
            path,
            encoder,
            n_bytes: HEADER.len() as u64,
        })
    }
}

/// The folders that a distribution's Prefix names, below the log's own: a slash parts them, and whatever is not a letter, a
/// digit or one of `-_=.` is percent-encoded, as is a name of dots alone. So no prefix leads elsewhere.
fn prefix_folder(prefix: &str) -> PathBuf {
    let names = prefix.split('/').filter(|name| !name.is_empty());
    let encoded = |name: &str| -> String {
        let has_dots_alone = name.bytes().all(|byte| byte == b'.');
        let is_kept =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte) || (byte == b'.' && !has_dots_alone);
        let bytes = name.bytes();
        bytes
            .map(|byte| {
                if is_kept(byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    names.take(DEPTH_MAX).map(encoded).collect()
}

/// Hours since 1970, in UTC.
pub(super) fn hour_number(at: Timestamp) -> i64 {
    at.unix_secs().div_euclid(3600)
}

/// All files of the log, open ones too, in `folder` and the folders in it.
fn logs_in(folder: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut logs = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for file in fs::read_dir(folder)? {
            let file = file?;
            let (path, facts) = (file.path(), file.metadata()?);
            if facts.is_dir() && depth < DEPTH_MAX {
                folders.push((path, depth + 1));
            } else if facts.is_file() && (is_log(&path, UNFINISHED) || is_log(&path, "gz")) {
                logs.push((path, facts));
            }
        }
    }
    Ok(logs)
}

/// Whether this is the name of one of our files, with this ending.
fn is_log(path: &Path, ending: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(ending).unwrap_or_default();
    let parts: Vec<&str> = name.trim_end_matches(".gz.").trim_end_matches('.').split('.').collect();
    (ending == "gz" || name.ends_with(".gz."))
        && matches!(parts[..], [_, hour, unique] if hour.len() == 13 && unique.len() == 8)
}
