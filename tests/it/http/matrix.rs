//! Every operation of the document, called by everybody: each role of the programme with cases of its own and without, each role of another
//! programme, machines of both, and nobody. What must come out follows from the table below and the reviewed table "role × action"; what did come
//! out stands in the golden file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lahete_domain::access::{Action, Scope, scope};
use lahete_domain::codes::{Code, Role};
use serde_json::{Value, json};

use super::cases::{Built, Origin, Stage, prepare};
use crate::support::app::{Call, Caller};
use crate::support::{Kind, TestApp, golden};
use crate::trust::one_event;

/// How an operation is guarded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// By nothing: it is there for everybody.
    Public,
    /// By a valid token alone: it is about the caller.
    Token,
    /// By the policy, asked about the case.
    Case(Action),
    /// By the policy, asked about the programme.
    Programme(Action),
    /// By the policy, asked about a link worker's record.
    Worker(Action),
    /// By the policy, about a thing that everybody may see, so that a refusal is always 403.
    Visible(Action),
    /// A list: nobody is refused, and everybody gets no more than what is theirs.
    List(Action),
    /// A list of what is about the caller as a client.
    Mine,
    /// Writing a referral: who writes none anywhere is told so; a programme that is not theirs does not exist for the others.
    Create,
    /// Adding a programme: an administrator of any programme may.
    NewProgramme,
    /// By a role in any programme.
    Anywhere(Role),
}

/// One operation on one case.
pub(crate) struct Line {
    pub(crate) operation: &'static str,
    pub(crate) stage: Stage,
    pub(crate) origin: Origin,
    pub(crate) guard: Guard,
    pub(crate) body: fn(&Built) -> Value,
}

fn no_body(_: &Built) -> Value {
    Value::Null
}

fn empty(_: &Built) -> Value {
    json!({})
}

