//! Which resource an operation is tried out on. The examples of the document tell one story, that of the demo world: each operation names something
//! that is there and in the right state, so that the example which is filled in works as it stands on a fresh demo.

use chrono::NaiveDate;
use serde_json::Value;

/// The day on which the examples were written down.
const STORY_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2026, 11, 22) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// What all ids of the demo world begin with.
const IDS: &str = "01900000-0000-7000-8000-00000000";

/// The usual resource of each path parameter.
const USUAL: &[(&str, &str)] = &[
    ("programme_id", "0001"),
    ("organisation_id", "0010"),
    ("user_id", "0021"),
    ("role_assignment_id", "0070"),
    ("api_client_id", "0028"),
    ("link_worker_id", "0030"),
    ("activity_id", "0040"),
    ("client_id", "0050"),
    ("referral_id", "0060"),
    ("consent_id", "0061"),
    ("consent_text_id", "0003"),
    ("assignment_id", "0062"),
    ("support_period_id", "0063"),
    ("goal_id", "0064"),
    ("visit_id", "0065"),
    ("time_entry_id", "0a00"),
    ("measure_id", "0066"),
    ("activity_link_id", "0067"),
    ("user_identity_id", "00d0"),
    ("api_client_identity_id", "00d1"),
    ("api_client_key_id", "00d2"),
    ("data_request_id", "00c0"),
    ("legal_hold_id", "00c3"),
    ("retention_run_id", "00c5"),
    ("concern_id", "00e0"),
    ("concern_guidance_id", "00e4"),
    ("absence_id", "00e8"),
    ("programme_break_id", "00ed"),
    ("activity_import_id", "00e0"),
    ("hour_sheet_id", "0a00"),
    ("measure_text_id", "00e0"),
    ("feedback_id", "00e3"),
    ("milestone_id", "00e6"),
];

/// An operation that needs a resource in another state than the usual one has, or another version of it.
struct Special {
    operation: &'static str,
    resource: &'static [(&'static str, &'static str)],
    version: u32,
}

const fn on(operation: &'static str, resource: &'static [(&'static str, &'static str)], version: u32) -> Special {
    Special { operation, resource, version }
}

const SUBMITTED: &[(&str, &str)] = &[("referral_id", "0091")];
const IN_REVIEW: &[(&str, &str)] = &[("referral_id", "0092")];
const DRAFT: &[(&str, &str)] = &[("referral_id", "009a")];
const PLANNED: &[(&str, &str)] = &[("visit_id", "00b4")];
const UNDER_WAY: &[(&str, &str)] = &[("data_request_id", "00c1")];
const CONTESTED: &[(&str, &str)] = &[("client_id", "005d")];
const PROPOSED: &[(&str, &str)] = &[("assignment_id", "0098")];

const SPECIAL: &[Special] = &[
    on("referral_update", DRAFT, 1),
    on("referral_submit", DRAFT, 1),
    on("referral_review", SUBMITTED, 2),
    on("referral_withdraw", SUBMITTED, 2),
    on("referral_mark_as_error", SUBMITTED, 2),
    on("referral_request_information", IN_REVIEW, 3),
    on("referral_guide", IN_REVIEW, 3),
    on("referral_waitlist", IN_REVIEW, 3),
    on("referral_defer", IN_REVIEW, 3),
    on("referral_close", IN_REVIEW, 3),
    on("contact_attempt_create", IN_REVIEW, 3),
    on("contact_attempt_list", IN_REVIEW, 3),
    on("assignment_propose", IN_REVIEW, 3),
    on("referral_answer", &[("referral_id", "0094")], 4),
    on("message_list", &[("referral_id", "0094")], 4),
    on("referral_resume", &[("referral_id", "009b")], 4),
    on("support_period_start", &[("referral_id", "009c")], 4),
    on("referral_reopen", &[("referral_id", "009d")], 4),
    on("consent_verify", &[("referral_id", "009e"), ("consent_id", "00ab")], 2),
    on("referral_rectify", &[], 5),
    on("data_request_fulfil", UNDER_WAY, 2),
    on("data_request_package", UNDER_WAY, 2),
    on("client_restriction_view", CONTESTED, 2),
    on("client_restriction_release", CONTESTED, 2),
    on("client_restriction_lift", CONTESTED, 2),
    on("consent_withdraw", &[], 5),
    on("me_consent_withdraw", &[], 5),
    on("assignment_accept", PROPOSED, 1),
    on("assignment_decline", PROPOSED, 1),
    on("assignment_end", &[("assignment_id", "00b0")], 2),
    on("support_period_resume", &[("support_period_id", "00b2")], 2),
    on("visit_update", &[], 2),
    on("visit_hold", PLANNED, 1),
    on("theme_mapping_put", &[], 2),
    on("visit_cancel", PLANNED, 1),
    on("visit_mark_not_attended", PLANNED, 1),
    on("hour_sheet_submit", &[("hour_sheet_id", "0a04")], 2),
    on("hour_sheet_return", &[("hour_sheet_id", "0a03")], 3),
    on("hour_sheet_approve", &[("hour_sheet_id", "0a03")], 3),
    on("hour_sheet_mark_paid", &[("hour_sheet_id", "0a02")], 4),
];

/// The example id of a path parameter.
#[must_use]
pub fn path_example(operation: &str, parameter: &str) -> Option<String> {
    let special = SPECIAL.iter().find(|special| special.operation == operation);
    special
        .into_iter()
        .flat_map(|special| special.resource)
        .chain(USUAL)
        .find(|(name, _)| *name == parameter)
        .map(|(_, tail)| format!("{IDS}{tail}"))
}

/// The example of `If-Match`: the version that the resource has in a fresh demo.
#[must_use]
pub fn version_example(operation: &str) -> String {
    let version = SPECIAL.iter().find(|special| special.operation == operation).map_or(1, |special| special.version);
    format!("\"{version}\"")
}

/// Moves the dates of an example so that they are as far from today as they were from the day on which it was written. Birth dates stay.
pub fn move_to(example: &mut Value, today: NaiveDate) {
    match example {
        Value::String(text) if text.len() == 10 => {
            if let Ok(date) = text.parse::<NaiveDate>() {
                let moved = date.checked_add_signed(today.signed_duration_since(STORY_DAY));
                *text = moved.unwrap_or(date).to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_to(item, today)),
        Value::Object(members) => {
            members.iter_mut().filter(|(name, _)| *name != "birth_date").for_each(|(_, member)| move_to(member, today));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_keep_their_distance_from_today_and_people_their_age() {
        let mut example =
            json!({"starts_on": "2026-11-20", "client": {"birth_date": "1942-05-07"}, "days": ["2026-12-22"], "wish": "Ulkoilemaan"});
        move_to(&mut example, "2027-01-01".parse().expect("a date"));
        let moved =
            json!({"starts_on": "2026-12-30", "client": {"birth_date": "1942-05-07"}, "days": ["2027-01-31"], "wish": "Ulkoilemaan"});
        assert_eq!(example, moved);
    }
}
