//! Requests to the API, signed for the root identity.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use http::Request;
use serde_json::Value;
use warmfront_clock::Clock;
use warmfront_signing::{Credentials, Payload, Scope, SecretKey, Signer};

use crate::program::{run, stdout};

/// The root identity of the server in a data folder.
pub struct Root {
    control: String,
    signer: Signer,
}

impl Root {
    /// `control` is where the API listens.
    pub fn of(data: &Path, control: &str) -> Root {
        let printed = stdout(&run(&["env", "--data", data.to_str().unwrap()]));
        let variable = |name: &str| {
            let line = printed.lines().find_map(|line| line.split_once(&format!("{name}=")));
            line.unwrap().1.trim_matches('\'').to_owned()
        };
        let credentials = Credentials {
            access_key_id: variable("AWS_ACCESS_KEY_ID"),
            secret_access_key: SecretKey::new(variable("AWS_SECRET_ACCESS_KEY")),
            session_token: None,
        };
        let scope = Scope {
            region: "us-east-1",
            service: "cloudfront",
        };
        Root {
            control: control.to_owned(),
            signer: Signer::new(&credentials, scope),
        }
    }

    /// Sends a request with an empty body; gives the status and the answer, which is JSON.
    pub fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        let uri = format!("http://{}{path}", self.control);
        let request = Request::builder().method(method).uri(uri).header("host", &self.control);
        let mut parts = request.body(()).unwrap().into_parts().0;
        self.signer
            .sign(&mut parts, Payload::Bytes(b""), Clock::system().now())
            .unwrap();
        let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n");
        for (name, value) in &parts.headers {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        let mut stream = TcpStream::connect(&self.control).unwrap();
        stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}
