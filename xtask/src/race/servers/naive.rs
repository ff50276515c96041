use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Cache;
use crate::race::reader::{Answer, Reader, head};

/// A cache as one writes it in an afternoon: a map, filled by whoever misses, and a purge that removes from it.
pub struct Naive {
    address: SocketAddr,
    store: Arc<Store>,
}

#[derive(Default)]
struct Store(Mutex<HashMap<String, Stored>>);

#[derive(Clone)]
struct Stored {
    answer: Arc<Answer>,
    fresh_until: Instant,
}

impl Naive {
    /// Starts it on a port of its own; it lasts as long as this process.
    pub fn start(origin: SocketAddr) -> Result<Naive> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let store = Arc::<Store>::default();
        let serving = Arc::clone(&store);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let store = Arc::clone(&serving);
                // A reader that goes away is its own affair.
                std::thread::spawn(move || drop(serve(&connection, &store, origin)));
            }
        });
        Ok(Naive { address, store })
    }
}

impl Cache for Naive {
    fn addresses(&self) -> Vec<SocketAddr> {
        vec![self.address]
    }

    fn invalidate(&self, path: &str) -> Result<()> {
        self.store.lock().remove(path);
        Ok(())
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(mut stream: &TcpStream, store: &Store, origin: SocketAddr) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = BufReader::new(stream);
    loop {
        let (start, _) = head(&mut incoming)?;
        let path = start.split(' ').nth(1).context("no request line")?;
        let answer = find_or_fetch(path, store, origin)?;
        let mut text = format!(
            "HTTP/1.1 {} Naive\r\nContent-Length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        for name in ["cache-control", "etag"] {
            text.push_str(&format!("{name}: {}\r\n", answer.header(name)));
        }
        stream.write_all(format!("{text}\r\n").as_bytes())?;
        stream.write_all(&answer.body)?;
    }
}

fn find_or_fetch(path: &str, store: &Store, origin: SocketAddr) -> Result<Arc<Answer>> {
    let stored = store.lock().get(path).cloned();
    if let Some(stored) = &stored
        && Instant::now() < stored.fresh_until
    {
        return Ok(Arc::clone(&stored.answer));
    }
    let etag = stored.as_ref().map_or("", |stored| stored.answer.header("etag"));
    let fetched = Reader::new(origin, "race.test").ask("GET", path, &[("If-None-Match", etag)])?;
    let fresh_until = Instant::now() + max_age(fetched.header("cache-control"));
    let answer = match stored {
        Some(stored) if fetched.status == 304 => stored.answer,
        _ => Arc::new(fetched),
    };
    let stored = Stored {
        answer: Arc::clone(&answer),
        fresh_until,
    };
    store.lock().insert(path.to_owned(), stored);
    Ok(answer)
}

fn max_age(cache_control: &str) -> Duration {
    let mut directives = cache_control.split(',').map(str::trim);
    let secs = directives.find_map(|directive| directive.strip_prefix("max-age=")?.parse().ok());
    Duration::from_secs(secs.unwrap_or(0))
}
