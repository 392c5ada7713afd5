//! How long records are kept: a dated policy for each controller and record class, with defaults where the controller has said nothing.
//!
//! No statutory period was found for a wellbeing referral outside social and health care (`finnish-facts` §7.3), so the defaults are a starting point
//! for the controller's own information-management plan, and each says on what it rests. What is counted in statistics is never deleted: it goes by
//! taking out of it what tells of a person.

use chrono::{Datelike as _, Months, NaiveDate};

use crate::codes::{Code as _, RecordClass, RetentionAction, RetentionStart};
use crate::ids::{LegalHoldId, ProgrammeId, ReferralId, RetentionPolicyId, UserId};
use crate::time::{Instant, plus_months};

/// The longest time for which a policy may keep anything, in months: a hundred years.
pub const KEEP_MONTHS_MAX: u32 = 1_200;

/// How long a class of records is kept, from a day on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Its id; none for a default.
    pub id: Option<RetentionPolicyId>,
    /// The controller's programme.
    pub programme: ProgrammeId,
    /// Which records.
    pub class: RecordClass,
    /// The first day on which it holds.
    pub valid_from: NaiveDate,
    /// For how many months from [`start`]; without end when there is none.
    pub keep_months: Option<u32>,
    /// Whether law says that they stay that long, so that a request for erasure does not reach them.
    pub statutory: bool,
    /// On what it rests.
    pub legal_basis: String,
    /// When it was given, and by whom; none for a default.
    pub given: Option<(Instant, UserId)>,
}

/// How records of a class go.
#[must_use]
pub fn action(class: RecordClass) -> RetentionAction {
    use RecordClass as C;
    match class {
        C::Client
        | C::SignIn
        | C::Referral
        | C::Consent
        | C::Timeline
        | C::Assignment
        | C::SupportPeriod
        | C::Visit
        | C::Measure
        | C::DataRequest => RetentionAction::Pseudonymise,
        C::ClientHistory | C::Message | C::ContactAttempt | C::Goal | C::StoredAnswer | C::AccessLog => RetentionAction::Delete,
        // They say nothing of the client that the statistics do not say, or are not about the client.
        C::ActivityLink | C::Statistics | C::Pay | C::Staff => RetentionAction::Keep,
    }
}

/// From when their time is counted.
#[must_use]
pub fn start(class: RecordClass) -> RetentionStart {
    use RecordClass as C;
    match class {
        C::Client | C::ClientHistory | C::SignIn => RetentionStart::LastReferralEnd,
        C::Referral
        | C::Consent
        | C::Message
        | C::ContactAttempt
        | C::Timeline
        | C::Assignment
        | C::SupportPeriod
        | C::Goal
        | C::Visit
        | C::Measure => RetentionStart::ReferralEnd,
        C::DataRequest => RetentionStart::Decision,
        C::AccessLog | C::StoredAnswer => RetentionStart::Event,
        C::Pay | C::Staff => RetentionStart::Work,
        C::ActivityLink | C::Statistics => RetentionStart::Never,
    }
}

/// Whether a policy of a controller can say how long they are kept. A sign-in goes with its client, stored answers have the two days of the document,
/// statistics no limit, and pay and staff are not the client's.
#[must_use]
pub fn has_policy(class: RecordClass) -> bool {
    action(class) != RetentionAction::Keep && !matches!(class, RecordClass::StoredAnswer | RecordClass::SignIn)
}

/// The policy where the controller has given none.
#[must_use]
pub fn default_policy(programme: ProgrammeId, class: RecordClass) -> Policy {
    use RecordClass as C;
    let (keep_months, statutory, legal_basis) = match class {
        C::Client
        | C::ClientHistory
        | C::Referral
        | C::Message
        | C::ContactAttempt
        | C::Timeline
        | C::Assignment
        | C::SupportPeriod
        | C::Goal
        | C::Visit
        | C::Measure => {
            (120, false, "The controller's information-management plan (906/2019); no statutory period is known. Default of ten years.")
        }
        C::Consent => (120, false, "Kept as long as what it proves (GDPR 7(1)). Default of ten years."),
        C::DataRequest => (60, false, "Proof that the person's rights were served (GDPR 5(2)). Default of five years."),
        C::AccessLog => (144, true, "Twelve years, as Act 703/2023 has it for logs of access; outside its scope by the controller's plan."),
        C::SignIn | C::StoredAnswer | C::ActivityLink | C::Statistics | C::Pay | C::Staff => (0, false, ""),
    };
    Policy {
        id: None,
        programme,
        class,
        valid_from: NaiveDate::MIN,
        keep_months: (keep_months > 0).then_some(keep_months),
        statutory,
        legal_basis: legal_basis.to_owned(),
        given: None,
    }
}

/// The policy of a class on a day, among those that the controller has given for its programme.
#[must_use]
pub fn policy_on(programme: ProgrammeId, class: RecordClass, given: &[Policy], day: NaiveDate) -> Policy {
    given
        .iter()
        .filter(|policy| policy.programme == programme && policy.class == class && policy.valid_from <= day)
        .max_by_key(|policy| policy.valid_from)
        .cloned()
        .unwrap_or_else(|| default_policy(programme, class))
}

/// The policies of all classes that have one, on a day.
#[must_use]
pub fn policies_on(programme: ProgrammeId, given: &[Policy], day: NaiveDate) -> Vec<Policy> {
    RecordClass::ALL.iter().filter(|class| has_policy(**class)).map(|class| policy_on(programme, *class, given, day)).collect()
}

