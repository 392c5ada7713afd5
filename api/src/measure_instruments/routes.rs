//! The operations on instruments.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, get, post};
use lahete_domain::ids::{Id as _, MeasureTextId, ProgrammeId};
use lahete_domain::version::Version;

use super::cases;
use super::wire::{
    GroupAnswerCreate, GroupAnswerView, IndividualUseBegin, IndividualUseEnd, IndividualUseView, InstrumentQuery, MeasureInstrumentCreate,
    MeasureInstrumentDetail, MeasureInstrumentView, MeasureTextCreate, MeasureTextView, OneProgrammeQuery, ProgrammeQuery,
};
use crate::error::AppError;
use crate::http::answer::Answer;
use crate::http::extract::paging::{LIMIT_MAX, ListView, PageView};
use crate::http::extract::{Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::{OpenOperation, Operation};

/// Seconds for which others may keep the list: it changes seldom.
const KEPT_SECONDS: u32 = 300;

/// Registers the operations.
pub fn configure(registry: &mut Registry<'_>) {
    registry
        .service(measure_instrument_list)
        .service(measure_instrument_create)
        .service(measure_text_create)
        .service(measure_text_list)
        .service(measure_text_remove)
        .service(individual_use_begin)
        .service(individual_use_end)
        .service(group_answer_create)
        .service(group_answer_list)
        .service(measure_instrument_view);
}

/// The name of an instrument in the path, as it was written: whether there is one of this name is asked later, where what is not there costs the same as
/// what is somebody else's.
#[derive(Clone, Debug)]
pub struct PathCode(String);

impl FromRequest for PathCode {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let code = request.match_info().get("code").map(|code| Self(code.to_owned()));
        ready(code.ok_or_else(|| AppError::internal("the path has no segment {code}").into()))
    }
}

/// List instruments.
///
/// The questionnaires whose answers can be recorded, in the version that is in use: keys of the items, lowest and highest answer, how the score is made and
/// what a change of it means, the notice for every copy. Without a programme only those that come with the program; a programme may have others, and newer
/// versions. There are no item texts: who holds the licence has them.
#[utoipa::path(
    tag = "measures",
    security(()),
    params(ProgrammeQuery),
    responses((status = 200, description = "All instruments.", body = ListView<MeasureInstrumentView>))
)]
#[get("/measure-instruments")]
pub async fn measure_instrument_list(op: OpenOperation, query: ValidQuery<ProgrammeQuery>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let items: Vec<_> = cases::list(db, &query.0)?.iter().map(|found| MeasureInstrumentView::of(found, ctx.language)).collect();
        let view = ListView { items, page: PageView { next: None, limit: LIMIT_MAX } };
        Ok(Answer::list(&view).language(ctx.language).public_for(KEPT_SECONDS))
    })
    .await
}

/// Add an instrument.
///
/// For administrators. A name that the programme has already, also that of a shipped one, makes its next version, which is used from now on. A version is
/// never changed: answers keep the version that scored them, and are not compared with those of another.
#[utoipa::path(
    tag = "measures",
    request_body = MeasureInstrumentCreate,
    responses((status = 201, description = "The instrument.", body = MeasureInstrumentView))
)]
#[post("/measure-instruments")]
pub async fn measure_instrument_create(op: Operation, body: ValidJson<MeasureInstrumentCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let added = cases::create(db, ctx, &body.0)?;
        let path = format!("/v1/measure-instruments/{}?programme_id={}", added.definition.key, added.programme);
        Ok(Answer::created(path, &MeasureInstrumentView::of(&added.definition, ctx.language)).language(ctx.language))
    })
    .await
}

/// Read one instrument.
///
/// As the programme uses it; with its words in `language`, if somebody has loaded them for this programme. For whoever has a role in the programme.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "ucla3", min_length = 1, max_length = 60), InstrumentQuery),
    responses((status = 200, description = "The instrument.", body = MeasureInstrumentDetail))
)]
#[get("/measure-instruments/{code}")]
pub async fn measure_instrument_view(op: Operation, code: PathCode, query: ValidQuery<InstrumentQuery>) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let found = cases::view(db, ctx, &code.0, &query.0)?;
        Ok(Answer::ok(&MeasureInstrumentDetail::of(&found, ctx.language)).language(ctx.language))
    })
    .await
}

