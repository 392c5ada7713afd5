//! Referrals under way in the demo world, so that a coordinator's day has something in it. They come about as in real work: each step is taken by
//! the person whose step it is, and leaves its line in the timeline and in the audit trail.

mod work;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use lahete_domain::access::Action;
use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::actor::Caller;
use lahete_domain::assignment::{Assignment, AssignmentState, PROPOSAL_DAYS};
use lahete_domain::client::{Birth, ClientData, Contact};
use lahete_domain::codes::{
    AnswerMode, Channel, Code as _, ConsentMethod, ConsentPurpose, ContactChannel, ContactResult, EndReason, EventKind, Instrument,
    Language, MessageKind, MessageParty, Outcome, PauseReason, Priority, ReferralReason, Role, Sector, Sex, SupportKind, Timepoint,
    VisitMode, VisitPurpose,
};
use lahete_domain::consent::Consent;
use lahete_domain::goal::{Goal, GoalStep};
use lahete_domain::identity_code::IdentityCode;
use lahete_domain::ids::{Id as _, IdSource, ReferralId, SupportPeriodId, UserId};
use lahete_domain::measure::shipped::shipped;
use lahete_domain::measure::{Answer, Measure};
use lahete_domain::message::{ContactAttempt, Message};
use lahete_domain::programme::{MunicipalityCode, terms_on};
use lahete_domain::referral::command::{Close, Guide, RequestInformation, Review, Waitlist};
use lahete_domain::referral::{Changed, Content, Referral, Referrer};
use lahete_domain::support_period::{Start, SupportPeriod};
use lahete_domain::time::{Instant, plus_days, plus_months};
use lahete_domain::version::Version;
use lahete_domain::visit::{Visit, VisitContent, VisitState, VisitWorker};
use lahete_persistence::Db;
use uuid::Uuid;

use super::{id, programme};
use crate::error::AppError;
use crate::operation::OpContext;
use crate::public;
use crate::referrals::case::{self, OpenCase};
use crate::referrals::{self, NewReferral};

/// The tracking code of the referral that came through the open form, as the example of `public_referral_status` has it.
const TRACKING_CODE: &str = "LAH-7Q2M-9XKD-4TRB-W8VE-3HJN-6PYC-5FGZ-1A0S";

const RIIKKA: u16 = 0x0020;
const KAISA: u16 = 0x0021;
const LIISA: u16 = 0x0022;
const LAURI: u16 = 0x0027;

/// Gives the fixed ids of the demo world first, then new ones.
pub(super) struct FixedFirst {
    pub(super) fixed: Mutex<VecDeque<Uuid>>,
    pub(super) then: Arc<dyn IdSource>,
}

impl IdSource for FixedFirst {
    fn next_uuid(&self) -> Uuid {
        let fixed = self.fixed.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        fixed.unwrap_or_else(|| self.then.next_uuid())
    }
}

/// The people of the demo, each of whom acts in their own role: the cases come about as they do in real work.
pub(super) struct Stage<'a> {
    pub(super) ids: &'a Arc<dyn IdSource>,
    pub(super) now: Instant,
}

impl Stage<'_> {
    pub(super) fn as_user(&self, db: &mut Db<'_>, user: u16, at: Instant, operation: &'static str) -> Result<OpContext, AppError> {
        self.as_caller(db, Caller::User(id(user)), at, operation)
    }

    fn as_caller(&self, db: &mut Db<'_>, caller: Caller, at: Instant, operation: &'static str) -> Result<OpContext, AppError> {
        Ok(OpContext {
            actor: db.actor(caller, at.helsinki_date())?,
            now: at,
            request_id: "demo".to_owned(),
            operation,
            if_match: None,
            ids: Arc::clone(self.ids),
            language: Language::Finnish,
            reason: None,
        })
    }

    pub(super) fn days_ago(&self, days: i64) -> Instant {
        self.now.plus_days(-days)
    }
}

/// The ids with which a support period begins.
struct Begun {
    period: u16,
    link_worker: u16,
    first_visit: u16,
    planned_visit: Option<u16>,
    measure: u16,
    note: &'static str,
    /// In how many days the end is planned; four months after the start when nobody says otherwise.
    ends_in_days: Option<u64>,
}

