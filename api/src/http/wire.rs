//! Types that stand in bodies and queries. Each knows its own limits, shows them in the API document, and checks them when it is read.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use lahete_domain::actor::Validity;
use lahete_domain::codes::{self, Code as DomainCode};
use lahete_domain::time::Instant;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use validator::ValidationError;

/// A date, `YYYY-MM-DD`.
pub type Date = chrono::NaiveDate;

/// No control characters, and no blank in front.
pub const TEXT_PATTERN: &str = r"^[^\u0000-\u0020\u007F-\u00A0][^\u0000-\u001F\u007F-\u009F]*$";

/// As [`TEXT_PATTERN`], but tabs and line breaks may follow the first character.
pub const LONG_TEXT_PATTERN: &str = r"^[^\u0000-\u0020\u007F-\u00A0][^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$";

/// The prefix of the schemas that are written out at each place in the document in place of a reference.
pub const INLINE_PREFIX: &str = "Inline";

fn fits(text: &str, max: usize, breaks: bool) -> bool {
    let begins_well = text.chars().next().is_some_and(|first| !matches!(first, '\u{0}'..='\u{20}' | '\u{7f}'..='\u{a0}'));
    let goes_on_well = text.chars().all(|letter| !letter.is_control() || (breaks && matches!(letter, '\t' | '\n' | '\r')));
    begins_well && goes_on_well && text.chars().count() <= max
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $breaks:literal, $pattern:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// The limit is a literal or a constant in braces: `Text<100>`, `Text<{ NAME_MAX }>`.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name<const MAX: usize>(String);

        impl<const MAX: usize> $name<MAX> {
            /// Takes a text that fits; `None` for any other.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Option<Self> {
                let text = text.into();
                if fits(&text, MAX, $breaks) { Some(Self(text)) } else { None }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, given away.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl<const MAX: usize> From<$name<MAX>> for String {
            fn from(text: $name<MAX>) -> Self {
                text.0
            }
        }

        impl<const MAX: usize> AsRef<str> for $name<MAX> {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de, const MAX: usize> Deserialize<'de> for $name<MAX> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("text does not fit"))
            }
        }

        impl<const MAX: usize> ComposeSchema for $name<MAX> {
            fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(MAX))
                    .pattern(Some($pattern))
                    .into()
            }
        }

        impl<const MAX: usize> ToSchema for $name<MAX> {
            fn name() -> Cow<'static, str> {
                Cow::Owned(format!(concat!("Inline", stringify!($name), "{}"), MAX))
            }
        }
    )*};
}

texts! {
    /// A line of text with at least one and at most `MAX` characters, none of them a control character, the first not a blank.
    Text, false, TEXT_PATTERN;
    /// Text of several lines, with at least one and at most `MAX` characters.
    LongText, true, LONG_TEXT_PATTERN;
}

/// The schema behind the name of a small type, for query parameters: their derive names a schema without bringing it along.
#[must_use]
pub fn inline_schema(name: &str) -> Option<RefOr<Schema>> {
    let text = |digits: &str, pattern: &str| {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(digits.parse().ok()?));
        Some(RefOr::from(text.pattern(Some(pattern))))
    };
    let name = name.strip_prefix(INLINE_PREFIX)?;
    match name {
        "Timestamp" => Some(Timestamp::compose(Vec::new())),
        "Decimal" => Some(Decimal::compose(Vec::new())),
        "YearMonth" => Some(super::wire_sets::YearMonth::compose(Vec::new())),
        "Municipality" => Some(super::wire_sets::Municipality::compose(Vec::new())),
        "LanguageTag" => Some(super::wire_sets::LanguageTag::compose(Vec::new())),
        "InstrumentName" => Some(super::wire_sets::InstrumentName::compose(Vec::new())),
        _ => match (name.strip_prefix("Text"), name.strip_prefix("LongText")) {
            (Some(digits), _) => text(digits, TEXT_PATTERN),
            (_, Some(digits)) => text(digits, LONG_TEXT_PATTERN),
            _ => None,
        },
    }
}

/// A value of a closed list of the domain, as its stable text. Handlers name the aliases below, as [`SectorCode`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Code<T: DomainCode>(pub T);

impl<T: DomainCode> From<T> for Code<T> {
    fn from(code: T) -> Self {
        Self(code)
    }
}

