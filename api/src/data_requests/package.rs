//! Everything that is kept about a person, as one package.

use lahete_domain::client::Client;
use lahete_domain::codes::{Code as _, DataRequestKind, Language, RecordClass};
use lahete_domain::ids::{Id as _, ProgrammeId};
use lahete_persistence::repo::records::{Kind, Table};
use lahete_persistence::{Db, PageRequest};
use serde_json::{Map, Value};

use super::wire::{PackageController, PackageRecords, PackageView};
use crate::clients::cases::{LogReach, history_of, log_of};
use crate::code_lists::labels::{label, label_in};
use crate::error::AppError;
use crate::operation::OpContext;

/// What the package is called.
const SCHEMA: &str = "lahete-person-package";

/// The version of its form.
const SCHEMA_VERSION: &str = "1.0";

/// How many rows of a list are read at once.
const PAGE: u16 = 200;

/// Puts labels beside codes, and makes lists of codes lists.
fn with_labels(table: &Table, row: Map<String, Value>, language: Language) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in row {
        let kind = table.columns.iter().find(|column| column.name == name).map(|column| column.kind);
        match (kind, value.as_str()) {
            (Some(Kind::Code(list)), Some(code)) => {
                shown.insert(format!("{name}_label"), label_in(list, code, language).into());
                shown.insert(name, value);
            }
            (Some(Kind::Codes(list)), Some(codes)) => {
                let codes: Vec<&str> = codes.split(',').filter(|code| !code.is_empty()).collect();
                let labels: Vec<String> = codes.iter().map(|code| label_in(list, code, language)).collect();
                shown.insert(format!("{name}_label"), labels.into());
                shown.insert(name, codes.into());
            }
            _ => {
                shown.insert(name, value);
            }
        }
    }
    shown
}

/// Makes the package of a client. The caller has asked the policy and notes the access.
///
/// # Errors
/// When the database fails.
pub fn make(db: &mut Db<'_>, ctx: &OpContext, client: &Client, kind: DataRequestKind) -> Result<PackageView, AppError> {
    let portable = kind == DataRequestKind::Portability;
    let programme = db.programme_get(client.programme)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))?;
    let mut records = Vec::new();
    for (table, rows) in db.record_copy(client.id, portable)? {
        if rows.is_empty() {
            continue;
        }
        let mut rows: Vec<_> = rows.into_iter().map(|row| with_labels(table, row, ctx.language)).collect();
        if table.class == RecordClass::Client {
            // The code itself is shown nowhere; the person knows it.
            let known = client.data.identity_code.is_some();
            rows.iter_mut().for_each(|row| drop(row.insert("personal_identity_code_known".to_owned(), known.into())));
        }
        records.push(PackageRecords {
            record_class: table.class.into(),
            label: label(table.class, ctx.language),
            table: table.name.to_owned(),
            rows,
        });
    }
    records.sort_by_key(|records| records.record_class);
    let (mut corrections, mut access_log) = (Vec::new(), Vec::new());
    if !portable {
        let mut page = PageRequest::first(PAGE);
        loop {
            let found = history_of(db, client, &page)?;
            corrections.extend(found.items);
            let Some(next) = found.next else { break };
            page.after = Some(next);
        }
        let mut page = PageRequest::first(PAGE);
        loop {
            // What is older than two years is given for a stated reason, here as everywhere.
            let found = log_of(db, ctx, client, LogReach { older: ctx.reason.is_some(), whole: false }, &page)?;
            access_log.extend(found.items);
            let Some(next) = found.next else { break };
            page.after = Some(next);
        }
    }
    Ok(PackageView {
        schema: SCHEMA.to_owned(),
        schema_version: SCHEMA_VERSION.to_owned(),
        kind: kind.into(),
        made_at: ctx.now.into(),
        language: ctx.language.as_str().to_owned(),
        controller: PackageController {
            programme_id: programme.id.as_uuid(),
            programme: programme.name,
            controller: programme.controller,
            privacy_notice_url: programme.privacy_notice_url,
        },
        client_id: client.id.as_uuid(),
        records,
        corrections,
        access_log,
    })
}
