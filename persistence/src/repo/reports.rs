//! The figures behind the reports: sums over the snapshots of a programme, never rows about a person.
//!
//! A report reads one range of one index that holds all it adds up ([`referral_snapshots`] is kept current by every transition), and from the few
//! referrals of that range that had a link worker it finds their visits, agreements and measures in indexes that hold what is added up there.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Text};
use lahete_domain::codes::{
    AssignmentStateCode, Code, Outcome, ReferralReason, ReferralStateCode, Route, Sector, Sex, SupportPeriodStateCode, Timepoint, VisitMode,
};
use lahete_domain::ids::{LinkWorkerId, ProgrammeId};
use lahete_domain::measure::definition::InstrumentKey;
use lahete_domain::money::MinuteCents;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::visit::counts_against_limit;

use crate::among::among_codes;
use crate::connection::AnyConnection;
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::{assignments, measures, referral_snapshots, support_periods};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, DbUuid, IdCol};

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
    /// The day of the report: what a consent to evaluation has covered until yesterday is not counted today.
    pub today: NaiveDate,
}

/// Where a referral stands, and how it turned out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Standing {
    /// Where it stands.
    pub state: ReferralStateCode,
    /// How it turned out, when it is closed.
    pub outcome: Option<Outcome>,
    /// Which way it had gone, when it is closed.
    pub route: Option<Route>,
}

/// The clients' ages on the day of sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ages {
    /// All together.
    pub sum: i64,
    /// The youngest.
    pub youngest: Option<i64>,
    /// The oldest.
    pub oldest: Option<i64>,
}

impl Ages {
    /// Adds some referrals.
    pub fn add(&mut self, sum: i64, youngest: i64, oldest: i64) {
        self.sum += sum;
        self.youngest = Some(self.youngest.map_or(youngest, |age| age.min(youngest)));
        self.oldest = Some(self.oldest.map_or(oldest, |age| age.max(oldest)));
    }
}

/// How many referrals there are of each kind; every referral is counted once in each table but that of the reasons.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CaseCounts {
    /// By where they stand.
    pub standing: BTreeMap<Standing, i64>,
    /// By the referrer's sector.
    pub sectors: BTreeMap<Sector, i64>,
    /// By the client's sex, by own statement.
    pub sexes: BTreeMap<Option<Sex>, i64>,
    /// By the client's municipality on the day of sending.
    pub municipalities: BTreeMap<MunicipalityCode, i64>,
    /// By reason; a referral may have several.
    pub reasons: BTreeMap<ReferralReason, i64>,
    /// The clients' ages.
    pub ages: Ages,
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
}

/// The held visits that count against the month's hours, or those that do not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ContactSums {
    /// To how many referrals they belong.
    pub referrals: i64,
    /// Their minutes.
    pub minutes: i64,
}

/// Questionnaires answered at both ends of support periods that are over, with consent to evaluation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MeasurePairs {
    /// Which questionnaire.
    pub instrument: InstrumentKey,
    /// The version that both answers were scored with.
    pub version: u16,
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
    pub cases: CaseCounts,
    /// The held visits by mode; a mode without any is left out.
    pub visits: Vec<VisitCount>,
    /// Visits that count against the month's hours.
    pub met: ContactSums,
    /// Contacts that do not, as a phone call.
    pub phoned: ContactSums,
    /// Metres travelled to all of them.
    pub travel_metres: i64,
    /// Minutes times fee per hour, over all workers of all visits.
    pub fees: MinuteCents,
    /// For each link worker who accepted one, how many of the referrals they accepted.
    pub agreements: Vec<i64>,
    /// Pairs of measures.
    pub pairs: Vec<MeasurePairs>,
    /// How many support periods are over.
    pub ended_periods: i64,
}

/// One referral, as the index of the report holds it.
type CaseColumns = (
    CodeCol<ReferralStateCode>,
    Option<CodeCol<Outcome>>,
    Option<CodeCol<Route>>,
    CodeCol<Sector>,
    Option<CodeCol<Sex>>,
    String,
    String,
    i64,
);

/// One row of one of the tables that PostgreSQL makes of them in the same pass.
type GroupColumns = (
    i64,
    Option<CodeCol<ReferralStateCode>>,
    Option<CodeCol<Outcome>>,
    Option<CodeCol<Route>>,
    Option<CodeCol<Sector>>,
    Option<CodeCol<Sex>>,
    Option<String>,
    Option<String>,
    i64,
    i64,
    i64,
    i64,
);

type GroupTypes = (
    BigInt,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
);

/// Which columns a row of [`GroupColumns`] is *not* grouped by: a bit each for state, sector, sex, municipality and reasons.
const BY_STATE: i64 = 0b0_1111;
const BY_SECTOR: i64 = 0b1_0111;
const BY_SEX: i64 = 0b1_1011;
const BY_MUNICIPALITY: i64 = 0b1_1101;

