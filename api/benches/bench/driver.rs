//! The load: connections that are kept alive, each of which sends its next request as soon as it has its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Outcome;

/// Makes the next request of a connection: head and body as they go over the wire.
pub type Requests = Arc<dyn Fn(u64, &mut Vec<u8>) + Send + Sync>;

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Answers with a status below 400.
    pub answers: u64,
    /// Other answers.
    pub refused: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Half of the answers came within this time.
    pub p50: Duration,
    /// All but one of a hundred came within this time.
    pub p99: Duration,
}

impl Measured {
    /// Answers in a second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Microseconds of a time for each answer.
    pub fn micros_each(&self, of: Duration) -> f64 {
        of.as_secs_f64() * 1e6 / (self.answers as f64).max(1.0)
    }
}

/// Puts a request together; without a body it is a GET, with the reason that old cases are read for.
pub fn request(out: &mut Vec<u8>, path: &str, token: &str, body: Option<(&str, &str)>) {
    use std::io::Write as _;
    out.clear();
    // Writing to memory cannot fail.
    let _ = match body {
        None => {
            write!(out, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nX-Access-Reason: benchmark\r\n\r\n")
        }
        Some((key, body)) => write!(
            out,
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(addr: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and waits for the whole answer; gives its status. The answer is in [`Connection::answer`] until the next one.
    pub async fn exchange(&mut self, request: &[u8]) -> Outcome<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server has closed the connection".into());
            }
            if let Some((status, length)) = head(&self.buffer)? {
                while self.buffer.len() < length {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err("the server has closed the connection within an answer".into());
                    }
                }
                return Ok(status);
            }
        }
    }

    /// The last answer with its head.
    pub fn answer(&self) -> &[u8] {
        &self.buffer
    }
}

/// Status and whole length, once the head is there.
fn head(bytes: &[u8]) -> Outcome<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(Ok(0), |header| std::str::from_utf8(header.value).unwrap_or_default().parse())?;
    Ok(Some((response.code.unwrap_or_default(), head + length)))
}

/// Drives a server with so many connections for a while, after as many requests to warm up as there are connections.
pub fn drive(addr: SocketAddr, connections: u64, time: Duration, requests: &Requests) -> Outcome<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = Vec::new();
        let begin = Instant::now();
        for connection in 0..connections {
            let requests = Arc::clone(requests);
            tasks.push(tokio::task::spawn(one(addr, connection, begin + time, requests)));
        }
        let mut measured = Measured::default();
        let mut times = Vec::new();
        for task in tasks {
            let (mut own, refused) = task.await??;
            measured.refused += refused;
            times.append(&mut own);
        }
        measured.elapsed = begin.elapsed();
        measured.answers = times.len() as u64;
        times.sort_unstable();
        let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or_default();
        (measured.p50, measured.p99) = (at(50), at(99));
        Ok(measured)
    })
}

async fn one(addr: SocketAddr, connection: u64, end: Instant, requests: Requests) -> Outcome<(Vec<Duration>, u64)> {
    let mut line = Connection::open(addr).await?;
    let mut request = Vec::with_capacity(4096);
    let (mut times, mut refused) = (Vec::with_capacity(16 * 1024), 0);
    for turn in 0.. {
        let begin = Instant::now();
        if begin >= end {
            break;
        }
        requests(connection << 40 | turn, &mut request);
        let status = line.exchange(&request).await?;
        if status < 400 { times.push(begin.elapsed()) } else { refused += 1 }
    }
    Ok((times, refused))
}
