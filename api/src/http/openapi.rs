//! The API document: assembled from the same registrations as the routes, then finished in one pass.
//!
//! Handlers say what is their own: path, summary, good answers, body. What all operations have in common is added here by rule, so that it cannot
//! be forgotten: problem answers, security, headers, `Idempotency-Key` on every `POST` below `/v1`, `Accept-Language`, examples.
//!
//! `If-Match` is asked for by every `PUT`, `PATCH` and `DELETE`, and by each `POST` whose declaration carries
//! `extensions(("x-if-match" = json!(true)))`. The mark itself is taken out of the document.
//!
//! An answer 201 says by `links` where what was made can be used: in every operation that has its id in the path. `goal_create` makes a goal, so its
//! answer leads to the operations with `{goal_id}`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::PartialSchema as _;
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Header, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder,
    SecurityRequirement, ServerBuilder, tag::TagBuilder,
};

pub use super::wire::code_schemas;

use super::extract::idempotency_key;
use super::problem::{FaultView, PROBLEM_JSON, ProblemView};
use super::registry::described;
use super::wire::{INLINE_PREFIX, inline_schema};
use super::{examples, problem, problem_catalogue};

/// The mark of a `POST` that needs `If-Match`.
pub const IF_MATCH_MARK: &str = "x-if-match";

/// The parameters of a path below which a case lies. What is there can lie behind the caller, who then states a reason in `X-Access-Reason`.
const CASE_PARAMETERS: &[&str] = &[
    "{referral_id}",
    "{client_id}",
    "{assignment_id}",
    "{support_period_id}",
    "{goal_id}",
    "{visit_id}",
    "{time_entry_id}",
    "{measure_id}",
    "{feedback_id}",
    "{milestone_id}",
    "{activity_link_id}",
    "{concern_id}",
    "{hour_sheet_id}",
];

/// Lists of cases, and the search.
const CASE_LISTS: &[&str] =
    &["/v1/referrals", "/v1/assignments", "/v1/support-periods", "/v1/visits", "/v1/concerns", "/v1/clients/search"];

const SCHEMA_REF: &str = "#/components/schemas/";
const PARAMETER_REF: &str = "#/components/parameters/";

/// The groups of operations, in the order of the work.
const TAGS: &[(&str, &str)] = &[
    ("authorisation", "Getting an access token, and the keys to check one."),
    ("code-lists", "The closed lists of codes with their labels in six languages. Start here to fill the choices of a form."),
    ("municipalities", "The municipalities of Finland."),
    ("programmes", "Programmes: where the model is run, with which limits."),
    ("organisations", "Organisations that refer, employ link workers or arrange activities."),
    ("users", "People who sign in."),
    ("role-assignments", "Who may do what, where and until when."),
    ("api-clients", "Machines that sign in: patient systems that push referrals."),
    ("referrals", "Wellbeing referrals, from the draft to the end."),
    ("public", "The open intake without signing in."),
    ("consents", "Consents of the client and their withdrawal."),
    ("consent-texts", "What clients are asked to agree to, word for word, in each language."),
    ("clients", "The people whom referrals are about."),
    ("assignments", "Proposing a link worker, and the answer."),
    ("support-periods", "The fixed-term work of client and link worker: goals, activities, pauses, the end."),
    ("visits", "Contacts of client and worker."),
    ("time-entries", "Coordinators' time on referrals."),
    ("measures", "Questionnaires at the start, the end and afterwards."),
    ("feedback", "What client, referrer and link worker say, and what a referrer is told at milestones."),
    ("link-workers", "Trained companions: contracts, absences, trainings."),
    ("concerns", "What must be, or may be, reported about a client, and where."),
    ("handovers", "Cases that pass from one coordinator or link worker to another."),
    ("hour-sheets", "Hours, kilometres and fees of a month."),
    ("activities", "The directory of activities that clients are guided to."),
    ("me", "What a client sees and does about themself."),
    ("capacity", "Who has room for whom."),
    ("reports", "Statistics, with small cells hidden."),
    ("webhooks", "Telling other systems what happened."),
    ("audit", "Who has read and changed what about whom."),
    ("data-requests", "The rights of the client to their data."),
    ("health", "Whether the server lives and is ready."),
];

