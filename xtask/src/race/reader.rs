use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A reader's connection to a cache, or a cache's to its origin. It stays open as long as the other end lets it.
pub struct Reader {
    address: SocketAddr,
    host: String,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer with its whole body.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Longer than any fetch is held back here.
const SILENCE_MAX: Duration = Duration::from_secs(60);

impl Reader {
    /// A reader at `address` who asks for `host`. It connects when it first asks.
    pub fn new(address: SocketAddr, host: &str) -> Reader {
        Reader {
            address,
            host: host.to_owned(),
            connection: None,
        }
    }

    /// GETs `path`.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, &[])
    }

    /// Sends a request without a body. An idle connection that the other end has closed meanwhile is replaced, once.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer.
    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        if let Some(mut connection) = self.connection.take()
            && let Ok(answer) = exchange(&mut connection, &request)
        {
            self.keep(connection, &answer);
            return Ok(answer);
        }
        let stream = TcpStream::connect(self.address).with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let mut connection = BufReader::new(stream);
        let answer = exchange(&mut connection, &request).with_context(|| format!("{method} {path}"))?;
        self.keep(connection, &answer);
        Ok(answer)
    }

    fn keep(&mut self, connection: BufReader<TcpStream>, answer: &Answer) {
        let closes = answer.header("connection").eq_ignore_ascii_case("close");
        self.connection = (!closes).then_some(connection);
    }
}

impl Answer {
    /// A field's value; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }
}

fn exchange(connection: &mut BufReader<TcpStream>, request: &str) -> Result<Answer> {
    connection.get_mut().write_all(request.as_bytes())?;
    let (start, headers) = head(connection)?;
    let status = start.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut answer = Answer {
        status: status.with_context(|| format!("{start:?} is no status line"))?,
        headers,
        body: Vec::new(),
    };
    answer.body = body(connection, &answer)?;
    Ok(answer)
}

/// The first line of a message, and its fields with their names in lower case.
///
/// # Errors
/// When the connection ends before.
pub fn head(connection: &mut impl BufRead) -> Result<(String, Vec<(String, String)>)> {
    let mut start = String::new();
    if connection.read_line(&mut start)? == 0 {
        bail!("the connection was closed");
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            bail!("the connection was closed within a head");
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok((start.trim_end().to_owned(), headers)),
        }
    }
}

fn body(connection: &mut BufReader<TcpStream>, answer: &Answer) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    if matches!(answer.status, 204 | 304) {
        return Ok(body);
    }
    if answer.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        loop {
            let mut line = String::new();
            connection.read_line(&mut line)?;
            let bytes = u64::from_str_radix(line.trim(), 16).with_context(|| format!("{line:?} is no chunk's size"))?;
            take(connection, bytes, &mut body)?;
            connection.read_line(&mut String::new())?;
            if bytes == 0 {
                return Ok(body);
            }
        }
    }
    match answer.header("content-length") {
        "" => drop(connection.read_to_end(&mut body)?),
        length => take(connection, length.parse()?, &mut body)?,
    }
    Ok(body)
}

fn take(connection: &mut BufReader<TcpStream>, bytes: u64, body: &mut Vec<u8>) -> Result<()> {
    let taken = connection.take(bytes).read_to_end(body)?;
    if taken as u64 != bytes {
        bail!("the connection was closed within a body");
    }
    Ok(())
}
