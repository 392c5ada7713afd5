//! The people of the demo who do the work: somebody who left and whose cases passed on, somebody who is away, trainings, mentoring, breaks, concerns.

use std::collections::BTreeMap;

use lahete_domain::access::Action;
use lahete_domain::actor::Validity;
use lahete_domain::codes::{
    AbsenceReason, AuditAction, BreakReason, ConcernKind, ContractKind, Language, LinkWorkerStatus, MentoringKind, Role, TrainingKind,
};
use lahete_domain::concern::{Concern, ConcernReport, Guidance, obligations};
use lahete_domain::ids::{Id as _, ReferralId, UserId};
use lahete_domain::link_worker::{Absence, Contract, LinkWorker, MentoringSession, Training};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::programme_break::ProgrammeBreak;
use lahete_domain::time::{Instant, plus_days};
use lahete_domain::user::{RoleAssignment, User};
use lahete_domain::version::Version;
use lahete_persistence::Db;

use super::cases::Stage;
use super::{FIRST_DAY, first_morning, id, municipalities, programme, tags};
use crate::error::AppError;
use crate::handovers::cases::make;
use crate::handovers::wire::HandoverCreate;
use crate::http::wire::LongText;
use crate::referrals::case;

/// Was the coordinator before Kaisa took over.
pub(super) const ELLA: u16 = 0x002a;
/// A link worker who studies this month.
const OONA: u16 = 0x002b;
const OONA_WORKER: u16 = 0x0038;
const KAISA: u16 = 0x0021;
const LIISA: u16 = 0x0022;
const LIISA_WORKER: u16 = 0x0030;
const LAURI: u16 = 0x0027;
const LAURI_WORKER: u16 = 0x0031;
/// Aino's referral, and Reino's.
const AINO_REFERRAL: u16 = 0x0060;
const REINO_REFERRAL: u16 = 0x009f;
/// Days since Ella left.
const LEFT_DAYS_AGO: i64 = 14;

/// Adds those who do not sign in: the coordinator who left, and the link worker who is away.
///
/// # Errors
/// When the database fails.
pub(super) fn seed_colleagues(db: &mut Db<'_>, now: Instant) -> Result<(), AppError> {
    let left = now.plus_days(-LEFT_DAYS_AGO).helsinki_date().max(FIRST_DAY);
    for (tail, login, name, role, until) in
        [(ELLA, "ella", "Ella Edeltäjä", Role::Coordinator, Some(left)), (OONA, "oona", "Oona Opiskelija", Role::LinkWorker, None)]
    {
        let user = User {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            login: login.to_owned(),
            name: name.to_owned(),
            active: true,
        };
        db.user_insert(&user, None)?;
        db.role_assignment_insert(&RoleAssignment {
            id: id(tail + 0x0050),
            version: Version::FIRST,
            programme: programme(),
            user: user.id,
            role,
            organisation: Some(id(0x0010)),
            validity: Validity { from: FIRST_DAY, until },
            given_by: None,
            given_at: first_morning(),
        })?;
    }
    db.link_worker_insert(&LinkWorker {
        id: id(OONA_WORKER),
        version: Version::FIRST,
        programme: programme(),
        user: id(OONA),
        name: "Oona Opiskelija".to_owned(),
        status: LinkWorkerStatus::Active,
        municipalities: municipalities(&["758", "320"]),
        languages: tags(&["fi", "sv"]),
        interests: Some("Valokuvaus, koirat".to_owned()),
        max_clients: 2,
        hours_per_month: 20,
    })?;
    db.contract_insert(&Contract {
        id: id(OONA_WORKER),
        link_worker: id(OONA_WORKER),
        kind: ContractKind::Volunteer,
        employer: id(0x0013),
        validity: Validity { from: FIRST_DAY, until: None },
        fee_per_hour: None,
        insurance_note: Some("Yhdistyksen vapaaehtoisten vakuutus".to_owned()),
    })?;
    Ok(())
}

/// Adds everything that needs cases to be there.
///
/// # Errors
/// When the database fails.
pub(super) fn seed_people(db: &mut Db<'_>, stage: &Stage<'_>) -> Result<(), AppError> {
    handover(db, stage)?;
    trainings(db, stage.now)?;
    absences(db, stage.now)?;
    breaks(db, stage.now)?;
    guidance(db)?;
    concerns(db, stage)
}

