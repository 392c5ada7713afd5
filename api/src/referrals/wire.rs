//! Bodies and queries of referrals.

use lahete_domain::access;
use lahete_domain::codes::{ConsentPurpose, MessageParty, Role};
use lahete_domain::ids::Id as _;
use lahete_domain::message::{ContactAttempt, Message};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::programme_break::Clocks;
use lahete_domain::referral::Content;
use lahete_domain::referral::command::{ClosingNeeds, Transition};
use lahete_domain::referral::state::ReferralState;
use lahete_domain::text::{LINE_MAX, NAME_MAX, NOTE_MAX, REASON_MAX, TOKEN_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::case::OpenCase;
use crate::activity_links::wire::ActivityLinkAnswer;
use crate::clients::wire::{ClientCreate, ClientSummary, ClientUpdate};
use crate::consents::wire::ConsentCreate;
use crate::http::wire::{
    BarrierCode, Change, ChannelCode, Choice, Choices, ContactChannelCode, ContactResultCode, Date, EndReasonCode, EventKindCode,
    FollowUpAnswerCode, LongText, MessageKindCode, MessagePartyCode, NotFollowedUpReasonCode, OutcomeCode, Patch, PriorityCode,
    ReferralReasonCode, ReferralStateCode, RoleCode, RouteCode, SectorCode, Text, Timestamp, UnmetNeedCode,
};
use crate::visits::wire::{Barriers, UnmetNeeds};

/// Who writes the referral, as far as the sign-in does not say it.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Riikka Lähettäjä", "contact": "riikka@example.org", "feedback_wanted": true}))]
pub struct ReferrerCreate {
    /// The organisation; that of the caller's role when left out. A patient system names the one that it pushes for.
    pub organisation_id: Option<Uuid>,
    /// The sector; that of the organisation when left out.
    pub sector: Option<SectorCode>,
    /// The writer's name, for the coordinator.
    pub name: Option<Text<{ NAME_MAX }>>,
    /// How the coordinator reaches the writer.
    pub contact: Option<Text<{ LINE_MAX }>>,
    /// Whether the writer wants to hear what came of it. What they hear is bounded by the client's consent.
    #[serde(default)]
    pub feedback_wanted: bool,
}

/// The identifier of the referral in the system that pushes it. One source id makes one referral.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"system": "sodankyla-ehr", "id": "REF-2026-0117"}))]
pub struct SourceWire {
    /// The system.
    pub system: Text<{ TOKEN_MAX }>,
    /// Its own id of the referral.
    pub id: Text<{ TOKEN_MAX }>,
}

/// A new referral. With `submit` it is sent at once; without, it is a draft that only its writer sees.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "client": {
        "given_name": "Aino", "family_name": "Esimerkki", "birth_date": "1942-05-07", "municipality": "758",
        "phone": "+358 40 555 0101", "language": "fi", "sex": "female", "lives_at_home": true
    },
    "referrer": {"name": "Riikka Lähettäjä", "contact": "riikka@example.org", "feedback_wanted": true},
    "reasons": ["loneliness", "outdoors"],
    "wish": "Haluaisin taas ulkoilemaan jonkun kanssa.",
    "written_together": true,
    "not_a_service_acknowledged": true,
    "consent": {
        "purposes": ["process_referral", "share_with_link_worker", "feedback_to_referrer", "evaluation"],
        "text_version": "2026-1", "language": "fi", "method": "written", "given_with": "Riikka Lähettäjä"
    },
    "submit": true
}))]
pub struct ReferralCreate {
    /// The programme; the one of the caller's role that serves the client's municipality when left out.
    pub programme_id: Option<Uuid>,
    /// The adult whom the referral is about.
    #[validate(nested)]
    pub client: ClientCreate,
    /// Who writes it.
    pub referrer: Option<ReferrerCreate>,
    /// Why. At least one is needed to send it.
    #[serde(default)]
    #[schema(max_items = 9)]
    pub reasons: Vec<ReferralReasonCode>,
    /// What the client wishes, in their own words.
    pub wish: Option<LongText<{ NOTE_MAX }>>,
    /// Anything else that helps the coordinator. Do not write health data here.
    pub background: Option<LongText<{ NOTE_MAX }>>,
    /// Written together with the client.
    #[serde(default)]
    pub written_together: bool,
    /// A first meeting of all three is wished for.
    #[serde(default)]
    pub joint_meeting_wished: bool,
    /// The writer knows that this does not replace a health or social service. Needed to send it.
    #[serde(default)]
    pub not_a_service_acknowledged: bool,
    /// Identifier in the pushing system.
    pub source: Option<SourceWire>,
    /// The earlier referral that this one goes on from.
    pub previous_referral_id: Option<Uuid>,
    /// What the client has consented to. Needed to send it.
    #[validate(nested)]
    pub consent: Option<ConsentCreate>,
    /// Send it at once.
    #[serde(default)]
    pub submit: bool,
}

