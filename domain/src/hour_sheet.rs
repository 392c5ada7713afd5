//! Hour sheets: what a link worker has done in a calendar month, what it is paid, and the way from the open sheet to the payment (product §5, Money).
//!
//! - A sheet belongs to a link worker and a month of civil days in Finland. It is there as soon as a visit of the month is held.
//! - An open sheet follows the visits. Once it is submitted its lines stand for good: the amounts, and the rate by which each was reckoned.
//! - A visit of a sheet that is not open any more can still be corrected. The difference stands as a correction line on the link worker's next open sheet,
//!   which names the line that it corrects. A visit that is written down late is a line of that sheet, with its own day.
//! - Paid is the time with the client ([`is_paid`]). Telephone and travel are recorded and counted apart.
//! - Fees are summed exactly and rounded once for the sheet, half up; the lines share out the sum, so that they add up to it. Mileage is rounded once
//!   for each line ([`crate::mileage`]).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::codes::{ContractKind, HourSheetLineKind, HourSheetStateCode, OrganisationKind, Vehicle};
use crate::ids::{HourSheetId, HourSheetLineId, LinkWorkerId, MileageRateId, OrganisationId, ProgrammeId, UserId, VisitId};
use crate::mileage::{MileageRate, YearMetres, rate_on};
use crate::money::{Cents, MinuteCents};
use crate::time::{Instant, Month};
use crate::version::Version;
use crate::visit::{VisitContent, is_paid};

/// The mileage that a non-profit body may pay an unpaid volunteer free of tax in a calendar year (`finnish-facts` §8.3).
pub const VOLUNTEER_CAP: Cents = Cents(300_000);

/// What one link worker did on one visit, or how much it differs from what stands already. Numbers are signed, for a difference may be negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Work {
    /// Whereby it is paid.
    pub terms: WorkTerms,
    /// Paid minutes.
    pub minutes: i64,
    /// Minutes on the telephone and with messages, which are not paid.
    pub phone_minutes: i64,
    /// Minutes travelled, which are not paid.
    pub travel_minutes: i64,
    /// Metres with the own car.
    pub metres: i64,
    /// Passengers on them.
    pub passengers: i64,
}

/// Day, fee, contract and payer of some work. Work on other terms stands in a line of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct WorkTerms {
    /// The day.
    pub on: NaiveDate,
    /// Cents for an hour.
    pub fee_per_hour: Cents,
    /// On what footing.
    pub contract: ContractKind,
    /// The employer behind the contract.
    pub payer: Option<OrganisationId>,
    /// With which vehicle.
    pub vehicle: Vehicle,
}

impl Work {
    /// What a link worker did on a visit. The kilometres are those of whoever drove.
    #[must_use]
    pub fn of(content: &VisitContent, drives: bool, terms: WorkTerms) -> Self {
        let minutes = i64::from(content.minutes);
        let (paid, phone) = if is_paid(content.mode) { (minutes, 0) } else { (0, minutes) };
        let metres = if drives { i64::from(content.travel_metres) } else { 0 };
        Self {
            terms,
            minutes: paid,
            phone_minutes: phone,
            travel_minutes: i64::from(content.travel_minutes),
            metres,
            passengers: if metres > 0 { i64::from(content.travel_passengers) } else { 0 },
        }
    }

    fn nothing(terms: WorkTerms) -> Self {
        Self { terms, minutes: 0, phone_minutes: 0, travel_minutes: 0, metres: 0, passengers: 0 }
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            minutes: self.minutes + other.minutes,
            phone_minutes: self.phone_minutes + other.phone_minutes,
            travel_minutes: self.travel_minutes + other.travel_minutes,
            metres: self.metres + other.metres,
            // Not a quantity of its own: the last word counts.
            passengers: other.passengers,
            terms: self.terms,
        }
    }
}

/// The line that a correction is about, and its sheet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrected {
    /// The sheet.
    pub sheet: HourSheetId,
    /// The line.
    pub line: HourSheetLineId,
}

