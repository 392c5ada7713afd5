//! Reading the register of municipalities.

use actix_web::{HttpRequest, get};
use lahete_persistence::{Cursor, Page};
use uuid::Uuid;

use super::register::{self, Municipality};
use super::wire::{MunicipalityQuery, MunicipalityView};
use crate::http::answer::Answer;
use crate::http::extract::language::language_of;
use crate::http::extract::{ListView, Paging, ValidQuery};
use crate::http::registry::Registry;

/// Seconds for which an answer may be kept.
const KEPT_SECONDS: u32 = 3600;

/// Registers the routes.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(municipality_list);
}

/// List the municipalities.
///
/// All municipalities of Finland, sorted by code, with their names in the language of `Accept-Language`.
#[utoipa::path(
    tag = "municipalities",
    security(()),
    params(MunicipalityQuery, Paging),
    responses((status = 200, description = "A page of municipalities", body = ListView<MunicipalityView>))
)]
#[get("/municipalities")]
pub async fn municipality_list(request: HttpRequest, query: ValidQuery<MunicipalityQuery>, paging: Paging) -> Answer {
    let language = language_of(&request);
    let page = page_of(query.0.wellbeing_county.as_deref(), &paging);
    let view = paging.view_with(page, |row: &'static Municipality| MunicipalityView {
        code: &row.code,
        name: row.name(language),
        wellbeing_county: &row.wellbeing_county,
    });
    Answer::list(&view).language(language).public_for(KEPT_SECONDS)
}

fn page_of(county: Option<&str>, paging: &Paging) -> Page<&'static Municipality> {
    let request = paging.request();
    let after = request.after.as_ref().map_or("", |cursor| cursor.sort.as_str());
    let rows = register::all()
        .iter()
        .filter(|row| row.code.as_str() > after && county.is_none_or(|county| row.wellbeing_county == county))
        .take(usize::from(request.limit) + 1)
        .collect();
    Page::from_rows(rows, &request, |row| Cursor { sort: row.code.clone(), id: Uuid::nil() })
}
