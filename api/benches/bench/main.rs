//! `make bench`: the server against its limits, on either database, with ten thousand, a hundred thousand and a million referrals.
//!
//! For each kind of work the same run measures the server, the floor under it (the same statements without the program) and the bare server (the same
//! bytes without storage). The figures are ratios: they hold for one machine in one run, and nothing here decides a test.
//!
//! - **W** create and send a referral · **R** read one · **L1**, **L200** the first and the two-hundredth page of a list · **M** 70 R, 20 L1, 10 W of a
//!   hundred · **S** the outcomes report of a year.
//!
//! `QUICK=1` takes shorter looks at smaller data. `ONLY=sqlite` or `ONLY=postgresql` leaves the other one out, `SIZES=10000,50000` sets the data,
//! `WORK=R,W` the kinds of work.
#![expect(clippy::float_arithmetic, reason = "a ratio of two measurements is neither money nor hours")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark has its settings from the environment, and the present from the machine's clock"
)]

mod bare;
mod dataset;
mod driver;
mod findings;
mod postgresql;
mod progress;
mod report;
mod server;
mod sqlite;
mod workload;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dataset::Dataset;
use driver::Measured;
use findings::{Bare, Finding, Findings, Floor, Footprint, median};
use postgresql::Cluster;
use progress::say;
use server::Server;
use workload::{Page, Target, Work};

/// What a step gives, or why the whole run ends.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Data made by another version of the generator is made anew. The migrations count, too.
const DATA_VERSION: u32 = 3;
/// How often a server is started to see how soon it is ready.
const STARTS: usize = 3;
/// Pages turned for the far page.
const FAR: usize = 200;
/// The kinds of work by their names in the tables.
const WORKS: [(&str, Work); 6] =
    [("M", Work::Mixed), ("R", Work::Read), ("L1", Work::List), ("L200", Work::List), ("W", Work::Write), ("S", Work::Report)];

/// How long, on how much.
struct Plan {
    sizes: Vec<u64>,
    look: Duration,
    /// How often server and floor are measured in turn at the largest size, where they are held against a bound.
    pairs: u64,
    folder: PathBuf,
    databases: Vec<&'static str>,
    works: Vec<(&'static str, Work)>,
}

impl Plan {
    fn of_environment() -> Outcome<Self> {
        let quick = std::env::var("QUICK").is_ok_and(|value| value != "0" && !value.is_empty());
        let sizes = match std::env::var("SIZES") {
            Ok(list) => list.split(',').map(|size| size.trim().parse()).collect::<Result<_, _>>()?,
            Err(_) if quick => vec![10_000, 100_000],
            Err(_) => vec![10_000, 100_000, 1_000_000],
        };
        let databases = match std::env::var("ONLY").as_deref() {
            Ok("sqlite") => vec!["SQLite"],
            Ok("postgresql") => vec!["PostgreSQL"],
            Ok(other) => return Err(format!("ONLY={other}: sqlite or postgresql").into()),
            Err(_) => vec!["SQLite", "PostgreSQL"],
        };
        let mut works = WORKS.to_vec();
        if let Ok(list) = std::env::var("WORK") {
            works.retain(|(label, _)| list.split(',').any(|wanted| wanted.trim() == *label));
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        std::fs::create_dir_all(&folder)?;
        let look = Duration::from_millis(if quick { 400 } else { 2500 });
        Ok(Self { sizes, look, pairs: if quick { 3 } else { 5 }, folder: folder.canonicalize()?, databases, works })
    }

    /// The least data, when these are the most.
    fn least_beside(&self, data: Dataset) -> Option<Dataset> {
        let least = self.sizes.iter().copied().min()?;
        (least < data.total && self.sizes.iter().all(|size| *size <= data.total)).then_some(Dataset { total: least })
    }

    fn empty_folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.folder.join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// Data in a database, and the floors under it.
trait Bench {
    fn name(&self) -> &'static str;
    fn url(&self) -> String;
    /// Where the server works.
    fn folder(&self) -> &Path;
    fn data(&self) -> Dataset;
    fn floor(&self, work: Work, page: &Page, look: Duration) -> Outcome<Floor>;
    /// Seconds that the aggregates of the report take straight in the database.
    fn report(&self) -> Outcome<f64>;
}

struct OnSqlite {
    folder: PathBuf,
    file: PathBuf,
    data: Dataset,
}

impl OnSqlite {
    /// A folder for one server, and a copy of the data in it. The data are made once and kept: the last million takes a minute.
    fn prepare(plan: &Plan, data: Dataset, name: &str) -> Outcome<Self> {
        let kept = plan.folder.join(format!("sqlite-{}", data.total));
        let (file, mark) = (kept.join("lahete.db"), kept.join("made-by"));
        let wanted = data_mark()?;
        if std::fs::read_to_string(&mark).ok().as_deref() != Some(&wanted) {
            let _ = std::fs::remove_dir_all(&kept);
            std::fs::create_dir_all(&kept)?;
            Server::lahete(&kept, &format!("sqlite:{}", file.display()))?.stop()?;
            sqlite::fill(&file, data)?;
            std::fs::write(&mark, wanted)?;
        }
        say(&format!("SQLite: copying the data of {} referrals", data.total));
        let folder = plan.empty_folder(name)?;
        for entry in std::fs::read_dir(&kept)? {
            let entry = entry?;
            std::fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
        let file = folder.join("lahete.db");
        Ok(Self { folder, file, data })
    }
}

impl Bench for OnSqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.file.display())
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> Dataset {
        self.data
    }

    fn floor(&self, work: Work, page: &Page, look: Duration) -> Outcome<Floor> {
        let single = sqlite::floor(&self.file, self.data, work, page, 1, look / 2)?;
        let before = server::used(std::process::id())?;
        let group = sqlite::floor(&self.file, self.data, work, page, 64, look)?;
        let cpu = server::used(std::process::id())?.cpu - before.cpu;
        Ok(Floor { rate: group.rate(), single: Some(single.rate()), cpu_micros: Some(group.micros_each(cpu)) })
    }

    fn report(&self) -> Outcome<f64> {
        sqlite::report(&self.file)
    }
}

struct OnPostgresql<'c> {
    cluster: &'c Cluster,
    database: String,
    folder: PathBuf,
    data: Dataset,
}

impl<'c> OnPostgresql<'c> {
    fn prepare(plan: &Plan, cluster: &'c Cluster, data: Dataset, name: &str) -> Outcome<Self> {
        let folder = plan.empty_folder(name)?;
        let database = format!("bench_{}", name.replace('-', "_"));
        cluster.create(&database)?;
        Server::lahete(&folder, &cluster.url(&database))?.stop()?;
        cluster.fill(&database, data)?;
        Ok(Self { cluster, database, folder, data })
    }
}

impl Bench for OnPostgresql<'_> {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn url(&self) -> String {
        self.cluster.url(&self.database)
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> Dataset {
        self.data
    }

