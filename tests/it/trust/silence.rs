//! Persons whose every word is a canary, sent through every operation of the document, right and wrong. None of it may stand in a log record, a problem,
//! a header or an address.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::http::logs::{CANARY, listen, sung};
use crate::support::app::{Caller, Reply};
use crate::support::on_both;

/// Members whose values are codes, ids, dates or numbers: with a canary in them the body would get no further than the schema.
fn is_free_text(schema: &Value) -> bool {
    schema["type"] == "string" && schema["enum"].is_null() && schema["format"].is_null() && schema["pattern"].is_null()
}

fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let mut schema = schema;
    for _ in 0..8 {
        let next = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str()).or_else(|| {
            let some = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())?;
            some.iter().find_map(|one| one["$ref"].as_str())
        });
        match next {
            Some(reference) => schema = document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => break,
        }
    }
    schema
}

/// The example of a body with a canary in place of every free text.
fn with_canaries(document: &Value, schema: &Value, example: &Value) -> Value {
    let schema = resolve(document, schema);
    match example {
        Value::Object(members) => {
            let of = |name: &str| &schema["properties"][name];
            members.iter().map(|(name, value)| (name.clone(), with_canaries(document, of(name), value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| with_canaries(document, &schema["items"], item)).collect(),
        Value::String(_) if is_free_text(schema) => json!(format!("{CANARY} laulaa")),
        other => other.clone(),
    }
}

/// The same body, broken in ways that people and programs break it, each time with a canary where it hurts.
fn broken(body: &Value) -> Vec<Value> {
    let mut all = vec![json!(CANARY), json!([CANARY]), json!({CANARY: CANARY})];
    let Value::Object(members) = body else { return all };
    let mut more = members.clone();
    more.insert(CANARY.to_owned(), json!({"a": CANARY}));
    all.push(Value::Object(more));
    for name in members.keys() {
        for bad in [json!(CANARY), json!({CANARY: [CANARY]}), json!(CANARY.repeat(2000)), json!(format!("{CANARY}\u{0}"))] {
            let mut other = members.clone();
            other.insert(name.clone(), bad);
            all.push(Value::Object(other));
        }
    }
    all
}

struct Operation {
    name: String,
    method: String,
    path: String,
    schema: Value,
    example: Value,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(name) = operation["operationId"].as_str() else { continue };
            let content =
                operation["requestBody"]["content"].as_object().and_then(|kinds| kinds.values().next()).cloned().unwrap_or_default();
            let schema = content["schema"].clone();
            let mut example = content["example"].clone();
            if example.is_null() {
                let named = content["examples"].as_object().and_then(|all| all.values().next()).map(|one| one["value"].clone());
                example = named.unwrap_or_else(|| resolve(document, &schema)["example"].clone());
            }
            all.push(Operation { name: name.to_owned(), method: method.to_uppercase(), path: path.clone(), schema, example });
        }
    }
    all
}

/// The path with ids of the case where there are some, and a canary where a caller would put a name.
fn filled(pattern: &str, built: &Built, canary: bool) -> String {
    let mut path = pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        let id = built.ids().find(|(other, _)| *other == name).map(|(_, id)| id.to_owned());
        path = format!("{before}{}{after}", if canary { CANARY.to_owned() } else { id.unwrap_or_else(|| uuid::Uuid::nil().to_string()) });
    }
    path
}

/// What must not be in an answer: anything of a person in a header or an address, and in a problem anywhere.
fn faults(what: &str, reply: &Reply, asked: &str) -> Option<String> {
    let sings = |text: &str| text.contains(CANARY);
    if let Some((name, _)) = reply.headers.iter().find(|(_, value)| sings(value)) {
        return Some(format!("{what}: the header {name} names a person"));
    }
    let Ok(mut body) = serde_json::from_str::<Value>(&reply.text) else {
        return (reply.status >= 400 && sings(&reply.text)).then(|| format!("{what}: an answer that is no JSON names a person"));
    };
    if reply.status >= 400 {
        // The path is the caller's own; it is repeated as it came.
        if asked.contains(CANARY) {
            body["instance"] = Value::Null;
        }
        // A pointer leads to a member by the name that the caller gave it.
        for fault in body["errors"].as_array_mut().into_iter().flatten() {
            fault["pointer"] = Value::Null;
        }
        return sings(&body.to_string()).then(|| format!("{what}: the problem names a person: {body}"));
    }
    let next = body["page"]["next"].as_str().unwrap_or_default();
    sings(next).then(|| format!("{what}: the address of the next page names a person"))
}

