//! A server process: started, measured from outside, stopped.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Outcome;

/// Clock ticks in a second, as the kernel counts processor time in `/proc`; the same on every Linux.
const TICKS: u64 = 100;

/// A running server.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
    /// From its start to its readiness.
    pub ready_after: Duration,
    log: PathBuf,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// Processor time.
    pub cpu: Duration,
    /// Processor time of processes that it has started and seen end.
    pub children: Duration,
    /// The most memory that it ever had, in KiB.
    pub peak_kib: u64,
}

impl Server {
    /// Starts `lahete serve --demo` in a folder and waits until it is ready.
    pub fn lahete(folder: &Path, database: &str) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lahete"));
        command.args(["serve", "--demo", "--database", database, "--bind", "127.0.0.1:0"]).env_clear().current_dir(folder);
        // As an operator runs it, with a line in the log for every request.
        command.env("LAHETE_DATA_DIR", folder).env("LAHETE_DRAIN_SECONDS", "0").env("LAHETE_TOKEN_REQUESTS_PER_MINUTE", "100000");
        Self::start(command, folder, "/readyz")
    }

    /// Starts this program as the bare server.
    pub fn bare(folder: &Path, answer: &Path) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").arg(answer);
        Self::start(command, folder, "/")
    }

    fn start(mut command: Command, folder: &Path, probe: &str) -> Outcome<Self> {
        let log = folder.join("server.log");
        let begin = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let mut server = Self { child, addr: SocketAddr::from(([127, 0, 0, 1], 0)), ready_after: Duration::ZERO, log };
        loop {
            let said = server.said()?;
            let addr = said.iter().find_map(|line| line.split_once("listening on ")?.1.split_whitespace().next()?.parse().ok());
            if let Some(addr) = addr {
                server.addr = addr;
                if server.answers(probe) {
                    break;
                }
            }
            if begin.elapsed() > Duration::from_secs(120) || server.child.try_wait()?.is_some() {
                return Err(format!("the server does not get ready: {said:#?}").into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.ready_after = begin.elapsed();
        Ok(server)
    }

    fn said(&self) -> Outcome<Vec<String>> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).lines().map(str::to_owned).collect())
    }

    fn answers(&self, path: &str) -> bool {
        let url = format!("http://{}{path}", self.addr);
        ureq::get(url).call().is_ok_and(|reply| reply.status() == 200)
    }

    /// What the process has used.
    pub fn used(&self) -> Outcome<Used> {
        used(self.child.id())
    }

    /// Stops it as an operator does; gives what it said.
    pub fn stop(mut self) -> Outcome<Vec<String>> {
        Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        self.said()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process has used.
pub fn used(pid: u32) -> Outcome<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; after it come the state and ten fields before user and system time.
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("stat")?.1.split_whitespace().collect();
    let field = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS);
    Ok(Used { cpu: time(field(11) + field(12)), children: time(field(13) + field(14)), peak_kib: peak.unwrap_or_default() })
}
