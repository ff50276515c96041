use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::RngExt;
use warmfront_model::Timestamp;

use crate::access_log::AccessLogOptions;
use crate::access_log::line::{HEADER, hour};

/// More distributions than this are not written to at the same time: the file of another is closed.
const OPEN_MAX: usize = 256;
/// The ending of a file that is being written.
const UNFINISHED: &str = "part";

/// The files of the log: one open for each distribution, named `DISTRIBUTIONID.YYYY-MM-DD-HH.UNIQUE.gz` once it is closed.
pub(super) struct Files {
    options: AccessLogOptions,
    open: HashMap<String, Open>,
}

struct Open {
    hour: String,
    path: PathBuf,
    encoder: GzEncoder<BufWriter<File>>,
    n_bytes: u64,
}

impl Files {
    /// Makes the folder if it is not there. What a crash left unfinished gets its name: all but its end can be read.
    pub(super) fn open(options: AccessLogOptions) -> io::Result<Files> {
        fs::create_dir_all(&options.folder)?;
        for file in fs::read_dir(&options.folder)? {
            let path = file?.path();
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

    /// Adds a line of the distribution `id` that ended at `at`.
    pub(super) fn write(&mut self, id: &str, at: Timestamp, line: &[u8]) -> io::Result<()> {
        let hour = hour(at);
        let is_full = |open: &Open| open.n_bytes + line.len() as u64 > self.options.file_bytes_max;
        if self.open.get(id).is_some_and(|open| open.hour != hour || is_full(open)) {
            self.close(id)?;
        }
        if !self.open.contains_key(id) {
            if self.open.len() >= OPEN_MAX
                && let Some(other) = self.open.keys().next().cloned()
            {
                self.close(&other)?;
            }
            let open = Open::create(&self.options.folder, id, hour)?;
            self.open.insert(id.to_owned(), open);
        }
        let Some(open) = self.open.get_mut(id) else {
            return Ok(());
        };
        let written = open.encoder.write_all(line);
        open.n_bytes += line.len() as u64;
        if written.is_err() {
            self.open.remove(id);
        }
        written
    }

    /// Closes the files of other hours than that of `now`.
    pub(super) fn close_past(&mut self, now: Timestamp) -> io::Result<()> {
        let now = hour(now);
        let past = self.open.iter().filter(|(_, open)| open.hour != now);
        let past: Vec<String> = past.map(|(id, _)| id.clone()).collect();
        past.iter().try_for_each(|id| self.close(id))
    }

    /// Closes all of them.
    pub(super) fn close_all(&mut self) -> io::Result<()> {
        let all: Vec<String> = self.open.keys().cloned().collect();
        all.iter().try_for_each(|id| self.close(id))
    }

    fn close(&mut self, id: &str) -> io::Result<()> {
        if let Some(open) = self.open.remove(id) {
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
        for file in fs::read_dir(&self.options.folder)? {
            let file = file?;
            let (path, facts) = (file.path(), file.metadata()?);
            if is_log(&path, UNFINISHED) {
                n_bytes += facts.len();
            } else if is_log(&path, "gz") {
                n_bytes += facts.len();
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
    fn create(folder: &Path, id: &str, hour: String) -> io::Result<Open> {
        let unique = rand::rng().random::<u32>();
        let path = folder.join(format!("{id}.{hour}.{unique:08x}.gz.{UNFINISHED}"));
        let file = BufWriter::new(File::create_new(&path)?);
        let mut encoder = GzEncoder::new(file, Compression::fast());
        encoder.write_all(HEADER.as_bytes())?;
        Ok(Open {
            hour,
            path,
            encoder,
            n_bytes: HEADER.len() as u64,
        })
    }
}

/// Whether this is the name of one of our files, with this ending.
fn is_log(path: &Path, ending: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(ending).unwrap_or_default();
    let parts: Vec<&str> = name.trim_end_matches(".gz.").trim_end_matches('.').split('.').collect();
    (ending == "gz" || name.ends_with(".gz."))
        && matches!(parts[..], [_, hour, unique] if hour.len() == 13 && unique.len() == 8)
}
