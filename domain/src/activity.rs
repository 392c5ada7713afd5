//! The activity directory (palvelutarjotin), and the activities that clients were guided to.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::codes::{ActivityLinkStateCode, Barrier, Price, Theme, UnmetNeed};
use crate::ids::{ActivityId, ActivityLinkId, OrganisationId, ProgrammeId, ReferralId};
use crate::programme::MunicipalityCode;
use crate::time::Instant;
use crate::version::Version;

/// An entry of the directory that one can join.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// Its version.
    pub version: Version,
    /// The programme whose coordinators keep it.
    pub programme: ProgrammeId,
    /// Who provides it.
    pub organisation: Option<OrganisationId>,
    /// Its name.
    pub name: String,
    /// What happens there, and when.
    pub description: Option<String>,
    /// Themes.
    pub themes: BTreeSet<Theme>,
    /// Municipality; none when it is held remotely for everyone.
    pub municipality: Option<MunicipalityCode>,
    /// What it costs.
    pub price: Price,
    /// Whether the Kaikukortti opens it.
    pub kaikukortti: bool,
    /// Whether one can take part remotely.
    pub remote: bool,
    /// Languages spoken, BCP 47 tags.
    pub languages: BTreeSet<String>,
    /// When somebody last checked that it is true.
    pub checked_on: NaiveDate,
    /// Whether one can still join.
    pub active: bool,
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
