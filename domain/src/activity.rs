//! The activity directory (palvelutarjotin), and the activities that clients were guided to. Shaped after Open Referral HSDS 3.0: a service with its
//! provider, places, times and cost.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use uuid::Uuid;

use crate::activity_import::{is_business_id, is_personal_email, is_web_address};
use crate::codes::{
    ActivityLinkStateCode, ActivitySource, ActivityStatus, Barrier, ContentKind, DayOfWeek, OrganisationKind, Price, Theme, UnmetNeed,
};
use crate::ids::{ActivityId, ActivityLinkId, OrganisationId, ProgrammeId, ReferralId};
use crate::programme::MunicipalityCode;
use crate::time::Instant;
use crate::version::Version;

/// Most municipalities of one entry: more than Finland has.
pub const MUNICIPALITIES_MAX: usize = 320;
/// Most times of opening in a week.
pub const TIMES_MAX: usize = 28;
/// Most places of one entry.
pub const PLACES_MAX: usize = 20;
/// Most other languages in which an entry is described.
pub const TRANSLATIONS_MAX: usize = 10;
/// Letters of what an entry is filed under.
pub const KEYWORDS_MAX: usize = 1_000;

/// Why an entry is not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ActivityError {
    /// Another directory says that it has ended.
    #[error("It has ended, as the directory says in which it is kept.")]
    Ended,
    /// What it is comes from another directory.
    #[error("The entry is kept in the national service directory: change it there, or only what coordinators say of it here.")]
    KeptElsewhere,
}

/// What makes no sense in an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ActivityFault {
    /// Checked tomorrow or later.
    #[error("Nobody has checked it on a day to come.")]
    CheckedInFuture,
    /// For the whole country, and for some municipalities.
    #[error("What is for everybody names no municipalities.")]
    MunicipalitiesOfNationwide,
    /// A time of opening that ends before it begins.
    #[error("It closes after it has opened, the same day.")]
    ClosesBeforeOpening {
        /// Which, from 0.
        place: usize,
    },
    /// No e-mail address.
    #[error("An e-mail address has an @.")]
    Email,
    /// A person's e-mail address.
    #[error("The directory names how an organisation is reached, not a person.")]
    PersonalEmail,
    /// No address of a page.
    #[error("A web page begins with https:// or http://.")]
    Web,
    /// The check digit is wrong.
    #[error("This is no business id.")]
    BusinessId,
}

/// The language of an entry that does not say another.
pub const MAIN_LANGUAGE: &str = "fi";

/// Who provides an activity, as another directory says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Its business id (Y-tunnus).
    pub business_id: Option<String>,
    /// What kind of organisation.
    pub kind: Option<OrganisationKind>,
}

/// What an activity is called and what happens there, in another language than its main one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Translation {
    /// Its name.
    pub name: String,
    /// In a sentence.
    pub summary: Option<String>,
    /// At length.
    pub description: Option<String>,
}

/// When it is open or held, each week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OpeningTime {
    /// On which day.
    pub weekday: DayOfWeek,
    /// From when.
    pub opens_at: NaiveTime,
    /// Until when, the same day.
    pub closes_at: NaiveTime,
}

/// Where it is held: a place of an organisation, never somebody's home.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Place {
    /// What the place is called.
    pub name: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Post office.
    pub post_office: Option<String>,
    /// The municipality in which it lies.
    pub municipality: Option<MunicipalityCode>,
}

/// How the organisation is reached. Never a named person's telephone or e-mail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    /// Telephone.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Web page.
    pub web: Option<String>,
}

/// An entry of the directory that one can join.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// Its version.
    pub version: Version,
    /// The programme whose coordinators keep it.
    pub programme: ProgrammeId,
    /// Who provides it, when it is an organisation of the programme.
    pub organisation: Option<OrganisationId>,
    /// Who provides it, as another directory says.
    pub provider: Option<Provider>,
    /// Its name, in its main language.
    pub name: String,
    /// Its main language, a BCP 47 tag.
    pub text_language: String,
    /// What it is in a sentence.
    pub summary: Option<String>,
    /// What happens there, and when.
    pub description: Option<String>,
    /// The same in other languages, by their tags.
    pub translations: BTreeMap<String, Translation>,
    /// Words by which it is filed and found.
    pub keywords: String,
    /// Whether one can join.
    pub status: ActivityStatus,
    /// What is offered.
    pub content_kind: ContentKind,
    /// Themes.
    pub themes: BTreeSet<Theme>,
    /// For whom: people of these municipalities.
    pub municipalities: BTreeSet<MunicipalityCode>,
    /// For everybody in the country.
    pub nationwide: bool,
    /// What it costs.
    pub price: Price,
    /// More about the price.
    pub price_note: Option<String>,
    /// Whether the Kaikukortti opens it.
    pub kaikukortti: bool,
    /// Whether one can take part remotely.
    pub remote: bool,
    /// What one needs to know about getting in and around.
    pub accessibility_note: Option<String>,
    /// Languages spoken, BCP 47 tags.
    pub languages: BTreeSet<String>,
    /// Weekly times.
    pub times: Vec<OpeningTime>,
    /// When, in words.
    pub schedule_note: Option<String>,
    /// Where.
    pub places: Vec<Place>,
    /// How the organisation is reached.
    pub contact: Contact,
    /// Where the entry is kept.
    pub source: ActivitySource,
    /// Its id there.
    pub source_id: Option<Uuid>,
    /// When it was last changed there.
    pub source_modified: Option<Instant>,
    /// Under which licence it comes from there.
    pub licence: Option<String>,
    /// When somebody last checked that it is true.
    pub checked_on: NaiveDate,
}