const DESCRIPTION: &str = "\
Backend of the wellbeing referral (hyvinvointilähete): a client is referred from health and social services, or by anybody else, to a \
link worker who walks beside them for a while, to activities near their home.

**Conventions.** Every answer from 400 up is `application/problem+json` with a stable `code`; all codes stand at `/problems`. Changes of an \
existing resource need `If-Match` with the `ETag` that was read. Every `POST` takes an `Idempotency-Key`: the same key with the same body gives \
the first answer again and does nothing. Lists are paged by `page.next`. Times are RFC 3339 in UTC, dates `YYYY-MM-DD`, money and scores \
decimal strings. Lists of codes may grow: take an unknown code in an answer as \"other\".";

/// Problem answers by status: the name of the component, the code in the example.
const PROBLEMS: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "malformed_request"),
    (401, "Unauthorized", "unauthenticated"),
    (403, "Forbidden", "forbidden"),
    (404, "NotFound", "not_found"),
    (406, "NotAcceptable", "not_acceptable"),
    (408, "RequestTimeout", "request_timeout"),
    (409, "Conflict", "idempotency_in_progress"),
    (412, "PreconditionFailed", "stale_version"),
    (413, "ContentTooLarge", "too_large"),
    (415, "UnsupportedMediaType", "unsupported_media_type"),
    (422, "UnprocessableContent", "invalid"),
    (428, "PreconditionRequired", "precondition_required"),
    (429, "TooManyRequests", "rate_limited"),
    (500, "InternalServerError", "internal"),
    (503, "ServiceUnavailable", "unavailable"),
    (507, "InsufficientStorage", "storage_full"),
];

/// The document as it is checked in: without the address of a server.
#[must_use]
pub fn api_document() -> OpenApi {
    let mut document = described(crate::rooms::configure);
    finish(&mut document);
    document
}

/// The document as a server gives it: the checked-in one. In demo mode it has a paragraph more, and its examples are moved to today: what is to be
/// tried out must not lie in the past some day.
#[must_use]
pub fn served_document(demo: Option<(&str, NaiveDate)>) -> OpenApi {
    let mut document = api_document();
    let Some((addition, today)) = demo else { return document };
    if let Some(description) = &mut document.info.description {
        description.push_str("\n\n");
        description.push_str(addition);
    }
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations_mut(item) {
            let Some(RefOr::T(body)) = &mut operation.request_body else { continue };
            for content in body.content.values_mut() {
                if let RefOr::T(content) = content
                    && let Some(example) = &mut content.example
                {
                    examples::move_to(example, today);
                }
            }
        }
    }
    document
}

fn finish(document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title("Lahete")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("EUPL-1.2").identifier(Some("EUPL-1.2")).build()))
        .build();
    document.servers = Some(vec![ServerBuilder::new().url("/").description(Some("The server that gave this document")).build()]);
    document.security = Some(vec![SecurityRequirement::new("bearer", none()), SecurityRequirement::new("oauth2", none())]);

    let mut components = document.components.take().unwrap_or_default();
    let mut named: Vec<_> = std::mem::take(&mut components.schemas).into_iter().collect();
    named.push(("Problem".into(), ProblemView::schema()));
    named.push(("Fault".into(), FaultView::schema()));
    named.extend(code_schemas());
    let inline = inline_schemas(&named);
    components.schemas = simplified_schemas(named);
    let examples: BTreeMap<_, _> =
        components.schemas.iter().filter_map(|(name, schema)| example_of(schema).map(|example| (name.clone(), example))).collect();
    add_components(&mut components);

    let mut used_tags = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            used_tags.extend(operation.tags.iter().flatten().cloned());
            finish_operation(path, method, operation, &inline, &examples);
        }
    }
    document.tags = Some(
        TAGS.iter()
            .filter(|(name, _)| used_tags.contains(*name))
            .map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build())
            .collect(),
    );
    document.components = Some(components);
    add_links(document);
    drop_unused(document);
}

