//! How far the journal had come, in a file of its own beside the segments. See `docs/store-format.md`.
//!
//! An invalidation leaves no trace in the segments. So a journal that was set back to before one can be told by this alone,
//! if nothing was stored afterwards.

use std::io;

use crc32fast::hash;
use warmfront_model::Epoch;

use super::fields::Fields;
use super::meta::read_epoch;
use crate::files::{Files, SegmentFile};

/// The name of the file.
const NAME: &str = "journal";
const MAGIC: [u8; 8] = *b"wfJOURNL";
const BYTES: usize = 28;

/// The newest epoch that was written; `None` if there is no such file, or it cannot be read or is damaged.
pub(super) fn read(files: &dyn Files) -> Option<Epoch> {
    let mut bytes = [0; BYTES];
    files.open(NAME).ok()?.read_at(&mut bytes, 0).ok()?;
    decode(&bytes)
}

/// The file, to be written anew whenever the journal has moved on.
#[derive(Default)]
pub(super) struct SeenFile {
    file: Option<Box<dyn SegmentFile>>,
    written: Option<Epoch>,
}

impl SeenFile {
    /// Writes `newest` if it is news. The first time it is made durable as well.
    pub(super) fn keep(&mut self, files: &dyn Files, newest: Epoch) -> io::Result<()> {
        if self.written == Some(newest) {
            return Ok(());
        }
        let file = match &self.file {
            Some(file) => file,
            None => &*self.file.insert(files.open(NAME).or_else(|_| files.create(NAME))?),
        };
        file.write_at(&encode(newest), 0)?;
        if self.written.is_none() {
            file.sync()?;
        }
        self.written = Some(newest);
        Ok(())
    }
}

pub(super) fn encode(epoch: Epoch) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(epoch.incarnation.0.to_le_bytes());
    out.extend(epoch.revision.0.to_le_bytes());
    out.extend(hash(&out).to_le_bytes());
    out
}

pub(super) fn decode(bytes: &[u8; BYTES]) -> Option<Epoch> {
    let mut fields = Fields(bytes);
    let magic = fields.bytes(MAGIC.len())?;
    let epoch = read_epoch(&mut fields)?;
    (magic == MAGIC && fields.u32()? == hash(&bytes[..BYTES - 4])).then_some(epoch)
}
