//! What was done with a client's data, in whole sentences of each language that they can read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lahete_domain::codes::{AuditAction, AuditOutcome, Language, Role};
use serde::Deserialize;

use crate::shipped_table;

/// Stands in a sentence where it is said who did it.
const WHO: &str = "{who}";

#[derive(Debug, Deserialize)]
struct Sentence {
    deed: String,
    fi: String,
    sv: String,
    en: String,
    se: String,
    smn: String,
    sms: String,
}

impl Sentence {
    fn of(&self, language: Language) -> &str {
        language.of([&self.fi, &self.sv, &self.en, &self.se, &self.smn, &self.sms])
    }
}

static SENTENCES: LazyLock<BTreeMap<String, Sentence>> =
    LazyLock::new(|| shipped_table::rows("deeds.csv", include_bytes!("deeds.csv")).map(|row: Sentence| (row.deed.clone(), row)).collect());

/// Words by their name.
#[must_use]
pub fn words(name: &str, language: Language) -> &'static str {
    SENTENCES.get(name).map_or("", |sentence| sentence.of(language))
}

/// Which sentence tells of an operation. `None` for one that has none of its own.
fn known(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "referral_list" | "me_referrals" => "referral_list",
        "referral_view" | "public_referral_status" => "referral_read",
        "referral_create" | "public_referral_create" => "referral_write",
        "referral_update" => "referral_change",
        "referral_submit" => "referral_send",
        "referral_review" => "referral_take",
        "referral_guide" | "referral_waitlist" | "referral_defer" | "referral_resume" | "referral_reopen" => "referral_work",
        "referral_close" | "referral_mark_as_error" | "draft_expire" => "referral_end",
        "referral_withdraw" => "referral_withdraw",
        "referral_request_information" => "question_ask",
        "referral_answer" => "question_answer",
        "message_list" => "question_read",
        "referral_timeline" => "timeline_read",
        "contact_attempt_list" => "contact_read",
        "contact_attempt_create" => "contact_write",
        "consent_list" | "me_consents" => "consent_read",
        "consent_create" => "consent_write",
        "consent_verify" => "consent_verify",
        "consent_withdraw" | "me_consent_withdraw" => "consent_withdraw",
        "client_view" => "person_read",
        "client_update" => "person_change",
        "client_history" => "history_read",
        "referral_rectify" => "referral_change",
        "client_restriction_create" | "client_restriction_release" | "client_restriction_lift" => "person_restrict",
        "client_restriction_view" | "data_request_list" | "data_request_view" | "me_data_request_list" => "request_read",
        "data_request_create"
        | "data_request_start"
        | "data_request_extend"
        | "data_request_fulfil"
        | "data_request_refuse"
        | "data_request_withdraw"
        | "me_data_request_create" => "request_write",
        "data_request_package" | "me_data_copy" => "copy_read",
        "legal_hold_list" | "legal_hold_view" => "hold_read",
        "legal_hold_create" | "legal_hold_end" => "hold_write",
        "concern_list" | "concern_view" | "referral_concern_list" | "me_concerns" => "concern_read",
        "concern_create" | "concern_update" | "concern_close" | "concern_release" => "concern_write",
        "handover_make" => "case_handover",
        "client_search" => "person_search",
        "client_link_user" => "person_link",
        "client_access_log" | "me_access_log" | "audit_event_list" => "log_read",
        "assignment_list" | "assignment_view" | "referral_assignment_list" => "worker_read",
        "assignment_propose" => "worker_propose",
        "assignment_accept" => "worker_accept",
        "assignment_decline" => "worker_decline",
        "assignment_end" | "assignment_expire" => "worker_end",
        "support_period_list" | "support_period_view" | "me_support_periods" => "support_read",
        "support_period_start" => "support_start",
        "support_period_pause"
        | "support_period_resume"
        | "support_period_extend"
        | "support_period_change_link_worker"
        | "support_period_propose_end" => "support_change",
        "support_period_end" => "support_end",
        "goal_list" | "goal_view" => "goal_read",
        "goal_create" | "goal_update" | "goal_mark_step" => "goal_write",
        "activity_link_list" => "activity_read",
        "activity_link_create" | "activity_link_update" => "activity_write",
        "visit_list" | "visit_view" | "support_period_visits_list" | "me_visits" => "visit_read",
        "visit_create" | "visit_update" | "visit_hold" | "visit_cancel" | "visit_mark_not_attended" => "visit_write",
        "time_entry_list" | "time_entry_view" => "time_read",
        "time_entry_create" | "time_entry_update" | "time_entry_strike" => "time_write",
        "hour_sheet_view" => "hours_read",
        "measure_list" | "measure_view" | "measure_change_list" => "measure_read",
        "measure_create" => "measure_write",
        "feedback_list" | "feedback_view" | "me_feedback" => "feedback_read",
        "feedback_create" | "feedback_update" | "me_feedback_create" => "feedback_write",
        "referral_milestones" | "milestone_list" | "milestone_acknowledge" => "milestone_read",
        _ => return None,
    })
}

