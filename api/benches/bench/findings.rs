//! What was found: as a table, as JSON, and as a chart.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::Outcome;
use super::driver::Measured;

/// One kind of work with so many connections on a database of some size.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `SQLite` or `PostgreSQL`.
    pub database: &'static str,
    /// Referrals in it.
    pub size: u64,
    /// `W`, `R`, `L1`, `L200`, `M` or `S`.
    pub work: &'static str,
    /// Connections.
    pub connections: u64,
    /// What was measured.
    pub measured: Measured,
    /// Processor time of the server for one answer, in microseconds. PostgreSQL's own processes are not in it.
    pub cpu_micros: f64,
    /// The same without the program: the middle of what was measured.
    pub floor: Option<Floor>,
    /// Answers in a second of the bare server with the same bytes.
    pub bare: Option<f64>,
    /// The rate as a part of the floor's, each time with the floor measured right after the server.
    pub ratios: Vec<f64>,
    /// Lists alone: the time in times of what must not be much quicker, each time measured right before. For the far page that is the first one, and for
    /// the first one that with the least data.
    pub times_of_peer: Vec<f64>,
}

/// A floor under the figures of one kind of work.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Calls in a second in the best case.
    pub rate: f64,
    /// With a commit for each call, where that is another figure.
    pub single: Option<f64>,
    /// Processor time for one call, in microseconds, where it is known: on PostgreSQL that of `pgbench` alone.
    pub cpu_micros: Option<f64>,
}

impl Floor {
    /// The middle of some, each figure for itself.
    pub fn median(floors: &[Self]) -> Option<Self> {
        let of = |figure: fn(&Self) -> Option<f64>| median(&floors.iter().filter_map(figure).collect::<Vec<_>>());
        Some(Self { rate: of(|floor| Some(floor.rate))?, single: of(|floor| floor.single), cpu_micros: of(|floor| floor.cpu_micros) })
    }
}

impl Finding {
    /// The rate as a part of the floor's: the middle one of the pairs, where there are some.
    pub fn ratio(&self) -> Option<f64> {
        median(&self.ratios).or_else(|| self.floor.map(|floor| self.measured.rate() / floor.rate.max(1e-9)))
    }

    /// Half of the answers came within so many times what the floor needs: as many calls as there are connections at its rate, and one call with a
    /// commit of its own where there is one connection.
    pub fn times_of_floor(&self) -> Option<f64> {
        // The report's floor is one call after the other; `pgbench` says nothing of a caller who is alone.
        let floor = self.floor?;
        let rate = if self.connections == 1 && self.work != "S" { floor.single? } else { floor.rate };
        Some(self.measured.p50.as_secs_f64() * rate / self.connections as f64)
    }

    /// Processor time in times of the floor's.
    pub fn times_of_floor_cpu(&self) -> Option<f64> {
        self.floor?.cpu_micros.filter(|floor| *floor > 0.0).map(|floor| self.cpu_micros / floor)
    }
}

/// The middle one: a machine that others use, too, makes outliers.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// What one server process showed beside its answers.
#[derive(Clone, Debug)]
pub struct Footprint {
    /// `SQLite` or `PostgreSQL`.
    pub database: &'static str,
    /// Referrals in it.
    pub size: u64,
    /// From start to readiness, in milliseconds: the least of some starts.
    pub ready_millis: u64,
    /// The most memory under mixed work of 64 connections, in KiB.
    pub peak_kib: u64,
    /// The bare server under the same load.
    pub bare: Bare,
    /// Calls made durable, and the commits that did it.
    pub durable: Option<(u64, u64)>,
}

/// What a server without storage and without work showed: the floor under start and memory.
#[derive(Clone, Copy, Debug)]
pub struct Bare {
    /// From start to readiness, in microseconds: the least of some starts.
    pub ready_micros: u64,
    /// The most memory, in KiB.
    pub peak_kib: u64,
}

impl Bare {
    /// None seen yet.
    pub const UNSEEN: Self = Self { ready_micros: u64::MAX, peak_kib: 0 };
}

impl Footprint {
    /// Time to readiness in times of the bare server's.
    pub fn times_of_bare_ready(&self) -> f64 {
        self.ready_millis as f64 * 1000.0 / self.bare.ready_micros as f64
    }

    /// Memory in times of the bare server's.
    pub fn times_of_bare_peak(&self) -> f64 {
        self.peak_kib as f64 / (self.bare.peak_kib as f64).max(1.0)
    }
}

/// A bound that was set, and what came of it.
pub struct Goal {
    what: String,
    bound: String,
    found: String,
    reached: bool,
}

/// Everything of one run.
#[derive(Default)]
pub struct Findings {
    pub rows: Vec<Finding>,
    pub footprints: Vec<Footprint>,
    pub binary_bytes: u64,
}

