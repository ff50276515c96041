use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::reader::head;

/// A web server whose objects have versions, and which holds single answers back until it is told to go on.
///
/// What a request gets is decided when it arrives, as a server does that reads a file and is slow to send it.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Where an answer stops until it is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Before its head.
    Head,
    /// In the middle of its body.
    Body,
}

#[derive(Default)]
struct Shared {
    objects: Mutex<HashMap<String, Object>>,
    changed: Condvar,
}

#[derive(Clone, Debug, Default)]
struct Object {
    version: u64,
    cache_control: String,
    hold_next: Option<Hold>,
    is_held: bool,
}

/// How long anything here may take that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

impl Origin {
    /// Starts it on a port of its own; it lasts as long as this process.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> Result<Origin> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                // A cache that goes away is its own affair.
                std::thread::spawn(move || drop(serve(&connection, &shared)));
            }
        });
        Ok(Origin { address, shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new object, version 1.
    pub fn create(&self, path: &str, cache_control: &str) {
        let object = Object {
            version: 1,
            cache_control: cache_control.to_owned(),
            ..Object::default()
        };
        self.shared.objects().insert(path.to_owned(), object);
    }

    /// The object has its next version, which may be cached for an hour.
    pub fn change(&self, path: &str) {
        if let Some(object) = self.shared.objects().get_mut(path) {
            object.version += 1;
            object.cache_control = "max-age=3600".to_owned();
        }
    }

    /// The next answer for this object will be held back.
    pub fn hold_next(&self, path: &str, hold: Hold) {
        if let Some(object) = self.shared.objects().get_mut(path) {
            object.hold_next = Some(hold);
        }
    }

    /// Returns once an answer for this object is held back.
    ///
    /// # Errors
    /// When none is, for too long: nobody has asked.
    pub fn wait_until_held(&self, path: &str) -> Result<()> {
        let waits = |objects: &mut HashMap<String, Object>| objects.get(path).is_some_and(|object| !object.is_held);
        if self.shared.wait_while(waits) {
            Ok(())
        } else {
            bail!("nobody asked the origin for {path}")
        }
    }

    /// Lets the answer that is held back go on.
    pub fn release(&self, path: &str) {
        if let Some(object) = self.shared.objects().get_mut(path) {
            object.is_held = false;
        }
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn objects(&self) -> MutexGuard<'_, HashMap<String, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as `waits` says so; false: for too long.
    fn wait_while(&self, waits: impl FnMut(&mut HashMap<String, Object>) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.objects(), PATIENCE, waits);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// What stands at `path` now. If it says where to hold an answer back, then this one is meant, and no other.
    fn arrive(&self, path: &str) -> Option<Object> {
        let mut objects = self.objects();
        let object = objects.get_mut(path)?;
        let arrived = object.clone();
        object.hold_next = None;
        Some(arrived)
    }

    /// Tells that an answer is held back, and returns when it is released.
    fn wait_for_release(&self, path: &str) {
        if let Some(object) = self.objects().get_mut(path) {
            object.is_held = true;
        }
        self.changed.notify_all();
        self.wait_while(|objects| objects.get(path).is_some_and(|object| object.is_held));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = BufReader::new(stream);
    loop {
        let (start, headers) = head(&mut incoming)?;
        let path = start.split(' ').nth(1).context("no request line")?.to_owned();
        let field = |name: &str| headers.iter().find(|(field, _)| field == name);
        let condition = field("if-none-match").map_or("", |(_, value)| value);
        match shared.arrive(&path) {
            Some(object) => answer(stream, shared, &path, &object, condition)?,
            None => (&*stream).write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
    }
}

fn answer(mut stream: &TcpStream, shared: &Shared, path: &str, object: &Object, condition: &str) -> Result<()> {
    const HALF_BYTES: usize = 2048;
    if object.hold_next == Some(Hold::Head) {
        shared.wait_for_release(path);
    }
    let etag = format!("\"v{}\"", object.version);
    let is_confirmed = condition.trim_start_matches("W/") == etag;
    let (status, length) = if is_confirmed {
        ("304 Not Modified", String::new())
    } else {
        ("200 OK", format!("Content-Length: {}\r\n", 2 * HALF_BYTES))
    };
    let tag = tag_of(path);
    let head = format!(
        "HTTP/1.1 {status}\r\n{length}Content-Type: text/plain\r\nETag: {etag}\r\nCache-Control: {}\r\n\
         xkey: {tag}\r\nCache-Tag: {tag}\r\n\r\n",
        object.cache_control
    );
    stream.write_all(head.as_bytes())?;
    if is_confirmed {
        return Ok(());
    }
    stream.write_all(format!("{:<HALF_BYTES$}", format!("version {} ", object.version)).as_bytes())?;
    if object.hold_next == Some(Hold::Body) {
        shared.wait_for_release(path);
    }
    stream.write_all(&[b' '; HALF_BYTES])?;
    Ok(())
}

/// The cache tag of an object: one that no other has.
pub fn tag_of(path: &str) -> String {
    path.trim_start_matches('/').replace('/', "-")
}

/// The version in a body.
pub fn version_in(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?;
    text.strip_prefix("version ")?.split(' ').next()?.parse().ok()
}
