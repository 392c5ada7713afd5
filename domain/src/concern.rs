//! Concerns (huoli-ilmoitus): what somebody who works with a client has seen that must be, or may be, reported to an authority.
//!
//! Only its reporter, the coordinators and the privacy officer see a concern. The client does when a coordinator releases it. Who must report and who may
//! depends on the law that a kind falls under and on the reporter's working relation (finnish-facts §7.5).

use std::collections::BTreeSet;

use crate::codes::{ConcernKind, ConcernStateCode, ContractKind, Obligation, Role};
use crate::ids::{ClientId, ConcernGuidanceId, ConcernId, ProgrammeId, ReferralId, UserId};
use crate::programme::MunicipalityCode;
use crate::time::Instant;
use crate::version::Version;

/// Where and when a concern was reported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcernReport {
    /// To which authority.
    pub place: String,
    /// When.
    pub at: Instant,
}

/// How a concern was released to the client's view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: UserId,
    /// What is said to the client with it.
    pub words: Option<String>,
}

/// A concern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concern {
    /// Its id.
    pub id: ConcernId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The case in which it came up.
    pub referral: ReferralId,
    /// About whom.
    pub client: ClientId,
    /// What it is about.
    pub kind: ConcernKind,
    /// What was seen or heard.
    pub facts: String,
    /// Whether the client knows of it.
    pub person_informed: bool,
    /// Why they do not.
    pub not_informed_reason: Option<String>,
    /// Who was asked for advice.
    pub consulted: Option<String>,
    /// Where it was reported; not yet when there is none.
    pub reported: Option<ConcernReport>,
    /// What followed.
    pub follow_up: Option<String>,
    /// Who recorded it.
    pub reporter: UserId,
    /// In which role.
    pub reporter_role: Role,
    /// When.
    pub recorded_at: Instant,
    /// When nothing more was to be done.
    pub closed_at: Option<Instant>,
    /// Whether the client sees it.
    pub released: Option<Release>,
}

/// Where a concern stands, by when it was closed and reported.
#[must_use]
pub fn state_of(closed_at: Option<Instant>, reported_at: Option<Instant>) -> ConcernStateCode {
    match (closed_at, reported_at) {
        (Some(_), _) => ConcernStateCode::Closed,
        (None, Some(_)) => ConcernStateCode::Reported,
        (None, None) => ConcernStateCode::Open,
    }
}

/// A change of a concern: its members as they shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcernChange {
    /// See [`Concern::person_informed`].
    pub person_informed: bool,
    /// See [`Concern::not_informed_reason`].
    pub not_informed_reason: Option<String>,
    /// See [`Concern::consulted`].
    pub consulted: Option<String>,
    /// See [`Concern::reported`].
    pub reported: Option<ConcernReport>,
    /// See [`Concern::follow_up`].
    pub follow_up: Option<String>,
}

/// Why a concern is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConcernError {
    /// The client does not know, and nobody says why.
    #[error("say why the person was not informed")]
    NotInformedReasonMissing,
    /// Reported tomorrow or later.
    #[error("a concern is noted as reported when it was reported")]
    ReportedInFuture,
    /// Nothing is changed any more.
    #[error("the concern is closed")]
    Closed,
    /// The client sees it already.
    #[error("the concern is released to the client's view already")]
    Released,
}

fn expect_plausible(informed: bool, reason: Option<&str>, reported: Option<&ConcernReport>, now: Instant) -> Result<(), ConcernError> {
    if !informed && reason.is_none() {
        return Err(ConcernError::NotInformedReasonMissing);
    }
    if reported.is_some_and(|report| report.at > now) {
        return Err(ConcernError::ReportedInFuture);
    }
    Ok(())
}