impl<T: DomainCode> Serialize for Code<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de, T: DomainCode> Deserialize<'de> for Code<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::parse(&String::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom("not in the list"))
    }
}

impl<T: DomainCode> ComposeSchema for Code<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let codes: Vec<_> = T::ALL.iter().map(|code| code.as_str()).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(format!(
                "A code of the list `{0}`; labels at `/v1/code-lists/{0}`. Answers may later hold further codes.",
                T::LIST
            )))
            .examples(codes.first().map(|first| serde_json::Value::from(*first)))
            .enum_values(Some(codes))
            .into()
    }
}

impl<T: DomainCode> ToSchema for Code<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(T::SCHEMA)
    }
}

/// The codes of a list that a caller may choose, where the program sets the others by itself.
pub trait Choices {
    /// The list.
    type Code: DomainCode;
    /// Which of it.
    const CHOICES: &'static [Self::Code];
}

/// One of the [`Choices`]. What cannot be chosen does not stand in the document either.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice<C: Choices>(pub C::Code);

impl<'de, C: Choices> Deserialize<'de> for Choice<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        C::CHOICES.iter().find(|code| code.as_str() == text).map(|code| Self(*code)).ok_or_else(|| D::Error::custom("not to be chosen"))
    }
}

impl<C: Choices> ComposeSchema for Choice<C> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let codes = || C::CHOICES.iter().map(|code| code.as_str());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(format!("A code of the list `{0}`; labels at `/v1/code-lists/{0}`.", C::Code::LIST)))
            .examples(codes().next().map(serde_json::Value::from))
            .enum_values(Some(codes().collect::<Vec<_>>()))
            .into()
    }
}

impl<C: Choices> ToSchema for Choice<C> {
    fn name() -> Cow<'static, str> {
        let codes: Vec<_> = C::CHOICES.iter().map(|code| code.as_str()).collect();
        Cow::Owned(format!("InlineChoiceOf{}-{}", C::Code::SCHEMA, codes.join("-")))
    }
}

/// Code and words of the fault of a last day before the first one.
pub const DAYS_OUT_OF_ORDER: (&str, &str) = ("dates_out_of_order", "The last day lies before the first one.");

/// Whether days that a body gives are in order.
///
/// # Errors
/// When the last one lies before the first one.
pub fn expect_days_in_order(days: Validity) -> Result<(), ValidationError> {
    let (code, text) = DAYS_OUT_OF_ORDER;
    if days.is_in_order() { Ok(()) } else { Err(ValidationError::new(code).with_message(text.into())) }
}

macro_rules! code_aliases {
    ($($alias:ident = $code:ident;)*) => {
        $(
            #[doc = concat!("[`codes::", stringify!($code), "`] on the wire.")]
            pub type $alias = Code<codes::$code>;
        )*

        /// The schemas of all code lists, by name.
        #[must_use]
        pub fn code_schemas() -> Vec<(String, RefOr<Schema>)> {
            vec![$((<$alias as ToSchema>::name().into_owned(), <$alias as utoipa::PartialSchema>::schema()),)*]
        }
    };
}

