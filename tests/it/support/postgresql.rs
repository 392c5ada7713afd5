//! A PostgreSQL server of the test's own, which may be stopped, killed and frozen.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A server with its files and its socket in one folder.
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<&'static str>,
}

impl Cluster {
    /// A new server with an empty database, running.
    pub fn start() -> Self {
        let programs = std::env::var("LAHETE_TEST_POSTGRESQL_PROGRAMS")
            .expect("no PostgreSQL to test with: run `make test`, or `tests/with_postgresql.sh cargo test`");
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        // The path of a socket may not be long.
        let folder = std::env::temp_dir().join(format!("lahete-pg-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let known = |name: &str| Command::new("id").arg(name).output().is_ok_and(|output| output.status.success());
        // PostgreSQL refuses to run as root.
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let user = is_root.then(|| if known("postgres") { "postgres" } else { "nobody" });
        if let Some(user) = user {
            assert!(Command::new("chown").arg(user).arg(&folder).status().unwrap().success());
        }
        let cluster = Self { folder, programs: PathBuf::from(programs), user };
        cluster.run("initdb", &["-U", "lahete", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        cluster.resume_from_stop();
        let socket = cluster.folder.display().to_string();
        let made = Command::new(cluster.programs.join("createdb")).args(["-h", &socket, "-U", "lahete", "faults"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster
    }

    pub fn url(&self) -> String {
        format!("postgresql:///faults?host={}&user=lahete", self.folder.display().to_string().replace('/', "%2F"))
    }

    /// Where its files are.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(self.programs.join(program));
                command
            }
            None => Command::new(self.programs.join(program)),
        };
        command.arg("-D").arg(self.data()).args(arguments).current_dir("/").stdin(std::process::Stdio::null()).output().unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.output(program, arguments);
        let log = std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        assert!(output.status.success(), "{program} {arguments:?}: {}{log}", String::from_utf8_lossy(&output.stderr));
    }

    fn options(&self) -> String {
        format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=60 -c lc_messages=C -c max_pred_locks_per_transaction=256",
            self.folder.display()
        )
    }

    /// Starts it again.
    pub fn resume_from_stop(&self) {
        let (options, log) = (self.options(), self.folder.join("server.log").display().to_string());
        self.run("pg_ctl", &["-w", "-t", "60", "-l", &log, "-o", &options, "start"]);
    }

    /// Ends it without a farewell to anybody.
    pub fn stop_at_once(&self) {
        self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]);
    }

    /// Lets it write out what it has, and ends it.
    pub fn stop_in_peace(&self) {
        self.run("pg_ctl", &["-w", "-m", "fast", "stop"]);
    }

    /// Everything that the database holds, as its own tool writes it out.
    pub fn dump(&self) -> String {
        let socket = self.folder.display().to_string();
        let made =
            Command::new(self.programs.join("pg_dump")).args(["-h", &socket, "-U", "lahete", "--inserts", "faults"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap()
    }

    /// Restarts it without a farewell to anybody.
    pub fn restart_at_once(&self) {
        self.stop_at_once();
        self.resume_from_stop();
    }

    /// The process that its file names, which is another one after each start.
    pub fn first_process(&self) -> String {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().trim().to_owned()
    }

    /// All its processes: the first one, and that one's children.
    fn processes(&self) -> Vec<String> {
        let first = self.first_process();
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap_or_default();
        let mut all = vec![first];
        all.extend(children.split_whitespace().map(str::to_owned));
        assert!(all.len() > 1, "a server has more than one process");
        all
    }

    fn signal(&self, name: &str) {
        for process in self.processes() {
            // One that has just ended cannot be signalled, and need not be.
            let _ = Command::new("kill").args([name, &process]).stderr(std::process::Stdio::null()).status();
        }
    }

    /// Stops all its processes in the middle of whatever they do.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.thaw();
            self.output("pg_ctl", &["-m", "immediate", "stop"]);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