/// A change of a draft.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reasons": ["loneliness", "conversation"], "not_a_service_acknowledged": true}))]
pub struct ReferralUpdate {
    /// Changes of the client's data.
    #[serde(default)]
    pub client: Change<ClientUpdate>,
    /// All reasons.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ReferralReasonCode>>, max_items = 9)]
    pub reasons: Patch<Vec<ReferralReasonCode>>,
    /// What the client wishes.
    #[serde(default)]
    pub wish: Patch<LongText<{ NOTE_MAX }>>,
    /// Anything else. No health data.
    #[serde(default)]
    pub background: Patch<LongText<{ NOTE_MAX }>>,
    /// Written together with the client.
    #[serde(default)]
    pub written_together: Change<bool>,
    /// A joint first meeting is wished for.
    #[serde(default)]
    pub joint_meeting_wished: Change<bool>,
    /// This does not replace a service.
    #[serde(default)]
    pub not_a_service_acknowledged: Change<bool>,
    /// Whether the writer wants to hear what came of it.
    #[serde(default)]
    pub feedback_wanted: Change<bool>,
    /// A consent, if none was recorded yet.
    #[serde(default)]
    pub consent: Change<ConsentCreate>,
}

/// A correction of what a sent referral says.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"wish": "Haluaisin laulaa muiden kanssa.", "reason": "Toive oli kirjattu väärin."}))]
pub struct ReferralRectify {
    /// What the client wishes, as it should be; null takes it out.
    #[serde(default)]
    pub wish: Patch<LongText<{ NOTE_MAX }>>,
    /// Anything else, as it should be; null takes it out.
    #[serde(default)]
    pub background: Patch<LongText<{ NOTE_MAX }>>,
    /// Why it is corrected.
    pub reason: LongText<{ REASON_MAX }>,
}

/// A coordinator takes a referral, or takes it back from direct guidance.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ReferralReview {
    /// After direct guidance: what stood in the way.
    pub barrier: Option<BarrierCode>,
    /// A word for the timeline.
    pub comment: Option<Text<{ REASON_MAX }>>,
}

/// Whom a coordinator may ask.
#[derive(Clone, Copy, Debug)]
pub struct Asked;

impl Choices for Asked {
    type Code = MessageParty;
    const CHOICES: &'static [MessageParty] = &[MessageParty::Referrer, MessageParty::Client];
}

/// [`Asked`] on the wire.
pub type AskedCode = Choice<Asked>;

/// A question.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"recipient": "referrer", "question": "Puhuuko Aino mieluummin suomea vai pohjoissaamea?"}))]
pub struct ReferralRequestInformation {
    /// Whom it is for.
    pub recipient: AskedCode,
    /// The question.
    pub question: LongText<{ NOTE_MAX }>,
}

/// An answer.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"answer": "Suomea, mutta saame on mukava lisä."}))]
pub struct ReferralAnswer {
    /// The answer. A coordinator writes down what they were told.
    pub answer: LongText<{ NOTE_MAX }>,
}