impl Activity {
    /// An entry of one's own of which nothing but the name is known.
    #[must_use]
    pub fn new(id: ActivityId, programme: ProgrammeId, name: impl Into<String>, checked_on: NaiveDate) -> Self {
        Self {
            id,
            version: Version::FIRST,
            programme,
            organisation: None,
            provider: None,
            name: name.into(),
            text_language: MAIN_LANGUAGE.to_owned(),
            summary: None,
            description: None,
            translations: BTreeMap::new(),
            keywords: String::new(),
            status: ActivityStatus::Active,
            content_kind: ContentKind::Service,
            themes: BTreeSet::new(),
            municipalities: BTreeSet::new(),
            nationwide: false,
            price: Price::Unknown,
            price_note: None,
            kaikukortti: false,
            remote: false,
            accessibility_note: None,
            languages: BTreeSet::new(),
            times: Vec::new(),
            schedule_note: None,
            places: Vec::new(),
            contact: Contact::default(),
            source: ActivitySource::Own,
            source_id: None,
            source_modified: None,
            licence: None,
            checked_on,
        }
    }

    /// Whether somebody can be guided there now.
    #[must_use]
    pub fn can_be_joined(&self) -> bool {
        self.status == ActivityStatus::Active
    }

    /// Whether it has ended for good, as another directory says: such an entry stays for those who are linked with it, and nobody changes it here.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.status == ActivityStatus::Withdrawn
    }

    /// Whether it may be changed here at all.
    ///
    /// # Errors
    /// [`ActivityError::Ended`] for one of another directory that has ended.
    pub fn expect_changeable(&self) -> Result<(), ActivityError> {
        if self.source == ActivitySource::Ptv && self.has_ended() { Err(ActivityError::Ended) } else { Ok(()) }
    }

    /// Whether what it is may be changed here, and not only what coordinators say of it.
    ///
    /// # Errors
    /// [`ActivityError::KeptElsewhere`] for one of another directory.
    pub fn expect_kept_here(&self) -> Result<(), ActivityError> {
        if self.source == ActivitySource::Ptv { Err(ActivityError::KeptElsewhere) } else { Ok(()) }
    }

    /// What makes no sense in an entry on a day, all of it.
    #[must_use]
    pub fn faults(&self, today: NaiveDate) -> Vec<ActivityFault> {
        let Contact { email, web, .. } = &self.contact;
        let (email, web) = (email.as_deref(), web.as_deref());
        let business_id = self.provider.as_ref().and_then(|provider| provider.business_id.as_deref());
        let closes = self.times.iter().enumerate().filter(|(_, time)| time.opens_at >= time.closes_at);
        let mut all = Vec::new();
        all.extend((self.checked_on > today).then_some(ActivityFault::CheckedInFuture));
        all.extend((self.nationwide && !self.municipalities.is_empty()).then_some(ActivityFault::MunicipalitiesOfNationwide));
        all.extend(closes.map(|(place, _)| ActivityFault::ClosesBeforeOpening { place }));
        all.extend(email.is_some_and(|email| !email.contains('@')).then_some(ActivityFault::Email));
        all.extend(email.is_some_and(is_personal_email).then_some(ActivityFault::PersonalEmail));
        all.extend(web.is_some_and(|web| !is_web_address(web)).then_some(ActivityFault::Web));
        all.extend(business_id.is_some_and(|id| !is_business_id(id)).then_some(ActivityFault::BusinessId));
        all
    }

    /// Days since somebody checked that it is true; 0 when the day lies ahead.
    #[must_use]
    pub fn checked_days_ago(&self, today: NaiveDate) -> i64 {
        (today - self.checked_on).num_days().max(0)
    }

    /// Its names in all languages, the main one first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.translations.values().map(|translation| translation.name.as_str()))
    }

    /// What it is found by, for the index of words.
    #[must_use]
    pub fn search_terms(&self) -> BTreeSet<String> {
        let mut names: Vec<&str> = self.names().collect();
        names.push(&self.keywords);
        let mut body: Vec<&str> = Vec::new();
        body.extend(self.provider.as_ref().map(|provider| provider.name.as_str()));
        body.extend(self.places.iter().flat_map(|place| [place.name.as_deref(), place.post_office.as_deref()]).flatten());
        body.extend(self.summary.as_deref());
        body.extend(self.translations.values().filter_map(|translation| translation.summary.as_deref()));
        body.extend(self.schedule_note.as_deref());
        body.extend(self.description.as_deref());
        body.extend(self.translations.values().filter_map(|translation| translation.description.as_deref()));
        crate::search::terms(&names, &body)
    }
}