/// Ella's cases pass to Kaisa.
fn handover(db: &mut Db<'_>, stage: &Stage<'_>) -> Result<(), AppError> {
    let ctx = stage.as_user(db, KAISA, stage.now.plus_days(-LEFT_DAYS_AGO), "handover_make")?;
    let reason = LongText::new("Ella siirtyi muihin tehtäviin.").ok_or_else(|| AppError::internal("a reason that does not fit"))?;
    let body = HandoverCreate {
        programme_id: programme().as_uuid(),
        from_user_id: Some(id::<UserId>(ELLA).as_uuid()),
        to_user_id: Some(id::<UserId>(KAISA).as_uuid()),
        from_link_worker_id: None,
        to_link_worker_id: None,
        reason,
        message: None,
        validate_only: false,
    };
    make(db, &ctx, &body).map(drop)
}

/// Liisa's refresher falls due within days, Lauri's was lately, Oona's long ago; two of them were mentored.
fn trainings(db: &mut Db<'_>, now: Instant) -> Result<(), AppError> {
    let day = |days: i64| now.plus_days(-days).helsinki_date();
    for (tail, worker, kind, on) in [
        (0x0036, LIISA_WORKER, TrainingKind::Refresher, day(175)),
        (0x0037, LAURI_WORKER, TrainingKind::Refresher, day(60)),
        (0x0039, OONA_WORKER, TrainingKind::BasicCourse, day(400)),
    ] {
        db.training_insert(&Training {
            id: id(tail),
            link_worker: id(worker),
            kind,
            provider: "Lapin kesäyliopisto".to_owned(),
            completed_on: on,
            credits_tenths: None,
        })?;
    }
    for (tail, worker, kind, days, minutes) in
        [(0x00ea, LIISA_WORKER, MentoringKind::Group, 10, 90), (0x00eb, LAURI_WORKER, MentoringKind::Individual, 24, 60)]
    {
        db.mentoring_session_insert(&MentoringSession {
            id: id(tail),
            link_worker: id(worker),
            on: day(days),
            minutes,
            mentor: "Kaisa Koordinaattori".to_owned(),
            kind,
            recorded_by: id(KAISA),
            recorded_at: now.plus_days(-days),
        })?;
    }
    Ok(())
}

/// Oona is away now, Liisa in two weeks.
fn absences(db: &mut Db<'_>, now: Instant) -> Result<(), AppError> {
    let today = now.helsinki_date();
    for (tail, worker, user, from, until, reason) in [
        (0x00e8, LIISA_WORKER, LIISA, plus_days(today, 14), Some(plus_days(today, 21)), AbsenceReason::Holiday),
        (0x00e9, OONA_WORKER, OONA, now.plus_days(-5).helsinki_date(), Some(plus_days(today, 25)), AbsenceReason::Study),
    ] {
        db.absence_insert(&Absence {
            id: id(tail),
            version: Version::FIRST,
            link_worker: id(worker),
            days: Validity { from, until },
            reason,
            recorded_by: id(user),
            recorded_at: now.plus_days(-7),
        })?;
    }
    Ok(())
}

/// A break that is over, and one to come.
fn breaks(db: &mut Db<'_>, now: Instant) -> Result<(), AppError> {
    let today = now.helsinki_date();
    let words = |fi: &str, sv: &str| BTreeMap::from([(Language::Finnish, fi.to_owned()), (Language::Swedish, sv.to_owned())]);
    for (tail, from, until, reason, words) in [
        (
            0x00ec,
            now.plus_days(-130).helsinki_date(),
            now.plus_days(-110).helsinki_date(),
            BreakReason::Staffing,
            words("Toiminta oli tauolla, kun koordinaattoria ei ollut.", "Verksamheten hade uppehåll utan koordinator."),
        ),
        (
            0x00ed,
            plus_days(today, 32),
            plus_days(today, 45),
            BreakReason::HolidaySeason,
            words("Joulutauko: palaamme loppiaisen jälkeen.", "Juluppehåll: vi är tillbaka efter trettondagen."),
        ),
    ] {
        db.programme_break_insert(&ProgrammeBreak {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            days: Validity { from, until: Some(until) },
            reason,
            words,
        })?;
    }
    Ok(())
}