type Pair = (i64, i64);
type PairTypes = (BigInt, BigInt);
/// For each mode visits and referrals; for both kinds of contact referrals and minutes; metres and fees.
type VisitColumns = (Pair, Pair, Pair, Pair, Pair, Pair, Pair, Pair, Pair);
type VisitTypes = (PairTypes, PairTypes, PairTypes, PairTypes, PairTypes, PairTypes, PairTypes, PairTypes, PairTypes);
const _: () = assert!(VisitMode::ALL.len() == 6, "the query over visits has a pair of columns for each mode");

/// Narrows a query down to the referrals of a report that had a link worker.
macro_rules! of_assigned {
    ($query:expr, $scope:expr) => {
        $query
            .filter(referral_snapshots::programme_id.eq(IdCol($scope.programme)))
            .filter(referral_snapshots::submitted_on.ge($scope.from))
            .filter(referral_snapshots::submitted_on.le($scope.until))
            .filter(referral_snapshots::assigned)
            .filter(referral_snapshots::state.ne(CodeCol(ReferralStateCode::EnteredInError)))
    };
}

impl CaseCounts {
    /// Reads what was counted as text: a municipality, and a set of reasons, each of which counts.
    fn read_texts(&mut self, places: BTreeMap<String, i64>, sets: BTreeMap<String, i64>) -> Result<(), StoreError> {
        let corrupt = |column, text: &str| StoreError::corrupt("referral_snapshots", column, text.to_owned());
        for (text, count) in places {
            let place = MunicipalityCode::parse(&text).ok_or_else(|| corrupt("municipality", &text))?;
            self.municipalities.insert(place, count);
        }
        for (text, count) in sets {
            for part in text.split(',').filter(|part| !part.is_empty()) {
                let reason = ReferralReason::parse(part).ok_or_else(|| corrupt("reasons", &text))?;
                *self.reasons.entry(reason).or_default() += count;
            }
        }
        Ok(())
    }
}