/// Leads from each answer 201 to the operations that what was made can be used in.
fn add_links(document: &mut OpenApi) {
    let Some(components) = &document.components else { return };
    let mut targets: Vec<(String, String, Vec<String>)> = Vec::new();
    for (path, item) in &mut document.paths.paths {
        let names: Vec<String> = path_parameters(path).map(str::to_owned).collect();
        for (_, operation) in operations_mut(item) {
            targets.push((
                operation.operation_id.clone().unwrap_or_default(),
                operation.summary.clone().unwrap_or_default(),
                names.clone(),
            ));
        }
    }
    for (path, item) in &mut document.paths.paths {
        for (_, operation) in operations_mut(item) {
            let Some(RefOr::T(created)) = operation.responses.responses.get_mut("201") else { continue };
            if !tells_its_id(created, components) {
                continue;
            }
            let thing = operation.operation_id.as_deref().and_then(|id| id.rsplit_once('_')).map_or("", |(thing, _)| thing);
            let id = format!("{thing}_id");
            for (target, summary, parameters) in &targets {
                let others = || parameters.iter().filter(|name| **name != id);
                if parameters.contains(&id) && others().all(|name| path_parameters(path).any(|own| own == name)) {
                    created.links.insert(target.clone(), link(target, summary, &id, others()).into());
                }
            }
        }
    }
}

/// The names in the braces of a path.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// Whether the body of an answer has a member `id`.
fn tells_its_id(response: &utoipa::openapi::Response, components: &Components) -> bool {
    fn has_id(schema: &RefOr<Schema>, components: &Components) -> bool {
        match schema {
            RefOr::Ref(to) => to
                .ref_location
                .strip_prefix(SCHEMA_REF)
                .and_then(|name| components.schemas.get(name))
                .is_some_and(|schema| has_id(schema, components)),
            RefOr::T(Schema::Object(object)) => object.properties.contains_key("id"),
            RefOr::T(Schema::AllOf(all_of)) => all_of.items.iter().any(|item| has_id(item, components)),
            RefOr::T(_) => false,
        }
    }
    response.content.values().any(|content| match content {
        RefOr::T(content) => content.schema.as_ref().is_some_and(|schema| has_id(schema, components)),
        RefOr::Ref(_) => false,
    })
}

fn link<'a>(target: &str, summary: &str, id: &str, others: impl Iterator<Item = &'a String>) -> Link {
    let link = LinkBuilder::new().operation_id(target).description(summary).parameter(id, "$response.body#/id");
    others.fold(link, |link, name| link.parameter(name, format!("$request.path.{name}"))).build()
}

