//! What reports are made of, and what of it may be shown to whom.

use std::collections::BTreeMap;

use lahete_domain::access::{self, Action, Decision, Subject};
use lahete_domain::codes::{Code, Instrument, Outcome, ReferralReason, ReferralStateCode, Route, Sector, Sex, VisitMode};
use lahete_domain::ids::{Id as _, ProgrammeId};
use lahete_domain::measure::definition::InstrumentKey;
use lahete_domain::money::{hours, mean};
use lahete_domain::statistics::{Cell, Detail, behind, breakdown, cell};
use lahete_persistence::Db;
use lahete_persistence::repo::reports::{Ages, CaseCounts, MeasurePairs, OutcomeFigures, ReportScope, Standing};

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
        Decision::Hidden | Decision::Forbidden | Decision::Closed(_) => {
            ctx.require(db, Action::ReportView, &subject, None, None)?;
            Detail::Suppressed
        }
    };
    if query.until < query.from {
        return Err(AppError::malformed("invalid_parameter", "The parameter until must not lie before from."));
    }
    let visits_until = query.visits_until.unwrap_or(query.until);
    let scope = ReportScope { programme, from: query.from, until: query.until, visits_until, today: ctx.now.helsinki_date() };
    Ok(report(&db.outcome_figures(scope)?, scope, detail))
}

fn is_open(state: ReferralStateCode) -> bool {
    !matches!(state, ReferralStateCode::Draft | ReferralStateCode::Closed | ReferralStateCode::EnteredInError)
}

/// The way a referral went: as its closure says, and before that by where it stands.
fn route(standing: &Standing) -> Option<Route> {
    match standing.state {
        ReferralStateCode::InSupport => Some(Route::LinkWorker),
        ReferralStateCode::DirectlyGuided => Some(Route::Direct),
        _ => standing.route,
    }
}

fn sum(cases: &CaseCounts, wanted: impl Fn(&Standing) -> bool) -> i64 {
    cases.standing.iter().filter(|(standing, _)| wanted(standing)).map(|(_, count)| *count).sum()
}