fn of_the_programme(built: &Built) -> Value {
    json!({"programme_id": built.id("programme_id"), "reason": "Tutkimuslupa 12/2026."})
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub(crate) fn lines() -> Vec<Line> {
    use Action as A;
    use Guard::{Anywhere, Case, Create, List, Mine, NewProgramme, Programme, Public, Token, Visible, Worker};
    use Origin::{Anonymous, Client, Machine, Referrer};
    use Stage as S;
    let mut all = Vec::new();
    let mut add = |operation, stage, origins: &[Origin], guard, body: fn(&Built) -> Value| {
        for origin in origins {
            all.push(Line { operation, stage, origin: *origin, guard, body });
        }
    };
    let nurse: &[Origin] = &[Referrer];
    let senders: &[Origin] = &[Referrer, Machine];
    let writers: &[Origin] = &[Referrer, Machine, Client];

    add("token_issue", S::Settings, nurse, Public, no_body);
    add("token_revoke", S::Settings, nurse, Public, no_body);
    for operation in ["key_set_view", "discovery_view", "health_live", "health_ready", "health_started"] {
        add(operation, S::Settings, nurse, Public, no_body);
    }
    for operation in ["code_list_list", "code_list_view", "municipality_list", "measure_instrument_list", "activity_list", "activity_view"]
    {
        add(operation, S::Settings, nurse, Public, no_body);
    }

    add("programme_list", S::Settings, nurse, List(A::ProgrammeView), no_body);
    add(
        "programme_create",
        S::Settings,
        nurse,
        NewProgramme,
        |_| json!({"name": "Uusi", "controller": "Kunta", "municipalities": ["261"]}),
    );
    add("programme_view", S::Settings, nurse, Programme(A::ProgrammeView), no_body);
    add("programme_update", S::Settings, nurse, Programme(A::ProgrammeManage), |_| json!({"controller": "Sodankylän kunta"}));
    add("programme_terms_list", S::Settings, nurse, Programme(A::ProgrammeView), no_body);
    add(
        "programme_terms_create",
        S::Settings,
        nurse,
        Programme(A::ProgrammeManage),
        |_| json!({"valid_from": "2027-01-01", "max_months": 6, "max_minutes_per_month": 600, "fee_per_hour": "13.50"}),
    );
    add("organisation_list", S::Settings, nurse, List(A::OrganisationView), no_body);
    add(
        "organisation_create",
        S::Settings,
        nurse,
        Programme(A::OrganisationManage),
        |built| json!({"programme_id": built.id("programme_id"), "name": "Kirjasto", "kind": "municipality"}),
    );
    add("organisation_view", S::Settings, nurse, Programme(A::OrganisationView), no_body);
    add("organisation_update", S::Settings, nurse, Programme(A::OrganisationManage), |_| json!({"name": "Kotihoito"}));
    add("user_list", S::Settings, nurse, List(A::UserManage), no_body);
    add(
        "user_create",
        S::Settings,
        nurse,
        Programme(A::UserManage),
        |built| json!({"programme_id": built.id("programme_id"), "login": "kerttu.kotihoito", "name": "Kerttu Kotihoito"}),
    );
    add("user_view", S::Settings, nurse, Programme(A::UserManage), no_body);
    add("user_update", S::Settings, nurse, Programme(A::UserManage), |_| json!({"name": "Kerttu Virtanen"}));
    add("user_end_sessions", S::Settings, nurse, Programme(A::UserManage), no_body);
    add("user_identity_list", S::Settings, nurse, Programme(A::UserManage), no_body);
    add(
        "user_identity_create",
        S::Settings,
        nurse,
        Programme(A::UserManage),
        |built| json!({"issuer": "https://id.example", "subject": format!("u-{}", built.id("user_id"))}),
    );
    add("user_identity_remove", S::Settings, nurse, Programme(A::UserManage), no_body);
    add("role_assignment_list", S::Settings, nurse, List(A::RoleAssignmentManage), no_body);
    add(
        "role_assignment_create",
        S::Settings,
        nurse,
        Programme(A::RoleAssignmentManage),
        |built| json!({"programme_id": built.id("programme_id"), "user_id": built.id("user_id"), "role": "coordinator"}),
    );
    add("role_assignment_view", S::Settings, nurse, Programme(A::RoleAssignmentManage), no_body);
    add("role_assignment_end", S::Settings, nurse, Programme(A::RoleAssignmentManage), empty);
    add("api_client_list", S::Settings, nurse, List(A::ApiClientManage), no_body);
    add("api_client_create", S::Settings, nurse, Programme(A::ApiClientManage), |built| {
        json!({
            "programme_id": built.id("programme_id"), "name": "Uusi järjestelmä", "source_system": "uusi-ehr",
            "organisation_ids": [built.id("organisation_id")]
        })
    });
    add("api_client_view", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add("api_client_update", S::Settings, nurse, Programme(A::ApiClientManage), |_| json!({"name": "Toinen nimi"}));
    add("api_client_rotate_secret", S::Settings, nurse, Programme(A::ApiClientManage), empty);
    add("api_client_revoke", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add("api_client_end_sessions", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add("api_client_identity_list", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add(
        "api_client_identity_create",
        S::Settings,
        nurse,
        Programme(A::ApiClientManage),
        |built| json!({"issuer": "https://id.example", "subject": format!("m-{}", built.id("api_client_id"))}),
    );
    add("api_client_identity_remove", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add("api_client_key_list", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add("api_client_key_create", S::Settings, nurse, Programme(A::ApiClientManage), |_| {
        json!({"jwk": {
            "kty": "OKP", "crv": "Ed25519", "kid": "uusi", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        }})
    });
    add("api_client_key_remove", S::Settings, nurse, Programme(A::ApiClientManage), no_body);
    add("activity_create", S::Settings, nurse, Programme(A::ActivityManage), |built| {
        json!({
            "programme_id": built.id("programme_id"), "name": "Lukupiiri", "themes": ["participation"], "price": "free", "kaikukortti": false,
            "remote": false, "languages": ["fi"]
        })
    });
    add("activity_update", S::Settings, nurse, Visible(A::ActivityManage), |_| json!({"kaikukortti": true}));
    add("activity_check", S::Settings, nurse, Visible(A::ActivityManage), no_body);
    add("activity_import_list", S::Settings, nurse, List(A::ActivityImport), no_body);
    add("activity_import_view", S::Settings, nurse, Programme(A::ActivityImport), no_body);
    add(
        "activity_import_create",
        S::Settings,
        nurse,
        Programme(A::ActivityImport),
        |built| json!({"programme_id": built.id("programme_id"), "source": "ptv"}),
    );
    add("theme_mapping_view", S::Settings, nurse, Programme(A::ThemeMappingManage), no_body);
    add(
        "theme_mapping_put",
        S::Settings,
        nurse,
        Programme(A::ThemeMappingManage),
        |_| json!({"entries": [{"term": "P27", "themes": ["moving"]}]}),
    );
    add("link_worker_list", S::Settings, nurse, List(A::LinkWorkerView), no_body);
    add("link_worker_create", S::Settings, nurse, Programme(A::LinkWorkerManage), |built| {
        json!({
            "programme_id": built.id("programme_id"), "user_id": built.id("user_id"), "name": "Lempi Linkki", "municipalities": ["758"],
            "languages": ["fi"], "max_clients": 3, "hours_per_month": 20
        })
    });
    add("link_worker_view", S::Settings, nurse, Worker(A::LinkWorkerView), no_body);
    add("link_worker_update", S::Settings, nurse, Worker(A::LinkWorkerManage), |_| json!({"interests": "Hiihto", "status": "active"}));
    add("link_worker_update", S::Settings, nurse, Worker(A::LinkWorkerOwnUpdate), |_| json!({"interests": "Kutominen"}));
    add("absence_list", S::Settings, nurse, Worker(A::LinkWorkerView), no_body);
    add(
        "absence_create",
        S::Settings,
        nurse,
        Worker(A::LinkWorkerOwnUpdate),
        |_| json!({"from": "2031-07-01", "until": "2031-07-31", "reason": "holiday"}),
    );
    add("absence_update", S::Settings, nurse, Worker(A::LinkWorkerOwnUpdate), |_| json!({"reason": "study"}));
    add("mentoring_session_list", S::Settings, nurse, Worker(A::LinkWorkerView), no_body);
    add(
        "mentoring_session_create",
        S::Settings,
        nurse,
        Worker(A::LinkWorkerManage),
        |_| json!({"on": "2026-11-12", "minutes": 90, "mentor": "Kaisa Koordinaattori", "kind": "group"}),
    );
    add("programme_break_list", S::Settings, nurse, Programme(A::ProgrammeView), no_body);
    add(
        "programme_break_create",
        S::Settings,
        nurse,
        Programme(A::ProgrammeBreakManage),
        |_| json!({"from": "2031-07-01", "until": "2031-07-31", "reason": "holiday_season"}),
    );
    add("programme_break_update", S::Settings, nurse, Programme(A::ProgrammeBreakManage), |_| json!({"words": {"fi": "Lomalla."}}));
    add("concern_guidance_list", S::Settings, nurse, List(A::ConcernGuidanceView), no_body);
    add("concern_guidance_create", S::Settings, nurse, Programme(A::ConcernGuidanceManage), |built| {
        // No place has two for one kind.
        let places = lahete_api::municipalities::register::all();
        let place = &places[super::cases::number() % places.len()].code;
        json!({"programme_id": built.id("programme_id"), "municipality": place, "kind": "child", "where": "Lastensuojelu"})
    });
    add("concern_guidance_update", S::Settings, nurse, Programme(A::ConcernGuidanceManage), |_| json!({"hours": "ma–to 9–15"}));
    add("handover_make", S::Settings, nurse, Programme(A::HandoverMake), |built| {
        json!({
            "programme_id": built.id("programme_id"), "from_link_worker_id": built.id("other_worker"),
            "to_link_worker_id": built.id("link_worker_id"), "reason": "Opintovapaa.", "validate_only": true
        })
    });
    add("contract_list", S::Settings, nurse, Worker(A::LinkWorkerView), no_body);
    add(
        "contract_create",
        S::Settings,
        nurse,
        Worker(A::LinkWorkerManage),
        |built| json!({"kind": "fee", "employer_id": built.id("organisation_id"), "valid_from": "2026-01-01"}),
    );
    add("training_list", S::Settings, nurse, Worker(A::LinkWorkerView), no_body);
    add(
        "training_create",
        S::Settings,
        nurse,
        Worker(A::LinkWorkerManage),
        |_| json!({"kind": "basic_course", "provider": "Lapin AMK", "completed_on": "2026-03-15"}),
    );

    add("referral_list", S::InSupport, nurse, List(A::ReferralView), no_body);
    add("referral_view", S::Draft, writers, Case(A::ReferralView), no_body);
    add("referral_view", S::Submitted, senders, Case(A::ReferralView), no_body);
    add("referral_view", S::Proposed, nurse, Case(A::ReferralView), no_body);
    add("referral_view", S::InSupport, nurse, Case(A::ReferralView), no_body);
    add("referral_view", S::Closed, nurse, Case(A::ReferralView), no_body);
    add("referral_update", S::Draft, writers, Case(A::ReferralUpdate), |_| json!({"wish": "Ulos kävelylle."}));
    add("referral_submit", S::Draft, writers, Case(A::ReferralSubmit), no_body);
    add("referral_review", S::Submitted, senders, Case(A::ReferralReview), empty);
    add(
        "referral_request_information",
        S::InReview,
        nurse,
        Case(A::ReferralRequestInformation),
        |_| json!({"recipient": "referrer", "question": "Missä tapaamme?"}),
    );
    add("referral_answer", S::AskedReferrer, senders, Case(A::ReferralAnswer), |_| json!({"answer": "Kotona."}));
    add("referral_answer", S::AskedClient, nurse, Case(A::ReferralAnswer), |_| json!({"answer": "Kotona."}));
    add(
        "referral_guide",
        S::InReview,
        nurse,
        Case(A::ReferralGuide),
        |built| json!({"activity_ids": [built.id("activity_id")], "follow_up_on": "2026-12-22"}),
    );
    add("referral_waitlist", S::InReview, nurse, Case(A::ReferralWaitlist), empty);
    add("referral_defer", S::InReview, nurse, Case(A::ReferralDefer), |_| json!({"resume_on": "2027-01-10"}));
    add("referral_resume", S::Deferred, nurse, Case(A::ReferralDefer), empty);
    add("referral_close", S::InReview, nurse, Case(A::ReferralClose), |_| json!({"outcome": "redirected", "end_reason": "health_service"}));
    add("referral_reopen", S::Closed, nurse, Case(A::ReferralReopen), |_| json!({"reason": "Suljettiin vahingossa."}));
    add("referral_withdraw", S::Submitted, senders, Case(A::ReferralWithdraw), empty);
    add("referral_mark_as_error", S::Submitted, nurse, Case(A::ReferralMarkAsError), |_| json!({"reason": "Väärä henkilö."}));
    add("referral_mark_as_error", S::Draft, nurse, Case(A::ReferralMarkAsError), |_| json!({"reason": "Väärä henkilö."}));
    add("referral_timeline", S::InSupport, senders, Case(A::TimelineView), no_body);
    add("message_list", S::AskedReferrer, senders, Case(A::MessageView), no_body);
    add("contact_attempt_list", S::InReview, nurse, Case(A::ContactAttemptView), no_body);
    add(
        "contact_attempt_create",
        S::InReview,
        nurse,
        Case(A::ContactAttemptRecord),
        |_| json!({"channel": "phone", "result": "not_reached"}),
    );

    for operation in ["consent_text_list", "consent_text_view"] {
        add(operation, S::Settings, nurse, Public, no_body);
    }
    add("consent_text_create", S::Settings, nurse, Programme(A::ConsentTextManage), |built| {
        let version = format!("koe-{}", uuid::Uuid::now_v7());
        json!({"programme_id": built.id("programme_id"), "version": version, "language": "fi", "body": "Suostun lähetteeseen."})
    });

    add("public_referral_create", S::Settings, nurse, Public, |_| {
        json!({
            "client": {"given_name": "Eino", "family_name": "Esimerkki", "birth_year": 1950, "municipality": "758", "phone": "+358 40 555 0103"},
            "referrer": {"sector": "parish"}, "reasons": ["loneliness"], "not_a_service_acknowledged": true,
            "consent": {"purposes": ["process_referral"], "text_version": "2026-1", "language": "fi"}
        })
    });
    add("public_referral_status", S::Submitted, &[Anonymous], Public, |built| json!({"tracking_code": built.id("tracking_code")}));

    add("consent_list", S::InSupport, nurse, Case(A::ConsentView), no_body);
    add(
        "consent_create",
        S::InReview,
        nurse,
        Case(A::ConsentRecord),
        |_| json!({"purposes": ["process_referral"], "text_version": "2026-1", "language": "fi", "method": "oral"}),
    );
    add("consent_verify", S::Submitted, &[Anonymous], Case(A::ConsentVerify), no_body);
    add("consent_withdraw", S::InSupport, nurse, Case(A::ConsentWithdraw), empty);

    add(
        "client_search",
        S::InSupport,
        nurse,
        Programme(A::ClientSearch),
        |built| json!({"programme_id": built.id("programme_id"), "personal_identity_code": super::cases::CLIENT_CODE}),
    );
    add("client_view", S::InSupport, nurse, Case(A::ClientView), no_body);
    add("client_view", S::InReview, nurse, Case(A::ClientView), no_body);
    add("client_update", S::InSupport, nurse, Case(A::ClientUpdate), |_| json!({"phone": "+358 40 555 0102"}));
    add("client_link_user", S::InSupport, nurse, Case(A::ClientUpdate), |built| json!({"user_id": built.id("client_user")}));
    add("client_access_log", S::InSupport, nurse, Case(A::AccessLogView), no_body);

    add("client_history", S::InSupport, nurse, Case(A::ClientHistoryView), no_body);
    add(
        "referral_rectify",
        S::InReview,
        nurse,
        Case(A::ReferralRectify),
        |_| json!({"wish": "Laulamaan, ei kävelemään.", "reason": "Kirjattiin väärin."}),
    );
    add("client_restriction_create", S::Stranger, nurse, Case(A::ClientRestrict), |_| json!({"reason": "Tiedot kiistetään."}));
    add("client_restriction_view", S::Restricted, nurse, Case(A::DataRequestView), no_body);
    add("client_restriction_release", S::Restricted, nurse, Case(A::ClientRestrict), |_| json!({"reason": "Tarkistettu."}));
    add("client_restriction_lift", S::Restricted, nurse, Case(A::ClientRestrictionLift), no_body);
    add("data_request_list", S::Asked, nurse, List(A::DataRequestView), no_body);
    add(
        "data_request_create",
        S::InReview,
        nurse,
        Case(A::DataRequestCreate),
        |built| json!({"client_id": built.id("client_id"), "kind": "erasure", "words": "Poistakaa kaikki."}),
    );
    add("data_request_view", S::Asked, nurse, Case(A::DataRequestView), no_body);
    add("data_request_start", S::Asked, nurse, Case(A::DataRequestHandle), no_body);
    add("data_request_extend", S::Asked, nurse, Case(A::DataRequestHandle), |_| json!({"reason": "Paljon aineistoa."}));
    add("data_request_fulfil", S::Handled, nurse, Case(A::DataRequestHandle), empty);
    add(
        "data_request_refuse",
        S::Handled,
        nurse,
        Case(A::DataRequestHandle),
        |_| json!({"ground": "not_identified", "decision": "Henkilöllisyyttä ei voitu varmistaa."}),
    );
    add("data_request_withdraw", S::Asked, nurse, Case(A::DataRequestWithdraw), no_body);
    add("data_request_package", S::Fulfilled, nurse, Case(A::DataPackageView), no_body);
    add("legal_hold_list", S::Held, nurse, List(A::LegalHoldManage), no_body);
    add(
        "legal_hold_create",
        S::Stranger,
        nurse,
        Case(A::LegalHoldManage),
        |built| json!({"client_id": built.id("client_id"), "reason": "Kantelu on vireillä."}),
    );
    add("legal_hold_view", S::Held, nurse, Case(A::LegalHoldManage), no_body);
    add("legal_hold_end", S::Held, nurse, Case(A::LegalHoldManage), empty);
    add("retention_policy_list", S::Settings, nurse, List(A::RetentionView), no_body);
    add("retention_policy_create", S::Settings, nurse, Programme(A::RetentionManage), |built| {
        // No two policies of a class begin on one day.
        let day = chrono::NaiveDate::from_ymd_opt(2027, 1, 1).unwrap() + chrono::Days::new(super::cases::number() as u64);
        json!({
            "programme_id": built.id("programme_id"), "record_class": "visit", "valid_from": day.to_string(), "keep_months": 60,
            "legal_basis": "Tiedonohjaussuunnitelma."
        })
    });
    add("retention_run_list", S::Settings, nurse, List(A::RetentionView), no_body);
    add("retention_run_view", S::Settings, nurse, Programme(A::RetentionView), no_body);
    add("me_data_request_list", S::Asked, nurse, Mine, no_body);
    add("me_data_request_create", S::InReview, nurse, Case(A::DataCopyView), |_| json!({"kind": "rectification"}));
    add("me_data_copy", S::InSupport, nurse, Case(A::DataCopyView), no_body);

    add("me_view", S::Settings, nurse, Token, no_body);
    add("me_referrals", S::InSupport, nurse, Mine, no_body);
    add("me_consents", S::InSupport, nurse, Mine, no_body);
    add("me_support_periods", S::InSupport, nurse, Mine, no_body);
    add("me_visits", S::InSupport, nurse, Mine, no_body);
    add("me_access_log", S::InSupport, nurse, Mine, no_body);
    add("me_consent_withdraw", S::InReview, nurse, Case(A::ConsentWithdraw), |_| json!({"purposes": ["evaluation"]}));

    add(
        "assignment_propose",
        S::InReview,
        nurse,
        Case(A::AssignmentPropose),
        |built| json!({"link_worker_id": built.id("link_worker_id")}),
    );
    add("referral_assignment_list", S::Assigned, nurse, Case(A::AssignmentView), no_body);
    add("assignment_list", S::Proposed, nurse, List(A::AssignmentView), no_body);
    add("assignment_view", S::Proposed, nurse, Case(A::AssignmentView), no_body);
    add("assignment_view", S::Assigned, nurse, Case(A::AssignmentView), no_body);
    add("assignment_accept", S::Proposed, nurse, Case(A::AssignmentAnswer), no_body);
    add("assignment_decline", S::Proposed, nurse, Case(A::AssignmentAnswer), |_| json!({"reason": "no_time"}));
    add("assignment_end", S::Assigned, nurse, Case(A::AssignmentEnd), |_| json!({"reason": "link_worker_unavailable"}));

    add("activity_link_list", S::InSupport, nurse, Case(A::SupportView), no_body);
    add("activity_link_create", S::InSupport, nurse, Case(A::PlanWrite), |built| json!({"activity_id": built.id("other_activity")}));
    add("activity_link_update", S::InSupport, nurse, Case(A::PlanWrite), |_| json!({"state": "started"}));

    add("support_period_start", S::Assigned, nurse, Case(A::SupportStart), |_| super::cases::start_of_support());
    add("support_period_list", S::InSupport, nurse, List(A::SupportView), no_body);
    add("support_period_view", S::InSupport, nurse, Case(A::SupportView), no_body);
    add("support_period_pause", S::InSupport, nurse, Case(A::SupportPause), |_| json!({"reason": "client_ill"}));
    add("support_period_resume", S::Paused, nurse, Case(A::SupportPause), no_body);
    add(
        "support_period_extend",
        S::InSupport,
        nurse,
        Case(A::SupportExtend),
        |_| json!({"planned_end_on": "2027-03-01", "reason": "Oli sairaana."}),
    );
    add(
        "support_period_change_link_worker",
        S::InSupport,
        nurse,
        Case(A::SupportChangeLinkWorker),
        |built| json!({"link_worker_id": built.id("other_worker"), "reason": "link_worker_unavailable"}),
    );
    add("support_period_propose_end", S::InSupport, nurse, Case(A::SupportProposeEnd), |_| json!({"reason": "Käy kerhossa itse."}));
    add("support_period_end", S::NothingPlanned, nurse, Case(A::SupportEnd), |_| {
        json!({
            "outcome": "completed_as_planned", "end_reason": "goals_reached", "ended_on": "2026-11-22",
            "end_measure": {"missing_reason": "not_asked"}, "end_recommendation": {"missing_reason": "not_asked"}
        })
    });
    add("goal_create", S::InSupport, nurse, Case(A::PlanWrite), |_| json!({"words": "Kerhoon."}));
    add("goal_list", S::InSupport, nurse, Case(A::SupportView), no_body);
    add("goal_view", S::InSupport, nurse, Case(A::SupportView), no_body);
    add("goal_update", S::InSupport, nurse, Case(A::GoalOutcome), |_| json!({"outcome": "partly"}));
    add("goal_update", S::InSupport, nurse, Case(A::PlanWrite), |_| json!({"words": "Kerhoon yksin."}));
    add("goal_update", S::InSupport, nurse, Case(A::PlanWrite), |_| json!({"words": "Kerhoon yksin.", "outcome": "achieved"}));
    add(
        "visit_create",
        S::InSupport,
        nurse,
        Case(A::VisitWrite),
        |_| json!({"state": "held", "on": "2026-11-22", "minutes": 1, "mode": "home_visit", "purpose": "going_along"}),
    );
    add("visit_create", S::InSupport, nurse, Case(A::VisitOverrideLimit), |_| {
        json!({
            "state": "held", "on": "2026-11-22", "minutes": 1, "mode": "home_visit", "purpose": "going_along",
            "over_limit_reason": "Lääkärikäynti venyi."
        })
    });
    add("support_period_visits_list", S::InSupport, nurse, Case(A::VisitView), no_body);
    add("visit_list", S::InSupport, nurse, List(A::VisitView), no_body);
    add("visit_view", S::InSupport, nurse, Case(A::VisitView), no_body);
    add("visit_update", S::InSupport, nurse, Case(A::VisitWrite), |_| json!({"note": "Kahvit ja kävely."}));
    add("visit_hold", S::InSupport, nurse, Case(A::VisitWrite), |_| json!({"on": "2026-11-22"}));
    add("visit_cancel", S::InSupport, nurse, Case(A::VisitWrite), |_| json!({"by": "client"}));
    add("visit_mark_not_attended", S::InSupport, nurse, Case(A::VisitWrite), |_| json!({"by": "client", "reason": "forgot"}));
    add("goal_mark_step", S::InSupport, nurse, Case(A::GoalOutcome), |_| json!({"step": 1, "done": true}));
    add(
        "time_entry_create",
        S::InSupport,
        nurse,
        Case(A::TimeEntryWrite),
        |_| json!({"on": "2026-11-22", "minutes": 20, "kind": "documentation"}),
    );
    add("time_entry_list", S::InSupport, nurse, Case(A::TimeEntryView), no_body);
    add("time_entry_view", S::InSupport, nurse, Case(A::TimeEntryView), no_body);
    add("time_entry_update", S::InSupport, nurse, Case(A::TimeEntryWrite), |_| json!({"minutes": 25}));
    add("time_entry_strike", S::InSupport, nurse, Case(A::TimeEntryWrite), no_body);
    add(
        "measure_create",
        S::InSupport,
        nurse,
        Case(A::MeasureWrite),
        |_| json!({"instrument": "swemwbs", "timepoint": "end", "missing_reason": "declined"}),
    );
    add("measure_list", S::InSupport, nurse, Case(A::MeasureView), no_body);
    add("measure_view", S::InSupport, nurse, Case(A::MeasureView), no_body);
    add("measure_change_list", S::InSupport, nurse, Case(A::MeasureView), no_body);
    add("measure_instrument_view", S::Settings, nurse, Programme(A::ProgrammeView), no_body);
    add("measure_instrument_create", S::Settings, nurse, Programme(A::MeasureInstrumentManage), |built| {
        json!({
            "programme_id": built.id("programme_id"), "instrument": "pws", "title": "Koe", "items": [{"key": "satisfied"}], "answer_min": 0,
            "answer_max": 3, "direction": "higher_is_better", "scoring": {"method": "single"}, "missing_rule": "refused"
        })
    });
    add("measure_text_create", S::Settings, nurse, Programme(A::MeasureInstrumentManage), |built| {
        super::cases::words_of_esis(built.id("programme_id"))
    });
    add("measure_text_list", S::Settings, nurse, Programme(A::ProgrammeView), no_body);
    add("measure_text_remove", S::Settings, nurse, Programme(A::MeasureInstrumentManage), no_body);
    add("individual_use_begin", S::Settings, nurse, Programme(A::MeasureInstrumentManage), of_the_programme);
    add("individual_use_end", S::Settings, nurse, Programme(A::MeasureInstrumentManage), of_the_programme);
    add(
        "group_answer_create",
        S::Settings,
        nurse,
        Programme(A::MeasureGroupManage),
        |built| json!({"programme_id": built.id("programme_id"), "held_on": "2026-11-22", "answers": vec![vec![3; 10]; 5]}),
    );
    add("group_answer_list", S::Settings, nurse, Programme(A::MeasureGroupManage), no_body);

    add("feedback_create", S::InSupport, nurse, Case(A::FeedbackGive), |_| json!({"stage": "during", "words": "Hyvin menee."}));
    // As a client and in no other role: as what one asks about oneself.
    add("me_feedback_create", S::InSupport, nurse, Case(A::DataCopyView), |_| json!({"stage": "during", "words": "Hyvin menee."}));
    add("feedback_list", S::InSupport, nurse, Case(A::FeedbackView), no_body);
    add("feedback_view", S::InSupport, nurse, Case(A::FeedbackView), no_body);
    add("feedback_update", S::InSupport, nurse, Case(A::FeedbackGive), |_| json!({"words": "Hyvin menee edelleen."}));
    add("me_feedback", S::InSupport, nurse, Mine, no_body);
    add("referral_milestones", S::InSupport, nurse, Case(A::MilestoneView), no_body);
    add("milestone_list", S::InSupport, nurse, List(A::MilestoneView), no_body);
    add("milestone_acknowledge", S::InSupport, nurse, Case(A::MilestoneView), no_body);

    add("concern_list", S::InSupport, nurse, List(A::ConcernView), no_body);
    add("referral_concern_list", S::InSupport, nurse, Case(A::ConcernListView), no_body);
    add("concern_view", S::InSupport, nurse, Case(A::ConcernView), no_body);
    add("concern_update", S::InSupport, nurse, Case(A::ConcernUpdate), |_| json!({"follow_up": "Kotihoito käy huomenna."}));
    add("concern_close", S::InSupport, nurse, Case(A::ConcernRelease), |_| json!({"follow_up": "Kotihoito käy."}));
    add("concern_release", S::InSupport, nurse, Case(A::ConcernRelease), empty);
    add("me_concerns", S::Released, nurse, Mine, no_body);
    // Behind the lists, because whoever sent the referral has recorded one, too, from here on.
    add(
        "concern_create",
        S::InSupport,
        nurse,
        Case(A::ConcernRecord),
        |_| json!({"kind": "child", "facts": "Lapsi oli yksin kotona.", "person_informed": true}),
    );
    add("rate_list", S::Settings, nurse, List(A::RateView), no_body);
    add("rate_create", S::Settings, nurse, Programme(A::RateManage), |built| {
        json!({
            "programme_id": built.id("programme_id"), "vehicle": "car", "agreement": "KVTES", "valid_from": "2027-01-01", "per_km": "0.55",
            "source": "KVTES, liite 16"
        })
    });
    add("hour_sheet_list", S::InSupport, nurse, List(A::HourSheetView), no_body);
    add("hour_sheet_export", S::InSupport, nurse, Programme(A::HourSheetExport), no_body);
    add("hour_sheet_view", S::InSupport, nurse, Worker(A::HourSheetView), no_body);
    add("hour_sheet_csv", S::InSupport, nurse, Worker(A::HourSheetView), no_body);
    add("hour_sheet_submit", S::InSupport, nurse, Worker(A::HourSheetSubmit), |_| json!({"nothing_more_this_month": true}));
    add("hour_sheet_return", S::HoursSubmitted, nurse, Worker(A::HourSheetApprove), |_| json!({"reason": "Kilometrit puuttuvat."}));
    add("hour_sheet_approve", S::HoursSubmitted, nurse, Worker(A::HourSheetApprove), no_body);
    add("hour_sheet_mark_paid", S::HoursApproved, nurse, Worker(A::HourSheetApprove), |_| json!({"paid_on": "2026-11-22"}));

    add("report_outcomes", S::InSupport, nurse, Programme(A::ReportView), no_body);
    add("audit_event_list", S::InSupport, nurse, List(A::AuditView), no_body);
    add("audit_checkpoint_list", S::Settings, nurse, Anywhere(Role::PrivacyOfficer), no_body);

    // Last, because it leaves drafts behind that their writers see in lists.
    add("referral_create", S::Settings, nurse, Create, |built| {
        json!({
            "programme_id": built.id("programme_id"),
            "client": {"given_name": "Eino", "family_name": "Esimerkki", "birth_year": 1950, "municipality": "758"},
            "referrer": {"sector": "elderly"}
        })
    });
    all
}

/// Somebody who calls, as far as the policy cares.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub(crate) name: &'static str,
    /// None for nobody.
    pub(crate) role: Option<Role>,
    pub(crate) own_programme: bool,
    /// Whose the case is; the others of the programme have the same role and no case.
    pub(crate) first: bool,
}

const fn who(name: &'static str, role: Role, own_programme: bool, first: bool) -> Who {
    Who { name, role: Some(role), own_programme, first }
}

pub(crate) const EVERYBODY: &[Who] = &[
    Who { name: "nobody", role: None, own_programme: false, first: false },
    who("other.referrer", Role::Referrer, false, true),
    who("other.coordinator", Role::Coordinator, false, true),
    who("other.link_worker", Role::LinkWorker, false, true),
    who("other.client", Role::Client, false, true),
    who("other.report_reader", Role::ReportReader, false, true),
    who("other.privacy_officer", Role::PrivacyOfficer, false, true),
    who("other.admin", Role::Admin, false, true),
    who("other.machine", Role::Integration, false, true),
    who("referrer2", Role::Referrer, true, false),
    who("link_worker2", Role::LinkWorker, true, false),
    who("client2", Role::Client, true, false),
    who("report_reader", Role::ReportReader, true, true),
    who("privacy_officer", Role::PrivacyOfficer, true, true),
    who("admin", Role::Admin, true, true),
    who("machine", Role::Integration, true, true),
    who("client", Role::Client, true, true),
    who("referrer", Role::Referrer, true, true),
    who("link_worker", Role::LinkWorker, true, true),
    who("coordinator", Role::Coordinator, true, true),
];

impl Who {
    pub(crate) fn caller<'a>(&self, app: &'a TestApp) -> Caller<'a> {
        let people = if self.own_programme { app.world.own } else { app.world.other };
        let user = match (self.role, self.first) {
            (None, _) => return app.nobody(),
            (Some(Role::Integration), _) => return app.machine(people.machine),
            (Some(Role::Referrer), true) => people.referrer,
            (Some(Role::Referrer), false) => people.other_referrer,
            (Some(Role::Coordinator), _) => people.coordinator,
            (Some(Role::LinkWorker), true) => people.link_worker,
            (Some(Role::LinkWorker), false) => people.other_link_worker,
            (Some(Role::Client), true) => people.client,
            (Some(Role::Client), false) => people.other_client,
            (Some(Role::ReportReader), _) => people.report_reader,
            (Some(Role::PrivacyOfficer), _) => people.privacy_officer,
            (Some(Role::Admin), _) => people.admin,
        };
        app.user(user)
    }

    /// Whether the case of a line is this caller's own, in the sense of product §3.
    fn owns(&self, line: &Line, action: Action) -> bool {
        if !self.own_programme || !self.first {
            return false;
        }
        // A concern is its reporter's: here the link worker's.
        if matches!(action, Action::ConcernView | Action::ConcernUpdate) && self.role != Some(Role::LinkWorker) {
            return false;
        }
        match self.role {
            Some(Role::Referrer) => line.origin == Origin::Referrer,
            Some(Role::Integration) => line.origin == Origin::Machine,
            // A draft that somebody else writes is not yet the client's.
            Some(Role::Client) => {
                if line.stage == Stage::Draft {
                    line.origin == Origin::Client
                } else {
                    line.origin != Origin::Anonymous && !line.stage.is_strangers()
                }
            }
            Some(Role::LinkWorker) => match line.stage {
                Stage::Assigned
                | Stage::InSupport
                | Stage::NothingPlanned
                | Stage::Paused
                | Stage::Released
                | Stage::HoursSubmitted
                | Stage::HoursApproved => true,
                Stage::Proposed => matches!(action, Action::AssignmentView | Action::AssignmentAnswer),
                _ => false,
            },
            _ => false,
        }
    }

    fn reaches(&self, line: &Line, action: Action) -> bool {
        let Some(role) = self.role else { return false };
        // Each link worker has a record; the one in the path is the first one's.
        let own_record = role == Role::LinkWorker
            && match line.guard {
                Guard::Worker(_) => self.first,
                Guard::List(action) => action == Action::LinkWorkerView || (action == Action::HourSheetView && self.first),
                _ => false,
            };
        self.own_programme
            && match scope(role, action) {
                Scope::None => false,
                Scope::Own => own_record || self.owns(line, action),
                Scope::Programme => line.stage != Stage::Draft,
            }
    }

    /// What must come out; a success is 200.
    pub(crate) fn expected(&self, line: &Line) -> u16 {
        if matches!(line.guard, Guard::Public) {
            return 200;
        }
        let Some(role) = self.role else { return 401 };
        let decided = |action: Action| match (self.reaches(line, action), self.reaches(line, action.view())) {
            (true, _) => 200,
            (false, true) => 403,
            (false, false) => 404,
        };
        match line.guard {
            Guard::Public | Guard::Token | Guard::List(_) | Guard::Mine => 200,
            Guard::Case(action) => {
                // The question was for the other one.
                let asked_other = match line.stage {
                    Stage::AskedReferrer => role == Role::Client,
                    Stage::AskedClient => matches!(role, Role::Referrer | Role::Integration),
                    _ => false,
                };
                // A coordinator wrote down what the client said: the others do not change it, and the link worker does not read it.
                let coordinators = matches!(line.operation, "feedback_view" | "feedback_update");
                match decided(action) {
                    200 if action == Action::ReferralAnswer && asked_other => 409,
                    200 if coordinators && role == Role::LinkWorker => 404,
                    200 if line.operation == "feedback_update" && role != Role::Coordinator => 403,
                    status => status,
                }
            }
            Guard::Programme(action) | Guard::Worker(action) => decided(action),
            Guard::Visible(action) => {
                if self.reaches(line, action) {
                    200
                } else {
                    403
                }
            }
            Guard::Create => match scope(role, Action::ReferralCreate) {
                Scope::None | Scope::Own => 403,
                Scope::Programme => {
                    if self.own_programme {
                        200
                    } else {
                        404
                    }
                }
            },
            Guard::NewProgramme => {
                if role == Role::Admin {
                    200
                } else {
                    403
                }
            }
            Guard::Anywhere(wanted) => {
                if role == wanted {
                    200
                } else {
                    403
                }
            }
        }
    }
}

/// An operation as the document has it.
pub(crate) struct Documented {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) if_match: bool,
    pub(crate) public: bool,
}

pub(crate) fn documented() -> BTreeMap<String, Documented> {
    let document = serde_json::to_value(lahete_api::http::openapi::api_document()).unwrap();
    let mut all = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(name) = operation["operationId"].as_str() else { continue };
            let needs =
                |parameter: &Value| parameter["name"] == "If-Match" || parameter["$ref"].as_str().is_some_and(|to| to.ends_with("IfMatch"));
            let if_match = operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(needs));
            let public = operation["security"].as_array().is_some_and(|all| all.iter().all(|one| one.as_object().unwrap().is_empty()));
            all.insert(name.to_owned(), Documented { method: method.to_uppercase(), path: path.clone(), if_match, public });
        }
    }
    all
}

