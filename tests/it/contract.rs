//! What the API document promises, held against itself: it is the one that is checked in, and whoever reads it finds everything.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use lahete_api::http::openapi::{DocumentFormat, api_document, write_document};
use serde_json::Value;

use crate::support::golden;

const SCHEMAS: &str = "#/components/schemas/";

fn document() -> Value {
    serde_json::to_value(api_document()).unwrap()
}

/// Every operation: method in capitals, path, operation.
pub fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.as_str(), operation));
        }
    }
    found
}

/// The schemas that one leads to.
fn reach(document: &Value, from: &Value, found: &mut BTreeSet<String>) {
    match from {
        Value::Object(members) => {
            if let Some(name) = members.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(SCHEMAS))
                && found.insert(name.to_owned())
            {
                reach(document, &document["components"]["schemas"][name], found);
            }
            members.values().for_each(|member| reach(document, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, found)),
        _ => {}
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => false,
    }
}

fn members_of(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// A schema and all that is written out inside it.
fn walk(schema: &Value, place: &str, check: &mut impl FnMut(&Value, &str)) {
    check(schema, place);
    for (name, member) in members_of(schema) {
        walk(member, &format!("{place}.{name}"), check);
    }
    if let Some(items) = schema.get("items") {
        walk(items, &format!("{place}[]"), check);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        schema[choice].as_array().into_iter().flatten().for_each(|one| walk(one, place, check));
    }
}

#[test]
fn the_checked_in_document_is_what_the_handlers_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
    let checked_in = std::fs::read_to_string(path).unwrap();
    let generated = write_document(&api_document(), DocumentFormat::Yaml).unwrap();
    if checked_in != generated {
        let line = checked_in.lines().zip(generated.lines()).position(|(one, other)| one != other).unwrap_or_default();
        panic!(
            "openapi.yaml is not what the handlers say: run `make openapi` and commit the difference. The first one, in line {}:\n- {}\n+ {}",
            line + 1,
            checked_in.lines().nth(line).unwrap_or_default(),
            generated.lines().nth(line).unwrap_or_default()
        );
    }
}

#[test]
fn every_operation_is_complete() {
    let document = document();
    let mut faults = Vec::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        let mut need = |good: bool, what: &str| {
            if !good {
                faults.push(format!("{place}: {what}"));
            }
        };
        for member in ["operationId", "summary", "description"] {
            need(operation[member].as_str().is_some_and(|text| !text.trim().is_empty()), member);
        }
        need(operation["tags"].as_array().map(Vec::len) == Some(1), "one tag");
        // Open operations say so themselves; all others have what the document says for all.
        let open = !path.starts_with("/v1/") || path.starts_with("/v1/public/") || operation["security"].as_array().is_some();
        need(!open || operation["security"] == serde_json::json!([]), "open, but not marked by an empty security");
        need(open || document["security"].as_array().is_some_and(|list| !list.is_empty()), "security");
        for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|contents| contents.values()) {
            need(content.get("example").is_some() || content.get("examples").is_some(), "an example of the request");
        }
        for (status, response) in operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2')) {
            for content in response["content"].as_object().into_iter().flat_map(|contents| contents.values()) {
                let told = content.get("example").is_some() || content.get("examples").is_some();
                need(told, &format!("an example of the answer {status}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_member_is_described_and_every_request_is_bounded() {
    let document = document();
    let mut requests = BTreeSet::new();
    for (_, _, operation) in operations(&document) {
        reach(&document, &operation["requestBody"], &mut requests);
    }
    let mut faults = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        walk(schema, name, &mut |schema, place| {
            for (member, inner) in members_of(schema) {
                if inner["description"].as_str().is_none_or(str::is_empty) && inner.get("$ref").is_none() {
                    faults.push(format!("{place}.{member}: no description"));
                }
            }
            if !requests.contains(name) {
                return;
            }
            // The token endpoint must ignore members that it does not know (RFC 6749, 3.2), and where tokens are ended speaks as it does.
            if is(schema, "object")
                && schema.get("properties").is_some()
                && schema["additionalProperties"] != false
                && !matches!(name.as_str(), "TokenRequest" | "RevocationRequest")
            {
                faults.push(format!("{place}: takes members that it does not know"));
            }
            let bounded = ["maxLength", "enum", "format", "const"].iter().any(|limit| schema.get(*limit).is_some());
            if is(schema, "string") && !bounded {
                faults.push(format!("{place}: a text without a limit"));
            }
            if is(schema, "array") && schema.get("maxItems").is_none() {
                faults.push(format!("{place}: a list without a limit"));
            }
        });
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every example of a request fits the schema that stands beside it.
#[test]
fn every_example_of_a_request_is_valid() {
    let document = document();
    let mut faults = Vec::new();
    for (method, path, operation) in operations(&document) {
        for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|contents| contents.values()) {
            let mut schema =
                serde_json::json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"]});
            for (member, value) in content["schema"].as_object().unwrap() {
                schema[member] = value.clone();
            }
            let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            faults.extend(validator.iter_errors(&content["example"]).map(|error| format!("{method} {path}: {error}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_operations_are_the_ones_that_were_reviewed() {
    let document = document();
    let mut lines: Vec<String> = operations(&document)
        .iter()
        .map(|(method, path, operation)| format!("{} {method} {path}", operation["operationId"].as_str().unwrap()))
        .collect();
    lines.sort();
    golden::expect("operations.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn the_problem_codes_are_the_ones_that_were_reviewed() {
    let mut lines: Vec<String> = lahete_api::http::problem_catalogue::all().map(|kind| format!("{} {}", kind.code, kind.status)).collect();
    lines.sort();
    let text = lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    });
    golden::expect("problem_codes.txt", &text);
}
