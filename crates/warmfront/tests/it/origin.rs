//! A web server that counts, and a viewer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Answers every request with how many there have been; the answers may be kept for an hour.
pub struct Origin {
    port: u16,
    n_requests: Arc<AtomicU32>,
}

impl Origin {
    /// Starts it on a free port; its thread ends with the test process.
    pub fn start() -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let n_requests = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&n_requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &count);
            }
        });
        Origin { port, n_requests }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// How many requests there have been.
    pub fn n_requests(&self) -> u32 {
        self.n_requests.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, count: &AtomicU32) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let body = (count.fetch_add(1, Ordering::SeqCst) + 1).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=3600\r\nConnection: close\r\n";
    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
}

/// What a viewer got.
#[derive(Debug)]
pub struct Answer {
    /// The status line and headers in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Whether it came out of the cache.
    pub fn is_hit(&self) -> bool {
        self.head.contains("x-cache: hit from cloudfront")
    }

    /// Whether it came from the origin just now.
    pub fn is_miss(&self) -> bool {
        self.head.contains("x-cache: miss from cloudfront")
    }
}

/// Gets `path` from `address`, as a viewer that names the address alone.
pub fn get(address: &str, path: &str) -> Answer {
    get_with(address, path, &[])
}

/// GETs a path with more header fields.
pub fn get_with(address: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{fields}\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer {
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// The distribution that `serve --origin` says it made.
pub fn distribution_of(log: &str) -> String {
    let (_, rest) = log.split_once("distribution ").unwrap();
    rest.split(' ').next().unwrap().to_owned()
}
