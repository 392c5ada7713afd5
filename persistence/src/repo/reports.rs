//! The figures behind the reports: sums made by the database over the snapshots of a programme, never rows about a person.

use chrono::NaiveDate;
use diesel::dsl::{count_star, max, min, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use lahete_domain::codes::{
    AssignmentStateCode, Code, Instrument, Outcome, ReferralReason, ReferralStateCode, Route, Sector, Sex, SupportPeriodStateCode,
    Timepoint, VisitMode, VisitStateCode,
};
use lahete_domain::ids::{LinkWorkerId, ProgrammeId};
use lahete_domain::money::MinuteCents;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::visit::counts_against_limit;

use crate::db::Db;
use crate::error::StoreError;
use crate::schema::{assignments, measures, referral_reasons, referral_snapshots, referrals, support_periods, visit_workers, visits};
use crate::sql_types::{CodeCol, IdCol};

/// Which referrals a report is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportScope {
    /// Of this programme.
    pub programme: ProgrammeId,
    /// Submitted on this day or later.
    pub from: NaiveDate,
    /// Submitted on this day or earlier.
    pub until: NaiveDate,
    /// Their visits are counted to this day.
    pub visits_until: NaiveDate,
}

/// Referrals that have everything in common that the report breaks down by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseCount {
    /// Where they stand.
    pub state: ReferralStateCode,
    /// How they turned out, when they are closed.
    pub outcome: Option<Outcome>,
    /// Which way they had gone, when they are closed.
    pub route: Option<Route>,
    /// The referrer's sector.
    pub sector: Sector,
    /// The client's sex by own statement.
    pub sex: Option<Sex>,
    /// The client's municipality on the day of sending.
    pub municipality: MunicipalityCode,
    /// How many.
    pub count: i64,
    /// The sum of their clients' ages.
    pub ages: i64,
    /// The youngest client's age.
    pub youngest: i64,
    /// The oldest client's age.
    pub oldest: i64,
}

/// The held visits of one mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VisitCount {
    /// How they were made.
    pub mode: VisitMode,
    /// How many.
    pub visits: i64,
    /// To how many referrals they belong.
    pub referrals: i64,
    /// Their minutes.
    pub minutes: i64,
    /// Metres travelled to them.
    pub travel_metres: i64,
}

/// Questionnaires answered at both ends of support periods that are over, with consent to evaluation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MeasurePairs {
    /// Which questionnaire.
    pub instrument: Instrument,
    /// How many pairs.
    pub pairs: i64,
    /// Sum of the scores at the start, in hundredths.
    pub start: i64,
    /// Sum of the scores at the end, in hundredths.
    pub end: i64,
}

/// Everything that the outcomes report is made of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OutcomeFigures {
    /// The referrals.
    pub cases: Vec<CaseCount>,
    /// How many referrals have each reason; one may have several.
    pub reasons: Vec<(ReferralReason, i64)>,
    /// The held visits by mode.
    pub visits: Vec<VisitCount>,
    /// Referrals with a visit that counts against the month's hours.
    pub referrals_met: i64,
    /// Referrals with a contact that does not, as a phone call.
    pub referrals_phoned: i64,
    /// Minutes times fee per hour, over all workers of all visits.
    pub fees: MinuteCents,
    /// For each link worker who accepted one, how many of the referrals they accepted.
    pub agreements: Vec<i64>,
    /// Pairs of measures.
    pub pairs: Vec<MeasurePairs>,
    /// How many support periods are over.
    pub ended_periods: i64,
}

/// Narrows a query over referrals and their snapshots down to the referrals of a report.
macro_rules! in_scope {
    ($query:expr, $scope:expr) => {
        $query
            .filter(referral_snapshots::programme_id.eq(IdCol($scope.programme)))
            .filter(referral_snapshots::submitted_on.between($scope.from, $scope.until))
            .filter(referrals::state.ne(CodeCol(ReferralStateCode::EnteredInError)))
    };
}

/// Narrows a query over visits down to those that a report counts.
macro_rules! held {
    ($query:expr, $scope:expr) => {
        in_scope!($query, $scope).filter(visits::state.eq(CodeCol(VisitStateCode::Held))).filter(visits::visit_on.le($scope.visits_until))
    };
}