impl Concern {
    /// Takes a concern on record.
    ///
    /// # Errors
    /// When it lacks why the person was not informed, or was reported in the future.
    pub fn record(self) -> Result<Self, ConcernError> {
        expect_plausible(self.person_informed, self.not_informed_reason.as_deref(), self.reported.as_ref(), self.recorded_at)?;
        Ok(self)
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ConcernStateCode {
        state_of(self.closed_at, self.reported.as_ref().map(|reported| reported.at))
    }

    /// Says more about it. The facts stay as they were recorded.
    ///
    /// # Errors
    /// When it is closed; as [`Concern::record`].
    pub fn change(self, change: ConcernChange, now: Instant) -> Result<Self, ConcernError> {
        if self.closed_at.is_some() {
            return Err(ConcernError::Closed);
        }
        let ConcernChange { person_informed, not_informed_reason, consulted, reported, follow_up } = change;
        // Once the person knows, there is nothing left to explain.
        let not_informed_reason = not_informed_reason.filter(|_| !person_informed);
        expect_plausible(person_informed, not_informed_reason.as_deref(), reported.as_ref(), now)?;
        Ok(Self { person_informed, not_informed_reason, consulted, reported, follow_up, ..self })
    }

    /// Nothing more is to be done.
    ///
    /// # Errors
    /// When it is closed already.
    pub fn close(self, follow_up: String, now: Instant) -> Result<Self, ConcernError> {
        if self.closed_at.is_some() {
            return Err(ConcernError::Closed);
        }
        Ok(Self { follow_up: Some(follow_up), closed_at: Some(now), ..self })
    }

    /// Lets the client see it.
    ///
    /// # Errors
    /// When they see it already.
    pub fn release(self, by: UserId, words: Option<String>, now: Instant) -> Result<Self, ConcernError> {
        if self.released.is_some() {
            return Err(ConcernError::Released);
        }
        Ok(Self { released: Some(Release { at: now, by, words }), ..self })
    }
}

/// Who must report a kind of concern and who may, by working relation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Obligations {
    /// Hourly staff of the municipality or the county, and its coordinators.
    pub hourly: Obligation,
    /// Those with a fee contract, who act for it.
    pub fee: Obligation,
    /// Volunteers.
    pub volunteer: Obligation,
}

impl Obligations {
    /// What somebody with such a contract has.
    #[must_use]
    pub fn of(self, contract: ContractKind) -> Obligation {
        match contract {
            ContractKind::Hourly => self.hourly,
            ContractKind::Fee => self.fee,
            ContractKind::Volunteer => self.volunteer,
        }
    }
}

/// What national law says (finnish-facts §7.5): 1301/2014 § 35 and 980/2012 § 25 bind staff, 417/2007 § 25 and 379/2011 § 42 also those who act on
/// assignment, Criminal Code 15:10 everybody; 442/1999 § 91 binds nobody. Violence at home between adults and other worries have no duty of their own.
#[must_use]
pub fn obligations(kind: ConcernKind) -> Obligations {
    use Obligation::{Duty, Right};
    match kind {
        ConcernKind::SocialCare | ConcernKind::OlderPerson => Obligations { hourly: Duty, fee: Right, volunteer: Right },
        ConcernKind::Child | ConcernKind::FireOrAccident => Obligations { hourly: Duty, fee: Duty, volunteer: Right },
        ConcernKind::SeriousCrime => Obligations { hourly: Duty, fee: Duty, volunteer: Duty },
        ConcernKind::Guardianship | ConcernKind::ViolenceAtHome | ConcernKind::Other => {
            Obligations { hourly: Right, fee: Right, volunteer: Right }
        }
    }
}

/// Where a kind of concern is reported in a municipality.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guidance {
    /// Its id.
    pub id: ConcernGuidanceId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The municipality; the whole programme when there is none.
    pub municipality: Option<MunicipalityCode>,
    /// For which kind.
    pub kind: ConcernKind,
    /// To which office.
    pub place: String,
    /// To whom there.
    pub contact: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// When somebody answers.
    pub hours: Option<String>,
    /// The law behind it, in words; the national text when there is none.
    pub law: Option<String>,
    /// The languages in which somebody answers, BCP 47 tags.
    pub languages: BTreeSet<String>,
    /// Who must and who may.
    pub obligations: Obligations,
}

