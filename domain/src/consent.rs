//! Consent: what the client has agreed to, and what that opens today (product §6).
//!
//! No consent, no referral; no purpose, no sharing. What a sender without a sign-in asserts opens nothing to anyone but the coordinator
//! until the coordinator has verified it with the client.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::codes::{ConsentMethod, ConsentPurpose, Language};
use crate::ids::{ConsentId, ConsentTextId, ProgrammeId, ReferralId, UserId};
use crate::time::Instant;

/// One recorded consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// The referral that it was given for.
    pub referral: ReferralId,
    /// What the client agreed to.
    pub purposes: BTreeSet<ConsentPurpose>,
    /// What the client has withdrawn since.
    pub withdrawn_purposes: BTreeSet<ConsentPurpose>,
    /// Version of the text that the client heard or read.
    pub text_version: String,
    /// Language of that text.
    pub language: Language,
    /// How it was given.
    pub method: ConsentMethod,
    /// With whom the client gave it, in words.
    pub given_with: Option<String>,
    /// When it was given.
    pub given_at: Instant,
    /// The last day on which it holds; open when there is none.
    pub valid_until: Option<NaiveDate>,
    /// Who wrote it down; nobody known for an anonymous sender.
    pub recorded_by: Option<UserId>,
    /// When and by whom an asserted consent was verified with the client.
    pub verified: Option<(Instant, UserId)>,
    /// When the last purpose was withdrawn, or the newest of the withdrawals.
    pub withdrawn_at: Option<Instant>,
}

impl Consent {
    /// Whether the client's word stands behind it, and not only a sender's.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.method != ConsentMethod::AssertedBySender || self.verified.is_some()
    }

    /// What it opens on a day.
    #[must_use]
    pub fn open_purposes(&self, today: NaiveDate) -> BTreeSet<ConsentPurpose> {
        if self.valid_until.is_some_and(|until| until < today) {
            return BTreeSet::new();
        }
        self.purposes.difference(&self.withdrawn_purposes).copied().collect()
    }

    /// Takes purposes back; withdrawing is as easy as giving, so an unknown or repeated purpose does no harm.
    ///
    /// # Errors
    /// [`AlreadyWithdrawn`] when nothing of it is left to take back.
    pub fn withdraw(mut self, purposes: &BTreeSet<ConsentPurpose>, now: Instant) -> Result<Self, AlreadyWithdrawn> {
        let before = self.withdrawn_purposes.len();
        self.withdrawn_purposes.extend(self.purposes.intersection(purposes).copied());
        // Without the processing itself there is nothing left to share.
        if self.withdrawn_purposes.contains(&ConsentPurpose::ProcessReferral) {
            self.withdrawn_purposes.clone_from(&self.purposes);
        }
        if self.withdrawn_purposes.len() == before {
            return Err(AlreadyWithdrawn);
        }
        self.withdrawn_at = Some(now);
        Ok(self)
    }

    /// Notes that a coordinator has asked the client.
    #[must_use]
    pub fn verify(mut self, by: UserId, now: Instant) -> Self {
        self.verified.get_or_insert((now, by));
        self
    }
}

/// One version of the text that a programme's clients consent to, in one language. It is never changed: what somebody has agreed to must be there to
/// be read, word for word, as long as it is to prove anything (GDPR 7(1)). A new version takes its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentText {
    /// Its id.
    pub id: ConsentTextId,
    /// Whose text it is.
    pub programme: ProgrammeId,
    /// The version, as consents name it.
    pub version: String,
    /// The language of the text.
    pub language: Language,
    /// The text itself.
    pub body: String,
    /// The first day on which it may be used.
    pub valid_from: NaiveDate,
    /// When it was published.
    pub published_at: Instant,
    /// By whom; nobody known when the programme was set up with it.
    pub published_by: Option<UserId>,
}

/// What only a consent opens (product §6): one thing for each purpose, and nothing besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// The referral is sent, and a coordinator works on it.
    Handling,
    /// A link worker is proposed, sees the case once they have accepted, and works on it.
    LinkWorker,
    /// Whoever holds an activity may be told about the client.
    Activity,
    /// The referrer hears of the milestones and the end, and reads what the client said.
    Feedback,
    /// The client's answers are counted in what is said about the effect.
    Evaluation,
}