struct Story {
    client: u16,
    referral: u16,
    consent: u16,
    user: Option<u16>,
    given_name: &'static str,
    family_name: &'static str,
    born: (i32, u32, u32),
    sex: Sex,
    municipality: &'static str,
    phone: &'static str,
    reasons: &'static [ReferralReason],
    wish: &'static str,
    sent_days_ago: i64,
    anonymous: bool,
}

const AINO: Story = Story {
    client: 0x0050,
    referral: 0x0060,
    consent: 0x0061,
    user: Some(0x0023),
    given_name: "Aino",
    family_name: "Esimerkki",
    born: (1942, 5, 7),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0101",
    reasons: &[ReferralReason::Loneliness, ReferralReason::Outdoors],
    wish: "Haluaisin taas ulkoilemaan jonkun kanssa.",
    sent_days_ago: 55,
    anonymous: false,
};

const SUBMITTED: Story = Story {
    client: 0x0051,
    referral: 0x0091,
    consent: 0x00a1,
    user: None,
    given_name: "Eino",
    family_name: "Esimerkki",
    born: (1939, 2, 11),
    sex: Sex::Male,
    municipality: "758",
    phone: "+358 40 555 0102",
    reasons: &[ReferralReason::Loneliness, ReferralReason::Conversation],
    wish: "Olisi mukava jutella joskus muustakin kuin sairauksista.",
    sent_days_ago: 2,
    anonymous: false,
};

const IN_REVIEW: Story = Story {
    client: 0x0052,
    referral: 0x0092,
    consent: 0x00a2,
    user: None,
    given_name: "Helmi",
    family_name: "Hiljainen",
    born: (1951, 9, 30),
    sex: Sex::Female,
    municipality: "742",
    phone: "+358 40 555 0103",
    reasons: &[ReferralReason::SocialContacts, ReferralReason::EventsAndGroups],
    wish: "Lähtisin kerhoon, jos joku tulisi ensimmäisellä kerralla mukaan.",
    sent_days_ago: 5,
    anonymous: false,
};

const WAITLISTED: Story = Story {
    client: 0x0053,
    referral: 0x0093,
    consent: 0x00a3,
    user: None,
    given_name: "Onni",
    family_name: "Odottaja",
    born: (1978, 12, 1),
    sex: Sex::Male,
    municipality: "320",
    phone: "+358 40 555 0104",
    reasons: &[ReferralReason::GettingStarted, ReferralReason::DailyActivity],
    wish: "Pitäisi saada arkeen jokin rytmi.",
    sent_days_ago: 20,
    anonymous: false,
};

const ASKED: Story = Story {
    client: 0x0054,
    referral: 0x0094,
    consent: 0x00a4,
    user: None,
    given_name: "Martta",
    family_name: "Mallinen",
    born: (1946, 4, 18),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0105",
    reasons: &[ReferralReason::PracticalHelp],
    wish: "Tarvitsisin apua puhelimen kanssa.",
    sent_days_ago: 6,
    anonymous: false,
};

const GUIDED: Story = Story {
    client: 0x0055,
    referral: 0x0095,
    consent: 0x00a5,
    user: None,
    given_name: "Toivo",
    family_name: "Tuuli",
    born: (1955, 7, 22),
    sex: Sex::Male,
    municipality: "758",
    phone: "+358 40 555 0106",
    reasons: &[ReferralReason::EventsAndGroups],
    wish: "Tahtoisin laulaa.",
    sent_days_ago: 15,
    anonymous: false,
};

const PROPOSED: Story = Story {
    client: 0x0056,
    referral: 0x0096,
    consent: 0x00a6,
    user: None,
    given_name: "Sylvi",
    family_name: "Suopursu",
    born: (1948, 1, 9),
    sex: Sex::Female,
    municipality: "261",
    phone: "+358 40 555 0107",
    reasons: &[ReferralReason::Loneliness, ReferralReason::LifestyleChange],
    wish: "Seuraa kävelylle ja kauppaan.",
    sent_days_ago: 9,
    anonymous: false,
};

const DRAFT: Story = Story {
    client: 0x0057,
    referral: 0x009a,
    consent: 0x00a7,
    user: None,
    given_name: "Kerttu",
    family_name: "Keskeneräinen",
    born: (1950, 6, 3),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0108",
    reasons: &[ReferralReason::Conversation],
    wish: "Kahviseuraa, kun tytär muutti etelään.",
    sent_days_ago: 1,
    anonymous: false,
};

