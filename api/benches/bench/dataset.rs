//! Referrals by the million: the same rows in both databases, each row a function of its number, so that every run has the same data.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use uuid::Uuid;

/// What all ids of the demo world begin with; the rows below belong to its programme and its people.
const DEMO: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0000;
/// From the first referral to the last, whatever their number.
const DAYS: i64 = 3590;
/// Visits of one support period.
const VISITS: u64 = 6;
/// The report is about this year.
pub const REPORT_YEAR: i32 = 2025;
/// Lists are about this municipality, in which six of ten clients live.
pub const MUNICIPALITY: &str = "758";
/// Lists are about this state, in which seven of ten referrals are.
pub const STATE: &str = "closed";

/// The demo's programme.
pub const PROGRAMME: Uuid = demo(0x0001);
/// The demo's referrer.
pub const REFERRER: Uuid = demo(0x0020);
/// The demo's coordinator.
pub const COORDINATOR: Uuid = demo(0x0021);
/// The organisation of the demo's referrer.
pub const ORGANISATION: Uuid = demo(0x0011);
const LINK_WORKER_USER: Uuid = demo(0x0022);
const LINK_WORKER: Uuid = demo(0x0030);

const fn demo(tail: u128) -> Uuid {
    Uuid::from_u128(DEMO | tail)
}

/// One value of a row.
#[derive(Clone, Debug)]
pub enum Cell {
    Null,
    Int(i64),
    Bool(bool),
    Text(&'static str),
    Words(String),
    Id(Uuid),
    Day(NaiveDate),
    At(DateTime<Utc>),
}

/// A table with the columns that are filled, in the order in which rows come.
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

macro_rules! tables {
    ($($id:ident = $name:literal [$($column:literal),* $(,)?];)*) => {
        /// The tables that are filled; parents before children.
        pub const TABLES: &[Table] = &[$(Table { name: $name, columns: &[$($column),*] }),*];
        /// Places in [`TABLES`].
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Into { $($id),* }
    };
}

tables! {
    Clients = "clients" [
        "id", "version", "programme_id", "provisional", "given_name", "family_name", "phone", "client_will_contact", "birth_date", "sex", "municipality",
        "language", "interpreter_needed", "non_disclosure", "lives_at_home", "created_at",
    ];
    Referrals = "referrals" [
        "id", "version", "programme_id", "client_id", "channel", "referrer_user_id", "organisation_id", "sector", "municipality", "state", "state_since",
        "coordinator_id", "queue_accepted_at", "queue_priority", "assignment_id", "support_period_id", "follow_up_on", "outcome", "end_reason", "route",
        "closed_at", "closed_by_user", "closed_by_role", "created_at", "submitted_at", "link_worker_user_id", "shared_until",
    ];
    Details = "referral_details" [
        "referral_id", "referrer_name", "referrer_contact", "feedback_wanted", "wish", "written_together", "joint_meeting_wished",
        "not_a_service_acknowledged",
    ];
    Snapshots = "referral_snapshots" [
        "referral_id", "programme_id", "submitted_on", "age", "sex", "municipality", "evaluation", "state", "outcome", "route", "sector", "reasons", "assigned",
    ];
    Reasons = "referral_reasons" ["referral_id", "reason"];
    Consents = "consents" [
        "id", "referral_id", "purposes", "withdrawn_purposes", "text_version", "language", "method", "given_with", "given_at", "recorded_by",
    ];
    Events = "events" ["id", "referral_id", "programme_id", "kind", "at", "caller_kind", "user_id", "role", "from_state", "to_state"];
    Assignments = "assignments" [
        "id", "version", "programme_id", "referral_id", "link_worker_id", "link_worker_user_id", "proposed_by", "proposed_at", "expires_at", "state",
        "answered_at", "ended_at", "end_reason",
    ];
    Periods = "support_periods" [
        "id", "version", "programme_id", "referral_id", "client_id", "starts_on", "planned_end_on", "first_planned_end_on", "state", "ended_on",
    ];
    Visits = "visits" [
        "id", "version", "programme_id", "referral_id", "client_id", "support_period_id", "visit_on", "minutes", "mode", "purpose", "support_kinds",
        "travel_metres", "travel_minutes", "barriers", "state", "recorded_at", "worker_cents_per_hour",
    ];
    Workers = "visit_workers" ["visit_id", "link_worker_id", "fee_cents_per_hour"];
    Measures = "measures" [
        "id", "support_period_id", "instrument", "instrument_version", "timepoint", "mode", "answers", "raw", "hundredths", "recorded_at",
    ];
}

/// Spreads neighbouring numbers (the finaliser of SplitMix64).
pub const fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick<T: Copy>(of: &[T], by: u64, otherwise: T) -> T {
    let place = by % (of.len().max(1) as u64);
    of.get(usize::try_from(place).unwrap_or(0)).copied().unwrap_or(otherwise)
}

/// Which data there are: `total` referrals, evenly over [`DAYS`] days.
#[derive(Clone, Copy, Debug)]
pub struct Dataset {
    pub total: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Client = 1,
    Referral,
    Consent,
    Event,
    Assignment,
    Period,
    Visit,
    Measure,
}

impl Dataset {
    fn begin() -> DateTime<Utc> {
        DateTime::from_timestamp(1_483_257_600, 0).unwrap_or_default()
    }

