//! Adding instruments and words, deciding about single persons, recording what groups answered.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{Id as _, MeasureTextId, ProgrammeId};
use lahete_domain::measure::definition::{Definition, DefinitionError};
use lahete_domain::measure::group::{self, GroupAnswer, GroupError};
use lahete_domain::measure::registry::{
    AddedInstrument, IndividualUse, IndividualUseError, ItemTexts, TextsError, VERSION_MAX, expect_fitting, expect_for_groups,
};
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};

use super::wire::{
    GroupAnswerCreate, IndividualUseBegin, IndividualUseEnd, InstrumentQuery, MeasureInstrumentCreate, MeasureTextCreate, ProgrammeQuery,
};
use crate::error::{AppError, Fault, RuleProblem};
use crate::measures::wire::answers_fault;
use crate::operation::OpContext;

/// An instrument as a programme uses it now.
#[derive(Clone, Debug)]
pub struct InUse {
    /// What it is.
    pub definition: Definition,
    /// The decision to ask single persons, where the instrument is for groups.
    pub individual_use: Option<IndividualUse>,
    /// Its words in the wanted language.
    pub texts: Option<ItemTexts>,
}

/// Finds an instrument of a programme, and asks for the right to do something with it. One that is not there and one of a foreign programme are answered
/// alike.
fn find(
    db: &mut Db<'_>,
    ctx: &OpContext,
    action: Action,
    programme: ProgrammeId,
    name: &str,
    version: Option<u16>,
) -> Result<(Definition, Grant), AppError> {
    let found = db.measure_instrument(programme, name, version)?.ok_or(AppError::NotFound("measure_instrument"))?;
    let grant = ctx.require(db, action, &Subject::of_programme(programme), None, None)?;
    Ok((found, grant))
}

/// The instruments of a programme; the shipped ones alone when none is named.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, query: &ProgrammeQuery) -> Result<Vec<Definition>, AppError> {
    Ok(db.measure_instruments_of(query.programme_id.map(ProgrammeId::from_uuid))?)
}

/// One instrument with its words in a language.
///
/// # Errors
/// 404 when the programme has none of this name, or is not the caller's.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, name: &str, query: &InstrumentQuery) -> Result<InUse, AppError> {
    let programme = ProgrammeId::from_uuid(query.programme_id);
    let (definition, _) = find(db, ctx, Action::ProgrammeView, programme, name, query.instrument_version)?;
    let texts = match &query.language {
        Some(language) => db.measure_texts_in(programme, &definition.key, definition.version, language.as_str())?,
        None => None,
    };
    let individual_use = if definition.group_only { db.individual_use_open(programme, &definition.key)? } else { None };
    Ok(InUse { definition, individual_use, texts })
}

fn definition_fault(error: DefinitionError) -> AppError {
    let pointer = match error {
        DefinitionError::Items | DefinitionError::ItemKey => "/items",
        DefinitionError::Scale => "/answer_max",
        DefinitionError::Table | DefinitionError::Factor | DefinitionError::GoalAttainment => "/scoring",
        DefinitionError::Thresholds => "/reliable_change",
        DefinitionError::Bands => "/bands",
    };
    AppError::fault(Fault::new(pointer, "makes_no_sense", format!("{error}.")))
}