/// How the kilometres of a line were reckoned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mileage {
    /// The rate; none without kilometres, or when nobody has decided a rate for the day yet.
    pub rate: Option<MileageRateId>,
    /// Metres of the year before it.
    pub before: i64,
    /// How many of the metres lie above the yearly limit.
    pub metres_above: i64,
    /// The amount.
    pub cents: Cents,
}

/// A line of a sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its id.
    pub id: HourSheetLineId,
    /// The sheet that it stands on.
    pub sheet: HourSheetId,
    /// Whose.
    pub link_worker: LinkWorkerId,
    /// The visit.
    pub visit: VisitId,
    /// What it corrects; none for the visit itself.
    pub corrects: Option<Corrected>,
    /// What was done.
    pub work: Work,
    /// Its share of the sheet's fee.
    pub fee: Cents,
    /// Its kilometres.
    pub mileage: Mileage,
}

impl Line {
    /// A line that was not reckoned yet.
    #[must_use]
    pub fn new(id: HourSheetLineId, sheet: HourSheetId, link_worker: LinkWorkerId, visit: VisitId, owed: &Owed) -> Self {
        let Owed { work, corrects } = *owed;
        Self { id, sheet, link_worker, visit, corrects, work, fee: Cents(0), mileage: Mileage::default() }
    }

    /// Whether it is a visit or corrects one.
    #[must_use]
    pub fn kind(&self) -> HourSheetLineKind {
        if self.corrects.is_some() { HourSheetLineKind::Correction } else { HourSheetLineKind::Visit }
    }

    /// Whether kilometres wait for a rate that nobody has decided yet.
    #[must_use]
    pub fn lacks_rate(&self) -> bool {
        self.work.metres != 0 && self.mileage.rate.is_none()
    }
}

/// What must stand on open sheets for one visit of one link worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owed {
    /// The work, or the difference.
    pub work: Work,
    /// What it corrects.
    pub corrects: Option<Corrected>,
}

/// What open sheets owe for one visit of one link worker: what was done (`now`, none when they were not there after all), less what stands on sheets that
/// are not open any more (`settled`, the oldest first). Nothing that is settled is changed: a difference is a line of its own. Work that stands on another
/// day or other terms than before is taken back there and written down anew.
#[must_use]
pub fn owed(now: Option<&Work>, settled: &[Line]) -> Vec<Owed> {
    let mut sums: BTreeMap<WorkTerms, (Work, Corrected)> = BTreeMap::new();
    for line in settled {
        let own = Corrected { sheet: line.sheet, line: line.id };
        let (sum, _) = sums.entry(line.work.terms).or_insert((Work::nothing(line.work.terms), own));
        *sum = sum.plus(&line.work);
    }
    let first = settled.first().map(|line| Corrected { sheet: line.sheet, line: line.id });
    let mut owed = Vec::new();
    for (terms, (sum, line)) in &sums {
        let wanted = now.filter(|work| work.terms == *terms).copied().unwrap_or(Work::nothing(*terms));
        let difference = Work {
            terms: *terms,
            minutes: wanted.minutes - sum.minutes,
            phone_minutes: wanted.phone_minutes - sum.phone_minutes,
            travel_minutes: wanted.travel_minutes - sum.travel_minutes,
            metres: wanted.metres - sum.metres,
            passengers: wanted.passengers,
        };
        let differs =
            Work { passengers: 0, ..difference } != Work::nothing(*terms) || (wanted.metres > 0 && wanted.passengers != sum.passengers);
        if differs {
            owed.push(Owed { work: difference, corrects: Some(*line) });
        }
    }
    if let Some(work) = now
        && !sums.contains_key(&work.terms)
    {
        owed.push(Owed { work: *work, corrects: first });
    }
    owed
}

