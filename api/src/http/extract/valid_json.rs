//! JSON bodies, checked in one place: type, size, time, depth, schema, and the rules across members.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::body::{BodyFingerprint, leave_fingerprint, read_body};
use super::schema::{depth, faults, parameters, validator_of, whole_numbers};
use crate::error::{AppError, Fault};
use crate::http::problem::Problem;
use crate::state::AppState;

/// A whole resource or command, sent as `application/json`.
#[derive(Clone, Debug)]
pub struct ValidJson<T>(pub T);

/// A change of some members, sent as `application/merge-patch+json` (RFC 7396). The members of `T` are [`crate::http::wire::Patch`]es.
#[derive(Clone, Debug)]
pub struct MergePatch<T>(pub T);

/// Parses and checks the bytes of a body.
///
/// # Errors
/// 400 when it is no JSON or too deep, 422 with every fault otherwise.
pub fn parse<T: DeserializeOwned + ToSchema + Validate + 'static>(
    bytes: &[u8],
    max_depth: usize,
) -> Result<(T, BodyFingerprint), AppError> {
    let Unambiguous(mut value) =
        serde_json::from_slice(bytes).map_err(|error| AppError::malformed("malformed_json", place(&error, bytes.is_empty())))?;
    if depth(&value) > max_depth {
        return Err(AppError::malformed("malformed_json", format!("The JSON is nested deeper than {max_depth} levels.")));
    }
    let found = faults(validator_of::<T>()?.as_ref(), &value);
    if !found.is_empty() {
        return Err(AppError::Invalid(found));
    }
    whole_numbers(&mut value);
    let fingerprint = BodyFingerprint::of_json(&value);
    let body: T = serde_json::from_value(value).map_err(|error| {
        // The parser's words may quote the value, which may be personal data: they are neither sent nor logged.
        log::debug!("a body fits the schema but not its type: {:?}", error.classify());
        AppError::fault(Fault::new("", "invalid_value", "A value does not fit."))
    })?;
    body.validate().map_err(|errors| {
        let mut found = Vec::new();
        flatten(&errors, "", &mut found);
        AppError::Invalid(found)
    })?;
    Ok((body, fingerprint))
}

fn place(error: &serde_json::Error, empty: bool) -> String {
    let (line, column) = (error.line(), error.column());
    if empty {
        "The body is empty.".to_owned()
    } else if error.is_data() {
        // Every JSON is a value: the data can be at fault in this one way alone.
        format!("A member stands more than once in its object, at line {line}, column {column}.")
    } else {
        format!("The body is not JSON, at line {line}, column {column}.")
    }
}

/// Reads JSON in which no object has two members of one name.
///
/// # Errors
/// What is wrong, without a word of the text itself.
pub fn unambiguous(bytes: &[u8]) -> Result<Value, &'static str> {
    serde_json::from_slice::<Unambiguous>(bytes)
        .map(|read| read.0)
        .map_err(|error| if error.is_data() { "a member stands twice" } else { "not JSON" })
}

/// A JSON value in which no object has two members of one name. Of two, one program would take the first and another the last (RFC 8259, 4), so that
/// what was checked on the way here need not be what is stored.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnambiguousVisitor)
    }
}

struct UnambiguousVisitor;

impl<'de> Visitor<'de> for UnambiguousVisitor {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::Null))
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::Bool(truth)))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::from(number)))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::from(number)))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::from(number)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::from(text)))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Unambiguous(Value::String(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Unambiguous(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Unambiguous(member))) = members.next_entry::<String, Unambiguous>()? {
            if object.insert(name, member).is_some() {
                return Err(A::Error::custom("a member stands more than once"));
            }
        }
        Ok(Unambiguous(Value::Object(object)))
    }
}

/// Brings the faults of nested `validator` checks into one list with JSON pointers.
fn flatten(errors: &ValidationErrors, pointer: &str, found: &mut Vec<Fault>) {
    for (name, kind) in errors.errors() {
        // A rule across members stands under this name and belongs to the object as a whole.
        let here = if name == "__all__" { pointer.to_owned() } else { format!("{pointer}/{name}") };
        match kind {
            ValidationErrorsKind::Field(list) => found.extend(list.iter().map(|error| Fault {
                pointer: here.clone(),
                code: error.code.clone(),
                detail: error.message.as_ref().map_or_else(|| "This value does not fit.".to_owned(), ToString::to_string),
                params: parameters(
                    error.params.iter().filter(|(name, _)| name != &"value").map(|(name, value)| (name.as_ref(), value.clone())),
                ),
            })),
            ValidationErrorsKind::Struct(inner) => flatten(inner, &here, found),
            ValidationErrorsKind::List(items) => items.iter().for_each(|(index, inner)| flatten(inner, &format!("{here}/{index}"), found)),
        }
    }
}

