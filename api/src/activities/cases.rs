//! What is done with the directory.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use lahete_domain::access::{Action, Subject};
use lahete_domain::activity::{Activity, ActivityFault, Contact, MAIN_LANGUAGE, Provider};
use lahete_domain::codes::{ActivityStatus, ContentKind};
use lahete_domain::ids::{ActivityId, Id, OrganisationId, ProgrammeId};
use lahete_domain::search::Query;
use lahete_persistence::repo::activities::ActivityFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ActivityQuery, ActivityUpdate, NewActivity, translations};
use crate::error::{AppError, Fault};
use crate::operation::OpContext;

fn get(db: &mut Db<'_>, id: ActivityId) -> Result<Activity, AppError> {
    db.activity_get(id)?.ok_or(AppError::NotFound(ActivityId::RESOURCE))
}

/// Says who provides entries that name an organisation of the programme.
fn with_providers(db: &mut Db<'_>, mut all: Vec<Activity>) -> Result<Vec<Activity>, AppError> {
    let wanted: BTreeSet<OrganisationId> =
        all.iter().filter(|entry| entry.provider.is_none()).filter_map(|entry| entry.organisation).collect();
    let known = db.organisations_named(&wanted)?;
    for entry in all.iter_mut().filter(|entry| entry.provider.is_none()) {
        let provider = entry.organisation.and_then(|id| known.get(&id));
        entry.provider = provider.map(|(name, kind)| Provider { name: name.clone(), business_id: None, kind: Some(*kind) });
    }
    Ok(all)
}

fn with_provider(db: &mut Db<'_>, entry: Activity) -> Result<Activity, AppError> {
    let entries = with_providers(db, vec![entry])?;
    entries.into_iter().next().ok_or(AppError::NotFound(ActivityId::RESOURCE))
}

/// One entry. The directory is public: there is nothing to ask.
///
/// # Errors
/// 404 when there is none.
pub fn view(db: &mut Db<'_>, id: ActivityId) -> Result<Activity, AppError> {
    let entry = get(db, id)?;
    with_provider(db, entry)
}

/// A page of the directory: by name, or the best finds first when something is looked for.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, query: &ActivityQuery, page: &PageRequest) -> Result<Page<Activity>, AppError> {
    let filter = ActivityFilter {
        status: query.status.map_or(ActivityStatus::Active, |status| status.0),
        programme: query.programme_id.map(ProgrammeId::from_uuid),
        theme: query.theme.map(|theme| theme.0),
        municipality: query.municipality.as_ref().map(|municipality| municipality.0.clone()),
        content_kind: query.content_kind.map(|kind| kind.0),
        price: query.price.map(|price| price.0),
        kaikukortti: query.kaikukortti,
        remote: query.remote,
        language: query.language.as_ref().map(|tag| tag.as_str().to_owned()),
        source: query.source.map(|source| source.0),
        checked_before: query.checked_before,
    };
    let found = match query.q.as_ref() {
        None => db.activity_list(&filter, page)?,
        Some(text) => match Query::parse(text.as_str()) {
            Some(wanted) => db.activity_search(&filter, &wanted, page)?,
            // Signs without a word find nothing.
            None => Page { items: Vec::new(), next: None },
        },
    };
    Ok(Page { items: with_providers(db, found.items)?, next: found.next })
}

fn expect_organisation(db: &mut Db<'_>, programme: ProgrammeId, organisation: Option<OrganisationId>) -> Result<(), AppError> {
    let Some(id) = organisation else { return Ok(()) };
    if db.organisation_get(id)?.is_some_and(|found| found.programme == programme) {
        return Ok(());
    }
    Err(AppError::fault(Fault::new("/organisation_id", "not_found", "The programme has no such organisation.")))
}