    fn floor(&self, work: Work, page: &Page, look: Duration) -> Outcome<Floor> {
        let before = server::used(std::process::id())?;
        let calls = self.cluster.floor(&self.database, &self.folder, self.data, work, page, look)?;
        let cpu = server::used(std::process::id())?.children - before.children;
        Ok(Floor { rate: calls.rate(), single: None, cpu_micros: Some(calls.micros_each(cpu)) })
    }

    fn report(&self) -> Outcome<f64> {
        self.cluster.report(&self.database)
    }
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, answer] = arguments.as_slice()
        && flag == "--bare"
    {
        return bare::serve(Path::new(answer));
    }
    let plan = Plan::of_environment()?;
    let mut findings = Findings { binary_bytes: std::fs::metadata(env!("CARGO_BIN_EXE_lahete"))?.len(), ..Findings::default() };
    for database in &plan.databases {
        for total in &plan.sizes {
            let data = Dataset { total: *total };
            let least = plan.least_beside(data);
            if *database == "SQLite" {
                let bench = OnSqlite::prepare(&plan, data, "at-work")?;
                let small = least.map(|least| OnSqlite::prepare(&plan, least, "beside")).transpose()?;
                measure(&plan, &bench, small.as_ref(), &mut findings)?;
                for done in std::iter::once(bench).chain(small) {
                    std::fs::remove_dir_all(done.folder)?;
                }
            } else {
                let cluster = Cluster::of_this_run()?;
                let bench = OnPostgresql::prepare(&plan, &cluster, data, "at-work")?;
                let small = least.map(|least| OnPostgresql::prepare(&plan, &cluster, least, "beside")).transpose()?;
                measure(&plan, &bench, small.as_ref(), &mut findings)?;
                for done in std::iter::once(bench).chain(small) {
                    cluster.discard(&done.database)?;
                    std::fs::remove_dir_all(done.folder)?;
                }
            }
            findings.keep(&plan.folder)?;
        }
    }
    say("");
    writeln!(std::io::stdout(), "{}\nAlso in {}: table.txt, findings.json, chart.svg", findings.table(), plan.folder.display())?;
    Ok(())
}

/// What the data depend on beside their number: our generator, and the schema.
fn data_mark() -> Outcome<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let mut names =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Outcome<Vec<_>>>()?;
    names.sort();
    Ok(format!("{DATA_VERSION} {}", names.join(" ")))
}

