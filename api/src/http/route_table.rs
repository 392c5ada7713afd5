//! Which operation a path and a method belong to, read from the API document: the one list of what there is.
//!
//! The framework answers 404 where a known path is called with an unknown method, and ignores unknown query parameters. With this table the shell can
//! do better, and every log line and audit event can name the operation.

use std::collections::HashMap;
use std::sync::OnceLock;

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, PathItem, RefOr};

/// A query parameter of an operation.
#[derive(Clone, Debug)]
pub struct QueryParameter {
    /// Its name.
    pub name: String,
    /// Whether it may stand more than once.
    pub repeated: bool,
}

/// A header whose text has a limit and no form of its own. One with a form is read by its own extractor, which refuses it with a code of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FreeHeader {
    /// Its name.
    pub name: String,
    /// The most characters that it may have.
    pub max_length: usize,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Route {
    /// The operation id.
    pub operation: String,
    /// The path pattern, `/v1/referrals/{referral_id}`.
    pub pattern: String,
    /// The method in capitals.
    pub method: &'static str,
    /// The query parameters that it knows.
    pub query: Vec<QueryParameter>,
    /// The headers that are held against their limit alone.
    pub headers: Vec<FreeHeader>,
    /// Whether it changes an existing resource, so that `If-Match` is needed.
    pub if_match: bool,
    /// The media types of its good answers; empty when they have no body.
    pub produces: Vec<String>,
}

#[derive(Debug)]
struct Pattern {
    segments: Vec<Option<String>>,
    routes: Vec<Route>,
}

impl Pattern {
    fn matches(&self, segments: &[&str]) -> bool {
        self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).all(|(pattern, segment)| match pattern {
                Some(literal) => literal == segment,
                None => !segment.is_empty(),
            })
    }

    fn parameters(&self) -> usize {
        self.segments.iter().filter(|segment| segment.is_none()).count()
    }
}

/// All operations by path.
#[derive(Debug)]
pub struct RouteTable {
    by_length: HashMap<usize, Vec<Pattern>>,
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [("GET", &item.get), ("PUT", &item.put), ("POST", &item.post), ("DELETE", &item.delete), ("PATCH", &item.patch)]
        .into_iter()
        .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}

fn is_array(schema: Option<&RefOr<Schema>>) -> bool {
    match schema {
        Some(RefOr::T(Schema::Array(_))) => true,
        Some(RefOr::T(Schema::Object(object))) => match &object.schema_type {
            SchemaType::Type(kind) => *kind == Type::Array,
            SchemaType::Array(kinds) => kinds.contains(&Type::Array),
            SchemaType::AnyValue => false,
        },
        Some(RefOr::T(Schema::OneOf(one_of))) => one_of.items.iter().any(|item| is_array(Some(item))),
        _ => false,
    }
}

/// A parameter, or the one that a reference leads to.
fn resolved<'a>(document: &'a OpenApi, parameter: &'a RefOr<Parameter>) -> Option<&'a Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(to) => match document.components.as_ref()?.parameters.get(to.ref_location.rsplit('/').next()?)? {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        },
    }
}

fn free_header(parameter: &Parameter) -> Option<FreeHeader> {
    let Some(RefOr::T(Schema::Object(schema))) = &parameter.schema else { return None };
    if schema.pattern.is_some() {
        return None;
    }
    Some(FreeHeader { name: parameter.name.clone(), max_length: schema.max_length? })
}

impl RouteTable {
    /// The table of this program, read from its document the first time. It is the same for each server that the program runs.
    pub fn of(document: &OpenApi) -> &'static Self {
        static TABLE: OnceLock<RouteTable> = OnceLock::new();
        TABLE.get_or_init(|| Self::new(document))
    }

    /// Reads the table from a document.
    #[must_use]
    pub fn new(document: &OpenApi) -> Self {
        let mut by_length: HashMap<usize, Vec<Pattern>> = HashMap::new();
        for (path, item) in &document.paths.paths {
            let segments: Vec<_> = path
                .split('/')
                .map(|segment| if segment.starts_with('{') && segment.ends_with('}') { None } else { Some(segment.to_owned()) })
                .collect();
            let routes = operations(item).map(|(method, operation)| Self::route(document, path, method, operation)).collect();
            by_length.entry(segments.len()).or_default().push(Pattern { segments, routes });
        }
        for patterns in by_length.values_mut() {
            patterns.sort_by_key(Pattern::parameters);
        }
        Self { by_length }
    }

    fn route(document: &OpenApi, path: &str, method: &'static str, operation: &Operation) -> Route {
        let parameters: Vec<&Parameter> = operation.parameters.iter().flatten().filter_map(|one| resolved(document, one)).collect();
        let within = |place: ParameterIn| parameters.iter().filter(move |parameter| parameter.parameter_in == place);
        let query = within(ParameterIn::Query)
            .map(|parameter| QueryParameter { name: parameter.name.clone(), repeated: is_array(parameter.schema.as_ref()) })
            .collect();
        let headers = within(ParameterIn::Header).filter_map(|parameter| free_header(parameter)).collect();
        let if_match = within(ParameterIn::Header).any(|parameter| parameter.name == "If-Match");
        let mut produces: Vec<String> = operation
            .responses
            .responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .filter_map(|(_, response)| if let RefOr::T(response) = response { Some(response) } else { None })
            .flat_map(|response| response.content.keys().cloned())
            .collect();
        produces.dedup();
        Route {
            operation: operation.operation_id.clone().unwrap_or_default(),
            pattern: path.to_owned(),
            method,
            query,
            headers,
            if_match,
            produces,
        }
    }

    /// Of several patterns, the one with the fewest parameters: `/clients/search` is no client.
    fn pattern(&self, path: &str) -> Option<&Pattern> {
        let segments: Vec<_> = path.split('/').collect();
        self.by_length.get(&segments.len())?.iter().find(|pattern| pattern.matches(&segments))
    }

    /// The operation of a path and a method.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<&Route> {
        self.pattern(path)?.routes.iter().find(|route| route.method == method)
    }

    /// The methods of a known path, as `Allow` names them; `None` when there is no such path.
    #[must_use]
    pub fn allow(&self, path: &str) -> Option<String> {
        let mut methods: Vec<_> = self.pattern(path)?.routes.iter().map(|route| route.method).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.dedup();
        if methods.is_empty() { None } else { Some(methods.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::api_document;

    #[test]
    fn a_path_leads_to_its_operation() {
        let table = RouteTable::new(&api_document());
        let route = table.find("GET", "/v1/code-lists/sectors").expect("a known path");
        assert_eq!(route.operation, "code_list_view");
        assert_eq!(route.pattern, "/v1/code-lists/{name}");
        let free: Vec<_> = route.headers.iter().map(|header| (header.name.as_str(), header.max_length)).collect();
        assert_eq!(free, [("Accept-Language", 200), ("If-None-Match", 200)]);
        assert!(!route.if_match && table.find("POST", "/v1/referrals/x/review").is_some_and(|route| route.if_match));
        assert!(table.find("POST", "/v1/code-lists/sectors").is_none());
        assert_eq!(table.allow("/v1/code-lists").as_deref(), Some("GET, HEAD"));
        assert_eq!(table.allow("/oauth/token").as_deref(), Some("POST"));
        assert_eq!(table.allow("/v1/nothing"), None);
        assert_eq!(table.allow("/v1/code-lists/"), None);
    }
}