const DEFERRED: Story = Story {
    client: 0x0058,
    referral: 0x009b,
    consent: 0x00a8,
    user: None,
    given_name: "Veikko",
    family_name: "Viive",
    born: (1944, 10, 14),
    sex: Sex::Male,
    municipality: "742",
    phone: "+358 40 555 0109",
    reasons: &[ReferralReason::Outdoors],
    wish: "Kalaan, kun polvi on leikattu.",
    sent_days_ago: 30,
    anonymous: false,
};

const ASSIGNED: Story = Story {
    client: 0x0059,
    referral: 0x009c,
    consent: 0x00a9,
    user: None,
    given_name: "Lempi",
    family_name: "Lumi",
    born: (1941, 3, 27),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0110",
    reasons: &[ReferralReason::SocialContacts, ReferralReason::Outdoors],
    wish: "Uskaltaisin kerhoon, jos en menisi yksin.",
    sent_days_ago: 12,
    anonymous: false,
};

const CLOSED: Story = Story {
    client: 0x005a,
    referral: 0x009d,
    consent: 0x00aa,
    user: None,
    given_name: "Urho",
    family_name: "Umpinainen",
    born: (1937, 8, 8),
    sex: Sex::Male,
    municipality: "758",
    phone: "+358 40 555 0111",
    reasons: &[ReferralReason::Loneliness],
    wish: "En tiedä vielä.",
    sent_days_ago: 8,
    anonymous: false,
};

/// Somebody who says that what stands about her is wrong: until that is looked into, her data are only stored.
const CONTESTED: Story = Story {
    client: 0x005d,
    referral: 0x00d0,
    consent: 0x00d1,
    user: None,
    given_name: "Raija",
    family_name: "Rajoitettu",
    born: (1946, 2, 28),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0114",
    reasons: &[ReferralReason::Loneliness],
    wish: "En ole pyytänyt mitään.",
    sent_days_ago: 20,
    anonymous: false,
};

const ANONYMOUS: Story = Story {
    client: 0x005b,
    referral: 0x009e,
    consent: 0x00ab,
    user: None,
    given_name: "Tyyne",
    family_name: "Tuntematon",
    born: (1949, 11, 5),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0112",
    reasons: &[ReferralReason::Loneliness],
    wish: "Naapuri toivoo, että joku kävisi.",
    sent_days_ago: 3,
    anonymous: true,
};

const PAUSED: Story = Story {
    client: 0x005c,
    referral: 0x009f,
    consent: 0x00ac,
    user: None,
    given_name: "Reino",
    family_name: "Rauhallinen",
    born: (1946, 1, 30),
    sex: Sex::Male,
    municipality: "758",
    phone: "+358 40 555 0113",
    reasons: &[ReferralReason::GettingStarted, ReferralReason::EventsAndGroups],
    wish: "Pelaisin taas lautapelejä.",
    sent_days_ago: 40,
    anonymous: false,
};

/// The referral about somebody under non-disclosure (turvakielto): Riikka, who wrote it, no longer sees where he lives.
const PROTECTED: u16 = 0x009b;

impl Story {
    fn referral(&self) -> ReferralId {
        id(self.referral)
    }

    /// The made-up code with which the example of the search finds Aino. Numbers from 900 up are given to nobody.
    fn identity_code(&self) -> Option<IdentityCode> {
        let (year, ..) = self.born;
        if self.user.is_some() { IdentityCode::parse("070542-902F", NaiveDate::from_ymd_opt(year + 80, 1, 1)?).ok() } else { None }
    }

    fn client(&self) -> Result<ClientData, AppError> {
        let (year, month, day) = self.born;
        Ok(ClientData {
            given_name: self.given_name.to_owned(),
            family_name: self.family_name.to_owned(),
            contact: Contact { phone: Some(self.phone.to_owned()), ..Contact::default() },
            birth: NaiveDate::from_ymd_opt(year, month, day).map_or(Birth::Year(year), Birth::Date),
            identity_code: self.identity_code(),
            sex: Some(self.sex),
            municipality: MunicipalityCode::parse(self.municipality).ok_or_else(|| AppError::internal("no municipality"))?,
            language: "fi".to_owned(),
            interpreter_needed: false,
            non_disclosure: self.referral == PROTECTED,
            lives_at_home: Some(true),
        })
    }

