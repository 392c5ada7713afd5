//! The API document, and the page in which it can be read and tried out.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header as _};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::SwaggerFile;

use super::problem::Problem;
use super::problem_pages::escape;
use crate::auth::demo_accounts::{DEMO_ACCOUNTS, DEMO_CLIENT_ID, DEMO_PASSWORD};
use crate::error::AppError;
use crate::state::AppState;

/// Swagger UI sets styles on elements and has pictures in its style sheet; its scripts come from here alone.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Registers the document and the page. They stand outside the document itself.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/openapi.json").route(web::get().to(document_json)))
        .service(web::resource("/openapi.yaml").route(web::get().to(document_yaml)))
        .service(web::resource("/docs").route(web::get().to(page_redirect)))
        .service(web::resource("/docs/{file:[^/]*}").route(web::get().to(page_file)));
}

async fn document_json(state: Data<AppState>) -> HttpResponse {
    document("application/json", state.documents.json.clone())
}

async fn document_yaml(state: Data<AppState>) -> HttpResponse {
    document("application/yaml", state.documents.yaml.clone())
}

fn document(media_type: &str, body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media_type)).insert_header((header::CACHE_CONTROL, "no-cache")).body(body)
}

async fn page_redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

fn page_config(demo: bool) -> utoipa_swagger_ui::Config<'static> {
    utoipa_swagger_ui::Config::with_oauth_config(
        ["/openapi.json"],
        utoipa_swagger_ui::oauth::Config::new().client_id(if demo { DEMO_CLIENT_ID } else { "" }).app_name("Lahete"),
    )
    .try_it_out_enabled(true)
    .display_request_duration(true)
    .display_operation_id(true)
    .filter(true)
    .deep_linking(true)
    .doc_expansion("none")
    .request_snippets_enabled(true)
    .persist_authorization(demo)
    .validator_url("none")
}

static DEMO_PAGE: LazyLock<Arc<utoipa_swagger_ui::Config<'static>>> = LazyLock::new(|| Arc::new(page_config(true)));
static PAGE: LazyLock<Arc<utoipa_swagger_ui::Config<'static>>> = LazyLock::new(|| Arc::new(page_config(false)));

async fn page_file(state: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let demo = state.config.demo;
    let name = request.match_info().get("file").unwrap_or_default();
    if demo && name == "sign-in.js" {
        return Ok(page("text/javascript; charset=utf-8", SIGN_IN_SCRIPT.into()));
    }
    let config = if demo { &DEMO_PAGE } else { &PAGE };
    let file = utoipa_swagger_ui::serve(name, Arc::clone(config)).map_err(AppError::internal)?.ok_or(AppError::NotFound("page"))?;
    if demo && matches!(name, "" | "index.html") {
        let text = String::from_utf8_lossy(&unpacked(&file)?).replace("<body>", &format!("<body>\n{}", sign_in_bar()));
        return Ok(page(&file.content_type, text.into_bytes()));
    }
    if file.gzpipped && reads_gzip(&request) {
        let mut packed = page(&file.content_type, file.bytes.into_owned());
        packed.headers_mut().insert(header::CONTENT_ENCODING, ContentEncoding::Gzip.to_header_value());
        return Ok(packed);
    }
    Ok(page(&file.content_type, unpacked(&file)?))
}

fn reads_gzip(request: &HttpRequest) -> bool {
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate([Encoding::gzip(), Encoding::identity()].iter()) == Some(Encoding::gzip()))
}

/// A file as it is before it is packed, which most are in the program.
fn unpacked(file: &SwaggerFile<'_>) -> Result<Vec<u8>, AppError> {
    if !file.gzpipped {
        return Ok(file.bytes.to_vec());
    }
    let mut bytes = Vec::new();
    GzDecoder::new(file.bytes.as_ref()).read_to_end(&mut bytes).map_err(AppError::internal)?;
    Ok(bytes)
}

fn page(media_type: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "Accept-Encoding"))
        .body(body)
}

/// In demo mode the page has a bar from which one signs in as a demo account with one choice.
fn sign_in_bar() -> String {
    let mut bar = format!(
        "<div id=\"sign-in\" data-password=\"{}\" data-client=\"{}\" style=\"padding:8px 20px;font-family:sans-serif;background:#eef3f7\">\n\
         <label>Demo: sign in as <select><option value=\"\">nobody</option>",
        escape(DEMO_PASSWORD),
        escape(DEMO_CLIENT_ID)
    );
    for account in DEMO_ACCOUNTS {
        bar.push_str(&format!(
            "<option value=\"{}\">{} – {}</option>",
            escape(account.login),
            escape(account.login),
            escape(account.description)
        ));
    }
    bar.push_str("</select></label> <span role=\"status\"></span>\n</div>\n<script src=\"./sign-in.js\" defer></script>");
    bar
}

const SIGN_IN_SCRIPT: &str = r#""use strict";
(() => {
  const remembered = "lahete-demo-account";
  const bar = document.getElementById("sign-in");
  const choice = bar.querySelector("select");
  const status = bar.querySelector("[role=status]");
  const say = (text) => { status.textContent = text; };
  const signIn = async () => {
    const { authActions, authSelectors } = window.ui;
    const held = authSelectors.authorized().keySeq().toArray();
    if (choice.value === "") {
      if (held.length > 0) { authActions.logoutWithPersistOption(held); }
      localStorage.removeItem(remembered);
      say("signed out");
      return;
    }
    const answer = await fetch("/oauth/token", {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "password", client_id: bar.dataset.client, username: choice.value, password: bar.dataset.password,
      }),
    });
    const body = await answer.json();
    if (!answer.ok) { say(body.title + " (" + body.code + ")"); return; }
    const schema = { type: "http", scheme: "bearer", bearerFormat: "JWT" };
    authActions.authorizeWithPersistOption({ bearer: { name: "bearer", schema, value: body.access_token } });
    localStorage.setItem(remembered, choice.value);
    say("signed in for " + Math.round(body.expires_in / 60) + " minutes");
  };
  choice.addEventListener("change", signIn);
  // After a reload the same person goes on, with a new token.
  const before = localStorage.getItem(remembered);
  if (before !== null) {
    window.addEventListener("load", () => { choice.value = before; setTimeout(signIn, 500); });
  }
})();
"#;