/// Adds an instrument, or the next version of one. Answers that were given keep the version that scored them.
///
/// # Errors
/// 404 and 403 by the policy, 409 when somebody was faster, 422 when it makes no sense.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: &MeasureInstrumentCreate) -> Result<AddedInstrument, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::MeasureInstrumentManage, &Subject::of_programme(programme), None, None)?;
    let newest = db.measure_instrument(programme, body.instrument.0.as_str(), None)?.map_or(0, |known| known.version);
    if newest >= VERSION_MAX {
        return Err(AppError::fault(Fault::new("/instrument", "out_of_range", "There is no room for another version.")));
    }
    let definition = body.definition(newest + 1)?;
    definition.check().map_err(definition_fault)?;
    let added = AddedInstrument { id: ctx.ids.next(), programme, definition, added_at: ctx.now, added_by: ctx.user()? };
    db.measure_instrument_insert(&added).map_err(|error| match error {
        StoreError::Constraint(Constraint::MeasureInstrumentTaken) => AppError::Stale,
        other => other.into(),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(added)
}

/// Loads the words of an instrument in a language.
///
/// # Errors
/// 404 and 403 by the policy, 409 when there are some, 422 when they do not fit.
pub fn load_texts(db: &mut Db<'_>, ctx: &OpContext, name: &str, body: &MeasureTextCreate) -> Result<ItemTexts, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let (definition, grant) = find(db, ctx, Action::MeasureInstrumentManage, programme, name, body.instrument_version)?;
    let texts = ItemTexts {
        id: ctx.ids.next(),
        programme,
        instrument: definition.key.clone(),
        version: definition.version,
        language: body.language.as_str().to_owned(),
        items: body.items.iter().map(|item| (item.key.0.as_str().to_owned(), item.text.as_str().to_owned())).collect(),
        answer_labels: body.answer_labels.iter().map(|label| (label.answer, label.text.as_str().to_owned())).collect(),
        licence_ref: body.licence_ref.as_str().to_owned(),
        text_source: body.text_source.as_str().to_owned(),
        loaded_at: ctx.now,
        loaded_by: ctx.user()?,
    };
    expect_fitting(&definition, &texts.items, &texts.answer_labels).map_err(|error| {
        let pointer = match error {
            TextsError::Items => "/items",
            TextsError::Labels => "/answer_labels",
        };
        AppError::fault(Fault::new(pointer, "does_not_fit", format!("{error}.")))
    })?;
    db.measure_texts_insert(&texts).map_err(|error| match error {
        StoreError::Constraint(Constraint::MeasureTextTaken) => AppError::from(RuleProblem::new(
            "measure_text_exists",
            "The programme has words for this version of the instrument in this language; remove them first.",
        )),
        other => other.into(),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(texts)
}

/// The words that a programme has loaded.
///
/// # Errors
/// 404 when the programme has no such instrument, or is not the caller's.
pub fn texts(
    db: &mut Db<'_>,
    ctx: &OpContext,
    name: &str,
    programme: ProgrammeId,
    page: &PageRequest,
) -> Result<Page<ItemTexts>, AppError> {
    let (definition, _) = find(db, ctx, Action::ProgrammeView, programme, name, None)?;
    Ok(db.measure_texts_list(programme, &definition.key, page)?)
}

/// Takes words away: a licence that has ended.
///
/// # Errors
/// 404 and 403 by the policy.
pub fn remove_texts(db: &mut Db<'_>, ctx: &OpContext, id: MeasureTextId) -> Result<ItemTexts, AppError> {
    let texts = db.measure_texts_get(id)?.ok_or(AppError::NotFound(MeasureTextId::RESOURCE))?;
    let grant = ctx.require(db, Action::MeasureInstrumentManage, &Subject::of_programme(texts.programme), None, None)?;
    db.measure_texts_remove(id)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(texts)
}

/// Decides that single persons are asked with an instrument that is meant for groups.
///
/// # Errors
/// 404 and 403 by the policy, 409 when the instrument is not meant for groups alone, or it is so already.
pub fn begin_individual_use(db: &mut Db<'_>, ctx: &OpContext, name: &str, body: &IndividualUseBegin) -> Result<IndividualUse, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let (definition, grant) = find(db, ctx, Action::MeasureInstrumentManage, programme, name, None)?;
    expect_for_groups(&definition)?;
    let begun = IndividualUse {
        id: ctx.ids.next(),
        programme,
        instrument: definition.key,
        reason: body.reason.as_str().to_owned(),
        begun_at: ctx.now,
        begun_by: ctx.user()?,
        ended: None,
    };
    db.individual_use_insert(&begun).map_err(|error| match error {
        StoreError::Constraint(Constraint::IndividualUseOpen) => AppError::from(IndividualUseError::Begun),
        other => other.into(),
    })?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(begun)
}

/// Decides that single persons are no longer asked.
///
/// # Errors
/// 404 and 403 by the policy, 409 when they are not asked.
pub fn end_individual_use(db: &mut Db<'_>, ctx: &OpContext, name: &str, body: &IndividualUseEnd) -> Result<IndividualUse, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let (definition, grant) = find(db, ctx, Action::MeasureInstrumentManage, programme, name, None)?;
    let open = db.individual_use_open(programme, &definition.key)?.ok_or(IndividualUseError::NotBegun)?;
    let (by, reason) = (ctx.user()?, body.reason.as_str());
    db.individual_use_end(open.id, ctx.now, by, reason)?;
    ctx.audit(db, &grant, AuditAction::Changed, None, None);
    Ok(IndividualUse { ended: Some((ctx.now, by, reason.to_owned())), ..open })
}

/// Records what a group answered on a day.
///
/// # Errors
/// 404 and 403 by the policy, 422 when there are too few or they do not fit.
pub fn record_group(db: &mut Db<'_>, ctx: &OpContext, name: &str, body: &GroupAnswerCreate) -> Result<GroupAnswer, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let (definition, grant) = find(db, ctx, Action::MeasureGroupManage, programme, name, None)?;
    let given = body.answers.iter().map(|one| one.0.iter().map(|answer| answer.0).collect()).collect();
    let (answers, scores) = group::scored(&definition, given).map_err(|error| {
        AppError::fault(match error {
            GroupError::Size => Fault::new("/answers", "wrong_group_size", format!("{error}.")),
            GroupError::Answers { place, error } => {
                let fault = answers_fault(error, "");
                Fault { pointer: format!("/answers/{place}"), ..fault }
            }
        })
    })?;
    let group = GroupAnswer {
        id: ctx.ids.next(),
        programme,
        instrument: definition.key,
        version: definition.version,
        held_on: body.held_on,
        answers,
        scores,
        recorded_at: ctx.now,
        recorded_by: ctx.user()?,
    };
    if !group.was_held_by(ctx.now.helsinki_date()) {
        return Err(AppError::fault(Fault::new("/held_on", "out_of_range", "The session is still to come.")));
    }
    db.group_answer_insert(&group)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(group)
}

/// What groups of a programme answered.
///
/// # Errors
/// 404 and 403 by the policy.
pub fn groups(
    db: &mut Db<'_>,
    ctx: &OpContext,
    name: &str,
    programme: ProgrammeId,
    page: &PageRequest,
) -> Result<Page<GroupAnswer>, AppError> {
    let (definition, _) = find(db, ctx, Action::MeasureGroupManage, programme, name, None)?;
    Ok(db.group_answer_list(programme, &definition.key, page)?)
}