/// A referral about a canary.
fn about_a_canary() -> Value {
    let mut body = crate::http::cases::about_the_client();
    for (pointer, value) in [
        ("/client/given_name", format!("{CANARY}a")),
        ("/client/family_name", format!("{CANARY}nen")),
        ("/client/phone", "+358 40 7773141".to_owned()),
        ("/client/email", "kanariini@example.org".to_owned()),
        ("/client/address", "Sirkutuskatu 7".to_owned()),
        ("/referrer/name", format!("{CANARY} Lähettäjä")),
        ("/referrer/contact", "kanariini@example.org".to_owned()),
        ("/wish", format!("{CANARY} haluaa laulaa.")),
        ("/background", format!("Soita {CANARY}lle.")),
        ("/consent/given_with", format!("{CANARY} Lähettäjä")),
    ] {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = json!(value);
    }
    body
}

fn send(caller: &Caller<'_>, operation: &Operation, path: &str, body: Option<&Value>) -> Reply {
    let mut call = caller.call(&operation.method, path);
    if operation.method != "GET" {
        call = call.header("if-match", "\"1\"").key(&format!("canary-{}", uuid::Uuid::now_v7()));
    }
    match body {
        Some(body) if operation.path == "/oauth/token" || operation.path.starts_with("/oauth/") => {
            let form: Vec<String> =
                body.as_object().into_iter().flatten().filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?))).collect();
            call.raw("application/x-www-form-urlencoded", form.join("&").into_bytes()).send()
        }
        Some(body) if operation.method == "PATCH" => call.header("content-type", "application/merge-patch+json").json(body.clone()).send(),
        Some(body) => call.json(body.clone()).send(),
        None => call.send(),
    }
}

on_both! {
    fn canaries_fly_through_every_operation_unheard(app: TestApp) {
        listen();
        let document = serde_json::to_value(lahete_api::http::openapi::api_document()).unwrap();
        prepare(&app);
        let mut built = Built::of(&app, about_a_canary(), Origin::Referrer, Stage::InSupport);
        built.add(&Built::new(&app, Origin::Referrer, Stage::Settings));
        let people = app.world.own;
        let callers = [
            ("coordinator", app.user(people.coordinator)),
            ("referrer", app.user(people.referrer)),
            ("link worker", app.user(people.link_worker)),
            ("client", app.user(people.client)),
            ("privacy officer", app.user(people.privacy_officer)),
            ("report reader", app.user(people.report_reader)),
            ("admin", app.user(people.admin)),
            ("machine", app.machine(people.machine)),
            ("nobody", app.nobody()),
        ];
        let (mut found, mut calls, mut statuses) = (Vec::new(), 0, BTreeSet::new());
        for operation in operations(&document) {
            let body = (!operation.example.is_null()).then(|| with_canaries(&document, &operation.schema, &operation.example));
            let path = filled(&operation.path, &built, false);
            for (who, caller) in &callers {
                let mut check = |path: &str, body: Option<&Value>| {
                    let reply = send(caller, &operation, path, body);
                    calls += 1;
                    statuses.insert(reply.status);
                    found.extend(faults(&format!("{} by {who}", operation.name), &reply, path));
                    assert!(reply.status < 500, "{} by {who}: {reply:?}", operation.name);
                };
                check(&path, body.as_ref());
                // What is broken is refused before anybody is asked for: two who may and one who may not are enough.
                if matches!(*who, "coordinator" | "admin" | "nobody") {
                    check(&filled(&operation.path, &built, true), body.as_ref());
                    check(&format!("{path}?{CANARY}={CANARY}"), body.as_ref());
                    for bad in body.iter().flat_map(broken) {
                        check(&path, Some(&bad));
                    }
                }
            }
        }
        println!("{calls} calls, statuses {statuses:?}");
        assert!(statuses.contains(&200) && statuses.contains(&201) && statuses.contains(&422), "{statuses:?}");
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(sung(), Vec::<String>::new(), "the log names a person");
    }
}
