//! Activity links on the wire.

use lahete_domain::activity::ActivityLinkState;
use lahete_domain::ids::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::cases::Shown;
use crate::http::wire::{ActivityLinkStateCode, ActivityStatusCode, BarrierCode, Change, Patch, Timestamp, UnmetNeedCode};
use crate::visits::wire::UnmetNeeds;

/// The most links that are answered for in one call.
pub const ANSWERS_MAX: usize = 50;

/// An activity for a client.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "activity_id": "01900000-0000-7000-8000-000000000040" }))]
pub struct NewActivityLink {
    /// The activity. A referral is linked with it once.
    pub activity_id: Uuid,
}

/// How far the client has come now. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "state": "attending", "continues": true }))]
pub struct ActivityLinkUpdate {
    /// The state: forward from `proposed` to `started` and `attending`, from each of them to `stopped`, and from there to a new start.
    #[serde(default)]
    pub state: Change<ActivityLinkStateCode>,
    /// While attending: whether the client goes on after the support has ended; null when that is not known.
    #[serde(default)]
    pub continues: Patch<bool>,
    /// With `stopped`, and needed there: what stood in the way.
    #[serde(default)]
    pub barrier: Patch<BarrierCode>,
    /// What the client would have needed to take part, or to go on; null or an empty list when there is nothing.
    #[serde(default)]
    pub unmet_needs: Patch<UnmetNeeds>,
}

/// What is known of one activity when the work ends: as a change of the link.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "activity_link_id": "01900000-0000-7000-8000-000000000067", "state": "attending", "continues": true }))]
pub struct ActivityLinkAnswer {
    /// The activity link, one of the referral's.
    pub activity_link_id: Uuid,
    /// How far the client has come, where that has changed.
    pub state: Option<ActivityLinkStateCode>,
    /// While attending: whether the client goes on.
    pub continues: Option<bool>,
    /// With `stopped`: what stood in the way.
    pub barrier: Option<BarrierCode>,
    /// What the client would have needed; what is known already when left out.
    pub unmet_needs: Option<UnmetNeeds>,
}

fn given<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Absent, Patch::Value)
}

impl From<&ActivityLinkAnswer> for ActivityLinkUpdate {
    fn from(answer: &ActivityLinkAnswer) -> Self {
        Self {
            state: answer.state.map_or_else(Change::default, Change::to),
            continues: given(answer.continues),
            barrier: given(answer.barrier),
            unmet_needs: given(answer.unmet_needs.clone()),
        }
    }
}

/// An activity that a client was guided to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000067",
    "referral_id": "01900000-0000-7000-8000-000000000060",
    "activity_id": "01900000-0000-7000-8000-000000000040",
    "activity_name": "Torstaikerho",
    "activity_status": "active",
    "state": "attending",
    "continues": true,
    "unmet_needs": [],
    "answered": true,
    "proposed_at": "2026-11-24T09:00:00.000000Z",
    "may_be_told": true
}))]
pub struct ActivityLinkView {
    /// Its id.
    pub id: Uuid,
    /// The referral.
    pub referral_id: Uuid,
    /// The activity.
    pub activity_id: Uuid,
    /// The activity's name.
    #[schema(max_length = 120)]
    pub activity_name: String,
    /// Whether one can still join it; `withdrawn` has ended for good.
    pub activity_status: ActivityStatusCode,
    /// How far the client has come.
    pub state: ActivityLinkStateCode,
    /// While attending: whether the client goes on after the support has ended; left out when that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<bool>,
    /// When stopped: what stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barrier: Option<BarrierCode>,
    /// What the client would have needed to take part, or to go on.
    pub unmet_needs: Vec<UnmetNeedCode>,
    /// Whether it is known what comes of it when the support is over: the client has stopped, or `continues` says so.
    pub answered: bool,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// Whether whoever holds the activity may be told about the client: the client's own consent to `share_with_activity`, as it stands today. Without
    /// it the client goes there by themself.
    pub may_be_told: bool,
}

impl From<&Shown> for ActivityLinkView {
    fn from(shown: &Shown) -> Self {
        let named = &shown.named;
        let link = &named.link;
        let (continues, barrier) = match link.state {
            ActivityLinkState::Proposed | ActivityLinkState::Started => (None, None),
            ActivityLinkState::Attending { continues } => (continues, None),
            ActivityLinkState::Stopped { barrier } => (None, Some(barrier.into())),
        };
        Self {
            id: link.id.as_uuid(),
            referral_id: link.referral.as_uuid(),
            activity_id: link.activity.as_uuid(),
            activity_name: named.activity_name.clone(),
            activity_status: named.activity_status.into(),
            state: link.state.code().into(),
            continues,
            barrier,
            unmet_needs: link.unmet_needs.iter().copied().map(Into::into).collect(),
            answered: link.state.is_answered(),
            proposed_at: link.proposed_at.into(),
            may_be_told: shown.may_be_told,
        }
    }
}

impl From<Shown> for ActivityLinkView {
    fn from(shown: Shown) -> Self {
        Self::from(&shown)
    }
}
