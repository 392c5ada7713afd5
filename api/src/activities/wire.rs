//! Activities on the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use lahete_domain::activity::{
    Activity, Contact, KEYWORDS_MAX, MUNICIPALITIES_MAX, OpeningTime, PLACES_MAX, Place, Provider, TIMES_MAX, TRANSLATIONS_MAX, Translation,
};
use lahete_domain::ids::Id;
use lahete_domain::text::{DESCRIPTION_MAX, LINE_MAX, NAME_MAX, REASON_MAX, SUMMARY_MAX};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{
    ActivitySourceCode, ActivityStatusCode, Change, ContentKindCode, Date, DayOfWeekCode, LongText, OrganisationKindCode, Patch, PriceCode,
    Text, ThemeCode, Timestamp,
};
use crate::http::wire_sets::{LanguageTag, Municipality, SetOf};
use crate::link_workers::wire::LANGUAGES_MAX;

/// Most themes of one activity: all that there are.
pub const THEMES_MAX: usize = 10;
/// Longest text to search for.
pub const SEARCH_MAX: usize = 60;
/// A business id.
const BUSINESS_ID_MAX: usize = 9;

/// How a time of the day is written.
const TIME_PATTERN: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const TIME_FORMAT: &str = "%H:%M";

/// A time of the day in Finland, `17:30`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeOfDay(pub NaiveTime);

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.format(TIME_FORMAT))
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = NaiveTime::parse_from_str(&text, TIME_FORMAT).ok().filter(|time| time.format(TIME_FORMAT).to_string() == text);
        time.map(Self).ok_or_else(|| D::Error::custom("not a time of the day"))
    }
}

impl ComposeSchema for TimeOfDay {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(TIME_PATTERN)).min_length(Some(5)).max_length(Some(5)).into()
    }
}

impl ToSchema for TimeOfDay {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineTimeOfDay")
    }
}

/// Which activities are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityQuery {
    /// Only those that these words find: in names, keywords, descriptions, places and providers. Letters that a keyboard lacks may be typed plainly (`c` for `č`,
    /// `a` for `ä`), and a word of four letters or more may have a mistake, one of six or more two. The best come first; at most 300 are found.
    #[param(inline)]
    pub q: Option<Text<{ SEARCH_MAX }>>,
    /// Only those with this theme.
    pub theme: Option<ThemeCode>,
    /// Only those for people of this municipality, those for the whole country among them.
    #[param(inline)]
    pub municipality: Option<Municipality>,
    /// Only those of this kind.
    pub content_kind: Option<ContentKindCode>,
    /// Only those at this price.
    pub price: Option<PriceCode>,
    /// Only those that the Kaikukortti opens, or does not.
    pub kaikukortti: Option<bool>,
    /// Only those that one can take part in remotely, or cannot.
    pub remote: Option<bool>,
    /// Only those in which this language is spoken.
    #[param(inline)]
    pub language: Option<LanguageTag>,
    /// Only those that this programme keeps.
    pub programme_id: Option<Uuid>,
    /// Only those that are kept there.
    pub source: Option<ActivitySourceCode>,
    /// Only those that nobody has checked on this day or later.
    pub checked_before: Option<Date>,
    /// Those in this status; those that one can join when it is left out.
    pub status: Option<ActivityStatusCode>,
}

/// Who provides an activity, when it is no organisation of the programme.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Sodankylän seurakunta", "business_id": "0737546-2", "kind": "parish" }))]
pub struct ProviderBody {
    /// Its name.
    pub name: Text<{ NAME_MAX }>,
    /// Its business id (Y-tunnus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_id: Option<Text<{ BUSINESS_ID_MAX }>>,
    /// What kind of organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrganisationKindCode>,
}

