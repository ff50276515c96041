use http::{HeaderMap, HeaderName, HeaderValue};
use warmfront_model::Timestamp;
use warmfront_signing::{Incoming, Scope, SecretKey, Verified, VerifyError, verify};

pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A signed request out of a text file.
#[derive(Clone, Debug)]
pub struct Signed {
    pub name: String,
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Signed {
    /// Reads all blocks of a file; each file says what they look like.
    pub fn read_all(text: &str) -> Vec<Signed> {
        text.split("\n== ").skip(1).map(Signed::read).collect()
    }

    fn read(block: &str) -> Signed {
        let (head, body) = block.split_once("\n>").unwrap();
        let mut lines = head.lines();
        let name = lines.next().unwrap().to_owned();
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            headers.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let body = body
            .trim_end_matches('\n')
            .replace("\\r", "\r")
            .replace("\\n", "\n")
            .into_bytes();
        Signed {
            name,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body,
        }
    }

    pub fn verify(&self, scope: Scope<'_>, now: i64) -> Result<Verified, VerifyError> {
        let body_sha256 = sha256_hex(&self.body);
        let incoming = Incoming {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body_sha256: &body_sha256,
        };
        let secret_of = |id: &str| (id == "AKIDEXAMPLE").then(|| SecretKey::new(SECRET));
        verify(&incoming, scope, secret_of, Timestamp::from_unix_secs(now))
    }
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}