/// The month whose sheet a new line comes to: its own, when that sheet is open or not there yet; otherwise that of the next open sheet; otherwise a new one,
/// this month's or the one after the last.
#[must_use]
pub fn place(month: Month, sheets: &[(Month, HourSheetStateCode)], today: NaiveDate) -> Month {
    let open = |state: HourSheetStateCode| state == HourSheetStateCode::Open;
    match sheets.iter().find(|(other, _)| *other == month) {
        None => return month,
        Some((_, state)) if open(*state) => return month,
        Some(_) => {}
    }
    let next_open = sheets.iter().filter(|(other, state)| *other > month && open(*state)).map(|(other, _)| *other).min();
    next_open.unwrap_or_else(|| {
        let last = sheets.iter().map(|(other, _)| *other).max().unwrap_or(month);
        last.next().max(Month::of(today))
    })
}

/// Reckons the lines of all open sheets of a link worker. `settled` are the lines of sheets that are not open any more which stand for the same visits,
/// `year` the metres that stand on such sheets: what was settled first counts first. Lines come back by day, with fee and mileage.
#[must_use]
pub fn reckon(mut lines: Vec<Line>, settled: &[Line], mut year: YearMetres, rates: &[MileageRate]) -> Vec<Line> {
    lines.sort_by_key(|line| (line.work.terms.on, line.id));
    let mut sums: BTreeMap<HourSheetId, (i64, Cents)> = BTreeMap::new();
    for line in &mut lines {
        let Work { terms, metres, passengers, minutes, .. } = line.work;
        let (exact, shared) = sums.entry(line.sheet).or_default();
        *exact = exact.saturating_add(minutes.saturating_mul(terms.fee_per_hour.0));
        let sum = MinuteCents::from_sum(*exact).cents();
        line.fee = Cents(sum.0 - shared.0);
        *shared = sum;

        let same = |other: &&Line| other.visit == line.visit && other.link_worker == line.link_worker && other.work.terms == terms;
        let stands: Vec<&Line> = settled.iter().filter(same).collect();
        // A correction is reckoned from where the corrected line was: by its rate, behind the same metres.
        let first = stands.iter().find(|other| other.mileage.rate.is_some());
        let before = first.map_or_else(|| year.before(terms.on, terms.payer), |other| other.mileage.before);
        let rate = match first.and_then(|other| other.mileage.rate) {
            Some(id) => rates.iter().find(|rate| rate.id == id),
            None => rate_on(rates, terms.vehicle, terms.on),
        };
        let whole = metres + stands.iter().map(|other| other.work.metres).sum::<i64>();
        let travels = whole != 0 || metres != 0;
        line.mileage = Mileage { rate: rate.filter(|_| travels).map(|rate| rate.id), before: before.max(0), ..Mileage::default() };
        if let Some(rate) = rate.filter(|_| travels) {
            let fare = rate.fare(whole, passengers, before.max(0));
            line.mileage.cents = Cents(fare.cents.0 - stands.iter().map(|other| other.mileage.cents.0).sum::<i64>());
            line.mileage.metres_above = fare.metres_above - stands.iter().map(|other| other.mileage.metres_above).sum::<i64>();
        }
        year.count(terms.on, terms.payer, metres);
    }
    lines
}

/// What a sheet comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Paid minutes.
    pub minutes: i64,
    /// Minutes on the telephone and with messages.
    pub phone_minutes: i64,
    /// Minutes travelled.
    pub travel_minutes: i64,
    /// Metres.
    pub metres: i64,
    /// The fee.
    pub fee: Cents,
    /// The mileage.
    pub mileage: Cents,
}

impl Totals {
    /// Adds lines up.
    #[must_use]
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        lines.into_iter().fold(Self::default(), |sum, line| Self {
            minutes: sum.minutes + line.work.minutes,
            phone_minutes: sum.phone_minutes + line.work.phone_minutes,
            travel_minutes: sum.travel_minutes + line.work.travel_minutes,
            metres: sum.metres + line.work.metres,
            fee: Cents(sum.fee.0 + line.fee.0),
            mileage: Cents(sum.mileage.0 + line.mileage.cents.0),
        })
    }

    /// Fee and mileage together.
    #[must_use]
    pub fn total(&self) -> Cents {
        Cents(self.fee.0 + self.mileage.0)
    }
}