impl Opening {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Handling, Self::LinkWorker, Self::Activity, Self::Feedback, Self::Evaluation];

    /// The purpose that opens it.
    #[must_use]
    pub fn purpose(self) -> ConsentPurpose {
        match self {
            Self::Handling => ConsentPurpose::ProcessReferral,
            Self::LinkWorker => ConsentPurpose::ShareWithLinkWorker,
            Self::Activity => ConsentPurpose::ShareWithActivity,
            Self::Feedback => ConsentPurpose::FeedbackToReferrer,
            Self::Evaluation => ConsentPurpose::Evaluation,
        }
    }
}

/// Nothing is left to withdraw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("these purposes are withdrawn already")]
pub struct AlreadyWithdrawn;

/// The last day on which the client's own consents share a referral for a purpose; [`OPEN_ENDED`] when they are open-ended. Kept with the
/// referral, so that a list asks the calendar and not every consent.
#[must_use]
pub fn shared_until(consents: &[Consent], purpose: ConsentPurpose) -> Option<NaiveDate> {
    let until = |wanted: ConsentPurpose| {
        consents
            .iter()
            .filter(|consent| consent.is_verified() && consent.purposes.contains(&wanted) && !consent.withdrawn_purposes.contains(&wanted))
            .map(|consent| consent.valid_until.unwrap_or(OPEN_ENDED))
            .max()
    };
    Some(until(ConsentPurpose::ProcessReferral)?.min(until(purpose)?))
}

/// A day that no calendar of ours reaches, for "without end"; both databases can hold it.
pub const OPEN_ENDED: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// What all consents of a referral open together today.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsentStatus {
    /// Purposes that are open, whoever asserts them.
    pub open: BTreeSet<ConsentPurpose>,
    /// Purposes that the client themself stands behind.
    pub verified: BTreeSet<ConsentPurpose>,
}

impl ConsentStatus {
    /// Sums up the consents of one referral.
    #[must_use]
    pub fn of(consents: &[Consent], today: NaiveDate) -> Self {
        let mut status = Self::default();
        for consent in consents {
            let open = consent.open_purposes(today);
            if consent.is_verified() {
                status.verified.extend(open.iter().copied());
            }
            status.open.extend(open);
        }
        status
    }

    /// Whether something is open today. What a sender asserts lets the coordinator work, who asks the client, and lets in nobody else; and nothing
    /// is open without the processing itself.
    #[must_use]
    pub fn opens(&self, opening: Opening) -> bool {
        match opening {
            Opening::Handling => self.open.contains(&ConsentPurpose::ProcessReferral),
            Opening::LinkWorker | Opening::Activity | Opening::Feedback | Opening::Evaluation => self.shares(opening.purpose()),
        }
    }

