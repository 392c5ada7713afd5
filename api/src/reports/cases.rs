//! What reports are made of, and what of it may be shown to whom.

use std::collections::BTreeMap;

use lahete_domain::access::{self, Action, Decision, Subject};
use lahete_domain::codes::{Code, Instrument, Outcome, ReferralReason, ReferralStateCode, Route, Sector, Sex, VisitMode};
use lahete_domain::ids::{Id as _, ProgrammeId};
use lahete_domain::money::{hours, mean};
use lahete_domain::statistics::{Cell, Detail, behind, breakdown, cell};
use lahete_domain::visit::counts_against_limit;
use lahete_persistence::Db;
use lahete_persistence::repo::reports::{CaseCount, MeasurePairs, OutcomeFigures, ReportScope};

use super::wire::{AgeView, CellView, LinkWorkersView, MeasureChangeView, OutcomesQuery, OutcomesReport, VisitsView};
use crate::error::AppError;
use crate::http::wire::Decimal;
use crate::operation::OpContext;

/// The row of those who did not state their sex, and of referrals that went neither way.
const NOT_STATED: &str = "not_stated";
const NO_ROUTE: &str = "none";

/// How the referrals of a period turned out: whole for a coordinator of the programme, suppressed for a report reader.
///
/// # Errors
/// 400 when the period ends before it begins, 404 when the caller may not read reports of the programme.
pub(super) fn outcomes(db: &mut Db<'_>, ctx: &OpContext, query: &OutcomesQuery) -> Result<OutcomesReport, AppError> {
    let programme = ProgrammeId::from_uuid(query.programme_id);
    let subject = Subject::of_programme(programme);
    let detail = match access::decide(&ctx.actor, Action::ReportViewWhole, &subject) {
        Decision::Allowed(_) => Detail::Whole,
        Decision::Hidden | Decision::Forbidden => {
            ctx.require(db, Action::ReportView, &subject, None, None)?;
            Detail::Suppressed
        }
    };
    if query.until < query.from {
        return Err(AppError::malformed("invalid_parameter", "The parameter until must not lie before from."));
    }
    let visits_until = query.visits_until.unwrap_or(query.until);
    let scope = ReportScope { programme, from: query.from, until: query.until, visits_until };
    Ok(report(&db.outcome_figures(scope)?, scope, detail))
}

fn is_open(state: ReferralStateCode) -> bool {
    !matches!(state, ReferralStateCode::Draft | ReferralStateCode::Closed | ReferralStateCode::EnteredInError)
}

/// The way a referral went: as its closure says, and before that by where it stands.
fn route(case: &CaseCount) -> Option<Route> {
    match case.state {
        ReferralStateCode::InSupport => Some(Route::LinkWorker),
        ReferralStateCode::DirectlyGuided => Some(Route::Direct),
        _ => case.route,
    }
}

fn sum(cases: &[CaseCount], wanted: impl Fn(&CaseCount) -> bool) -> i64 {
    cases.iter().filter(|case| wanted(case)).map(|case| case.count).sum()
}

/// The rows of a breakdown, hidden so that nothing follows from the total.
fn rows(counts: &[(&str, i64)], detail: Detail) -> Vec<CellView> {
    let values: Vec<i64> = counts.iter().map(|(_, count)| *count).collect();
    counts.iter().zip(breakdown(&values, detail)).map(|((code, _), cell)| CellView::new(code, cell)).collect()
}

fn by_code<C: Code>(codes: &[C], count: impl Fn(C) -> i64) -> Vec<(&'static str, i64)> {
    codes.iter().map(|code| (code.as_str(), count(*code))).collect()
}

/// Open referrals and outcomes are one table of two levels: the open ones and each outcome make up all that were submitted, and the
/// states make up the open ones. Where the upper number is hidden, so are the lower ones.
fn standing(cases: &[CaseCount], detail: Detail) -> (Cell, Vec<CellView>, Vec<CellView>) {
    let outcomes = by_code(Outcome::ALL, |outcome| sum(cases, |case| case.outcome == Some(outcome)));
    let open = sum(cases, |case| is_open(case.state));
    let values: Vec<i64> = std::iter::once(open).chain(outcomes.iter().map(|(_, count)| *count)).collect();
    let mut cells = breakdown(&values, detail).into_iter();
    let open_cell = cells.next().unwrap_or(Cell::Hidden);
    let outcomes = outcomes.iter().zip(cells).map(|((code, _), cell)| CellView::new(code, cell)).collect();
    let states: Vec<ReferralStateCode> = ReferralStateCode::ALL.iter().copied().filter(|state| is_open(*state)).collect();
    let counts = by_code(&states, |state| sum(cases, |case| case.state == state));
    let states = match open_cell {
        Cell::Shown(_) => rows(&counts, detail),
        Cell::Hidden => counts.iter().map(|(code, _)| CellView::new(code, Cell::Hidden)).collect(),
    };
    (open_cell, states, outcomes)
}

