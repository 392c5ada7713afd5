//! Bodies of the open door.

use lahete_domain::text::{LINE_MAX, NAME_MAX, NOTE_MAX, TOKEN_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::clients::wire::ClientCreate;
use crate::http::wire::{ConsentPurposeCode, LanguageCode, LongText, ReferralReasonCode, ReferralStateCode, SectorCode, Text, Timestamp};

/// Who sends a referral without signing in.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"sector": "parish", "name": "Diakoni Dora", "contact": "+358 40 555 0199"}))]
pub struct PublicReferrer {
    /// In which sector they work; `self` for the client themself.
    pub sector: SectorCode,
    /// Their name.
    pub name: Option<Text<{ NAME_MAX }>>,
    /// How the coordinator reaches them.
    pub contact: Option<Text<{ LINE_MAX }>>,
}

/// What the sender says that the client has consented to. It opens nothing to anyone but the coordinator until they have asked the client.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purposes": ["process_referral", "share_with_link_worker"], "text_version": "2026-1", "language": "fi"}))]
pub struct PublicConsent {
    /// What the client has agreed to.
    #[schema(min_items = 1, max_items = 5)]
    pub purposes: Vec<ConsentPurposeCode>,
    /// Version of the text that the client heard or read.
    pub text_version: Text<{ TOKEN_MAX }>,
    /// Language of that text.
    pub language: LanguageCode,
}

/// A referral from somebody who does not sign in. It never holds an identity code.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "no_identity_code"))]
#[schema(example = json!({
    "client": {"given_name": "Eino", "family_name": "Esimerkki", "birth_year": 1950, "municipality": "758", "phone": "+358 40 555 0103"},
    "referrer": {"sector": "parish", "name": "Diakoni Dora", "contact": "+358 40 555 0199"},
    "reasons": ["loneliness"],
    "wish": "Joku joka tulisi juttelemaan.",
    "not_a_service_acknowledged": true,
    "consent": {"purposes": ["process_referral", "share_with_link_worker"], "text_version": "2026-1", "language": "fi"}
}))]
pub struct PublicReferralCreate {
    /// The adult whom it is about.
    #[validate(nested)]
    pub client: ClientCreate,
    /// Who sends it.
    pub referrer: PublicReferrer,
    /// Why.
    #[schema(min_items = 1, max_items = 9)]
    pub reasons: Vec<ReferralReasonCode>,
    /// What the client wishes, in their own words.
    pub wish: Option<LongText<{ NOTE_MAX }>>,
    /// Anything else that helps the coordinator. Do not write health data here.
    pub background: Option<LongText<{ NOTE_MAX }>>,
    /// Written together with the client.
    #[serde(default)]
    pub written_together: bool,
    /// The sender knows that this does not replace a health or social service.
    pub not_a_service_acknowledged: bool,
    /// What the client has consented to, by the sender's word.
    #[validate(nested)]
    pub consent: PublicConsent,
}

fn no_identity_code(body: &PublicReferralCreate) -> Result<(), ValidationError> {
    if body.client.personal_identity_code.is_none() {
        return Ok(());
    }
    let text = "An identity code is never sent without signing in.";
    Err(ValidationError::new("identity_code_not_here").with_message(text.into()))
}

/// The receipt of a referral that was sent without signing in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"tracking_code": "LAH-7Q2M-9XKD-4TRB-W8VE-3HJN-6PYC-5FGZ-1A0S", "received_at": "2026-11-22T10:00:00.000000Z"}))]
pub struct PublicReferralReceipt {
    /// With it one can ask for the state, and for nothing else. It is shown this once.
    pub tracking_code: String,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// The tracking code of a referral. It is a body and not a query, because addresses end up in logs.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"tracking_code": "LAH-7Q2M-9XKD-4TRB-W8VE-3HJN-6PYC-5FGZ-1A0S"}))]
pub struct PublicStatusQuery {
    /// The code, with or without hyphens.
    pub tracking_code: Text<{ TOKEN_MAX }>,
}

/// The state behind a tracking code, and nothing else.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"state": "in_review", "since": "2026-11-23T08:00:00.000000Z"}))]
pub struct PublicStatusView {
    /// Where the referral stands.
    pub state: ReferralStateCode,
    /// Since when.
    pub since: Timestamp,
}