/// An activity in another language than its main one.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "language": "se", "name": "Duorastatkearru", "summary": "Gáfe ja lávlun." }))]
pub struct TranslationBody {
    /// The language.
    pub language: LanguageTag,
    /// Its name.
    pub name: Text<{ NAME_MAX }>,
    /// What it is in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Text<{ SUMMARY_MAX }>>,
    /// What happens there, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<LongText<{ DESCRIPTION_MAX }>>,
}

/// A time of each week.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "weekday": "thursday", "opens_at": "12:00", "closes_at": "14:00" }))]
pub struct OpeningTimeBody {
    /// On which day.
    pub weekday: DayOfWeekCode,
    /// From when.
    pub opens_at: TimeOfDay,
    /// Until when, the same day.
    pub closes_at: TimeOfDay,
}

/// A place of an organisation.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Seurakuntatalo", "street": "Jäämerentie 1", "postal_code": "99600", "post_office": "Sodankylä", "municipality": "758"
}))]
pub struct PlaceBody {
    /// What the place is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<{ NAME_MAX }>>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<Text<{ LINE_MAX + 20 }>>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Text<10>>,
    /// Post office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_office: Option<Text<{ NAME_MAX }>>,
    /// The municipality in which it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<Municipality>,
}

/// How the organisation is reached. Never a named person's telephone or e-mail.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "016 123 456", "email": "toimisto@seurakunta.example", "web": "https://seurakunta.example/kerhot" }))]
pub struct ContactBody {
    /// Telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text<40>>,
    /// E-mail of the organisation; one of the form given.family@ is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Text<{ LINE_MAX }>>,
    /// Web page, `https://…` or `http://…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<Text<{ LINE_MAX }>>,
}

/// A new entry of the directory.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "organisation_id": "01900000-0000-7000-8000-000000000012",
    "name": "Torstaikerho",
    "summary": "Kahvia, laulua ja juttuseuraa.",
    "description": "Seurakuntatalolla torstaisin klo 12-14. Kaikki ovat tervetulleita.",
    "translations": [{ "language": "se", "name": "Duorastatkearru", "summary": "Gáfe ja lávlun." }],
    "themes": ["participation", "mental_wellbeing"],
    "municipalities": ["758"],
    "price": "free",
    "kaikukortti": false,
    "remote": false,
    "languages": ["fi", "se"],
    "times": [{ "weekday": "thursday", "opens_at": "12:00", "closes_at": "14:00" }],
    "places": [{ "name": "Seurakuntatalo", "street": "Jäämerentie 1", "postal_code": "99600", "post_office": "Sodankylä", "municipality": "758" }],
    "contact": { "phone": "016 123 456", "web": "https://seurakunta.example/kerhot" },
    "accessibility_note": "Esteetön sisäänkäynti pihan puolelta.",
    "checked_on": "2026-11-20"
}))]
pub struct NewActivity {
    /// The programme whose coordinators keep it.
    pub programme_id: Uuid,
    /// Who provides it.
    pub organisation_id: Option<Uuid>,
    /// Who provides it, when it is no organisation of the programme.
    pub provider: Option<ProviderBody>,
    /// Its name, in its main language.
    pub name: Text<{ NAME_MAX }>,
    /// Its main language; Finnish when left out.
    pub text_language: Option<LanguageTag>,
    /// What it is in a sentence.
    pub summary: Option<Text<{ SUMMARY_MAX }>>,
    /// What happens there, and when.
    pub description: Option<LongText<{ DESCRIPTION_MAX }>>,
    /// The same in other languages, each once.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub translations: Vec<TranslationBody>,
    /// Other words by which it is found.
    pub keywords: Option<Text<{ KEYWORDS_MAX }>>,
    /// What is offered; a service when left out.
    pub content_kind: Option<ContentKindCode>,
    /// Its themes.
    #[serde(default)]
    pub themes: SetOf<ThemeCode, { THEMES_MAX }>,
    /// For people of which municipalities.
    #[serde(default)]
    pub municipalities: SetOf<Municipality, { MUNICIPALITIES_MAX }>,
    /// For everybody in the country; then no municipalities are named.
    #[serde(default)]
    pub nationwide: bool,
    /// What it costs.
    pub price: PriceCode,
    /// More about the price.
    pub price_note: Option<Text<{ REASON_MAX }>>,
    /// Whether the Kaikukortti opens it.
    #[serde(default)]
    pub kaikukortti: bool,
    /// Whether one can take part remotely.
    #[serde(default)]
    pub remote: bool,
    /// What one needs to know about getting in and around.
    pub accessibility_note: Option<Text<{ REASON_MAX }>>,
    /// The languages spoken there.
    #[serde(default)]
    pub languages: SetOf<LanguageTag, { LANGUAGES_MAX }>,
    /// Weekly times.
    #[serde(default)]
    #[schema(max_items = 28)]
    pub times: Vec<OpeningTimeBody>,
    /// When, in words.
    pub schedule_note: Option<Text<{ REASON_MAX }>>,
    /// Where.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub places: Vec<PlaceBody>,
    /// How the organisation is reached.
    pub contact: Option<ContactBody>,
    /// When somebody last checked that it is true; today when left out.
    pub checked_on: Option<Date>,
}

