use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use warmfront_clock::Clock;
use warmfront_model::Timestamp;

use crate::access_log::files::Files;
use crate::node::Count;
use crate::snapshot::Site;

/// Where access logs go, and how much room they may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLogOptions {
    /// The folder, for one process alone; made if it is not there.
    pub folder: PathBuf,
    /// A file is closed, and a new one begun, when it has so many bytes before compression.
    pub file_bytes_max: u64,
    /// When all files of the folder have more bytes than this, the oldest are removed.
    pub folder_bytes_max: u64,
    /// How many bytes of lines may wait for the writer; beyond, lines are dropped.
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
#[derive(Clone, Debug)]
pub struct AccessLog(Arc<Queue>);

/// The way to the writer, bounded in bytes.
#[derive(Debug)]
struct Queue {
    messages: Sender<Message>,
    waiting_bytes: Arc<AtomicU64>,
    bytes_max: u64,
}

enum Message {
    Line(Line),
    /// Everything before this is to be in its file; then all are closed, and the answer is given.
    Close(Sender<()>),
}

/// One line on its way.
pub(crate) struct Line {
    pub(crate) site: Arc<Site>,
    pub(crate) at: Timestamp,
    pub(crate) text: Vec<u8>,
    /// Counts it if the disk fails.
    pub(crate) lost: Arc<Count>,
}

impl AccessLog {
    /// Starts the writer. A file is closed when its hour is over by `clock`.
    ///
    /// # Errors
    /// If the folder cannot be made or read, or the thread not be started.
    pub fn start(options: AccessLogOptions, clock: Clock) -> io::Result<AccessLog> {
        let (log, messages) = AccessLog::queue(options.queue_bytes_max);
        let waiting_bytes = Arc::clone(&log.0.waiting_bytes);
        let files = Files::open(options)?;
        std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(files, &messages, &waiting_bytes, &clock))?;
        Ok(log)
    }

    fn queue(bytes_max: u64) -> (AccessLog, Receiver<Message>) {
        let (sender, messages) = channel();
        let queue = Queue {
            messages: sender,
            waiting_bytes: Arc::default(),
            bytes_max,
        };
        (AccessLog(Arc::new(queue)), messages)
    }

    /// Writes every line that was handed over before, and closes the files. Blocks until that is done.
    pub fn close(&self) {
        let (done, is_done) = channel();
        if self.0.messages.send(Message::Close(done)).is_ok() {
            // A writer that has ended has nothing to close.
            let _ = is_done.recv();
        }
    }

    /// Hands over a line; `false` if there is no room for it.
    pub(crate) fn push(&self, line: Line) -> bool {
        let n_bytes = line.text.len() as u64;
        let before = self.0.waiting_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        let fits = before + n_bytes <= self.0.bytes_max && self.0.messages.send(Message::Line(line)).is_ok();
        if !fits {
            self.0.waiting_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
        }
        fits
    }
}

/// Writes until no edge is left that could send anything.
fn write(mut files: Files, messages: &Receiver<Message>, waiting_bytes: &AtomicU64, clock: &Clock) {
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        let done = match messages.recv_timeout(PAUSE) {
            Ok(Message::Line(line)) => {
                waiting_bytes.fetch_sub(line.text.len() as u64, Ordering::Relaxed);
                let written = files.write(&line.site.distribution, line.at, &line.text);
                if warn(written) {
                    line.lost.add(1);
                }
                continue;
            }
            Ok(Message::Close(done)) => Some(done),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                warn(files.close_all());
                return;
            }
        };
        match done {
            Some(done) => {
                warn(files.close_all());
                // Whoever asked may have left.
                let _ = done.send(());
            }
            None => {
                warn(files.close_past(clock.now()));
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
