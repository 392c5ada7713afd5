//! Cases in a state, made through HTTP by the people whose steps lead there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{Caller, text};

/// The identity code of the client, made up like everything here.
pub const CLIENT_CODE: &str = "070542-902F";

/// Who wrote a referral.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    Referrer,
    Machine,
    Client,
    Anonymous,
}

impl Origin {
    pub fn name(self) -> &'static str {
        match self {
            Self::Referrer => "written by referrer",
            Self::Machine => "pushed by machine",
            Self::Client => "written by client",
            Self::Anonymous => "sent by nobody",
        }
    }
}

/// How far a case has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// No case at all, but things of the programme.
    Settings,
    Draft,
    Submitted,
    InReview,
    AskedReferrer,
    AskedClient,
    Deferred,
    /// Proposed to the first link worker.
    Proposed,
    Assigned,
    /// With a goal, a planned visit, a measure and a linked activity.
    InSupport,
    /// As the one before, but no visit is still to come.
    NothingPlanned,
    Paused,
    /// In support, and the link worker has handed their hour sheet in.
    HoursSubmitted,
    /// In support, and the link worker's hour sheet was approved.
    HoursApproved,
    Closed,
    /// In review, about somebody whom the tests know from nowhere else and who does not sign in.
    Stranger,
    /// A stranger whose data are restricted; that the restriction ends was decided.
    Restricted,
    /// A stranger under a legal hold.
    Held,
    /// The client has asked about their data.
    Asked,
    /// The privacy officer works on it.
    Handled,
    /// The client can fetch what they asked for.
    Fulfilled,
    /// In support, with a concern that the client may see.
    Released,
}

impl Stage {
    /// Whether the case is about somebody else than the client of the own programme.
    pub fn is_strangers(self) -> bool {
        matches!(self, Self::Stranger | Self::Restricted | Self::Held)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::InReview => "in_review",
            Self::AskedReferrer => "awaiting referrer",
            Self::AskedClient => "awaiting client",
            Self::Deferred => "deferred",
            Self::Proposed => "proposed",
            Self::Assigned => "assigned",
            Self::InSupport => "in_support",
            Self::NothingPlanned => "in_support, nothing planned",
            Self::Paused => "paused",
            Self::HoursSubmitted => "hours submitted",
            Self::HoursApproved => "hours approved",
            Self::Closed => "closed",
            Self::Stranger => "in_review, a stranger",
            Self::Restricted => "a stranger, restricted",
            Self::Held => "a stranger, held",
            Self::Asked => "data request received",
            Self::Handled => "data request in progress",
            Self::Fulfilled => "data request fulfilled",
            Self::Released => "concern released",
        }
    }
}