/// A change of an entry. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "checked_on": "2026-11-22", "kaikukortti": true }))]
pub struct ActivityUpdate {
    /// Who provides it; null for nobody known.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub organisation_id: Patch<Uuid>,
    /// Who provides it, when it is no organisation of the programme; null for nobody known.
    #[serde(default)]
    #[schema(value_type = Option<ProviderBody>)]
    pub provider: Patch<ProviderBody>,
    /// Its name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// Its main language.
    #[serde(default)]
    pub text_language: Change<LanguageTag>,
    /// What it is in a sentence; null takes it away.
    #[serde(default)]
    pub summary: Patch<Text<{ SUMMARY_MAX }>>,
    /// What happens there, and when; null takes it away.
    #[serde(default)]
    pub description: Patch<LongText<{ DESCRIPTION_MAX }>>,
    /// The same in other languages, all of them.
    #[serde(default)]
    #[schema(value_type = Vec<TranslationBody>, max_items = 10)]
    pub translations: Change<Vec<TranslationBody>>,
    /// Other words by which it is found; null takes them away.
    #[serde(default)]
    pub keywords: Patch<Text<{ KEYWORDS_MAX }>>,
    /// What is offered.
    #[serde(default)]
    pub content_kind: Change<ContentKindCode>,
    /// Its themes, all of them.
    #[serde(default)]
    pub themes: Change<SetOf<ThemeCode, { THEMES_MAX }>>,
    /// For people of which municipalities, all of them.
    #[serde(default)]
    pub municipalities: Change<SetOf<Municipality, { MUNICIPALITIES_MAX }>>,
    /// For everybody in the country.
    #[serde(default)]
    pub nationwide: Change<bool>,
    /// What it costs.
    #[serde(default)]
    pub price: Change<PriceCode>,
    /// More about the price; null takes it away.
    #[serde(default)]
    pub price_note: Patch<Text<{ REASON_MAX }>>,
    /// Whether the Kaikukortti opens it.
    #[serde(default)]
    pub kaikukortti: Change<bool>,
    /// Whether one can take part remotely.
    #[serde(default)]
    pub remote: Change<bool>,
    /// What one needs to know about getting in and around; null takes it away.
    #[serde(default)]
    pub accessibility_note: Patch<Text<{ REASON_MAX }>>,
    /// The languages spoken there, all of them.
    #[serde(default)]
    pub languages: Change<SetOf<LanguageTag, { LANGUAGES_MAX }>>,
    /// Weekly times, all of them.
    #[serde(default)]
    #[schema(value_type = Vec<OpeningTimeBody>, max_items = 28)]
    pub times: Change<Vec<OpeningTimeBody>>,
    /// When, in words; null takes it away.
    #[serde(default)]
    pub schedule_note: Patch<Text<{ REASON_MAX }>>,
    /// Where, all places.
    #[serde(default)]
    #[schema(value_type = Vec<PlaceBody>, max_items = 20)]
    pub places: Change<Vec<PlaceBody>>,
    /// How the organisation is reached, all of it.
    #[serde(default)]
    pub contact: Change<ContactBody>,
    /// When somebody last checked that it is true.
    #[serde(default)]
    #[schema(value_type = Date)]
    pub checked_on: Change<Date>,
    /// Whether one can join. `withdrawn` only for an entry of one's own.
    #[serde(default)]
    pub status: Change<ActivityStatusCode>,
}