fn age(cases: &[CaseCount], submitted: i64, detail: Detail) -> AgeView {
    // The youngest and the oldest are single people, however many others there are.
    let single = |value: Option<i64>| value.filter(|_| detail == Detail::Whole);
    let sum = cases.iter().map(|case| case.ages).sum();
    AgeView {
        min: single(cases.iter().map(|case| case.youngest).min()),
        max: single(cases.iter().map(|case| case.oldest).max()),
        mean: behind(mean(sum, submitted, 1), submitted, detail),
    }
}

fn visits(figures: &OutcomeFigures, detail: Detail) -> VisitsView {
    let of_mode = |mode: VisitMode| figures.visits.iter().find(|count| count.mode == mode);
    let people: Vec<i64> = VisitMode::ALL.iter().map(|mode| of_mode(*mode).map_or(0, |count| count.referrals)).collect();
    // A number of visits is as telling as the number of people behind it.
    let by_mode: Vec<(VisitMode, Cell)> = VisitMode::ALL
        .iter()
        .zip(breakdown(&people, detail))
        .map(|(mode, cell)| {
            (*mode, if cell == Cell::Hidden { Cell::Hidden } else { Cell::Shown(of_mode(*mode).map_or(0, |count| count.visits)) })
        })
        .collect();
    let minutes = |counted: bool| -> i64 {
        figures.visits.iter().filter(|count| counts_against_limit(count.mode) == counted).map(|count| count.minutes).sum()
    };
    let met = cell(figures.referrals_met, detail) != Cell::Hidden;
    let phoned = cell(figures.referrals_phoned, detail) != Cell::Hidden;
    let home_visits = by_mode.iter().find(|(mode, _)| *mode == VisitMode::HomeVisit).map_or(Cell::Hidden, |(_, cell)| *cell);
    let all: i64 = figures.visits.iter().map(|count| count.visits).sum();
    // Sums over both kinds would give away the one that is hidden.
    let both = met && phoned;
    VisitsView {
        total: if both { Cell::Shown(all) } else { Cell::Hidden }.into(),
        home_visits: home_visits.into(),
        by_mode: by_mode.iter().map(|(mode, cell)| CellView::new(mode.as_str(), *cell)).collect(),
        hours: met.then(|| hours(minutes(true))),
        phone_minutes: phoned.then(|| minutes(false)),
        travel_metres: both.then(|| figures.visits.iter().map(|count| count.travel_metres).sum()),
        fee_eur: both.then(|| Decimal::from_hundredths(figures.fees.cents().0)),
    }
}

fn link_workers(agreements: &[i64], detail: Detail) -> LinkWorkersView {
    let single = |value: Option<&i64>| value.copied().filter(|_| detail == Detail::Whole);
    LinkWorkersView {
        involved: cell(i64::try_from(agreements.len()).unwrap_or(i64::MAX), detail).into(),
        agreements_min: single(agreements.iter().min()),
        agreements_max: single(agreements.iter().max()),
    }
}

fn change(instrument: Instrument, figures: &OutcomeFigures, detail: Detail) -> MeasureChangeView {
    let nothing = MeasurePairs { instrument, pairs: 0, start: 0, end: 0 };
    let found = figures.pairs.iter().find(|pairs| pairs.instrument == instrument).copied().unwrap_or(nothing);
    let (pairs, ended) = (found.pairs, figures.ended_periods);
    let pairs_cell = breakdown(&[pairs, ended - pairs], detail).into_iter().next().unwrap_or(Cell::Hidden);
    let ended_cell = cell(ended, detail);
    // Scores are hundredths, so the mean of the score itself is over a hundred times as many.
    let of = |sum: i64| behind(mean(sum, pairs.saturating_mul(100), 2), pairs, detail);
    MeasureChangeView {
        instrument: instrument.into(),
        pairs: pairs_cell.into(),
        ended_periods: ended_cell.into(),
        pair_rate: pairs_cell.value().zip(ended_cell.value()).map(|(pairs, ended)| format!("{pairs}/{ended}")),
        mean_start: of(found.start),
        mean_end: of(found.end),
        mean_change: of(found.end - found.start),
    }
}