fn none() -> [String; 0] {
    []
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [("GET", &mut item.get), ("PUT", &mut item.put), ("POST", &mut item.post), ("DELETE", &mut item.delete), ("PATCH", &mut item.patch)]
        .into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn add_components(components: &mut Components) {
    for (status, name, code) in PROBLEMS {
        let description = problem::title(code, lahete_domain::codes::Language::English).unwrap_or(name);
        let content =
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(Some(problem_example(*status, code))).build();
        let mut response = ResponseBuilder::new()
            .description(format!("{description}."))
            .content(PROBLEM_JSON, content)
            .header_ref("X-Request-Id", Ref::new("#/components/headers/XRequestId"));
        if matches!(status, 429 | 503) {
            response = response.header_ref("Retry-After", Ref::new("#/components/headers/RetryAfter"));
        }
        if *status == 401 {
            response = response.header_ref("WWW-Authenticate", Ref::new("#/components/headers/WwwAuthenticate"));
        }
        components.responses.insert((*name).to_owned(), response.build().into());
    }
    for (name, description, schema) in [
        ("XRequestId", "Names this call in our log, in the audit trail and in a problem.", text(64)),
        ("ETag", "The version of the resource, for `If-Match` and `If-None-Match`.", text(40)),
        ("Location", "Path of what was made.", text(300)),
        ("Link", "The next page, as in `page.next`.", text(2100)),
        ("RetryAfter", "Seconds to wait before the next try.", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build()),
        ("WwwAuthenticate", "How to sign in.", text(200)),
        ("IdempotentReplayed", "`true` when this is the stored answer to an earlier request with the same key.", text(4)),
    ] {
        components.headers.insert(name.to_owned(), header(description, schema).into());
    }
    for parameter in [
        header_parameter(
            "Accept-Language",
            Required::False,
            "Language of titles and labels: fi, sv, en, se, smn or sms; Finnish when none of them is wanted.",
            text(200),
            json!("fi"),
        ),
        header_parameter(
            "Idempotency-Key",
            Required::False,
            "A new value for each new request, the same for each repetition of it. Answers are kept for at least 24 hours.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(idempotency_key::KEY_MAX))
                .pattern(Some(idempotency_key::KEY_PATTERN))
                .build(),
            json!("5d2f9a0e-referral-1"),
        ),
        header_parameter(
            "If-None-Match",
            Required::False,
            "An `ETag` that is known already: then the answer is 304.",
            text(200),
            json!("\"1\""),
        ),
        header_parameter(
            "X-Access-Reason",
            Required::False,
            "Why data is read outside one's own relation to the case: needed by a coordinator when the case ended more than 30 days ago (403 \
             `access_reason_required` without it; lists then leave out what tells about the client), and to lift a non-disclosure. It is kept in the \
             audit trail, and the privacy officer and the client see it.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(200))
                .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
                .build(),
            json!("Complaint 2026-11"),
        ),
    ] {
        components.parameters.insert(component_name(&parameter.name), parameter.into());
    }
    components.security_schemes.insert(
        "bearer".into(),
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("An access token (RFC 9068) of this server or of a trusted issuer."))
                .build(),
        )
        .into(),
    );
    components.security_schemes.insert(
        "oauth2".into(),
        SecurityScheme::OAuth2(OAuth2::with_description(
            [
                Flow::ClientCredentials(ClientCredentials::new("/oauth/token", Scopes::new())),
                Flow::Password(Password::new("/oauth/token", Scopes::new())),
            ],
            "Tokens from this server: client credentials for machines, proved by a signed assertion or a secret; a password for the demo accounts, in \
             demo mode alone. People sign in at the issuers that the server trusts.",
        ))
        .into(),
    );
}

fn component_name(header: &str) -> String {
    header.replace('-', "")
}

fn text(max: usize) -> utoipa::openapi::Object {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).build()
}

fn header(description: &str, schema: utoipa::openapi::Object) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn header_parameter(name: &str, required: Required, description: &str, schema: utoipa::openapi::Object, example: Value) -> Parameter {
    let mut schema = schema;
    schema.examples = vec![example];
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn if_match_parameter(example: &str) -> Parameter {
    ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("The `ETag` of the version that the change is meant for."))
        .example(Some(json!(example)))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .max_length(Some(40))
                .pattern(Some("^\"[1-9][0-9]{0,17}(;[a-z]{2,16})?\"$"))
                .build(),
        ))
        .build()
}

fn problem_example(status: u16, code: &str) -> Value {
    let title = problem::title(code, lahete_domain::codes::Language::English).unwrap_or(code);
    let mut example = json!({
        "type": format!("http://127.0.0.1:8080/problems/{code}"),
        "title": title,
        "status": status,
        "detail": problem_catalogue::find(code).map_or("", |kind| kind.explanation_en.as_str()),
        "instance": "/v1/referrals",
        "code": code,
        "request_id": "01939a5c-7a10-7000-8000-00000000aaaa",
    });
    if let (422, Some(members)) = (status, example.as_object_mut()) {
        let fault = json!({"pointer": "/client/given_names", "code": "required", "detail": "This member is required."});
        members.insert("errors".into(), json!([fault]));
    }
    example
}

struct Traits {
    below_v1: bool,
    open: bool,
    change: bool,
    body: bool,
    path_parameters: bool,
    if_match: bool,
    access_reason: bool,
}

