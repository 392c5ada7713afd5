//! Feedback: what client, referrer and link worker say about one referral, each in a form of their own, while it goes on and at its end.

use crate::codes::{Code as _, FeedbackParty, FeedbackStage, FeedbackStatement, ReferralStateCode, Role};
use crate::ids::{ClientId, FeedbackId, ProgrammeId, ReferralId, UserId};
use crate::time::Instant;
use crate::version::Version;

/// The lowest agreement with a statement: not at all.
pub const RATING_MIN: u8 = 1;
/// The highest agreement with a statement: fully.
pub const RATING_MAX: u8 = 5;
/// Days in which feedback can be changed by whoever gave it.
pub const EDIT_DAYS: i64 = 30;

/// How far somebody agrees with a statement of their form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rating {
    /// The statement.
    pub statement: FeedbackStatement,
    /// From [`RATING_MIN`] to [`RATING_MAX`].
    pub rating: u8,
}

/// What somebody said about a referral at a stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Feedback {
    /// Its id.
    pub id: FeedbackId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The referral that it is about.
    pub referral: ReferralId,
    /// The client of the referral.
    pub client: ClientId,
    /// When in the work.
    pub stage: FeedbackStage,
    /// Whose words these are.
    pub party: FeedbackParty,
    /// Who wrote it down: its giver, or a coordinator for a client who does not sign in.
    pub author: UserId,
    /// In which role.
    pub author_role: Role,
    /// The statements.
    pub ratings: Vec<Rating>,
    /// In words.
    pub words: Option<String>,
    /// When it was given.
    pub given_at: Instant,
    /// When it was last changed.
    pub changed_at: Option<Instant>,
}

/// Why feedback is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FeedbackError {
    /// Nothing in it.
    #[error("feedback says something: a rating, or words")]
    Empty,
    /// A statement of another form, or twice.
    #[error("each statement of one's own form stands at most once")]
    Statement {
        /// Which.
        statement: FeedbackStatement,
    },
    /// Off the scale.
    #[error("ratings lie between {RATING_MIN} and {RATING_MAX}")]
    Rating,
    /// Not the time for it.
    #[error("the referral is not at this stage")]
    Stage {
        /// Where it stands.
        state: ReferralStateCode,
    },
    /// Too late to change it.
    #[error("feedback can be changed for {EDIT_DAYS} days")]
    TooLate,
}

impl FeedbackStatement {
    /// Whose form it stands in.
    #[must_use]
    pub fn party(self) -> FeedbackParty {
        match self {
            Self::ClientWasHeard | Self::ClientSupportFitted | Self::ClientGoalsWereMine | Self::ClientJoinsMore => FeedbackParty::Client,
            Self::ReferrerEasyToRefer | Self::ReferrerKeptInformed | Self::ReferrerClientBenefited | Self::ReferrerWouldReferAgain => {
                FeedbackParty::Referrer
            }
            Self::WorkerMatched | Self::WorkerHadTime | Self::WorkerWasSupported | Self::WorkerClientBenefited => FeedbackParty::LinkWorker,
        }
    }
}

/// Whose words somebody's are by their role; none for a coordinator, who writes down what a client says.
#[must_use]
pub fn party_of(role: Role) -> Option<FeedbackParty> {
    match role {
        Role::Client => Some(FeedbackParty::Client),
        Role::Referrer => Some(FeedbackParty::Referrer),
        Role::LinkWorker => Some(FeedbackParty::LinkWorker),
        _ => None,
    }
}

/// Whether a referral in a state is at a stage. The end may be spoken about while the support still runs: a link worker's access ends with it.
///
/// # Errors
/// When it is not.
pub fn expect_stage(stage: FeedbackStage, state: ReferralStateCode) -> Result<(), FeedbackError> {
    use ReferralStateCode as S;
    let fits = match stage {
        FeedbackStage::During => !matches!(state, S::Draft | S::Closed | S::EnteredInError),
        FeedbackStage::End => matches!(state, S::InSupport | S::DirectlyGuided | S::Closed),
    };
    if fits { Ok(()) } else { Err(FeedbackError::Stage { state }) }
}

/// Whether a form is filled in as it should be.
///
/// # Errors
/// The first thing that is wrong.
pub fn expect_form(party: FeedbackParty, ratings: &[Rating], words: Option<&str>) -> Result<(), FeedbackError> {
    if ratings.is_empty() && words.is_none() {
        return Err(FeedbackError::Empty);
    }
    for (place, Rating { statement, rating }) in ratings.iter().enumerate() {
        let again = ratings.iter().take(place).any(|other| other.statement == *statement);
        if statement.party() != party || again {
            return Err(FeedbackError::Statement { statement: *statement });
        }
        if !(RATING_MIN..=RATING_MAX).contains(rating) {
            return Err(FeedbackError::Rating);
        }
    }
    Ok(())
}