/// Which id of the path `If-Match` is about: the referral's for what hangs on it, otherwise the last one.
fn versioned(operation: &str, path: &str) -> String {
    if operation.contains("consent") && !operation.contains("consent_text") {
        return "referral_id".to_owned();
    }
    if operation.contains("restriction") {
        return "restriction".to_owned();
    }
    if operation == "theme_mapping_put" {
        return "theme_mapping".to_owned();
    }
    path.rsplit('{').next().unwrap().split('}').next().unwrap().to_owned()
}

fn filled(path: &str, built: &Built) -> String {
    let mut path = path.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", built.id(name));
    }
    path
}

pub(crate) fn call<'a>(caller: &Caller<'a>, operation: &Documented, line: &Line, built: &Built) -> Call<'a> {
    let mut path = filled(&operation.path, built);
    if line.operation == "report_outcomes" {
        write!(path, "?programme_id={}&from=2026-01-01&until=2026-12-31", built.id("programme_id")).unwrap();
    }
    if line.operation == "hour_sheet_export" {
        write!(path, "?programme_id={}&month=2026-11", built.id("programme_id")).unwrap();
    }
    if matches!(line.operation, "measure_instrument_view" | "measure_text_list" | "group_answer_list") {
        write!(path, "?programme_id={}", built.id("programme_id")).unwrap();
    }
    let mut call = caller.call(&operation.method, &path);
    if operation.if_match {
        call = call.if_match(built.version(&versioned(line.operation, &operation.path)));
    }
    if line.operation == "referral_create" {
        call = call.key(&format!("matrix-{}", uuid::Uuid::now_v7()));
    }
    if line.operation == "token_issue" {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            built.id("machine"),
            crate::support::world::MACHINE_SECRET
        );
        return call.raw("application/x-www-form-urlencoded", form.into_bytes());
    }
    if line.operation == "token_revoke" {
        return call.raw("application/x-www-form-urlencoded", b"token=none".to_vec());
    }
    if operation.method == "PATCH" {
        call = call.header("content-type", "application/merge-patch+json");
    }
    match (line.body)(built) {
        Value::Null => call,
        body => call.json(body),
    }
}