    /// Whether somebody other than the coordinator may be let in for this purpose.
    #[must_use]
    pub fn shares(&self, purpose: ConsentPurpose) -> bool {
        self.verified.contains(&ConsentPurpose::ProcessReferral) && self.verified.contains(&purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code as _;
    use crate::ids::Id;

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn consent(method: ConsentMethod) -> Consent {
        Consent {
            id: ConsentId::from_uuid(uuid::Uuid::from_u128(1)),
            referral: ReferralId::from_uuid(uuid::Uuid::from_u128(2)),
            purposes: BTreeSet::from([ConsentPurpose::ProcessReferral, ConsentPurpose::ShareWithLinkWorker]),
            withdrawn_purposes: BTreeSet::new(),
            text_version: "2026-1".to_owned(),
            language: Language::Finnish,
            method,
            given_with: None,
            given_at: at("2026-11-22T10:00:00Z"),
            valid_until: None,
            recorded_by: None,
            verified: None,
            withdrawn_at: None,
        }
    }

    #[test]
    fn an_assertion_opens_nothing_to_others_until_it_is_verified() {
        let today = at("2026-11-22T10:00:00Z").helsinki_date();
        let asserted = consent(ConsentMethod::AssertedBySender);
        let status = ConsentStatus::of(std::slice::from_ref(&asserted), today);
        assert!(status.open.contains(&ConsentPurpose::ProcessReferral));
        assert!(!status.shares(ConsentPurpose::ShareWithLinkWorker));
        let verified = asserted.verify(UserId::from_uuid(uuid::Uuid::from_u128(3)), at("2026-11-23T10:00:00Z"));
        assert!(ConsentStatus::of(&[verified], today).shares(ConsentPurpose::ShareWithLinkWorker));
    }

    /// Whatever is given, and however it stands: each purpose opens its own thing, and none of them anything else.
    #[test]
    fn each_purpose_opens_exactly_what_it_should() {
        let (given, later) = (at("2026-11-22T10:00:00Z"), at("2026-11-24T10:00:00Z"));
        let all: BTreeSet<ConsentPurpose> = ConsentPurpose::ALL.iter().copied().collect();
        for subset in 0_u32..(1 << ConsentPurpose::ALL.len()) {
            let purposes: BTreeSet<_> =
                ConsentPurpose::ALL.iter().enumerate().filter(|(place, _)| subset >> place & 1 == 1).map(|(_, purpose)| *purpose).collect();
            for method in [ConsentMethod::Oral, ConsentMethod::AssertedBySender] {
                let base = Consent { purposes: purposes.clone(), ..consent(method) };
                let ended = Consent { valid_until: Some(given.helsinki_date()), ..base.clone() };
                let withdrawn = Consent { withdrawn_purposes: all.clone(), ..base.clone() };
                let today = later.helsinki_date();
                for (consent, holds) in [(base.clone(), true), (ended, false), (withdrawn, false)] {
                    let verified = consent.is_verified();
                    let status = ConsentStatus::of(std::slice::from_ref(&consent), today);
                    for opening in Opening::ALL {
                        let handled = purposes.contains(&ConsentPurpose::ProcessReferral);
                        let wanted =
                            holds && handled && purposes.contains(&opening.purpose()) && (verified || *opening == Opening::Handling);
                        assert_eq!(status.opens(*opening), wanted, "{opening:?} by {purposes:?}, {method:?}, holds: {holds}");
                        let until = shared_until(std::slice::from_ref(&consent), opening.purpose());
                        if *opening != Opening::Handling {
                            assert_eq!(until.is_some_and(|until| today <= until), wanted, "kept with the referral: {opening:?}");
                        }
                    }
                }
            }
        }
    }

    /// Taking one purpose back closes what it opened, and nothing else; without the processing nothing is open.
    #[test]
    fn each_purpose_closes_exactly_what_it_opened() {
        let now = at("2026-11-23T10:00:00Z");
        let whole = Consent { purposes: ConsentPurpose::ALL.iter().copied().collect(), ..consent(ConsentMethod::Written) };
        for purpose in ConsentPurpose::ALL {
            let less = whole.clone().withdraw(&BTreeSet::from([*purpose]), now).expect("open");
            let status = ConsentStatus::of(&[less], now.helsinki_date());
            for opening in Opening::ALL {
                let stays = opening.purpose() != *purpose && *purpose != ConsentPurpose::ProcessReferral;
                assert_eq!(status.opens(*opening), stays, "{opening:?} without {purpose:?}");
            }
        }
    }

    #[test]
    fn withdrawing_the_processing_withdraws_everything() {
        let now = at("2026-11-23T10:00:00Z");
        let withdrawn = consent(ConsentMethod::Oral).withdraw(&BTreeSet::from([ConsentPurpose::ProcessReferral]), now).expect("open");
        assert!(withdrawn.open_purposes(now.helsinki_date()).is_empty());
        assert_eq!(withdrawn.withdraw(&BTreeSet::from([ConsentPurpose::ProcessReferral]), now), Err(AlreadyWithdrawn));
    }

    #[test]
    fn one_purpose_can_go_and_the_others_stay() {
        let now = at("2026-11-23T10:00:00Z");
        let less = consent(ConsentMethod::Oral).withdraw(&BTreeSet::from([ConsentPurpose::ShareWithLinkWorker]), now).expect("open");
        let status = ConsentStatus::of(&[less], now.helsinki_date());
        assert!(!status.shares(ConsentPurpose::ShareWithLinkWorker));
        assert!(status.shares(ConsentPurpose::ProcessReferral));
    }

    #[test]
    fn a_consent_ends_after_its_last_day() {
        let mut limited = consent(ConsentMethod::Oral);
        limited.valid_until = NaiveDate::from_ymd_opt(2026, 12, 31);
        assert!(!limited.open_purposes(NaiveDate::from_ymd_opt(2026, 12, 31).expect("a date")).is_empty());
        assert!(limited.open_purposes(NaiveDate::from_ymd_opt(2027, 1, 1).expect("a date")).is_empty());
        assert_eq!(shared_until(std::slice::from_ref(&limited), ConsentPurpose::ShareWithLinkWorker), limited.valid_until);
        assert_eq!(shared_until(&[limited, consent(ConsentMethod::Oral)], ConsentPurpose::ShareWithLinkWorker), Some(OPEN_ENDED));
        assert_eq!(shared_until(&[consent(ConsentMethod::AssertedBySender)], ConsentPurpose::ShareWithLinkWorker), None);
    }
}