impl Traits {
    fn of(path: &str, method: &str, operation: &mut Operation) -> Self {
        let mut take_mark = |name: &str| operation.extensions.as_mut().is_some_and(|marks| marks.remove(name).is_some());
        let marked = take_mark(IF_MATCH_MARK);
        if operation.extensions.as_ref().is_some_and(|marks| marks.is_empty()) {
            operation.extensions = None;
        }
        // `security(())` in a declaration means "open"; utoipa writes it as a list with one empty requirement.
        let open = operation.security.as_ref().is_some_and(|list| list.iter().all(|one| *one == SecurityRequirement::default()));
        if open {
            operation.security = Some(Vec::new());
        }
        Self {
            below_v1: path.starts_with("/v1/"),
            open,
            change: method != "GET",
            body: operation.request_body.is_some(),
            path_parameters: path.contains('{'),
            if_match: marked || matches!(method, "PUT" | "PATCH" | "DELETE"),
            access_reason: CASE_PARAMETERS.iter().any(|parameter| path.contains(parameter))
                || (CASE_LISTS.contains(&path) && operation.operation_id.as_deref() != Some("referral_create")),
        }
    }

    /// Which problems an operation can give.
    fn statuses(&self, method: &str) -> BTreeSet<u16> {
        let mut statuses = BTreeSet::from([400, 406, 429, 500, 503]);
        if !self.open {
            statuses.extend([401, 403, 404]);
        }
        // What a body names may be missing as well as what a path names.
        if self.path_parameters || (self.below_v1 && self.body) {
            statuses.insert(404);
        }
        if self.body {
            statuses.extend([408, 413, 415]);
            // The token endpoint keeps to RFC 6749, where a bad form is 400 and a wrong secret 401.
            statuses.insert(if self.below_v1 { 422 } else { 401 });
        }
        if self.below_v1 && self.change {
            statuses.extend([409, 507]);
        }
        if self.below_v1 && method == "POST" {
            statuses.insert(422);
        }
        if self.if_match {
            statuses.extend([412, 428]);
        }
        statuses
    }
}

fn finish_operation(
    path: &str,
    method: &str,
    operation: &mut Operation,
    inline: &BTreeMap<String, RefOr<Schema>>,
    told: &BTreeMap<String, Value>,
) {
    let traits = Traits::of(path, method, operation);
    if operation.description.as_ref().is_none_or(String::is_empty) {
        operation.description.clone_from(&operation.summary);
    }
    let id = operation.operation_id.clone().unwrap_or_default();

    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if let Some(schema) = &mut parameter.schema {
            simplify(schema, inline);
        }
        if let (ParameterIn::Path, Some(example)) = (&parameter.parameter_in, examples::path_example(&id, &parameter.name)) {
            *parameter = ParameterBuilder::from(parameter.clone()).example(Some(Value::String(example))).build();
        }
    }
    let mut wanted = Vec::new();
    if traits.below_v1 {
        wanted.push("AcceptLanguage");
    }
    if traits.below_v1 && method == "POST" {
        wanted.push("IdempotencyKey");
    }
    if traits.below_v1 && method == "GET" && traits.path_parameters && !answers_list(operation) {
        wanted.push("IfNoneMatch");
        let known = ResponseBuilder::new()
            .description("The version named in If-None-Match is still the present one.")
            .header_ref("X-Request-Id", Ref::new("#/components/headers/XRequestId"))
            .header_ref("ETag", Ref::new("#/components/headers/ETag"));
        operation.responses.responses.entry("304".into()).or_insert_with(|| known.build().into());
    }
    if traits.access_reason {
        wanted.push("XAccessReason");
    }
    if traits.if_match {
        // Written out in place of a reference: each operation is tried out on a version of its own.
        let parameter = if_match_parameter(&examples::version_example(&id));
        operation.parameters.get_or_insert_with(Vec::new).push(parameter.into());
    }
    if !wanted.is_empty() {
        operation
            .parameters
            .get_or_insert_with(Vec::new)
            .extend(wanted.iter().map(|name| RefOr::Ref(Ref::new(format!("#/components/parameters/{name}")))));
    }

    if let Some(RefOr::T(body)) = &mut operation.request_body {
        if body.description.as_ref().is_none_or(String::is_empty) {
            body.description = operation.summary.clone();
        }
        let replaced = if method == "PATCH" { body.content.remove("application/json") } else { None };
        if let Some(content) = replaced {
            body.content.insert("application/merge-patch+json".into(), content);
        }
        for content in body.content.values_mut() {
            finish_content(content, inline, told);
        }
    }

    let list = answers_list(operation);
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let mut headers = vec![("X-Request-Id", "XRequestId")];
        let good = status.starts_with('2');
        let single = good && !list && !response.content.is_empty() && traits.below_v1;
        if single && (traits.path_parameters || status == "201") {
            headers.push(("ETag", "ETag"));
        }
        if status == "201" {
            headers.push(("Location", "Location"));
        }
        if good && list {
            headers.push(("Link", "Link"));
        }
        if good && traits.below_v1 && method == "POST" {
            headers.push(("Idempotent-Replayed", "IdempotentReplayed"));
        }
        for (name, component) in headers {
            response.headers.entry(name.to_owned()).or_insert_with(|| RefOr::Ref(Ref::new(format!("#/components/headers/{component}"))));
        }
        for content in response.content.values_mut() {
            finish_content(content, inline, told);
        }
    }
    for status in traits.statuses(method) {
        if let Some((_, name, _)) = PROBLEMS.iter().find(|(known, ..)| *known == status) {
            operation
                .responses
                .responses
                .entry(status.to_string())
                .or_insert_with(|| RefOr::Ref(Ref::new(format!("#/components/responses/{name}"))));
        }
    }
}