/// What is wrong with a list that was answered.
fn list_fault(who: &Who, line: &Line, built: &Built, text: &str) -> Option<String> {
    let reaches = match line.guard {
        Guard::List(action) => who.reaches(line, action),
        Guard::Mine => who.role == Some(Role::Client) && who.own_programme && who.first,
        _ => return None,
    };
    let list: Value = serde_json::from_str(text).unwrap();
    let count = list["items"].as_array().unwrap().len();
    let foreign = built.ids().filter(|(name, id)| *name != "client_user" && text.contains(*id)).map(|(name, _)| name).collect::<Vec<_>>();
    if reaches && count == 0 {
        return Some("an empty list for somebody who sees something".to_owned());
    }
    if !reaches && !foreign.is_empty() {
        return Some(format!("a list that shows {foreign:?}"));
    }
    if !reaches && who.own_programme && count != 0 {
        return Some(format!("{count} rows for somebody who sees none"));
    }
    None
}

fn matrix(kind: Kind) {
    let app = TestApp::start(kind);
    prepare(&app);
    let documented = documented();
    let lines = lines();
    let known: BTreeSet<&str> = lines.iter().map(|line| line.operation).collect();
    let uncovered: Vec<&String> = documented.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert!(uncovered.is_empty(), "the table lacks {uncovered:?}");
    let mut table = String::from(
        "# operation × caller: how the answer was. 2xx done, 401 no token, 403 seen but not allowed, 404 not there for the caller, 409 a rule.\n\
         # \"list\" is a list with something of the case in it, \"none\" one without.\n\
         # Callers: of the programme with the case of their own (referrer, link_worker, client), without (…2), of another programme, nobody.\n\n",
    );
    let (mut faults, mut calls) = (Vec::new(), 0);
    let mut fields: BTreeMap<&str, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    for line in &lines {
        let operation = documented.get(line.operation).unwrap_or_else(|| panic!("the document has no {}", line.operation));
        assert_eq!(
            operation.public,
            matches!(line.guard, Guard::Public),
            "{} is public in the document or in the table alone",
            line.operation
        );
        let mut built = Built::new(&app, line.origin, line.stage);
        let mut row: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for who in EVERYBODY {
            calls += 1;
            // A machine's secret and somebody's token do not go together.
            let caller = if matches!(line.operation, "token_issue" | "token_revoke") { app.nobody() } else { who.caller(&app) };
            let reply = call(&caller, operation, line, &built).send();
            let expected = who.expected(line);
            let done = (200..300).contains(&reply.status);
            let as_expected = if expected == 200 { done } else { reply.status == expected };
            let at = || format!("{} [{} {}] {}", line.operation, line.origin.name(), line.stage.name(), who.name);
            if !as_expected {
                faults.push(format!("{}: {} instead of {expected}: {}", at(), reply.status, reply.text));
            }
            let mut mark = if done { "2xx".to_owned() } else { reply.status.to_string() };
            if done {
                let role = who.role.map_or("nobody", Code::as_str);
                if let Ok(body) = serde_json::from_str(&reply.text) {
                    pointers(&body, "", fields.entry(line.operation).or_default().entry(role).or_default());
                }
                if matches!(line.guard, Guard::List(_) | Guard::Mine) {
                    let shown = built.ids().any(|(name, id)| name != "client_user" && reply.text.contains(id));
                    mark = if shown { "list" } else { "none" }.to_owned();
                }
                if let Some(fault) = list_fault(who, line, &built, &reply.text) {
                    faults.push(format!("{}: {fault}: {}", at(), reply.text));
                }
            }
            let case = matches!(line.guard, Guard::Case(_)) && who.role.is_some();
            let list = matches!(line.guard, Guard::List(_) | Guard::Mine);
            if let Some(fault) = one_event::fault(&app, line.operation, &reply, case, list) {
                faults.push(format!("{}: {fault}: {} {}", at(), reply.status, reply.text));
            }
            if done && operation.method != "GET" {
                built.finish(&app);
                built = Built::new(&app, line.origin, line.stage);
            }
            row.entry(mark).or_default().push(who.name);
        }
        built.finish(&app);
        writeln!(
            table,
            "{} {}\n    {} [{}, {}] {:?}",
            operation.method,
            operation.path,
            line.operation,
            line.origin.name(),
            line.stage.name(),
            line.guard
        )
        .unwrap();
        for (mark, names) in row {
            writeln!(table, "        {mark:5}{}", names.join(" ")).unwrap();
        }
    }
    writeln!(table, "\n# {} operations, {} lines, {} callers, {calls} calls", documented.len(), lines.len(), EVERYBODY.len()).unwrap();
    assert!(faults.is_empty(), "{} of {calls}:\n{}", faults.len(), faults.join("\n"));
    golden::expect("http_matrix.txt", &table);
    golden::expect("fields_read.txt", &field_table(&fields));
}