/// Where a fault of the domain stands in a body.
fn fault(found: ActivityFault) -> Fault {
    let (pointer, code) = match found {
        ActivityFault::CheckedInFuture => ("/checked_on".to_owned(), "in_the_future"),
        ActivityFault::MunicipalitiesOfNationwide => ("/municipalities".to_owned(), "not_with_nationwide"),
        ActivityFault::ClosesBeforeOpening { place } => (format!("/times/{place}/closes_at"), "out_of_range"),
        ActivityFault::Email => ("/contact/email".to_owned(), "malformed"),
        ActivityFault::PersonalEmail => ("/contact/email".to_owned(), "personal_contact"),
        ActivityFault::Web => ("/contact/web".to_owned(), "malformed"),
        ActivityFault::BusinessId => ("/provider/business_id".to_owned(), "check_digit"),
    };
    Fault::new(pointer, code, found.to_string())
}

/// What a body cannot tell of itself.
fn expect_sense(activity: &Activity, languages_told: usize, today: NaiveDate) -> Result<(), AppError> {
    let mut faults: Vec<Fault> = activity.faults(today).into_iter().map(fault).collect();
    if activity.translations.len() != languages_told || activity.translations.contains_key(&activity.text_language) {
        faults.push(Fault::new("/translations", "language_twice", "Each language is told once."));
    }
    if faults.is_empty() { Ok(()) } else { Err(AppError::Invalid(faults)) }
}

/// Adds an entry.
///
/// # Errors
/// 404 outside the caller's programmes; 422 for an unknown provider, a day to come, a person's e-mail and whatever else makes no sense.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: &NewActivity) -> Result<Activity, AppError> {
    let programme = ProgrammeId::from_uuid(new.programme_id);
    ctx.require(db, Action::ActivityManage, &Subject::of_programme(programme), None, None)?;
    let organisation = new.organisation_id.map(OrganisationId::from_uuid);
    expect_organisation(db, programme, organisation)?;
    let today = ctx.now.helsinki_date();
    let activity = Activity {
        organisation,
        provider: new.provider.as_ref().map(Provider::from),
        text_language: new.text_language.as_ref().map_or_else(|| MAIN_LANGUAGE.to_owned(), |tag| tag.as_str().to_owned()),
        summary: new.summary.as_ref().map(|text| text.as_str().to_owned()),
        description: new.description.as_ref().map(|text| text.as_str().to_owned()),
        translations: translations(&new.translations),
        keywords: new.keywords.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default(),
        content_kind: new.content_kind.map_or(ContentKind::Service, |kind| kind.0),
        themes: new.themes.0.iter().map(|theme| theme.0).collect(),
        municipalities: new.municipalities.0.iter().map(|municipality| municipality.0.clone()).collect(),
        nationwide: new.nationwide,
        price: new.price.0,
        price_note: new.price_note.as_ref().map(|text| text.as_str().to_owned()),
        kaikukortti: new.kaikukortti,
        remote: new.remote,
        accessibility_note: new.accessibility_note.as_ref().map(|text| text.as_str().to_owned()),
        languages: new.languages.0.iter().map(|tag| tag.as_str().to_owned()).collect(),
        times: new.times.iter().map(Into::into).collect(),
        schedule_note: new.schedule_note.as_ref().map(|text| text.as_str().to_owned()),
        places: new.places.iter().map(Into::into).collect(),
        contact: new.contact.as_ref().map(Into::into).unwrap_or_default(),
        ..Activity::new(ctx.ids.next(), programme, new.name.as_str(), new.checked_on.unwrap_or(today))
    };
    expect_sense(&activity, new.translations.len(), today)?;
    db.activity_insert(&activity)?;
    with_provider(db, activity)
}

/// Finds an entry that the caller wants to change.
fn open(db: &mut Db<'_>, ctx: &OpContext, id: ActivityId) -> Result<Activity, AppError> {
    let present = get(db, id)?;
    // Everybody may see the entry, so that a refusal is no secret.
    ctx.require(db, Action::ActivityManage, &Subject::of_programme(present.programme), None, None).map_err(|error| match error {
        AppError::NotFound(_) => AppError::Forbidden { action: Action::ActivityManage.as_str() },
        other => other,
    })?;
    ctx.expect_version(present.version)?;
    Ok(present)
}