/// An activity that a client was guided to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActivityLink {
    /// Its id.
    pub id: ActivityLinkId,
    /// Its version.
    pub version: Version,
    /// The referral.
    pub referral: ReferralId,
    /// The activity.
    pub activity: ActivityId,
    /// How far the client has come.
    pub state: ActivityLinkState,
    /// What the client would have needed to take part, or to go on.
    pub unmet_needs: BTreeSet<UnmetNeed>,
    /// When it was proposed.
    pub proposed_at: Instant,
}

/// How far a client has come with an activity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActivityLinkState {
    /// Talked about.
    Proposed,
    /// Went for the first time.
    Started,
    /// Goes regularly.
    Attending {
        /// Whether the client goes on after the support has ended; unknown until then.
        continues: Option<bool>,
    },
    /// Does not go any more.
    Stopped {
        /// What stood in the way.
        barrier: Barrier,
    },
}

impl ActivityLinkState {
    /// The code of the state.
    #[must_use]
    pub fn code(self) -> ActivityLinkStateCode {
        match self {
            Self::Proposed => ActivityLinkStateCode::Proposed,
            Self::Started => ActivityLinkStateCode::Started,
            Self::Attending { .. } => ActivityLinkStateCode::Attending,
            Self::Stopped { .. } => ActivityLinkStateCode::Stopped,
        }
    }

    /// Whether it is known what comes of it when the support is over: the client has stopped, or goes on, or is known not to.
    #[must_use]
    pub fn is_answered(self) -> bool {
        match self {
            Self::Proposed | Self::Started => false,
            Self::Attending { continues } => continues.is_some(),
            Self::Stopped { .. } => true,
        }
    }

    /// Whether a client may go on from here to there: forward, or to a stop, or from a stop to a new start.
    #[must_use]
    pub fn leads_to(self, next: ActivityLinkStateCode) -> bool {
        use ActivityLinkStateCode as S;
        match (self.code(), next) {
            (S::Proposed, S::Started | S::Attending | S::Stopped)
            | (S::Started, S::Attending | S::Stopped)
            | (S::Attending, S::Attending | S::Stopped)
            | (S::Stopped, S::Started) => true,
            (S::Proposed | S::Started | S::Attending | S::Stopped, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code;

    #[test]
    fn what_comes_after_the_support_is_known_of_those_who_stopped_or_were_asked() {
        for (state, answered) in [
            (ActivityLinkState::Proposed, false),
            (ActivityLinkState::Started, false),
            (ActivityLinkState::Attending { continues: None }, false),
            (ActivityLinkState::Attending { continues: Some(true) }, true),
            (ActivityLinkState::Attending { continues: Some(false) }, true),
            (ActivityLinkState::Stopped { barrier: Barrier::Transport }, true),
        ] {
            assert_eq!(state.is_answered(), answered, "{state:?}");
        }
    }

    #[test]
    fn an_entry_is_as_old_as_its_last_check_and_found_by_what_it_says() {
        use crate::ids::Id;
        let day = |text: &str| -> NaiveDate { text.parse().expect("a date") };
        let mut entry = Activity::new(ActivityId::nil(), ProgrammeId::nil(), "Torstaikerho", day("2024-02-28"));
        let ages = ["2024-02-27", "2024-02-28", "2024-03-01", "2025-02-28"].map(|today| entry.checked_days_ago(day(today)));
        assert_eq!(ages, [0, 0, 2, 366]);
        entry.description = Some("Kahvia ja laulua.".to_owned());
        let terms = entry.search_terms();
        assert!(["ntorstaikerho", "g««t", "bkahvia", "blaulua"].iter().all(|term| terms.contains(*term)), "{terms:?}");
        assert!(entry.can_be_joined() && !entry.has_ended());
        entry.status = ActivityStatus::Withdrawn;
        assert!(!entry.can_be_joined() && entry.has_ended());
    }

    #[test]
    fn one_goes_forward_or_stops_or_starts_again() {
        let allowed = |from: ActivityLinkState| -> Vec<&str> {
            ActivityLinkStateCode::ALL.iter().filter(|next| from.leads_to(**next)).map(|next| next.as_str()).collect()
        };
        assert_eq!(allowed(ActivityLinkState::Proposed), ["started", "attending", "stopped"]);
        assert_eq!(allowed(ActivityLinkState::Started), ["attending", "stopped"]);
        assert_eq!(allowed(ActivityLinkState::Attending { continues: None }), ["attending", "stopped"]);
        assert_eq!(allowed(ActivityLinkState::Stopped { barrier: Barrier::Money }), ["started"]);
    }
}
