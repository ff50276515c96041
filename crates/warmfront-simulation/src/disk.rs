use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use parking_lot::Mutex;
use warmfront_store::{Files, SegmentFile};

use crate::random::Random;

/// A folder in memory that knows what a crash would leave of it.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<BTreeMap<String, Content>>>);

type Content = Arc<Mutex<Bytes>>;

#[derive(Clone, Default)]
struct Bytes {
    written: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

/// How a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed: what was written stays.
    Kill,
    /// The machine loses its power: of what was not synced, some sectors stay.
    PowerCut,
}

impl Disk {
    /// What the next process finds. This disk goes on for whoever has it open, and nobody else sees it.
    pub fn after(&self, crash: Crash, random: &mut Random) -> Disk {
        let image = Disk::default();
        for (name, content) in &*self.0.lock() {
            let written = match crash {
                Crash::Kill => content.lock().written.clone(),
                Crash::PowerCut => content.lock().after_power_cut(random),
            };
            let content = Bytes {
                durable: written.clone(),
                written,
                unsynced: Vec::new(),
            };
            image.0.lock().insert(name.clone(), Arc::new(Mutex::new(content)));
        }
        image
    }
}

impl Bytes {
    /// A sector is kept or lost as a whole.
    fn after_power_cut(&self, random: &mut Random) -> Vec<u8> {
        const SECTOR_BYTES: usize = 512;
        let mut left = self.durable.clone();
        for (offset, bytes) in &self.unsynced {
            for (number, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                let start = offset + number * SECTOR_BYTES;
                if random.percent(80) {
                    left.resize(left.len().max(start + sector.len()), 0);
                    left[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        left
    }
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let content = Content::default();
        self.0.lock().insert(name.to_owned(), Arc::clone(&content));
        Ok(Box::new(File(content)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let content = Arc::clone(self.0.lock().get(name).ok_or(ErrorKind::NotFound)?);
        Ok(Box::new(File(content)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().remove(name).map(drop).ok_or(ErrorKind::NotFound.into())
    }
}

struct File(Content);

impl SegmentFile for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.lock().written.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.0.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let found = content.written.get(start..start + buffer.len());
        buffer.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut content = self.0.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let length = content.written.len().max(start + bytes.len());
        content.written.resize(length, 0);
        content.written[start..start + bytes.len()].copy_from_slice(bytes);
        content.unsynced.push((start, bytes.to_vec()));
        Ok(())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut content = self.0.lock();
        let length = usize::try_from(bytes).map_err(io::Error::other)?;
        content.written.resize(length, 0);
        content.unsynced.clear();
        content.durable = content.written.clone();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut content = self.0.lock();
        content.durable = content.written.clone();
        content.unsynced.clear();
        Ok(())
    }
}