/// Whether the mileage of a calendar year passes what a volunteer may get free of tax.
#[must_use]
pub fn passes_volunteer_cap(year: Cents) -> bool {
    year > VOLUNTEER_CAP
}

/// Whether the cap is about work for such an employer: only for unpaid volunteers of a non-profit body.
#[must_use]
pub fn is_non_profit(kind: OrganisationKind) -> bool {
    matches!(kind, OrganisationKind::Association | OrganisationKind::Parish)
}

/// A step that somebody has taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// Who.
    pub by: UserId,
}

/// Where a sheet stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HourSheetState {
    /// It follows the visits.
    Open,
    /// It waits for approval.
    Submitted(Step),
    /// It waits for payment.
    Approved {
        /// Who handed it in.
        submitted: Step,
        /// Who approved it.
        approved: Step,
    },
    /// It was paid.
    Paid {
        /// Who handed it in.
        submitted: Step,
        /// Who approved it.
        approved: Step,
        /// Who noted the payment.
        noted: Step,
        /// The day of payment.
        on: NaiveDate,
    },
}

/// Why a sheet was given back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Returned {
    /// When and by whom.
    pub step: Step,
    /// The reason.
    pub reason: String,
}

/// The hour sheet of a link worker and a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HourSheet {
    /// Its id.
    pub id: HourSheetId,
    /// Its version; it moves on with every line.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// Whose.
    pub link_worker: LinkWorkerId,
    /// Their sign-in.
    pub link_worker_user: UserId,
    /// The month.
    pub month: Month,
    /// Where it stands.
    pub state: HourSheetState,
    /// What it comes to.
    pub totals: Totals,
    /// Why it was given back last.
    pub returned: Option<Returned>,
}

/// Why a step with a sheet is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HourSheetError {
    /// Not in this state.
    #[error("an hour sheet in the state {state} cannot be changed this way")]
    WrongState {
        /// The present state.
        state: HourSheetStateCode,
        /// The steps that are possible now.
        allowed: &'static [&'static str],
    },
    /// The month is not over, and nobody has said that nothing comes any more.
    #[error("the month {month} is not over; say that nothing comes any more, or wait for its end")]
    MonthNotOver {
        /// The month.
        month: Month,
    },
    /// There is nothing on it.
    #[error("there is nothing on the hour sheet")]
    Empty,
    /// Kilometres on days without a rate.
    #[error("no mileage rate holds on a day of travel")]
    RateMissing {
        /// The days.
        days: Vec<NaiveDate>,
    },
    /// Nobody approves or pays themself.
    #[error("nobody approves or pays their own hour sheet")]
    Own,
    /// The payment lies in the future, or before the approval.
    #[error("the day of payment lies between the approval and today")]
    PaidOnOutOfRange,
}

impl HourSheet {
    /// A new, open sheet.
    #[must_use]
    pub fn new(id: HourSheetId, programme: ProgrammeId, link_worker: LinkWorkerId, link_worker_user: UserId, month: Month) -> Self {
        Self {
            id,
            version: Version::FIRST,
            programme,
            link_worker,
            link_worker_user,
            month,
            state: HourSheetState::Open,
            totals: Totals::default(),
            returned: None,
        }
    }

    /// The code of its state.
    #[must_use]
    pub fn state_code(&self) -> HourSheetStateCode {
        match self.state {
            HourSheetState::Open => HourSheetStateCode::Open,
            HourSheetState::Submitted(_) => HourSheetStateCode::Submitted,
            HourSheetState::Approved { .. } => HourSheetStateCode::Approved,
            HourSheetState::Paid { .. } => HourSheetStateCode::Paid,
        }
    }

