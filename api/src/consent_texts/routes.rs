//! The paths of consent texts.

use actix_web::{get, post};
use lahete_domain::ids::ConsentTextId;
use lahete_domain::version::Version;

use super::cases;
use super::wire::{ConsentTextNew, ConsentTextQuery, ConsentTextView};
use crate::http::answer::Answer;
use crate::http::extract::{ListView, Paging, PathId, ValidJson, ValidQuery};
use crate::http::problem::Problem;
use crate::http::registry::Registry;
use crate::operation::{OpenOperation, Operation};

/// Seconds for which anybody may keep a list of texts.
const KEEP_SECONDS: u32 = 60;

/// Registers the operations of the room.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(consent_text_list).service(consent_text_create).service(consent_text_view);
}

/// List consent texts.
///
/// Public: no token is needed. What a client is asked to agree to, in the words of the programme, the newest first. A form asks with the client's
/// municipality and language, shows the text, and sends its version with the consent.
#[utoipa::path(tag = "consent-texts", security(()), params(ConsentTextQuery, Paging), responses((status = 200, description = "A page of texts.", body = ListView<ConsentTextView>)))]
#[get("/consent-texts")]
pub async fn consent_text_list(op: OpenOperation, query: ValidQuery<ConsentTextQuery>, paging: Paging) -> Result<Answer, Problem> {
    op.read(move |db, ctx| {
        let page = cases::list(db, ctx, &query.0, &paging.request())?;
        Ok(Answer::list(&paging.view::<_, ConsentTextView>(page)).public_for(KEEP_SECONDS))
    })
    .await
}

/// Publish a consent text.
///
/// For administrators of the programme. Each language is a text of its own under the same version. A published text is never changed and never taken
/// away, because consents name it; a new version takes its place.
#[utoipa::path(tag = "consent-texts", request_body = ConsentTextNew, responses((status = 201, description = "The text was published.", body = ConsentTextView)))]
#[post("/consent-texts")]
pub async fn consent_text_create(op: Operation, body: ValidJson<ConsentTextNew>) -> Result<Answer, Problem> {
    op.write(move |db, ctx| {
        let text = cases::create(db, ctx, &body.0)?;
        Ok(Answer::created(format!("/v1/consent-texts/{}", text.id), &ConsentTextView::from(&text)).version(Version::FIRST))
    })
    .await
}

/// Read a consent text.
///
/// Public: no token is needed. Also one that newer versions have taken the place of: consents still name it.
#[utoipa::path(tag = "consent-texts", security(()), params(("consent_text_id" = Uuid, Path, description = "The text.")), responses((status = 200, description = "The text.", body = ConsentTextView)))]
#[get("/consent-texts/{consent_text_id}")]
pub async fn consent_text_view(op: OpenOperation, id: PathId<ConsentTextId>) -> Result<Answer, Problem> {
    op.read(move |db, _| {
        let text = cases::view(db, id.0)?;
        Ok(Answer::ok(&ConsentTextView::from(&text)).version(Version::FIRST).public_for(KEEP_SECONDS))
    })
    .await
}
