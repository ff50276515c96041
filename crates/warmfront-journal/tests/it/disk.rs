use std::io::{self, ErrorKind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;
use warmfront_journal::{Embedded, JournalError};

/// The smallest piece of a write that a power cut keeps or loses as a whole.
const SECTOR_BYTES: usize = 512;

/// A disk in memory whose operations fail on command, and which knows what a power cut would leave.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<Image>>);

#[derive(Debug, Default)]
struct Image {
    /// What a program sees.
    bytes: Vec<u8>,
    /// What the last sync made durable.
    durable: Vec<u8>,
    /// Writes since then: offset and data.
    unsynced: Vec<(usize, Vec<u8>)>,
    fault: Option<Fault>,
    bytes_max: Option<u64>,
    gate: Option<Gate>,
}

/// What fails: after so many of its kind have succeeded, and from then on until it is cleared, or once.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    pub n_good: u32,
    pub lasts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Half of the data arrives.
    Write,
    /// Nothing since the last sync becomes durable; the program still sees it.
    Sync,
    /// The same, and the program does not see it either.
    SyncThatForgets,
    SetLen,
}

/// Where one sync waits: it reports its arrival, then waits for leave.
#[derive(Debug)]
struct Gate {
    arrived: Sender<()>,
    leave: Receiver<()>,
}

impl Disk {
    pub fn open_journal(&self) -> Result<Embedded, JournalError> {
        let disk = self.clone();
        Embedded::open_with("test disk", move |builder| builder.create_with_backend(disk.clone()))
    }

    pub fn with_bytes(bytes: Vec<u8>) -> Disk {
        Disk(Arc::new(Mutex::new(Image {
            durable: bytes.clone(),
            bytes,
            ..Image::default()
        })))
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.image().bytes.clone()
    }

    pub fn fail(&self, fault: Fault) {
        self.image().fault = Some(fault);
    }

    pub fn clear_fault(&self) {
        self.image().fault = None;
    }

    /// The disk has this size at most from now on.
    pub fn limit(&self, bytes_max: Option<u64>) {
        self.image().bytes_max = bytes_max;
    }

    /// The next sync waits: the first end tells of its arrival, the second lets it go on.
    pub fn hold_next_sync(&self) -> (Receiver<()>, Sender<()>) {
        let ((arrived, arrival), (go, leave)) = (channel(), channel());
        self.image().gate = Some(Gate { arrived, leave });
        (arrival, go)
    }

    /// A disk as a power cut now could leave this one: of what was not synced, `keep` chooses the sectors that remain.
    pub fn after_power_cut(&self, mut keep: impl FnMut() -> bool) -> Disk {
        let image = self.image();
        let mut bytes = image.durable.clone();
        bytes.resize(image.bytes.len().max(bytes.len()), 0);
        for (offset, data) in &image.unsynced {
            for (number, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                let start = offset + number * SECTOR_BYTES;
                if keep() && start + sector.len() <= bytes.len() {
                    bytes[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        Disk::with_bytes(bytes)
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap()
    }
}

impl Image {
    /// Whether this operation fails.
    fn fails(&mut self, kinds: &[Kind]) -> Option<Kind> {
        let fault = self.fault.as_mut().filter(|fault| kinds.contains(&fault.kind))?;
        if fault.n_good > 0 {
            fault.n_good -= 1;
            return None;
        }
        let Fault { kind, lasts, .. } = *fault;
        if !lasts {
            self.fault = None;
        }
        Some(kind)
    }

    fn put(&mut self, offset: u64, data: &[u8]) {
        let offset = offset as usize;
        self.bytes[offset..offset + data.len()].copy_from_slice(data);
        self.unsynced.push((offset, data.to_vec()));
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.image().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let image = self.image();
        let offset = offset as usize;
        let bytes = image
            .bytes
            .get(offset..offset + out.len())
            .ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut image = self.image();
        if image.fails(&[Kind::SetLen]).is_some() || image.bytes_max.is_some_and(|bytes_max| len > bytes_max) {
            return Err(ErrorKind::StorageFull.into());
        }
        image.bytes.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let gate = self.image().gate.take();
        if let Some(gate) = gate {
            gate.arrived.send(()).unwrap();
            gate.leave.recv().unwrap();
        }
        let mut image = self.image();
        match image.fails(&[Kind::Sync, Kind::SyncThatForgets]) {
            Some(Kind::SyncThatForgets) => {
                image.bytes = image.durable.clone();
                image.unsynced.clear();
                Err(io::Error::other("the sync failed"))
            }
            Some(_) => Err(io::Error::other("the sync failed")),
            None => {
                image.durable = image.bytes.clone();
                image.unsynced.clear();
                Ok(())
            }
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut image = self.image();
        if image.fails(&[Kind::Write]).is_some() {
            image.put(offset, &data[..data.len() / 2]);
            return Err(io::Error::other("the write failed"));
        }
        image.put(offset, data);
        Ok(())
    }
}