code_aliases! {
    InstrumentCode = Instrument;
    RoleCode = Role;
    ClientStandingCode = ClientStanding;
    DataRequestKindCode = DataRequestKind;
    DataRequestStateCode = DataRequestStateCode;
    RefusalGroundCode = RefusalGround;
    RecordClassCode = RecordClass;
    RetentionActionCode = RetentionAction;
    RetentionStartCode = RetentionStart;
    KeptReasonCode = KeptReason;
    OrganisationKindCode = OrganisationKind;
    SectorCode = Sector;
    ReferralReasonCode = ReferralReason;
    SexCode = Sex;
    ChannelCode = Channel;
    ReferralStateCode = ReferralStateCode;
    OutcomeCode = Outcome;
    EndReasonCode = EndReason;
    RouteCode = Route;
    PriorityCode = Priority;
    ConsentPurposeCode = ConsentPurpose;
    ConsentMethodCode = ConsentMethod;
    MessagePartyCode = MessageParty;
    MessageKindCode = MessageKind;
    ContactChannelCode = ContactChannel;
    ContactResultCode = ContactResult;
    AssignmentStateCode = AssignmentStateCode;
    DeclineReasonCode = DeclineReason;
    AssignmentEndReasonCode = AssignmentEndReason;
    LinkWorkerStatusCode = LinkWorkerStatus;
    ContractKindCode = ContractKind;
    TrainingKindCode = TrainingKind;
    SupportPeriodStateCode = SupportPeriodStateCode;
    PauseReasonCode = PauseReason;
    GoalOutcomeCode = GoalOutcome;
    OutcomeSourceCode = OutcomeSource;
    VisitStateCode = VisitStateCode;
    VisitModeCode = VisitMode;
    VisitPurposeCode = VisitPurpose;
    HourSheetStateCode = HourSheetStateCode;
    HourSheetLineKindCode = HourSheetLineKind;
    VehicleCode = Vehicle;
    SupportKindCode = SupportKind;
    AbsentPartyCode = AbsentParty;
    VisitAbsenceReasonCode = VisitAbsenceReason;
    HoursLevelCode = HoursLevel;
    TimeEntryKindCode = TimeEntryKind;
    UnmetNeedCode = UnmetNeed;
    BarrierCode = Barrier;
    ThemeCode = Theme;
    PriceCode = Price;
    ActivityStatusCode = ActivityStatus;
    ContentKindCode = ContentKind;
    ActivitySourceCode = ActivitySource;
    DayOfWeekCode = DayOfWeek;
    ActivityImportStateCode = ActivityImportState;
    ActivityImportPhaseCode = ActivityImportPhase;
    ActivityImportFaultCode = ActivityImportFault;
    ActivityLinkStateCode = ActivityLinkStateCode;
    ScoreBandCode = ScoreBand;
    ScoreChangeCode = ScoreChange;
    FeedbackStageCode = FeedbackStage;
    FeedbackPartyCode = FeedbackParty;
    FeedbackStatementCode = FeedbackStatement;
    MilestoneCode = Milestone;
    TimepointCode = Timepoint;
    AnswerModeCode = AnswerMode;
    MissingReasonCode = MissingReason;
    NotFollowedUpReasonCode = NotFollowedUpReason;
    FollowUpAnswerCode = FollowUpAnswer;
    ConcernKindCode = ConcernKind;
    ConcernStateCode = ConcernStateCode;
    ObligationCode = Obligation;
    AbsenceReasonCode = AbsenceReason;
    MentoringKindCode = MentoringKind;
    BreakReasonCode = BreakReason;
    AuditOutcomeCode = AuditOutcome;
    AuditActionCode = AuditAction;
    LanguageCode = Language;
    EventKindCode = EventKind;
}

/// A member of a merge patch: left out, set to null, or given. Always with `#[serde(default)]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch<T> {
    /// Left out: stays as it is.
    #[default]
    Absent,
    /// Null: is taken away.
    Null,
    /// Is set to this.
    Value(T),
}

impl<T> Patch<T> {
    /// The value after the patch of an optional member.
    pub fn apply(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Absent => present,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// Turns the value into another one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(f(value)),
        }
    }

    /// Whether the member was left out.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: ToSchema> ComposeSchema for Patch<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null)).item(written_out_or_named::<T>()).into()
    }
}

impl<T: ToSchema> ToSchema for Patch<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlinePatch")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// A member of a merge patch that cannot be taken away: left out or given. Null does not fit its schema. Always with `#[serde(default)]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<T>(Option<T>);

impl<T> Default for Change<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Change<T> {
    /// A change to a value.
    pub fn to(value: T) -> Self {
        Self(Some(value))
    }

    /// The value after the patch.
    pub fn apply(self, present: T) -> T {
        self.0.unwrap_or(present)
    }

    /// The new value, if there is one.
    pub fn given(self) -> Option<T> {
        self.0
    }

    /// Turns the value into another one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        Change(self.0.map(f))
    }

    /// Whether the member was left out.
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<T: ToSchema> ComposeSchema for Change<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        written_out_or_named::<T>()
    }
}

impl<T: ToSchema> ToSchema for Change<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineChange")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// A simple schema is written out; one with members or a list of codes is referred to by its name.
fn written_out_or_named<T: ToSchema>() -> RefOr<Schema> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) if !object.properties.is_empty() || object.enum_values.is_some() => {
            RefOr::Ref(Ref::from_schema_name(T::name()))
        }
        other => other,
    }
}