    fn wrong_state(&self) -> HourSheetError {
        let allowed: &[&str] = match self.state {
            HourSheetState::Open => &["submit"],
            HourSheetState::Submitted(_) => &["return", "approve"],
            HourSheetState::Approved { .. } => &["mark-paid"],
            HourSheetState::Paid { .. } => &[],
        };
        HourSheetError::WrongState { state: self.state_code(), allowed }
    }

    /// Hands it in. Its lines stand from now on. Before the month is over somebody must say that nothing comes any more; what comes all the same stands on
    /// the next sheet.
    ///
    /// # Errors
    /// When it is not open, the month is not over, nothing is on it, or a rate is missing.
    pub fn submit(mut self, lines: &[Line], nothing_more: bool, by: Step) -> Result<Self, HourSheetError> {
        if self.state != HourSheetState::Open {
            return Err(self.wrong_state());
        }
        if !nothing_more && by.at.helsinki_date() < self.month.next_first_day() {
            return Err(HourSheetError::MonthNotOver { month: self.month });
        }
        if lines.is_empty() {
            return Err(HourSheetError::Empty);
        }
        let days: BTreeSet<NaiveDate> = lines.iter().filter(|line| line.lacks_rate()).map(|line| line.work.terms.on).collect();
        if !days.is_empty() {
            return Err(HourSheetError::RateMissing { days: days.into_iter().collect() });
        }
        self.state = HourSheetState::Submitted(by);
        Ok(self)
    }

    /// Gives it back: it follows the visits again.
    ///
    /// # Errors
    /// When it does not wait for approval.
    pub fn give_back(mut self, reason: String, by: Step) -> Result<Self, HourSheetError> {
        let HourSheetState::Submitted(_) = self.state else { return Err(self.wrong_state()) };
        self.state = HourSheetState::Open;
        self.returned = Some(Returned { step: by, reason });
        Ok(self)
    }

    fn expect_not_own(&self, by: Step) -> Result<(), HourSheetError> {
        if by.by == self.link_worker_user { Err(HourSheetError::Own) } else { Ok(()) }
    }

    /// Approves it.
    ///
    /// # Errors
    /// When it does not wait for approval, or is one's own.
    pub fn approve(mut self, by: Step) -> Result<Self, HourSheetError> {
        let HourSheetState::Submitted(submitted) = self.state else { return Err(self.wrong_state()) };
        self.expect_not_own(by)?;
        self.state = HourSheetState::Approved { submitted, approved: by };
        Ok(self)
    }