    fn consent(&self, now: Instant) -> Consent {
        Consent {
            id: id(self.consent),
            referral: self.referral(),
            purposes: [
                ConsentPurpose::ProcessReferral,
                ConsentPurpose::ShareWithLinkWorker,
                ConsentPurpose::ShareWithActivity,
                ConsentPurpose::FeedbackToReferrer,
                ConsentPurpose::Evaluation,
            ]
            .into(),
            withdrawn_purposes: [].into(),
            text_version: super::CONSENT_TEXT_VERSION.to_owned(),
            language: Language::Finnish,
            method: if self.anonymous { ConsentMethod::AssertedBySender } else { ConsentMethod::Written },
            given_with: if self.anonymous { None } else { Some("Riikka Lähettäjä".to_owned()) },
            given_at: now,
            valid_until: None,
            recorded_by: if self.anonymous { None } else { Some(id(RIIKKA)) },
            verified: None,
            withdrawn_at: None,
        }
    }
}

impl Stage<'_> {
    /// Riikka writes a referral together with the client; one comes from a neighbour through the open form.
    fn write(&self, db: &mut Db<'_>, story: &Story) -> Result<(OpContext, OpenCase), AppError> {
        let at = self.days_ago(story.sent_days_ago);
        let mut ctx = if story.anonymous {
            self.as_caller(db, Caller::Anonymous, at, "public_referral_create")?
        } else {
            self.as_user(db, RIIKKA, at, "referral_create")?
        };
        let fixed = VecDeque::from([id::<ReferralId>(story.client).as_uuid(), story.referral().as_uuid()]);
        ctx.ids = Arc::new(FixedFirst { fixed: Mutex::new(fixed), then: Arc::clone(self.ids) });
        let grant = ctx.actor.grants.iter().find(|grant| grant.role == Role::Referrer).cloned();
        let referrer = if story.anonymous {
            Referrer {
                channel: Channel::Anonymous,
                user: None,
                api_client: None,
                organisation: None,
                sector: Sector::Parish,
                name: Some("Diakoni Dora".to_owned()),
                contact: Some("+358 40 555 0199".to_owned()),
                feedback_wanted: false,
            }
        } else {
            Referrer {
                channel: Channel::SignedIn,
                user: Some(id(RIIKKA)),
                api_client: None,
                organisation: grant.as_ref().and_then(|grant| grant.organisation),
                sector: grant.as_ref().and_then(|grant| grant.sector).unwrap_or(Sector::Elderly),
                name: Some("Riikka Lähettäjä".to_owned()),
                contact: Some("riikka@lahete.example".to_owned()),
                feedback_wanted: true,
            }
        };
        let new = NewReferral {
            programme: programme(),
            client: story.client()?,
            client_user: story.user.map(id),
            referrer,
            content: Content {
                reasons: story.reasons.iter().copied().collect(),
                wish: Some(story.wish.to_owned()),
                background: None,
                written_together: !story.anonymous,
                joint_meeting_wished: false,
                not_a_service_acknowledged: true,
                source: None,
                previous: None,
            },
            grant,
        };
        let mut open = referrals::create(db, &ctx, new)?;
        referrals::add_consent(db, &ctx, &mut open, story.consent(ctx.now))?;
        Ok((ctx, open))
    }

    /// A referral is written and sent.
    fn send(&self, db: &mut Db<'_>, story: &Story) -> Result<(), AppError> {
        let (ctx, open) = self.write(db, story)?;
        referrals::submit(db, &ctx, &open)?;
        Ok(())
    }

    /// One transition, taken by a person in their own role.
    fn step(
        &self,
        db: &mut Db<'_>,
        ctx: &OpContext,
        action: Action,
        story: &Story,
        decide: impl FnOnce(Referral, &OpenCase) -> Result<Changed, AppError>,
    ) -> Result<(), AppError> {
        let open = case::open(db, ctx, action, story.referral())?;
        let changed = decide(open.case.referral.clone(), &open)?;
        case::commit(db, ctx, &open, changed, None)?;
        Ok(())
    }

    /// Kaisa takes a referral the day after it was sent.
    fn review(&self, db: &mut Db<'_>, story: &Story) -> Result<OpContext, AppError> {
        self.review_by(db, story, KAISA)
    }

    fn review_by(&self, db: &mut Db<'_>, story: &Story, coordinator: u16) -> Result<OpContext, AppError> {
        let ctx = self.as_user(db, coordinator, self.days_ago(story.sent_days_ago - 1), "referral_review")?;
        self.step(db, &ctx, Action::ReferralReview, story, |referral, _| {
            Ok(referral.review(Review { barrier: None }, id::<UserId>(coordinator), ctx.now)?)
        })?;
        Ok(ctx)
    }

    /// Kaisa proposes a link worker.
    fn propose(&self, db: &mut Db<'_>, ctx: &OpContext, story: &Story, tail: u16, worker: u16, user: u16) -> Result<Assignment, AppError> {
        let open = case::open(db, ctx, Action::AssignmentPropose, story.referral())?;
        open.case.referral.expect_proposable(&open.status)?;
        let assignment = Assignment {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            referral: story.referral(),
            link_worker: id(worker),
            link_worker_user: id(user),
            proposed_by: id(KAISA),
            proposed_at: ctx.now,
            expires_at: ctx.now.plus_days(PROPOSAL_DAYS),
            message: Some("Sopisiko sinulle? Toiveena seuraa ja ulkoilua.".to_owned()),
            state: AssignmentState::Proposed,
        };
        db.assignment_insert(&assignment)?;
        case::note(db, ctx, &open, EventKind::AssignmentProposed, None, None)?;
        Ok(assignment)
    }

    /// The link worker accepts the proposal.
    fn accept(&self, db: &mut Db<'_>, ctx: &OpContext, assignment: Assignment) -> Result<(), AppError> {
        let (referral, expected) = (assignment.referral, assignment.version);
        let accepted = assignment.accept(ctx.now)?;
        let grant = ctx.actor.grants.iter().find(|grant| grant.role == Role::LinkWorker).cloned();
        let open = case::open_by(db, ctx, referral, grant)?;
        let changed = open.case.referral.clone().assign(accepted.id, &open.status, ctx.now)?;
        db.assignment_update(&accepted, expected)?;
        case::commit(db, ctx, &open, changed, None)?;
        Ok(())
    }

    /// The link worker has met the client for the first time: the support period begins, with first visit and measure.
    fn support(&self, db: &mut Db<'_>, ctx: &OpContext, story: &Story, begun: &Begun) -> Result<(), AppError> {
        let period: SupportPeriodId = id(begun.period);
        let today = ctx.now.helsinki_date();
        let open = case::open(db, ctx, Action::SupportStart, story.referral())?;
        let changed = open.case.referral.clone().start_support(period, ctx.now)?;
        let terms = db.terms_of(programme())?;
        let terms = terms_on(&terms, today).ok_or_else(|| AppError::internal("the demo programme has no terms"))?;
        let (referral, client) = (open.case.referral.id, open.case.referral.client);
        let submitted_on = open.case.referral.submission.as_ref().map(|submission| submission.on);
        let planned_end_on = begun.ends_in_days.map_or_else(|| plus_months(today, 4), |days| plus_days(self.now.helsinki_date(), days));
        let start = Start { starts_on: today, planned_end_on, submitted_on };
        db.support_period_insert(&SupportPeriod::start(period, programme(), referral, client, start, terms, today)?)?;
        let visit = |tail: u16, content: VisitContent, state: VisitState| Visit {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            referral,
            client,
            support_period: period,
            workers: vec![VisitWorker { link_worker: id(begun.link_worker), fee_per_hour: terms.fee_per_hour, drives: true }],
            content,
            state,
        };
        let first = VisitContent {
            on: today,
            minutes: 90,
            mode: VisitMode::HomeVisit,
            purpose: VisitPurpose::FirstVisit,
            support_kinds: [SupportKind::Emotional, SupportKind::Informational].into(),
            travel_metres: 7_400,
            travel_minutes: 20,
            travel_passengers: 0,
            note: Some(begun.note.to_owned()),
            barriers: [].into(),
            unmet_needs: [].into(),
        };
        db.visit_insert(&visit(begun.first_visit, first.clone(), VisitState::Held { recorded_at: ctx.now, over_limit_reason: None }))?;
        if let Some(tail) = begun.planned_visit {
            let next = VisitContent {
                on: self.now.helsinki_date(),
                minutes: 60,
                mode: VisitMode::OtherPlace,
                purpose: VisitPurpose::GoingAlong,
                travel_metres: 0,
                travel_minutes: 0,
                travel_passengers: 0,
                note: None,
                ..first
            };
            db.visit_insert(&visit(tail, next, VisitState::Planned))?;
        }
        db.measure_insert(&Measure {
            id: id(begun.measure),
            support_period: period,
            instrument: Instrument::Swemwbs.into(),
            version: 1,
            timepoint: Timepoint::Start,
            answer: Answer::given(&shipped(Instrument::Swemwbs), AnswerMode::Interview, vec![2, 3, 3, 2, 3, 2, 3].into())
                .map_err(AppError::internal)?,
            recorded_at: ctx.now,
        })?;
        case::commit(db, ctx, &open, changed, None)?;
        case::note(db, ctx, &open, EventKind::VisitHeld, None, None)?;
        case::note(db, ctx, &open, EventKind::MeasureRecorded, None, None)
    }

    /// Aino and Liisa meet again, and talk on the telephone in between.
    fn visits(&self, db: &mut Db<'_>) -> Result<(), AppError> {
        let terms = db.terms_of(programme())?;
        for (tail, days_ago, minutes, mode, kind, note) in [
            (0x00c0, 38, 120, VisitMode::OtherPlace, SupportKind::Practical, "Käveltiin joen rantaa ja käytiin kaupassa."),
            (0x00c1, 30, 20, VisitMode::Phone, SupportKind::Emotional, "Soitin. Aino oli käynyt yksin pihalla."),
            (
                0x00c2,
                17,
                105,
                VisitMode::ActivityTogether,
                SupportKind::Network,
                "Ensimmäinen kerta Ulkoiluryhmässä. Tuttuja löytyi heti kaksi.",
            ),
            (0x00c3, 4, 90, VisitMode::OtherPlace, SupportKind::Emotional, "Kävely ja kahvit. Ensi viikolla Aino menee ryhmään itse."),
        ] {
            let ctx = self.as_user(db, LIISA, self.days_ago(days_ago), "visit_create")?;
            let on = ctx.now.helsinki_date();
            let rate = terms_on(&terms, on).ok_or_else(|| AppError::internal("the demo programme has no terms"))?.fee_per_hour;
            let open = case::open(db, &ctx, Action::VisitWrite, AINO.referral())?;
            let travels = mode != VisitMode::Phone;
            db.visit_insert(&Visit {
                id: id(tail),
                version: Version::FIRST,
                programme: programme(),
                referral: open.case.referral.id,
                client: open.case.referral.client,
                support_period: id(0x0063),
                workers: vec![VisitWorker { link_worker: id(0x0030), fee_per_hour: rate, drives: true }],
                content: VisitContent {
                    on,
                    minutes,
                    mode,
                    purpose: if mode == VisitMode::ActivityTogether { VisitPurpose::GoingAlong } else { VisitPurpose::Support },
                    support_kinds: [kind].into(),
                    travel_metres: if travels { 7_400 } else { 0 },
                    travel_minutes: if travels { 20 } else { 0 },
                    travel_passengers: u32::from(mode == VisitMode::ActivityTogether),
                    note: Some(note.to_owned()),
                    barriers: [].into(),
                    unmet_needs: [].into(),
                },
                state: VisitState::Held { recorded_at: ctx.now, over_limit_reason: None },
            })?;
            case::note(db, &ctx, &open, EventKind::VisitHeld, None, None)?;
        }
        Ok(())
    }

    /// Aino and Liisa write down a goal and choose an activity.
    fn plan(&self, db: &mut Db<'_>) -> Result<(), AppError> {
        let at = self.days_ago(AINO.sent_days_ago - 10);
        let ctx = self.as_user(db, LIISA, at, "goal_create")?;
        let open = case::open(db, &ctx, Action::PlanWrite, AINO.referral())?;
        db.goal_insert(&Goal {
            id: id(0x0064),
            version: Version::FIRST,
            support_period: id(0x0063),
            words: "Käyn taas viikoittain ulkona.".to_owned(),
            steps: vec![
                GoalStep { words: "Kävely Liisan kanssa".to_owned(), done: true },
                GoalStep { words: "Ulkoiluryhmään tutustuminen".to_owned(), done: false },
            ],
            outcome: None,
            recorded_at: ctx.now,
        })?;
        case::note(db, &ctx, &open, EventKind::GoalRecorded, None, None)?;
        let ctx = self.as_user(db, LIISA, at, "activity_link_create")?;
        self.link_activity(db, &ctx, &AINO, 0x0067, 0x0041)?;
        case::note(db, &ctx, &open, EventKind::ActivityLinked, None, None)?;
        // It has ended since, as the national directory says; that Aino was to go there stays.
        super::activities::link_with_ended(db, &ctx, AINO.referral(), id(0x00e1))
    }

    /// Reino is away from home for a while.
    fn pause(&self, db: &mut Db<'_>, story: &Story, period: u16) -> Result<(), AppError> {
        let ctx = self.as_user(db, LAURI, self.days_ago(5), "support_period_pause")?;
        let open = case::open(db, &ctx, Action::SupportPause, story.referral())?;
        let period = db.support_period_get(id(period))?.ok_or_else(|| AppError::internal("no support period"))?;
        let expected = period.version;
        db.support_period_update(&period.pause(PauseReason::ClientIll, ctx.now)?, expected)?;
        case::note(db, &ctx, &open, EventKind::SupportPaused, Some(PauseReason::ClientIll.as_str()), None)
    }

    fn link_activity(&self, db: &mut Db<'_>, ctx: &OpContext, story: &Story, tail: u16, activity: u16) -> Result<(), AppError> {
        db.activity_link_insert(&ActivityLink {
            id: id(tail),
            version: Version::FIRST,
            referral: story.referral(),
            activity: id(activity),
            state: ActivityLinkState::Proposed,
            unmet_needs: [].into(),
            proposed_at: ctx.now,
        })?;
        Ok(())
    }
}