/// A point in time, RFC 3339, shown in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Timestamp(pub Instant);

impl From<Instant> for Timestamp {
    fn from(instant: Instant) -> Self {
        Self(instant)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(|at| Self(Instant::new(at)))
    }
}

impl ComposeSchema for Timestamp {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ToSchema for Timestamp {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineTimestamp")
    }
}

/// How a decimal is written: up to nine digits, and up to two after the point.
pub const DECIMAL_PATTERN: &str = r"^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$";

/// An exact decimal with two places, sent as a string because JSON numbers are binary: euros, hours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Decimal(i64);

impl Decimal {
    /// From hundredths: cents of a euro.
    #[must_use]
    pub fn from_hundredths(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// Hours of so many minutes, rounded half up to hundredths.
    #[must_use]
    pub fn hours(minutes: i64) -> Self {
        let doubled = minutes.saturating_mul(10);
        Self(doubled.saturating_add(3).div_euclid(6))
    }

    /// In hundredths.
    #[must_use]
    pub fn hundredths(self) -> i64 {
        self.0
    }

    /// Reads `12`, `12.5`, `-0.05`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if (1..=2).contains(&fraction.len()) => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 9 || (whole.len() > 1 && whole.starts_with('0')) || !all_digits(whole) || !all_digits(fraction)
        {
            return None;
        }
        let hundredths = format!("{whole}{fraction:0<2}").parse::<i64>().ok()?;
        Some(Self(if negative { -hundredths } else { hundredths }))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.0.unsigned_abs();
        write!(f, "{}{}.{:02}", if self.0 < 0 { "-" } else { "" }, size / 100, size % 100)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a decimal"))
    }
}

impl ComposeSchema for Decimal {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(DECIMAL_PATTERN)).max_length(Some(13)).into()
    }
}

impl ToSchema for Decimal {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineDecimal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_and_the_check_agree() {
        let whole = |pattern: &str| jsonschema::validator_for(&serde_json::json!({"pattern": pattern, "minLength": 1})).expect("a schema");
        let (line, lines) = (whole(TEXT_PATTERN), whole(LONG_TEXT_PATTERN));
        for text in [
            "",
            "a",
            " a",
            "a ",
            "\u{a0}a",
            "a\u{a0}",
            "a\nb",
            "a\tb",
            "\na",
            "a\u{0}",
            "a\u{7f}",
            "a\u{85}b",
            "Äänekoski",
            "ǩ",
            "\u{200b}a",
            "😀",
        ] {
            let value = serde_json::Value::from(text);
            assert_eq!(Text::<20>::new(text).is_some(), line.is_valid(&value), "{text:?}");
            assert_eq!(LongText::<20>::new(text).is_some(), lines.is_valid(&value), "{text:?}");
        }
        assert!(Text::<3>::new("äöå").is_some());
        assert!(Text::<3>::new("äöåx").is_none());
    }

