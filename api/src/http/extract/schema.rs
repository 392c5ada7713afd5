//! Values held against the schema that the API document shows, so that document and server cannot disagree about a limit.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, schema::Schema};

use crate::error::{AppError, Fault};
use crate::http::openapi::simplified_schemas;

/// The most faults that one answer lists.
const FAULTS_MAX: usize = 100;

static COMPILED: LazyLock<RwLock<HashMap<TypeId, Arc<Validator>>>> = LazyLock::new(RwLock::default);

/// The compiled schema of a type, made on first use.
///
/// # Errors
/// [`AppError::Internal`] when the schema is not a schema.
pub fn validator_of<T: ToSchema + 'static>() -> Result<Arc<Validator>, AppError> {
    compiled(TypeId::of::<T>(), || {
        let mut named = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut named);
        root_schema(&T::name(), named)
    })
}

/// The compiled schema behind a key, made by `build` on first use.
pub(super) fn compiled(key: TypeId, build: impl FnOnce() -> Result<Value, AppError>) -> Result<Arc<Validator>, AppError> {
    match COMPILED.read().ok().and_then(|known| known.get(&key).cloned()) {
        Some(validator) => Ok(validator),
        None => compile(key, &build()?),
    }
}

/// Apart from [`compiled`], so that the program holds the compiler of schemas once and not once for each type of a body.
fn compile(key: TypeId, schema: &Value) -> Result<Arc<Validator>, AppError> {
    let validator = Arc::new(jsonschema::options().should_validate_formats(true).offline().build(schema).map_err(AppError::internal)?);
    if let Ok(mut known) = COMPILED.write() {
        known.insert(key, Arc::clone(&validator));
    }
    Ok(validator)
}

fn root_schema(name: &str, named: Vec<(String, RefOr<Schema>)>) -> Result<Value, AppError> {
    let schemas = serde_json::to_value(simplified_schemas(named)).map_err(AppError::internal)?;
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": { "schemas": schemas },
    }))
}

/// All faults of a value, each with its pointer.
#[must_use]
pub fn faults(validator: &Validator, value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    nul_characters(value, &mut String::new(), &mut faults);
    for error in validator.iter_errors(value) {
        describe(&error, &mut faults);
    }
    // Two branches of a schema may find the same fault; and every pattern of ours forbids U+0000, which has been told by then.
    let mut seen = std::collections::HashSet::new();
    faults.retain(|fault: &Fault| {
        let told = fault.code == "no_match" && seen.contains(&(fault.pointer.clone(), "nul_character".into()));
        !told && seen.insert((fault.pointer.clone(), fault.code.clone()))
    });
    faults.truncate(FAULTS_MAX);
    faults
}

/// PostgreSQL has no place for U+0000 in a text.
fn nul_characters(value: &Value, pointer: &mut String, faults: &mut Vec<Fault>) {
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            faults.push(Fault::new(pointer.as_str(), "nul_character", "The character U+0000 is not allowed."));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                nul_characters(item, pointer, faults);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                pointer.push('/');
                pointer.push_str(&escaped(name));
                nul_characters(member, pointer, faults);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// A member name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn describe(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let pointer = error.instance_path().as_str().to_owned();
    let fault = |code: &'static str, detail: String| Fault::new(pointer.clone(), code, detail);
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(Fault::new(format!("{pointer}/{}", escaped(name)), "required", "This member is required."));
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                faults.push(Fault::new(format!("{pointer}/{}", escaped(name)), "unknown_member", "There is no such member."));
            }
        }
        Kind::Type { kind } => faults.push(fault("wrong_type", format!("Must be {}.", types(kind))).with("types", type_list(kind))),
        Kind::MaxLength { limit } => {
            faults.push(fault("too_long", format!("Must have at most {limit} characters.")).with("max_length", *limit));
        }
        Kind::MinLength { limit } => {
            faults.push(fault("too_short", format!("Must have at least {limit} characters.")).with("min_length", *limit));
        }
        Kind::Enum { options } => {
            faults.push(fault("not_in_list", "Must be one of the listed values.".into()).with("choices", options.as_ref().clone()));
        }
        Kind::Constant { expected_value } => {
            faults.push(fault("not_in_list", "Must be the given value.".into()).with("choices", json!([expected_value.as_ref()])));
        }
        Kind::Minimum { limit } | Kind::ExclusiveMinimum { limit } => {
            faults.push(fault("too_small", format!("Must be at least {limit}.")).with("minimum", limit.clone()));
        }
        Kind::Maximum { limit } | Kind::ExclusiveMaximum { limit } => {
            faults.push(fault("too_large", format!("Must be at most {limit}.")).with("maximum", limit.clone()));
        }
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => {
            faults.push(fault("too_many", format!("Must have at most {limit} items.")).with("max_items", *limit));
        }
        Kind::MinItems { limit } | Kind::MinProperties { limit } => {
            faults.push(fault("too_few", format!("Must have at least {limit} items.")).with("min_items", *limit));
        }
        Kind::Format { format } => {
            faults.push(fault("bad_format", format!("Must be written as {format}.")).with("format", format.as_str()));
        }
        Kind::Pattern { pattern } => {
            faults.push(fault("no_match", "Holds characters that are not allowed here.".into()).with("pattern", pattern.as_str()));
        }
        Kind::UniqueItems => faults.push(fault("not_unique", "No item may stand twice.".into())),
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => describe_branch(context, &pointer, faults),
        _ => faults.push(fault("invalid_value", "This value does not fit.".into())),
    }
}

