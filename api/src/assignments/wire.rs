//! Assignments on the wire.

use lahete_domain::assignment::AssignmentState;
use lahete_domain::codes::{AssignmentEndReason, Role};
use lahete_domain::ids::Id;
use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::cases::Shown;
use crate::http::wire::{
    AssignmentEndReasonCode, AssignmentStateCode, Choice, Choices, DeclineReasonCode, LongText, ReferralReasonCode, Timestamp,
};
use crate::http::wire_sets::Municipality;

/// Which assignments are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AssignmentQuery {
    /// Only those in this state.
    pub state: Option<AssignmentStateCode>,
    /// Only those of this link worker.
    pub link_worker_id: Option<Uuid>,
}

/// A proposal to a link worker.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "link_worker_id": "01900000-0000-7000-8000-000000000030",
    "message": "Pohjoisessa kirkonkylässä, toivoo seuraa ulkoiluun ja kerhoon."
}))]
pub struct NewAssignment {
    /// The link worker.
    pub link_worker_id: Uuid,
    /// A word to the link worker. It is read before they accept: no name, no address, no telephone number of the client.
    pub message: Option<LongText<{ NOTE_MAX }>>,
}

/// The answer "no".
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "no_time" }))]
pub struct DeclineAssignment {
    /// Why. After `conflict_of_interest` this link worker is not proposed for this client again.
    pub reason: DeclineReasonCode,
}

/// The end of an assignment.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "link_worker_unavailable", "comment": "Muuttaa toiselle paikkakunnalle." }))]
pub struct EndAssignment {
    /// Why. The other codes of the list are set when something else ends the assignment. A proposal that nobody has accepted is always ended as
    /// `proposal_withdrawn`.
    pub reason: ChosenEndCode,
    /// The reason in words, for the timeline.
    pub comment: Option<LongText<{ REASON_MAX }>>,
}

/// Why somebody ends an assignment. The other reasons are set by what else ends it.
#[derive(Clone, Copy, Debug)]
pub struct ChosenEnd;

impl Choices for ChosenEnd {
    type Code = AssignmentEndReason;
    const CHOICES: &'static [AssignmentEndReason] = &[
        AssignmentEndReason::ClientWish,
        AssignmentEndReason::LinkWorkerUnavailable,
        AssignmentEndReason::LinkWorkerChanged,
        AssignmentEndReason::ProposalWithdrawn,
        AssignmentEndReason::Other,
    ];
}

/// [`ChosenEnd`] on the wire.
pub type ChosenEndCode = Choice<ChosenEnd>;

/// A link worker proposed for a referral.
///
/// Until the proposal is accepted, the link worker sees of the case only what is needed for an answer: no name, no contact, no way to the referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000062",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "link_worker_id": "01900000-0000-7000-8000-000000000030",
    "link_worker_name": "Liisa Linkki",
    "state": "proposed",
    "proposed_at": "2026-11-22T10:00:00.000000Z",
    "expires_at": "2026-11-29T10:00:00.000000Z",
    "message": "Pohjoisessa kirkonkylässä, toivoo seuraa ulkoiluun ja kerhoon.",
    "municipality": "758",
    "age_group": "70-79",
    "reasons": ["loneliness", "outdoors"],
    "language": "fi",
    "interpreter_needed": false
}))]
pub struct AssignmentView {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// The link worker.
    pub link_worker_id: Uuid,
    /// The link worker's name.
    #[schema(max_length = 120)]
    pub link_worker_name: String,
    /// Where it stands.
    pub state: AssignmentStateCode,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// When the link worker accepted or declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_reason: Option<DeclineReasonCode>,
    /// When it expired or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<AssignmentEndReasonCode>,
    /// The coordinator's word to the link worker. In a list left out, with all that follows about the client, when the case ended more than 30 days
    /// ago and no reason is given (`X-Access-Reason`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub message: Option<String>,
    /// The municipality in which the client lives. Left out for a link worker who has not accepted when the client is under non-disclosure
    /// (turvakielto): then the place is withheld, and the coordinator tells what can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<Municipality>,
    /// The decade of the client's age on the day of sending, `70-79`; `18-29` for the youngest, `90-` for the oldest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 5)]
    pub age_group: Option<String>,
    /// Why the referral was written.
    #[schema(max_items = 20)]
    pub reasons: Vec<ReferralReasonCode>,
    /// The client's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 35)]
    pub language: Option<String>,
    /// Whether an interpreter is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreter_needed: Option<bool>,
    /// The referral. For the link worker, once they have accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Uuid>,
    /// The client. For the link worker, once they have accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
}

/// A decade, wide enough at both ends that nobody stands out.
fn age_group(age: u32) -> String {
    match age {
        0..30 => "18-29".to_owned(),
        30..90 => format!("{0}-{1}", age / 10 * 10, age / 10 * 10 + 9),
        90.. => "90-".to_owned(),
    }
}

impl From<&Shown> for AssignmentView {
    fn from(shown: &Shown) -> Self {
        let found = &shown.found;
        let assignment = &found.assignment;
        let (answered_at, decline_reason, ended_at, end_reason) = match &assignment.state {
            AssignmentState::Proposed => (None, None, None, None),
            AssignmentState::Accepted { at } => (Some(*at), None, None, None),
            AssignmentState::Declined { at, reason } => (Some(*at), Some(*reason), None, None),
            AssignmentState::Expired { at } => (None, None, Some(*at), None),
            AssignmentState::Ended { accepted_at, at, reason } => (*accepted_at, None, Some(*at), Some(*reason)),
        };
        let accepted = matches!(assignment.state, AssignmentState::Accepted { .. });
        let case_open = !shown.veiled && (shown.role == Role::Coordinator || accepted);
        let with_place = !shown.veiled && (!found.non_disclosure || case_open);
        Self {
            id: assignment.id.as_uuid(),
            programme_id: assignment.programme.as_uuid(),
            link_worker_id: assignment.link_worker.as_uuid(),
            link_worker_name: found.link_worker_name.clone(),
            state: assignment.state_code().into(),
            proposed_at: assignment.proposed_at.into(),
            expires_at: assignment.expires_at.into(),
            answered_at: answered_at.map(Timestamp),
            decline_reason: decline_reason.map(Into::into),
            ended_at: ended_at.map(Timestamp),
            end_reason: end_reason.map(Into::into),
            message: assignment.message.clone().filter(|_| !shown.veiled),
            municipality: with_place.then(|| Municipality::from(&found.municipality)),
            age_group: found.age.filter(|_| !shown.veiled).map(age_group),
            reasons: found.reasons.iter().filter(|_| !shown.veiled).copied().map(Into::into).collect(),
            language: (!shown.veiled).then(|| found.language.clone()),
            interpreter_needed: (!shown.veiled).then_some(found.interpreter_needed),
            referral_id: case_open.then(|| assignment.referral.as_uuid()),
            client_id: case_open.then(|| found.client.as_uuid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_age_groups_are_wide() {
        let groups: Vec<_> = [18, 29, 30, 79, 80, 89, 90, 104].into_iter().map(age_group).collect();
        assert_eq!(groups, ["18-29", "18-29", "30-39", "70-79", "80-89", "80-89", "90-", "90-"]);
    }
}