/// Direct guidance.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"activity_ids": ["01900000-0000-7000-8000-000000000040"], "follow_up_on": "2026-12-22"}))]
pub struct ReferralGuide {
    /// The activities that the client is guided to.
    #[schema(min_items = 1, max_items = 10)]
    pub activity_ids: Vec<Uuid>,
    /// The day on which somebody asks how it went.
    pub follow_up_on: Date,
    /// A word for the timeline.
    pub comment: Option<Text<{ REASON_MAX }>>,
}

/// The waiting list.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"priority": "normal"}))]
pub struct ReferralWaitlist {
    /// How urgent it is; `normal` when left out.
    pub priority: Option<PriorityCode>,
    /// A word for the timeline.
    pub comment: Option<Text<{ REASON_MAX }>>,
}

/// Start later.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"resume_on": "2027-02-01", "comment": "Matkustaa tyttären luo talveksi."}))]
pub struct ReferralDefer {
    /// The day to take it up again.
    pub resume_on: Date,
    /// A word for the timeline.
    pub comment: Option<Text<{ REASON_MAX }>>,
}

/// A word for the timeline, or nothing.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Sovittu puhelimessa."}))]
pub struct ReferralComment {
    /// A word for the timeline.
    pub comment: Option<Text<{ REASON_MAX }>>,
}

/// A reason in words.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Kirjattu väärälle henkilölle."}))]
pub struct ReferralReasonGiven {
    /// Why.
    pub reason: Text<{ REASON_MAX }>,
}

/// Closing.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "redirected", "end_reason": "health_service"}))]
pub struct ReferralClose {
    /// How it turned out.
    pub outcome: OutcomeCode,
    /// Why; each outcome has its own reasons.
    pub end_reason: EndReasonCode,
    /// After direct guidance: the client's answer.
    pub follow_up_answer: Option<FollowUpAnswerCode>,
    /// After direct guidance: why nobody asked the client.
    pub not_followed_up_reason: Option<NotFollowedUpReasonCode>,
    /// What comes of the activities that the client was guided to. Those that nobody answers for are counted in `unanswered_activity_links`.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 50)]
    pub activity_links: Vec<ActivityLinkAnswer>,
    /// What stood in the client's way.
    #[serde(default)]
    pub barriers: Barriers,
    /// What the client would have needed and nobody offers.
    #[serde(default)]
    pub unmet_needs: UnmetNeeds,
    /// A word for the timeline.
    pub comment: Option<Text<{ REASON_MAX }>>,
}

/// An attempt to reach the client.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"channel": "phone", "result": "not_reached"}))]
pub struct ContactAttemptCreate {
    /// How.
    pub channel: ContactChannelCode,
    /// What came of it.
    pub result: ContactResultCode,
    /// A short note.
    pub note: Option<Text<{ REASON_MAX }>>,
}

/// An attempt to reach the client.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000069", "channel": "phone", "result": "not_reached",
    "attempted_at": "2026-11-22T09:30:00.000000Z", "recorded_by": "01900000-0000-7000-8000-000000000021"
}))]
pub struct ContactAttemptView {
    /// Its id.
    pub id: Uuid,
    /// How.
    pub channel: ContactChannelCode,
    /// What came of it.
    pub result: ContactResultCode,
    /// When.
    pub attempted_at: Timestamp,
    /// Who tried.
    pub recorded_by: Uuid,
    /// A short note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&ContactAttempt> for ContactAttemptView {
    fn from(attempt: &ContactAttempt) -> Self {
        Self {
            id: attempt.id.as_uuid(),
            channel: attempt.channel.into(),
            result: attempt.result.into(),
            attempted_at: attempt.attempted_at.into(),
            recorded_by: attempt.recorded_by.as_uuid(),
            note: attempt.note.clone(),
        }
    }
}

