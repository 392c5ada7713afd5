//! The program itself, as an operator starts it, and as a power cut ends it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use lahete_api::auth::keys::SigningKey;
use lahete_api::auth::token::{self, Audience, Claims};
use lahete_api::clock::SystemClock;
use lahete_domain::ids::{Id as _, UserId};
use lahete_domain::time::Clock as _;

/// `lahete` with its own settings and nothing of the test's environment.
pub fn lahete(folder: &Path, settings: &[(&str, &str)]) -> Command {
    // The long form of some tests runs the program as it is built for use.
    let program = std::env::var("LAHETE_TEST_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_lahete").to_owned());
    let mut command = Command::new(program);
    command.env_clear().env("LAHETE_DATA_DIR", folder).env("LAHETE_LOG", "info").current_dir(folder).stdin(Stdio::null());
    for (name, value) in settings {
        command.env(format!("LAHETE_{}", name.to_ascii_uppercase()), value);
    }
    command
}

/// Lays the data key of the tests into a folder, so that the program reads what a test's own store has written.
pub fn lay_data_key(folder: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = folder.join("data-key");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, base64::engine::general_purpose::STANDARD.encode(super::database::DATA_KEY).as_bytes()).unwrap();
}

/// Makes tokens as the server in a folder would.
pub struct Signer(SigningKey);

impl Signer {
    /// With the key in the folder; makes it when there is none.
    pub fn of(folder: &Path) -> Self {
        Self(SigningKey::load(&folder.join("signing-key.pem"), true).unwrap())
    }

    /// A token for a person.
    pub fn user(&self, id: UserId) -> String {
        let now = SystemClock.now().utc().timestamp();
        let claims = Claims {
            iss: "http://127.0.0.1:8080".to_owned(),
            sub: format!("user:{}", id.as_uuid()),
            aud: Audience::One("lahete-api".to_owned()),
            client_id: "lahete-test".to_owned(),
            iat: now,
            exp: now + 900,
            nbf: None,
            jti: uuid::Uuid::now_v7().to_string(),
        };
        format!("Bearer {}", token::sign(&self.0, &claims).unwrap())
    }
}

/// A running server.
pub struct Server {
    pub addr: SocketAddr,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub fn start(folder: &Path, database: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_as(folder, database, settings, &["--demo"])
    }

    /// As [`Server::start`], outside the demo mode: keys must be there, and the database need not.
    pub fn start_plain(folder: &Path, database: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_as(folder, database, settings, &[])
    }

    fn start_as(folder: &Path, database: &str, settings: &[(&str, &str)], options: &[&str]) -> Self {
        let mut command = lahete(folder, settings);
        command.args(["serve", "--database", database, "--bind", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (send, receive) = std::sync::mpsc::channel();
        let kept = Arc::clone(&lines);
        // Reads to the end: a full pipe would stop the server.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let addr = line.split_once("listening on ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
                if let Some(addr) = addr {
                    let _ = send.send(addr);
                }
                if !line.contains(" 201 ") {
                    kept.lock().unwrap().push(line);
                }
            }
        });
        let addr = receive.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("the server does not say where it listens: {:#?}", lines.lock().unwrap())
        });
        Self { addr, child, lines }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// How long it takes until `/readyz` says yes.
    pub fn until_ready(&self) -> Duration {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(30) {
            let agent = agent(Duration::from_secs(2));
            if agent.get(self.url("/readyz")).call().is_ok_and(|reply| reply.status() == 200) {
                return begin.elapsed();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("not ready: {}", self.last_lines())
    }

    /// Asks it to stop, as an operator does, and does not wait.
    pub fn ask_to_stop(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Whether it runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What the system says of its memory, in KiB: `VmRSS` for now, `VmHWM` for the most there ever was.
    pub fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("no {what} in {status}"));
        line.trim_matches([':', ' ', '\t']).split_whitespace().next().unwrap().parse().unwrap()
    }

    /// `kill -9` while others still talk to it.
    pub fn kill_by_id(&self) {
        assert!(Command::new("kill").args(["-KILL", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// `kill -9`: no word of farewell, no last write.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does, by a signal.
    pub fn stop(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        for _ in 0..2 {
            // The second one says not to wait for a load balancer.
            assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
            std::thread::sleep(Duration::from_millis(200));
        }
        self.child.wait().unwrap()
    }

    /// Everything that it has said, but for the answers that made something.
    pub fn all_lines(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// What it said last.
    pub fn last_lines(&self) -> String {
        let lines = self.lines.lock().unwrap();
        lines.iter().rev().take(20).rev().cloned().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(timeout)).build().new_agent()
}
