//! Typed query parameters.
//!
//! Unknown and doubled parameters are refused by the shell before any handler runs: it knows the parameters of each operation from the document.

use std::any::TypeId;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Required, schema::Schema};

use super::schema::{compiled, faults, whole_numbers};
use crate::error::AppError;
use crate::http::openapi::{code_schemas, simplified_schemas};
use crate::http::problem::Problem;
use crate::http::route_table::Route;

/// The query of a request, held against the parameters that the document shows.
#[derive(Clone, Debug)]
pub struct ValidQuery<T>(pub T);

impl<T: DeserializeOwned + IntoParams + 'static> FromRequest for ValidQuery<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self).map_err(Problem::from))
    }
}

/// The names and values of a query.
///
/// # Errors
/// 400 when the query is not in the form `name=value&…`.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, AppError> {
    Query::<Vec<(String, String)>>::from_query(query)
        .map(Query::into_inner)
        .map_err(|_| AppError::malformed("malformed_request", "The query cannot be read."))
}

/// Refuses parameters that an operation does not know, and doubled ones.
///
/// # Errors
/// 400 with the name that the caller may have meant.
pub fn check_names(route: &Route, query: &str) -> Result<(), AppError> {
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in pairs(query)? {
        let Some(known) = route.query.iter().find(|known| known.name == name) else {
            let hint = route
                .query
                .iter()
                .map(|known| (distance(&known.name, &name), &known.name))
                .filter(|(distance, _)| *distance <= 3)
                .min()
                .map(|(_, meant)| format!(" Did you mean {meant}?"))
                .unwrap_or_default();
            return Err(AppError::malformed("unknown_parameter", format!("The query has a parameter that is not known here.{hint}")));
        };
        if !known.repeated && seen.contains(&name) {
            return Err(AppError::malformed("invalid_parameter", format!("The parameter {name} stands more than once.")));
        }
        seen.push(name);
    }
    Ok(())
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let letters: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=letters.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&letters) {
            let replaced = corner + usize::from(x != *y);
            corner = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

fn parse<T: DeserializeOwned + IntoParams + 'static>(query: &str) -> Result<T, AppError> {
    let parameters = T::into_params(|| Some(ParameterIn::Query));
    let mut value = Map::new();
    for (name, text) in pairs(query)? {
        // Parameters of another extractor, as `limit` and `cursor`, are none of ours.
        let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else { continue };
        match kind_of(parameter.schema.as_ref()) {
            Kind::Text => value.insert(name, Value::from(text)),
            Kind::Integer => value.insert(name, text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)),
            Kind::Truth => value.insert(name, text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from)),
            Kind::List => {
                if let Some(items) = value.entry(name).or_insert_with(|| json!([])).as_array_mut() {
                    items.push(Value::from(text));
                }
                None
            }
        };
    }
    let mut value = Value::Object(value);
    let validator = compiled(TypeId::of::<(T, Parameter)>(), || schema(&parameters))?;
    if let Some(fault) = faults(&validator, &value).first() {
        let name = fault.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
        return Err(AppError::malformed("invalid_parameter", format!("Parameter {name}: {}", fault.detail)));
    }
    whole_numbers(&mut value);
    serde_json::from_value(value).map_err(|_| AppError::malformed("invalid_parameter", "A parameter has a value that does not fit."))
}

enum Kind {
    Text,
    Integer,
    Truth,
    List,
}

fn kind_of(schema: Option<&RefOr<Schema>>) -> Kind {
    use utoipa::openapi::schema::{SchemaType, Type};
    let of_type = |kind: &Type| match kind {
        Type::Integer => Some(Kind::Integer),
        Type::Boolean => Some(Kind::Truth),
        Type::Array => Some(Kind::List),
        _ => None,
    };
    match schema {
        Some(RefOr::T(Schema::Array(_))) => Kind::List,
        Some(RefOr::T(Schema::Object(object))) => match &object.schema_type {
            SchemaType::Type(kind) => of_type(kind),
            SchemaType::Array(kinds) => kinds.iter().find_map(of_type),
            SchemaType::AnyValue => None,
        }
        .unwrap_or(Kind::Text),
        _ => Kind::Text,
    }
}

fn schema(parameters: &[Parameter]) -> Result<Value, AppError> {
    let mut named = code_schemas();
    let mut required = Vec::new();
    for parameter in parameters {
        if let Some(schema) = &parameter.schema {
            named.push((format!("parameter {}", parameter.name), schema.clone()));
        }
        if parameter.required == Required::True {
            required.push(parameter.name.clone());
        }
    }
    let mut schemas = simplified_schemas(named);
    let mut properties = Map::new();
    for parameter in parameters {
        if let Some(schema) = schemas.remove(&format!("parameter {}", parameter.name)) {
            properties.insert(parameter.name.clone(), serde_json::to_value(schema).map_err(AppError::internal)?);
        }
    }
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "components": { "schemas": schemas },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::route_table::QueryParameter;
    use crate::http::wire::SectorCode;
    use lahete_domain::codes::Sector;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, IntoParams)]
    struct Wanted {
        /// Sector.
        sector: Option<SectorCode>,
        /// Year.
        #[param(minimum = 2000, maximum = 2100)]
        year: Option<i32>,
        /// Only open ones.
        open: Option<bool>,
    }

    fn refusal(query: &str) -> &'static str {
        match parse::<Wanted>(query) {
            Err(AppError::Malformed { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_typed_and_bounded() {
        let wanted = parse::<Wanted>("sector=parish&year=2026&open=true&limit=5").expect("good");
        assert_eq!(wanted.sector.map(|code| code.0), Some(Sector::Parish));
        assert_eq!((wanted.year, wanted.open), (Some(2026), Some(true)));
        assert!(parse::<Wanted>("").expect("good").year.is_none());
        for bad in ["sector=x", "year=1999", "year=x", "year=", "open=maybe"] {
            assert_eq!(refusal(bad), "invalid_parameter", "{bad}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_pairs_come_back(given in proptest::collection::vec(("\\PC{1,8}", "\\PC{0,8}"), 0..4)) {
            let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let query = given.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&");
            proptest::prop_assert_eq!(pairs(&query).expect("well-formed"), given);
        }

        #[test]
        fn property_any_query_is_read_or_refused(query in "\\PC{0,30}|((sector|year|open)=(parish|[0-9+-]{0,20}|true|%[0-9A-F]{2})&?){0,3}") {
            if let Ok(wanted) = parse::<Wanted>(&query) {
                proptest::prop_assert!(wanted.year.is_none_or(|year| (2000..=2100).contains(&year)), "{}", query);
            }
        }
    }

    #[test]
    fn unknown_and_doubled_names_are_refused() {
        let known = |name: &str, repeated| QueryParameter { name: name.to_owned(), repeated };
        let route = Route {
            operation: "x_list".into(),
            pattern: "/v1/x".into(),
            method: "GET",
            query: vec![known("limit", false), known("state", true)],
            headers: Vec::new(),
            if_match: false,
            produces: Vec::new(),
        };
        assert!(check_names(&route, "limit=1&state=a&state=b").is_ok());
        let Err(AppError::Malformed { code, detail }) = check_names(&route, "lmit=1") else { panic!("accepted") };
        assert_eq!(code, "unknown_parameter");
        assert!(detail.ends_with("Did you mean limit?"), "{detail}");
        let Err(AppError::Malformed { code, .. }) = check_names(&route, "limit=1&limit=2") else { panic!("accepted") };
        assert_eq!(code, "invalid_parameter");
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("a", "a")), (3, 3, 0));
    }
}