/// A question or an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000068", "kind": "question", "sender": "coordinator", "recipient": "referrer",
    "text": "Puhuuko Aino mieluummin suomea vai pohjoissaamea?", "sent_at": "2026-11-22T10:00:00.000000Z"
}))]
pub struct MessageView {
    /// Its id.
    pub id: Uuid,
    /// Question or answer.
    pub kind: MessageKindCode,
    /// Who wrote it.
    pub sender: MessagePartyCode,
    /// For whom it is.
    pub recipient: MessagePartyCode,
    /// What it says.
    pub text: String,
    /// When.
    pub sent_at: Timestamp,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id.as_uuid(),
            kind: message.kind.into(),
            sender: message.sender.into(),
            recipient: message.recipient.into(),
            text: message.words.clone(),
            sent_at: message.sent_at.into(),
        }
    }
}

/// All of a short list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct MessageListView {
    /// The oldest first.
    #[schema(max_items = 1000)]
    pub items: Vec<MessageView>,
}

/// All of a short list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct ContactAttemptListView {
    /// The oldest first.
    #[schema(max_items = 1000)]
    pub items: Vec<ContactAttemptView>,
}

/// One line of the timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000070", "kind": "referral_submitted", "text": "Lähete lähetettiin", "at": "2026-11-22T10:00:00.000000Z",
    "role": "referrer", "from": "draft", "to": "submitted"
}))]
pub struct EventView {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    pub kind: EventKindCode,
    /// What happened, in plain words of the wanted language.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Who did it: the user or the machine. Left out for anonymous senders and the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
    /// In which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleCode>,
    /// State before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<ReferralStateCode>,
    /// State after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<ReferralStateCode>,
    /// The coded reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A word that was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The timeline of a referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct TimelineView {
    /// The oldest line first.
    #[schema(max_items = 10000)]
    pub items: Vec<EventView>,
}

/// Who wrote a referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"channel": "signed_in", "sector": "elderly", "feedback_wanted": true}))]
pub struct ReferrerView {
    /// How it came in.
    pub channel: ChannelCode,
    /// The sector.
    pub sector: SectorCode,
    /// The organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// The signed-in writer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// The writer's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How to reach the writer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether the writer wants to hear what came of it.
    pub feedback_wanted: bool,
}

/// What stood in the client's way and what was missing when a referral ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"barriers": ["transport"], "unmet_needs": ["transport"]}))]
pub struct ClosingNeedsView {
    /// What stood in the way.
    pub barriers: Vec<BarrierCode>,
    /// What nobody offers.
    pub unmet_needs: Vec<UnmetNeedCode>,
}

impl From<&ClosingNeeds> for ClosingNeedsView {
    fn from(needs: &ClosingNeeds) -> Self {
        Self {
            barriers: needs.barriers.iter().copied().map(Into::into).collect(),
            unmet_needs: needs.unmet_needs.iter().copied().map(Into::into).collect(),
        }
    }
}

/// How a referral ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "outcome": "completed_as_planned", "end_reason": "goals_reached", "route": "link_worker", "at": "2027-05-20T08:00:00.000000Z", "by_role": "coordinator"
}))]
pub struct ClosureView {
    /// How it turned out.
    pub outcome: OutcomeCode,
    /// Why.
    pub end_reason: EndReasonCode,
    /// Which way it had gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteCode>,
    /// When.
    pub at: Timestamp,
    /// In which role somebody closed it.
    pub by_role: RoleCode,
    /// What stood in the way and what was missing. Not shown to whoever sent the referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<ClosingNeedsView>,
    /// Activities of which nobody has said whether the client goes on with them. Not shown to whoever sent the referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub unanswered_activity_links: Option<i64>,
    /// Whether the programme had a break on that day, which explains the closing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explained_by_break: bool,
}