impl ActivityUpdate {
    /// Whether it says anything of what comes from the other directory when an entry is kept there.
    #[must_use]
    pub fn touches_content(&self) -> bool {
        !(self.organisation_id.is_absent()
            && self.provider.is_absent()
            && self.name.is_absent()
            && self.text_language.is_absent()
            && self.summary.is_absent()
            && self.description.is_absent()
            && self.translations.is_absent()
            && self.keywords.is_absent()
            && self.content_kind.is_absent()
            && self.themes.is_absent()
            && self.municipalities.is_absent()
            && self.nationwide.is_absent()
            && self.price.is_absent()
            && self.price_note.is_absent()
            && self.languages.is_absent()
            && self.times.is_absent()
            && self.schedule_note.is_absent()
            && self.places.is_absent()
            && self.contact.is_absent())
    }
}

/// An entry of the directory.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000040",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "organisation_id": "01900000-0000-7000-8000-000000000012",
    "provider": { "name": "Sodankylän seurakunta", "kind": "parish" },
    "name": "Torstaikerho",
    "text_language": "fi",
    "summary": "Kahvia, laulua ja juttuseuraa.",
    "description": "Seurakuntatalolla torstaisin klo 12-14. Kaikki ovat tervetulleita.",
    "translations": [{ "language": "se", "name": "Duorastatkearru", "summary": "Gáfe ja lávlun." }],
    "status": "active",
    "content_kind": "service",
    "themes": ["participation", "mental_wellbeing"],
    "municipalities": ["758"],
    "nationwide": false,
    "price": "free",
    "kaikukortti": false,
    "remote": false,
    "languages": ["fi", "se"],
    "times": [{ "weekday": "thursday", "opens_at": "12:00", "closes_at": "14:00" }],
    "places": [{ "name": "Seurakuntatalo", "street": "Jäämerentie 1", "postal_code": "99600", "post_office": "Sodankylä", "municipality": "758" }],
    "contact": { "phone": "016 123 456", "web": "https://seurakunta.example/kerhot" },
    "source": "own",
    "checked_on": "2026-11-20",
    "checked_days_ago": 2
}))]
pub struct ActivityView {
    /// Its id.
    pub id: Uuid,
    /// The programme whose coordinators keep it.
    pub programme_id: Uuid,
    /// Who provides it, when it is an organisation of the programme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// Who provides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderView>,
    /// Its name, in its main language.
    #[schema(max_length = 120)]
    pub name: String,
    /// Its main language.
    #[schema(max_length = 35)]
    pub text_language: String,
    /// What it is in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub summary: Option<String>,
    /// What happens there, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2500)]
    pub description: Option<String>,
    /// The same in other languages.
    #[schema(max_items = 10)]
    pub translations: Vec<TranslationView>,
    /// Other words by which it is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub keywords: Option<String>,
    /// Whether one can join. `withdrawn` has ended for good; it stays for clients who are linked with it.
    pub status: ActivityStatusCode,
    /// What is offered.
    pub content_kind: ContentKindCode,
    /// Its themes.
    #[schema(max_items = 10)]
    pub themes: Vec<ThemeCode>,
    /// For people of which municipalities.
    #[schema(max_items = 320)]
    pub municipalities: Vec<Municipality>,
    /// For everybody in the country.
    pub nationwide: bool,
    /// What it costs.
    pub price: PriceCode,
    /// More about the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub price_note: Option<String>,
    /// Whether the Kaikukortti opens it.
    pub kaikukortti: bool,
    /// Whether one can take part remotely.
    pub remote: bool,
    /// What one needs to know about getting in and around.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub accessibility_note: Option<String>,
    /// The languages spoken there.
    #[schema(max_items = 20)]
    pub languages: Vec<String>,
    /// Weekly times.
    #[schema(max_items = 28)]
    pub times: Vec<OpeningTimeBody>,
    /// When, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub schedule_note: Option<String>,
    /// Where.
    #[schema(max_items = 20)]
    pub places: Vec<PlaceView>,
    /// How the organisation is reached.
    pub contact: ContactView,
    /// Where the entry is kept.
    pub source: ActivitySourceCode,
    /// Its id there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Uuid>,
    /// When it was last changed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_modified: Option<Timestamp>,
    /// Under which licence it comes from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    pub licence: Option<String>,
    /// When somebody last checked that it is true.
    pub checked_on: NaiveDate,
    /// How many days ago that was.
    #[schema(minimum = 0)]
    pub checked_days_ago: i64,
}