fn finish_content(content: &mut RefOr<utoipa::openapi::Content>, inline: &BTreeMap<String, RefOr<Schema>>, told: &BTreeMap<String, Value>) {
    let RefOr::T(content) = content else { return };
    if let Some(schema) = &mut content.schema {
        simplify(schema, inline);
    }
    if content.example.is_none() && content.examples.is_empty() {
        content.example = match &content.schema {
            Some(RefOr::Ref(to)) => to.ref_location.strip_prefix(SCHEMA_REF).and_then(|name| example_by_name(name, told)),
            Some(RefOr::T(Schema::Array(array))) => match &array.items {
                ArrayItems::RefOrSchema(item) => match item.as_ref() {
                    RefOr::Ref(to) => {
                        to.ref_location.strip_prefix(SCHEMA_REF).and_then(|name| told.get(name)).map(|example| json!([example]))
                    }
                    RefOr::T(_) => None,
                },
                ArrayItems::False => None,
            },
            _ => None,
        };
    }
}

fn example_by_name(name: &str, told: &BTreeMap<String, Value>) -> Option<Value> {
    told.get(name).cloned().or_else(|| {
        let item = told.get(name.strip_prefix("ListView_")?)?;
        Some(json!({"items": [item], "page": {"next": null, "limit": 50}}))
    })
}

fn example_of(schema: &RefOr<Schema>) -> Option<Value> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.example.clone().or_else(|| object.examples.first().cloned()),
        RefOr::T(Schema::OneOf(one_of)) => one_of.example.clone(),
        RefOr::T(Schema::AllOf(all_of)) => all_of.example.clone(),
        _ => None,
    }
}

fn answers_list(operation: &Operation) -> bool {
    operation.responses.responses.values().any(|response| match response {
        RefOr::T(response) => response.content.values().any(|content| match content {
            RefOr::T(content) => match &content.schema {
                Some(RefOr::Ref(to)) => to.ref_location.contains("/ListView_"),
                _ => false,
            },
            RefOr::Ref(_) => false,
        }),
        RefOr::Ref(_) => false,
    })
}

/// The schemas that are written out where they are used.
fn inline_schemas(named: &[(String, RefOr<Schema>)]) -> BTreeMap<String, RefOr<Schema>> {
    named.iter().filter(|(name, _)| name.starts_with(INLINE_PREFIX)).cloned().collect()
}

/// Named schemas with the small ones written out in place, and "null or a simple type" as one schema in place of a choice of two.
#[must_use]
pub fn simplified_schemas(named: Vec<(String, RefOr<Schema>)>) -> BTreeMap<String, RefOr<Schema>> {
    let inline = inline_schemas(&named);
    named
        .into_iter()
        .filter(|(name, _)| !name.starts_with(INLINE_PREFIX))
        .map(|(name, mut schema)| {
            simplify(&mut schema, &inline);
            (name, schema)
        })
        .collect()
}

