use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The random name of a file, and of what is made of files; 32 hexadecimal digits when written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ContentId(pub(crate) u128);

impl ContentId {
    /// A name nobody has had before.
    pub(crate) fn random() -> ContentId {
        ContentId(rand::random())
    }

    /// Reads what [`ContentId`]'s `Display` wrote, nothing else.
    pub(crate) fn parse(text: &str) -> Option<ContentId> {
        let well_formed = text.len() == 32
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if well_formed {
            u128::from_str_radix(text, 16).ok().map(ContentId)
        } else {
            None
        }
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for ContentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for ContentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ContentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ContentId, D::Error> {
        let text = String::deserialize(deserializer)?;
        ContentId::parse(&text).ok_or_else(|| serde::de::Error::custom("not the name of a content"))
    }
}

/// The folder of objects' bytes: `objects/ab/abcdef…`, 256 folders so that none grows too large.
pub(crate) struct Files {
    objects: PathBuf,
}

impl Files {
    /// Makes the folders that are missing, durably.
    pub(super) fn open(dir: &Path) -> io::Result<Files> {
        let objects = dir.join("objects");
        fs::create_dir_all(&objects)?;
        for first in 0..=255u8 {
            let folder = objects.join(format!("{first:02x}"));
            if !folder.is_dir() {
                fs::create_dir(&folder)?;
            }
        }
        File::open(&objects)?.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(Files { objects })
    }

    fn folder(&self, id: ContentId) -> PathBuf {
        self.objects.join(format!("{:02x}", id.0 >> 120))
    }

    pub(super) fn path(&self, id: ContentId) -> PathBuf {
        self.folder(id).join(id.to_string())
    }

    /// Opens a file to read it.
    pub(crate) fn open_file(&self, id: ContentId) -> io::Result<File> {
        File::open(self.path(id))
    }

    /// Makes a file to be written, which goes again unless [`StagedFile::keep`] is called.
    pub(crate) fn create(self: &Arc<Files>) -> io::Result<(StagedFile, File)> {
        let id = ContentId::random();
        let file = File::options().write(true).create_new(true).open(self.path(id))?;
        Ok((
            StagedFile {
                files: Arc::clone(self),
                id,
                kept: false,
            },
            file,
        ))
    }

    /// Makes a written file and its name durable.
    pub(crate) fn sync(&self, id: ContentId, file: &File) -> io::Result<()> {
        file.sync_all()?;
        File::open(self.folder(id))?.sync_all()
    }

    /// Removes a file; one that cannot be removed is left to the sweep of the next start.
    pub(crate) fn remove(&self, id: ContentId) {
        if let Err(error) = fs::remove_file(self.path(id))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%id, %error, "a superseded file cannot be removed");
        }
    }

    /// Every file in the folders, those with foreign names as `None`.
    pub(super) fn each(&self, mut visit: impl FnMut(ContentId)) -> io::Result<()> {
        for folder in fs::read_dir(&self.objects)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder.path())? {
                if let Some(id) = entry?.file_name().to_str().and_then(ContentId::parse) {
                    visit(id);
                }
            }
        }
        Ok(())
    }

    /// Whether there is any file.
    pub(super) fn any(&self) -> io::Result<bool> {
        let mut is_any = false;
        self.each(|_| is_any = true)?;
        Ok(is_any)
    }
}

/// A file that no record names yet.
pub(crate) struct StagedFile {
    files: Arc<Files>,
    id: ContentId,
    kept: bool,
}

impl StagedFile {
    pub(crate) fn id(&self) -> ContentId {
        self.id
    }

    /// A record names the file now.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.kept {
            self.files.remove(self.id);
        }
    }
}