/// Changes an entry. Of one that is kept in another directory only what coordinators say of it.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 409 for what is kept elsewhere; 422 as for [`create`].
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ActivityId, change: &ActivityUpdate) -> Result<Activity, AppError> {
    let present = open(db, ctx, id)?;
    present.expect_changeable()?;
    let withdraws = change.status.given().is_some_and(|status| status.0 == ActivityStatus::Withdrawn);
    if change.touches_content() || withdraws {
        present.expect_kept_here()?;
    }
    let expected = present.version;
    let told = change.translations.clone().given();
    let languages_told = told.as_ref().map_or(present.translations.len(), Vec::len);
    let changed = Activity {
        organisation: change.organisation_id.map(OrganisationId::from_uuid).apply(present.organisation),
        provider: change.provider.clone().map(|provider| Provider::from(&provider)).apply(present.provider),
        name: change.name.clone().map(String::from).apply(present.name),
        text_language: change.text_language.clone().map(|tag| tag.into_string()).apply(present.text_language),
        summary: change.summary.clone().map(String::from).apply(present.summary),
        description: change.description.clone().map(String::from).apply(present.description),
        translations: told.map_or(present.translations, |told| translations(&told)),
        keywords: change.keywords.clone().map(String::from).apply(Some(present.keywords)).unwrap_or_default(),
        content_kind: change.content_kind.map(|kind| kind.0).apply(present.content_kind),
        themes: change.themes.clone().map(|set| set.0.into_iter().map(|theme| theme.0).collect()).apply(present.themes),
        municipalities: change
            .municipalities
            .clone()
            .map(|set| set.0.into_iter().map(|municipality| municipality.0).collect())
            .apply(present.municipalities),
        nationwide: change.nationwide.apply(present.nationwide),
        price: change.price.map(|price| price.0).apply(present.price),
        price_note: change.price_note.clone().map(String::from).apply(present.price_note),
        kaikukortti: change.kaikukortti.apply(present.kaikukortti),
        remote: change.remote.apply(present.remote),
        accessibility_note: change.accessibility_note.clone().map(String::from).apply(present.accessibility_note),
        languages: change.languages.clone().map(|set| set.0.into_iter().map(|tag| tag.into_string()).collect()).apply(present.languages),
        times: change.times.clone().map(|times| times.iter().map(Into::into).collect()).apply(present.times),
        schedule_note: change.schedule_note.clone().map(String::from).apply(present.schedule_note),
        places: change.places.clone().map(|places| places.iter().map(Into::into).collect()).apply(present.places),
        contact: change.contact.clone().map(|contact| Contact::from(&contact)).apply(present.contact),
        checked_on: change.checked_on.apply(present.checked_on),
        status: change.status.map(|status| status.0).apply(present.status),
        ..present
    };
    if !change.organisation_id.is_absent() {
        expect_organisation(db, changed.programme, changed.organisation)?;
    }
    expect_sense(&changed, languages_told, ctx.now.helsinki_date())?;
    db.activity_update(&changed, expected)?;
    with_provider(db, Activity { version: expected.next(), ..changed })
}

/// Notes that somebody has checked today that an entry is true.
///
/// # Errors
/// 404, 403; 412 and 428 by the version; 409 for one that has ended.
pub fn check(db: &mut Db<'_>, ctx: &OpContext, id: ActivityId) -> Result<Activity, AppError> {
    let present = open(db, ctx, id)?;
    present.expect_changeable()?;
    let expected = present.version;
    let changed = Activity { checked_on: ctx.now.helsinki_date(), ..present };
    db.activity_update_silently(&changed, expected)?;
    with_provider(db, Activity { version: expected.next(), ..changed })
}