    fn created_at(self, number: u64) -> DateTime<Utc> {
        let micros = i128::from(DAYS) * 86_400_000_000 * i128::from(number) / i128::from(self.total.max(1));
        Self::begin() + Duration::microseconds(i64::try_from(micros).unwrap_or_default())
    }

    /// An id of the form of version 7: it sorts by the time of its referral.
    fn id(self, kind: Kind, number: u64, part: u64) -> Uuid {
        let millis = u128::try_from(self.created_at(number).timestamp_millis()).unwrap_or_default();
        let tail = u128::from(number * 16 + part) | 1 << 63;
        Uuid::from_u128(millis << 80 | 0x7 << 76 | (kind as u128) << 64 | tail)
    }

    /// The id of a referral.
    pub fn referral(self, number: u64) -> Uuid {
        self.id(Kind::Referral, number, 0)
    }

    /// Gives every row of one referral.
    pub fn rows<E>(self, number: u64, mut put: impl FnMut(Into, &[Cell]) -> Result<(), E>) -> Result<(), E> {
        use Cell::{At, Bool, Day, Id, Int, Null, Text, Words};
        let chance = scatter(number);
        let (referral, client) = (self.referral(number), self.id(Kind::Client, number, 0));
        let at = self.created_at(number);
        let municipality = pick(&[MUNICIPALITY, MUNICIPALITY, MUNICIPALITY, "261", "742"], chance >> 8, MUNICIPALITY);
        let sex = pick(&["female", "male", "other"], chance >> 12, "other");
        let born =
            NaiveDate::from_ymd_opt(1930, 1, 1).unwrap_or_default() + Duration::days(i64::try_from((chance >> 16) % 20_000).unwrap_or(0));
        let age = (at.date_naive() - born).num_days() / 366;
        let state = match chance % 100 {
            0..6 => "submitted",
            6..12 => "in_review",
            12..16 => "waitlisted",
            16..26 => "in_support",
            26..30 => "directly_guided",
            _ => STATE,
        };
        let closed = state == STATE;
        let supported = state == "in_support" || closed && (chance >> 24).is_multiple_of(7);
        let since = if state == "submitted" { at } else { at + Duration::days(20) };
        let (assignment, period) = (self.id(Kind::Assignment, number, 0), self.id(Kind::Period, number, 0));
        let when = |yes: bool, cell: Cell| if yes { cell } else { Null };

        let outcome = when(closed, Text(if supported { "completed_as_planned" } else { "redirected" }));
        let route = when(closed && supported, Text("link_worker"));
        put(
            Into::Clients,
            &[
                Id(client),
                Int(2),
                Id(PROGRAMME),
                Bool(false),
                Text(pick(&["Aino", "Eero", "Helmi", "Toivo"], chance >> 28, "Aino")),
                Words(format!("Esimerkki-{number}")),
                Text("+358 40 555 0101"),
                Bool(false),
                Day(born),
                Text(sex),
                Text(municipality),
                Text("fi"),
                Bool(false),
                Bool(false),
                Bool(true),
                At(at),
            ],
        )?;
        put(
            Into::Referrals,
            &[
                Id(referral),
                Int(if state == "submitted" { 2 } else { 3 }),
                Id(PROGRAMME),
                Id(client),
                Text("signed_in"),
                Id(REFERRER),
                Id(ORGANISATION),
                Text("elderly"),
                Text(municipality),
                Text(state),
                At(since),
                when(state != "submitted", Id(COORDINATOR)),
                when(state == "waitlisted", At(since)),
                when(state == "waitlisted", Text("normal")),
                when(state == "in_support", Id(assignment)),
                when(state == "in_support", Id(period)),
                when(state == "directly_guided", Day(since.date_naive() + Duration::days(30))),
                outcome.clone(),
                when(closed, Text(if supported { "goals_reached" } else { "other_community_support" })),
                route.clone(),
                when(closed, At(since)),
                when(closed, Id(COORDINATOR)),
                when(closed, Text("coordinator")),
                At(at),
                At(at),
                when(state == "in_support", Id(LINK_WORKER_USER)),
                Day(NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default()),
            ],
        )?;
        put(
            Into::Details,
            &[
                Id(referral),
                Text("Riikka Lähettäjä"),
                Text("riikka@example.org"),
                Bool(true),
                Text("Haluaisin taas ulkoilemaan jonkun kanssa."),
                Bool(true),
                Bool(false),
                Bool(true),
            ],
        )?;
        let all = ["daily_activity", "events_and_groups", "getting_started", "loneliness", "outdoors", "social_contacts"];
        let first = usize::try_from((chance >> 32) % 5).unwrap_or(0);
        let reasons: Vec<&'static str> = all.iter().copied().skip(first).take(2).collect();
        put(
            Into::Snapshots,
            &[
                Id(referral),
                Id(PROGRAMME),
                Day(at.date_naive()),
                Int(age),
                Text(sex),
                Text(municipality),
                Bool(true),
                Text(state),
                outcome,
                route,
                Text("elderly"),
                Words(reasons.join(",")),
                Bool(supported),
            ],
        )?;
        for reason in reasons {
            put(Into::Reasons, &[Id(referral), Text(reason)])?;
        }
        put(
            Into::Consents,
            &[
                Id(self.id(Kind::Consent, number, 0)),
                Id(referral),
                Text("evaluation,feedback_to_referrer,process_referral,share_with_link_worker"),
                Text(""),
                Text("2026-1"),
                Text("fi"),
                Text("written"),
                Text("Riikka Lähettäjä"),
                At(at),
                Id(REFERRER),
            ],
        )?;
        let kind = match state {
            "in_review" => "review_started",
            "waitlisted" => "waitlisted",
            "in_support" => "support_started",
            "directly_guided" => "directly_guided",
            _ => "referral_closed",
        };
        let line = |part: u64, kind: &'static str, at: DateTime<Utc>, user: Uuid, role: &'static str, from: Cell, to: &'static str| {
            [
                Id(self.id(Kind::Event, number, part)),
                Id(referral),
                Id(PROGRAMME),
                Text(kind),
                At(at),
                Text("user"),
                Id(user),
                Text(role),
                from,
                Text(to),
            ]
        };
        put(Into::Events, &line(0, "referral_created", at, REFERRER, "referrer", Text("draft"), "draft"))?;
        put(Into::Events, &line(1, "referral_submitted", at, REFERRER, "referrer", Text("draft"), "submitted"))?;
        if state != "submitted" {
            put(Into::Events, &line(2, kind, since, COORDINATOR, "coordinator", Text("submitted"), state))?;
        }
        if !supported {
            return Ok(());
        }
        let starts = at.date_naive() + Duration::days(5);
        let ends = at.date_naive() + Duration::days(95);
        put(
            Into::Assignments,
            &[
                Id(assignment),
                Int(2),
                Id(PROGRAMME),
                Id(referral),
                Id(LINK_WORKER),
                Id(LINK_WORKER_USER),
                Id(COORDINATOR),
                At(at),
                At(at + Duration::days(7)),
                Text(if closed { "ended" } else { "accepted" }),
                At(at + Duration::days(1)),
                when(closed, At(since)),
                when(closed, Text("support_ended")),
            ],
        )?;
        put(
            Into::Periods,
            &[
                Id(period),
                Int(1),
                Id(PROGRAMME),
                Id(referral),
                Id(client),
                Day(starts),
                Day(ends),
                Day(ends),
                Text(if closed { "ended" } else { "active" }),
                when(closed, Day(ends)),
            ],
        )?;
        for part in 0..VISITS {
            let on = starts + Duration::days(i64::try_from(part * 14).unwrap_or(0));
            let visit = self.id(Kind::Visit, number, part);
            let phone = part == 3;
            put(
                Into::Visits,
                &[
                    Id(visit),
                    Int(1),
                    Id(PROGRAMME),
                    Id(referral),
                    Id(client),
                    Id(period),
                    Day(on),
                    Int(60 + i64::try_from(chance >> 40 & 63).unwrap_or(0)),
                    Text(if phone { "phone" } else { "home_visit" }),
                    Text(if part == 0 { "first_visit" } else { "support" }),
                    Text(""),
                    Int(12_000),
                    Int(20),
                    Text(""),
                    Text("held"),
                    At(at + Duration::days(6)),
                    // A telephone call is not paid.
                    Int(if phone { 0 } else { 1300 }),
                ],
            )?;
            put(Into::Workers, &[Id(visit), Id(LINK_WORKER), Int(1300)])?;
        }
        for part in 0..if closed { 4 } else { 2 } {
            let instrument = if part % 2 == 0 { ("swemwbs", "[3, 3, 3, 3, 3, 3, 3]", 21, 1932) } else { ("recommendation", "[9]", 9, 900) };
            put(
                Into::Measures,
                &[
                    Id(self.id(Kind::Measure, number, part)),
                    Id(period),
                    Text(instrument.0),
                    Int(1),
                    Text(if part < 2 { "start" } else { "end" }),
                    Text("self"),
                    Text(instrument.1),
                    Int(instrument.2),
                    Int(instrument.3),
                    At(at),
                ],
            )?;
        }
        Ok(())
    }
}