fn report(figures: &OutcomeFigures, scope: ReportScope, detail: Detail) -> OutcomesReport {
    let cases = &figures.cases;
    let submitted = sum(cases, |_| true);
    let (open, open_by_state, outcomes) = standing(cases, detail);
    let mut routes = by_code(Route::ALL, |wanted| sum(cases, |case| route(case) == Some(wanted)));
    routes.push((NO_ROUTE, sum(cases, |case| route(case).is_none())));
    let mut sex = by_code(Sex::ALL, |wanted| sum(cases, |case| case.sex == Some(wanted)));
    sex.push((NOT_STATED, sum(cases, |case| case.sex.is_none())));
    let mut places: BTreeMap<&str, i64> = BTreeMap::new();
    for case in cases {
        *places.entry(case.municipality.as_str()).or_default() += case.count;
    }
    let places: Vec<(&str, i64)> = places.into_iter().collect();
    let reason = |wanted: ReferralReason| figures.reasons.iter().find(|(reason, _)| *reason == wanted).map_or(0, |(_, count)| *count);
    OutcomesReport {
        programme_id: scope.programme.as_uuid(),
        from: scope.from,
        until: scope.until,
        visits_until: scope.visits_until,
        suppressed: detail == Detail::Suppressed,
        submitted: cell(submitted, detail).into(),
        open: open.into(),
        open_by_state,
        outcomes,
        routes: rows(&routes, detail),
        sex: rows(&sex, detail),
        age: age(cases, submitted, detail),
        sectors: rows(&by_code(Sector::ALL, |wanted| sum(cases, |case| case.sector == wanted)), detail),
        reasons: rows(&by_code(ReferralReason::ALL, reason), detail),
        municipalities: rows(&places, detail),
        visits: visits(figures, detail),
        link_workers: link_workers(&figures.agreements, detail),
        measures: Instrument::ALL.iter().map(|instrument| change(*instrument, figures, detail)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use lahete_domain::money::MinuteCents;
    use lahete_domain::programme::MunicipalityCode;
    use lahete_persistence::repo::reports::VisitCount;
    use proptest::prelude::*;

    fn case(state: ReferralStateCode, outcome: Option<Outcome>, sex: Option<Sex>, count: i64) -> CaseCount {
        CaseCount {
            state,
            outcome,
            route: None,
            sector: Sector::Elderly,
            sex,
            municipality: MunicipalityCode::parse("758").expect("a code"),
            count,
            ages: 79 * count,
            youngest: 70,
            oldest: 94,
        }
    }

    fn closed(outcome: Outcome, sex: Option<Sex>, count: i64) -> CaseCount {
        case(ReferralStateCode::Closed, Some(outcome), sex, count)
    }

    fn pilot() -> OutcomeFigures {
        OutcomeFigures {
            cases: vec![
                closed(Outcome::CompletedAsPlanned, Some(Sex::Female), 7),
                closed(Outcome::Discontinued, Some(Sex::Male), 7),
                closed(Outcome::NotStarted, Some(Sex::Female), 4),
                closed(Outcome::Redirected, Some(Sex::Male), 2),
                case(ReferralStateCode::InSupport, None, Some(Sex::Female), 9),
                case(ReferralStateCode::Deferred, None, Some(Sex::Male), 2),
            ],
            reasons: vec![(ReferralReason::Loneliness, 31)],
            visits: vec![VisitCount { mode: VisitMode::HomeVisit, visits: 280, referrals: 23, minutes: 538 * 60, travel_metres: 0 }],
            referrals_met: 23,
            referrals_phoned: 0,
            fees: MinuteCents::of(538 * 60, 1300),
            agreements: vec![1, 6, 3],
            pairs: vec![MeasurePairs { instrument: Instrument::Swemwbs, pairs: 7, start: 13_944, end: 15_526 }],
            ended_periods: 14,
        }
    }

    fn show(figures: &OutcomeFigures, detail: Detail) -> OutcomesReport {
        let day = |text: &str| -> NaiveDate { text.parse().expect("a date") };
        let programme = ProgrammeId::from_uuid(uuid::Uuid::nil());
        let scope = ReportScope { programme, from: day("2022-01-01"), until: day("2022-12-31"), visits_until: day("2022-12-31") };
        report(figures, scope, detail)
    }

    fn count(rows: &[CellView], code: &str) -> Option<i64> {
        rows.iter().find(|row| row.code == code).expect("a row").count
    }

    #[test]
    fn a_coordinator_reads_the_pilots_numbers() {
        let report = show(&pilot(), Detail::Whole);
        assert_eq!((report.submitted.count, report.open.count), (Some(31), Some(11)));
        assert_eq!(count(&report.open_by_state, "in_support"), Some(9));
        assert_eq!(count(&report.outcomes, "redirected"), Some(2));
        assert_eq!((count(&report.sex, "female"), count(&report.sex, "male")), (Some(20), Some(11)));
        assert_eq!(report.age, AgeView { min: Some(70), max: Some(94), mean: Some("79.0".into()) });
        assert_eq!(report.visits.home_visits.count, Some(280));
        assert_eq!(report.visits.hours.as_deref(), Some("538.0"));
        assert_eq!(report.visits.fee_eur.map(|fee| fee.to_string()).as_deref(), Some("6994.00"));
        assert_eq!((report.link_workers.agreements_min, report.link_workers.agreements_max), (Some(1), Some(6)));
        let swemwbs = &report.measures[0];
        assert_eq!(swemwbs.pair_rate.as_deref(), Some("7/14"));
        assert_eq!(swemwbs.mean_start.as_deref(), Some("19.92"));
        assert_eq!(swemwbs.mean_change.as_deref(), Some("2.26"));
        assert!(!report.suppressed);
    }

    #[test]
    fn a_report_reader_finds_no_small_number() {
        let report = show(&pilot(), Detail::Suppressed);
        assert_eq!(report.submitted.count, Some(31));
        assert_eq!(count(&report.outcomes, "not_started"), None);
        assert_eq!(count(&report.outcomes, "redirected"), None);
        assert_eq!(count(&report.open_by_state, "deferred"), None);
        assert_eq!(count(&report.open_by_state, "in_support"), None, "it would follow from the open ones");
        assert_eq!((report.age.min, report.age.max), (None, None));
        assert_eq!(report.age.mean.as_deref(), Some("79.0"));
        assert_eq!((report.link_workers.agreements_min, report.link_workers.involved.suppressed), (None, true));
    }

    #[test]
    fn few_visited_people_hide_all_sums_over_them() {
        let mut figures = pilot();
        figures.visits.push(VisitCount { mode: VisitMode::Phone, visits: 3, referrals: 2, minutes: 30, travel_metres: 0 });
        figures.referrals_phoned = 2;
        let visits = show(&figures, Detail::Suppressed).visits;
        assert_eq!((visits.phone_minutes, visits.fee_eur, visits.total.count), (None, None, None));
        assert_eq!(visits.hours.as_deref(), Some("538.0"));
        assert_eq!(show(&OutcomeFigures::default(), Detail::Suppressed).visits.total.count, Some(0));
    }

    proptest! {
        #[test]
        fn open_and_outcomes_are_all_that_were_submitted(counts in proptest::collection::vec((0_usize..15, 1_i64..20), 0..12)) {
            let states: Vec<_> = ReferralStateCode::ALL.iter().copied().filter(|state| is_open(*state)).collect();
            let cases: Vec<_> = counts
                .iter()
                .map(|(kind, count)| match states.get(*kind) {
                    Some(state) => case(*state, None, None, *count),
                    None => closed(Outcome::ALL[(kind - states.len()) % Outcome::ALL.len()], None, *count),
                })
                .collect();
            let figures = OutcomeFigures { cases, ..OutcomeFigures::default() };
            let whole = show(&figures, Detail::Whole);
            let sum = |rows: &[CellView]| rows.iter().filter_map(|row| row.count).sum::<i64>();
            prop_assert_eq!(whole.open.count.unwrap_or_default() + sum(&whole.outcomes), whole.submitted.count.unwrap_or_default());
            prop_assert_eq!(sum(&whole.open_by_state), whole.open.count.unwrap_or_default());
            let suppressed = show(&figures, Detail::Suppressed);
            for row in suppressed.outcomes.iter().chain(&suppressed.open_by_state).chain(&suppressed.sex).chain(&suppressed.sectors) {
                prop_assert!(row.count.is_none_or(|count| count == 0 || count >= 5));
                prop_assert_eq!(row.count.is_none(), row.suppressed);
            }
        }
    }
}
