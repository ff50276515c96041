use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

/// A web server that answers `/N.bin` with N bytes that may be cached for an hour.
pub struct Origin {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
}

impl Origin {
    /// Starts it on a port of its own; it lasts as long as this process.
    pub fn start() -> Result<Origin> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let origin = Origin {
            address: listener.local_addr()?,
            requests: Arc::default(),
        };
        let requests = Arc::clone(&origin.requests);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let requests = Arc::clone(&requests);
                // A client that goes away is its own affair.
                std::thread::spawn(move || drop(answer(connection, &requests)));
            }
        });
        Ok(origin)
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> String {
        format!("localhost:{}", self.address.port())
    }
}

fn answer(mut connection: TcpStream, requests: &AtomicU64) -> Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    requests.fetch_add(1, Ordering::SeqCst);
    let name = request.split(' ').nth(1).unwrap_or_default();
    let size: Option<usize> = name
        .trim_start_matches('/')
        .strip_suffix(".bin")
        .and_then(|size| size.parse().ok());
    let (status, body) = match size {
        Some(size) => ("200 OK", vec![b'x'; size]),
        None => ("404 Not Found", Vec::new()),
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
         ETag: \"{}\"\r\nCache-Control: max-age=3600\r\nConnection: close\r\n\r\n",
        body.len(),
        body.len()
    )?;
    connection.write_all(&body)?;
    Ok(())
}