/// The last day from which a time of some months is over on a day: for every day `d` up to it `plus_months(d, months)` is not after `on`, and for no
/// day after it.
#[must_use]
pub fn last_day_due(on: NaiveDate, months: u32) -> NaiveDate {
    let back = on.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN);
    // A month that ends early holds the ends of all days that it does not have.
    let ends_month = on.succ_opt().is_none_or(|next| next.month() != on.month());
    let mut last = back;
    while ends_month && let Some(next) = last.succ_opt().filter(|next| next.month() == back.month() && plus_months(*next, months) <= on) {
        last = next;
    }
    last
}

/// Before which instant something must have happened, for its time to be over on a day.
#[must_use]
pub fn cutoff(on: NaiveDate, months: u32) -> Instant {
    Instant::start_of_helsinki_day(last_day_due(on, months).succ_opt().unwrap_or(NaiveDate::MAX))
}

/// What keeps the records of a client, or of one referral, from being erased, whatever a policy or a request says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegalHold {
    /// Its id.
    pub id: LegalHoldId,
    /// Version of the row.
    pub version: crate::version::Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// Whose records.
    pub client: crate::ids::ClientId,
    /// Of this referral only.
    pub referral: Option<ReferralId>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub placed_at: Instant,
    /// By whom.
    pub placed_by: UserId,
    /// The last day; until it is ended when there is none.
    pub until: Option<NaiveDate>,
    /// How it was ended.
    pub ended: Option<HoldEnd>,
}

/// How a legal hold was ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldEnd {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: UserId,
    /// Why.
    pub reason: Option<String>,
}

impl LegalHold {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.ended.is_none() && self.until.is_none_or(|until| day <= until)
    }
}

/// Until when the trail of accesses may be forgotten, by the policies of all programmes for it: its chains hold the events of all of them, and an event goes
/// when none wants it any longer. `None` when one keeps them for ever.
#[must_use]
pub fn access_log_over(policies: &[Policy], on: NaiveDate) -> Option<Instant> {
    let ends = policies.iter().map(|policy| policy.keep_months.map(|months| cutoff(on, months)));
    ends.collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id as _;
    use proptest::prelude::*;

    #[test]
    fn the_trail_is_kept_as_long_as_any_programme_wants_it() {
        let on = NaiveDate::from_ymd_opt(2026, 11, 26).expect("a date");
        let programme = |number| <ProgrammeId as crate::ids::Id>::from_uuid(uuid::Uuid::from_u128(number));
        let policy = |number, keep_months| Policy { keep_months, ..default_policy(programme(number), RecordClass::AccessLog) };
        assert_eq!(access_log_over(&[policy(1, Some(24)), policy(2, Some(144))], on), Some(cutoff(on, 144)));
        assert_eq!(access_log_over(&[policy(1, Some(24)), policy(2, None)], on), None);
        assert_eq!(access_log_over(&[], on), None);
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn month_ends_fall_due_together() {
        for (on, months, last) in [
            ("2027-02-28", 1, "2027-01-31"),
            ("2028-02-28", 1, "2028-01-28"),
            ("2028-02-29", 1, "2028-01-31"),
            ("2027-03-31", 1, "2027-02-28"),
            ("2027-03-30", 1, "2027-02-28"),
            ("2027-04-30", 1, "2027-03-31"),
            ("2036-11-22", 120, "2026-11-22"),
            ("2040-02-28", 144, "2028-02-28"),
            ("2039-02-28", 132, "2028-02-29"),
            ("2039-02-28", 133, "2028-01-31"),
        ] {
            assert_eq!(last_day_due(day(on), months), day(last), "{on} {months}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_the_last_day_due_is_the_last(days in 0_i32..60_000, months in 1_u32..1_200) {
            let on = NaiveDate::from_num_days_from_ce_opt(693_594 + days).expect("a day");
            let last = last_day_due(on, months);
            prop_assert!(plus_months(last, months) <= on);
            prop_assert!(plus_months(last.succ_opt().expect("a day"), months) > on);
        }
    }

    #[test]
    fn the_newest_policy_that_has_begun_is_the_one() {
        let programme = ProgrammeId::from_uuid(uuid::Uuid::from_u128(1));
        let other = ProgrammeId::from_uuid(uuid::Uuid::from_u128(2));
        let policy = |programme, from: &str, months| Policy {
            valid_from: day(from),
            keep_months: Some(months),
            ..default_policy(programme, RecordClass::Visit)
        };
        let given = [policy(programme, "2026-01-01", 24), policy(programme, "2027-01-01", 36), policy(other, "2026-01-01", 12)];
        for (on, months) in [("2025-12-31", 120), ("2026-01-01", 24), ("2026-12-31", 24), ("2027-01-01", 36)] {
            assert_eq!(policy_on(programme, RecordClass::Visit, &given, day(on)).keep_months, Some(months), "{on}");
        }
        assert_eq!(policies_on(programme, &given, day("2026-06-01")).len(), 14);
    }

    #[test]
    fn every_class_with_a_policy_has_a_default_and_a_start() {
        for class in RecordClass::ALL {
            let default = default_policy(ProgrammeId::from_uuid(uuid::Uuid::nil()), *class);
            assert_eq!(default.keep_months.is_some(), has_policy(*class), "{class}");
            assert_eq!(default.legal_basis.is_empty(), !has_policy(*class), "{class}");
        }
    }
}
