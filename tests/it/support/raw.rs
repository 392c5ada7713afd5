//! A connection without a client library, for what no client library would send.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::TestApp;

/// An open connection.
pub struct Raw(TcpStream);

/// What came back on it.
#[derive(Debug)]
pub struct RawReply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl RawReply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The problem in the body, of this status and code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{}{text}", self.head);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}{text}", self.head);
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{problem}");
        problem
    }
}

impl Raw {
    pub fn open(app: &TestApp) -> Self {
        let stream = TcpStream::connect(app.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Sends bytes; false when the other side does not take them any more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Says that nothing more will come.
    pub fn end(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// Sends one byte after another with a pause between them, until there is an answer or the time is up.
    pub fn drip(&mut self, pause: Duration, longest: Duration) -> bool {
        let started = Instant::now();
        self.0.set_read_timeout(Some(pause)).unwrap();
        while started.elapsed() < longest {
            if !self.send(b" ") || self.0.peek(&mut [0]).is_ok() {
                break;
            }
        }
        self.0.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        self.0.peek(&mut [0]).is_ok()
    }

    /// One answer: its head, and as much of a body as it announces.
    #[track_caller]
    pub fn reply(&mut self) -> RawReply {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.0.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                other => panic!("no answer: {other:?} after {:?}", String::from_utf8_lossy(&head)),
            }
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = RawReply { status, head, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        reply.body = vec![0; length];
        self.0.read_exact(&mut reply.body).unwrap();
        reply
    }

    /// Whatever comes until the end of the connection, however it ends.
    pub fn all(&mut self) -> String {
        let mut all = Vec::new();
        let _ = self.0.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// An answer to `HEAD`, whose length is that of a body which does not come; and what comes all the same until the end of the connection.
    #[track_caller]
    pub fn whole(&mut self) -> String {
        let mut all = Vec::new();
        self.0.read_to_end(&mut all).unwrap();
        String::from_utf8(all).unwrap()
    }
}