/// Load the words of an instrument.
///
/// For administrators of a programme that holds the licence: one text for each item, in their order, in any language. They are shown to those with roles in
/// this programme and to nobody else.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "who5", min_length = 1, max_length = 60)),
    request_body = MeasureTextCreate,
    responses((status = 201, description = "The words.", body = MeasureTextView))
)]
#[post("/measure-instruments/{code}/texts")]
pub async fn measure_text_create(op: Operation, code: PathCode, body: ValidJson<MeasureTextCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let texts = cases::load_texts(db, ctx, &code.0, &body.0)?;
        let path = format!("/v1/measure-instruments/{}/texts?programme_id={}", texts.instrument, texts.programme);
        Ok(Answer::created(path, &MeasureTextView::from(&texts)).version(Version::FIRST))
    })
    .await
}

/// List the words of an instrument.
///
/// Those that this programme has loaded, for all versions and languages.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "ucla3", min_length = 1, max_length = 60), OneProgrammeQuery, Paging),
    responses((status = 200, description = "A page of words.", body = ListView<MeasureTextView>))
)]
#[get("/measure-instruments/{code}/texts")]
pub async fn measure_text_list(
    op: Operation,
    code: PathCode,
    query: ValidQuery<OneProgrammeQuery>,
    paging: Paging,
) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::texts(db, ctx, &code.0, ProgrammeId::from_uuid(query.0.programme_id), &paging.request())?;
        Ok(Answer::list(&paging.view::<_, MeasureTextView>(page)))
    })
    .await
}

/// Remove the words of an instrument.
///
/// When the licence has ended, or to load better ones. Answers that were given stay.
#[utoipa::path(
    tag = "measures",
    params(("measure_text_id" = Uuid, Path, description = "The words.")),
    responses((status = 200, description = "What was removed.", body = MeasureTextView))
)]
#[post("/measure-texts/{measure_text_id}/remove")]
pub async fn measure_text_remove(op: Operation, id: PathId<MeasureTextId>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(Answer::ok(&MeasureTextView::from(&cases::remove_texts(db, ctx, id.0)?)))).await
}

/// Switch on asking single persons.
///
/// For administrators, with an instrument whose authors mean it for groups alone (ESIS: the institute advises against using it with single persons). The
/// reason, when and by whom is kept.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "esis", min_length = 1, max_length = 60)),
    request_body = IndividualUseBegin,
    responses((status = 201, description = "The decision.", body = IndividualUseView))
)]
#[post("/measure-instruments/{code}/individual-use")]
pub async fn individual_use_begin(op: Operation, code: PathCode, body: ValidJson<IndividualUseBegin>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let begun = cases::begin_individual_use(db, ctx, &code.0, &body.0)?;
        let path = format!("/v1/measure-instruments/{}?programme_id={}", begun.instrument, begun.programme);
        Ok(Answer::created(path, &IndividualUseView::from(&begun)))
    })
    .await
}

/// Switch off asking single persons.
///
/// Answers that were given stay.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "group_mood", min_length = 1, max_length = 60)),
    request_body = IndividualUseEnd,
    responses((status = 200, description = "The decision that has ended.", body = IndividualUseView))
)]
#[post("/measure-instruments/{code}/individual-use/end")]
pub async fn individual_use_end(op: Operation, code: PathCode, body: ValidJson<IndividualUseEnd>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| Ok(Answer::ok(&IndividualUseView::from(&cases::end_individual_use(db, ctx, &code.0, &body.0)?)))).await
}

/// Record what a group answered.
///
/// The answers of five people or more who met on a day, without saying whose is which. They are kept in an order that says nothing about it either.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "esis", min_length = 1, max_length = 60)),
    request_body = GroupAnswerCreate,
    responses((status = 201, description = "What the group answered.", body = GroupAnswerView))
)]
#[post("/measure-instruments/{code}/group-answers")]
pub async fn group_answer_create(op: Operation, code: PathCode, body: ValidJson<GroupAnswerCreate>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let group = cases::record_group(db, ctx, &code.0, &body.0)?;
        let path = format!("/v1/measure-instruments/{}/group-answers?programme_id={}", group.instrument, group.programme);
        Ok(Answer::created(path, &GroupAnswerView::from(&group)).version(Version::FIRST))
    })
    .await
}

/// List what groups answered.
///
/// The newest session first.
#[utoipa::path(
    tag = "measures",
    params(("code" = String, Path, description = "The instrument.", example = "esis", min_length = 1, max_length = 60), OneProgrammeQuery, Paging),
    responses((status = 200, description = "A page of sessions.", body = ListView<GroupAnswerView>))
)]
#[get("/measure-instruments/{code}/group-answers")]
pub async fn group_answer_list(
    op: Operation,
    code: PathCode,
    query: ValidQuery<OneProgrammeQuery>,
    paging: Paging,
) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::groups(db, ctx, &code.0, ProgrammeId::from_uuid(query.0.programme_id), &paging.request())?;
        Ok(Answer::list(&paging.view::<_, GroupAnswerView>(page)))
    })
    .await
}
