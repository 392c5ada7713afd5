//! Which members of which body each role may write. Every member that the document knows is sent by everybody who may use the operation at all; how it
//! was taken stands in the golden file. What no role may write is no member of the body: unknown members are refused for all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lahete_domain::codes::Code as _;
use serde_json::{Value, json};

use crate::http::cases::{Built, prepare};
use crate::http::matrix::{Documented, EVERYBODY, Line, Who, call, documented, lines};
use crate::support::{Kind, TestApp, golden};

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let reference =
        schema["$ref"].as_str().or_else(|| schema["oneOf"].as_array().and_then(|all| all.iter().find_map(|one| one["$ref"].as_str())));
    match reference {
        Some(reference) => resolved(document, document.pointer(reference.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}

/// A value that has the form of a schema.
fn value_of(document: &Value, name: &str, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    if let Some(first) = schema["enum"].as_array().and_then(|codes| codes.first()) {
        return first.clone();
    }
    let kind = schema["type"]
        .as_str()
        .or_else(|| schema["type"].as_array().and_then(|kinds| kinds.iter().find_map(|kind| kind.as_str().filter(|kind| *kind != "null"))));
    match (kind, schema["format"].as_str(), name) {
        (Some("boolean"), ..) => json!(true),
        (Some("integer"), ..) => schema["minimum"].as_i64().map_or(json!(1), |least| json!(least.max(1))),
        (Some("array"), ..) => json!([value_of(document, name, &schema["items"])]),
        (_, Some("date"), "birth_date") => json!("1942-05-07"),
        // Nobody is away, and no programme rests, while the test goes on.
        (_, Some("date"), "from" | "until") => json!("2031-07-31"),
        (_, Some("date"), _) => json!("2026-11-22"),
        (_, Some("uuid"), _) => json!("01900000-0000-7000-8000-0000000000ff"),
        (_, Some("date-time"), _) => json!("2027-01-01T00:00:00Z"),
        (_, _, "municipality") => json!("758"),
        (_, _, "personal_identity_code") => json!("070542-902F"),
        (_, _, "municipalities") => json!("758"),
        (_, _, "language" | "languages") => json!("fi"),
        (_, _, "privacy_notice_url") => json!("https://example.org"),
        (_, _, "fee_per_hour") => json!("13.00"),
        (Some("object"), ..) => schema["example"].clone(),
        _ => json!("abc"),
    }
}

/// Every member of a body with a value for it; members of members stand below them.
fn members(document: &Value, schema: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    let schema = resolved(document, schema);
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{at}/{name}");
        let inner = resolved(document, member);
        if inner["properties"].is_object() {
            members(document, inner, &place, found);
        } else {
            found.push((place, value_of(document, name, member)));
        }
    }
}

/// Puts a value into a body, with the objects around it.
fn put(body: &mut Value, place: &str, value: &Value) {
    let (path, name) = place.rsplit_once('/').unwrap();
    let mut at = body;
    for part in path.split('/').skip(1) {
        if !at[part].is_object() {
            at[part] = json!({});
        }
        at = &mut at[part];
    }
    at[name] = value.clone();
}

/// How a member was taken, in a word.
fn verdict(status: u16, text: &str, place: &str) -> Option<String> {
    match status {
        403 | 404 => Some(format!("refused {status}")),
        422 => {
            let problem: Value = serde_json::from_str(text).unwrap();
            let faults = problem["errors"].as_array().cloned().unwrap_or_default();
            let head = if place.starts_with("/source") { "/source" } else { place };
            let own = |code: &str| matches!(code, "not_yours" | "unknown_member");
            faults
                .iter()
                .find(|fault| {
                    fault["pointer"].as_str().is_some_and(|at| at.starts_with(head)) && own(fault["code"].as_str().unwrap_or_default())
                })
                .map(|fault| format!("refused {}", fault["code"].as_str().unwrap()))
        }
        _ => None,
    }
}

fn try_member(app: &TestApp, who: &Who, line: &Line, operation: &Documented, built: &Built, place: &str, value: &Value) -> (u16, String) {
    let mut body = if operation.method == "PATCH" { json!({}) } else { (line.body)(built) };
    if body.is_null() {
        body = json!({});
    }
    match place {
        "/programme_id" => body["programme_id"] = json!(built.id("programme_id")),
        "/referrer/organisation_id" => put(&mut body, place, &json!(app.world.own.employer.to_string())),
        // One goes with the other.
        "/source/id" | "/source/system" => body["source"] = json!({"system": "ehr-own", "id": uuid::Uuid::now_v7().to_string()}),
        _ => put(&mut body, place, value),
    }
    let mut ready = call(&who.caller(app), operation, line, built);
    if operation.if_match {
        // Without a version nothing is changed: whoever may do it is asked for the version, and whoever may not is told so first.
        ready = ready.without("if-match");
    }
    let reply = ready.json(body).send();
    (reply.status, reply.text)
}

#[test]
fn each_role_writes_what_is_theirs_and_nothing_else() {
    let document = serde_json::to_value(lahete_api::http::openapi::api_document()).unwrap();
    let documented = documented();
    let app = TestApp::start(Kind::Sqlite);
    prepare(&app);
    let mut table: BTreeMap<&str, BTreeMap<String, BTreeMap<String, BTreeSet<&str>>>> = BTreeMap::new();
    for line in lines() {
        let operation = &documented[line.operation];
        let content = &document["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"]["content"];
        let schema = &content[if operation.method == "PATCH" { "application/merge-patch+json" } else { "application/json" }]["schema"];
        if schema.is_null() || operation.public {
            continue;
        }
        let mut places = Vec::new();
        members(&document, schema, "", &mut places);
        let mut built = Built::new(&app, line.origin, line.stage);
        for who in EVERYBODY.iter().filter(|who| who.own_programme && who.first) {
            let role = who.role.unwrap().as_str();
            if !matches!(who.expected(&line), 200 | 409) {
                continue;
            }
            for (place, value) in &places {
                let (status, text) = try_member(&app, who, &line, operation, &built, place, value);
                assert!(status < 500, "{} {place} by {role}: {status} {text}", line.operation);
                let how = verdict(status, &text, place).unwrap_or_else(|| "taken".to_owned());
                table.entry(line.operation).or_default().entry(place.clone()).or_default().entry(how).or_default().insert(role);
                if (200..300).contains(&status) {
                    built.finish(&app);
                    built = Built::new(&app, line.origin, line.stage);
                }
            }
        }
        built.finish(&app);
    }
    let mut text = String::from(
        "# operation, member of its body: who may write it (taken), and who may use the operation but not write the member (refused, and how).\n\
         # Whoever stands in no line of an operation may not use it at all: see http_matrix.txt.\n\n",
    );
    for (operation, places) in &table {
        writeln!(text, "{operation}").unwrap();
        for (place, ways) in places {
            let ways: Vec<String> =
                ways.iter().map(|(how, roles)| format!("{how}: {}", roles.iter().copied().collect::<Vec<_>>().join(" "))).collect();
            writeln!(text, "    {place:<44} {}", ways.join("; ")).unwrap();
        }
    }
    golden::expect("fields_write.txt", &text);
}