    /// Notes that it was paid.
    ///
    /// # Errors
    /// When it was not approved, is one's own, or the day lies in the future or before the approval.
    pub fn mark_paid(mut self, on: NaiveDate, by: Step) -> Result<Self, HourSheetError> {
        let HourSheetState::Approved { submitted, approved } = self.state else { return Err(self.wrong_state()) };
        self.expect_not_own(by)?;
        if !(approved.at.helsinki_date()..=by.at.helsinki_date()).contains(&on) {
            return Err(HourSheetError::PaidOnOutOfRange);
        }
        self.state = HourSheetState::Paid { submitted, approved, noted: by, on };
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use crate::mileage::{Tier, shipped_rates};
    use uuid::Uuid;

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(Uuid::from_u128(n))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn month(text: &str) -> Month {
        Month::of(day(&format!("{text}-01")))
    }

    fn step(at: &str, by: u128) -> Step {
        Step { at: Instant::new(at.parse().expect("an instant")), by: id(by) }
    }

    fn rates() -> Vec<MileageRate> {
        let mut number = 0;
        shipped_rates(id(1), || {
            number += 1;
            id(number)
        })
    }

    fn work(on: &str, minutes: i64, metres: i64) -> Work {
        let terms = WorkTerms { on: day(on), fee_per_hour: Cents(1300), contract: ContractKind::Fee, payer: None, vehicle: Vehicle::Car };
        Work { terms, minutes, phone_minutes: 0, travel_minutes: 20, metres, passengers: 0 }
    }

    fn line(number: u128, sheet: u128, visit: u128, work: Work) -> Line {
        Line::new(id(number), id(sheet), id(5), id(visit), &Owed { work, corrects: None })
    }

    fn settled(lines: Vec<Line>) -> Vec<Line> {
        reckon(lines, &[], YearMetres::default(), &rates())
    }

    #[test]
    fn seven_visits_of_two_hours_are_paid_as_the_pilot_did() {
        let lines = (0..7).map(|n| line(n, 1, n, work("2022-03-01", 120, 0))).collect();
        assert_eq!(Totals::of(&settled(lines)).total().to_string(), "182.00");
    }

    #[test]
    fn fees_are_rounded_once_and_the_lines_add_up() {
        let lines = settled((0..12).map(|n| line(n, 1, n, work("2026-11-02", 5, 0))).collect());
        assert_eq!(Totals::of(&lines).fee, Cents(1300));
        assert!(lines.iter().all(|line| (108..=109).contains(&line.fee.0)));
    }

    #[test]
    fn two_days_around_new_year_have_their_own_rates() {
        let lines = settled(vec![line(2, 1, 2, work("2026-01-01", 60, 10_000)), line(1, 1, 1, work("2025-12-31", 60, 10_000))]);
        let cents: Vec<i64> = lines.iter().map(|line| line.mileage.cents.0).collect();
        assert_eq!(cents, [590, 550]);
        assert_eq!(Totals::of(&lines).total().to_string(), "37.40");
    }

    #[test]
    fn telephone_and_travel_are_counted_and_not_paid() {
        use crate::codes::{VisitMode, VisitPurpose};
        let content = VisitContent {
            on: day("2026-11-02"),
            minutes: 30,
            mode: VisitMode::Phone,
            purpose: VisitPurpose::Support,
            support_kinds: BTreeSet::new(),
            travel_metres: 5_000,
            travel_minutes: 10,
            travel_passengers: 2,
            note: None,
            barriers: BTreeSet::new(),
            unmet_needs: BTreeSet::new(),
        };
        let terms = work("2026-11-02", 0, 0).terms;
        let call = Work::of(&content, true, terms);
        assert_eq!((call.minutes, call.phone_minutes, call.travel_minutes, call.metres, call.passengers), (0, 30, 10, 5_000, 2));
        let visit = Work::of(&VisitContent { mode: VisitMode::HomeVisit, ..content }, false, terms);
        assert_eq!((visit.minutes, visit.phone_minutes, visit.metres, visit.passengers), (30, 0, 0, 0));
    }

    #[test]
    fn what_nothing_is_settled_of_is_owed_as_it_is() {
        let done = work("2026-11-02", 60, 8_200);
        assert_eq!(owed(Some(&done), &[]), [Owed { work: done, corrects: None }]);
        assert_eq!(owed(None, &[]), []);
    }

    #[test]
    fn a_correction_is_the_difference_and_a_second_one_the_difference_to_both() {
        let first = settled(vec![line(1, 1, 9, work("2026-10-20", 60, 10_000))]);
        assert_eq!(owed(Some(&first[0].work), &first), [], "nothing has changed");
        let shorter = owed(Some(&work("2026-10-20", 45, 12_000)), &first);
        assert_eq!(shorter.len(), 1);
        assert_eq!((shorter[0].work.minutes, shorter[0].work.metres), (-15, 2_000));
        assert_eq!(shorter[0].corrects, Some(Corrected { sheet: id(1), line: id(1) }));
        let correction = reckon(vec![Line::new(id(2), id(2), id(5), id(9), &shorter[0])], &first, YearMetres::default(), &rates());
        assert_eq!((correction[0].fee, correction[0].mileage.cents), (Cents(-325), Cents(110)));
        let both: Vec<Line> = first.iter().chain(&correction).cloned().collect();
        let back = owed(Some(&first[0].work), &both);
        assert_eq!((back[0].work.minutes, back[0].work.metres), (15, -2_000));
        let again = reckon(vec![Line::new(id(3), id(3), id(5), id(9), &back[0])], &both, YearMetres::default(), &rates());
        let all: Vec<Line> = both.into_iter().chain(again).collect();
        assert_eq!((Totals::of(&all).fee, Totals::of(&all).mileage), (Cents(1300), Cents(550)));
    }

    #[test]
    fn another_day_is_taken_back_and_written_anew_at_its_own_rates() {
        let first = settled(vec![line(1, 1, 9, work("2026-01-01", 60, 10_000))]);
        let moved = owed(Some(&work("2025-12-31", 60, 10_000)), &first);
        assert_eq!(moved.len(), 2);
        let lines = moved.iter().zip(2..).map(|(owed, n)| Line::new(id(n), id(2), id(5), id(9), owed)).collect();
        let lines = reckon(lines, &first, YearMetres::default(), &rates());
        let cents: Vec<i64> = lines.iter().map(|line| line.mileage.cents.0).collect();
        assert_eq!(cents, [590, -550]);
        assert!(lines.iter().all(|line| line.kind() == HourSheetLineKind::Correction));
        assert_eq!(Totals::of(&lines).fee, Cents(0));
        let gone = owed(None, &first);
        assert_eq!((gone.len(), gone[0].work.minutes, gone[0].work.metres), (1, -60, -10_000));
    }

    #[test]
    fn more_passengers_alone_are_a_difference_too() {
        let first = settled(vec![line(1, 1, 9, work("2026-10-20", 60, 10_000))]);
        let mut with = work("2026-10-20", 60, 10_000);
        with.passengers = 1;
        let owed = owed(Some(&with), &first);
        let lines = reckon(vec![Line::new(id(2), id(2), id(5), id(9), &owed[0])], &first, YearMetres::default(), &rates());
        assert_eq!((lines[0].work.metres, lines[0].mileage.cents, lines[0].fee), (0, Cents(40), Cents(0)));
    }

    #[test]
    fn a_correction_keeps_the_rate_of_what_it_corrects() {
        let first = settled(vec![line(1, 1, 9, work("2026-10-20", 60, 10_000))]);
        let mut all = rates();
        let newer = MileageRate { id: id(99), per_km: Cents(70), given_by: Some(id(7)), valid_to: None, ..all[4].clone() };
        all.push(newer);
        let owed = owed(Some(&work("2026-10-20", 75, 10_000)), &first);
        let lines = reckon(vec![Line::new(id(2), id(2), id(5), id(9), &owed[0])], &first, YearMetres::default(), &all);
        assert_eq!((lines[0].fee, lines[0].mileage.cents), (Cents(325), Cents(0)));
        assert_eq!(lines[0].mileage.rate, first[0].mileage.rate);
    }

    #[test]
    fn metres_that_are_settled_count_first() {
        let tiered = MileageRate {
            tier: Some(Tier { metres: 5_000, per_km_above: Cents(40) }),
            given_by: Some(id(7)),
            id: id(99),
            ..rates()[4].clone()
        };
        let mut year = YearMetres::default();
        year.count(day("2026-12-01"), None, 4_000);
        let lines =
            reckon(vec![line(1, 1, 1, work("2026-10-20", 60, 3_000)), line(2, 1, 2, work("2026-10-21", 60, 1_000))], &[], year, &[tiered]);
        assert_eq!((lines[0].mileage.before, lines[0].mileage.metres_above, lines[0].mileage.cents), (4_000, 2_000, Cents(135)));
        assert_eq!((lines[1].mileage.before, lines[1].mileage.metres_above, lines[1].mileage.cents), (7_000, 1_000, Cents(40)));
    }

    #[test]
    fn a_line_comes_to_its_month_or_to_the_next_open_sheet() {
        use HourSheetStateCode as S;
        let today = day("2026-12-05");
        let at = |sheets: &[(&str, S)], wanted: &str| {
            let sheets: Vec<_> = sheets.iter().map(|(text, state)| (month(text), *state)).collect();
            place(month(wanted), &sheets, today).to_string()
        };
        assert_eq!(at(&[], "2026-10"), "2026-10");
        assert_eq!(at(&[("2026-10", S::Open)], "2026-10"), "2026-10");
        assert_eq!(at(&[("2026-10", S::Paid), ("2026-11", S::Open), ("2026-12", S::Open)], "2026-10"), "2026-11");
        assert_eq!(at(&[("2026-10", S::Paid), ("2026-09", S::Open)], "2026-10"), "2026-12");
        assert_eq!(at(&[("2026-10", S::Paid), ("2026-12", S::Submitted)], "2026-10"), "2027-01");
    }

    fn sheet() -> (HourSheet, Vec<Line>) {
        let lines = settled(vec![line(1, 1, 9, work("2026-11-02", 60, 8_200))]);
        (HourSheet { totals: Totals::of(&lines), ..HourSheet::new(id(1), id(2), id(5), id(6), month("2026-11")) }, lines)
    }

    #[test]
    fn a_sheet_goes_its_way_and_no_other() {
        let (sheet, lines) = sheet();
        let early = step("2026-11-30T21:59:59Z", 6);
        assert_eq!(sheet.clone().submit(&lines, false, early), Err(HourSheetError::MonthNotOver { month: month("2026-11") }));
        assert!(sheet.clone().submit(&lines, true, early).is_ok());
        // In Finland it is December by then.
        let over = step("2026-11-30T22:00:00Z", 6);
        assert_eq!(sheet.clone().submit(&[], false, over), Err(HourSheetError::Empty));
        let submitted = sheet.clone().submit(&lines, false, over).expect("the month is over");
        assert!(matches!(
            submitted.clone().submit(&lines, false, over),
            Err(HourSheetError::WrongState { allowed: &["return", "approve"], .. })
        ));
        let coordinator = step("2026-12-02T08:00:00Z", 7);
        let returned = submitted.clone().give_back("Kilometrit puuttuvat.".to_owned(), coordinator).expect("submitted");
        assert_eq!((returned.state_code(), returned.returned.is_some()), (HourSheetStateCode::Open, true));
        assert_eq!(submitted.clone().approve(step("2026-12-02T08:00:00Z", 6)), Err(HourSheetError::Own));
        let approved = submitted.approve(coordinator).expect("submitted");
        assert!(approved.clone().give_back(String::new(), coordinator).is_err(), "what is approved stays");
        for wrong in ["2026-12-01", "2026-12-03"] {
            assert_eq!(approved.clone().mark_paid(day(wrong), coordinator), Err(HourSheetError::PaidOnOutOfRange));
        }
        let paid = approved.mark_paid(day("2026-12-15"), step("2026-12-15T08:00:00Z", 7)).expect("approved");
        assert!(matches!(paid.clone().approve(coordinator), Err(HourSheetError::WrongState { allowed: &[], .. })));
        assert!(paid.mark_paid(day("2026-12-15"), coordinator).is_err());
    }

    #[test]
    fn kilometres_without_a_rate_are_not_handed_in() {
        let (sheet, _) = sheet();
        let lines = settled(vec![line(1, 1, 9, work("2027-01-02", 60, 8_200)), line(2, 1, 8, work("2027-01-03", 60, 0))]);
        assert!(lines[0].lacks_rate() && !lines[1].lacks_rate());
        let over = step("2027-02-01T08:00:00Z", 6);
        assert_eq!(sheet.submit(&lines, false, over), Err(HourSheetError::RateMissing { days: vec![day("2027-01-02")] }));
    }

    #[test]
    fn three_thousand_euros_are_still_free_of_tax() {
        assert!(!passes_volunteer_cap(Cents(300_000)) && passes_volunteer_cap(Cents(300_001)));
        assert!(is_non_profit(OrganisationKind::Association) && !is_non_profit(OrganisationKind::Municipality));
    }
}
