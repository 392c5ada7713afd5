//! The aggregates of the outcomes report, straight: what the program asks, without the program.

use super::dataset::{PROGRAMME, REPORT_YEAR};

/// The pass over the referrals. SQLite gives the rows, which are counted where they arrive; PostgreSQL counts.
pub fn cases(postgresql: bool) -> String {
    let scope = scope("");
    if postgresql {
        format!(
            "SELECT GROUPING(state, sector, sex, municipality, reasons), state, outcome, route, sector, sex, municipality, reasons, COUNT(*), SUM(age), MIN(age), MAX(age) FROM referral_snapshots WHERE {scope} GROUP BY GROUPING SETS ((state, outcome, route), (sector), (sex), (municipality), (reasons))"
        )
    } else {
        format!("SELECT state, outcome, route, sector, sex, municipality, reasons, age FROM referral_snapshots WHERE {scope}")
    }
}

/// Everything else: visits, agreements, pairs of measures, ended periods.
pub fn support(postgresql: bool) -> Vec<String> {
    let of = scope("s.");
    let modes = ["home_visit", "other_place", "activity_together", "phone", "remote_video", "message"];
    let mut outer: Vec<String> = (0..modes.len()).map(|place| format!("SUM(m{place}), COUNT(*) FILTER (WHERE m{place} > 0)")).collect();
    let mut inner: Vec<String> =
        modes.iter().enumerate().map(|(place, mode)| format!("COUNT(*) FILTER (WHERE v.mode = '{mode}') AS m{place}")).collect();
    outer.push("COUNT(met), SUM(met), COUNT(phoned), SUM(phoned), SUM(metres), SUM(fees)".to_owned());
    inner.push(
        "SUM(v.minutes) FILTER (WHERE v.mode IN ('home_visit', 'other_place', 'activity_together')) AS met, SUM(v.minutes) FILTER (WHERE v.mode NOT IN ('home_visit', 'other_place', 'activity_together')) AS phoned, SUM(v.travel_metres) AS metres, SUM(v.minutes * v.worker_cents_per_hour) AS fees"
            .to_owned(),
    );
    let (outer, inner) = (outer.join(", "), inner.join(", "));
    let held = "v.referral_id = s.referral_id AND v.state = 'held' AND v.visit_on <= '9999-12-31'";
    let visits = if postgresql {
        format!(
            "SELECT {outer} FROM referral_snapshots s CROSS JOIN LATERAL (SELECT {inner} FROM visits v WHERE {held}) each WHERE s.assigned AND {of}"
        )
    } else {
        format!(
            "SELECT {outer} FROM (SELECT {inner} FROM referral_snapshots s CROSS JOIN visits v WHERE {held} AND s.assigned AND {of} GROUP BY s.submitted_on, s.referral_id)"
        )
    };
    vec![
        visits,
        format!(
            "SELECT a.link_worker_id, COUNT(DISTINCT a.referral_id) FROM referral_snapshots s JOIN assignments a ON a.referral_id = s.referral_id WHERE s.assigned AND {of} AND a.state IN ('accepted', 'ended') AND a.answered_at IS NOT NULL GROUP BY a.link_worker_id"
        ),
        format!(
            "SELECT b.instrument, b.instrument_version, COUNT(*), SUM(b.hundredths), SUM(e.hundredths) FROM referral_snapshots s JOIN support_periods p ON p.referral_id = s.referral_id JOIN measures b ON b.support_period_id = p.id AND b.timepoint = 'start' JOIN measures e ON e.support_period_id = p.id AND e.instrument = b.instrument AND e.instrument_version = b.instrument_version AND e.timepoint = 'end' WHERE s.assigned AND s.evaluation AND (s.evaluation_until IS NULL OR s.evaluation_until >= '{REPORT_YEAR}-12-31') AND {of} AND p.state = 'ended' AND b.hundredths IS NOT NULL AND e.hundredths IS NOT NULL GROUP BY b.instrument, b.instrument_version"
        ),
        format!(
            "SELECT COUNT(*) FROM referral_snapshots s JOIN support_periods p ON p.referral_id = s.referral_id WHERE s.assigned AND {of} AND p.state = 'ended'"
        ),
    ]
}

fn scope(of: &str) -> String {
    format!(
        "{of}programme_id = '{PROGRAMME}' AND {of}submitted_on >= '{REPORT_YEAR}-01-01' AND {of}submitted_on <= '{REPORT_YEAR}-12-31' AND {of}state <> 'entered_in_error'"
    )
}