async fn extract<T: DeserializeOwned + ToSchema + Validate + 'static>(
    request: HttpRequest,
    payload: Payload,
    accepted: &'static str,
) -> Result<T, Problem> {
    let bytes = read_body(request.clone(), payload, accepted).await?;
    let max_depth = request.app_data::<Data<AppState>>().map_or(32, |state| state.config.json_depth);
    let (body, fingerprint) = parse(&bytes, max_depth)?;
    leave_fingerprint(&request, fingerprint);
    Ok(body)
}

impl<T: DeserializeOwned + ToSchema + Validate + 'static> FromRequest for ValidJson<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { extract(request, payload, "application/json").await.map(Self) })
    }
}

impl<T: DeserializeOwned + ToSchema + Validate + 'static> FromRequest for MergePatch<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { extract(request, payload, "application/merge-patch+json").await.map(Self) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::wire::{Change, Patch, SectorCode, Text};
    use lahete_domain::codes::Sector;
    use serde_json::json;

    /// A person.
    #[derive(Debug, Deserialize, ToSchema, Validate)]
    #[serde(deny_unknown_fields)]
    struct Person {
        /// Name.
        name: Text<10>,
        /// Sector.
        sector: Option<SectorCode>,
        /// Visits.
        #[schema(minimum = 0, maximum = 100)]
        #[validate(custom(function = "even"))]
        visits: i32,
    }

    fn even(visits: i32) -> Result<(), validator::ValidationError> {
        if visits % 2 == 0 { Ok(()) } else { Err(validator::ValidationError::new("odd")) }
    }

    /// A change of a person.
    #[derive(Debug, Deserialize, ToSchema, Validate)]
    #[serde(deny_unknown_fields)]
    struct PersonUpdate {
        /// Name.
        #[serde(default)]
        name: Patch<Text<10>>,
        /// Sector.
        #[serde(default)]
        sector: Patch<SectorCode>,
    }

    fn codes<T: DeserializeOwned + ToSchema + Validate + 'static>(body: &str) -> Vec<String> {
        match parse::<T>(body.as_bytes(), 32).map(|(body, _)| body) {
            Err(AppError::Invalid(found)) => {
                let mut found: Vec<_> = found.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect();
                found.sort();
                found
            }
            Err(AppError::Malformed { code, .. }) => vec![code.to_owned()],
            Err(other) => panic!("{other:?}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn a_good_body_is_read() {
        let (person, _) =
            parse::<Person>(json!({"name": "Aino", "sector": "parish", "visits": 2.0}).to_string().as_bytes(), 32).expect("good");
        assert_eq!(person.name.as_str(), "Aino");
        assert_eq!(person.sector.map(|code| code.0), Some(Sector::Parish));
        assert_eq!(person.visits, 2);
        assert!(codes::<Person>(r#"{"name": "Aino", "sector": null, "visits": 2}"#).is_empty());
    }

    #[test]
    fn the_schema_and_the_rules_refuse_with_places() {
        assert_eq!(
            codes::<Person>(r#"{"name": "", "sector": "x", "visits": 101, "admin": true}"#),
            ["/admin unknown_member", "/name no_match", "/name too_short", "/sector not_in_list", "/visits too_large"]
        );
        assert_eq!(codes::<Person>(r#"{"name": " Aino", "visits": 2}"#), ["/name no_match"]);
        assert_eq!(codes::<Person>("{\"name\": \"A\\nino\", \"visits\": 2}"), ["/name no_match"]);
        assert_eq!(codes::<Person>(r#"{"name": "Aino", "visits": 3}"#), ["/visits odd"]);
        assert_eq!(codes::<Person>("[]"), [" wrong_type"]);
        assert_eq!(codes::<Person>(r#"{"name": "#), ["malformed_json"]);
        assert_eq!(codes::<Person>(""), ["malformed_json"]);
        assert_eq!(codes::<Person>(&format!("{}{}", "[".repeat(33), "]".repeat(33))), ["malformed_json"]);
        assert_eq!(codes::<Person>(&"[".repeat(10_000)), ["malformed_json"]);
    }

    /// What RFC 7396 says, to the letter.
    fn merge_patch(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut target = if let Value::Object(target) = target { target } else { Map::new() };
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                let present = target.remove(name).unwrap_or(Value::Null);
                target.insert(name.clone(), merge_patch(present, value));
            }
        }
        Value::Object(target)
    }

    /// What is there before a patch, and after it.
    #[derive(Clone, PartialEq, Debug, serde::Serialize)]
    struct Present {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        visits: Option<i32>,
        active: bool,
    }

    /// A change of it.
    #[derive(Debug, Deserialize, ToSchema, Validate)]
    #[serde(deny_unknown_fields)]
    struct PresentUpdate {
        /// Name, which is always there.
        #[serde(default)]
        name: Change<Text<10>>,
        /// Note.
        #[serde(default)]
        note: Patch<Text<10>>,
        /// Visits.
        #[serde(default)]
        visits: Patch<i32>,
        /// Active, which is always said.
        #[serde(default)]
        active: Change<bool>,
    }

    /// Any JSON, not too deep.
    fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300_f64..1e300).prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[a-c\"\\\\ä]{0,2}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_present() -> impl proptest::strategy::Strategy<Value = Present> {
        use proptest::prelude::*;
        let some = proptest::option::of::<BoxedStrategy<String>>;
        ("[a-zäö]{1,10}", some("[a-zäö]{1,10}".boxed()), proptest::option::of(any::<i32>()), any::<bool>())
            .prop_map(|(name, note, visits, active)| Present { name, note, visits, active })
    }

    /// A patch: of each member nothing, null or a value.
    fn any_patch() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let text = || prop_oneof![Just(Value::Null), "[a-zäö]{1,10}".prop_map(Value::from), "[a-zäö]{1,10}".prop_map(Value::from)];
        let number = prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from)];
        let truth = prop_oneof![1 => Just(Value::Null), 4 => any::<bool>().prop_map(Value::from)];
        use proptest::option::of;
        (of(text()), of(text()), of(number), of(truth)).prop_map(|(name, note, visits, active)| {
            let members = [("name", name), ("note", note), ("visits", visits), ("active", active)];
            Value::Object(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
        })
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_a_patch_does_what_the_rfc_says(present in any_present(), patch in any_patch()) {
            let wanted = merge_patch(serde_json::to_value(&present).expect("JSON"), &patch);
            match parse::<PresentUpdate>(patch.to_string().as_bytes(), 32) {
                Ok((change, _)) => {
                    let after = Present {
                        name: change.name.map(Text::into_string).apply(present.name),
                        note: change.note.map(Text::into_string).apply(present.note),
                        visits: change.visits.apply(present.visits),
                        active: change.active.apply(present.active),
                    };
                    proptest::prop_assert_eq!(serde_json::to_value(&after).expect("JSON"), wanted);
                }
                // Refused is what would take away a member that is always there, and nothing else.
                Err(_) => proptest::prop_assert!(wanted.get("name").is_none() || wanted.get("active").is_none(), "{}", patch),
            }
        }

        #[test]
        fn property_json_is_read_as_it_was_written(value in any_json()) {
            let Unambiguous(read) = serde_json::from_str(&value.to_string()).expect("JSON");
            proptest::prop_assert_eq!(read, serde_json::from_str::<Value>(&value.to_string()).expect("JSON"));
        }

        #[test]
        fn property_a_doubled_member_is_never_read(value in any_json(), name in "[a-c]{1,2}", other in any_json(), depth in 0_usize..4) {
            let doubled = format!("{{\"{name}\": {value}, \"z\": 1, \"{name}\": {other}}}");
            let nested = (0..depth).fold(doubled, |inner, level| if level % 2 == 0 { format!("[1, {inner}]") } else { format!("{{\"y\": {inner}}}") });
            proptest::prop_assert!(serde_json::from_str::<Value>(&nested).is_ok());
            proptest::prop_assert!(serde_json::from_str::<Unambiguous>(&nested).is_err());
        }

        #[test]
        fn property_any_bytes_are_answered(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), text in "[\\[{}\\],:\"a-n0-9.eE+\\\\ -]{0,30}") {
            for body in [bytes.as_slice(), text.as_bytes()] {
                let ours = serde_json::from_slice::<Unambiguous>(body).is_ok();
                proptest::prop_assert!(!ours || serde_json::from_slice::<Value>(body).is_ok());
                let _ = parse::<PresentUpdate>(body, 32).is_ok();
            }
        }
    }

    #[test]
    fn a_doubled_member_is_refused_wherever_it_stands() {
        let refusal = |body: &str| match parse::<Person>(body.as_bytes(), 32) {
            Err(AppError::Malformed { code: "malformed_json", detail }) => detail,
            other => panic!("{other:?}"),
        };
        for body in [
            r#"{"name": "Aino", "name": "Aino", "visits": 2}"#,
            r#"{"name": "Aino", "visits": 2, "na\u006de": "Eino"}"#,
            r#"{"name": "Aino", "visits": 2, "x": [{"y": {"a": 1, "b": 2, "a": null}}]}"#,
        ] {
            assert!(refusal(body).starts_with("A member stands more than once"), "{body}");
        }
        assert!(refusal(r#"{"name": "Aino", "name" "Aino"}"#).starts_with("The body is not JSON, at line 1, column 2"));
        assert!(codes::<Person>(r#"{"name": "Aino", "visits": 2, "NAME": 1}"#) == ["/NAME unknown_member"]);
    }

    #[test]
    fn a_patch_has_three_states() {
        let read = |body: &str| parse::<PersonUpdate>(body.as_bytes(), 32).expect("good").0;
        assert!(matches!(read("{}").name, Patch::Absent));
        assert!(matches!(read(r#"{"sector": null}"#).sector, Patch::Null));
        assert!(matches!(read(r#"{"name": "Aino"}"#).name, Patch::Value(_)));
        assert_eq!(codes::<PersonUpdate>(r#"{"name": "01234567890"}"#), ["/name too_long"]);
        assert_eq!(codes::<PersonUpdate>(r#"{"sector": "x"}"#), ["/sector not_in_list"]);
    }
}