/// What was made: ids by the names that paths use, and present versions.
#[derive(Clone, Debug)]
pub struct Built {
    ids: BTreeMap<String, String>,
    versions: BTreeMap<String, i64>,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

pub fn number() -> usize {
    COUNT.fetch_add(1, Ordering::SeqCst)
}

/// A complete referral about the client of the own programme.
pub fn about_the_client() -> Value {
    let mut body = super::referrals::complete();
    body["client"]["personal_identity_code"] = json!(CLIENT_CODE);
    body
}

/// What somebody without a sign-in sends.
pub fn anonymous_referral() -> Value {
    json!({
        "client": {"given_name": "Eino", "family_name": "Esimerkki", "birth_year": 1950, "municipality": "758", "phone": "+358 40 555 0103"},
        "referrer": {"sector": "parish", "name": "Diakoni Dora"}, "reasons": ["loneliness"], "not_a_service_acknowledged": true,
        "consent": {"purposes": ["process_referral", "share_with_link_worker"], "text_version": "2026-1", "language": "fi"}
    })
}

/// The body that starts the support; a minute is enough, since the client's month is shared by all cases of a test.
pub fn start_of_support() -> Value {
    json!({
        "starts_on": "2026-11-22", "planned_end_on": "2027-02-22",
        "first_visit": {"on": "2026-11-22", "minutes": 1, "mode": "home_visit", "note": "Juttelimme kahvin ääressä."},
        "start_measure": {"missing_reason": "not_asked"}
    })
}

/// Words of an instrument in a language in which nobody has loaded them yet.
pub fn words_of_esis(programme: &str) -> Value {
    let items: Vec<Value> = (1..=10).map(|place| json!({"key": format!("statement_{place}"), "text": "(Väite)"})).collect();
    json!({
        "programme_id": programme, "language": format!("fi-{:06}", number()), "items": items, "licence_ref": "Lupa", "text_source": "Lomake"
    })
}

/// Ties the client's sign-in to the client, and gives the link workers room for many cases.
pub fn prepare(app: &TestApp) {
    let people = app.world.own;
    let coordinator = app.user(people.coordinator);
    let sent = app.user(people.referrer).post("/v1/referrals").json(about_the_client()).send().expect(201);
    let path = format!("/v1/clients/{}", text(&sent["client"], "id"));
    let version = coordinator.get(&path).send().version();
    let body = json!({"user_id": people.client.to_string()});
    coordinator.post(&format!("{path}/link-user")).if_match(version).json(body).send().expect(200);
    withdraw(app, &text(&sent, "id"));
    for worker in [people.worker, people.other_worker] {
        let path = format!("/v1/link-workers/{worker}");
        let version = coordinator.get(&path).send().header("etag").unwrap().to_owned();
        let reply = coordinator.patch(&path).header("if-match", version).json(json!({"max_clients": 20, "hours_per_month": 160})).send();
        reply.expect(200);
    }
}

fn withdraw(app: &TestApp, referral: &str) {
    let coordinator = app.user(app.world.own.coordinator);
    let path = format!("/v1/referrals/{referral}");
    let found = coordinator.get(&path).send();
    if found.status == 200 && !matches!(found.json()["state"].as_str(), Some("closed" | "entered_in_error")) {
        let version = found.version();
        coordinator.post(&format!("{path}/withdraw")).if_match(version).json(json!({})).send().expect(200);
    }
}

impl Built {
    pub fn id(&self, name: &str) -> &str {
        self.ids.get(name).unwrap_or_else(|| panic!("nothing called {name} was made"))
    }

    pub fn version(&self, name: &str) -> i64 {
        *self.versions.get(name).unwrap_or_else(|| panic!("no version of {name}"))
    }

    /// Takes another id for something.
    pub fn set(&mut self, name: &str, id: &str) {
        self.ids.insert(name.to_owned(), id.to_owned());
    }

    /// What belongs to the case or the programme, by name.
    pub fn ids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ids.iter().map(|(name, id)| (name.as_str(), id.as_str()))
    }

    /// Takes over what another case has and this one has not.
    pub fn add(&mut self, other: &Self) {
        for (name, id) in &other.ids {
            self.ids.entry(name.clone()).or_insert_with(|| id.clone());
        }
    }

    fn keep(&mut self, name: &str, value: &Value) {
        self.ids.insert(name.to_owned(), text(value, "id"));
    }

    fn look_up(&mut self, caller: &Caller<'_>, name: &str, path: &str) -> Value {
        let reply = caller.get(&format!("{path}/{}", self.id(name))).send();
        if let Some(etag) = reply.header("etag") {
            let tag = etag.trim_matches('"');
            let version = tag.split_once(|c: char| !c.is_ascii_digit()).map_or(tag, |(version, _)| version);
            self.versions.insert(name.to_owned(), version.parse().unwrap());
        }
        reply.expect(200)
    }

    /// Makes a case.
    pub fn new(app: &TestApp, origin: Origin, stage: Stage) -> Self {
        let mut body = about_the_client();
        if stage.is_strangers() {
            body["client"]["given_name"] = json!("Outi");
            body["client"].as_object_mut().unwrap().remove("personal_identity_code");
        }
        Self::of(app, body, origin, stage)
    }