fn simplify(schema: &mut RefOr<Schema>, inline: &BTreeMap<String, RefOr<Schema>>) {
    if let RefOr::Ref(to) = schema {
        let Some(name) = to.ref_location.strip_prefix(SCHEMA_REF) else { return };
        let Some(mut found) = inline.get(name).cloned().or_else(|| inline_schema(name)) else { return };
        if !to.description.is_empty() {
            describe(&mut found, &to.description);
        }
        *schema = found;
    }
    let RefOr::T(inner) = schema else { return };
    match inner {
        Schema::Object(object) => {
            for property in object.properties.values_mut() {
                simplify(property, inline);
            }
            if let Some(AdditionalProperties::RefOr(other)) = object.additional_properties.as_deref_mut() {
                simplify(other, inline);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                simplify(items, inline);
            }
        }
        Schema::OneOf(one_of) => {
            one_of.items.iter_mut().for_each(|item| simplify(item, inline));
            // What is said of the member belongs to the member, not to one of its choices.
            if one_of.description.is_none() {
                one_of.description = one_of.items.iter_mut().find_map(|item| match item {
                    RefOr::Ref(to) if !to.description.is_empty() => Some(std::mem::take(&mut to.description)),
                    _ => None,
                });
            }
            if let Some(nullable) = nullable(&one_of.items, one_of.description.as_deref()) {
                *schema = nullable;
            } else if one_of.description.is_none() {
                one_of.description = hoisted_description(&mut one_of.items);
            }
        }
        Schema::AllOf(all_of) => all_of.items.iter_mut().for_each(|item| simplify(item, inline)),
        Schema::AnyOf(any_of) => any_of.items.iter_mut().for_each(|item| simplify(item, inline)),
        _ => {}
    }
}

/// "Null or a named thing": utoipa describes the reference, but the description is that of the member.
fn hoisted_description(items: &mut [RefOr<Schema>]) -> Option<String> {
    match items {
        [RefOr::Ref(to), other] | [other, RefOr::Ref(to)] if is_null(other) && !to.description.is_empty() => {
            Some(std::mem::take(&mut to.description))
        }
        _ => None,
    }
}

