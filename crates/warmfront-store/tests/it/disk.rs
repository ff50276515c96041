use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_store::{Files, SegmentFile};

/// The smallest piece of a write that a power cut keeps or loses as a whole.
const SECTOR_BYTES: usize = 512;

/// A folder in memory whose every operation may fail, and which knows what a power cut would leave.
#[derive(Clone)]
pub struct FaultyDisk(Arc<Mutex<State>>);

struct State {
    files: BTreeMap<String, Arc<Mutex<FileState>>>,
    rng: StdRng,
    faults: Faults,
    bytes_max: Option<usize>,
    n_faults: u64,
    /// How often anything was asked of it.
    n_calls: u64,
    fails_at: FailsAt,
}

/// Which of all calls, counted from 0, fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailsAt {
    /// By chance alone.
    #[default]
    Never,
    /// This one.
    Only(u64),
    /// This one and all that follow, as for a process that ends there.
    From(u64),
}

/// How often things go wrong, of 1,000 times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Any operation gives an error; of a write, half may have arrived.
    pub error: u32,
    /// A read gives a wrong bit.
    pub rot: u32,
}

#[derive(Clone, Default)]
struct FileState {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl FaultyDisk {
    pub fn new(seed: u64) -> FaultyDisk {
        FaultyDisk(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            rng: StdRng::seed_from_u64(seed),
            faults: Faults::default(),
            bytes_max: None,
            n_faults: 0,
            n_calls: 0,
            fails_at: FailsAt::default(),
        })))
    }

    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Has one call fail, or all from one on.
    pub fn fail_at(&self, fails_at: FailsAt) {
        self.state().fails_at = fails_at;
    }

    pub fn n_calls(&self) -> u64 {
        self.state().n_calls
    }

    /// The disk is full at so many bytes.
    pub fn limit(&self, bytes_max: Option<usize>) {
        self.state().bytes_max = bytes_max;
    }

    pub fn n_faults(&self) -> u64 {
        self.state().n_faults
    }

    pub fn bytes(&self) -> usize {
        self.state().bytes()
    }

    /// The names of the segments, the oldest first.
    pub fn segments(&self) -> Vec<String> {
        let state = self.state();
        let names = state.files.keys().filter(|name| name.starts_with("segment-"));
        names.cloned().collect()
    }

    /// Removes a file behind the store's back.
    pub fn lose(&self, name: &str) {
        assert!(self.state().files.remove(name).is_some(), "{name}");
    }

    /// Changes a file behind the store's back.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let file = Arc::clone(&self.state().files[name]);
        change(&mut file.lock().unwrap().bytes);
    }

    /// What a process that starts after `kill -9` finds: everything that was written.
    pub fn after_kill(&self, seed: u64) -> FaultyDisk {
        self.image(seed, |file, _| file.bytes.clone())
    }

    /// What a machine finds after a power cut: of what was not synced, some sectors.
    pub fn after_power_cut(&self, seed: u64) -> FaultyDisk {
        self.image(seed, |file, rng| {
            let mut bytes = file.durable.clone();
            for (offset, data) in &file.unsynced {
                for (number, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                    let start = offset + number * SECTOR_BYTES;
                    if rng.random_bool(0.8) {
                        let end = start + sector.len();
                        bytes.resize(bytes.len().max(end), 0);
                        bytes[start..end].copy_from_slice(sector);
                    }
                }
            }
            bytes
        })
    }

    fn image(&self, seed: u64, left: impl Fn(&FileState, &mut StdRng) -> Vec<u8>) -> FaultyDisk {
        let image = FaultyDisk::new(seed);
        let mut rng = StdRng::seed_from_u64(seed);
        for (name, file) in &self.state().files {
            let bytes = left(&file.lock().unwrap(), &mut rng);
            let file = FileState {
                durable: bytes.clone(),
                bytes,
                unsynced: Vec::new(),
            };
            image.state().files.insert(name.clone(), Arc::new(Mutex::new(file)));
        }
        image
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn file(&self, content: Arc<Mutex<FileState>>) -> Box<dyn SegmentFile> {
        Box::new(FaultyFile {
            disk: self.clone(),
            content,
        })
    }
}

impl State {
    fn bytes(&self) -> usize {
        self.files.values().map(|file| file.lock().unwrap().bytes.len()).sum()
    }

    fn chance(&mut self, of_thousand: u32) -> bool {
        let happens = of_thousand > 0 && self.rng.random_range(0..1_000) < of_thousand;
        self.n_faults += u64::from(happens);
        happens
    }

    fn may_fail(&mut self) -> io::Result<()> {
        let number = self.n_calls;
        self.n_calls += 1;
        let is_due = match self.fails_at {
            FailsAt::Never => false,
            FailsAt::Only(at) => number == at,
            FailsAt::From(at) => number >= at,
        };
        self.n_faults += u64::from(is_due);
        let error = self.faults.error;
        if is_due || self.chance(error) {
            return Err(io::Error::other("the disk says no"));
        }
        Ok(())
    }
}

impl Files for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.may_fail()?;
        Ok(state.files.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.state();
        state.may_fail()?;
        let content = Arc::default();
        state.files.insert(name.to_owned(), Arc::clone(&content));
        drop(state);
        Ok(self.file(content))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.state();
        state.may_fail()?;
        let content = Arc::clone(state.files.get(name).ok_or(ErrorKind::NotFound)?);
        drop(state);
        Ok(self.file(content))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.may_fail()?;
        state.files.remove(name).map(drop).ok_or(ErrorKind::NotFound.into())
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    content: Arc<Mutex<FileState>>,
}

impl FaultyFile {
    fn put(&self, bytes: &[u8], offset: u64) {
        let mut content = self.content.lock().unwrap();
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        let length = content.bytes.len().max(end);
        content.bytes.resize(length, 0);
        content.bytes[start..end].copy_from_slice(bytes);
        content.unsynced.push((start, bytes.to_vec()));
    }
}

impl SegmentFile for FaultyFile {
    fn bytes(&self) -> io::Result<u64> {
        self.disk.state().may_fail()?;
        Ok(self.content.lock().unwrap().bytes.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.may_fail()?;
        let rot = state.faults.rot;
        let rotten = (state.chance(rot) && !buffer.is_empty()).then(|| state.rng.random_range(0..buffer.len() * 8));
        drop(state);
        let content = self.content.lock().unwrap();
        let start = offset as usize;
        let found = content.bytes.get(start..start + buffer.len());
        buffer.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        if let Some(bit) = rotten {
            buffer[bit / 8] ^= 1 << (bit % 8);
        }
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let full = state
            .bytes_max
            .is_some_and(|bytes_max| state.bytes() + bytes.len() > bytes_max);
        let failed = if full {
            Err(ErrorKind::StorageFull.into())
        } else {
            state.may_fail()
        };
        drop(state);
        match failed {
            Ok(()) => self.put(bytes, offset),
            Err(_) => self.put(&bytes[..bytes.len() / 2], offset),
        }
        failed
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.disk.state().may_fail()?;
        let mut content = self.content.lock().unwrap();
        content.bytes.resize(bytes as usize, 0);
        content.unsynced.clear();
        content.durable = content.bytes.clone();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().may_fail()?;
        let mut content = self.content.lock().unwrap();
        content.durable = content.bytes.clone();
        content.unsynced.clear();
        Ok(())
    }
}