diesel::allow_columns_to_appear_in_same_group_by_clause!(
    referrals::state,
    referrals::outcome,
    referrals::route,
    referrals::sector,
    referral_snapshots::sex,
    referral_snapshots::municipality,
);

type CaseColumns = (
    CodeCol<ReferralStateCode>,
    Option<CodeCol<Outcome>>,
    Option<CodeCol<Route>>,
    CodeCol<Sector>,
    Option<CodeCol<Sex>>,
    String,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
);

impl Db<'_> {
    /// The figures of the outcomes report.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a value without meaning.
    pub fn outcome_figures(&mut self, scope: ReportScope) -> Result<OutcomeFigures, StoreError> {
        Ok(OutcomeFigures {
            cases: self.report_cases(scope)?,
            reasons: self.report_reasons(scope)?,
            visits: self.report_visits(scope)?,
            referrals_met: self.report_referrals_visited(scope, true)?,
            referrals_phoned: self.report_referrals_visited(scope, false)?,
            fees: self.report_fees(scope)?,
            agreements: self.report_agreements(scope)?,
            pairs: self.report_pairs(scope)?,
            ended_periods: self.report_ended_periods(scope)?,
        })
    }

    fn report_cases(&mut self, scope: ReportScope) -> Result<Vec<CaseCount>, StoreError> {
        let together = (
            referrals::state,
            referrals::outcome,
            referrals::route,
            referrals::sector,
            referral_snapshots::sex,
            referral_snapshots::municipality,
        );
        let rows = in_scope!(referral_snapshots::table.inner_join(referrals::table), scope)
            .group_by(together)
            .select((
                referrals::state,
                referrals::outcome,
                referrals::route,
                referrals::sector,
                referral_snapshots::sex,
                referral_snapshots::municipality,
                count_star(),
                sql::<BigInt>("CAST(SUM(referral_snapshots.age) AS BIGINT)"),
                min(referral_snapshots::age),
                max(referral_snapshots::age),
            ))
            .load::<CaseColumns>(self.conn())?;
        rows.into_iter()
            .map(|(state, outcome, route, sector, sex, municipality, count, ages, youngest, oldest)| {
                Ok(CaseCount {
                    state: state.0,
                    outcome: outcome.map(|code| code.0),
                    route: route.map(|code| code.0),
                    sector: sector.0,
                    sex: sex.map(|code| code.0),
                    municipality: MunicipalityCode::parse(&municipality)
                        .ok_or_else(|| StoreError::corrupt("referral_snapshots", "municipality", municipality))?,
                    count,
                    ages,
                    youngest: youngest.unwrap_or_default(),
                    oldest: oldest.unwrap_or_default(),
                })
            })
            .collect()
    }

    fn report_reasons(&mut self, scope: ReportScope) -> Result<Vec<(ReferralReason, i64)>, StoreError> {
        let tables = referral_reasons::table.inner_join(referrals::table.inner_join(referral_snapshots::table));
        let rows = in_scope!(tables, scope).group_by(referral_reasons::reason).select((referral_reasons::reason, count_star())).load::<(
            CodeCol<ReferralReason>,
            i64,
        )>(
            self.conn(),
        )?;
        Ok(rows.into_iter().map(|(reason, count)| (reason.0, count)).collect())
    }

    fn report_visits(&mut self, scope: ReportScope) -> Result<Vec<VisitCount>, StoreError> {
        let tables = visits::table.inner_join(referrals::table.inner_join(referral_snapshots::table));
        let rows = held!(tables, scope)
            .group_by(visits::mode)
            .select((
                visits::mode,
                count_star(),
                sql::<BigInt>("COUNT(DISTINCT visits.referral_id)"),
                sql::<BigInt>("CAST(SUM(visits.minutes) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(visits.travel_metres) AS BIGINT)"),
            ))
            .load::<(CodeCol<VisitMode>, i64, i64, i64, i64)>(self.conn())?;
        Ok(rows
            .into_iter()
            .map(|(mode, visits, referrals, minutes, travel_metres)| VisitCount { mode: mode.0, visits, referrals, minutes, travel_metres })
            .collect())
    }

    fn report_referrals_visited(&mut self, scope: ReportScope, counted: bool) -> Result<i64, StoreError> {
        let modes: Vec<_> = VisitMode::ALL.iter().copied().filter(|mode| counts_against_limit(*mode) == counted).map(CodeCol).collect();
        let tables = visits::table.inner_join(referrals::table.inner_join(referral_snapshots::table));
        let query = held!(tables, scope).filter(visits::mode.eq_any(modes)).select(sql::<BigInt>("COUNT(DISTINCT visits.referral_id)"));
        Ok(query.get_result::<i64>(self.conn())?)
    }

    fn report_fees(&mut self, scope: ReportScope) -> Result<MinuteCents, StoreError> {
        let tables = visit_workers::table.inner_join(visits::table.inner_join(referrals::table.inner_join(referral_snapshots::table)));
        let query = held!(tables, scope)
            .select(sql::<BigInt>("COALESCE(CAST(SUM(visits.minutes * visit_workers.fee_cents_per_hour) AS BIGINT), 0)"));
        Ok(MinuteCents::from_sum(query.get_result::<i64>(self.conn())?))
    }

    fn report_agreements(&mut self, scope: ReportScope) -> Result<Vec<i64>, StoreError> {
        let states = [AssignmentStateCode::Accepted, AssignmentStateCode::Ended].map(CodeCol);
        let tables = assignments::table.inner_join(referrals::table.inner_join(referral_snapshots::table));
        let rows = in_scope!(tables, scope)
            .filter(assignments::state.eq_any(states))
            // A proposal that was taken back has ended too, without an answer.
            .filter(assignments::answered_at.is_not_null())
            .group_by(assignments::link_worker_id)
            .select((assignments::link_worker_id, sql::<BigInt>("COUNT(DISTINCT assignments.referral_id)")))
            .load::<(IdCol<LinkWorkerId>, i64)>(self.conn())?;
        Ok(rows.into_iter().map(|(_, referrals)| referrals).collect())
    }

    fn report_pairs(&mut self, scope: ReportScope) -> Result<Vec<MeasurePairs>, StoreError> {
        let ends = diesel::alias!(measures as ends);
        let same = ends
            .field(measures::support_period_id)
            .eq(measures::support_period_id)
            .and(ends.field(measures::instrument).eq(measures::instrument))
            .and(ends.field(measures::timepoint).eq(CodeCol(Timepoint::End)));
        let periods = support_periods::table.inner_join(referrals::table.inner_join(referral_snapshots::table));
        let rows = in_scope!(measures::table.inner_join(ends.on(same)).inner_join(periods), scope)
            .filter(referral_snapshots::evaluation.eq(true))
            .filter(support_periods::state.eq(CodeCol(SupportPeriodStateCode::Ended)))
            .filter(measures::timepoint.eq(CodeCol(Timepoint::Start)))
            .filter(measures::hundredths.is_not_null())
            .filter(ends.field(measures::hundredths).is_not_null())
            .group_by(measures::instrument)
            .select((
                measures::instrument,
                count_star(),
                sql::<BigInt>("CAST(SUM(measures.hundredths) AS BIGINT)"),
                sql::<BigInt>("CAST(SUM(ends.hundredths) AS BIGINT)"),
            ))
            .load::<(CodeCol<Instrument>, i64, i64, i64)>(self.conn())?;
        Ok(rows.into_iter().map(|(instrument, pairs, start, end)| MeasurePairs { instrument: instrument.0, pairs, start, end }).collect())
    }

    fn report_ended_periods(&mut self, scope: ReportScope) -> Result<i64, StoreError> {
        let tables = support_periods::table.inner_join(referrals::table.inner_join(referral_snapshots::table));
        let query = in_scope!(tables, scope).filter(support_periods::state.eq(CodeCol(SupportPeriodStateCode::Ended)));
        Ok(query.count().get_result::<i64>(self.conn())?)
    }
}