/// Who provides an activity.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "name": "Sodankylän seurakunta", "business_id": "0737546-2", "kind": "parish" }))]
pub struct ProviderView {
    /// Its name.
    #[schema(max_length = 120)]
    pub name: String,
    /// Its business id (Y-tunnus).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 9)]
    pub business_id: Option<String>,
    /// What kind of organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrganisationKindCode>,
}

/// An activity in another language than its main one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "language": "se", "name": "Duorastatkearru", "summary": "Gáfe ja lávlun." }))]
pub struct TranslationView {
    /// The language.
    #[schema(max_length = 35)]
    pub language: String,
    /// Its name.
    #[schema(max_length = 120)]
    pub name: String,
    /// What it is in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub summary: Option<String>,
    /// What happens there, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2500)]
    pub description: Option<String>,
}

/// A place of an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "name": "Seurakuntatalo", "street": "Jäämerentie 1", "postal_code": "99600", "post_office": "Sodankylä", "municipality": "758" }))]
pub struct PlaceView {
    /// What the place is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    pub name: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 240)]
    pub street: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 10)]
    pub postal_code: Option<String>,
    /// Post office.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    pub post_office: Option<String>,
    /// The municipality in which it lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<Municipality>,
}

/// How the organisation is reached.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "phone": "016 123 456", "web": "https://seurakunta.example/kerhot" }))]
pub struct ContactView {
    /// Telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40)]
    pub phone: Option<String>,
    /// E-mail of the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub email: Option<String>,
    /// Web page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub web: Option<String>,
}

impl From<&ProviderBody> for Provider {
    fn from(body: &ProviderBody) -> Self {
        Self {
            name: body.name.as_str().to_owned(),
            business_id: body.business_id.as_ref().map(|id| id.as_str().to_owned()),
            kind: body.kind.map(|kind| kind.0),
        }
    }
}

impl From<&PlaceBody> for Place {
    fn from(body: &PlaceBody) -> Self {
        Self {
            name: body.name.as_ref().map(|text| text.as_str().to_owned()),
            street: body.street.as_ref().map(|text| text.as_str().to_owned()),
            postal_code: body.postal_code.as_ref().map(|text| text.as_str().to_owned()),
            post_office: body.post_office.as_ref().map(|text| text.as_str().to_owned()),
            municipality: body.municipality.as_ref().map(|municipality| municipality.0.clone()),
        }
    }
}