    /// What the schema of a type says to a value.
    fn fits_schema<T: ToSchema + utoipa::PartialSchema>(value: &serde_json::Value) -> bool {
        thread_local! {
            static KNOWN: std::cell::RefCell<std::collections::HashMap<String, std::rc::Rc<jsonschema::Validator>>> = Default::default();
        }
        let schema = KNOWN.with_borrow_mut(|known| {
            let made = || {
                let schema = serde_json::to_value(<T as utoipa::PartialSchema>::schema()).expect("JSON");
                std::rc::Rc::new(jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema"))
            };
            std::rc::Rc::clone(known.entry(T::name().into_owned()).or_insert_with(made))
        });
        schema.is_valid(value)
    }

    /// A text is taken exactly when the document says so, and comes back as it was.
    fn agrees<T: ToSchema + utoipa::PartialSchema + serde::de::DeserializeOwned + Serialize>(text: &str) -> Result<(), String> {
        let value = serde_json::Value::from(text);
        let read = serde_json::from_value::<T>(value.clone());
        if read.is_ok() != fits_schema::<T>(&value) {
            return Err(format!("{text:?}: schema {}, type {}", fits_schema::<T>(&value), read.is_ok()));
        }
        match read {
            Ok(read) if serde_json::to_value(&read).expect("JSON") != value => Err(format!("{text:?} comes back as another")),
            _ => Ok(()),
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_texts_are_taken_as_the_document_says(text in "\\PC{0,12}|[ \\t\\r\\na-zäö\u{0}-\u{20}\u{7f}-\u{a1}]{0,10}") {
            proptest::prop_assert_eq!(agrees::<Text<8>>(&text), Ok(()));
            proptest::prop_assert_eq!(agrees::<LongText<8>>(&text), Ok(()));
        }

        #[test]
        fn property_decimals_are_taken_as_the_document_says(text in "\\PC{0,8}|-?[0-9]{0,10}[.,]?[0-9]{0,3}", hundredths in -99_999_999_999_i64..=99_999_999_999) {
            let value = serde_json::Value::from(text.as_str());
            proptest::prop_assert_eq!(Decimal::parse(&text).is_some(), fits_schema::<Decimal>(&value), "{:?}", text);
            let decimal = Decimal::from_hundredths(hundredths);
            proptest::prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
        }

        #[test]
        fn property_codes_and_tags_are_taken_as_the_document_says(
            text in "[a-z]{2,3}(-[A-Za-z0-9]{1,9}){0,3}|[0-9]{2,4}|\\PC{0,8}|parish|elderly",
        ) {
            proptest::prop_assert_eq!(agrees::<super::super::wire_sets::LanguageTag>(&text), Ok(()));
            proptest::prop_assert_eq!(agrees::<super::super::wire_sets::Municipality>(&text), Ok(()));
            proptest::prop_assert_eq!(agrees::<SectorCode>(&text), Ok(()));
        }

        /// Looser than the schema the type may be, for the schema is asked first; never stricter.
        #[test]
        fn property_times_and_dates_that_fit_the_document_are_read(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9]([.][0-9]{1,12})?([Zz]|[+-][0-2][0-9]:[0-5][0-9]))?|\\PC{0,12}",
        ) {
            let value = serde_json::Value::from(text.as_str());
            let at = serde_json::from_value::<Timestamp>(value.clone());
            proptest::prop_assert!(!fits_schema::<Timestamp>(&value) || at.is_ok(), "{}", text);
            if let Ok(at) = at {
                proptest::prop_assert_eq!(serde_json::from_str::<Timestamp>(&serde_json::to_string(&at).expect("JSON")).ok(), Some(at));
            }
            let day = text.get(..10).unwrap_or_default();
            let is_date = jsonschema::options().should_validate_formats(true).build(&serde_json::json!({"format": "date"})).expect("a schema");
            proptest::prop_assert!(!is_date.is_valid(&serde_json::Value::from(day)) || day.parse::<Date>().is_ok(), "{}", day);
        }
    }

    #[test]
    fn a_small_schema_is_found_by_its_name() {
        assert!(inline_schema(&Text::<60>::name()) == Some(<Text<60> as utoipa::PartialSchema>::schema()));
        assert!(inline_schema(&LongText::<60>::name()) == Some(<LongText<60> as utoipa::PartialSchema>::schema()));
        assert!(inline_schema(&Timestamp::name()).is_some() && inline_schema(&Decimal::name()).is_some());
        assert!(inline_schema("Text60").is_none());
    }

    #[test]
    fn decimals_are_exact() {
        for (text, hundredths) in [("0", 0), ("12", 1200), ("12.5", 1250), ("12.05", 1205), ("-0.05", -5), ("999999999.99", 99_999_999_999)]
        {
            assert_eq!(Decimal::parse(text).map(Decimal::hundredths), Some(hundredths), "{text}");
        }
        for bad in ["", ".", "1.", ".5", "01", "1.234", "1,5", "+1", "1e3", "-", "1000000000", " 1"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert_eq!(Decimal::from_hundredths(-5).to_string(), "-0.05");
        assert_eq!(Decimal::from_hundredths(123).to_string(), "1.23");
        assert_eq!(Decimal::hours(90).to_string(), "1.50");
        assert_eq!(Decimal::hours(100).to_string(), "1.67");
        assert_eq!(Decimal::hours(0).to_string(), "0.00");
    }

    #[test]
    fn every_code_list_of_the_domain_has_a_schema() {
        assert_eq!(code_schemas().len(), codes::all_lists().len());
    }
}