/// Adds referrals in different states, sent in the last two months.
///
/// # Errors
/// When the database fails.
pub fn seed_cases(db: &mut Db<'_>, ids: &Arc<dyn IdSource>, now: Instant) -> Result<(), AppError> {
    let stage = Stage { ids, now };
    for story in
        [&AINO, &SUBMITTED, &IN_REVIEW, &WAITLISTED, &ASKED, &GUIDED, &PROPOSED, &DEFERRED, &ASSIGNED, &CLOSED, &ANONYMOUS, &PAUSED]
    {
        stage.send(db, story)?;
    }
    stage.write(db, &DRAFT)?;
    db.referral_tracking_code_store(ANONYMOUS.referral(), &public::cases::hash(TRACKING_CODE))?;

    stage.review(db, &AINO)?;
    let ctx = stage.as_user(db, KAISA, stage.days_ago(AINO.sent_days_ago - 1), "assignment_propose")?;
    let proposal = stage.propose(db, &ctx, &AINO, 0x0062, 0x0030, LIISA)?;
    let ctx = stage.as_user(db, LIISA, stage.days_ago(AINO.sent_days_ago - 3), "assignment_accept")?;
    stage.accept(db, &ctx, proposal)?;
    let ctx = stage.as_user(db, LIISA, stage.days_ago(AINO.sent_days_ago - 10), "support_period_start")?;
    let begun = Begun {
        period: 0x0063,
        link_worker: 0x0030,
        first_visit: 0x0065,
        planned_visit: None,
        measure: 0x0066,
        note: "Juotiin kahvit ja tutustuttiin. Sovittiin kävelystä ensi viikolle.",
        ends_in_days: None,
    };
    stage.support(db, &ctx, &AINO, &begun)?;
    stage.plan(db)?;
    stage.visits(db)?;

    for (story, tail) in [(&ASSIGNED, 0x00b0), (&PAUSED, 0x00b1)] {
        let ctx = stage.review(db, story)?;
        let proposal = stage.propose(db, &ctx, story, tail, 0x0031, LAURI)?;
        let ctx = stage.as_user(db, LAURI, stage.days_ago(story.sent_days_ago - 3), "assignment_accept")?;
        stage.accept(db, &ctx, proposal)?;
    }
    let ctx = stage.as_user(db, LAURI, stage.days_ago(PAUSED.sent_days_ago - 8), "support_period_start")?;
    let begun = Begun {
        period: 0x00b2,
        link_worker: 0x0031,
        first_visit: 0x00b3,
        planned_visit: Some(0x00b4),
        measure: 0x00b5,
        note: "Pelattiin erä korttia. Reino kertoi kirjaston pelikerhosta.",
        ends_in_days: None,
    };
    stage.support(db, &ctx, &PAUSED, &begun)?;
    stage.pause(db, &PAUSED, 0x00b2)?;

    let ctx = stage.review(db, &DEFERRED)?;
    let resume_on = plus_days(now.helsinki_date(), 30);
    stage.step(db, &ctx, Action::ReferralDefer, &DEFERRED, |referral, _| Ok(referral.defer(resume_on, ctx.now)?))?;

    let ctx = stage.review(db, &CLOSED)?;
    let close = Close { outcome: Outcome::NotStarted, end_reason: EndReason::ClientDeclined, follow_up: None, contact_attempts: 0 };
    stage.step(db, &ctx, Action::ReferralClose, &CLOSED, |referral, open| Ok(referral.close(close, open.closed_by(&ctx)?, ctx.now)?))?;

    stage.send(db, &CONTESTED)?;
    let ctx = stage.as_user(db, KAISA, stage.days_ago(CONTESTED.sent_days_ago - 1), "referral_mark_as_error")?;
    stage.step(db, &ctx, Action::ReferralMarkAsError, &CONTESTED, |referral, _| Ok(referral.mark_as_error(ctx.now)?))?;

    let ctx = stage.review(db, &IN_REVIEW)?;
    db.contact_attempt_insert(&ContactAttempt {
        id: id(0x0069),
        referral: IN_REVIEW.referral(),
        channel: ContactChannel::Phone,
        result: ContactResult::LeftMessage,
        attempted_at: ctx.now,
        recorded_by: id(KAISA),
        note: Some("Soitan uudelleen huomenna.".to_owned()),
    })?;
    let open = case::open(db, &ctx, Action::ContactAttemptRecord, IN_REVIEW.referral())?;
    case::note(db, &ctx, &open, EventKind::ContactAttempted, None, None)?;

    let mut ctx = stage.review_by(db, &WAITLISTED, super::people::ELLA)?;
    // The message about this step is an example of the document.
    let fixed = VecDeque::from([id::<ReferralId>(0x00e6).as_uuid()]);
    ctx.ids = Arc::new(FixedFirst { fixed: Mutex::new(fixed), then: Arc::clone(stage.ids) });
    stage.step(db, &ctx, Action::ReferralWaitlist, &WAITLISTED, |referral, _| {
        Ok(referral.waitlist(Waitlist { priority: Priority::Soon }, ctx.now)?)
    })?;

    let ctx = stage.review(db, &ASKED)?;
    stage.step(db, &ctx, Action::ReferralRequestInformation, &ASKED, |referral, _| {
        Ok(referral.request_information(RequestInformation { asked: MessageParty::Referrer }, ctx.now)?)
    })?;
    db.message_insert(&Message {
        id: id(0x0068),
        referral: ASKED.referral(),
        kind: MessageKind::Question,
        sender: MessageParty::Coordinator,
        recipient: MessageParty::Referrer,
        user: Some(id(KAISA)),
        words: "Onko Martalla älypuhelin vai tavallinen puhelin?".to_owned(),
        sent_at: ctx.now,
    })?;

    let ctx = stage.review(db, &GUIDED)?;
    let follow_up_on = plus_days(now.helsinki_date(), 14);
    stage.step(db, &ctx, Action::ReferralGuide, &GUIDED, |referral, _| {
        Ok(referral.guide(&Guide { activity_links: 1, follow_up_on }, ctx.now)?)
    })?;
    stage.link_activity(db, &ctx, &GUIDED, 0x0097, 0x0042)?;

    stage.review(db, &PROPOSED)?;
    // The proposal is a day old, so that it can still be answered.
    let ctx = stage.as_user(db, KAISA, stage.days_ago(1), "assignment_propose")?;
    stage.propose(db, &ctx, &PROPOSED, 0x0098, 0x0031, LAURI)?;
    super::hours::seed_hours(db, &stage)?;
    work::seed(&stage, db)?;
    super::people::seed_people(db, &stage)?;
    super::measures::seed(db, &stage, PAUSED.referral())?;
    super::rights::seed_rights(
        db,
        &super::rights::Persons { asking: id(AINO.client), held: id(CLOSED.client), contested: id(CONTESTED.client) },
        now,
    )
}