/// The places of an answer: the members, with `*` for any place in a list.
fn pointers(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| pointers(member, &format!("{at}/{name}"), found)),
        Value::Array(items) => items.iter().for_each(|item| pointers(item, &format!("{at}/*"), found)),
        _ => {
            found.insert(at.to_owned());
        }
    }
}

/// Which members of which answer each role has seen: the roles that have seen the same stand together.
fn field_table(fields: &BTreeMap<&str, BTreeMap<&str, BTreeSet<String>>>) -> String {
    let mut table = String::from(
        "# operation × role: the members of the good answers, as JSON pointers with * for any place in a list; no role may see more than this.\n\n",
    );
    for (operation, roles) in fields {
        writeln!(table, "{operation}").unwrap();
        let mut alike: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
        for (role, seen) in roles {
            alike.entry(seen).or_default().push(role);
        }
        let mut rows: Vec<_> = alike.into_iter().map(|(seen, roles)| (roles.join(" "), seen)).collect();
        rows.sort_unstable();
        for (roles, seen) in rows {
            writeln!(table, "    {roles}").unwrap();
            for line in seen.iter().collect::<Vec<_>>().chunks(8) {
                writeln!(table, "        {}", line.iter().map(|place| place.as_str()).collect::<Vec<_>>().join(" ")).unwrap();
            }
        }
    }
    table
}

#[test]
fn everybody_tries_everything_sqlite() {
    matrix(Kind::Sqlite);
}

#[test]
fn everybody_tries_everything_postgresql() {
    matrix(Kind::Postgresql);
}
