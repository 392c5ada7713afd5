//! Reading code lists. They hold nothing about anybody, so no token is asked for and everybody may keep them for a while.

use actix_web::{HttpRequest, get};
use lahete_domain::codes::{Code as _, Language};

use super::labels;
use super::wire::{CodeListSummaryView, CodeListView, CodeView};
use crate::error::AppError;
use crate::http::answer::Answer;
use crate::http::extract::if_match::if_none_match;
use crate::http::extract::language::language_of;
use crate::http::extract::{ListView, PageView};
use crate::http::problem::Problem;
use crate::http::registry::Registry;

/// Seconds for which an answer may be kept.
const KEPT_SECONDS: u32 = 3600;

/// Registers the routes.
pub fn configure(registry: &mut Registry<'_>) {
    registry.service(code_list_list).service(code_list_view);
}

/// Lists change with the program alone, so its version and the language name an answer.
fn tag(language: Language) -> String {
    format!("\"{}-{}\"", env!("CARGO_PKG_VERSION"), language.as_str())
}

/// List the code lists.
///
/// The names of all closed lists of codes that stand in requests and answers.
#[utoipa::path(
    tag = "code-lists",
    security(()),
    responses((status = 200, description = "All lists", body = ListView<CodeListSummaryView>))
)]
#[get("/code-lists")]
pub async fn code_list_list(request: HttpRequest) -> Answer {
    let language = language_of(&request);
    let items: Vec<_> = labels::lists()
        .into_iter()
        .map(|name| CodeListSummaryView { name, title: labels::title(name, language), path: format!("/v1/code-lists/{name}") })
        .collect();
    Answer::list(&ListView { items, page: PageView { next: None, limit: 200 } }).language(language).public_for(KEPT_SECONDS)
}

/// Read a code list.
///
/// The codes of one list with their labels in the language of `Accept-Language`. Codes never change with the language. Where a label has no translation
/// yet, it is the Finnish one.
#[utoipa::path(
    tag = "code-lists",
    security(()),
    params(("name" = String, Path, description = "The name of the list", example = "sectors", max_length = 60, pattern = "^[a-z-]+$")),
    responses((status = 200, description = "The list", body = CodeListView))
)]
#[get("/code-lists/{name}")]
pub async fn code_list_view(request: HttpRequest) -> Result<Answer, Problem> {
    let language = language_of(&request);
    let name = request.match_info().get("name").unwrap_or_default();
    let (name, codes) = labels::list(name, language).ok_or(AppError::NotFound("code_list"))?;
    let codes = codes.into_iter().map(|(code, label)| CodeView { code, label }).collect();
    Ok(Answer::ok(&CodeListView { name, title: labels::title(name, language), codes })
        .header("etag", tag(language))
        .language(language)
        .public_for(KEPT_SECONDS)
        .unless_known(if_none_match(&request).as_deref()))
}