/// What the programme says of its own where a concern is reported.
fn guidance(db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, municipality, kind, place, contact, phone, hours) in [
        (
            0x00e4,
            Some("758"),
            ConcernKind::OlderPerson,
            "Lapin hyvinvointialue, ikääntyneiden palvelut, Sodankylä",
            "Palveluohjaaja",
            "+358 40 555 0170",
            "ma–pe 8–16",
        ),
        (
            0x00e5,
            None,
            ConcernKind::FireOrAccident,
            "Lapin pelastuslaitos",
            "Päivystävä palomestari",
            "+358 40 555 0172",
            "ympäri vuorokauden",
        ),
    ] {
        db.concern_guidance_insert(&Guidance {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            municipality: municipality.and_then(MunicipalityCode::parse),
            kind,
            place: place.to_owned(),
            contact: Some(contact.to_owned()),
            phone: Some(phone.to_owned()),
            hours: Some(hours.to_owned()),
            law: None,
            languages: tags(&["fi", "se"]),
            obligations: obligations(kind),
        })?;
    }
    Ok(())
}

/// One concern at each stage: not yet reported, reported, closed, and released to the client.
fn concerns(db: &mut Db<'_>, stage: &Stage<'_>) -> Result<(), AppError> {
    struct Told {
        tail: u16,
        referral: u16,
        user: u16,
        role: Role,
        days_ago: i64,
        kind: ConcernKind,
        facts: &'static str,
        informed: bool,
        reported: Option<&'static str>,
        closed: Option<&'static str>,
        released: Option<&'static str>,
    }
    for told in [
        Told {
            tail: 0x00e0,
            referral: AINO_REFERRAL,
            user: LIISA,
            role: Role::LinkWorker,
            days_ago: 3,
            kind: ConcernKind::OlderPerson,
            facts: "Jääkaappi on tyhjä toista viikkoa, eikä lääkkeitä ole haettu.",
            informed: false,
            reported: None,
            closed: None,
            released: None,
        },
        Told {
            tail: 0x00e1,
            referral: REINO_REFERRAL,
            user: LAURI,
            role: Role::LinkWorker,
            days_ago: 20,
            kind: ConcernKind::FireOrAccident,
            facts: "Lieden päällä kuivui sanomalehtiä, palovaroitin oli irrotettu.",
            informed: true,
            reported: Some("Lapin pelastuslaitos"),
            closed: None,
            released: None,
        },
        Told {
            tail: 0x00e2,
            referral: REINO_REFERRAL,
            user: KAISA,
            role: Role::Coordinator,
            days_ago: 12,
            kind: ConcernKind::SocialCare,
            facts: "Vuokra on maksamatta kolmelta kuulta.",
            informed: true,
            reported: Some("Lapin hyvinvointialue, sosiaalitoimisto"),
            closed: Some("Sosiaaliohjaaja tekee Reinon kanssa maksusuunnitelman."),
            released: None,
        },
        Told {
            tail: 0x00e3,
            referral: AINO_REFERRAL,
            user: KAISA,
            role: Role::Coordinator,
            days_ago: 30,
            kind: ConcernKind::SocialCare,
            facts: "Aino ei päässyt portaita yksin, ja ruokahuolto oli epävarmaa.",
            informed: true,
            reported: Some("Lapin hyvinvointialue, ikääntyneiden palvelut"),
            closed: Some("Ateriapalvelu alkoi."),
            released: Some("Puhuimme tästä yhdessä puhelimessa."),
        },
    ] {
        let at = stage.now.plus_days(-told.days_ago);
        let ctx = stage.as_user(db, told.user, at, "concern_create")?;
        let open = case::open(db, &ctx, Action::ConcernRecord, id::<ReferralId>(told.referral))?;
        let concern = Concern {
            id: id(told.tail),
            version: Version::FIRST,
            programme: programme(),
            referral: open.case.referral.id,
            client: open.case.referral.client,
            kind: told.kind,
            facts: told.facts.to_owned(),
            person_informed: told.informed,
            not_informed_reason: (!told.informed).then(|| "Ei jaksanut puhua asiasta.".to_owned()),
            consulted: None,
            reported: told.reported.map(|place| ConcernReport { place: place.to_owned(), at }),
            follow_up: None,
            reporter: id(told.user),
            reporter_role: told.role,
            recorded_at: at,
            closed_at: None,
            released: None,
        };
        let mut concern = concern.record()?;
        if let Some(follow_up) = told.closed {
            concern = concern.close(follow_up.to_owned(), at.plus_days(5))?;
        }
        if let Some(words) = told.released {
            concern = concern.release(id(KAISA), Some(words.to_owned()), at.plus_days(6))?;
        }
        db.concern_insert(&concern)?;
        case::audit(db, &ctx, &open, AuditAction::Created);
    }
    Ok(())
}