impl Db<'_> {
    /// The figures of the outcomes report.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a value without meaning.
    pub fn outcome_figures(&mut self, scope: ReportScope) -> Result<OutcomeFigures, StoreError> {
        let mut figures = OutcomeFigures {
            // SQLite would sort all rows to group them, and once for each table; going through them here is one pass.
            cases: match self.conn() {
                AnyConnection::Sqlite(_) => self.report_cases(scope)?,
                AnyConnection::Postgresql(_) => self.report_case_groups(scope)?,
            },
            agreements: self.report_agreements(scope)?,
            pairs: self.report_pairs(scope)?,
            ended_periods: self.report_ended_periods(scope)?,
            ..OutcomeFigures::default()
        };
        self.report_visits(scope, &mut figures)?;
        Ok(figures)
    }

    fn report_cases(&mut self, scope: ReportScope) -> Result<CaseCounts, StoreError> {
        let rows = referral_snapshots::table
            .filter(referral_snapshots::programme_id.eq(IdCol(scope.programme)))
            .filter(referral_snapshots::submitted_on.ge(scope.from))
            .filter(referral_snapshots::submitted_on.le(scope.until))
            .filter(referral_snapshots::state.ne(CodeCol(ReferralStateCode::EnteredInError)))
            .select((
                referral_snapshots::state,
                referral_snapshots::outcome,
                referral_snapshots::route,
                referral_snapshots::sector,
                referral_snapshots::sex,
                referral_snapshots::municipality,
                referral_snapshots::reasons,
                referral_snapshots::age,
            ))
            .load_iter::<CaseColumns, DefaultLoadingMode>(self.conn())?;
        let mut counts = CaseCounts::default();
        let mut places = BTreeMap::new();
        let mut sets = BTreeMap::new();
        for row in rows {
            let (state, outcome, route, sector, sex, municipality, reasons, age) = row?;
            let standing = Standing { state: state.0, outcome: outcome.map(|code| code.0), route: route.map(|code| code.0) };
            *counts.standing.entry(standing).or_default() += 1;
            *counts.sectors.entry(sector.0).or_default() += 1;
            *counts.sexes.entry(sex.map(|code| code.0)).or_default() += 1;
            *places.entry(municipality).or_default() += 1;
            *sets.entry(reasons).or_default() += 1;
            counts.ages.add(age, age, age);
        }
        counts.read_texts(places, sets)?;
        Ok(counts)
    }

    fn report_case_groups(&mut self, scope: ReportScope) -> Result<CaseCounts, StoreError> {
        let rows = sql::<GroupTypes>(
            "SELECT CAST(GROUPING(state, sector, sex, municipality, reasons) AS BIGINT), state, outcome, route, sector, sex, municipality, \
             reasons, COUNT(*), CAST(SUM(age) AS BIGINT), MIN(age), MAX(age) FROM referral_snapshots WHERE programme_id = ",
        )
        .bind::<DbUuid, _>(IdCol(scope.programme))
        .sql(" AND submitted_on >= ")
        .bind::<Date, _>(scope.from)
        .sql(" AND submitted_on <= ")
        .bind::<Date, _>(scope.until)
        .sql(
            " AND state <> 'entered_in_error' \
             GROUP BY GROUPING SETS ((state, outcome, route), (sector), (sex), (municipality), (reasons))",
        )
        .load::<GroupColumns>(self.conn())?;
        let missing = |column| StoreError::corrupt("referral_snapshots", column, "a group");
        let mut counts = CaseCounts::default();
        let mut places = BTreeMap::new();
        let mut sets = BTreeMap::new();
        for (set, state, outcome, route, sector, sex, municipality, reasons, count, ages, youngest, oldest) in rows {
            match set {
                BY_STATE => {
                    let state = state.ok_or_else(|| missing("state"))?.0;
                    let standing = Standing { state, outcome: outcome.map(|code| code.0), route: route.map(|code| code.0) };
                    counts.standing.insert(standing, count);
                    counts.ages.add(ages, youngest, oldest);
                }
                BY_SECTOR => {
                    counts.sectors.insert(sector.ok_or_else(|| missing("sector"))?.0, count);
                }
                BY_SEX => {
                    counts.sexes.insert(sex.map(|code| code.0), count);
                }
                BY_MUNICIPALITY => {
                    places.insert(municipality.ok_or_else(|| missing("municipality"))?, count);
                }
                _ => {
                    sets.insert(reasons.ok_or_else(|| missing("reasons"))?, count);
                }
            }
        }
        counts.read_texts(places, sets)?;
        Ok(counts)
    }

    /// All sums over visits in one row: first for each referral, so that it is counted once for a mode however many visits there were.
    fn report_visits(&mut self, scope: ReportScope, figures: &mut OutcomeFigures) -> Result<(), StoreError> {
        let (counted, uncounted): (Vec<VisitMode>, Vec<VisitMode>) = VisitMode::ALL.iter().partition(|mode| counts_against_limit(**mode));
        let list = |modes: &[VisitMode]| modes.iter().map(|mode| format!("'{}'", mode.as_str())).collect::<Vec<_>>().join(", ");
        let mut outer = String::new();
        let mut inner = String::new();
        for (place, mode) in VisitMode::ALL.iter().enumerate() {
            outer += &format!("COALESCE(CAST(SUM(of_mode_{place}) AS BIGINT), 0), COUNT(*) FILTER (WHERE of_mode_{place} > 0), ");
            inner += &format!("COUNT(*) FILTER (WHERE v.mode = '{}') AS of_mode_{place}, ", mode.as_str());
        }
        for (name, modes) in [("met", &counted), ("phoned", &uncounted)] {
            outer += &format!("COUNT({name}), COALESCE(CAST(SUM({name}) AS BIGINT), 0), ");
            inner += &format!("SUM(v.minutes) FILTER (WHERE v.mode IN ({})) AS {name}, ", list(modes));
        }
        outer += "COALESCE(CAST(SUM(metres) AS BIGINT), 0), COALESCE(CAST(SUM(fees) AS BIGINT), 0)";
        inner += "SUM(v.travel_metres) AS metres, SUM(v.minutes * v.worker_cents_per_hour) AS fees";
        let postgresql = matches!(self.conn(), AnyConnection::Postgresql(_));
        // Both go through the referrals in the order of the index and sum up one after another. PostgreSQL would rather sort all visits when it is
        // asked to group them, and SQLite cannot look to the side.
        let (begin, end) = if postgresql {
            (
                format!(
                    "SELECT {outer} FROM referral_snapshots s CROSS JOIN LATERAL (SELECT {inner} FROM visits v \
                     WHERE v.referral_id = s.referral_id AND v.state = 'held' AND v.visit_on <= "
                ),
                "",
            )
        } else {
            (
                format!(
                    "SELECT {outer} FROM (SELECT {inner} FROM referral_snapshots s CROSS JOIN visits v \
                     WHERE v.referral_id = s.referral_id AND v.state = 'held' AND v.visit_on <= "
                ),
                " GROUP BY s.submitted_on, s.referral_id) each_referral",
            )
        };
        let (mode_0, mode_1, mode_2, mode_3, mode_4, mode_5, met, phoned, (travel_metres, fees)) = sql::<VisitTypes>(&begin)
            .bind::<Date, _>(scope.visits_until)
            .sql(if postgresql { ") each_referral WHERE " } else { " AND " })
            .sql("s.assigned AND s.state <> 'entered_in_error' AND s.programme_id = ")
            .bind::<DbUuid, _>(IdCol(scope.programme))
            .sql(" AND s.submitted_on >= ")
            .bind::<Date, _>(scope.from)
            .sql(" AND s.submitted_on <= ")
            .bind::<Date, _>(scope.until)
            .sql(end)
            .get_result::<VisitColumns>(self.conn())?;
        figures.visits = VisitMode::ALL
            .iter()
            .zip([mode_0, mode_1, mode_2, mode_3, mode_4, mode_5])
            .filter(|(_, (visits, _))| *visits > 0)
            .map(|(mode, (visits, referrals))| VisitCount { mode: *mode, visits, referrals })
            .collect();
        figures.met = ContactSums { referrals: met.0, minutes: met.1 };
        figures.phoned = ContactSums { referrals: phoned.0, minutes: phoned.1 };
        figures.travel_metres = travel_metres;
        figures.fees = MinuteCents::from_sum(fees);
        Ok(())
    }

    fn report_agreements(&mut self, scope: ReportScope) -> Result<Vec<i64>, StoreError> {
        let states = [AssignmentStateCode::Accepted, AssignmentStateCode::Ended];
        let of_referral = assignments::referral_id.eq(referral_snapshots::referral_id);
        let rows = of_assigned!(referral_snapshots::table.inner_join(assignments::table.on(of_referral)), scope)
            .filter(among_codes(assignments::state, states))
            // A proposal that was taken back has ended too, without an answer.
            .filter(assignments::answered_at.is_not_null())
            .group_by(assignments::link_worker_id)
            .select((assignments::link_worker_id, spelled::<BigInt>("COUNT(DISTINCT assignments.referral_id)")))
            .load::<(IdCol<LinkWorkerId>, i64)>(self.conn())?;
        Ok(rows.into_iter().map(|(_, referrals)| referrals).collect())
    }

    fn report_pairs(&mut self, scope: ReportScope) -> Result<Vec<MeasurePairs>, StoreError> {
        let ends = diesel::alias!(measures as ends);
        let of_referral = support_periods::referral_id.eq(referral_snapshots::referral_id);
        let of_period = measures::support_period_id.eq(support_periods::id).and(measures::timepoint.eq(CodeCol(Timepoint::Start)));
        let same = ends
            .field(measures::support_period_id)
            .eq(support_periods::id)
            .and(ends.field(measures::instrument).eq(measures::instrument))
            .and(ends.field(measures::instrument_version).eq(measures::instrument_version))
            .and(ends.field(measures::timepoint).eq(CodeCol(Timepoint::End)));
        let tables = referral_snapshots::table
            .inner_join(support_periods::table.on(of_referral))
            .inner_join(measures::table.on(of_period))
            .inner_join(ends.on(same));
        let rows = of_assigned!(tables, scope)
            .filter(referral_snapshots::evaluation.eq(true))
            .filter(
                referral_snapshots::evaluation_until.is_null().or(referral_snapshots::evaluation_until.ge(scope.today).assume_not_null()),
            )
            .filter(support_periods::state.eq(CodeCol(SupportPeriodStateCode::Ended)))
            .filter(measures::hundredths.is_not_null())
            .filter(ends.field(measures::hundredths).is_not_null())
            .group_by((measures::instrument, measures::instrument_version))
            .order((measures::instrument, measures::instrument_version))
            .select((
                measures::instrument,
                measures::instrument_version,
                count_star(),
                spelled::<BigInt>("CAST(SUM(measures.hundredths) AS BIGINT)"),
                spelled::<BigInt>("CAST(SUM(ends.hundredths) AS BIGINT)"),
            ))
            .load::<(String, i64, i64, i64, i64)>(self.conn())?;
        let pair = |(instrument, version, pairs, start, end): (String, i64, i64, i64, i64)| {
            let corrupt = |column| StoreError::corrupt("measures", column, instrument.clone());
            let key = InstrumentKey::parse(&instrument).ok_or_else(|| corrupt("instrument"))?;
            let version = u16::try_from(version).map_err(|_| corrupt("instrument_version"))?;
            Ok(MeasurePairs { instrument: key, version, pairs, start, end })
        };
        rows.into_iter().map(pair).collect()
    }

    fn report_ended_periods(&mut self, scope: ReportScope) -> Result<i64, StoreError> {
        let of_referral = support_periods::referral_id.eq(referral_snapshots::referral_id);
        let query = of_assigned!(referral_snapshots::table.inner_join(support_periods::table.on(of_referral)), scope)
            .filter(support_periods::state.eq(CodeCol(SupportPeriodStateCode::Ended)));
        Ok(query.count().get_result::<i64>(self.conn())?)
    }
}