/// A referral. What is in it depends on who reads it: a referrer sees the state and, as far as the client has consented, how it ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000060", "version": 2, "programme_id": "01900000-0000-7000-8000-000000000001",
    "state": "submitted", "state_since": "2026-11-22T10:00:00.000000Z", "days_in_state": 0, "created_at": "2026-11-22T10:00:00.000000Z",
    "submitted_at": "2026-11-22T10:00:00.000000Z",
    "client": {"id": "01900000-0000-7000-8000-000000000050", "given_name": "Aino", "family_name": "Esimerkki", "municipality": "758", "language": "fi", "interpreter_needed": false, "non_disclosure": false},
    "referrer": {"channel": "signed_in", "sector": "elderly", "feedback_wanted": true},
    "reasons": ["loneliness", "outdoors"], "wish": "Haluaisin taas ulkoilemaan jonkun kanssa.",
    "written_together": true, "joint_meeting_wished": false, "not_a_service_acknowledged": true,
    "consented_purposes": ["process_referral", "share_with_link_worker", "feedback_to_referrer", "evaluation"], "consent_verified": true,
    "possible": ["review", "close", "withdraw", "mark-as-error"]
}))]
pub struct ReferralView {
    /// Its id.
    pub id: Uuid,
    /// Its version, as in the `ETag`.
    pub version: i64,
    /// The programme.
    pub programme_id: Uuid,
    /// Where it stands.
    pub state: ReferralStateCode,
    /// Since when.
    pub state_since: Timestamp,
    /// Whole days since then.
    pub days_in_state: i64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// The client.
    pub client: ClientSummary,
    /// Who wrote it.
    pub referrer: ReferrerView,
    /// Why.
    #[schema(max_items = 9)]
    pub reasons: Vec<ReferralReasonCode>,
    /// What the client wishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wish: Option<String>,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// Written together with the client.
    pub written_together: bool,
    /// A joint first meeting is wished for.
    pub joint_meeting_wished: bool,
    /// The writer knows that this does not replace a service.
    pub not_a_service_acknowledged: bool,
    /// Identifier in the pushing system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceWire>,
    /// The earlier referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_referral_id: Option<Uuid>,
    /// What the client has consented to, today.
    #[schema(max_items = 5)]
    pub consented_purposes: Vec<crate::http::wire::ConsentPurposeCode>,
    /// Whether the client themself stands behind the consent, and not only a sender's word.
    pub consent_verified: bool,
    /// The coordinator who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinator_id: Option<Uuid>,
    /// Whom an open question is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<MessagePartyCode>,
    /// Since when it waits for a link worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Days on the waiting list, without those on which the programme had a break.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub waiting_days: Option<i64>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<PriorityCode>,
    /// The day to take a deferred one up again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_on: Option<Date>,
    /// The day to ask how the activity went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<Date>,
    /// The accepted assignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment_id: Option<Uuid>,
    /// The support period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_period_id: Option<Uuid>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureView>,
    /// What the reader can do with it now, by name; most names are the last part of a path below the referral.
    #[schema(max_items = 20)]
    pub possible: Vec<String>,
}

/// The present state, without content.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01900000-0000-7000-8000-000000000060", "version": 3, "state": "entered_in_error", "state_since": "2026-11-22T11:00:00.000000Z"}))]
pub struct ReferralStateView {
    /// Its id.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// Where it stands.
    pub state: ReferralStateCode,
    /// Since when.
    pub state_since: Timestamp,
}

/// A line of a list of referrals.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000060", "version": 2, "state": "submitted", "state_since": "2026-11-22T10:00:00.000000Z", "days_in_state": 0,
    "client_id": "01900000-0000-7000-8000-000000000050", "client_name": "Aino Esimerkki", "municipality": "758", "sector": "elderly",
    "reasons": ["loneliness", "outdoors"], "created_at": "2026-11-22T10:00:00.000000Z"
}))]
pub struct ReferralListItem {
    /// Its id.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// Where it stands.
    pub state: ReferralStateCode,
    /// Since when.
    pub state_since: Timestamp,
    /// Whole days since then.
    pub days_in_state: i64,
    /// The client.
    pub client_id: Uuid,
    /// The client's name. Left out when the case ended more than 30 days ago and the coordinator has given no reason to look at it
    /// (`X-Access-Reason`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The client's municipality. Left out with the name, and for senders when the client is under non-disclosure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<String>,
    /// The referrer's sector.
    pub sector: SectorCode,
    /// Why. Empty where the name is left out.
    #[schema(max_items = 9)]
    pub reasons: Vec<ReferralReasonCode>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// The coordinator who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinator_id: Option<Uuid>,
    /// Since when it waits for a link worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// Days on the waiting list, without those on which the programme had a break.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub waiting_days: Option<i64>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<PriorityCode>,
    /// The day to take it up again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_on: Option<Date>,
    /// The day to ask how it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_on: Option<Date>,
}

