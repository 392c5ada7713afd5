//! The pages behind the `type` of a problem: one for each kind, and a list of all. Plain HTML without script or style.

use std::fmt::Write as _;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use lahete_domain::codes::{Code as _, Language};

use super::problem::Problem;
use super::problem_catalogue::{self, ProblemKind};
use crate::error::AppError;
use crate::http::extract::language::language_of;

/// Registers the pages. They are for people and stand outside the API document.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/problems").route(web::get().to(problem_list_page)))
        .service(web::resource("/problems/{code}").route(web::get().to(problem_page)));
}

async fn problem_list_page(request: HttpRequest) -> HttpResponse {
    let language = language_of(&request);
    let mut body = String::from("<ul>\n");
    for kind in problem_catalogue::all() {
        let code = escape(&kind.code);
        let _ = writeln!(body, "<li><a href=\"/problems/{code}\">{code}</a> ({}) – {}</li>", kind.status, escape(kind.title(language)));
    }
    body.push_str("</ul>");
    page("Problems", language, &body)
}

async fn problem_page(request: HttpRequest, code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let kind = problem_catalogue::find(&code).ok_or(AppError::NotFound("problem"))?;
    let language = language_of(&request);
    Ok(page(kind.title(language), language, &describe(kind)))
}

fn describe(kind: &ProblemKind) -> String {
    let mut body = format!(
        "<p><code>{}</code>, status {}</p>\n<p lang=\"en\">{}</p>\n<ul>\n",
        escape(&kind.code),
        kind.status,
        escape(&kind.explanation_en)
    );
    for language in Language::ALL {
        let _ = writeln!(body, "<li lang=\"{0}\">{0}: {1}</li>", language.as_str(), escape(kind.title(*language)));
    }
    body.push_str("</ul>\n<p><a href=\"/problems\">/problems</a></p>");
    body
}

fn page(title: &str, language: Language, body: &str) -> HttpResponse {
    let title = escape(title);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n",
        language.as_str()
    );
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_LANGUAGE, language.as_str()))
        .insert_header((header::VARY, "Accept-Language"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(html)
}

/// Makes a text safe between tags and in a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