fn describe(schema: &mut RefOr<Schema>, text: &str) {
    if let RefOr::Ref(to) = schema {
        text.clone_into(&mut to.description);
        return;
    }
    let text = Some(text.to_owned());
    match schema {
        RefOr::T(Schema::Object(object)) => object.description = text,
        RefOr::T(Schema::Array(array)) => array.description = text,
        RefOr::T(Schema::OneOf(one_of)) => one_of.description = text,
        RefOr::T(Schema::AllOf(all_of)) => all_of.description = text,
        RefOr::T(Schema::AnyOf(any_of)) => any_of.description = text,
        _ => {}
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

/// `oneOf: [null, string]` as `type: [string, null]`.
fn nullable(items: &[RefOr<Schema>], description: Option<&str>) -> Option<RefOr<Schema>> {
    let [first, second] = items else { return None };
    let other = match (is_null(first), is_null(second)) {
        (true, false) => second,
        (false, true) => first,
        _ => return None,
    };
    let with_null = |kind: &SchemaType| match kind {
        SchemaType::Type(one) => Some(SchemaType::Array(vec![one.clone(), Type::Null])),
        SchemaType::Array(_) | SchemaType::AnyValue => None,
    };
    let mut result = other.clone();
    match &mut result {
        RefOr::T(Schema::Object(object)) if object.properties.is_empty() => {
            object.schema_type = with_null(&object.schema_type)?;
            if let Some(values) = &mut object.enum_values {
                values.push(Value::Null);
            }
        }
        RefOr::T(Schema::Array(array)) => array.schema_type = with_null(&array.schema_type)?,
        _ => return None,
    }
    if let Some(text) = description {
        describe(&mut result, text);
    }
    Some(result)
}

/// Takes out schemas and parameters that nothing leads to.
fn drop_unused(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    let mut open = Vec::new();
    // One path after the other: nobody needs all of them as values at once.
    document.paths.paths.values().for_each(|item| collect_references(item, &mut open));
    let parameters: BTreeSet<_> = open.iter().filter_map(|to| to.strip_prefix(PARAMETER_REF)).map(str::to_owned).collect();
    components.parameters.retain(|name, _| parameters.contains(name));
    components.responses.values().for_each(|response| collect_references(response, &mut open));
    components.parameters.values().for_each(|parameter| collect_references(parameter, &mut open));
    let mut used = BTreeSet::new();
    while let Some(to) = open.pop() {
        if let Some(name) = to.strip_prefix(SCHEMA_REF)
            && let Some(schema) = components.schemas.get(name)
            && used.insert(name.to_owned())
        {
            collect_references(schema, &mut open);
        }
    }
    components.schemas.retain(|name, _| used.contains(name));
}

/// What a part of the document leads to.
fn collect_references(part: &impl Serialize, found: &mut Vec<String>) {
    fn collect(value: Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.into_iter().for_each(|(name, member)| match member {
                Value::String(to) if name == "$ref" => found.push(to),
                member => collect(member, found),
            }),
            Value::Array(items) => items.into_iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    collect(serde_json::to_value(part).unwrap_or_default(), found);
}

/// Which form of the document is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DocumentFormat {
    /// YAML, as checked in.
    Yaml,
    /// JSON.
    Json,
}

/// Writes a document.
///
/// # Errors
/// When it cannot be written, which a test rules out.
pub fn write_document(document: &OpenApi, format: DocumentFormat) -> Result<String, String> {
    match format {
        DocumentFormat::Yaml => document.to_yaml().map_err(|error| error.to_string()),
        DocumentFormat::Json => document.to_pretty_json().map(|text| text + "\n").map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        serde_json::to_value(api_document()).expect("JSON")
    }

    fn each_operation(document: &Value, mut check: impl FnMut(&str, &Value)) {
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("an item") {
                check(&format!("{method} {path}"), operation);
            }
        }
    }

    #[test]
    fn every_operation_says_what_it_does() {
        let document = document();
        let tags: Vec<_> = TAGS.iter().map(|(name, _)| *name).collect();
        let mut ids = BTreeSet::new();
        each_operation(&document, |place, operation| {
            assert!(ids.insert(operation["operationId"].as_str().expect(place).to_owned()), "{place}: id stands twice");
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{place}");
            assert!(tags.contains(&operation["tags"][0].as_str().expect(place)), "{place}: unknown tag");
            for member in ["summary", "description"] {
                assert!(operation[member].as_str().is_some_and(|text| !text.is_empty()), "{place}: {member}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|p| p.get("$ref").is_none()) {
                assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}: {parameter}");
            }
            for (status, response) in operation["responses"].as_object().expect(place) {
                let described = response.get("$ref").is_some() || response["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(described, "{place} {status}");
            }
        });
    }

    #[test]
    fn every_member_is_described_and_no_helper_schema_is_left() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
            assert!(!name.starts_with(INLINE_PREFIX), "{name}");
            assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()) || name.starts_with("ListView_"), "{name}");
            for (member, property) in schema["properties"].as_object().into_iter().flatten() {
                assert!(
                    property.get("$ref").is_some() || property["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{name}.{member}"
                );
            }
        }
        let text = document.to_string();
        assert!(!text.contains("schemas/Inline"));
        assert!(!text.contains("\"description\":\"\""));
        assert!(!text.contains(IF_MATCH_MARK));
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(root: &Value, value: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(to) = members.get("$ref").and_then(Value::as_str) {
                        assert!(root.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                    }
                    members.values().for_each(|member| walk(root, member));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(root, item)),
                _ => {}
            }
        }
        let document = document();
        walk(&document, &document);
    }

    #[test]
    fn the_document_is_the_same_each_time() {
        let write = || write_document(&api_document(), DocumentFormat::Yaml).expect("YAML");
        assert_eq!(write(), write());
    }
}