impl From<&ContactBody> for Contact {
    fn from(body: &ContactBody) -> Self {
        Self {
            phone: body.phone.as_ref().map(|text| text.as_str().to_owned()),
            email: body.email.as_ref().map(|text| text.as_str().to_owned()),
            web: body.web.as_ref().map(|text| text.as_str().to_owned()),
        }
    }
}

impl From<&OpeningTimeBody> for OpeningTime {
    fn from(body: &OpeningTimeBody) -> Self {
        Self { weekday: body.weekday.0, opens_at: body.opens_at.0, closes_at: body.closes_at.0 }
    }
}

/// The texts of other languages by their tags.
#[must_use]
pub fn translations(bodies: &[TranslationBody]) -> BTreeMap<String, Translation> {
    let one = |body: &TranslationBody| {
        let told = Translation {
            name: body.name.as_str().to_owned(),
            summary: body.summary.as_ref().map(|text| text.as_str().to_owned()),
            description: body.description.as_ref().map(|text| text.as_str().to_owned()),
        };
        (body.language.as_str().to_owned(), told)
    };
    bodies.iter().map(one).collect()
}

// The document names the limits as numbers: they are those of the domain.
const _: () = assert!(TRANSLATIONS_MAX == 10 && TIMES_MAX == 28 && PLACES_MAX == 20 && MUNICIPALITIES_MAX == 320);

impl ActivityView {
    /// The entry as it is shown on a day.
    #[must_use]
    pub fn of(activity: &Activity, today: NaiveDate) -> Self {
        Self {
            id: activity.id.as_uuid(),
            programme_id: activity.programme.as_uuid(),
            organisation_id: activity.organisation.map(Id::as_uuid),
            provider: activity.provider.as_ref().map(|provider| ProviderView {
                name: provider.name.clone(),
                business_id: provider.business_id.clone(),
                kind: provider.kind.map(Into::into),
            }),
            name: activity.name.clone(),
            text_language: activity.text_language.clone(),
            summary: activity.summary.clone(),
            description: activity.description.clone(),
            translations: activity
                .translations
                .iter()
                .map(|(language, told)| TranslationView {
                    language: language.clone(),
                    name: told.name.clone(),
                    summary: told.summary.clone(),
                    description: told.description.clone(),
                })
                .collect(),
            keywords: Some(activity.keywords.clone()).filter(|words| !words.is_empty()),
            status: activity.status.into(),
            content_kind: activity.content_kind.into(),
            themes: activity.themes.iter().copied().map(Into::into).collect(),
            municipalities: activity.municipalities.iter().map(Municipality::from).collect(),
            nationwide: activity.nationwide,
            price: activity.price.into(),
            price_note: activity.price_note.clone(),
            kaikukortti: activity.kaikukortti,
            remote: activity.remote,
            accessibility_note: activity.accessibility_note.clone(),
            languages: activity.languages.iter().cloned().collect(),
            times: activity
                .times
                .iter()
                .map(|time| OpeningTimeBody {
                    weekday: time.weekday.into(),
                    opens_at: TimeOfDay(time.opens_at),
                    closes_at: TimeOfDay(time.closes_at),
                })
                .collect(),
            schedule_note: activity.schedule_note.clone(),
            places: activity
                .places
                .iter()
                .map(|place| PlaceView {
                    name: place.name.clone(),
                    street: place.street.clone(),
                    postal_code: place.postal_code.clone(),
                    post_office: place.post_office.clone(),
                    municipality: place.municipality.as_ref().map(Municipality::from),
                })
                .collect(),
            contact: ContactView {
                phone: activity.contact.phone.clone(),
                email: activity.contact.email.clone(),
                web: activity.contact.web.clone(),
            },
            source: activity.source.into(),
            source_id: activity.source_id,
            source_modified: activity.source_modified.map(Into::into),
            licence: activity.licence.clone(),
            checked_on: activity.checked_on,
            checked_days_ago: activity.checked_days_ago(today),
        }
    }
}