/// Whose words somebody with a role reads besides their own: a coordinator everybody's, a client also what a coordinator wrote down for them, a referrer
/// the client's when the client's consent lets them hear of it.
#[must_use]
pub fn parties_shown_to(role: Role, told_to_referrer: bool) -> &'static [FeedbackParty] {
    match role {
        Role::Coordinator => FeedbackParty::ALL,
        Role::Client => &[FeedbackParty::Client],
        Role::Referrer if told_to_referrer => &[FeedbackParty::Client],
        _ => &[],
    }
}

impl Feedback {
    /// Changes what was said.
    ///
    /// # Errors
    /// When it is too late, or the form is not filled in as it should be.
    pub fn change(self, ratings: Vec<Rating>, words: Option<String>, now: Instant) -> Result<Self, FeedbackError> {
        if now > self.given_at.plus_days(EDIT_DAYS) {
            return Err(FeedbackError::TooLate);
        }
        expect_form(self.party, &ratings, words.as_deref())?;
        Ok(Self { ratings, words, changed_at: Some(now), ..self })
    }

    /// Whether somebody with this role may read it: everybody what they gave, and see [`parties_shown_to`].
    #[must_use]
    pub fn is_shown_to(&self, role: Role, user: Option<UserId>, told_to_referrer: bool) -> bool {
        let own = Some(self.author) == user && self.author_role == role;
        own || parties_shown_to(role, told_to_referrer).contains(&self.party)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    fn id<I: Id>(number: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn given(party: FeedbackParty, author: u128, role: Role) -> Feedback {
        Feedback {
            id: id(1),
            version: Version::FIRST,
            programme: id(2),
            referral: id(3),
            client: id(4),
            stage: FeedbackStage::During,
            party,
            author: id(author),
            author_role: role,
            ratings: Vec::new(),
            words: Some("Hyvä.".to_owned()),
            given_at: at("2028-01-31T10:00:00Z"),
            changed_at: None,
        }
    }

    #[test]
    fn every_party_has_a_form_and_keeps_to_it() {
        for party in FeedbackParty::ALL {
            let own: Vec<_> = FeedbackStatement::ALL.iter().filter(|statement| statement.party() == *party).collect();
            assert_eq!(own.len(), 4, "{party}");
            let rating = |statement: FeedbackStatement, rating| Rating { statement, rating };
            assert_eq!(expect_form(*party, &[rating(*own[0], 1), rating(*own[1], 5)], None), Ok(()));
            assert_eq!(expect_form(*party, &[rating(*own[0], 0)], None), Err(FeedbackError::Rating));
            assert_eq!(expect_form(*party, &[rating(*own[0], 6)], None), Err(FeedbackError::Rating));
            let twice = [rating(*own[0], 1), rating(*own[0], 2)];
            assert_eq!(expect_form(*party, &twice, None), Err(FeedbackError::Statement { statement: *own[0] }));
            let others = FeedbackStatement::ALL.iter().find(|statement| statement.party() != *party).expect("another form");
            assert!(expect_form(*party, &[rating(*others, 3)], None).is_err());
            assert_eq!(expect_form(*party, &[], None), Err(FeedbackError::Empty));
            assert_eq!(expect_form(*party, &[], Some("Hyvä.")), Ok(()));
        }
    }

    #[test]
    fn a_stage_is_where_the_referral_stands() {
        use ReferralStateCode as S;
        let open = |stage| S::ALL.iter().copied().filter(|state| expect_stage(stage, *state).is_ok()).collect::<Vec<_>>();
        assert_eq!(open(FeedbackStage::End), [S::InSupport, S::DirectlyGuided, S::Closed]);
        assert!(!open(FeedbackStage::During).iter().any(|state| matches!(state, S::Draft | S::Closed | S::EnteredInError)));
    }

    #[test]
    fn it_can_be_changed_for_thirty_days_over_a_leap_day() {
        let changed = |now| given(FeedbackParty::Client, 9, Role::Client).change(Vec::new(), Some("Parempi.".to_owned()), now);
        assert!(changed(at("2028-03-01T10:00:00Z")).is_ok());
        assert_eq!(changed(at("2028-03-01T10:00:01Z")), Err(FeedbackError::TooLate));
    }

    #[test]
    fn who_reads_what() {
        let (me, other) = (Some(id::<UserId>(9)), Some(id::<UserId>(8)));
        let client = given(FeedbackParty::Client, 9, Role::Client);
        let worker = given(FeedbackParty::LinkWorker, 8, Role::LinkWorker);
        assert!(client.is_shown_to(Role::Coordinator, None, false) && worker.is_shown_to(Role::Coordinator, None, false));
        assert!(client.is_shown_to(Role::Client, me, false) && !worker.is_shown_to(Role::Client, me, true));
        assert!(given(FeedbackParty::Client, 7, Role::Coordinator).is_shown_to(Role::Client, me, false), "written down for them");
        assert!(client.is_shown_to(Role::Referrer, other, true) && !client.is_shown_to(Role::Referrer, other, false));
        assert!(!worker.is_shown_to(Role::Referrer, me, true) && !client.is_shown_to(Role::LinkWorker, other, true));
        assert!(worker.is_shown_to(Role::LinkWorker, other, false) && !worker.is_shown_to(Role::LinkWorker, me, false));
        assert!(!worker.is_shown_to(Role::Admin, me, true));
    }
}