impl Findings {
    fn find(&self, database: &str, size: u64, work: &str, connections: u64) -> Option<&Finding> {
        self.rows.iter().find(|row| row.database == database && row.size == size && row.work == work && row.connections == connections)
    }

    fn sizes(&self) -> (u64, u64) {
        let sizes = || self.rows.iter().map(|row| row.size);
        (sizes().min().unwrap_or_default(), sizes().max().unwrap_or_default())
    }

    fn databases(&self) -> Vec<&'static str> {
        ["SQLite", "PostgreSQL"].into_iter().filter(|name| self.rows.iter().any(|row| row.database == *name)).collect()
    }

    /// The bounds of the project, against what was found at the largest size.
    pub fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        let mut add = |what: String, bound: f64, found: Option<f64>, at_least: bool| {
            let Some(found) = found else { return };
            goals.push(Goal {
                what,
                bound: format!("{} {bound:.2}", if at_least { "≥" } else { "≤" }),
                found: format!("{found:.2}"),
                reached: if at_least { found >= bound } else { found <= bound },
            });
        };
        let (small, large) = self.sizes();
        for database in self.databases() {
            for work in ["W", "R", "L1", "M"] {
                let found = self.find(database, large, work, 64).and_then(Finding::ratio);
                add(format!("{database}: {work} at 64 connections, part of its floor"), 0.5, found, true);
            }
            let far = self.find(database, large, "L200", 64).and_then(|row| median(&row.times_of_peer));
            add(format!("{database}: L, time of page 200 in times of page 1"), 1.2, far, false);
            let grown = self.find(database, large, "L1", 64).and_then(|row| median(&row.times_of_peer));
            add(format!("{database}: L, time with {large} in times of that with {small}"), 1.2, grown, false);
            let report = self.find(database, large, "S", 1);
            let report = report.and_then(|row| row.ratio()).map(|ratio| 1.0 / ratio.max(1e-9));
            add(format!("{database}: S, in times of the same aggregates straight"), 1.5, report, false);
            let print = |size| self.footprints.iter().find(|print| print.database == database && print.size == size);
            if let (Some(first), Some(last)) = (print(small), print(large)) {
                let ratio = last.ready_millis as f64 / (first.ready_millis as f64).max(1.0);
                add(format!("{database}: time to ready with {large} in times of that with {small}"), 1.5, Some(ratio), false);
                add(format!("{database}: peak memory under M at 64 connections, MiB"), 96.0, Some(last.peak_kib as f64 / 1024.0), false);
            }
        }
        for work in ["W", "R", "L1", "M"] {
            let spread =
                self.find("SQLite", large, work, 16).map(|row| row.measured.p99.as_secs_f64() / row.measured.p50.as_secs_f64().max(1e-9));
            add(format!("SQLite: {work} at 16 connections, p99 in times of p50"), 8.0, spread, false);
        }
        let durable =
            self.footprints.iter().find(|print| print.database == "SQLite" && print.size == large).and_then(|print| print.durable);
        add(
            "SQLite: acknowledged calls for one sync, at 64 connections".into(),
            10.0,
            durable.map(|(calls, syncs)| calls as f64 / (syncs as f64).max(1.0)),
            true,
        );
        add("size of the program, MiB".into(), 40.0, Some(self.binary_bytes as f64 / 1_048_576.0), false);
        goals
    }

    /// The tables, for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let optional = |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
        let _ = writeln!(
            text,
            "{:<11}{:>9} {:<5}{:>5} {:>9} {:>10} {:>10} {:>8} {:>9} {:>7} {:>6} {:>6} {:>10} {:>9}",
            "database",
            "referrals",
            "work",
            "conn",
            "calls/s",
            "p50 µs",
            "p99 µs",
            "CPU µs",
            "floor/s",
            "ratio",
            "p50 ×",
            "CPU ×",
            "a commit",
            "bare/s"
        );
        for row in &self.rows {
            let refused = if row.measured.refused > 0 { format!("  {} refused", row.measured.refused) } else { String::new() };
            let _ = writeln!(
                text,
                "{:<11}{:>9} {:<5}{:>5} {:>9.0} {:>10} {:>10} {:>8.0} {:>9} {:>7} {:>6} {:>6} {:>10} {:>9}{refused}",
                row.database,
                row.size,
                row.work,
                row.connections,
                row.measured.rate(),
                row.measured.p50.as_micros(),
                row.measured.p99.as_micros(),
                row.cpu_micros,
                optional(row.floor.map(|floor| floor.rate), 0),
                optional(row.ratio(), 2),
                optional(row.times_of_floor(), 1),
                optional(row.times_of_floor_cpu(), 1),
                optional(row.floor.and_then(|floor| floor.single), 0),
                optional(row.bare, 0),
            );
        }
        let _ = writeln!(
            text,
            "\n{:<11}{:>9} {:>9} {:>10} {:>14} {:>14} {:>14}",
            "database", "referrals", "ready ms", "peak MiB", "calls per sync", "ready × bare", "peak × bare"
        );
        for print in &self.footprints {
            let syncs = print.durable.map(|(calls, syncs)| calls as f64 / (syncs as f64).max(1.0));
            let _ = writeln!(
                text,
                "{:<11}{:>9} {:>9} {:>10} {:>14} {:>14.1} {:>14.1}",
                print.database,
                print.size,
                print.ready_millis,
                print.peak_kib / 1024,
                optional(syncs, 1),
                print.times_of_bare_ready(),
                print.times_of_bare_peak(),
            );
        }
        let _ = writeln!(text, "\n{:<72}{:>9} {:>9}", "to reach (at the largest size)", "bound", "found");
        for goal in self.goals() {
            let _ = writeln!(
                text,
                "{:<72}{:>9} {:>9} {}",
                goal.what,
                goal.bound,
                goal.found,
                if goal.reached { "reached" } else { "NOT REACHED" }
            );
        }
        text
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "database": row.database, "referrals": row.size, "work": row.work, "connections": row.connections,
                    "calls_per_second": row.measured.rate(), "refused": row.measured.refused, "p50_micros": row.measured.p50.as_micros() as u64,
                    "p99_micros": row.measured.p99.as_micros() as u64, "cpu_micros_per_call": row.cpu_micros, "floor_per_second": row.floor.map(|floor| floor.rate),
                    "floor_with_a_commit_each_per_second": row.floor.and_then(|floor| floor.single), "bare_server_per_second": row.bare, "ratio": row.ratio(),
                    "p50_in_times_of_floor": row.times_of_floor(), "floor_cpu_micros_per_call": row.floor.and_then(|floor| floor.cpu_micros),
                    "cpu_in_times_of_floor": row.times_of_floor_cpu(),
                })
            })
            .collect();
        let footprints: Vec<Value> = self
            .footprints
            .iter()
            .map(|print| {
                json!({
                    "database": print.database, "referrals": print.size, "ready_millis": print.ready_millis, "peak_kib": print.peak_kib,
                    "ready_in_times_of_bare_server": print.times_of_bare_ready(), "peak_in_times_of_bare_server": print.times_of_bare_peak(),
                    "durable_calls": print.durable.map(|(calls, _)| calls), "commits": print.durable.map(|(_, syncs)| syncs),
                })
            })
            .collect();
        let goals: Vec<Value> = self
            .goals()
            .into_iter()
            .map(|goal| json!({"what": goal.what, "bound": goal.bound, "found": goal.found, "reached": goal.reached}))
            .collect();
        json!({"binary_bytes": self.binary_bytes, "measurements": rows, "footprints": footprints, "goals": goals})
    }

    /// The ratios at 64 connections as bars; the line is the bound.
    pub fn chart(&self) -> String {
        let bars: Vec<&Finding> = self.rows.iter().filter(|row| row.connections == 64 && row.ratio().is_some()).collect();
        let (left, width, step) = (230, 520, 18);
        let most = bars.iter().filter_map(|row| row.ratio()).fold(1.0_f64, f64::max);
        let scale = f64::from(width) / most;
        let height = 60 + step * i32::try_from(bars.len()).unwrap_or_default();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"10\" y=\"20\" font-size=\"14\">Calls per second as a part of the floor, 64 connections</text>\n",
            left + width + 80
        );
        for (place, row) in bars.iter().enumerate() {
            let y = 40 + step * i32::try_from(place).unwrap_or_default();
            let ratio = row.ratio().unwrap_or_default();
            let colour = if ratio >= 0.5 { "#2f7d4f" } else { "#b5482f" };
            let _ = writeln!(
                svg,
                "<text x=\"10\" y=\"{}\">{} {} {}</text><rect x=\"{left}\" y=\"{y}\" width=\"{:.0}\" height=\"13\" fill=\"{colour}\"/><text x=\"{:.0}\" y=\"{}\">{ratio:.2}</text>",
                y + 11,
                row.database,
                row.size,
                row.work,
                ratio * scale,
                f64::from(left) + ratio * scale + 6.0,
                y + 11
            );
        }
        let bound = f64::from(left) + 0.5 * scale;
        let _ = writeln!(
            svg,
            "<line x1=\"{bound:.0}\" x2=\"{bound:.0}\" y1=\"32\" y2=\"{}\" stroke=\"black\" stroke-dasharray=\"4\"/>\n</svg>",
            height - 10
        );
        svg
    }

    /// Writes table, JSON and chart into a folder.
    pub fn keep(&self, folder: &Path) -> Outcome<()> {
        std::fs::write(folder.join("table.txt"), self.table())?;
        std::fs::write(folder.join("findings.json"), serde_json::to_string_pretty(&self.json())?)?;
        Ok(std::fs::write(folder.join("chart.svg"), self.chart())?)
    }
}