/// Of several choices, the caller meant the one whose type fits: its faults are told, not those of the others.
fn describe_branch(branches: &[Vec<ValidationError<'static>>], pointer: &str, faults: &mut Vec<Fault>) {
    let meant = branches
        .iter()
        .find(|errors| !errors.iter().any(|error| matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == pointer));
    match meant {
        Some(errors) => errors.iter().for_each(|error| describe(error, faults)),
        None => {
            let wanted: Vec<Value> = branches
                .iter()
                .flatten()
                .filter(|error| error.instance_path().as_str() == pointer)
                .filter_map(|error| if let Kind::Type { kind } = error.kind() { Some(type_list(kind)) } else { None })
                .flat_map(|list| list.as_array().cloned().unwrap_or_default())
                .collect();
            faults.push(Fault::new(pointer, "wrong_type", "Has another type than it should.").with("types", wanted));
        }
    }
}

fn type_list(kind: &TypeKind) -> Value {
    match kind {
        TypeKind::Single(one) => json!([one.as_str()]),
        TypeKind::Multiple(set) => set.iter().map(|one| Value::from(one.as_str())).collect(),
    }
}

fn types(kind: &TypeKind) -> String {
    match type_list(kind) {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

/// How deep a value is nested; a bare string has depth 0.
#[must_use]
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Writes `1.0` as `1`: the schema calls both an integer, the target type may take only the second.
pub fn whole_numbers(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(float) = number.as_f64().filter(|float| float.trunc() == *float && float.abs() <= EXACT) {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within the range where f64 is exact")]
                let whole = float as i64;
                *value = Value::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(members) => members.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// Members of a map, as parameters of a fault.
pub(super) fn parameters<'a>(pairs: impl Iterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    pairs.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(schema: &Value, value: &Value) -> Vec<(String, String)> {
        let validator = jsonschema::options().should_validate_formats(true).build(schema).expect("a schema");
        let mut found: Vec<_> = faults(&validator, value).into_iter().map(|f| (f.pointer, f.code.into_owned())).collect();
        found.sort();
        found
    }

    #[test]
    fn all_faults_come_at_once_with_their_places() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["name", "born"],
            "properties": {
                "name": {"type": "string", "maxLength": 3},
                "born": {"type": "string", "format": "date"},
                "tags": {"type": "array", "maxItems": 1, "items": {"enum": ["a"]}},
                "n": {"type": ["integer", "null"], "minimum": 1},
                "part": {"oneOf": [{"type": "null"}, {"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}}]},
            }
        });
        let found = codes(&schema, &json!({"name": "Aino\u{0}", "tags": ["a", "b"], "n": 0, "part": {}, "a/b": 1}));
        let expected = [
            ("/a~1b", "unknown_member"),
            ("/born", "required"),
            ("/n", "too_small"),
            ("/name", "nul_character"),
            ("/name", "too_long"),
            ("/part/x", "required"),
            ("/tags", "too_many"),
            ("/tags/1", "not_in_list"),
        ];
        assert_eq!(found, expected.map(|(p, c)| (p.to_owned(), c.to_owned())));
        assert_eq!(codes(&schema, &json!([])), [(String::new(), "wrong_type".to_owned())]);
        assert_eq!(
            codes(&schema, &json!({"name": "A", "born": "2026-02-30", "part": 1})),
            [("/born", "bad_format"), ("/part", "wrong_type")].map(|(p, c)| (p.to_owned(), c.to_owned()))
        );
    }

    #[test]
    fn whole_floats_become_integers() {
        let mut value = json!({"a": 1.0, "b": [2.5, 1e300], "c": -0.0});
        whole_numbers(&mut value);
        assert_eq!(value, json!({"a": 1, "b": [2.5, 1e300], "c": 0}));
        assert_eq!(depth(&json!({"a": [{"b": 1}]})), 3);
    }
}