/// The guidance for a kind in a place: the municipality's own before the programme's. `None` when the national text is all there is.
#[must_use]
pub fn guidance_for<'a>(all: &'a [Guidance], kind: ConcernKind, municipality: Option<&MunicipalityCode>) -> Option<&'a Guidance> {
    let fitting = |row: &&Guidance| row.kind == kind && (row.municipality.is_none() || row.municipality.as_ref() == municipality);
    all.iter().filter(fitting).max_by_key(|row| row.municipality.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code as _;
    use crate::ids::Id;

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn now() -> Instant {
        at("2026-11-22T10:00:00Z")
    }

    fn concern() -> Concern {
        Concern {
            id: id(1),
            version: Version::FIRST,
            programme: id(2),
            referral: id(3),
            client: id(4),
            kind: ConcernKind::OlderPerson,
            facts: "Jääkaappi oli tyhjä.".to_owned(),
            person_informed: false,
            not_informed_reason: Some("Ei jaksanut puhua.".to_owned()),
            consulted: None,
            reported: None,
            follow_up: None,
            reporter: id(5),
            reporter_role: Role::LinkWorker,
            recorded_at: now(),
            closed_at: None,
            released: None,
        }
    }

    fn change(concern: &Concern) -> ConcernChange {
        let Concern { person_informed, not_informed_reason, consulted, reported, follow_up, .. } = concern.clone();
        ConcernChange { person_informed, not_informed_reason, consulted, reported, follow_up }
    }

    #[test]
    fn whoever_was_not_informed_is_explained_and_a_report_lies_behind() {
        assert!(concern().record().is_ok());
        let silent = Concern { not_informed_reason: None, ..concern() };
        assert_eq!(silent.record(), Err(ConcernError::NotInformedReasonMissing));
        let report = |text: &str| Some(ConcernReport { place: "Sosiaalipäivystys".to_owned(), at: at(text) });
        assert!(Concern { reported: report("2026-11-22T10:00:00Z"), ..concern() }.record().is_ok());
        let early = Concern { reported: report("2026-11-22T10:00:00.000001Z"), ..concern() };
        assert_eq!(early.record(), Err(ConcernError::ReportedInFuture));
        let informed = concern().change(ConcernChange { person_informed: true, ..change(&concern()) }, now()).expect("open");
        assert_eq!(informed.not_informed_reason, None, "there is nothing left to explain");
        assert_eq!(
            informed.change(ConcernChange { person_informed: false, ..change(&concern()) }, now()).map(|c| c.state()),
            Ok(ConcernStateCode::Open)
        );
    }

    #[test]
    fn it_is_reported_then_closed_and_released_once() {
        let report = Some(ConcernReport { place: "Lapin hyvinvointialue".to_owned(), at: now() });
        let reported = concern().change(ConcernChange { reported: report, ..change(&concern()) }, now()).expect("open");
        assert_eq!(reported.state(), ConcernStateCode::Reported);
        let closed = reported.close("Kotihoito aloittaa.".to_owned(), now()).expect("open");
        assert_eq!(closed.state(), ConcernStateCode::Closed);
        assert_eq!(closed.clone().change(change(&closed), now()), Err(ConcernError::Closed));
        assert_eq!(closed.clone().close(String::new(), now()), Err(ConcernError::Closed));
        let released = closed.release(id(6), Some("Puhuttu yhdessä.".to_owned()), now()).expect("not yet released");
        assert_eq!(released.release(id(6), None, now()), Err(ConcernError::Released));
    }

    #[test]
    fn the_law_decides_by_kind_and_contract() {
        let duties = |contract: ContractKind| {
            let bound = ConcernKind::ALL.iter().filter(|kind| obligations(**kind).of(contract) == Obligation::Duty);
            bound.map(|kind| kind.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(duties(ContractKind::Hourly), ["social_care", "older_person", "child", "fire_or_accident", "serious_crime"]);
        assert_eq!(duties(ContractKind::Fee), ["child", "fire_or_accident", "serious_crime"]);
        assert_eq!(duties(ContractKind::Volunteer), ["serious_crime"]);
    }

    #[test]
    fn the_municipalitys_own_row_comes_first() {
        let row = |n, municipality: Option<&str>, kind| Guidance {
            id: id(n),
            version: Version::FIRST,
            programme: id(2),
            municipality: municipality.and_then(MunicipalityCode::parse),
            kind,
            place: String::new(),
            contact: None,
            phone: None,
            hours: None,
            law: None,
            languages: BTreeSet::new(),
            obligations: obligations(kind),
        };
        let all = [row(1, Some("758"), ConcernKind::Child), row(2, None, ConcernKind::Child), row(3, Some("261"), ConcernKind::Other)];
        let found =
            |kind, place: Option<&str>| guidance_for(&all, kind, place.and_then(MunicipalityCode::parse).as_ref()).map(|row| row.id);
        assert_eq!(found(ConcernKind::Child, Some("758")), Some(id(1)));
        assert_eq!(found(ConcernKind::Child, Some("261")), Some(id(2)));
        assert_eq!(found(ConcernKind::Child, None), Some(id(2)));
        assert_eq!(found(ConcernKind::Other, Some("758")), None);
    }
}