/// `small` is the least of the data, for what must not take longer with the most of it.
fn measure<B: Bench>(plan: &Plan, bench: &B, small: Option<&B>, findings: &mut Findings) -> Outcome<()> {
    let (folder, data) = (bench.folder(), bench.data());
    let mut ready = Duration::MAX;
    for _ in 1..STARTS {
        let server = Server::lahete(folder, &bench.url())?;
        ready = ready.min(server.ready_after);
        server.stop()?;
    }
    // Each run asks for other referrals and sends other keys.
    let salt = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() % (1 << 60))?;
    let (mut peak_kib, mut bare_server) = (0, Bare::UNSEEN);
    let mut durable = None;
    for (label, work) in plan.works.iter().copied() {
        // A server for each kind of work: what it keeps of one does not weigh on the next.
        let mut server = Server::lahete(folder, &bench.url())?;
        ready = ready.min(server.ready_after);
        let mut target = Target::new(server.addr, data)?;
        let (path, page) = if label == "L200" { target.turn(FAR)? } else { (target.first_page(), Page::First) };
        let bare = bare_rate(plan, folder, &target, work, salt, &mut bare_server)?;
        for (turn, connections) in [1_u64, 16, 64].into_iter().enumerate() {
            say(&format!("{} with {}: {label}, {connections} connections", bench.name(), data.total));
            if label == "W" && connections == 64 {
                // Commits are counted from the start of a server, and only those of many connections shall be.
                server.stop()?;
                server = Server::lahete(folder, &bench.url())?;
                target = Target::new(server.addr, data)?;
            }
            // Fewer connections are looked at once; what is held against a bound is measured in turn with what it is held against.
            let judged = if work == Work::Report { 1 } else { 64 };
            let rounds = if connections == judged && plan.sizes.iter().max() == Some(&data.total) { plan.pairs } else { 1 };
            let look = plan.look / u32::try_from(rounds.min(3))?;
            let mut finding = Finding {
                database: bench.name(),
                size: data.total,
                work: label,
                connections,
                measured: Measured::default(),
                cpu_micros: 0.0,
                floor: None,
                bare: if connections == 64 { bare } else { None },
                ratios: Vec::new(),
                times_of_peer: Vec::new(),
            };
            let mut beside = None;
            let peer = match (label, small) {
                ("L200", _) if connections == judged => Some(target.clone()),
                ("L1", Some(small)) if connections == judged => {
                    let server = beside.insert(Server::lahete(small.folder(), &small.url())?);
                    Some(Target::new(server.addr, small.data())?)
                }
                _ => None,
            };
            let (mut looks, mut cpus, mut floors) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..rounds {
                let salt = salt.wrapping_add(1 + turn as u64 + (round << 8));
                let by_peer =
                    peer.as_ref().map(|peer| driver::drive(peer.addr, connections, look, &peer.requests(work, &peer.first_page(), salt)));
                let before = server.used()?;
                let measured = driver::drive(server.addr, connections, look, &target.requests(work, &path, salt))?;
                let after = server.used()?;
                if measured.answers == 0 {
                    return Err(format!("{label}: no answer but refusals").into());
                }
                cpus.push(measured.micros_each(after.cpu - before.cpu));
                finding.times_of_peer.extend(by_peer.transpose()?.map(|peer| peer.rate() / measured.rate().max(1e-9)));
                looks.push(measured);
                if connections == judged {
                    say(&format!("{} with {}: {label}, floor, {} of {rounds}", bench.name(), data.total, round + 1));
                    let floor = if work == Work::Report {
                        Floor { rate: 1.0 / bench.report()?, single: None, cpu_micros: None }
                    } else {
                        bench.floor(work, &page, look)?
                    };
                    finding.ratios.push(measured.rate() / floor.rate.max(1e-9));
                    floors.push(floor);
                }
            }
            if let Some(server) = beside {
                server.stop()?;
            }
            looks.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
            finding.measured = looks.get(looks.len() / 2).copied().unwrap_or_default();
            finding.cpu_micros = median(&cpus).unwrap_or_default();
            finding.floor = Floor::median(&floors);
            findings.rows.push(finding);
        }
        if label == "M" {
            peak_kib = server.used()?.peak_kib;
        }
        let said = server.stop()?;
        if label == "W" {
            durable = commits(&said);
        }
        let of_this = |row: &Finding| row.database == bench.name() && row.size == data.total && row.work == label;
        let floor = findings.rows.iter().filter(|row| of_this(row)).find_map(|row| row.floor);
        for row in findings.rows.iter_mut().filter(|row| of_this(row)) {
            row.floor = floor;
        }
    }
    let ready_millis = u64::try_from(ready.as_millis())?;
    findings.footprints.push(Footprint { database: bench.name(), size: data.total, ready_millis, peak_kib, bare: bare_server, durable });
    Ok(())
}

/// Answers in a second by the bare server, with an answer of ours; notes what it showed besides.
fn bare_rate(plan: &Plan, folder: &Path, target: &Target, work: Work, salt: u64, seen: &mut Bare) -> Outcome<Option<f64>> {
    let answer = folder.join("answer.json");
    std::fs::write(&answer, target.sample(work, salt)?)?;
    let server = Server::bare(folder, &answer)?;
    let requests = target.requests(work, &target.first_page(), salt);
    let measured = driver::drive(server.addr, 64, plan.look / 2, &requests)?;
    seen.ready_micros = seen.ready_micros.min(u64::try_from(server.ready_after.as_micros())?);
    seen.peak_kib = seen.peak_kib.max(server.used()?.peak_kib);
    server.stop()?;
    Ok(Some(measured.rate()))
}

/// Calls made durable, and commits, as the server says when it stops.
fn commits(said: &[String]) -> Option<(u64, u64)> {
    let line = said.iter().find(|line| line.contains("made durable"))?;
    let mut numbers = line.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok());
    let all: Vec<u64> = numbers.by_ref().collect();
    match all.as_slice() {
        [.., calls, commits] => Some((*calls, *commits)),
        _ => None,
    }
}
