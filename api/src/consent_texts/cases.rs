//! Publishing consent texts, and holding consents against them.

use lahete_domain::access::{Action, Subject};
use lahete_domain::codes::{AuditAction, Code as _};
use lahete_domain::consent::ConsentText;
use lahete_domain::ids::{ConsentTextId, Id as _, ProgrammeId};
use lahete_persistence::repo::consent_texts::ConsentTextFilter;
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};
use serde_json::json;

use super::wire::{ConsentTextNew, ConsentTextQuery};
use crate::consents::wire::ConsentCreate;
use crate::error::{AppError, Fault, RuleProblem};
use crate::operation::OpContext;

/// A consent names a text that the client could have read: this version, in this language, in use today.
///
/// # Errors
/// 422 at `text_version` below `at`, with the texts that there are.
pub fn expect_known(db: &mut Db<'_>, ctx: &OpContext, programme: ProgrammeId, consent: &ConsentCreate, at: &str) -> Result<(), AppError> {
    let today = ctx.now.helsinki_date();
    let valid_from = db.consent_text_valid_from(programme, consent.text_version.as_str(), consent.language.0)?;
    if valid_from.is_some_and(|first| first <= today) {
        return Ok(());
    }
    let usable: Vec<_> = db
        .consent_texts_usable(programme, today)?
        .into_iter()
        .map(|(version, language)| json!({"text_version": version, "language": language.as_str()}))
        .collect();
    let detail = "The programme has no such text in this language in use today; `available` lists those that it has.";
    Err(AppError::fault(Fault::new(format!("{at}/text_version"), "unknown_consent_text", detail).with("available", usable)))
}

/// One text. It is public: whoever is asked for consent may read what to.
///
/// # Errors
/// 404 when there is none.
pub fn view(db: &mut Db<'_>, id: ConsentTextId) -> Result<ConsentText, AppError> {
    db.consent_text_get(id)?.ok_or(AppError::NotFound(ConsentTextId::RESOURCE))
}

/// A page of texts, the newest first.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &ConsentTextQuery, page: &PageRequest) -> Result<Page<ConsentText>, AppError> {
    let named = query.programme_id.map(ProgrammeId::from_uuid);
    let programmes = match &query.municipality {
        Some(place) => {
            let mut serving = db.programmes_serving(&place.0)?;
            serving.retain(|programme| named.is_none_or(|named| named == *programme));
            Some(serving)
        }
        None => named.map(|programme| vec![programme]),
    };
    let filter = ConsentTextFilter {
        programmes,
        language: query.language.map(|language| language.0),
        version: query.version.as_ref().map(|version| version.as_str().to_owned()),
        usable_on: query.usable.unwrap_or(true).then(|| ctx.now.helsinki_date()),
    };
    Ok(db.consent_text_list(&filter, page)?)
}

/// Publishes a text.
///
/// # Errors
/// 404 outside the caller's programmes, 403 for other roles; 409 when this version is published in this language already; 422 for a first day that
/// is over.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &ConsentTextNew) -> Result<ConsentText, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    let grant = ctx.require(db, Action::ConsentTextManage, &Subject::of_programme(programme), None, None)?;
    let today = ctx.now.helsinki_date();
    let valid_from = new.valid_from.unwrap_or(today);
    if valid_from < today {
        return Err(AppError::fault(Fault::new("/valid_from", "out_of_range", "Nobody can have read it on a day that is over.")));
    }
    let text = ConsentText {
        id: ctx.ids.next(),
        programme,
        version: new.version.as_str().to_owned(),
        language: new.language.0,
        body: new.body.as_str().to_owned(),
        valid_from,
        published_at: ctx.now,
        published_by: ctx.actor.user(),
    };
    db.consent_text_insert(&text).map_err(|error| match error {
        StoreError::Constraint(Constraint::ConsentTextTaken) => AppError::from(RuleProblem::new(
            "consent_text_exists",
            "The programme has this version in this language already; a published text is never changed.",
        )),
        other => other.into(),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(text)
}
