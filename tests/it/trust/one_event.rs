//! One event for each client and call: what `http::matrix` asks after each of its calls, which are every operation by everybody.

use std::collections::{BTreeMap, BTreeSet};

use lahete_domain::codes::AuditOutcome;
use lahete_persistence::repo::audit::{AuditFilter, StoredAuditEvent};
use lahete_persistence::{Db, PageRequest, StoreError};
use serde_json::Value;

use crate::support::app::{Reply, TestApp};
use crate::support::database::wait;

/// The events about clients that one call has left.
fn events_of(app: &TestApp, request: &str) -> Vec<StoredAuditEvent> {
    let filter = AuditFilter { programme: Some(app.world.own.programme), ..AuditFilter::default() };
    let read = app.store.read(move |db: &mut Db<'_>| -> Result<_, StoreError> { db.audit_list(filter, &PageRequest::first(200)) });
    let newest = wait(read).unwrap().items;
    newest.into_iter().filter(|event| event.request_id == request && event.client.is_some()).collect()
}

/// All clients that a list tells of.
fn shown(list: &Value, found: &mut BTreeSet<String>) {
    match list {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(id) if name == "client_id" => {
                        found.insert(id.clone());
                    }
                    other => shown(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| shown(item, found)),
        _ => {}
    }
}

/// What is wrong with the trail of a call, if anything. `case` says that somebody known asked for something of a case, `list` for a list.
pub fn fault(app: &TestApp, operation: &str, reply: &Reply, case: bool, list: bool) -> Option<String> {
    let events = events_of(app, reply.header("x-request-id")?);
    let mut each: BTreeMap<String, usize> = BTreeMap::new();
    for event in &events {
        *each.entry(event.client.unwrap().to_string()).or_default() += 1;
        if event.operation != operation || event.reason.is_some() {
            return Some(format!("an event that tells of something else: {event:?}"));
        }
    }
    if let Some((client, count)) = each.iter().find(|(_, count)| **count != 1) {
        return Some(format!("{count} events about {client}"));
    }
    let all = |outcome| events.iter().all(|event| event.outcome == outcome);
    match reply.status {
        401 if !events.is_empty() => Some("events about somebody who was not let in at all".to_owned()),
        200..300 if case && (events.len() != 1 || !all(AuditOutcome::Allowed)) => {
            Some(format!("{} events of one look or change", events.len()))
        }
        // Whoever is nobody's client and asks about themself has asked about nobody.
        403 | 404 if case && !operation.starts_with("me_") && (events.len() != 1 || !all(AuditOutcome::Denied)) => {
            Some(format!("{} events of one denied try", events.len()))
        }
        // A look at the trail itself shows nobody's data.
        200..300 if list && operation != "audit_event_list" => {
            let mut clients = BTreeSet::new();
            shown(&reply.json(), &mut clients);
            let noted: BTreeSet<String> = each.into_keys().collect();
            let missing: Vec<_> = clients.difference(&noted).collect();
            (!missing.is_empty()).then(|| format!("a list without an event about {missing:?}"))
        }
        _ => None,
    }
}