/// In which order a list is read.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ReferralListOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The one that has stood longest in its state first.
    LongestInState,
    /// Waitlisted ones, the one that has waited longest first.
    LongestWaiting,
    /// Waitlisted ones in the order of the waiting list: the urgent before the others, and in each priority the one that has waited longest first.
    WaitingList,
}

/// Which referrals of those that one may see.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReferralListQuery {
    /// Of this programme.
    pub programme_id: Option<Uuid>,
    /// In this state.
    pub state: Option<ReferralStateCode>,
    /// Only open ones: sent and not ended.
    pub open: Option<bool>,
    /// Of clients in this municipality.
    #[param(pattern = "^[0-9]{3}$")]
    pub municipality: Option<String>,
    /// With this reason.
    pub reason: Option<ReferralReasonCode>,
    /// Taken by the caller.
    pub mine: Option<bool>,
    /// Taken by this coordinator.
    pub coordinator_id: Option<Uuid>,
    /// About this client.
    pub client_id: Option<Uuid>,
    /// At least so many days in the present state.
    #[param(minimum = 0, maximum = 3660)]
    pub min_days_in_state: Option<i32>,
    /// The order; the newest first when left out.
    #[param(inline)]
    pub order: Option<ReferralListOrder>,
}

impl ReferralListItem {
    /// One line, with the client and their place as far as they are shown.
    #[must_use]
    pub(crate) fn of(
        case: &lahete_persistence::repo::referrals::Case,
        shown: Option<(&str, Option<&MunicipalityCode>)>,
        clocks: Clocks,
        now: lahete_domain::time::Instant,
    ) -> Self {
        let referral = &case.referral;
        let (resume_on, follow_up_on) = dates(&referral.state);
        Self {
            id: referral.id.as_uuid(),
            version: referral.version.get(),
            state: referral.state.code().into(),
            state_since: referral.state_since.into(),
            days_in_state: now.days_since(referral.state_since),
            client_id: referral.client.as_uuid(),
            client_name: shown.map(|(name, _)| name.to_owned()),
            municipality: shown.and_then(|(_, place)| place).map(|place| place.as_str().to_owned()),
            sector: referral.referrer.sector.into(),
            reasons: referral.content.reasons.iter().filter(|_| shown.is_some()).copied().map(Into::into).collect(),
            created_at: referral.created_at.into(),
            submitted_at: referral.submission.as_ref().map(|submission| submission.at.into()),
            coordinator_id: referral.coordinator.map(|id| id.as_uuid()),
            waiting_since: referral.queue.map(|queue| queue.accepted_at.into()),
            waiting_days: clocks.waiting_days,
            priority: referral.queue.map(|queue| queue.priority.into()),
            resume_on,
            follow_up_on,
        }
    }
}

fn dates(state: &ReferralState) -> (Option<Date>, Option<Date>) {
    match state {
        ReferralState::Deferred { resume_on, .. } => (Some(*resume_on), None),
        ReferralState::DirectlyGuided { follow_up_on } => (None, Some(*follow_up_on)),
        _ => (None, None),
    }
}