fn of<K: Ord>(counts: &BTreeMap<K, i64>, key: &K) -> i64 {
    counts.get(key).copied().unwrap_or_default()
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
fn standing(cases: &CaseCounts, detail: Detail) -> (Cell, Vec<CellView>, Vec<CellView>) {
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

fn age(ages: Ages, submitted: i64, detail: Detail) -> AgeView {
    // The youngest and the oldest are single people, however many others there are.
    let single = |value: Option<i64>| value.filter(|_| detail == Detail::Whole);
    AgeView { min: single(ages.youngest), max: single(ages.oldest), mean: behind(mean(ages.sum, submitted, 1), submitted, detail) }
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
    let met = cell(figures.met.referrals, detail) != Cell::Hidden;
    let phoned = cell(figures.phoned.referrals, detail) != Cell::Hidden;
    let home_visits = by_mode.iter().find(|(mode, _)| *mode == VisitMode::HomeVisit).map_or(Cell::Hidden, |(_, cell)| *cell);
    let all: i64 = figures.visits.iter().map(|count| count.visits).sum();
    // Sums over both kinds would give away the one that is hidden.
    let both = met && phoned;
    VisitsView {
        total: if both { Cell::Shown(all) } else { Cell::Hidden }.into(),
        home_visits: home_visits.into(),
        by_mode: by_mode.iter().map(|(mode, cell)| CellView::new(mode.as_str(), *cell)).collect(),
        hours: met.then(|| hours(figures.met.minutes)),
        phone_minutes: phoned.then_some(figures.phoned.minutes),
        travel_metres: both.then_some(figures.travel_metres),
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

/// The questionnaires of the report: those that every support period is asked for, then whatever else was answered by enough people to be told.
fn changes(figures: &OutcomeFigures, detail: Detail) -> Vec<MeasureChangeView> {
    let always: Vec<InstrumentKey> = [Instrument::Swemwbs, Instrument::Recommendation].into_iter().map(Into::into).collect();
    let mut shown = Vec::new();
    for instrument in &always {
        let found: Vec<MeasurePairs> = figures.pairs.iter().filter(|pairs| pairs.instrument == *instrument).cloned().collect();
        if found.is_empty() {
            shown.push(MeasurePairs { instrument: instrument.clone(), version: 1, pairs: 0, start: 0, end: 0 });
        }
        shown.extend(found);
    }
    let told = |pairs: &&MeasurePairs| !always.contains(&pairs.instrument) && cell(pairs.pairs, detail).value().is_some();
    shown.extend(figures.pairs.iter().filter(told).cloned());
    shown.iter().map(|pairs| change(pairs, figures, detail)).collect()
}

fn change(found: &MeasurePairs, figures: &OutcomeFigures, detail: Detail) -> MeasureChangeView {
    let (pairs, ended) = (found.pairs, figures.ended_periods);
    let pairs_cell = breakdown(&[pairs, ended - pairs], detail).into_iter().next().unwrap_or(Cell::Hidden);
    let ended_cell = cell(ended, detail);
    // Scores are hundredths, so the mean of the score itself is over a hundred times as many.
    let of = |sum: i64| behind(mean(sum, pairs.saturating_mul(100), 2), pairs, detail);
    MeasureChangeView {
        instrument: found.instrument.clone().into(),
        instrument_version: found.version,
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
    let mut sex = by_code(Sex::ALL, |wanted| of(&cases.sexes, &Some(wanted)));
    sex.push((NOT_STATED, of(&cases.sexes, &None)));
    let places: Vec<(&str, i64)> = cases.municipalities.iter().map(|(place, count)| (place.as_str(), *count)).collect();
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
        age: age(cases.ages, submitted, detail),
        sectors: rows(&by_code(Sector::ALL, |wanted| of(&cases.sectors, &wanted)), detail),
        reasons: rows(&by_code(ReferralReason::ALL, |wanted| of(&cases.reasons, &wanted)), detail),
        municipalities: rows(&places, detail),
        visits: visits(figures, detail),
        link_workers: link_workers(&figures.agreements, detail),
        measures: changes(figures, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use lahete_domain::money::MinuteCents;
    use lahete_domain::programme::MunicipalityCode;
    use lahete_persistence::repo::reports::{ContactSums, VisitCount};
    use proptest::prelude::*;

    /// A kind of referrals: where they stand, and whom they are about.
    type Kind = (ReferralStateCode, Option<Outcome>, Option<Sex>, i64);

    fn counted(kinds: &[Kind]) -> CaseCounts {
        let mut counts = CaseCounts::default();
        for (state, outcome, sex, count) in kinds.iter().copied() {
            *counts.standing.entry(Standing { state, outcome, route: None }).or_default() += count;
            *counts.sectors.entry(Sector::Elderly).or_default() += count;
            *counts.sexes.entry(sex).or_default() += count;
            *counts.municipalities.entry(MunicipalityCode::parse("758").expect("a code")).or_default() += count;
            *counts.reasons.entry(ReferralReason::Loneliness).or_default() += count;
            counts.ages.add(79 * count, 70, 94);
        }
        counts
    }

    fn closed(outcome: Outcome, sex: Option<Sex>, count: i64) -> Kind {
        (ReferralStateCode::Closed, Some(outcome), sex, count)
    }

    fn pilot() -> OutcomeFigures {
        OutcomeFigures {
            cases: counted(&[
                closed(Outcome::CompletedAsPlanned, Some(Sex::Female), 7),
                closed(Outcome::Discontinued, Some(Sex::Male), 7),
                closed(Outcome::NotStarted, Some(Sex::Female), 4),
                closed(Outcome::Redirected, Some(Sex::Male), 2),
                (ReferralStateCode::InSupport, None, Some(Sex::Female), 9),
                (ReferralStateCode::Deferred, None, Some(Sex::Male), 2),
            ]),
            visits: vec![VisitCount { mode: VisitMode::HomeVisit, visits: 280, referrals: 23 }],
            met: ContactSums { referrals: 23, minutes: 538 * 60 },
            phoned: ContactSums::default(),
            travel_metres: 0,
            fees: MinuteCents::of(538 * 60, 1300),
            agreements: vec![1, 6, 3],
            pairs: vec![MeasurePairs { instrument: Instrument::Swemwbs.into(), version: 1, pairs: 7, start: 13_944, end: 15_526 }],
            ended_periods: 14,
        }
    }

    fn show(figures: &OutcomeFigures, detail: Detail) -> OutcomesReport {
        let day = |text: &str| -> NaiveDate { text.parse().expect("a date") };
        let programme = ProgrammeId::from_uuid(uuid::Uuid::nil());
        let last = day("2022-12-31");
        let scope = ReportScope { programme, from: day("2022-01-01"), until: last, visits_until: last, today: last };
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
        figures.visits.push(VisitCount { mode: VisitMode::Phone, visits: 3, referrals: 2 });
        figures.phoned = ContactSums { referrals: 2, minutes: 30 };
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
                    Some(state) => (*state, None, None, *count),
                    None => closed(Outcome::ALL[(kind - states.len()) % Outcome::ALL.len()], None, *count),
                })
                .collect();
            let figures = OutcomeFigures { cases: counted(&cases), ..OutcomeFigures::default() };
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
