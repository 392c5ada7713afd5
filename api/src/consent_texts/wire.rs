//! Consent texts on the wire.

use lahete_domain::consent::ConsentText;
use lahete_domain::ids::Id as _;
use lahete_domain::text::{CONSENT_TEXT_MAX, TOKEN_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Date, LanguageCode, LongText, Text, Timestamp};
use crate::http::wire_sets::Municipality;

/// Which texts are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConsentTextQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those of the programmes that take referrals from this municipality.
    #[param(inline)]
    pub municipality: Option<Municipality>,
    /// Only those in this language.
    pub language: Option<LanguageCode>,
    /// Only those of this version.
    #[param(inline)]
    pub version: Option<Text<{ TOKEN_MAX }>>,
    /// With false, also those whose first day is still to come; otherwise only those in use today.
    pub usable: Option<bool>,
}

/// A new text.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "version": "2027-1", "language": "fi",
    "body": "Suostun siihen, että minusta tehdään hyvinvointilähete. Voin perua suostumuksen milloin tahansa.",
    "valid_from": "2027-01-01"
}))]
pub struct ConsentTextNew {
    /// The programme whose clients are asked.
    pub programme_id: Uuid,
    /// The version, the same for all languages of one text.
    pub version: Text<{ TOKEN_MAX }>,
    /// The language of the text.
    pub language: LanguageCode,
    /// The text, as it is shown or read out.
    pub body: LongText<{ CONSENT_TEXT_MAX }>,
    /// The first day on which it may be used; today when left out.
    pub valid_from: Option<Date>,
}

/// A text that clients consent to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000003", "programme_id": "01900000-0000-7000-8000-000000000001", "version": "2026-1", "language": "fi",
    "body": "Suostun siihen, että minusta tehdään hyvinvointilähete. Voin perua suostumuksen milloin tahansa.",
    "valid_from": "2022-01-01", "published_at": "2022-01-01T06:00:00.000000Z"
}))]
pub struct ConsentTextView {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// The version, as consents name it in `text_version`.
    #[schema(max_length = 80)]
    pub version: String,
    /// The language of the text.
    pub language: LanguageCode,
    /// The text.
    #[schema(max_length = 8000)]
    pub body: String,
    /// The first day on which it may be used.
    pub valid_from: Date,
    /// When it was published.
    pub published_at: Timestamp,
}

impl From<&ConsentText> for ConsentTextView {
    fn from(text: &ConsentText) -> Self {
        Self {
            id: text.id.as_uuid(),
            programme_id: text.programme.as_uuid(),
            version: text.version.clone(),
            language: text.language.into(),
            body: text.body.clone(),
            valid_from: text.valid_from,
            published_at: text.published_at.into(),
        }
    }
}

impl From<ConsentText> for ConsentTextView {
    fn from(text: ConsentText) -> Self {
        Self::from(&text)
    }
}