/// One access in a whole sentence. `who` is none for the client's own doing.
#[must_use]
pub fn sentence(operation: &str, action: AuditAction, outcome: AuditOutcome, who: Option<&str>, language: Language) -> String {
    let read = matches!(action, AuditAction::Read | AuditAction::Searched);
    let deed = match (outcome, who) {
        (AuditOutcome::Denied, _) => "denied",
        (AuditOutcome::Allowed, None) if read => "own_read",
        (AuditOutcome::Allowed, None) if operation == "me_data_request_create" => "own_request",
        (AuditOutcome::Allowed, None) if action == AuditAction::Created => "own_create",
        (AuditOutcome::Allowed, None) => "own_change",
        (AuditOutcome::Allowed, Some(_)) => known(operation).unwrap_or(if read { "read" } else { "change" }),
    };
    words(deed, language).replace(WHO, who.unwrap_or_else(|| words("who_unknown", language)))
}

/// What the access was for, by the role that allowed it.
#[must_use]
pub fn purpose(role: Option<Role>, language: Language) -> Option<&'static str> {
    let name = match role? {
        Role::Coordinator | Role::LinkWorker => "purpose_care",
        Role::Referrer | Role::Integration => "purpose_referring",
        Role::Client => "purpose_own",
        Role::PrivacyOfficer => "purpose_supervision",
        Role::Admin => "purpose_administration",
        Role::ReportReader => return None,
    };
    Some(words(name, language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lahete_domain::codes::Code as _;

    #[test]
    fn every_sentence_is_there_in_every_language() {
        assert!(SENTENCES.len() > 50);
        for (deed, sentence) in SENTENCES.iter() {
            let names_somebody = !["own_", "who_", "purpose_"].iter().any(|begin| deed.starts_with(begin));
            for language in Language::ALL {
                let text = sentence.of(*language);
                assert_eq!(text.matches(WHO).count(), usize::from(names_somebody), "{deed} in {language:?}: {text}");
                assert!(!text.trim().is_empty(), "{deed} in {language:?}");
                assert_eq!(text.ends_with('.'), !deed.starts_with("who_") && !deed.starts_with("purpose_"), "{deed}: {text}");
            }
        }
    }

    #[test]
    fn what_was_done_is_said_by_operation() {
        let say = |operation, action, outcome, who, language| sentence(operation, action, outcome, who, language);
        let (read, allowed) = (AuditAction::Read, AuditOutcome::Allowed);
        let who = Some("Koordinaattori Kaisa Koordinaattori");
        let fi = Language::Finnish;
        assert_eq!(say("referral_view", read, allowed, who, fi), "Koordinaattori Kaisa Koordinaattori luki lähetteesi.");
        assert_eq!(
            say("visit_hold", AuditAction::Changed, allowed, Some("Liisa"), Language::English),
            "Liisa wrote down a visit with you."
        );
        assert_eq!(say("me_visits", read, allowed, None, Language::Swedish), "Du läste själv dina uppgifter.");
        let denied = say("referral_view", read, AuditOutcome::Denied, Some("Reijo"), fi);
        assert_eq!(denied, "Reijo yritti katsoa tietojasi, mutta se estettiin.");
        assert_eq!(say("something_new", AuditAction::Changed, allowed, Some("Reijo"), fi), "Reijo muutti tietojasi.");
    }

    #[test]
    fn every_operation_that_may_touch_a_client_has_its_sentence() {
        let document = serde_json::to_value(crate::http::openapi::api_document()).expect("a document");
        let of_clients = [
            "referral_",
            "public_referral_",
            "message_",
            "contact_attempt_",
            "consent_",
            "client_",
            "assignment_",
            "support_period_",
            "goal_",
            "activity_link_",
            "visit_",
            "time_entry_",
            "measure_list",
            "measure_view",
            "measure_create",
            "measure_change_list",
            "feedback_",
            "milestone_",
            "me_",
            "data_request_",
            "legal_hold_",
            "concern_",
            "handover_",
        ];
        let operations: Vec<&str> = document["paths"]
            .as_object()
            .expect("paths")
            .values()
            .flat_map(|item| item.as_object().expect("a path").values())
            .filter_map(|operation| operation["operationId"].as_str())
            .filter(|name| {
                let of_nobody = ["consent_text_", "concern_guidance_"].iter().any(|begin| name.starts_with(begin));
                *name != "me_view" && !of_nobody && of_clients.iter().any(|begin| name.starts_with(begin))
            })
            .collect();
        assert!(operations.len() > 60);
        let untold: Vec<_> = operations.iter().filter(|name| known(name).is_none()).collect();
        assert!(untold.is_empty(), "what do these say to the client? {untold:?}");
        for deed in operations.iter().filter_map(|name| known(name)) {
            assert!(SENTENCES.contains_key(deed), "{deed}");
        }
    }
}
