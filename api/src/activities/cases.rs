//! What is done with the directory.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use lahete_domain::access::{Action, Subject};
use lahete_domain::activity::Activity;
use lahete_domain::ids::{ActivityId, Id, OrganisationId, ProgrammeId};
use lahete_domain::version::Version;
use lahete_persistence::repo::activities::ActivityFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ActivityQuery, ActivityUpdate, NewActivity};
use crate::error::{AppError, Fault};
use crate::operation::OpContext;

/// One entry. The directory is public: there is nothing to ask.
///
/// # Errors
/// 404 when there is none.
pub fn view(db: &mut Db<'_>, id: ActivityId) -> Result<Activity, AppError> {
    db.activity_get(id)?.ok_or(AppError::NotFound(ActivityId::RESOURCE))
}

/// A page of the directory.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, query: &ActivityQuery, page: &PageRequest) -> Result<Page<Activity>, AppError> {
    let filter = ActivityFilter {
        programme: query.programme_id.map(ProgrammeId::from_uuid),
        theme: query.theme.map(|theme| theme.0),
        municipality: query.municipality.as_ref().map(|municipality| municipality.0.clone()),
        price: query.price.map(|price| price.0),
        kaikukortti: query.kaikukortti,
        remote: query.remote,
        language: query.language.as_ref().map(|tag| tag.as_str().to_owned()),
        text: query.q.as_ref().map(|text| text.as_str().to_owned()),
        active: Some(query.active.unwrap_or(true)),
    };
    Ok(db.activity_list(&filter, page)?)
}

fn expect_organisation(db: &mut Db<'_>, programme: ProgrammeId, organisation: Option<OrganisationId>) -> Result<(), AppError> {
    let Some(id) = organisation else { return Ok(()) };
    if db.organisation_get(id)?.is_some_and(|found| found.programme == programme) {
        return Ok(());
    }
    Err(AppError::fault(Fault::new("/organisation_id", "not_found", "The programme has no such organisation.")))
}

fn expect_checked(checked_on: NaiveDate, ctx: &OpContext) -> Result<(), AppError> {
    if checked_on > ctx.now.helsinki_date() {
        return Err(AppError::fault(Fault::new("/checked_on", "in_the_future", "Nobody has checked it on a day to come.")));
    }
    Ok(())
}

/// Adds an entry.
///
/// # Errors
/// 404 outside the caller's programmes; 422 for an unknown provider or a day to come.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &NewActivity) -> Result<Activity, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    ctx.require(db, Action::ActivityManage, &Subject::of_programme(programme), None, None)?;
    let organisation = new.organisation_id.map(OrganisationId::from_uuid);
    expect_organisation(db, programme, organisation)?;
    let checked_on = new.checked_on.unwrap_or_else(|| ctx.now.helsinki_date());
    expect_checked(checked_on, ctx)?;
    let activity = Activity {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme,
        organisation,
        name: new.name.as_str().to_owned(),
        description: new.description.as_ref().map(|text| text.as_str().to_owned()),
        themes: new.themes.0.iter().map(|theme| theme.0).collect(),
        municipality: new.municipality.as_ref().map(|municipality| municipality.0.clone()),
        price: new.price.0,
        kaikukortti: new.kaikukortti,
        remote: new.remote,
        languages: new.languages.0.iter().map(|tag| tag.as_str().to_owned()).collect(),
        checked_on,
        active: true,
    };
    db.activity_insert(&activity)?;
    Ok(activity)
}

/// Changes an entry.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 422 for an unknown provider or a day to come.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ActivityId, change: &ActivityUpdate) -> Result<Activity, AppError> {
    let present = view(db, id)?;
    // Everybody may see the entry, so that a refusal is no secret.
    ctx.require(db, Action::ActivityManage, &Subject::of_programme(present.programme), None, None).map_err(|error| match error {
        AppError::NotFound(_) => AppError::Forbidden { action: Action::ActivityManage.as_str() },
        other => other,
    })?;
    ctx.expect_version(present.version)?;
    let expected = present.version;
    let themes = change.themes.clone().map(|set| set.0.into_iter().map(|theme| theme.0).collect::<BTreeSet<_>>());
    let tags = change.languages.clone().map(|set| set.0.into_iter().map(|tag| tag.into_string()).collect::<BTreeSet<_>>());
    let changed = Activity {
        version: expected.next(),
        organisation: change.organisation_id.map(OrganisationId::from_uuid).apply(present.organisation),
        name: change.name.clone().map(String::from).apply(present.name),
        description: change.description.clone().map(String::from).apply(present.description),
        themes: themes.apply(present.themes),
        municipality: change.municipality.clone().map(|municipality| municipality.0).apply(present.municipality),
        price: change.price.map(|price| price.0).apply(present.price),
        kaikukortti: change.kaikukortti.apply(present.kaikukortti),
        remote: change.remote.apply(present.remote),
        languages: tags.apply(present.languages),
        checked_on: change.checked_on.apply(present.checked_on),
        active: change.active.apply(present.active),
        ..present
    };
    if !change.organisation_id.is_absent() {
        expect_organisation(db, changed.programme, changed.organisation)?;
    }
    expect_checked(changed.checked_on, ctx)?;
    db.activity_update(&changed, expected)?;
    Ok(changed)
}