impl ReferralView {
    /// The referral as the caller may see it.
    #[must_use]
    pub(crate) fn of(open: &OpenCase, client: ClientSummary, clocks: Clocks, now: lahete_domain::time::Instant) -> Self {
        let referral = &open.case.referral;
        let role = open.role();
        let sender = matches!(role, Some(Role::Referrer | Role::Integration));
        let hears_the_end = !sender || open.status.shares(ConsentPurpose::FeedbackToReferrer);
        let closure = match &referral.state {
            ReferralState::Closed(closure) if hears_the_end => Some(ClosureView {
                outcome: closure.outcome.into(),
                end_reason: closure.end_reason.into(),
                route: closure.route.map(Into::into),
                at: closure.at.into(),
                by_role: closure.by.role.into(),
                needs: None,
                unanswered_activity_links: None,
                explained_by_break: clocks.closed_in_break,
            }),
            _ => None,
        };
        let (resume_on, follow_up_on) = dates(&referral.state);
        let asked = match &referral.state {
            ReferralState::AwaitingInformation { asked } => Some((*asked).into()),
            _ => None,
        };
        let possible = Transition::allowed_from(referral.state.code())
            .filter(|transition| role.is_some_and(|role| access::scope(role, transition.action()) != access::Scope::None))
            .filter(|transition| match transition {
                Transition::Withdraw => role.is_none_or(|role| referral.can_be_withdrawn_by(role)),
                Transition::Reopen => referral.can_be_reopened(now),
                _ => true,
            })
            .map(|transition| transition.as_str().to_owned())
            .collect();
        let Content { reasons, wish, background, written_together, joint_meeting_wished, not_a_service_acknowledged, source, previous } =
            referral.content.clone();
        let referrer = &referral.referrer;
        Self {
            id: referral.id.as_uuid(),
            version: referral.version.get(),
            programme_id: referral.programme.as_uuid(),
            state: referral.state.code().into(),
            state_since: referral.state_since.into(),
            days_in_state: now.days_since(referral.state_since),
            created_at: referral.created_at.into(),
            submitted_at: referral.submission.as_ref().map(|submission| submission.at.into()),
            client,
            referrer: ReferrerView {
                channel: referrer.channel.into(),
                sector: referrer.sector.into(),
                organisation_id: referrer.organisation.map(|id| id.as_uuid()),
                user_id: referrer.user.map(|id| id.as_uuid()),
                name: referrer.name.clone(),
                contact: referrer.contact.clone(),
                feedback_wanted: referrer.feedback_wanted,
            },
            reasons: reasons.into_iter().map(Into::into).collect(),
            wish,
            background,
            written_together,
            joint_meeting_wished,
            not_a_service_acknowledged,
            source: source.and_then(|source| Some(SourceWire { system: Text::new(source.system)?, id: Text::new(source.id)? })),
            previous_referral_id: previous.map(|id| id.as_uuid()),
            consented_purposes: open.status.open.iter().copied().map(Into::into).collect(),
            consent_verified: open.status.verified.contains(&ConsentPurpose::ProcessReferral),
            coordinator_id: referral.coordinator.map(|id| id.as_uuid()),
            asked,
            waiting_since: referral.queue.map(|queue| queue.accepted_at.into()),
            waiting_days: clocks.waiting_days,
            priority: referral.queue.map(|queue| queue.priority.into()),
            resume_on,
            follow_up_on,
            assignment_id: referral.state.assignment().filter(|_| !sender).map(|id| id.as_uuid()),
            support_period_id: referral.state.support_period().filter(|_| !sender).map(|id| id.as_uuid()),
            closure,
            possible,
        }
    }
}

impl EventView {
    /// A line with its plain words. Senders see what happened, not what was said about it.
    #[must_use]
    pub fn of(event: &lahete_persistence::repo::events::StoredEvent, text: String, with_words: bool) -> Self {
        let by = match event.caller {
            lahete_domain::actor::Caller::User(id) => Some(id.as_uuid()),
            lahete_domain::actor::Caller::ApiClient(id) => Some(id.as_uuid()),
            lahete_domain::actor::Caller::Anonymous | lahete_domain::actor::Caller::Clock => None,
        };
        Self {
            id: event.id.as_uuid(),
            kind: event.kind.into(),
            text,
            at: event.at.into(),
            by,
            role: event.role.map(Into::into),
            from: event.from.map(Into::into),
            to: event.to.map(Into::into),
            reason: event.reason.clone().filter(|_| with_words),
            comment: event.comment.clone().filter(|_| with_words),
        }
    }
}