    /// Makes a case of a referral as it is written here.
    pub fn of(app: &TestApp, body: Value, origin: Origin, stage: Stage) -> Self {
        let people = app.world.own;
        let mut built = Self { ids: BTreeMap::new(), versions: BTreeMap::new() };
        for (name, id) in [
            ("programme_id", people.programme.to_string()),
            ("organisation_id", people.organisation.to_string()),
            ("link_worker_id", people.worker.to_string()),
            ("other_worker", people.other_worker.to_string()),
            ("activity_id", people.activity.to_string()),
            ("other_activity", people.other_activity.to_string()),
            ("client_user", people.client.to_string()),
            ("machine", people.machine.to_string()),
            ("code", "esis".to_owned()),
        ] {
            built.ids.insert(name.to_owned(), id);
        }
        if stage == Stage::Settings {
            built.settings(app);
        } else {
            built.referral(app, body, origin, stage);
        }
        built
    }

    fn settings(&mut self, app: &TestApp) {
        let people = app.world.own;
        let (admin, coordinator) = (app.user(people.admin), app.user(people.coordinator));
        let (programme, number) = (people.programme.to_string(), number());
        self.ids.insert("name".to_owned(), "sectors".to_owned());
        let texts = app.nobody().get(&format!("/v1/consent-texts?programme_id={programme}&language=fi")).send().expect(200);
        self.keep("consent_text_id", &texts["items"][0]);
        let body = json!({"programme_id": programme, "login": format!("uusi-{number}"), "name": "Uusi Henkilö"});
        let user = admin.post("/v1/users").json(body).send().expect(201);
        self.keep("user_id", &user);
        let body = json!({"programme_id": programme, "user_id": text(&user, "id"), "role": "report_reader"});
        let role = admin.post("/v1/role-assignments").json(body).send().expect(201);
        self.keep("role_assignment_id", &role);
        let body = json!({
            "programme_id": programme, "name": "Koe", "source_system": format!("koe-{number}"), "organisation_ids": [people.organisation.to_string()]
        });
        let machine = admin.post("/v1/api-clients").json(body).send().expect(201);
        self.keep("api_client_id", machine.get("api_client").unwrap_or(&machine));
        let users = format!("/v1/users/{}/identities", text(&user, "id"));
        let body = json!({"issuer": "https://id.example", "subject": format!("henkilo-{number}")});
        let identity = admin.post(&users).json(body).send().expect(201);
        self.keep("user_identity_id", &identity);
        let machines = format!("/v1/api-clients/{}", self.id("api_client_id"));
        let body = json!({"issuer": "https://id.example", "subject": format!("jarjestelma-{number}")});
        let identity = admin.post(&format!("{machines}/identities")).json(body).send().expect(201);
        self.keep("api_client_identity_id", &identity);
        let body = json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}});
        let key = admin.post(&format!("{machines}/keys")).json(body).send().expect(201);
        self.keep("api_client_key_id", &key);
        for (name, path) in [
            ("programme_id", "/v1/programmes"),
            ("organisation_id", "/v1/organisations"),
            ("user_id", "/v1/users"),
            ("role_assignment_id", "/v1/role-assignments"),
            ("api_client_id", "/v1/api-clients"),
        ] {
            self.look_up(&admin, name, path);
        }
        self.look_up(&coordinator, "link_worker_id", "/v1/link-workers");
        self.look_up(&coordinator, "activity_id", "/v1/activities");
        self.people(app);
        let mapping = admin.get(&format!("/v1/theme-mappings/{programme}")).send();
        self.versions.insert("theme_mapping".to_owned(), mapping.version());
        let import = crate::support::ptv::finished_import(app);
        self.ids.insert("activity_import_id".to_owned(), import.to_string());
        let words = admin.post("/v1/measure-instruments/esis/texts").json(words_of_esis(&programme)).send().expect(201);
        self.keep("measure_text_id", &words);
        let runs = admin.get("/v1/retention-runs").send().expect(200);
        if runs["items"].as_array().unwrap().is_empty() {
            crate::http::dry_run(app);
        }
        let runs = admin.get("/v1/retention-runs").send().expect(200);
        self.keep("retention_run_id", &runs["items"][0]);
    }

    /// What the coordinator keeps about those who do the work.
    fn people(&mut self, app: &TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        let worker = self.id("link_worker_id").to_owned();
        let body = json!({"from": "2030-07-01", "until": "2030-07-31", "reason": "holiday"});
        let absence = coordinator.post(&format!("/v1/link-workers/{worker}/absences")).json(body).send().expect(201);
        self.keep("absence_id", &absence);
        let body = json!({"from": "2030-07-01", "until": "2030-07-31", "reason": "holiday_season"});
        let programme = self.id("programme_id").to_owned();
        let found = coordinator.post(&format!("/v1/programmes/{programme}/breaks")).json(body).send().expect(201);
        self.keep("programme_break_id", &found);
        for name in ["absence_id", "programme_break_id"] {
            self.versions.insert(name.to_owned(), 1);
        }
        let place = "/v1/concern-guidance?municipality=758&kind=social_care";
        let known = coordinator.get(place).send().expect(200)["items"][0].clone();
        let guidance = if known["national"] == true {
            let body = json!({"programme_id": programme, "municipality": "758", "kind": "social_care", "where": "Sosiaalitoimisto"});
            coordinator.post("/v1/concern-guidance").json(body).send().expect(201)
        } else {
            known
        };
        self.keep("concern_guidance_id", &guidance);
        self.versions.insert("concern_guidance_id".to_owned(), guidance["version"].as_i64().unwrap());
    }

    fn write(&mut self, app: &TestApp, mut body: Value, origin: Origin, submit: bool) {
        let people = app.world.own;
        body["submit"] = json!(submit);
        let sent = match origin {
            Origin::Referrer => app.user(people.referrer).post("/v1/referrals").json(body).send().expect(201),
            Origin::Client => {
                body["referrer"] = Value::Null;
                app.user(people.client).post("/v1/referrals").json(body).send().expect(201)
            }
            Origin::Machine => {
                let key = format!("case-{}", number());
                body["referrer"] = json!({"name": "Lääkäri", "feedback_wanted": true});
                body["source"] = json!({"system": "ehr-own", "id": key});
                app.machine(people.machine).post("/v1/referrals").key(&key).json(body).send().expect(201)
            }
            Origin::Anonymous => {
                let receipt = app.nobody().post("/v1/public/referrals").json(anonymous_referral()).send().expect(201);
                self.ids.insert("tracking_code".to_owned(), text(&receipt, "tracking_code"));
                let list = app.user(people.coordinator).get("/v1/referrals?state=submitted&limit=1").send().expect(200);
                list["items"][0].clone()
            }
        };
        self.keep("referral_id", &sent);
    }

    fn step(&mut self, caller: &Caller<'_>, verb: &str, body: Value) {
        let path = format!("/v1/referrals/{}/{verb}", self.id("referral_id"));
        let reply = caller.post(&path).if_match(self.version("referral_id")).json(body).send();
        let version = reply.version();
        reply.expect(200);
        self.versions.insert("referral_id".to_owned(), version);
    }

    fn referral(&mut self, app: &TestApp, body: Value, origin: Origin, stage: Stage) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        self.write(app, body, origin, stage != Stage::Draft);
        if stage == Stage::Draft {
            let writer = match origin {
                Origin::Client => app.user(people.client),
                Origin::Machine => app.machine(people.machine),
                _ => app.user(people.referrer),
            };
            self.look_up(&writer, "referral_id", "/v1/referrals");
            return;
        }
        let seen = self.look_up(&coordinator, "referral_id", "/v1/referrals");
        self.keep("client_id", &seen["client"]);
        match stage {
            Stage::Settings | Stage::Draft | Stage::Submitted => {}
            _ => self.step(&coordinator, "review", json!({})),
        }
        match stage {
            Stage::AskedReferrer | Stage::AskedClient => {
                let asked = if stage == Stage::AskedClient { "client" } else { "referrer" };
                self.step(&coordinator, "request-information", json!({"recipient": asked, "question": "Missä tapaamme?"}));
            }
            Stage::Deferred => self.step(&coordinator, "defer", json!({"resume_on": "2027-01-10"})),
            Stage::Closed => self.step(&coordinator, "close", json!({"outcome": "redirected", "end_reason": "health_service"})),
            Stage::Proposed
            | Stage::Assigned
            | Stage::InSupport
            | Stage::NothingPlanned
            | Stage::Paused
            | Stage::Released
            | Stage::HoursSubmitted
            | Stage::HoursApproved => self.support(app, stage),
            _ => {}
        }
        let consents = coordinator.get(&format!("/v1/referrals/{}/consents", self.id("referral_id"))).send().expect(200);
        self.keep("consent_id", &consents["items"][0]);
        self.look_up(&coordinator, "referral_id", "/v1/referrals");
        self.look_up(&coordinator, "client_id", "/v1/clients");
        self.rights(app, stage);
    }

    /// What the privacy officer has to do with the case.
    fn rights(&mut self, app: &TestApp, stage: Stage) {
        let officer = app.user(app.world.own.privacy_officer);
        let client = self.id("client_id").to_owned();
        match stage {
            Stage::Restricted => {
                let path = format!("/v1/clients/{client}/restriction");
                officer.post(&path).json(json!({"reason": "Tiedot kiistetään."})).send().expect(201);
                let release = officer.post(&format!("{path}/release")).if_match(1).json(json!({"reason": "Tarkistettu."}));
                release.send().expect(200);
                self.versions.insert("restriction".to_owned(), 2);
                self.ids.insert("restricted_client".to_owned(), client);
            }
            Stage::Held => {
                let hold = officer.post("/v1/legal-holds").json(json!({"client_id": client, "reason": "Kantelu."})).send().expect(201);
                self.keep("legal_hold_id", &hold);
                self.look_up(&officer, "legal_hold_id", "/v1/legal-holds");
            }
            Stage::Asked | Stage::Handled | Stage::Fulfilled => {
                let asked = officer.post("/v1/data-requests").json(json!({"client_id": client, "kind": "access"})).send().expect(201);
                self.keep("data_request_id", &asked);
                let path = format!("/v1/data-requests/{}", self.id("data_request_id"));
                if stage != Stage::Asked {
                    officer.post(&format!("{path}/start")).if_match(1).send().expect(200);
                }
                if stage == Stage::Fulfilled {
                    officer.post(&format!("{path}/fulfil")).if_match(2).json(json!({})).send().expect(200);
                }
                self.look_up(&officer, "data_request_id", "/v1/data-requests");
            }
            _ => {}
        }
    }

    /// The open hour sheet of the link worker, which all cases of a test share; or it is handed in, and the next one is open.
    fn hours(&mut self, app: &TestApp, stage: Stage) {
        let people = app.world.own;
        let (coordinator, worker) = (app.user(people.coordinator), app.user(people.link_worker));
        let open = worker.get("/v1/hour-sheets?state=open&limit=1").send().expect(200);
        self.keep("hour_sheet_id", &open["items"][0]);
        self.look_up(&coordinator, "hour_sheet_id", "/v1/hour-sheets");
        let path = format!("/v1/hour-sheets/{}", self.id("hour_sheet_id"));
        if matches!(stage, Stage::HoursSubmitted | Stage::HoursApproved) {
            let submit = worker.post(&format!("{path}/submit")).if_match(self.version("hour_sheet_id"));
            submit.json(json!({"nothing_more_this_month": true})).send().expect(200);
            self.look_up(&coordinator, "hour_sheet_id", "/v1/hour-sheets");
        }
        if stage == Stage::HoursApproved {
            coordinator.post(&format!("{path}/approve")).if_match(self.version("hour_sheet_id")).send().expect(200);
            self.look_up(&coordinator, "hour_sheet_id", "/v1/hour-sheets");
        }
    }

    fn support(&mut self, app: &TestApp, stage: Stage) {
        let people = app.world.own;
        let (coordinator, worker) = (app.user(people.coordinator), app.user(people.link_worker));
        let referral = format!("/v1/referrals/{}", self.id("referral_id"));
        let body = json!({"link_worker_id": people.worker.to_string(), "message": "Nainen, joka laulaa."});
        let proposal = coordinator.post(&format!("{referral}/assignments")).json(body).send().expect(201);
        self.keep("assignment_id", &proposal);
        self.look_up(&coordinator, "assignment_id", "/v1/assignments");
        if stage == Stage::Proposed {
            return;
        }
        let accept = format!("/v1/assignments/{}/accept", self.id("assignment_id"));
        worker.post(&accept).if_match(self.version("assignment_id")).send().expect(200);
        self.look_up(&coordinator, "assignment_id", "/v1/assignments");
        self.look_up(&coordinator, "referral_id", "/v1/referrals");
        if stage == Stage::Assigned {
            return;
        }
        let start = worker.post(&format!("{referral}/support-period")).if_match(self.version("referral_id")).json(start_of_support());
        let period = start.send().expect(201);
        self.keep("support_period_id", &period);
        let path = format!("/v1/support-periods/{}", self.id("support_period_id"));
        let goal =
            worker.post(&format!("{path}/goals")).json(json!({"words": "Kerhoon.", "steps": [{"words": "Soitto"}]})).send().expect(201);
        self.keep("goal_id", &goal);
        let body = json!({"state": "planned", "on": "2026-11-22", "minutes": 1, "mode": "home_visit", "purpose": "going_along", "note": "Sovittu."});
        let visit = worker.post(&format!("{path}/visits")).json(body).send().expect(201);
        self.keep("visit_id", &visit);
        let body = json!({"activity_id": people.activity.to_string()});
        let link = worker.post(&format!("{referral}/activity-links")).json(body).send().expect(201);
        self.keep("activity_link_id", &link);
        self.versions.insert("activity_link_id".to_owned(), 1);
        let body = json!({"on": "2026-11-22", "minutes": 30, "kind": "matching", "note": "Sovittu."});
        let entry = coordinator.post(&format!("{referral}/time-entries")).json(body).send().expect(201);
        self.keep("time_entry_id", &entry);
        let measures = worker.get(&format!("{path}/measures")).send().expect(200);
        self.keep("measure_id", &measures["items"][0]);
        let body = json!({
            "kind": "older_person", "facts": "Jääkaappi oli tyhjä.", "person_informed": false, "not_informed_reason": "Ei jaksanut puhua."
        });
        let concern = worker.post(&format!("{referral}/concerns")).json(body).send().expect(201);
        self.keep("concern_id", &concern);
        if stage == Stage::Released {
            let release = format!("/v1/concerns/{}/release", self.id("concern_id"));
            coordinator.post(&release).if_match(1).json(json!({})).send().expect(200);
        }
        let said = json!({"stage": "end", "words": "Kiitos Liisalle."});
        let said = coordinator.post(&format!("{referral}/feedback")).json(said).send().expect(201);
        self.keep("feedback_id", &said);
        self.versions.insert("feedback_id".to_owned(), 1);
        let told = app.user(people.referrer).get(&format!("{referral}/milestones")).send();
        if told.status == 200
            && let Some(first) = told.json()["items"].as_array().and_then(|items| items.first())
        {
            self.keep("milestone_id", first);
        }
        for (name, path) in [
            ("support_period_id", "/v1/support-periods"),
            ("goal_id", "/v1/goals"),
            ("visit_id", "/v1/visits"),
            ("time_entry_id", "/v1/time-entries"),
            ("concern_id", "/v1/concerns"),
        ] {
            self.look_up(&coordinator, name, path);
        }
        self.hours(app, stage);
        if stage == Stage::NothingPlanned {
            let cancel = format!("/v1/visits/{}/cancel", self.id("visit_id"));
            coordinator.post(&cancel).if_match(self.version("visit_id")).json(json!({"by": "client"})).send().expect(200);
            self.look_up(&coordinator, "support_period_id", "/v1/support-periods");
        }
        if stage == Stage::Paused {
            let pause = coordinator.post(&format!("{path}/pause")).if_match(self.version("support_period_id"));
            pause.json(json!({"reason": "client_ill"})).send().expect(200);
            self.look_up(&coordinator, "support_period_id", "/v1/support-periods");
        }
    }

    /// Ends the case, so that the link worker has room for the next one.
    pub fn finish(&self, app: &TestApp) {
        if let Some(referral) = self.ids.get("referral_id") {
            withdraw(app, referral);
        }
    }
}
