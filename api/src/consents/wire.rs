//! Bodies of consents.

use std::collections::BTreeSet;

use lahete_domain::codes::ConsentPurpose;
use lahete_domain::consent::Consent;
use lahete_domain::ids::{ConsentId, Id as _, ReferralId, UserId};
use lahete_domain::text::{NAME_MAX, TOKEN_MAX};
use lahete_domain::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{ConsentMethodCode, ConsentPurposeCode, Date, LanguageCode, Text, Timestamp};

/// What the client has consented to, and how.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "purposes": ["process_referral", "share_with_link_worker", "feedback_to_referrer", "evaluation"],
    "text_version": "2026-1", "language": "fi", "method": "written", "given_with": "Riikka Lähettäjä"
}))]
pub struct ConsentCreate {
    /// What it opens. Without `process_referral` there is no referral.
    #[schema(min_items = 1, max_items = 5)]
    pub purposes: Vec<ConsentPurposeCode>,
    /// Version of the text that the client heard or read.
    pub text_version: Text<{ TOKEN_MAX }>,
    /// Language of that text.
    pub language: LanguageCode,
    /// How it was given. `asserted_by_sender` opens nothing to others until the coordinator has verified it.
    pub method: ConsentMethodCode,
    /// With whom the client gave it.
    pub given_with: Option<Text<{ NAME_MAX }>>,
    /// The last day on which it holds.
    pub valid_until: Option<Date>,
}

impl ConsentCreate {
    /// The consent of a referral.
    #[must_use]
    pub fn into_consent(self, id: ConsentId, referral: ReferralId, recorded_by: Option<UserId>, now: Instant) -> Consent {
        Consent {
            id,
            referral,
            purposes: self.purposes.into_iter().map(|purpose| purpose.0).collect(),
            withdrawn_purposes: BTreeSet::new(),
            text_version: self.text_version.into_string(),
            language: self.language.0,
            method: self.method.0,
            given_with: self.given_with.map(Text::into_string),
            given_at: now,
            valid_until: self.valid_until,
            recorded_by,
            verified: None,
            withdrawn_at: None,
        }
    }
}

/// What is taken back.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purposes": ["evaluation"]}))]
pub struct ConsentWithdraw {
    /// These purposes; all of them when left out. Without `process_referral` the referral is closed at once.
    #[schema(min_items = 1, max_items = 5)]
    pub purposes: Option<Vec<ConsentPurposeCode>>,
}

impl ConsentWithdraw {
    /// The purposes to take back from a consent.
    #[must_use]
    pub fn purposes_of(self, consent: &Consent) -> BTreeSet<ConsentPurpose> {
        match self.purposes {
            Some(purposes) => purposes.into_iter().map(|purpose| purpose.0).collect(),
            None => consent.purposes.clone(),
        }
    }
}

/// A consent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000061", "referral_id": "01900000-0000-7000-8000-000000000060",
    "purposes": ["process_referral", "share_with_link_worker"], "withdrawn_purposes": [], "open_purposes": ["process_referral", "share_with_link_worker"],
    "text_version": "2026-1", "language": "fi", "method": "written", "given_at": "2026-11-22T10:00:00.000000Z", "verified": true
}))]
pub struct ConsentView {
    /// Its id.
    pub id: Uuid,
    /// The referral that it belongs to.
    pub referral_id: Uuid,
    /// What was consented to.
    #[schema(max_items = 5)]
    pub purposes: Vec<ConsentPurposeCode>,
    /// What was taken back.
    #[schema(max_items = 5)]
    pub withdrawn_purposes: Vec<ConsentPurposeCode>,
    /// What it opens today.
    #[schema(max_items = 5)]
    pub open_purposes: Vec<ConsentPurposeCode>,
    /// Version of the text.
    pub text_version: String,
    /// Language of the text.
    pub language: LanguageCode,
    /// How it was given.
    pub method: ConsentMethodCode,
    /// With whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_with: Option<String>,
    /// When.
    pub given_at: Timestamp,
    /// The last day on which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Who wrote it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_by: Option<Uuid>,
    /// Whether the client themself stands behind it.
    pub verified: bool,
    /// When a coordinator verified an asserted one with the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// When something was taken back last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

impl ConsentView {
    /// A consent as it stands on a day.
    #[must_use]
    pub fn of(consent: &Consent, today: Date) -> Self {
        let codes = |purposes: &BTreeSet<ConsentPurpose>| purposes.iter().copied().map(Into::into).collect();
        Self {
            id: consent.id.as_uuid(),
            referral_id: consent.referral.as_uuid(),
            purposes: codes(&consent.purposes),
            withdrawn_purposes: codes(&consent.withdrawn_purposes),
            open_purposes: codes(&consent.open_purposes(today)),
            text_version: consent.text_version.clone(),
            language: consent.language.into(),
            method: consent.method.into(),
            given_with: consent.given_with.clone(),
            given_at: consent.given_at.into(),
            valid_until: consent.valid_until,
            recorded_by: consent.recorded_by.map(|by| by.as_uuid()),
            verified: consent.is_verified(),
            verified_at: consent.verified.map(|(at, _)| at.into()),
            withdrawn_at: consent.withdrawn_at.map(Into::into),
        }
    }
}

/// The consents of a referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct ConsentListView {
    /// The oldest first.
    #[schema(max_items = 1000)]
    pub items: Vec<ConsentView>,
}
