use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use std::{fmt, io};

use parking_lot::Mutex;
use warmfront_clock::Clock;

use crate::access_log::batch::Batch;
use crate::access_log::files::Files;
use crate::node::Count;

/// Where access logs go, and how much room they may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogOptions {
    /// The folder, for one process alone; made if it is not there.
    pub folder: PathBuf,
    /// A file is closed, and a new one begun, when it has so many bytes before compression.
    pub file_bytes_max: u64,
    /// When all files of the folder have more bytes than this, the oldest are removed.
    pub folder_bytes_max: u64,
    /// How many bytes of lines may wait for the writer, besides 256 KiB of each core; beyond, lines are dropped.
    pub queue_bytes_max: u64,
}

impl AccessLogOptions {
    /// Logs in `folder`, in files of 64 MiB before compression, 1 GiB of them after it; 32 MiB of lines may wait.
    pub fn in_folder(folder: PathBuf) -> AccessLogOptions {
        AccessLogOptions {
            folder,
            file_bytes_max: 64 * 1024 * 1024,
            folder_bytes_max: 1024 * 1024 * 1024,
            queue_bytes_max: 32 * 1024 * 1024,
        }
    }
}

/// The access log of all edges of a process.
#[derive(Clone)]
pub struct AccessLog(Arc<Queue>);

/// The way to the writer, bounded in bytes.
struct Queue {
    messages: Sender<Message>,
    bytes_max: u64,
    shared: Arc<Shared>,
}

/// What the writer has in common with those who write to it.
#[derive(Default)]
struct Shared {
    waiting_bytes: AtomicU64,
    sources: Mutex<Vec<Source>>,
}

/// A core's batch, for the writer to fetch, and where it counts what the disk loses.
#[derive(Clone)]
struct Source {
    batch: Weak<Mutex<Batch>>,
    lost: Arc<Count>,
}

enum Message {
    Lines(Batch, Arc<Count>),
    /// Everything before this is to be in its file; then all are closed, and the answer is given.
    Close(Sender<()>),
}

impl AccessLog {
    /// Starts the writer. A file is closed when its hour is over by `clock`.
    ///
    /// # Errors
    /// If the folder cannot be made or read, or the thread not be started.
    pub fn start(options: AccessLogOptions, clock: Clock) -> io::Result<AccessLog> {
        let (sender, messages) = channel();
        let shared = Arc::new(Shared::default());
        let log = AccessLog(Arc::new(Queue {
            messages: sender,
            bytes_max: options.queue_bytes_max,
            shared: Arc::clone(&shared),
        }));
        let files = Files::open(options)?;
        let mut writer = Writer { files, shared, clock };
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || writer.write(&messages))?;
        Ok(log)
    }

    /// Writes every line that was handed over before, and closes the files. Blocks until that is done.
    pub fn close(&self) {
        let (done, is_done) = channel();
        if self.0.messages.send(Message::Close(done)).is_ok() {
            // A writer that has ended has nothing to close.
            let _ = is_done.recv();
        }
    }

    /// The writer fetches what is in `batch` once in a while, and counts in `lost` what the disk does not take.
    pub(super) fn fetch_from(&self, batch: &Arc<Mutex<Batch>>, lost: &Arc<Count>) {
        let mut sources = self.0.shared.sources.lock();
        sources.retain(|source| source.batch.strong_count() > 0);
        sources.push(Source {
            batch: Arc::downgrade(batch),
            lost: Arc::clone(lost),
        });
    }

    /// How many bytes may wait at the most.
    pub(super) fn room(&self) -> usize {
        usize::try_from(self.0.bytes_max).unwrap_or(usize::MAX)
    }

    /// Hands over lines; says how many had to be dropped as there is no room for them.
    pub(super) fn hand_over(&self, batch: Batch, lost: &Arc<Count>) -> u64 {
        let (n_lines, n_bytes) = (batch.n_lines(), batch.n_bytes());
        if n_lines == 0 {
            return 0;
        }
        let waiting_bytes = &self.0.shared.waiting_bytes;
        let before = waiting_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        let message = Message::Lines(batch, Arc::clone(lost));
        if before + n_bytes <= self.0.bytes_max && self.0.messages.send(message).is_ok() {
            return 0;
        }
        waiting_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
        n_lines
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccessLog").finish_non_exhaustive()
    }
}

/// The thread that writes to the disk.
struct Writer {
    files: Files,
    shared: Arc<Shared>,
    clock: Clock,
}

impl Writer {
    /// Writes until no edge is left that could send anything.
    fn write(&mut self, messages: &Receiver<Message>) {
        const PAUSE: Duration = Duration::from_secs(1);
        let mut rest_at = Instant::now() + PAUSE;
        loop {
            match messages.recv_timeout(rest_at.saturating_duration_since(Instant::now())) {
                Ok(Message::Lines(batch, lost)) => {
                    self.shared.waiting_bytes.fetch_sub(batch.n_bytes(), Ordering::Relaxed);
                    self.write_batch(&batch, &lost);
                }
                Ok(Message::Close(done)) => {
                    self.fetch();
                    warn(self.files.close_all());
                    // Whoever asked may have left.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    warn(self.files.close_all());
                    return;
                }
            }
            if Instant::now() >= rest_at {
                self.fetch();
                warn(self.files.close_past(self.clock.now()));
                rest_at = Instant::now() + PAUSE;
            }
        }
    }

    /// Writes what the cores have not handed over yet.
    fn fetch(&mut self) {
        let sources = self.shared.sources.lock().clone();
        for source in sources {
            if let Some(batch) = source.batch.upgrade() {
                let batch = batch.lock().take();
                self.write_batch(&batch, &source.lost);
            }
        }
    }

    fn write_batch(&mut self, batch: &Batch, lost: &Count) {
        for (site, at, n_lines, lines) in batch.runs() {
            if warn(self.files.write(&site.distribution, at, lines)) {
                lost.add(n_lines);
            }
        }
    }
}

/// Whether it failed.
fn warn(result: io::Result<()>) -> bool {
    if let Err(error) = &result {
        tracing::warn!(%error, "the access log cannot be written");
    }
    result.is_err()
}
