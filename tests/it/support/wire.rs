//! A caller on one connection, who knows exactly what became of each request: no client library that tries again by itself or hides a lost
//! connection.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An open connection.
pub struct Wire {
    stream: TcpStream,
    /// What was read beyond the last answer.
    rest: Vec<u8>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// The connection was reset, or ended in the middle of an answer.
    Reset(String),
    /// The connection ended before a byte of the answer.
    Ended,
    /// Nothing came in time.
    Late,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether the connection ends with this answer.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// A refusal for now, with the word when to come again.
    pub fn is_for_later(&self) -> bool {
        self.status == 503 && self.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok())
    }
}

/// A request, ready to be sent.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: lahete.test\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        text.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    text.into_bytes()
}

impl Wire {
    pub fn open(addr: SocketAddr, patience: Duration) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { stream, rest: Vec::new() })
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.stream.write_all(bytes).map_err(|error| Broken::Reset(error.to_string()))
    }

    /// Sends a request and waits for the answer.
    pub fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Result<Answer, Broken> {
        self.send(&request(method, path, headers, body))?;
        self.answer()
    }

    /// Reads one answer.
    pub fn answer(&mut self) -> Result<Answer, Broken> {
        let end = loop {
            if let Some(at) = self.rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8(self.rest.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no status: {head}"));
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.rest.len() < length {
            self.more().map_err(|error| if error == Broken::Ended { Broken::Reset("half an answer".to_owned()) } else { error })?;
        }
        answer.body = self.rest.drain(..length).collect();
        Ok(answer)
    }

    /// As [`Wire::answer`], for this long.
    pub fn try_answer(&mut self, patience: Duration) -> Result<Answer, Broken> {
        self.stream.set_read_timeout(Some(patience)).unwrap();
        self.answer()
    }

    fn more(&mut self) -> Result<(), Broken> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) if self.rest.is_empty() => Err(Broken::Ended),
            Ok(0) => Err(Broken::Reset("half an answer".to_owned())),
            Ok(count) => {
                self.rest.extend_from_slice(&bytes[..count]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(Broken::Late),
            Err(error) => Err(Broken::Reset(error.to_string())),
        }
    }

    /// Reads to the end, whatever that is; how many bytes came, and whether the end was a clean one.
    pub fn drain(&mut self) -> (usize, bool) {
        let mut count = self.rest.len();
        let mut bytes = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return (count, true),
                Ok(more) => count += more,
                Err(_) => return (count, false),
            }
        }
    }
}
